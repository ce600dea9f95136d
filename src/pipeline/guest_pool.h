// Which guest of an output directory has which address of a range. Touches DIR/.pool.json and DIR/.pool.lock.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "os/temp_dir.h"
#include "recipe/recipe.h"

namespace vprov::pipeline {

enum class PoolUse {
    take,  // addresses are the guests' from now on
    look,  // which they would get; nothing is written
};

// A guest keeps its address as long as DIR/NAME is there, or the process runs that holds the Reservation; what neither
// is true of is free again. The file is replaced by rename under a lock: killed at any instant, a process leaves it
// whole.
struct Reservation {
    std::vector<recipe::ListedGuest> guests;
    std::shared_ptr<os::TempDir> held;  // null for PoolUse::look
};

// The guests of recipe.numbered_guests with address and MAC, in the order of their numbers. An address that the range
// has but another guest or the gateway has is passed over. Throws Error(recipe) when the range has too few,
// Error(disk).
Reservation reserve(const recipe::Recipe& recipe, const std::filesystem::path& output, PoolUse use);

// Nothing to do for a guest that has none. Throws Error(disk).
void release(const std::filesystem::path& output, const std::string& guest);

// "" for a guest without.
std::string pooled_address(const std::filesystem::path& output, const std::string& guest);

}  // namespace vprov::pipeline
