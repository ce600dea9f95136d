#include "partition/image/mkfs.h"

#include "base/error.h"

namespace vprov::partition {

os::CommandResult run_mkfs(const os::Command& command, const Place& place, std::string_view package,
                           os::CommandRunner& runner) {
    os::CommandResult result;
    try {
        result = runner.run(command);
    } catch (const Error& e) {
        if (e.kind() == ErrorKind::interrupted)
            throw;
        throw error(ErrorKind::disk, "cannot write {}: {} (install {})", place.title, e.message(), package);
    }
    if (!result.ok())
        throw error(ErrorKind::disk, "cannot write {}: {}", place.title, os::describe_failure(command, result));
    return result;
}

}  // namespace vprov::partition
