#include "hypervisor/save/save_file.h"

#include <endian.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/digest.h"
#include "base/error.h"
#include "base/text.h"

namespace vprov::hypervisor {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(FileIdentity, path, size, modified, inode)

namespace {

constexpr std::uint32_t kVersion = 1;
constexpr std::uint64_t kAlignment = 4096;
constexpr std::size_t kMostJson = 1 << 20;

struct Header {
    std::array<char, 16> magic{};
    std::uint32_t version = 0, json_size = 0;
    std::uint64_t stream_offset = 0, stream_size = 0;
    std::array<std::uint8_t, 32> json_sha256{};
};
static_assert(sizeof(Header) == 72);

constexpr std::array<char, 16> kMagic = {'v', 'p', 'r', 'o', 'v', ' ', 's', 'a', 'v', 'e', 'd', ' ', 'V', 'M', '\n', 0};

std::string json_of(const SavedDomain& saved) {
    const nlohmann::json object = {{"request", nlohmann::json::parse(to_json(saved.request))},
                                   {"qemu", saved.qemu},
                                   {"machine", saved.machine},
                                   {"engine", saved.engine},
                                   {"saved", saved.saved},
                                   {"files", saved.files}};
    return object.dump(1, ' ', false, nlohmann::json::error_handler_t::replace);
}

SavedDomain from_json(std::string_view text) {
    const auto object = nlohmann::json::parse(text);
    return {request_from_json(object.at("request").dump()), object.at("qemu").get<std::string>(),
            object.at("machine").get<std::string>(),        object.at("engine").get<std::string>(),
            object.at("saved").get<std::int64_t>(),         object.at("files").get<std::vector<FileIdentity>>()};
}

std::uint64_t size_of(const os::Fd& file) {
    struct stat status {};
    if (::fstat(file.get(), &status) != 0)
        throw system_error(ErrorKind::hypervisor, errno, "cannot measure the file");
    return static_cast<std::uint64_t>(status.st_size);
}

bool read_at(const os::Fd& file, void* to, std::size_t size, std::uint64_t offset) {
    return ::pread(file.get(), to, size, static_cast<off_t>(offset)) == static_cast<ssize_t>(size);
}

// The JSON text; throws Error(hypervisor) with a cause that follows "cannot restore from 'FILE': ".
std::string checked_json(const os::Fd& file) {
    Header header;
    if (!read_at(file, &header, sizeof header, 0) || header.magic != kMagic)
        throw error(ErrorKind::hypervisor, "it is not a domain that 'vprov save' has written");
    if (const auto version = le32toh(header.version); version != kVersion)
        throw error(ErrorKind::hypervisor, "its format has the version {}, and this vprov knows {}", version, kVersion);
    const auto offset = le64toh(header.stream_offset), size = le64toh(header.stream_size);
    const std::size_t json_size = le32toh(header.json_size);
    if (json_size > kMostJson || sizeof header + json_size > offset)
        throw error(ErrorKind::hypervisor, "its header is damaged");
    std::string json(json_size, '\0');
    if (!read_at(file, json.data(), json.size(), sizeof header) || sha256(json).bytes != header.json_sha256)
        throw error(ErrorKind::hypervisor, "its header is damaged");
    if (const auto found = size_of(file); found != offset + size)
        throw error(ErrorKind::hypervisor, "it is not complete: it has {} bytes and should have {}", found,
                    offset + size);
    ::lseek(file.get(), static_cast<off_t>(offset), SEEK_SET);
    return json;
}

}  // namespace

std::uint64_t stream_offset(const LaunchRequest& request, std::size_t files) {
    constexpr std::size_t kOtherMembers = 4096, kNumbers = 256, kLongestPath = 4096;
    const auto most = to_json(request).size() * 2 + kOtherMembers + files * (kNumbers + kLongestPath);
    return (most + kAlignment - 1) / kAlignment * kAlignment;
}

void write_header(const os::Fd& file, std::uint64_t offset, const SavedDomain& saved) {
    const auto json = json_of(saved);
    const auto size = size_of(file);
    if (sizeof(Header) + json.size() > offset || size <= offset)
        throw error(ErrorKind::internal, "cannot write the header of a saved domain: {} bytes do not fit", json.size());
    Header header;
    header.magic = kMagic;
    header.version = htole32(kVersion);
    header.json_size = htole32(static_cast<std::uint32_t>(json.size()));
    header.stream_offset = htole64(offset);
    header.stream_size = htole64(size - offset);
    header.json_sha256 = sha256(json).bytes;
    std::string text(reinterpret_cast<const char*>(&header), sizeof header);
    text += json;
    os::write_at(file, text, 0, "the header", ErrorKind::hypervisor);
}

OpenedSave open_save(const std::filesystem::path& path) {
    try {
        auto file = os::open_file(path, O_RDONLY, 0, ErrorKind::hypervisor);
        auto saved = from_json(checked_json(file));
        return {std::move(saved), std::move(file)};
    } catch (const nlohmann::json::exception&) {
        throw error(ErrorKind::hypervisor, "cannot restore from {}: its header is damaged", quote(path.native()));
    } catch (Error& e) {
        e.add_context(fmt::format("cannot restore from {}", quote(path.native())));
        throw;
    }
}

}  // namespace vprov::hypervisor
