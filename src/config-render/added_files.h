// The files and directories that a recipe adds to its guest: [[file]] and [[directory]].
#pragma once

#include <vector>

#include "os/root_dir.h"
#include "plan/plan.h"

namespace vprov::render {

// Writes the recipe's directories, then its files, of one stage; directories belong to Moment::at_end. What is at the
// path of a file is replaced, unless it is a directory; directories that are there already are kept as they are, but
// for the mode and owner that the recipe gives. Parents are made, root's and 0755. Owners are looked up in the tree's
// /etc/passwd and /etc/group. Paths are resolved inside the tree. Throws Error(recipe) for an owner that the tree has
// not, something in a source that is neither file, directory nor link, and a file in the place of a directory;
// Error(disk).
void write_added(const os::RootDir& root, const plan::Plan& plan, recipe::Moment stage);

// "PATH VALUE" for each file of Moment::before_scripts: what a tree follows from. Reads the sources.
std::vector<std::string> added_before_scripts(const plan::Plan& plan);

}  // namespace vprov::render
