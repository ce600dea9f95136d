// A tree for a machine that is not this one: unpacked here, configured there by its own dpkg. debootstrap's --foreign.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "pipeline/bootstrap.h"
#include "pipeline/first_stage_notes.h"

namespace vprov::pipeline {

// Where a package is unpacked. One with a preinst, which has to run before, is left to the target; an essential one is
// not, as without it nothing could run there at all.
enum class Unpacking { here, here_with_preinst, on_target };

// What the second stage does, a line each: "preinst NAME ARCH INFO" runs the script of an essential package, "configure
// NAME..." and "pending" are dpkg --configure, "unpack FILE" is dpkg --unpack of a .deb in /var/cache/apt/archives. The
// order is that of configure::configure(), but kernels have no place of their own. `unpacking` has all of `packages`.
// Pure.
std::vector<std::string> second_stage_steps(const std::vector<const deb::Package*>& packages,
                                            const std::unordered_map<const deb::Package*, Unpacking>& unpacking);

// Fetches, and unpacks into request.root (an empty directory) what needs no script for it: the essential packages, and
// all without a preinst. dpkg's database says "unpacked" of them. The .debs of the others are in
// /var/cache/apt/archives, and /debootstrap/debootstrap --second-stage does the rest inside of the tree, with nothing
// but what is there. Throws what the stages throw.
void unpack_first_stage(const BootstrapRequest& request, const Selection& selection, const FirstStageNotes& notes,
                        const Environment& environment, StageTimer& timer);

// Runs /debootstrap/debootstrap --second-stage of the tree in a sandbox. `work` is an existing directory of the host
// for scratch files. Throws Error(usage) for a tree without it, Error(script) with its last lines.
void run_second_stage(const std::filesystem::path& tree, const std::filesystem::path& work, Progress& progress);

}  // namespace vprov::pipeline
