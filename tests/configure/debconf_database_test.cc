#include "bootstrap/configure/debconf_database.h"

#include <gtest/gtest.h>

#include "os/command.h"
#include "os/temp_dir.h"

namespace vprov::configure {
namespace {
namespace fs = std::filesystem;

constexpr const char* kLines =
    "tzdata tzdata/Areas select Europe\n"
    "locales locales/locales_to_be_generated multiselect de_DE.UTF-8 UTF-8, en_US.UTF-8 UTF-8\n"
    "db db/root password  s3 cret\\nx\n"
    "a shared/q boolean true\n"
    "b shared/q boolean false\n"
    "a a/empty string\n"
    "a a/text text   lead \n"
    "tzdata tzdata/Areas seen false\n"
    "a a/unknown seen true\n"
    "b a/Upper string \xc3\xa4\n";

std::string content(const fs::path& path) {
    return fs::exists(path) ? os::read_file(path) : "";
}

TEST(DebconfDatabase, IsWhatDebconfSetSelectionsLeaves) {
    if (!os::program_exists("debconf-set-selections"))
        GTEST_SKIP() << "debconf-set-selections is not installed";
    const os::TempDir work(fs::temp_directory_path(), "vprov-test-");
    const auto place = work.path().native();
    os::write_file(
        work.path() / "rc",
        fmt::format("Config: configdb\nTemplates: templatedb\n\n"
                    "Name: config\nDriver: File\nMode: 644\nReject-Type: password\nFilename: {0}/config.dat\n\n"
                    "Name: passwords\nDriver: File\nMode: 600\nBackup: false\nRequired: false\nAccept-Type: password\n"
                    "Filename: {0}/passwords.dat\n\n"
                    "Name: configdb\nDriver: Stack\nStack: config, passwords\n\n"
                    "Name: templatedb\nDriver: File\nMode: 644\nFilename: {0}/templates.dat\n",
                    place));
    os::Command command;
    command.argv = {"debconf-set-selections"};
    command.environment = os::clean_environment();
    command.environment["DEBCONF_SYSTEMRC"] = place + "/rc";
    command.input = kLines;
    os::SystemCommandRunner runner;
    const auto result = runner.run(command);
    EXPECT_EQ(result.errors, "error: Cannot find a question for a/unknown\n");
    const auto database = debconf_database(deb::read_debconf_answers(kLines, "lines"));
    EXPECT_EQ(database.config, content(work.path() / "config.dat"));
    EXPECT_EQ(database.passwords, content(work.path() / "passwords.dat"));
    EXPECT_EQ(database.templates, content(work.path() / "templates.dat"));
    EXPECT_NE(database.passwords.find("s3 cret"), std::string::npos);
}

TEST(DebconfDatabase, IsNothingForNothing) {
    const auto database = debconf_database({});
    EXPECT_EQ(database.config + database.passwords + database.templates, "");
}

}  // namespace
}  // namespace vprov::configure
