// The modules of a kernel in a guest's tree, as depmod(8) has described them.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "os/root_dir.h"

namespace vprov::pipeline {

// Names are those of modprobe(8) with "_" for each "-": "xen_blkfront".
class KernelModules {
  public:
    // Reads modules.dep, .softdep, .alias and .builtin. Throws Error(disk) where the first is not there.
    KernelModules(const os::RootDir& root, std::string version);

    // False for one that the kernel has built in, or does not have at all.
    bool has(const std::string& name) const { return modules_.contains(name); }

    // The module and all that are loaded before it, in that order, which a kernel without modprobe(8) needs: also those
    // that it only asks for by name, as "softdep NAME pre: ..." says. Files of contents(). Empty for one that is not
    // there.
    std::vector<std::string> files_for(const std::string& name) const;

    // modules.alias(5): patterns of devices' aliases, as sysfs has them in modalias; in the order of the file.
    const std::vector<std::string>& aliases_of(const std::string& name) const;

    // Of "virtio_blk.ko": not packed, whatever the tree has. Throws Error(disk).
    std::string contents(const std::string& file) const;

  private:
    struct Module {
        std::string path;                         // below the kernel's directory, "kernel/fs/xfs/xfs.ko.xz"
        std::vector<std::string> needs, aliases;  // needs: names, the last one of them first
        std::vector<std::string> wishes;          // of its softdeps
    };
    void read_dependencies();
    void read_aliases();
    void read_wishes();
    void collect(const std::string& name, std::set<std::string>& begun, std::vector<std::string>& files) const;
    std::vector<std::string> that_are(const std::string& wish) const;

    const os::RootDir& root_;
    std::string directory_;  // "/lib/modules/6.1.0-1-amd64/"
    std::map<std::string, Module> modules_;
    std::map<std::string, std::vector<std::string>> by_alias_;  // of aliases without patterns
    std::set<std::string> builtin_;
};

}  // namespace vprov::pipeline
