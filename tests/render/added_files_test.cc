#include "config-render/added_files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "os/temp_dir.h"
#include "os/tree_files.h"
#include "render/sample_plan.h"

namespace vprov::render {
namespace {
namespace fs = std::filesystem;

class AddedFiles : public testing::Test {
  protected:
    void SetUp() override {
        if (::geteuid() != 0)
            GTEST_SKIP() << "giving files away needs root";
        fs::create_directories(tree / "etc");
        fs::create_directories(tree / "usr/lib");
        fs::create_symlink("usr/lib", tree / "lib");
        os::write_file(tree / "etc/passwd", "root:x:0:0:root:/root:/bin/bash\njoe:x:1000:1001::/home/joe:/bin/sh\n");
        os::write_file(tree / "etc/group", "root:x:0:\nadm:x:4:\n");
        plan.recipe.file = work.path() / "g1.toml";
    }

    recipe::AddedFile file(std::string path, std::string content) {
        recipe::AddedFile made;
        made.path = std::move(path);
        made.content = std::move(content);
        return made;
    }

    std::string message() {
        try {
            write_added(root(), plan, recipe::Moment::at_end);
        } catch (const Error& e) {
            return e.message();
        }
        return "(no error)";
    }

    os::RootDir root() const { return os::RootDir(tree); }

    // "PATH MODE UID:GID CONTENT" a line, but for what is in /etc.
    std::string listing() const {
        std::vector<std::string> lines;
        for (const auto& entry : fs::recursive_directory_iterator(tree)) {
            const auto status = os::status_of(entry.path());
            const auto content = S_ISREG(status.st_mode)   ? os::read_file(entry.path())
                                 : S_ISLNK(status.st_mode) ? "-> " + fs::read_symlink(entry.path()).native()
                                                           : "";
            lines.push_back(fmt::format("{} {:o} {}:{} {}", entry.path().lexically_relative(tree).native(),
                                        status.st_mode, status.st_uid, status.st_gid, content));
        }
        std::erase_if(lines, [](const std::string& line) { return line.starts_with("etc"); });
        std::ranges::sort(lines);
        return joined(lines, "\n");
    }

    os::TempDir work{fs::temp_directory_path(), "vprov-test-"};
    fs::path tree = work.path() / "root";
    plan::Plan plan = sample_plan();
};

TEST_F(AddedFiles, HaveTheOwnerAndModeOfTheRecipe) {
    auto plain = file("/srv/a/plain", "text\n");
    auto given = file("/srv/given", "");
    given.owner = "joe";
    given.mode = 04711;
    auto numbers = file("/srv/numbers", "n");
    numbers.owner = "7";
    numbers.group = "adm";
    auto copied = file("/srv/tool", "");
    copied.content.reset();
    copied.source = "tool";
    os::write_file(work.path() / "tool", "#!/bin/sh\n", 0750);
    plan.recipe.files = {plain, given, numbers, copied, file("/srv/early", "")};
    plan.recipe.files.back().stage = recipe::Moment::before_scripts;
    EXPECT_EQ(message(), "(no error)");
    EXPECT_EQ(listing(),
              "lib 120777 0:0 -> usr/lib\n"
              "srv 40755 0:0 \n"
              "srv/a 40755 0:0 \n"
              "srv/a/plain 100644 0:0 text\n\n"
              "srv/given 104711 1000:1001 \n"
              "srv/numbers 100644 7:4 n\n"
              "srv/tool 100755 0:0 #!/bin/sh\n\n"
              "usr 40755 0:0 \n"
              "usr/lib 40755 0:0 ");
    write_added(root(), plan, recipe::Moment::before_scripts);
    EXPECT_TRUE(root().exists("/srv/early"));
    EXPECT_EQ(added_before_scripts(plan),
              (std::vector<std::string>{"/srv/early added 644 root: "
                                        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}));
}

TEST_F(AddedFiles, ADirectoryIsCopiedAsItIsAndThroughLinksOfTheTree) {
    fs::create_directories(work.path() / "files/lib/deep");
    os::write_file(work.path() / "files/lib/deep/secret", "s", 0600);
    fs::create_symlink("deep/secret", work.path() / "files/lib/link");
    ::chmod((work.path() / "files/lib/deep").c_str(), 0700);
    ::chmod((tree / "usr/lib").c_str(), 0750);
    recipe::AddedDirectory copied;
    copied.path = "/srv";
    copied.source = "files";
    copied.owner = "joe";
    recipe::AddedDirectory over;
    over.path = "/lib";
    over.source = "files/lib";
    recipe::AddedDirectory empty;
    empty.path = "/data";
    empty.mode = 01777;
    plan.recipe.directories = {copied, over, empty};
    EXPECT_EQ(message(), "(no error)");
    EXPECT_EQ(listing(),
              "data 41777 0:0 \n"
              "lib 120777 0:0 -> usr/lib\n"
              "srv 40755 1000:1001 \n"
              "srv/lib 40755 1000:1001 \n"
              "srv/lib/deep 40700 1000:1001 \n"
              "srv/lib/deep/secret 100600 1000:1001 s\n"
              "srv/lib/link 120777 1000:1001 -> deep/secret\n"
              "usr 40755 0:0 \n"
              "usr/lib 40750 0:0 \n"
              "usr/lib/deep 40700 0:0 \n"
              "usr/lib/deep/secret 100600 0:0 s\n"
              "usr/lib/link 120777 0:0 -> deep/secret");
}

TEST_F(AddedFiles, NoLinkLeadsOutOfTheTree) {
    fs::create_directory(work.path() / "outside");
    fs::create_symlink(work.path() / "outside", tree / "srv");
    fs::create_symlink(work.path() / "outside/target", tree / "link");
    plan.recipe.files = {file("/link", "new\n"), file("/srv/file", "x")};
    message();
    EXPECT_TRUE(fs::is_empty(work.path() / "outside"));
    EXPECT_EQ(root().read("/link"), "new\n");
    EXPECT_FALSE(fs::is_symlink(tree / "link"));
}

TEST_F(AddedFiles, WhatCannotBeIsTold) {
    plan.recipe.files = {file("/etc", "")};
    EXPECT_EQ(message(), "cannot write '/etc' as a file: the guest has a directory there");
    plan.recipe.files = {file("/a", "")};
    plan.recipe.files[0].owner = "www-data";
    EXPECT_EQ(message(), "cannot give '/a' to user 'www-data': the guest has no such user");
    plan.recipe.files[0].owner = "joe";
    plan.recipe.files[0].group = "www-data";
    EXPECT_EQ(message(), "cannot give '/a' to group 'www-data': the guest has no such group");
    plan.recipe.files.clear();
    fs::create_directory(work.path() / "files");
    ASSERT_EQ(::mkfifo((work.path() / "files/pipe").c_str(), 0600), 0);
    recipe::AddedDirectory copied;
    copied.path = "/srv";
    copied.source = "files";
    plan.recipe.directories = {copied};
    EXPECT_EQ(message(), fmt::format("cannot copy '{}/files/pipe': it is neither a file, a directory nor a link",
                                     work.path().native()));
    plan.recipe.directories[0].path = "/etc/passwd";
    EXPECT_EQ(message(), "cannot make the directory '/etc/passwd': the guest has something else there");
}

}  // namespace
}  // namespace vprov::render
