// What a tree has besides the files of packages: the links of the merged /usr, device nodes, apt's own directories.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "bootstrap/deb/package_index.h"
#include "os/root_dir.h"

namespace vprov::configure {

// split: /bin, /sbin and /lib are directories, as until bullseye; split_for_good: and a file says so to usrmerge and
// usr-is-merged, which would refuse the tree or convert it (from bookworm on).
enum class UsrLayout { merged, split, split_for_good };

// Before the first package: /bin, /sbin, /lib and the architectures' /lib64 as links into /usr (as debootstrap and
// usr-is-merged want them), and the nodes in /dev that programs of the tree need to run,
// where they can be made.
void make_skeleton(const os::RootDir& root, const deb::Architectures& architectures, UsrLayout layout);

// A device file that every tree has.
struct DeviceNode {
    std::string path;  // "/dev/null"
    mode_t mode = 0;   // with the type
    dev_t device = 0;
};

// Those of them that the tree lacks: a user namespace cannot make any (mknod(2)), so make_skeleton() leaves them out
// there and whoever writes an image or an archive of the tree adds them.
std::vector<DeviceNode> missing_device_nodes(const os::RootDir& root);

// Logs, caches and lists that a fresh system does not have, and what is in /tmp.
void remove_traces(const os::RootDir& root);

// After the last script: logs, caches and lists that a fresh system does not have, and apt's extended_states, in which
// `automatic` are marked; `native` is the architecture under which apt has those of "all".
void clean_up(const os::RootDir& root, std::string_view native, const std::vector<const deb::Package*>& automatic);

}  // namespace vprov::configure
