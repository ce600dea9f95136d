// What a build will publish, written on what it makes outside of its own directory: a later build sees by it whether
// the earlier one has come to its end.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace vprov::partition {

// The directory that is renamed to `output` when all is done; it keeps its inode then.
struct Publication {
    std::filesystem::path output;
    ino_t inode = 0;
    bool operator==(const Publication&) const = default;

    // Of the directory while it has another name. Throws Error(disk).
    static Publication of(const std::filesystem::path& unpublished, const std::filesystem::path& output);

    // Letters that an LVM tag may have: "vprov.unfinished:12345:/srv/out/debian1".
    std::string text() const;
    static std::optional<Publication> parse(std::string_view text);  // nullopt for any other text

    bool has_happened() const;
};

}  // namespace vprov::partition
