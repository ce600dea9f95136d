// Whether guests of a plan can be copies of images that were made without an identity, and what those images are.
#pragma once

#include <string>
#include <string_view>

#include "plan/plan.h"

namespace vprov::pipeline {

// "" where they can: their file systems are edited in place, and nothing but vprov itself writes what differs. Else
// what stands against it: "root is xfs". Pure.
std::string why_not_cloned(const plan::Plan& plan);

// Throws Error(recipe) for a plan that asks for overlays and cannot be cloned.
void check_overlays(const plan::Plan& plan);

// The plan of the base itself: raw images of the disks with a tree, and identifiers that no guest has. Pure.
plan::Plan base_plan(const plan::Plan& plan);

// What a base of the layer (LayerInputs::digest()) follows from: equal text, equal base. Pure.
std::string base_inputs(const plan::Plan& plan, std::string_view layer);

bool has_tree(const partition::DiskPlan& disk);  // some of the guest's files are on it
bool is_ext(partition::Filesystem filesystem);

// The file system that has what is at `path` in the guest.
const partition::Volume& volume_at(const partition::DiskLayout& layout, std::string_view path);

}  // namespace vprov::pipeline
