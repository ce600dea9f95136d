// The name, the id and the directory of a domain, from the moment they are taken until it is gone.
#pragma once

#include <optional>
#include <string>

#include "hypervisor/launch/domain_record.h"
#include "hypervisor/launch/state_dir.h"

namespace vprov::hypervisor {

class Claim {
  public:
    // Takes the name of a new domain and an id. Throws Error(hypervisor) when a domain of that name lives.
    Claim(const StateDir& state, const LaunchRequest& request);
    // Takes over a domain whose supervisor has died while its QEMU lives; nullopt when there is none such any more.
    static std::optional<Claim> adopt(const StateDir& state, const std::string& name);
    ~Claim();  // removes the domain's directory, unless its QEMU lives
    Claim(Claim&& other) noexcept;
    Claim& operator=(Claim&&) = delete;

    void save() const { state_.write(record); }
    void take_new_id();
    void rename(const std::string& name);  // throws Error(hypervisor) when a domain of that name lives

    DomainRecord record;

  private:
    explicit Claim(const StateDir& state) : state_(state) {}
    void refuse_if_taken(const std::string& name) const;
    void lock() { lock_.emplace(state_.lock_file(record.name), os::FileLock::Mode::exclusive); }

    const StateDir& state_;
    std::optional<os::FileLock> lock_;
};

}  // namespace vprov::hypervisor
