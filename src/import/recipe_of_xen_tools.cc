#include <algorithm>
#include <array>
#include <map>

#include "base/error.h"
#include "base/text.h"
#include "hypervisor/guest/cfg_values.h"
#include "import/import.h"
#include "import/toml_text.h"

namespace vprov::imports {
namespace {

// Settings that say how xen-create-image works, and change nothing in a guest of vprov's.
constexpr auto kWorkings = std::to_array<std::string_view>(
    {"cache", "cachedir", "genpass", "genpass_len", "hash_method", "output", "extension", "verbose", "force", "keep",
     "nohosts", "template", "roledir", "partitionsdir", "randommac", "cleanup"});

struct Setting {
    int line = 0;
    std::string value;
};

// "key = value # comment", a line each: the form of xen-tools.conf.
class XenToolsImport {
  public:
    XenToolsImport(std::string_view text, std::string_view file) : file_(file) {
        int number = 0;
        for (auto line : split(text, '\n')) {
            ++number;
            line = trimmed(line.substr(0, line.find('#')));
            if (line.empty())
                continue;
            const auto equals = line.find('=');
            if (equals == std::string_view::npos)
                throw error(ErrorKind::hypervisor,
                            "{}:{}: cannot read the settings of xen-tools: {} is no 'KEY = VALUE'", file_, number,
                            quote(line));
            settings_[std::string(trimmed(line.substr(0, equals)))] = {number,
                                                                       std::string(trimmed(line.substr(equals + 1)))};
        }
    }

    Imported run(const std::string& name) {
        take("hostname");
        out_.string("name", name);
        write_system();
        write_kernel();
        write_identity();
        write_disks(name);
        write_network();
        write_domain();
        for (const auto& [key, setting] : settings_)
            if (std::find(kWorkings.begin(), kWorkings.end(), key) == kWorkings.end())
                lose(key, setting.value, reason(key));
        return {out_.take(), std::move(lost_)};
    }

  private:
    // What is left when all are taken is what could not be carried over.
    std::string take(const std::string& key) {
        const auto place = settings_.find(key);
        if (place == settings_.end())
            return {};
        auto value = std::move(place->second.value);
        line_ = place->second.line;
        settings_.erase(place);
        return value;
    }
    bool is_set(const std::string& key) {
        const auto value = take(key);
        return !value.empty() && value != "0";
    }
    void lose(std::string_view key, std::string_view value, std::string_view why) {
        lost_.push_back(fmt::format("'{} = {}': {}", key, value, why));
    }
    [[noreturn]] void fail(std::string_view key, std::string_view value, std::string_view cause) const {
        throw error(ErrorKind::hypervisor, "{}:{}: cannot use {} as {}: {}", file_, line_, quote(value), quote(key),
                    cause);
    }

    static std::string_view reason(std::string_view key) {
        constexpr std::array<std::pair<std::string_view, std::string_view>, 20> kReasons = {
            {{"dir", "where guests go is said while building: vprov build --output DIR"},
             {"install-method", "packages come from the archive"},
             {"install-source", "packages come from the archive"},
             {"copy-cmd", "packages come from the archive"},
             {"tar-cmd", "packages come from the archive"},
             {"rpmstrap-cmd", "packages come from the archive"},
             {"rinse-cmd", "packages come from the archive"},
             {"debootstrap-cmd", "vprov installs by itself"},
             {"apt_proxy", "set the environment variable http_proxy"},
             {"passwd", "nothing is asked for while building; root's password is made up"},
             {"accounts", "no account of the host is copied; [[identity.user]] makes some"},
             {"copyhosts", "nothing of the host is copied"},
             {"boot", "vprov build --launch starts the guest"},
             {"zpool", "disks are images, or devices that are named"},
             {"evms", "disks are images, or devices that are named"},
             {"role", "[[hook]] of a recipe runs scripts in the guest"},
             {"partitions", "a [[disk]] for each is wanted"},
             {"image-dev", "a [[disk]] with device = is wanted"},
             {"swap-dev", "a [[disk]] with device = is wanted"},
             {"broadcast", "it follows from the address"}}};
        for (const auto& [known, why] : kReasons)
            if (known == key)
                return why;
        return "a recipe has no key for it";
    }

    // "4G", "4Gb", "256M", "512k": a size of a recipe. MiB where there is no unit.
    std::string size(const std::string& key, const std::string& text) {
        const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
        auto unit = std::string_view(text).substr(digits);
        if (unit.ends_with('b') || unit.ends_with('B'))
            unit.remove_suffix(1);
        constexpr std::string_view kUnits = "kKmMgGtT";
        if (digits == 0 || unit.size() > 1 || (unit.size() == 1 && kUnits.find(unit[0]) == std::string_view::npos))
            fail(key, text, "a size is wanted, as in 4G or 256M");
        const char letter = unit.empty() ? 'M' : unit[0] == 'k' ? 'K' : static_cast<char>(unit[0] & ~0x20);
        return fmt::format("{}{}", text.substr(0, digits), letter);
    }
    void write_size(std::string_view name, const std::string& key) {
        if (const auto text = take(key); !text.empty())
            out_.string(name, size(key, text));
    }
    // A value that a shell would have to make is none.
    std::string literal(const std::string& key) {
        auto value = take(key);
        if (value.find('`') == std::string::npos)
            return value;
        lose(key, value, "the outcome of a command is not known here");
        return {};
    }

    void write_system() {
        out_.table("[system]");
        const auto suite = literal("dist");
        constexpr auto kUbuntu =
            std::to_array<std::string_view>({"trusty", "xenial", "bionic", "focal", "jammy", "noble"});
        if (std::find(kUbuntu.begin(), kUbuntu.end(), suite) != kUbuntu.end())
            out_.string("distribution", "ubuntu");
        out_.string("suite", suite);
        if (const auto arch = take("arch"); !arch.empty())
            out_.string("arch", arch == "x86_64" ? "amd64" : arch);
        out_.string("mirror", literal("mirror"));
        if (const auto method = take("install-method");
            !method.empty() && method != "debootstrap" && method != "cdebootstrap")
            lose("install-method", method, reason("install-method"));
        out_.list("include", {"openssh-server"});  // which a role of xen-tools' installs in every guest
    }

    void write_kernel() {
        const auto kernel = literal("kernel");
        const auto initrd = literal("initrd");
        if (is_set("pygrub"))
            lost_.emplace_back(
                "'pygrub': the hypervisor loads the guest's own kernel, which a build leaves beside the image");
        else if (!kernel.empty()) {
            out_.table("[system.kernel]");
            out_.string("path", kernel);
            out_.string("initrd", initrd);
        }
        modules_note_ = !kernel.empty();
    }

    void write_identity() {
        out_.table("[identity]");
        out_.key("root_password", "{ random = true }");
    }

    void write_disks(const std::string& name) {
        const auto group = take("lvm");
        const auto filesystem = take("fs");
        auto device = take("disk_device");
        if (device.starts_with("/dev/"))
            device = device.substr(5);
        if (device.empty())
            device = "xvda";
        out_.table("[[disk]]");
        if (!group.empty())
            out_.string("device", fmt::format("/dev/{}/{}-disk", group, name));
        const auto root_size = take("size");
        out_.string("size", root_size.empty() ? "4G" : size("size", root_size));
        const auto kind = filesystem.empty() ? std::string("ext4") : filesystem;
        constexpr auto kKinds = std::to_array<std::string_view>({"ext2", "ext3", "ext4", "xfs", "btrfs"});
        const bool is_known = std::find(kKinds.begin(), kKinds.end(), kind) != kKinds.end();
        if (!is_known)
            lose("fs", kind, "ext4 is taken");
        out_.string("filesystem", is_known ? kind : "ext4");
        out_.string("mount", "/");
        out_.string("options", take(kind + "_options"));
        for (const auto* other : {"ext2", "ext3", "ext4", "xfs", "btrfs", "reiserfs"})
            take(fmt::format("{}_options", other));
        out_.string("guest", device + "2");
        if (const auto image = take("image"); image == "full")
            lose("image", image, "images are sparse");
        write_swap(group, name, device);
    }

    void write_swap(const std::string& group, const std::string& name, const std::string& device) {
        const auto swap = take("swap");
        if (is_set("noswap"))
            return;
        out_.table("[[disk]]");
        if (!group.empty())
            out_.string("device", fmt::format("/dev/{}/{}-swap", group, name));
        out_.string("size", swap.empty() ? "128M" : size("swap", swap));
        out_.string("filesystem", "swap");
        out_.string("guest", device + "1");
    }

    // "255.255.255.0" as 24; 0 for what is no netmask.
    static unsigned prefix_of(std::string_view netmask) {
        unsigned bits = 0, parts = 0;
        bool ended = false;
        for (const auto part : split(netmask, '.')) {
            const auto value = hypervisor::parse_number(part);
            if (!value || *value > 255 || (ended && *value != 0))
                return 0;
            ++parts;
            for (int bit = 7; bit >= 0; --bit) {
                const bool is_one = (*value >> bit & 1) != 0;
                if (is_one && ended)
                    return 0;
                bits += is_one ? 1 : 0;
                ended = ended || !is_one;
            }
        }
        return parts == 4 ? bits : 0;
    }

    void write_network() {
        out_.table("[[network]]");
        const auto bridge = take("bridge"), mac = take("mac"), address = take("ip"), netmask = take("netmask"),
                   gateway = take("gateway"), nameserver = take("nameserver");
        take("broadcast");
        out_.string("bridge", bridge);
        out_.string("mac", mac);
        const bool dhcp = is_set("dhcp");
        if (address.empty() || dhcp) {
            out_.string("address", "dhcp");
            if (!dhcp && !gateway.empty())
                lose("gateway", gateway,
                     fmt::format("there is no address; give one, as in address = \"ADDRESS/{}\", and it",
                                 netmask.empty() ? 24 : prefix_of(netmask)));
        } else {
            const auto prefix = netmask.empty() ? 24 : prefix_of(netmask);
            if (prefix == 0)
                fail("netmask", netmask, "a netmask is wanted, as in 255.255.255.0");
            out_.string("address", fmt::format("{}/{}", address, prefix));
            out_.string("gateway", gateway);
        }
        std::vector<std::string> servers;
        for (const auto word : split_words(nameserver)) servers.emplace_back(word);
        out_.list("dns", servers);
    }

    void write_domain() {
        out_.table("[domain]");
        out_.string("type", "pv");
        write_size("memory", "memory");
        write_size("maxmem", "maxmem");
        if (const auto vcpus = take("vcpus"); !vcpus.empty()) {
            const auto number = hypervisor::parse_number(vcpus);
            if (!number)
                fail("vcpus", vcpus, "a number is wanted");
            out_.number("vcpus", *number);
        } else {
            out_.number("vcpus", 1);
        }
        if (const auto console = take("serial_device"); !console.empty() && console != "hvc0")
            out_.string("extra", "ro console=" + console);
        if (modules_note_)
            lost_.emplace_back(
                "'kernel': its modules are not in the guest; without [system.kernel] the guest has a kernel of "
                "its own, with them");
    }

    std::string file_;
    std::map<std::string, Setting> settings_;
    int line_ = 1;
    bool modules_note_ = false;
    TomlText out_;
    std::vector<std::string> lost_;
};

}  // namespace

Imported recipe_of_xen_tools(std::string_view text, std::string_view file, const std::string& name) {
    return XenToolsImport(text, file).run(name);
}

}  // namespace vprov::imports
