#include "bootstrap/unpack/deb_archive.h"

#include <archive_entry.h>

#include <algorithm>
#include <charconv>
#include <climits>

#include "base/error.h"
#include "base/text.h"

namespace vprov::unpack {
namespace {

// dpkg writes and reads a dozen; packages bring a few more of their own.
constexpr TarLimits kControlLimits{.members = 1000, .content = std::uint64_t{64} << 20};

struct ArMember {
    std::string_view name, content;
};

// The first member of `rest`, which is left at the second. ar(5): a header of 60 bytes of text, content, and a newline
// where that makes the length even.
ArMember take_member(std::string_view& rest) {
    constexpr std::size_t kHeaderSize = 60;
    const auto header = rest.substr(0, kHeaderSize);
    if (header.size() < kHeaderSize)
        throw error(ErrorKind::archive, "it ends in the middle of an ar header");
    const auto digits = trimmed(header.substr(48, 10));
    std::uint64_t size = 0;
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), size);
    if (header.substr(58, 2) != "`\n" || failure != std::errc{} || end != digits.data() + digits.size())
        throw error(ErrorKind::archive, "a damaged ar header");
    auto name = trimmed(header.substr(0, 16));
    if (name.ends_with('/'))
        name.remove_suffix(1);
    rest.remove_prefix(kHeaderSize);
    if (size > rest.size())
        throw error(ErrorKind::archive, "it ends in the middle of member {}", quote(name));
    const auto content = rest.substr(0, static_cast<std::size_t>(size));
    rest.remove_prefix(std::min<std::size_t>(rest.size(), content.size() + (content.size() & 1)));
    return {name, content};
}

std::vector<ControlFile> read_control(std::string_view member) {
    TarReader reader(member, kControlLimits);
    std::vector<ControlFile> files;
    while (auto* header = reader.next()) {
        if (archive_entry_filetype(header) != AE_IFREG || archive_entry_hardlink(header)) {
            reader.expect_no_content();
            continue;
        }
        std::string_view name = archive_entry_pathname(header);
        while (name.starts_with("./")) name.remove_prefix(2);
        if (name.empty() || name.size() > NAME_MAX || name == "." || name == ".." ||
            name.find_first_of("/\n") != std::string_view::npos)
            throw error(ErrorKind::archive, "a member is called {}", shown(name));
        ControlFile file{std::string(name), archive_entry_perm(header) & 0777, {}};
        while (const auto block = reader.content()) file.content += *block;
        files.push_back(std::move(file));
    }
    return files;
}

}  // namespace

// As dpkg-deb reads it (deb(5)): debian-binary, control.tar, data.tar in this order; members of other names may stand
// between them when they begin with "_", and after them whatever they are called.
DebMembers find_deb_members(std::string_view bytes) {
    constexpr std::string_view kMagic = "!<arch>\n";
    if (!bytes.starts_with(kMagic))
        throw error(ErrorKind::archive, "not an ar archive");
    auto rest = bytes.substr(kMagic.size());
    const auto version = take_member(rest);
    if (version.name != "debian-binary" || !version.content.starts_with("2."))
        throw error(ErrorKind::archive, "it does not start with debian-binary 2.x");
    DebMembers members;
    while (!rest.empty()) {
        const auto member = take_member(rest);
        if (member.name.starts_with("control.tar") && members.control.empty() && members.data.empty())
            members.control = member.content;
        else if (member.name.starts_with("data.tar") && members.data.empty() && !members.control.empty())
            members.data = member.content;
        else if (members.data.empty() && !member.name.starts_with('_'))
            throw error(ErrorKind::archive, "its member {} is out of place", quote(member.name));
    }
    if (members.control.empty() || members.data.empty())
        throw error(ErrorKind::archive, "it has no {}", members.control.empty() ? "control.tar" : "data.tar");
    return members;
}

DebArchive::DebArchive(std::filesystem::path path) : path_(std::move(path)), file_(path_) {
    try {
        members_ = find_deb_members(file_.bytes());
    } catch (Error& e) {
        e.add_context("cannot read " + quote(path_.native()));
        throw;
    }
}

std::vector<ControlFile> DebArchive::control() const {
    try {
        return read_control(members_.control);
    } catch (Error& e) {
        e.add_context("its control.tar is damaged");
        throw;
    }
}

TarReader DebArchive::data(const TarLimits& limits) const {
    return {members_.data, limits};
}

}  // namespace vprov::unpack
