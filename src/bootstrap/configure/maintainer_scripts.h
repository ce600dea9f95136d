// Running what packages bring: preinst scripts, and dpkg --configure for all the rest.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "bootstrap/configure/sandbox.h"
#include "bootstrap/unpack/staging.h"

namespace vprov::configure {

// Takes what the scripts of a package ("name" or "name:arch") say, line by line.
using OutputReader = std::function<void(std::string_view package, std::string_view line)>;

class MaintainerScripts {
  public:
    // `packages` are all that are going to be installed.
    MaintainerScripts(Sandbox& sandbox, const os::RootDir& root, Progress& progress,
                      const std::vector<const deb::Package*>& packages, OutputReader on_output);

    // Runs `preinst install` with the environment that dpkg gives it, its control files in /var/lib/dpkg/tmp.ci.
    // `instances`: of how many architectures the package is there, with this one.
    void run_preinst(const unpack::StagedPackage& package, unsigned instances);
    // One `dpkg --configure` for these packages, in this order. Pending triggers are processed at its end, or, as apt
    // does between its runs of dpkg, left to a later call where no package waits for them.
    enum class Triggers { process, defer };
    void configure(const std::vector<const deb::Package*>& packages, Triggers triggers);
    // The same for all that are unpacked, in dpkg's own order. `date` (seconds since the epoch) is what scripts find in
    // SOURCE_DATE_EPOCH, by which mkinitramfs(8) makes the same initramfs each time.
    void configure_pending(std::optional<std::int64_t> date);
    // The packages that configure_pending() would configure, in its order: "name" or "name:arch" as dpkg says it.
    std::vector<std::string> pending_order();

    // `postinst configure` of a package that is unpacked and set aside (unpack::DpkgDatabase), beside whatever is done
    // until finish_postinsts(), which throws when the script has failed. A package without one is fine.
    // `date` as above.
    void start_postinst(const unpack::StagedPackage& package, std::int64_t date);
    void finish_postinsts();

  private:
    struct Beside {
        const deb::Package* package = nullptr;
        Sandbox::Ticket ticket = 0;
        std::deque<std::string> last_lines;
    };
    SandboxCommand script_command(const deb::Package& package, std::string_view script, std::vector<std::string> argv,
                                  unsigned instances = 1) const;
    int run_dpkg(std::vector<std::string> arguments, std::optional<std::int64_t> date = std::nullopt);
    void take_output(std::string_view line);
    void take_status(std::string_view line);
    [[noreturn]] void fail(std::string_view what, int status) const;

    Sandbox& sandbox_;
    const os::RootDir& root_;
    Progress& progress_;
    StageProgress seen_;
    std::set<std::string, std::less<>> installed_;
    std::string current_;                   // "NAME VERSION" as dpkg says it, or the package of a preinst
    std::string failed_package_, failure_;  // from dpkg's status descriptor
    std::deque<std::string> last_lines_;    // of the current package
    OutputReader on_output_;
    std::string speaker_;  // whose script says what dpkg's output goes on with
    std::deque<Beside> beside_;
    std::string dpkg_version_;  // upstream's part
};

}  // namespace vprov::configure
