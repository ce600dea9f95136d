// .debs made on the spot, the malformed kinds too that dpkg-deb would refuse to make.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace vprov::unpack {

struct Member {
    std::string path;
    char kind = 'f';      // f file, d directory, l symbolic link, h hard link, c and b devices
    std::string content;  // or a link's target
    unsigned mode = 0644;
    std::int64_t uid = 0;
};

std::string make_tar(const std::vector<Member>& members);  // gzipped
std::string make_ar(const std::vector<std::pair<std::string, std::string>>& members);
// A whole package; `control_files` besides control.
std::string make_deb(const std::string& control, const std::vector<Member>& control_files,
                     const std::vector<Member>& data);

}  // namespace vprov::unpack
