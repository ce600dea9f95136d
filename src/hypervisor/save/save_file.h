// The file of a saved domain: what it was started with and what it needs, then QEMU's migration stream.
//
//   offset 0   16 bytes  "vprov saved VM\n\0"
//         16   u32       version of this format: 1
//         20   u32       size of the JSON text in bytes
//         24   u64       offset of the stream, a multiple of 4096
//         32   u64       size of the stream in bytes; the file ends with it
//         40   32 bytes  SHA-256 of the JSON text
//         72             the JSON text, then zeros up to the stream
//
// Numbers are little-endian. The JSON object has "request" (LaunchRequest as in request.json, VNC password included:
// the file is its owner's alone), "qemu" ("7.2.22"), "machine" ("pc-i440fx-7.2"), "engine" ("kvm" or "tcg"), "saved"
// (seconds since 1970) and "files" (FileIdentity each). The stream is docs/devel/migration.rst of QEMU. The header is
// written when the stream is complete: without it a file is not a saved domain.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "hypervisor/launch/domain_record.h"
#include "hypervisor/save/file_identity.h"
#include "os/fd.h"

namespace vprov::hypervisor {

struct SavedDomain {
    LaunchRequest request;
    std::string qemu, machine, engine;
    std::int64_t saved = 0;
    std::vector<FileIdentity> files;  // disks and what they are overlays of, by use
    bool operator==(const SavedDomain&) const = default;
};

// A multiple of 4096 with room for the JSON of a domain with so many files.
std::uint64_t stream_offset(const LaunchRequest& request, std::size_t files);

// Writes the header in front of a stream that goes from `offset` to the file's end. Throws Error(hypervisor), also when
// there is no room for it.
void write_header(const os::Fd& file, std::uint64_t offset, const SavedDomain& saved);

struct OpenedSave {
    SavedDomain saved;
    os::Fd file;  // stands at the stream
};

// Throws Error(hypervisor) "cannot restore from 'FILE': CAUSE" for a file that is not a saved domain, is of a later
// version, is damaged or is not complete.
OpenedSave open_save(const std::filesystem::path& path);

}  // namespace vprov::hypervisor
