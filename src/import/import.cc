#include "import/import.h"

#include "base/error.h"
#include "base/text.h"
#include "hypervisor/guest/libvirt_xml.h"
#include "recipe/recipe.h"

namespace vprov::imports {
namespace {

Imported of_domain(const hypervisor::ReadGuest& read, const std::filesystem::path& file) {
    auto imported = recipe_of_guest(read.guest, file.parent_path());
    imported.lost.insert(imported.lost.begin(), read.warnings.begin(), read.warnings.end());
    return imported;
}

}  // namespace

Source source_of(std::string_view text) {
    if (trimmed(text).starts_with('<'))
        return Source::libvirt;
    bool installs = false;
    for (const auto line : split(text, '\n')) {
        const auto equals = line.find('=');
        const auto key = equals == std::string_view::npos ? std::string_view() : trimmed(line.substr(0, equals));
        if (key == "name" || key == "disk" || key == "vif" || key == "builder" || key == "type")
            return Source::xl;
        for (const auto* setting : {"dist", "install-method", "size", "swap", "fs", "lvm", "dir"})
            installs = installs || key == setting;
    }
    return installs ? Source::xen_tools : Source::xl;
}

Imported import_text(std::string_view text, const std::filesystem::path& file, Source source, const std::string& name) {
    auto imported = [&] {
        switch (source) {
            case Source::xl:
                return of_domain(hypervisor::read_xl_cfg(text, file.native()), file);
            case Source::libvirt:
                return of_domain(hypervisor::read_libvirt_xml(text, file.native()), file);
            case Source::xen_tools:
                break;
        }
        return recipe_of_xen_tools(text, file.native(), name);
    }();
    try {
        recipe::parse(imported.recipe, "recipe");  // read back before anybody relies on it
    } catch (const Error& e) {
        throw error(ErrorKind::recipe, "cannot make a recipe of {}: a recipe cannot say all of it\n{}",
                    quote(file.native()), e.message());
    }
    return imported;
}

}  // namespace vprov::imports
