#include "recipe/forms.h"
#include "recipe/tables.h"
#include "recipe/values.h"

namespace vprov::recipe {
namespace {

constexpr std::int64_t kLongestTimeout = 3600;

unsigned timeout_of(const Node& node) {
    const auto seconds = integer_of(node);
    if (seconds < 0 || seconds > kLongestTimeout)
        throw Refusal{fmt::format("0 to {} seconds are wanted", kLongestTimeout)};
    return static_cast<unsigned>(seconds);
}

void check_boot(const Boot& boot, const Node& table, Findings& findings) {
    const auto refuse = [&](std::string_view key, std::string_view cause) {
        if (const auto* node = table.find(key))
            findings.refuse(*node, fmt::format("[boot] {}", key), cause);
    };
    const auto method = boot_method(boot);
    if (boot.firmware && method != BootMethod::grub)
        refuse("firmware", "only method \"grub\" is started by a firmware");
    else if (boot.secure_boot && boot.firmware != Firmware::uefi)
        refuse("secure_boot", "it takes firmware = \"uefi\"");
    if (boot.timeout && method == BootMethod::direct)
        refuse("timeout", "method \"direct\" has no menu");
    if (boot.loader && method != BootMethod::pvgrub)
        refuse("loader", "it is for method \"pvgrub\"");
}

}  // namespace

BootMethod boot_method(const Boot& boot) {
    return boot.method.value_or(boot.firmware ? BootMethod::grub : BootMethod::direct);
}

Keys<Boot> boot_keys() {
    const Choices<BootMethod> methods = {
        {"direct", BootMethod::direct}, {"grub", BootMethod::grub}, {"pvgrub", BootMethod::pvgrub}};
    const Choices<Firmware> firmwares = {{"bios", Firmware::bios}, {"uefi", Firmware::uefi}};
    return {"[boot]",
            {key("method", &Boot::method, choice(methods)), key("firmware", &Boot::firmware, choice(firmwares)),
             key("secure_boot", &Boot::secure_boot, boolean_of), key("timeout", &Boot::timeout, timeout_of),
             key("grow", &Boot::grow, boolean_of), key("loader", &Boot::loader, word(flaw_of_file_name))},
            {},
            {},
            check_boot};
}

}  // namespace vprov::recipe
