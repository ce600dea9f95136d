// A template on disk: a directory of mode 0700 with all that its clones begin with and are based on.
//
//   template.json   {"version": 1, "cards": [{"mac", "slot"}...], "host_keys": ["rsa", ...]}
//   state           what it was, as save_file.h has it; the stream is of its devices alone
//   memory          its memory, holes where that is zero
//   diskI           the disk number I of the guest, raw, if the guest writes to it
//   kernel, ramdisk
//
// In `state`, paths are relative to the directory, but for disks that the guest does not write to. The files are
// read-only, for as long as there are clones.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "hypervisor/launch/guest_ram.h"
#include "hypervisor/save/save_file.h"

namespace vprov::hypervisor {

inline constexpr const char* kTemplateState = "state";
inline constexpr const char* kTemplateMemory = "memory";

// A network card that clones get: in this place, for the one that had this address.
struct TemplateCard {
    std::string mac;
    unsigned slot = 0;  // PCI
    bool operator==(const TemplateCard&) const = default;
};

struct TemplateNotes {
    std::vector<TemplateCard> cards;     // one for each of the guest's interfaces
    std::vector<std::string> host_keys;  // the kinds of SSH host keys that it had: "ed25519"
    bool operator==(const TemplateNotes&) const = default;
};

void write_notes(const std::filesystem::path& directory, const TemplateNotes& notes);

struct OpenedTemplate {
    std::filesystem::path directory;  // absolute
    SavedDomain saved;                // every path absolute; request.guest has its interfaces
    os::Fd state;                     // stands at the stream
    TemplateNotes notes;
};

// Throws Error(hypervisor) "cannot use the template 'DIR': CAUSE" for a directory that is none, or a file of it that is
// missing or has changed.
OpenedTemplate open_template(const std::filesystem::path& directory);

// The guest's memory into a new file, with holes where it is zero. Throws Error(disk), Error(interrupted).
void write_memory_file(const GuestRam& ram, const std::filesystem::path& file);

}  // namespace vprov::hypervisor
