#include "bootstrap/unpack/conffiles.h"

#include "base/error.h"
#include "base/text.h"

namespace vprov::unpack {

std::vector<Conffile> read_conffiles(std::string_view text) {
    constexpr std::string_view kFlag = "remove-on-upgrade";
    std::vector<Conffile> conffiles;
    for (const auto raw : split(text, '\n')) {
        auto line = trimmed(raw);
        if (line.empty())
            continue;
        Conffile conffile;
        if (line.starts_with(kFlag) && line.size() > kFlag.size() && line[kFlag.size()] == ' ') {
            conffile.remove_on_upgrade = true;
            line = trimmed(line.substr(kFlag.size()));
        }
        if (!line.starts_with('/'))
            throw error(ErrorKind::archive, "its conffiles has a line {}", quote(raw.substr(0, 100)));
        conffile.path = line;
        conffiles.push_back(conffile);
    }
    return conffiles;
}

}  // namespace vprov::unpack
