// What a configured tree follows from, as text: trees of equal inputs are equal, and a difference can be named. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/digest.h"
#include "bootstrap/resolve/resolve.h"

namespace vprov::pipeline {

// Sorted lines "KIND NAME VALUE"; the kind and the name say what a line is about.
struct LayerInputs {
    std::vector<std::string> lines;

    std::string text() const;
    Sha256Digest digest() const;
};

struct LayerSettings {
    std::string architecture, hostname;
    std::vector<std::string> prepared;  // "PATH VALUE" for each file that is written before scripts run
    std::vector<std::string> options;   // "NAME VALUE"
};

LayerInputs layer_inputs(const resolve::PackageSet& packages, const LayerSettings& settings);

// From LayerInputs::text(), back.
LayerInputs read_layer_inputs(std::string_view text);

std::size_t differing_lines(const LayerInputs& a, const LayerInputs& b);

// What is new in `wanted` compared with `kept`, for people: "openssl is 3.0.15-1 and was 3.0.14-1, /etc/locale.gen is
// another, and 3 more". "" when there is none.
std::string difference(const LayerInputs& kept, const LayerInputs& wanted);

}  // namespace vprov::pipeline
