// Whether an image is what a build of its plan has made, and if not, what is the first thing that differs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "os/command.h"
#include "partition/layout/layout.h"

namespace vprov::partition {

struct DiskDifference {
    std::string where;  // "partition 2 (root)", "the partition table"; "" for the one file system of a bare disk
    std::string path;   // in it; "" where no file differs, or none can be looked at
    std::string what;   // for people: "content", "mode 0644, not 0600"
    std::string text() const;
    bool operator==(const DiskDifference&) const = default;
};

struct DiskComparison {
    std::optional<DiskDifference> difference;  // the first, in the order of places
    std::vector<std::string> by_files;         // volumes whose files are the same, and whose bytes are not
};

// `expected` and `found` are raw images of `disk`, whose layout is settled; they are only read. All bytes are compared.
// Only what the kernel has filled (xfs with files in it) may have other bytes, for it writes down when it did so: there
// UUID, label, size and files must be the same. Throws Error(disk).
DiskComparison compare_disks(const DiskPlan& disk, const std::filesystem::path& expected,
                             const std::filesystem::path& found, const std::filesystem::path& scratch,
                             os::CommandRunner& runner);

}  // namespace vprov::partition
