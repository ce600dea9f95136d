// A sealed tree on the disks of a plan.
#pragma once

#include <filesystem>

#include "os/command.h"
#include "partition/image/disk_writer.h"
#include "pipeline/sealed_tree.h"

namespace vprov::pipeline {

// The layout with the sizes that follow from the tree's content. Throws Error(disk) for what does not fit.
partition::DiskLayout settled_layout(const SealedTree& tree, const plan::Plan& plan);

// Writes the disks of a plan whose layout is settled, with their boot loader: images into `directory`, devices where
// they are. Throws Error(disk).
void write_disks(const SealedTree& tree, const plan::Plan& plan, const std::filesystem::path& directory,
                 os::CommandRunner& runner);

// Before anything is fetched: whether this process can write the plan's disks at all. Throws Error(disk).
void check_disks(const plan::Plan& plan);

}  // namespace vprov::pipeline
