// Other tools' configurations as recipes. Pure.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "hypervisor/guest/guest.h"

namespace vprov::imports {

enum class Source { xl, libvirt, xen_tools };  // xl: xm as well

// By the text: XML is libvirt's, what names a distribution or an installation and no domain is xen-tools'.
Source source_of(std::string_view text);

struct Imported {
    std::string recipe;             // TOML; recipe::parse() takes it
    std::vector<std::string> lost;  // what could not be carried over, a sentence each
};

// A domain whose disks are there: nothing is installed. Relative paths in it are those of `folder`. Throws
// Error(recipe) for a domain that no recipe can describe.
Imported recipe_of_guest(const hypervisor::Guest& guest, const std::filesystem::path& folder);

// xen-tools.conf: the guest that xen-create-image would make, called `name`. `file` is for messages.
Imported recipe_of_xen_tools(std::string_view text, std::string_view file, const std::string& name);

// Any of them. Throws Error(hypervisor) "FILE:LINE: ..." for what cannot be read.
Imported import_text(std::string_view text, const std::filesystem::path& file, Source source, const std::string& name);

}  // namespace vprov::imports
