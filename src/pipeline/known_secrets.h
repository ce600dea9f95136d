// What is random in an image by nature, so that another build can have the same.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "plan/plan.h"

namespace vprov::pipeline {

// The content of a regular file of the image, by its path in the guest; nullopt where there is none.
using ReadFile = std::function<std::optional<std::string>(const std::string& path)>;

// Hashes of passwords that the recipe has made up or takes from the environment, if they are of the kind that vprov
// makes, and SSH host keys with the guest's name, if that is what they are and the recipe gives none. Of no other file
// anything is taken.
plan::KnownSecrets known_secrets(const plan::Plan& plan, const ReadFile& read);

// For people: "the password of root", "SSH host key ed25519".
std::vector<std::string> described(const plan::KnownSecrets& secrets);

}  // namespace vprov::pipeline
