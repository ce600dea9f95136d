#include "bootstrap/pack/apt_tarball.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "os/temp_dir.h"
#include "pack/read_tar.h"

namespace vprov::pack {
namespace {
namespace fs = std::filesystem;

struct Member {
    std::string path;
    unsigned kind = AE_IFREG;
};

void write_members(const fs::path& path, const std::vector<Member>& members) {
    const std::unique_ptr<archive, int (*)(archive*)> writer(::archive_write_new(), ::archive_write_free);
    ::archive_write_add_filter_gzip(writer.get());
    ::archive_write_set_format_ustar(writer.get());
    ::archive_write_open_filename(writer.get(), path.c_str());
    for (const auto& member : members) {
        const std::unique_ptr<archive_entry, void (*)(archive_entry*)> entry(::archive_entry_new(),
                                                                             ::archive_entry_free);
        ::archive_entry_set_pathname(entry.get(), member.path.c_str());
        ::archive_entry_set_filetype(entry.get(), member.kind);
        ::archive_entry_set_perm(entry.get(), 0644);
        if (member.kind == AE_IFLNK)
            ::archive_entry_set_symlink(entry.get(), "/etc/passwd");
        else
            ::archive_entry_set_size(entry.get(), static_cast<la_int64_t>(member.path.size()));
        ::archive_write_header(writer.get(), entry.get());
        if (member.kind == AE_IFREG)
            ::archive_write_data(writer.get(), member.path.data(), member.path.size());
    }
    ::archive_write_close(writer.get());
}

class AptTarball : public testing::Test {
  protected:
    std::string extracted(const std::vector<Member>& members) {
        write_members(work_.path() / "t.tgz", members);
        extract_apt_tarball(work_.path() / "t.tgz", work_.path() / "out");
        std::vector<std::string> paths;
        for (const auto& entry : fs::recursive_directory_iterator(work_.path()))
            if (!entry.is_directory())
                paths.push_back(entry.path().lexically_relative(work_.path()).native());
        std::ranges::sort(paths);
        std::string text;
        for (const auto& path : paths) text += path + "\n";
        return text;
    }
    os::TempDir work_{fs::temp_directory_path(), "vprov-test-"};
};

TEST_F(AptTarball, WhatDebootstrapPutsThere) {
    EXPECT_EQ(extracted({{"var/lib/apt/lists/h_debian_dists_sid_InRelease"},
                         {"./var/cache/apt/archives/apt_2.6.1_amd64.deb"},
                         {"debootstrap/required"},
                         {"debootstrap/debootstrap"}}),
              "out/archives/apt_2.6.1_amd64.deb\n"
              "out/debootstrap/debootstrap\n"
              "out/debootstrap/required\n"
              "out/lists/h_debian_dists_sid_InRelease\n"
              "t.tgz\n");
}

TEST_F(AptTarball, NothingElseAndNothingOutside) {
    EXPECT_EQ(extracted({{"debootstrap/required"},
                         {"../evil"},
                         {"/etc/evil"},
                         {"debootstrap/../../evil"},
                         {"var/lib/apt/lists/partial/half"},
                         {"debootstrap/link", AE_IFLNK},
                         {"var/cache/apt/archives/.."},
                         {"usr/bin/sh"}}),
              "out/debootstrap/required\n"
              "t.tgz\n");
}

TEST_F(AptTarball, ATarOfSomethingElseIsRefused) {
    try {
        extracted({{"usr/bin/sh"}});
        FAIL();
    } catch (const Error& e) {
        EXPECT_EQ(
            e.message(),
            fmt::format("cannot use '{}/t.tgz': it holds no packages; debootstrap --make-tarball makes such files",
                        work_.path().native()));
    }
}

}  // namespace
}  // namespace vprov::pack
