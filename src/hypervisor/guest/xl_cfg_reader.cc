#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <optional>

#include "base/error.h"
#include "base/text.h"
#include "hypervisor/guest/cfg_keys.h"
#include "hypervisor/guest/cfg_text.h"
#include "hypervisor/guest/device_spec.h"
#include "hypervisor/guest/guest.h"

namespace vprov::hypervisor {
namespace {

// Decimal, octal after 0, hexadecimal after 0x, as strtol(3) with base 0.
std::optional<std::uint64_t> parse_number(std::string_view text) {
    int base = 10;
    if (text.starts_with("0x")) {
        base = 16;
        text.remove_prefix(2);
    } else if (text.size() > 1 && text.starts_with('0')) {
        base = 8;
    }
    std::uint64_t number = 0;
    const auto* const end = text.data() + text.size();
    const auto [stop, failure] = std::from_chars(text.data(), end, number, base);
    if (text.empty() || failure != std::errc{} || stop != end || number > INT64_MAX)
        return std::nullopt;
    return number;
}

class Reader {
  public:
    Reader(std::string_view text, std::string_view file) : file_(file), entries_(parse_cfg_text(text, file)) {}

    ReadGuest run() {
        read_identity();
        read_boot();
        read_size();
        read_actions();
        read_devices();
        warn_of_unknown_keys();
        return std::move(result_);
    }

  private:
    [[noreturn]] void fail(int line, const std::string& cause) const {
        throw error(ErrorKind::hypervisor, "{}:{}: {}", file_, line, cause);
    }
    void warn(int line, const std::string& text) {
        result_.warnings.push_back(fmt::format("{}:{}: {}", file_, line, text));
    }

    const CfgEntry* find(const std::string& key) const {
        const auto place = entries_.find(key);
        return place == entries_.end() ? nullptr : &place->second;
    }

    std::string string(const std::string& key) const {
        const auto* entry = find(key);
        if (!entry)
            return {};
        if (!entry->value.text())
            fail(entry->line, fmt::format("cannot use {}: it is a list, and a string is needed", quote(key)));
        return *entry->value.text();
    }

    std::uint64_t number(const std::string& key, std::uint64_t if_absent, std::uint64_t least,
                         std::uint64_t most) const {
        const auto* entry = find(key);
        if (!entry)
            return if_absent;
        const auto* text = entry->value.text();
        const auto value = text ? parse_number(*text) : std::nullopt;
        if (!value)
            fail(entry->line,
                 fmt::format("cannot use {}: {} is not a number", quote(key), text ? quote(*text) : "a list"));
        if (*value < least || *value > most)
            fail(entry->line,
                 fmt::format("cannot use {}: {} is not between {} and {}", quote(key), *value, least, most));
        return *value;
    }

    bool flag(const std::string& key) const { return number(key, 0, 0, INT64_MAX) != 0; }

    void read_identity() {
        Guest& guest = result_.guest;
        const auto* entry = find("name");
        guest.name = string("name");
        if (guest.name.empty())
            fail(entry ? entry->line : 1, "cannot read the domain: it has no name (name=\"...\")");
        if (!is_valid_guest_name(guest.name))
            fail(entry->line, fmt::format("cannot use the name {}: letters, digits and . _ + - only, at most 63, "
                                          "a letter or digit first",
                                          quote(guest.name)));
        guest.uuid = string("uuid");
        if (!guest.uuid.empty() && !is_uuid(guest.uuid))
            fail(find("uuid")->line,
                 fmt::format("cannot use 'uuid': {} is not 8-4-4-4-12 hex digits", quote(guest.uuid)));
    }

    static bool is_uuid(std::string_view text) {
        constexpr std::string_view kPattern = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
        return text.size() == kPattern.size() &&
               std::equal(text.begin(), text.end(), kPattern.begin(), [](char c, char shape) {
                   return shape == '-' ? c == '-' : std::isxdigit(static_cast<unsigned char>(c)) != 0;
               });
    }

    void read_type() {
        GuestType& type = result_.guest.type;
        if (const auto text = string("type"); text == "pv" || text == "pvh" || text == "hvm")
            type = text == "pv" ? GuestType::pv : text == "pvh" ? GuestType::pvh : GuestType::hvm;
        else if (!text.empty())
            fail(find("type")->line, fmt::format("cannot use 'type': {} is none of pv, pvh, hvm", quote(text)));
        else if (const auto builder = string("builder"); builder == "hvm")
            type = GuestType::hvm;
        else if (!builder.empty() && builder != "generic")
            fail(find("builder")->line, fmt::format("cannot use 'builder': {} is neither 'hvm' nor 'generic'; "
                                                    "write type=\"pv\", \"pvh\" or \"hvm\"",
                                                    quote(builder)));
        else if (flag("pvh"))
            type = GuestType::pvh;
    }

    void read_boot() {
        Guest& guest = result_.guest;
        read_type();
        guest.kernel = string("kernel");
        guest.ramdisk = string("ramdisk");
        const auto root = string("root");
        const auto extra = string("extra");
        guest.cmdline = string("cmdline");
        if (!guest.cmdline.empty() && (!root.empty() || !extra.empty()))
            warn(find(root.empty() ? "extra" : "root")->line, "'root' and 'extra' do not count: 'cmdline' is given");
        else if (!root.empty())
            guest.cmdline = extra.empty() ? "root=" + root : fmt::format("root={} {}", root, extra);
        else if (guest.cmdline.empty())
            guest.cmdline = extra;
        guest.boot = string("boot");
        if (guest.boot.find_first_not_of("abcdn") != std::string::npos)
            fail(find("boot")->line,
                 fmt::format("cannot use 'boot': {} has other letters than a, c, d, n", quote(guest.boot)));
        if (const auto* entry = find("bootloader"); entry && guest.kernel.empty())
            warn(entry->line, "'bootloader' is not understood: give kernel= and ramdisk=");
    }

    void read_size() {
        constexpr std::uint64_t kMostMemory = 16ULL << 20;
        constexpr std::uint64_t kMostVcpus = 4096;
        Guest& guest = result_.guest;
        guest.maxmem_mib = number("maxmem", 0, 1, kMostMemory);
        guest.memory_mib = number("memory", guest.maxmem_mib ? guest.maxmem_mib : guest.memory_mib, 1, kMostMemory);
        if (guest.maxmem_mib != 0 && guest.maxmem_mib < guest.memory_mib)
            fail(find("maxmem")->line, fmt::format("cannot use 'maxmem': {} is less than the memory of {}",
                                                   guest.maxmem_mib, guest.memory_mib));
        guest.vcpus = static_cast<unsigned>(number("vcpus", 1, 1, kMostVcpus));
        guest.maxvcpus = static_cast<unsigned>(number("maxvcpus", 0, 1, kMostVcpus));
        if (guest.maxvcpus != 0 && guest.maxvcpus < guest.vcpus)
            fail(find("maxvcpus")->line,
                 fmt::format("cannot use 'maxvcpus': {} is less than the {} of 'vcpus'", guest.maxvcpus, guest.vcpus));
    }

    void read_action(const std::string& key, LifecycleAction& action) {
        const auto text = string(key);
        if (text.empty())
            return;
        const auto* const place = std::find_if(kActionNames.begin(), kActionNames.end(),
                                               [&](const auto& known) { return known.first == text; });
        if (place == kActionNames.end())
            fail(find(key)->line,
                 fmt::format("cannot use {}: {} is none of destroy, restart, rename-restart, preserve, "
                             "coredump-destroy, coredump-restart",
                             quote(key), quote(text)));
        action = place->second;
    }

    void read_actions() {
        read_action("on_poweroff", result_.guest.on_poweroff);
        read_action("on_reboot", result_.guest.on_reboot);
        read_action("on_crash", result_.guest.on_crash);
    }

    // Calls `use` with each string of the list under `key`, adding its place to an error.
    template <class Use>
    void for_each_item(const std::string& key, Use use) {
        const auto* entry = find(key);
        if (!entry)
            return;
        const auto* list = entry->value.list();
        if (!list)
            fail(entry->line,
                 fmt::format("cannot use {}: it is a string, and a list is needed: {} = [ \"...\" ]", quote(key), key));
        for (const auto& item : *list) {
            if (!item.text())
                fail(item.line, fmt::format("cannot use {}: a list stands in it where a string is needed", quote(key)));
            try {
                use(*item.text(), item.line);
            } catch (Error& e) {
                e.add_context(fmt::format("{}:{}", file_, item.line));
                throw;
            }
        }
    }

    void read_devices() {
        Guest& guest = result_.guest;
        for_each_item("disk", [&](const std::string& spec, int line) {
            auto read = parse_disk_spec(spec);
            if (!read.script.empty())
                warn(line, fmt::format("the disk script {} is not run", quote(read.script)));
            guest.disks.push_back(std::move(read.disk));
        });
        for_each_item("vif", [&](const std::string& spec, int) { guest.interfaces.push_back(parse_vif_spec(spec)); });
        guest.vnc = flag("vnc");
        guest.vnclisten = string("vnclisten");
        for_each_item("vfb", [&](const std::string& spec, int) {
            for (const auto& [key, value] : split_pairs(spec)) {
                if ((key == "vnc" && value != "0") || (key == "type" && value == "vnc"))
                    guest.vnc = true;
                if (key == "vnclisten" && guest.vnclisten.empty())
                    guest.vnclisten = value;
            }
        });
    }

    void warn_of_unknown_keys() {
        std::vector<std::pair<int, std::string>> unknown;
        for (const auto& [key, entry] : entries_) {
            const auto used = used_cfg_keys();
            if (std::find(used.begin(), used.end(), key) == used.end() && !is_ignored_cfg_key(key) &&
                key != "bootloader")
                unknown.emplace_back(entry.line, key);
        }
        std::sort(unknown.begin(), unknown.end());
        for (const auto& [line, key] : unknown) {
            const auto near = nearest(key, used_cfg_keys());
            warn(line, fmt::format("{} is not understood{}", quote(key),
                                   near.empty() ? "" : fmt::format(" (did you mean {}?)", quote(near))));
        }
    }

    std::string file_;
    std::map<std::string, CfgEntry> entries_;
    ReadGuest result_;
};

}  // namespace

ReadGuest read_xl_cfg(std::string_view text, std::string_view file) {
    return Reader(text, file).run();
}

}  // namespace vprov::hypervisor
