#include "recipe/charset.h"
#include "recipe/forms.h"
#include "recipe/tables.h"
#include "recipe/values.h"

namespace vprov::recipe {
namespace {

// A string of octal digits: a bare 644 would be a decimal number.
unsigned mode_of(const Node& node) {
    constexpr const char* kWanted = "a mode is wanted as a string of octal digits, as in \"0644\"";
    if (node.kind != Node::Kind::string && node.place.override_number == Place::kFile)
        throw Refusal{kWanted};
    const auto& text = node.text;
    const auto is_octal = [](char c) { return c >= '0' && c <= '7'; };
    if (text.size() < 3 || text.size() > 5 || !std::all_of(text.begin(), text.end(), is_octal))
        throw Refusal{kWanted};
    const auto mode = static_cast<unsigned>(std::stoul(text, nullptr, 8));
    if (mode > 07777)
        throw Refusal{kWanted};
    return mode;
}

auto moment() {
    return choice(Choices<Moment>{{"essential", Moment::before_scripts}, {"customize", Moment::at_end}});
}

std::string content_of(const Node& node) {
    return string_of(node);  // any text, lines and all
}

std::string flaw_of_log_name(std::string_view name) {
    if (name.empty() || name.size() > 64 || !is_alphanumeric(name.front()) || !is_made_of(name, "._+-"))
        return "a name is 1 to 64 letters, digits, '.', '_', '+' or '-', and starts with a letter or digit";
    return {};
}

// The kernel's, or mounted over while scripts run: what is written there is not in the guest.
void refuse_unkept(const std::string& path, const Node& table, const char* title, Findings& findings) {
    static constexpr std::array<std::string_view, 5> kUnkept = {"/proc", "/sys", "/run", "/tmp", "/dev"};
    const auto* node = table.find("path");
    for (const auto place : kUnkept)
        if (node && (path == place || (path.starts_with(place) && path[place.size()] == '/')))
            findings.refuse(*node, fmt::format("{} path", title), fmt::format("nothing in {} is kept", place));
}

}  // namespace

std::string hook_name(const Hook& hook, std::size_t index) {
    return hook.name.value_or(fmt::format("hook{}", index + 1));
}

Keys<AddedFile> file_keys() {
    return {
        "[[file]]",
        {key("path", &AddedFile::path, word(flaw_of_guest_path)), key("content", &AddedFile::content, content_of),
         key("source", &AddedFile::source, word(flaw_of_file_name)), key("mode", &AddedFile::mode, mode_of),
         key("owner", &AddedFile::owner, word(flaw_of_account_or_number)),
         key("group", &AddedFile::group, word(flaw_of_account_or_number)), key("stage", &AddedFile::stage, moment())},
        {},
        {"path"},
        [](const AddedFile& file, const Node& table, Findings& findings) {
            if ((table.find("content") != nullptr) == (table.find("source") != nullptr))
                findings.add(table.place, "cannot use [[file]]: exactly one of content and source is wanted");
            refuse_unkept(file.path, table, "[[file]]", findings);
        }};
}

Keys<AddedDirectory> directory_keys() {
    return {
        "[[directory]]",
        {key("path", &AddedDirectory::path, word(flaw_of_guest_path)),
         key("source", &AddedDirectory::source, word(flaw_of_file_name)), key("mode", &AddedDirectory::mode, mode_of),
         key("owner", &AddedDirectory::owner, word(flaw_of_account_or_number)),
         key("group", &AddedDirectory::group, word(flaw_of_account_or_number))},
        {},
        {"path"},
        [](const AddedDirectory& directory, const Node& table, Findings& findings) {
            refuse_unkept(directory.path, table, "[[directory]]", findings);
        }};
}

Keys<Hook> hook_keys() {
    return {"[[hook]]",
            {key("name", &Hook::name, word(flaw_of_log_name)), key("stage", &Hook::stage, moment()),
             key("script", &Hook::script, content_of), key("file", &Hook::file, word(flaw_of_file_name))},
            {},
            {},
            [](const Hook&, const Node& table, Findings& findings) {
                if ((table.find("script") != nullptr) == (table.find("file") != nullptr))
                    findings.add(table.place, "cannot use [[hook]]: exactly one of script and file is wanted");
            }};
}

void check_hooks(const std::vector<Hook>& hooks, const Node* array, Findings& findings) {
    refuse_repeats(
        hooks, array, "[[hook]]", "name",
        [&](const Hook& hook) { return hook_name(hook, static_cast<std::size_t>(&hook - hooks.data())); }, findings);
}

void check_files(const std::vector<AddedFile>& files, const Node* array, Findings& findings) {
    refuse_repeats(
        files, array, "[[file]]", "path", [](const AddedFile& file) { return file.path; }, findings);
}

}  // namespace vprov::recipe
