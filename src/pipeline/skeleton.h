// The part of a tree that a guest's identity may be found in or written to: small enough to be made for every guest.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <string_view>

namespace vprov::pipeline {

// Whether what is at `path` ("etc/hostname") is in a skeleton, if the tree has it.
bool is_in_skeleton(std::string_view path);

// What a skeleton of `tree` lacks, as pack::TarOptions::left_out. Throws Error(disk).
std::set<std::string> left_out_of_skeleton(const std::filesystem::path& tree);

}  // namespace vprov::pipeline
