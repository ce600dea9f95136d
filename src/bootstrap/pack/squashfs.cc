#include "bootstrap/pack/squashfs.h"

#include <sys/stat.h>

#include <future>

#include "base/error.h"
#include "base/text.h"
#include "bootstrap/pack/tree_entry.h"
#include "os/fd.h"
#include "os/tree_files.h"

namespace vprov::pack {
namespace fs = std::filesystem;

os::Command mksquashfs(const fs::path& image, std::int64_t epoch) {
    os::Command command;
    command.argv = {"mksquashfs",     "-",          image.native(),       "-tar",
                    "-comp",          "zstd",       "-no-progress",       "-quiet",
                    "-exit-on-error", "-mkfs-time", std::to_string(epoch)};
    command.environment = os::clean_environment();
    return command;
}

void write_squashfs(const fs::path& tree, const fs::path& image, const TarOptions& options, os::CommandRunner& runner) {
    if (!os::program_exists("mksquashfs"))
        throw error(ErrorKind::disk, "cannot write {}: there is no mksquashfs; install the package squashfs-tools",
                    quote(image.native()));
    auto pipe = os::make_pipe();
    const auto newest = os::status_of(tree).st_mtime;
    auto command = mksquashfs(image, std::min<std::int64_t>(newest, options.latest_time.value_or(newest)));
    command.input_fd = pipe.read.get();
    auto result = std::async(std::launch::async, [&] {
        const auto held = std::move(pipe.read);  // closed with the program's end: then writing fails and does not wait
        return runner.run(command);
    });
    auto plain = options;
    plain.compression = Compression::none;
    std::string failure;
    try {
        write_tar(tree, pipe.write.get(), plain);
    } catch (const Error& e) {
        if (e.kind() != ErrorKind::disk) {
            pipe.write.reset();  // or the future would wait for a program that waits for us
            throw;
        }
        failure = e.message();  // what mksquashfs says of the same trouble is the better answer
    }
    pipe.write.reset();
    const auto ended = result.get();
    if (!ended.ok())
        throw error(ErrorKind::disk, "cannot write {}: {}", quote(image.native()),
                    os::describe_failure(command, ended));
    if (!failure.empty())
        throw error(ErrorKind::disk, "cannot write {}: {}", quote(image.native()), failure);
}

}  // namespace vprov::pack
