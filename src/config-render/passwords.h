// Passwords as a recipe gives them, made into what stands in /etc/shadow.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "recipe/recipe.h"

namespace vprov::render {

struct HashedPassword {
    std::string hash;                  // crypt(5)
    std::optional<std::string> clear;  // only of a random one
};

// What `password` names, found and judged: the hash, or the variable's value; "" for a random one. A relative hash file
// is looked for in `folder`. `whose` is for messages ("root", "user 'joe'"). Throws Error(recipe).
std::string password_text(const recipe::Password& password, const std::filesystem::path& folder,
                          std::string_view whose);

// Cleartext is hashed with yescrypt at libcrypt's default cost.
HashedPassword hashed_password(const recipe::Password& password, const std::filesystem::path& folder,
                               std::string_view whose);

// Whether `clear` is the password of which `hash` was made (crypt(3)).
bool is_hash_of(const std::string& hash, const std::string& clear);

// 20 letters and digits, none of which looks like another: 115 bits.
std::string random_password();

// A line of /etc/shadow that crypt(3) would accept ("$y$...", "$6$...") or a lock ("*", "!", "!$y$...").
bool is_password_hash(std::string_view text);

}  // namespace vprov::render
