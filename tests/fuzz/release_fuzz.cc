#include "base/error.h"
#include "bootstrap/archive/release_file.h"
#include "fuzz/expect.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace vprov;
    archive::Repository repository;
    repository.uri = "http://mirror.example.org/debian";
    repository.suite = "bookworm";
    repository.components = {"main", "contrib"};
    constexpr std::int64_t kToday = 1'700'000'000;
    try {
        const auto release = archive::parse_release({reinterpret_cast<const char*>(data), size});
        if (release.date_seconds)
            EXPECT_THAT(!archive::date_text(*release.date_seconds).empty());
        archive::check_usable(release, repository, "amd64", kToday);
        for (const auto& file : archive::packages_files(release, repository, "amd64")) {
            EXPECT_THAT(release.files.contains(file.path));
            EXPECT_THAT(file.fetched.size <= archive::kLargestPackagesFile);
            EXPECT_THAT(file.by_hash_path().ends_with(file.fetched.digest.hex()));
        }
    } catch (const Error& e) {
        EXPECT_THAT(e.kind() == ErrorKind::archive && !e.message().empty());
    }
    return 0;
}
