// A finished tree as one stream: tar in the pax format. Reads the tree and writes to a descriptor, nothing else.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace vprov::pack {

enum class Compression { none, gzip, xz, zstd };

// A node that the tree should have and could not be given: mknod(2) fails in a user namespace.
struct DeviceNode {
    std::string path;  // "dev/null"; its directory is in the tree
    mode_t mode = 0;   // S_IFCHR | 0666
    unsigned major = 0, minor = 0;
};

struct TarOptions {
    Compression compression = Compression::none;
    std::optional<std::int64_t> latest_time;  // seconds since the epoch; later times become this one
    std::vector<DeviceNode> devices;          // those that the tree has not
    std::set<std::string> left_out = {};      // "etc/ssh/ssh_host_rsa_key": with all below
};

// Everything below `tree`, as "./PATH" in the order of the names' bytes: numeric owners, modes, hard links, devices,
// and the extended attributes of files as SCHILY.xattr, without the host's own labels (security.selinux). Times are
// whole seconds; sockets are left out, as tar cannot hold them. The same tree and options give the same bytes, however
// many threads compress. Throws Error(disk), and Error(interrupted) on a stop request.
void write_tar(const std::filesystem::path& tree, int fd, const TarOptions& options);

}  // namespace vprov::pack
