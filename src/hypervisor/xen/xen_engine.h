// Domains that Xen runs, by way of xl: the entrance to src/hypervisor/xen. It keeps nothing of its own: what runs is
// what xl says, whoever has started it, and Domain-0 is one of them.
#pragma once

#include <map>

#include "hypervisor/engine/engine.h"
#include "hypervisor/xen/xl_output.h"
#include "os/command.h"

namespace vprov::hypervisor {

class XenEngine final : public DomainEngine {
  public:
    explicit XenEngine(os::CommandRunner& runner) : runner_(runner) {}  // which outlives it

    // Checks the guest's files and bridges, and runs `xl create` on a configuration that only this user can read and
    // that is gone afterwards. The xl that stays obeys on_reboot and its like. Interrupted, the domain is destroyed.
    CreatedDomain create(const Guest& guest, const CreateOptions& options) const override;

    std::vector<DomainInfo> list() const override;
    std::string configuration_json(const DomainInfo& domain) const override;
    bool is_running(const std::string& name) const override;
    void shutdown(const std::string& name) const override;  // by the guest's driver, else by ACPI
    void reboot(const std::string& name) const override;
    void destroy(const std::string& name) const override;
    void pause(const std::string& name) const override;
    void unpause(const std::string& name) const override;
    void rename(const std::string& name, const std::string& new_name) const override;

    std::uint64_t set_memory(const std::string& name, std::uint64_t mib) const override;
    void set_vcpus(const std::string& name, unsigned count) const override;
    void attach_disk(const std::string& name, const GuestDisk& disk) const override;
    void detach_disk(const std::string& name, const std::string& vdev) const override;
    void change_cd(const std::string& name, const std::string& vdev, const std::string& file) const override;
    std::vector<std::string> attach_interface(const std::string& name, const GuestInterface& interface) const override;
    void detach_interface(const std::string& name, const std::string& devid_or_mac) const override;

    bool wait_until_gone(const std::string& name, std::optional<std::chrono::milliseconds> most) const override;

    // Always writable: xl has one console for a domain, and who comes second is told that it is taken. With a restart
    // of the domain it ends.
    Console open_console(const std::string& name, ConsoleMode mode) const override;

    // Why xl does not answer, "" if it does. Throws nothing but Error(interrupted).
    std::string why_unusable() const;

  private:
    enum class Interruption { ends, waits };  // what becomes of xl when a stop is requested
    os::CommandResult run(std::vector<std::string> words, Interruption interruption = Interruption::ends) const;
    std::string listed(std::vector<std::string> words) const;  // what `xl WORDS...` prints
    std::map<unsigned, XlDetails> details() const;
    std::vector<DomainInfo> rows() const;  // of `xl list`: without their types
    // Throws "cannot VERB 'NAME': CAUSE" when xl fails, or says that it did: `xl pause` of no domain has status 0.
    void order(std::string_view verb, const DomainInfo& guest, std::vector<std::string> words) const;
    DomainInfo find_guest(std::string_view verb, const std::string& name) const;  // not Domain-0
    bool is_listed(unsigned id) const;

    os::CommandRunner& runner_;
};

}  // namespace vprov::hypervisor
