#include "hypervisor/template/template_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "os/interrupt.h"
#include "os/temp_dir.h"

namespace vprov::hypervisor {
namespace fs = std::filesystem;

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(TemplateCard, mac, slot)

namespace {

constexpr int kVersion = 1;
constexpr const char* kNotes = "template.json";

TemplateNotes read_notes(const fs::path& directory) {
    try {
        const auto json = nlohmann::json::parse(os::read_file(directory / kNotes, ErrorKind::hypervisor));
        if (const auto version = json.at("version").get<int>(); version != kVersion)
            throw error(ErrorKind::hypervisor, "its format has the version {}, and this vprov knows {}", version,
                        kVersion);
        return {json.at("cards").get<std::vector<TemplateCard>>(),
                json.at("host_keys").get<std::vector<std::string>>()};
    } catch (const nlohmann::json::exception&) {
        throw error(ErrorKind::hypervisor, "its {} is damaged", kNotes);
    }
}

void make_absolute(std::string& path, const fs::path& directory) {
    if (!path.empty() && path.front() != '/')
        path = (directory / path).native();
}

// Copies of a template are as good as it is, so another inode is no change.
void check_files(const SavedDomain& saved) {
    for (auto file : saved.files) {
        std::error_code missing;
        if (fs::is_regular_file(file.path, missing))
            file.inode = identify_file(file.path).inode;
        if (const auto change = change_since(file); !change.empty())
            throw error(ErrorKind::hypervisor, "{} has changed since it was made: {}", quote(file.path), change);
    }
}

// Of `data`, read at `offset`, the pages that are not zero.
void write_pages(const os::Fd& file, const std::vector<char>& data, std::size_t size, off_t offset) {
    constexpr std::size_t kPage = 4096;
    static constexpr std::array<char, kPage> kZeros{};
    const auto is_zero = [&](std::size_t at) {
        return std::equal(kZeros.begin(), kZeros.begin() + static_cast<std::ptrdiff_t>(std::min(kPage, size - at)),
                          data.begin() + static_cast<std::ptrdiff_t>(at));
    };
    for (std::size_t at = 0; at < size;) {
        std::size_t end = at;
        while (end < size && !is_zero(end)) end += kPage;
        if (end > at)
            os::write_at(file, {data.data() + at, std::min(end, size) - at}, static_cast<std::uint64_t>(offset) + at,
                         "the guest's memory");
        at = end + kPage;
    }
}

}  // namespace

void write_notes(const fs::path& directory, const TemplateNotes& notes) {
    const nlohmann::json json = {{"version", kVersion}, {"cards", notes.cards}, {"host_keys", notes.host_keys}};
    os::write_file(directory / kNotes, json.dump(1) + "\n", 0400);
}

OpenedTemplate open_template(const fs::path& given) {
    try {
        const auto directory = fs::absolute(given).lexically_normal();
        if (!fs::exists(directory / kNotes))
            throw Error(ErrorKind::hypervisor, "it is not a directory that 'vprov template' has made");
        auto notes = read_notes(directory);
        auto [saved, file] = open_save(directory / kTemplateState);
        auto& guest = saved.request.guest;
        make_absolute(guest.kernel, directory);
        make_absolute(guest.ramdisk, directory);
        for (auto& disk : guest.disks) make_absolute(disk.target, directory);
        for (auto& one : saved.files) make_absolute(one.path, directory);
        make_absolute(saved.request.template_memory, directory);
        if (notes.cards.size() != guest.interfaces.size())
            throw error(ErrorKind::hypervisor, "its {} is damaged", kNotes);
        check_files(saved);
        return {directory, std::move(saved), std::move(file), std::move(notes)};
    } catch (Error& e) {
        e.add_context(fmt::format("cannot use the template {}", quote(given.native())));
        throw;
    }
}

void write_memory_file(const GuestRam& ram, const fs::path& path) {
    constexpr std::size_t kPortion = 1 << 20;
    const auto file = os::open_file(path, O_RDWR | O_CREAT | O_EXCL, 0400);
    struct stat status {};
    if (::fstat(ram.fd().get(), &status) != 0 || ::ftruncate(file.get(), status.st_size) != 0)
        throw system_error(ErrorKind::disk, errno, "cannot write the guest's memory");
    std::vector<char> portion(kPortion);
    for (off_t at = ::lseek(ram.fd().get(), 0, SEEK_DATA); at >= 0 && at < status.st_size;
         at = ::lseek(ram.fd().get(), at, SEEK_DATA)) {
        os::check_stop();
        const auto got = ::pread(ram.fd().get(), portion.data(), portion.size(), at);
        if (got <= 0)
            throw system_error(ErrorKind::hypervisor, errno, "cannot read the guest's memory");
        write_pages(file, portion, static_cast<std::size_t>(got), at);
        at += got;
    }
}

}  // namespace vprov::hypervisor
