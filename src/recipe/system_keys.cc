#include <fmt/format.h>

#include "bootstrap/deb/debconf_answer.h"
#include "bootstrap/deb/package_wish.h"
#include "recipe/forms.h"
#include "recipe/tables.h"
#include "recipe/values.h"

namespace vprov::recipe {
namespace {

std::string flaw_of_kernel_package(std::string_view package) {
    return package.empty() ? "" : flaw_of_package(package);
}

std::string flaw_of_deb(std::string_view file) {
    if (auto flaw = flaw_of_file_name(file); !flaw.empty())
        return flaw;
    return file.ends_with(".deb") ? "" : "the file of a package is wanted, NAME.deb";
}

// What stands in a line may be a password by mistake: it is never repeated in a message.
Key<System> debconf_key() {
    return {"debconf",
            [](System& system, const Node& node, const std::string& what, Findings& findings) {
                if (node.kind != Node::Kind::array)
                    return findings.add(node.place, fmt::format("cannot use this as {}: a list is wanted, as in "
                                                                "[\"tzdata tzdata/Areas select Europe\"]",
                                                                what));
                system.debconf.clear();
                for (const auto& item : node.items) {
                    auto flaw = item.kind == Node::Kind::string ? deb::flaw_of_debconf_answer(item.text)
                                                                : "a string is wanted, in double quotes";
                    if (flaw.empty() && deb::read_debconf_answer(item.text)->type == "password")
                        flaw = "a recipe is no place for a password; put the line into a file of debconf_files";
                    if (flaw.empty())
                        system.debconf.push_back(item.text);
                    else
                        findings.add(item.place, fmt::format("cannot use this as {}: {}", what, flaw));
                }
            },
            {}};
}

Keys<Repository> repository_keys() {
    Keys<Repository> keys{
        "[[system.repository]]",
        {key("uri", &Repository::uri, word(flaw_of_uri)), key("suite", &Repository::suite, word(flaw_of_suite)),
         list("components", &Repository::components, word(flaw_of_component), EmptyList::refused),
         key("signed_by", &Repository::signed_by, word(flaw_of_file_name)),
         key("trusted", &Repository::trusted, boolean_of),
         key("check_valid_until", &Repository::check_valid_until, boolean_of),
         key("allow_weak_digests", &Repository::allow_weak_digests, boolean_of),
         list("architectures", &Repository::architectures, word(flaw_of_architecture), EmptyList::refused)},
        {},
        {"uri", "suite"},
        {}};
    keys.check = [](const Repository& repository, const Node& table, Findings& findings) {
        if (repository.trusted && repository.signed_by)
            findings.add(table.place_of("trusted"),
                         "cannot use [[system.repository]] trusted together with signed_by: a trusted repository is "
                         "not verified");
    };
    return keys;
}

Keys<Kernel> kernel_keys() {
    Keys<Kernel> keys{
        "[system.kernel]",
        {key("package", &Kernel::package, word(flaw_of_kernel_package)),
         key("cmdline", &Kernel::cmdline, word(flaw_of_line)), key("path", &Kernel::path, word(flaw_of_file_name)),
         key("initrd", &Kernel::initrd, word(flaw_of_file_name))},
        {},
        {},
        {}};
    keys.check = [](const Kernel&, const Node& table, Findings& findings) {
        if (table.find("initrd") && !table.find("path"))
            findings.add(table.place_of("initrd"),
                         "cannot use [system.kernel] initrd without path: it belongs to a kernel of the host");
    };
    return keys;
}

void check_system(const System& system, const Node& table, Findings& findings) {
    if (!system.sources.empty())
        for (const auto* other : {"mirror", "security_mirror", "components", "updates", "security"})
            if (table.find(other))
                findings.add(table.place_of(other),
                             fmt::format("cannot use [system] {} together with sources: they say all of that", other));
    if (const auto* foreign = table.find("foreign_architectures"))
        for (const auto& item : foreign->items)
            if (system.arch && item.text == *system.arch)
                findings.refuse(item, "[system] foreign_architectures", "it is the guest's own");
    const auto* exclude = table.find("exclude");
    if (!exclude)
        return;
    for (const auto& item : exclude->items)
        if (std::any_of(system.include.begin(), system.include.end(), [&](const std::string& wish) {
                return !deb::read_package_wish(wish).removal && deb::read_package_wish(wish).name == item.text;
            }))
            findings.refuse(item, "[system] exclude", "it is in [system] include as well");
}

}  // namespace

Keys<System> system_keys() {
    const Choices<std::string> distributions = {{"debian", "debian"}, {"ubuntu", "ubuntu"}, {"none", "none"}};
    const Choices<Variant> variants = {{"essential", Variant::essential},
                                       {"minbase", Variant::minbase},
                                       {"buildd", Variant::buildd},
                                       {"standard", Variant::standard}};
    const Choices<MountBy> names = {{"uuid", MountBy::uuid},
                                    {"label", MountBy::label},
                                    {"partuuid", MountBy::partuuid},
                                    {"device", MountBy::device}};
    const Choices<BootSpeed> speeds = {{"ordinary", BootSpeed::ordinary}, {"fast", BootSpeed::fast}};
    return {"[system]",
            {key("distribution", &System::distribution, choice(distributions)),
             key("suite", &System::suite, word(flaw_of_suite)),
             key("arch", &System::arch, word(flaw_of_architecture)),
             list("foreign_architectures", &System::foreign_architectures, word(flaw_of_architecture)),
             key("variant", &System::variant, choice(variants)),
             key("mirror", &System::mirror, word(flaw_of_uri)),
             key("security_mirror", &System::security_mirror, word(flaw_of_uri)),
             list("components", &System::components, word(flaw_of_component), EmptyList::refused),
             list("sources", &System::sources, word(flaw_of_file_name)),
             list("include", &System::include, word(deb::flaw_of_package_wish)),
             list("exclude", &System::exclude, word(flaw_of_package)),
             key("recommends", &System::recommends, boolean_of),
             key("updates", &System::updates, boolean_of),
             key("security", &System::security, boolean_of),
             key("scripts_network", &System::scripts_network, boolean_of),
             key("check_valid_until", &System::check_valid_until, boolean_of),
             key("allow_weak_digests", &System::allow_weak_digests, boolean_of),
             key("keyring", &System::keyring, word(flaw_of_file_name)),
             list("debs", &System::debs, word(flaw_of_deb)),
             debconf_key(),
             list("debconf_files", &System::debconf_files, word(flaw_of_file_name)),
             key("ca_certificates", &System::ca_certificates, word(flaw_of_file_name)),
             key("fstab", &System::fstab, choice(names)),
             key("boot", &System::boot, choice(speeds)),
             key("agent", &System::agent, boolean_of),
             table("kernel", &System::kernel, kernel_keys()),
             tables("repository", &System::repositories, repository_keys())},
            {},
            {},
            check_system};
}

}  // namespace vprov::recipe
