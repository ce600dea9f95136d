// Whole packages: the input's first byte says whether the rest is control.tar ('C') or data.tar (any other), and the
// package is staged and merged into a tree. Whatever it holds, nothing beside the tree may change.
#include <fmt/format.h>

#include <cstring>
#include <filesystem>
#include <map>
#include <string>

#include "base/error.h"
#include "bootstrap/unpack/dpkg_database.h"
#include "bootstrap/unpack/staging.h"
#include "bootstrap/unpack/tree_merger.h"
#include "fuzz/expect.h"
#include "os/temp_dir.h"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace {

using namespace vprov;
namespace fs = std::filesystem;

constexpr std::size_t kBlock = 512;

void put_octal(char* field, std::size_t digits, unsigned value) {
    field[digits] = '\0';
    for (; digits > 0; value >>= 3) field[--digits] = static_cast<char>('0' + (value & 7));
}

// ustar (POSIX.1-1988): a checksum of the header's bytes, its own counted as blanks.
void seal(char* header) {
    std::memset(header + 148, ' ', 8);
    unsigned sum = 0;
    for (std::size_t i = 0; i < kBlock; ++i) sum += static_cast<unsigned char>(header[i]);
    put_octal(header + 148, 6, sum);
}

std::string one_file_tar(std::string_view name, std::string_view content) {
    std::string tar(kBlock, '\0');
    std::memcpy(tar.data(), name.data(), name.size());
    put_octal(tar.data() + 100, 7, 0644);
    put_octal(tar.data() + 124, 11, static_cast<unsigned>(content.size()));
    tar[156] = '0';
    std::memcpy(tar.data() + 257,
                "ustar\0"
                "00",
                8);
    seal(tar.data());
    tar += content;
    tar.resize((tar.size() + kBlock - 1) / kBlock * kBlock + 2 * kBlock);
    return tar;
}

std::string deb_of(std::string_view control, std::string_view data) {
    std::string deb = "!<arch>\n";
    const auto add = [&](std::string_view name, std::string_view content) {
        deb += fmt::format("{:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", name, 0, 0, 0, 100644, content.size());
        deb += content;
        if (content.size() & 1)
            deb += '\n';
    };
    add("debian-binary", "2.0\n");
    add("control.tar", control);
    add("data.tar", data);
    return deb;
}

// What is beside the tree: names, kinds and contents.
std::map<std::string, std::string> surroundings(const fs::path& place) {
    std::map<std::string, std::string> found;
    for (const auto& entry : fs::directory_iterator(place))
        found[entry.path().filename()] = entry.is_regular_file() ? os::read_file(entry.path()) : "";
    return found;
}

void unpack_into(const fs::path& place) {
    deb::Package package;
    package.name = "a";
    package.version = "1";
    package.architecture = "all";
    const auto staged = unpack::stage_package(package, place / "a.deb", place / "stage", {});
    const os::RootDir root(place / "root");
    unpack::DpkgDatabase database(root, "amd64");
    unpack::TreeMerger(root, database).merge(staged);
    database.flush();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    static const std::string control = one_file_tar("control", "Package: a\nVersion: 1\nArchitecture: all\n");
    static const std::string data = one_file_tar("etc/f", "content\n");
    static const os::TempDir work(fs::is_directory("/dev/shm") ? "/dev/shm" : fs::temp_directory_path(), "vprov-fuzz-");
    if (size == 0)
        return -1;
    const std::string_view input(reinterpret_cast<const char*>(bytes) + 1, size - 1);
    const auto place = work.path() / "place";
    fs::create_directories(place / "root");
    os::write_file(place / "a.deb", bytes[0] == 'C' ? deb_of(input, data) : deb_of(control, input));
    os::write_file(place / "shadow", "root:*\n");
    const auto before = surroundings(place);
    try {
        unpack_into(place);
    } catch (const Error& e) {
        EXPECT_THAT(!e.message().empty());
    }
    os::remove_tree(place / "stage");
    EXPECT_THAT(surroundings(place) == before);
    os::remove_tree(place);
    return 0;
}

// Headers keep a good checksum, or hardly any input would get beyond it.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned /*seed*/) {
    size = LLVMFuzzerMutate(data, size, max_size);
    for (std::size_t at = 1; at + kBlock <= size; at += kBlock)
        if (std::memcmp(data + at + 257, "ustar", 5) == 0)
            seal(reinterpret_cast<char*>(data + at));
    return size;
}
