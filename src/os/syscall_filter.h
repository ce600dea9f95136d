// System call filters for programs that run on a tree which is thrown away on any failure. Pure but for the memory
// files they are made in.
#pragma once

#include <string>

namespace vprov::os {

// BPF programs (seccomp(2)) as load_filter() takes them. A guest of 32 bits on a 64-bit kernel makes its own system
// calls; they are filtered too. Throw Error(script).

// fsync, fdatasync, sync, syncfs, sync_file_range and msync succeed at once: nothing needs to last before it is whole,
// and dpkg syncs every file.
std::string make_sync_filter();

// chown and its kin succeed at once and change nothing, as do setuid, setgid, setgroups and theirs: for a user
// namespace that has a single id, where every one of them would fail.
std::string make_ownership_filter();

// For this process and all that it starts, for good. Needs CAP_SYS_ADMIN or no_new_privs. Throws Error(script).
void load_filter(const std::string& program);

}  // namespace vprov::os
