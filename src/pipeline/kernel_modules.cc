#include "pipeline/kernel_modules.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "bootstrap/archive/decompress.h"

namespace vprov::pipeline {
namespace {

// "virtio_blk" for "kernel/drivers/block/virtio-blk.ko.xz".
std::string module_name(std::string_view path) {
    auto name = path.substr(path.rfind('/') + 1);
    name = name.substr(0, name.find(".ko"));
    std::string text(name);
    std::ranges::replace(text, '-', '_');
    return text;
}

// Without what packs it: "virtio_blk.ko".
std::string file_name(const std::string& path) {
    const auto name = path.substr(path.rfind('/') + 1);
    return name.substr(0, name.find(".ko") + 3);
}

}  // namespace

KernelModules::KernelModules(const os::RootDir& root, std::string version)
    : root_(root), directory_("/lib/modules/" + std::move(version) + "/") {
    read_dependencies();
    read_aliases();
    read_wishes();
    const auto builtin = root_.read_if_exists(directory_ + "modules.builtin").value_or("");
    for (const auto path : split(builtin, '\n')) builtin_.insert(module_name(path));
}

void KernelModules::read_dependencies() {
    const auto text = root_.read(directory_ + "modules.dep");
    for (const auto line : split(text, '\n')) {
        const auto colon = line.find(':');
        if (colon == std::string_view::npos)
            continue;
        Module module;
        module.path = line.substr(0, colon);
        for (const auto needed : split_words(line.substr(colon + 1))) module.needs.push_back(module_name(needed));
        modules_.emplace(module_name(module.path), std::move(module));
    }
}

void KernelModules::read_aliases() {
    const auto text = root_.read_if_exists(directory_ + "modules.alias").value_or("");
    for (const auto line : split(text, '\n')) {
        const auto words = split_words(line);
        if (words.size() != 3 || words[0] != "alias")
            continue;
        const auto found = modules_.find(module_name(words[2]));
        if (found == modules_.end())
            continue;
        found->second.aliases.emplace_back(words[1]);
        if (words[1].find_first_of("*?[") == std::string_view::npos)
            by_alias_[std::string(words[1])].push_back(found->first);
    }
}

void KernelModules::read_wishes() {
    const auto text = root_.read_if_exists(directory_ + "modules.softdep").value_or("");
    for (const auto line : split(text, '\n')) {
        const auto words = split_words(line);
        if (words.size() < 3 || words[0] != "softdep")
            continue;
        const auto found = modules_.find(module_name(words[1]));
        bool before = false;
        for (std::size_t i = 2; i < words.size() && found != modules_.end(); ++i) {
            if (words[i].ends_with(':'))
                before = words[i] == "pre:";
            else if (before)
                found->second.wishes.emplace_back(words[i]);
        }
    }
}

// Modules by their own name, or the algorithm "crc32c" by an alias: of several that know it the one without special
// instructions, for the others are loaded when something uses it; none when that one is built in.
std::vector<std::string> KernelModules::that_are(const std::string& wish) const {
    const auto name = module_name(wish);
    if (has(name))
        return {name};
    if (builtin_.contains(name + "_generic"))
        return {};
    const auto found = by_alias_.find(wish);
    if (found == by_alias_.end())
        return {};
    const auto generic = std::ranges::find_if(found->second, [](const auto& one) { return one.ends_with("_generic"); });
    return generic == found->second.end() ? found->second : std::vector<std::string>{*generic};
}

void KernelModules::collect(const std::string& name, std::set<std::string>& begun,
                            std::vector<std::string>& files) const {
    const auto found = modules_.find(name);
    if (found == modules_.end() || !begun.insert(name).second)
        return;
    const auto& module = found->second;
    for (const auto& wish : module.wishes)
        for (const auto& wished : that_are(wish)) collect(wished, begun, files);
    for (auto needed = module.needs.rbegin(); needed != module.needs.rend(); ++needed) collect(*needed, begun, files);
    files.push_back(file_name(module.path));
}

std::vector<std::string> KernelModules::files_for(const std::string& name) const {
    std::set<std::string> begun;
    std::vector<std::string> files;
    collect(name, begun, files);
    return files;
}

const std::vector<std::string>& KernelModules::aliases_of(const std::string& name) const {
    static const std::vector<std::string> kNone;
    const auto found = modules_.find(name);
    return found == modules_.end() ? kNone : found->second.aliases;
}

std::string KernelModules::contents(const std::string& file) const {
    constexpr Bytes kExpected = 1_MiB, kLimit = 64_MiB;
    const auto& path = modules_.at(module_name(file)).path;
    const auto bytes = root_.read(directory_ + path);
    if (path.ends_with(".ko"))
        return bytes;
    try {
        return archive::decompressed(bytes, path, kExpected, kLimit);
    } catch (const Error& e) {
        throw error(ErrorKind::disk, "cannot unpack {} in the guest's tree: {}", quote(directory_ + path), e.message());
    }
}

}  // namespace vprov::pipeline
