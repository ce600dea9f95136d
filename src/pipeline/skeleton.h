// The part of a tree that a guest's identity may be found in or written to: small enough to be made for every guest.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "os/root_dir.h"

namespace vprov::pipeline {

// Whether what is at `path` ("etc/hostname") is in a skeleton, if the tree has it.
bool is_in_skeleton(std::string_view path);

// What a skeleton of `tree` lacks, as pack::TarOptions::left_out. Throws Error(disk).
std::set<std::string> left_out_of_skeleton(const std::filesystem::path& tree);

// What it lacks and accounts may name: "/usr/bin/bash" and all else in the directories of programs, sorted.
std::vector<std::string> programs_of(const std::filesystem::path& tree);
bool is_place_of_programs(std::string_view directory);  // "/usr/bin"

// An empty file where the tree has `program`, which may be by way of a link like /bin. Throws Error(disk).
void stand_in_for(const std::string& program, const std::vector<std::string>& programs, const os::RootDir& skeleton);

}  // namespace vprov::pipeline
