#include "bootstrap/archive/last_seen.h"

#include <charconv>

#include "base/text.h"
#include "bootstrap/archive/url.h"
#include "os/temp_dir.h"

namespace vprov::archive {

LastSeen::LastSeen(const Cache& cache, std::string_view uri, std::string_view suite)
    : path_(cache.directory() / "seen" /
            sha256(fmt::format("{} {}", without_trailing_slashes(uri), suite)).hex().substr(0, 32)) {}

std::optional<std::int64_t> LastSeen::date() const {
    std::error_code none;
    if (!std::filesystem::exists(path_, none))
        return std::nullopt;
    const auto content = os::read_file(path_);
    const auto text = trimmed(content);
    std::int64_t date = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), date);
    if (problem != std::errc() || end != text.data() + text.size())
        throw error(ErrorKind::archive, "cannot read {}: it does not hold a date", quote(path_.native()));
    return date;
}

void LastSeen::remember(std::int64_t date) const {
    const os::FileLock lock(path_.parent_path() / ".lock", os::FileLock::Mode::exclusive);
    const auto known = this->date();
    if (!known || *known < date)
        os::write_file(path_, fmt::format("{}\n", date));
}

}  // namespace vprov::archive
