#include "partition/image/mkfs.h"

#include "base/error.h"

namespace vprov::partition {

os::CommandResult run_mkfs(const os::Command& command, const Place& place, std::string_view package,
                           os::CommandRunner& runner) {
    return os::run_or_fail({ErrorKind::disk, package, fmt::format("cannot write {}", place.title)}, command, runner);
}

}  // namespace vprov::partition
