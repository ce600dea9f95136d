// unpack_tool ROOT ARCHITECTURE DEB...: stages the packages and merges them into ROOT in this order, for
// unpack_test.py. Prints the message of what fails and ends with 1.
#include <fmt/format.h>

#include <deque>

#include "base/error.h"
#include "bootstrap/deb/stanza.h"
#include "bootstrap/unpack/dpkg_database.h"
#include "bootstrap/unpack/tree_merger.h"
#include "os/temp_dir.h"

namespace {

using namespace vprov;

// The fields that unpacking looks at; views borrow from `control`.
deb::Package package_of(std::string_view control) {
    const auto stanza = deb::read_single_stanza(control);
    deb::Package package;
    package.name = stanza.value("Package");
    package.version = stanza.value("Version");
    package.architecture = stanza.value("Architecture");
    package.multi_arch = stanza.value("Multi-Arch");
    package.replaces = stanza.value("Replaces");
    package.conflicts = stanza.value("Conflicts");
    package.provides = stanza.value("Provides");
    return package;
}

void unpack_all(const std::filesystem::path& root_path, const std::string& architecture, int count, char** debs) {
    const os::RootDir root(root_path);
    const os::TempDir work(root_path.parent_path(), "stage-");
    unpack::DpkgDatabase database(root, architecture);
    unpack::TreeMerger merger(root, database);
    std::deque<std::string> controls;
    std::deque<deb::Package> packages;
    for (int i = 0; i < count; ++i) {
        for (const auto& file : unpack::DebArchive(debs[i]).control())
            if (file.name == "control")
                controls.push_back(file.content);
        packages.push_back(package_of(controls.back()));
        merger.merge(unpack::stage_package(packages.back(), debs[i], work.path() / std::to_string(i), {}));
    }
    database.flush();
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        fmt::print(stderr, "usage: unpack_tool ROOT ARCHITECTURE DEB...\n");
        return 2;
    }
    try {
        unpack_all(argv[1], argv[2], argc - 3, argv + 3);
    } catch (const Error& e) {
        fmt::print("{}\n", e.message());
        return 1;
    }
    return 0;
}
