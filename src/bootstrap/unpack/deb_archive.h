// A .deb file, deb(5): an ar archive of debian-binary, control.tar and data.tar. Reads one file; nothing in it is
// trusted.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "bootstrap/unpack/mapped_file.h"
#include "bootstrap/unpack/tar_reader.h"

namespace vprov::unpack {

// One member of control.tar: "postinst", "md5sums", ... (the name has no directory).
struct ControlFile {
    std::string name;
    unsigned mode = 0644;
    std::string content;
};

// Finds the members of an ar archive that make a .deb; throws Error(archive). Separate for tests and fuzzing.
struct DebMembers {
    std::string_view control, data;
};
DebMembers find_deb_members(std::string_view bytes);

// Maps the file; the views are good for its life. Throws Error(archive) "cannot read PATH: ..." for what is not a
// .deb of format 2.x.
class DebArchive {
  public:
    explicit DebArchive(std::filesystem::path path);
    const std::filesystem::path& path() const { return path_; }
    std::vector<ControlFile> control() const;       // at most 1000 files of 64 MiB in all
    TarReader data(const TarLimits& limits) const;  // before the first entry of data.tar; borrows from this
    std::string_view data_member() const { return members_.data; }  // as it is packed

  private:
    std::filesystem::path path_;
    MappedFile file_;
    DebMembers members_;  // still compressed
};

}  // namespace vprov::unpack
