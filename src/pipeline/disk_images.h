// A sealed tree on the disks of a plan.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "os/command.h"
#include "partition/image/disk_writer.h"
#include "pipeline/sealed_tree.h"
#include "pipeline/written_disks.h"

namespace vprov::pipeline {

// The layout with the sizes that follow from the tree's content. Throws Error(disk) for what does not fit.
partition::DiskLayout settled_layout(const SealedTree& tree, const plan::Plan& plan);

// Writes the disks of `plan`, whose layout is settled, with their boot loader: images into `directory`, which is the
// one that will be published, devices where they are. A device is looked at once more before it is written. What fails
// leaves no image, no new volume, and on a device no table and no file system; the same holds for what goes without
// being kept. Throws Error(disk).
std::unique_ptr<WrittenDisks> write_disks(const SealedTree& tree, const plan::Plan& plan,
                                          const std::filesystem::path& directory, os::CommandRunner& runner);

// What one disk is written to, no other may be, nor a part of it. Throws Error(disk).
void refuse_same_devices(const std::vector<plan::Plan>& plans);

// Before anything is fetched: whether this process can write the plan's disks at all, and may. Volumes that a killed
// build has left are removed. Throws Error(disk).
void check_disks(const plan::Plan& plan, os::CommandRunner& runner);

}  // namespace vprov::pipeline
