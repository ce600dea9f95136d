#include <array>
#include <optional>

#include "base/error.h"
#include "base/text.h"
#include "hypervisor/guest/device_spec.h"
#include "hypervisor/guest/enum_names.h"

namespace vprov::hypervisor {
namespace {

constexpr std::array<std::string_view, 11> kFlags = {"cdrom",         "direct-io-safe", "discard",     "no-discard",
                                                     "colo",          "no-colo",        "trusted",     "untrusted",
                                                     "grant_usage=1", "grant_usage=0",  "devtype=disk"};

bool is_flag(std::string_view word) {
    for (const auto flag : kFlags)
        if (word == flag)
            return true;
    return word == "devtype=cdrom";
}

bool is_key(std::string_view key) {
    constexpr std::array<std::string_view, 12> kKeys = {"format",        "access",      "backend",     "backendtype",
                                                        "specification", "vdev",        "script",      "colo-host",
                                                        "colo-port",     "colo-export", "active-disk", "hidden-disk"};
    for (const auto known : kKeys)
        if (key == known)
            return true;
    return false;
}

bool is_plain_prefix(std::string_view word) {
    constexpr std::array<std::string_view, 7> kPrefixes = {"tapdisk", "tap", "tap2", "aio", "ioemu", "file", "phy"};
    for (const auto known : kPrefixes)
        if (word == known)
            return true;
    return false;
}

// Reads one specification from left to right, as xl does: a parameter ends at a comma, target= takes all that is left.
class DiskReader {
  public:
    explicit DiskReader(std::string_view spec) : spec_(spec), rest_(spec) {}

    GuestDisk run() {
        while (!rest_.empty() && !seen_target_key_) {
            rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\n"), rest_.size()));
            if (!rest_.empty() && !take_prefix())
                take_parameter();
        }
        finish();
        return std::move(result_);
    }

  private:
    [[noreturn]] void fail(const std::string& cause) const {
        throw error(ErrorKind::hypervisor, "cannot read the disk {}: {}", quote(spec_), cause);
    }

    // "phy:", "file:", "tap:aio:" and the like, which may stand one behind the other. An unknown word before a colon is
    // a prefix too, unless a letter or digit follows: "hdc:cdrom" is a device with its type.
    bool take_prefix() {
        const auto end = rest_.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789");
        if (end == std::string_view::npos || end == 0 || rest_[end] != ':' || rest_[0] < 'a')
            return false;
        const auto prefix = rest_.substr(0, end);
        const char after = end + 1 < rest_.size() ? rest_[end + 1] : '/';
        if (prefix == "raw" || prefix == "qcow" || prefix == "qcow2" || prefix == "vhd")
            set_format(prefix);
        else if (prefix == "iscsi" || prefix == "nbd" || prefix == "enbd" || prefix == "drbd")
            result_.script = fmt::format("block-{}", prefix);
        else if (!is_plain_prefix(prefix)) {
            if ((after >= 'a' && after <= 'z') || (after >= '0' && after <= '9'))
                return false;
            fail(fmt::format("the prefix {} is not known", quote(prefix)));
        }
        had_prefix_ = true;
        rest_.remove_prefix(end + 1);
        return true;
    }

    void take_parameter() {
        if (rest_.starts_with("target=")) {
            seen_target_key_ = true;
            auto target = rest_.substr(7);
            if (target.ends_with(','))
                target.remove_suffix(1);
            set_once(target_, target, "target");
            return;
        }
        const auto comma = rest_.find(',');
        const auto word = rest_.substr(0, comma);
        rest_.remove_prefix(comma == std::string_view::npos ? rest_.size() : comma + 1);
        const auto equals = word.find('=');
        if (is_flag(word))
            take_flag(word);
        else if (equals == std::string_view::npos)
            take_positional(word);
        else
            take_key(word.substr(0, equals), word.substr(equals + 1));
    }

    void take_flag(std::string_view flag) {
        if (flag.ends_with("cdrom"))
            result_.cdrom = true;
        else if (flag == "devtype=disk")
            result_.cdrom = false;
        else if (flag.ends_with("discard"))
            result_.discard = flag == "discard";
        else if (flag == "direct-io-safe")
            result_.direct_io_safe = true;
    }

    void take_key(std::string_view key, std::string_view value) {
        if (key == "devtype")
            fail(fmt::format("devtype is 'cdrom' or 'disk', not {}", quote(value)));
        if (!is_key(key))
            fail(fmt::format("the parameter {} is not known", quote(key)));
        if (key == "format")
            set_format(value);
        else if (key == "access")
            set_access(value);
        else if (key == "vdev")
            set_once(vdev_, value, "vdev");
        else if (key == "script")
            result_.script = value;
        else if (key == "backend")
            result_.backend_domain = value;
        else if (key == "backendtype")
            set_backend(value);
    }

    // TARGET, FORMAT, VDEV, ACCESS in this order; FORMAT is left out after a prefix.
    void take_positional(std::string_view word) {
        if (!target_) {
            target_ = word;
        } else if (!had_prefix_ && !format_) {
            if (target_->empty() && take_vdev_with_type(word))
                format_ = DiskFormat::empty;
            else
                set_format(word);
        } else if (!vdev_) {
            if (!take_vdev_with_type(word))
                vdev_ = word;
        } else if (!had_access_) {
            had_access_ = true;
            set_access(word);
        } else {
            fail(fmt::format("{} is one parameter too many", quote(word)));
        }
    }

    bool take_vdev_with_type(std::string_view word) {
        const auto colon = word.rfind(':');
        if (colon == std::string_view::npos)
            return false;
        const auto type = word.substr(colon + 1);
        if (type != "cdrom" && type != "disk")
            fail(fmt::format("the device type {} is not known", quote(type)));
        set_once(vdev_, word.substr(0, colon), "vdev");
        result_.cdrom = type == "cdrom";
        return true;
    }

    void set_once(std::optional<std::string>& place, std::string_view value, std::string_view what) {
        if (place && !place->empty())
            fail(fmt::format("{} is given twice", what));
        place = value;
    }

    void set_format(std::string_view word) {
        const auto format = word.empty() ? std::optional(DiskFormat::raw) : value_in(kFormatNames, word);
        if (!format)
            fail(fmt::format("the format {} is not known (raw, qcow, qcow2, vhd, qed)", quote(word)));
        if (format_ && format_ != format)
            fail("its format is given twice");
        format_ = format;
    }

    void set_backend(std::string_view word) {
        const auto backend = value_in(kBackendNames, word);
        if (!backend)
            fail(fmt::format("the backendtype {} is not known (phy, tap, qdisk)", quote(word)));
        result_.backend = *backend;
    }

    void set_access(std::string_view word) {
        if (word == "r" || word == "ro")
            result_.writable = false;
        else if (word == "w" || word == "rw" || word.empty())
            result_.writable = true;
        else
            fail(fmt::format("the access {} is not known (r, ro, w, rw)", quote(word)));
    }

    void finish() {
        GuestDisk& disk = result_;
        if (!vdev_ || vdev_->empty())
            fail("it names no device for the guest (vdev=)");
        if (!target_ && !disk.cdrom)
            fail("it names no file or device (target=)");
        disk.vdev = *vdev_;
        disk.target = target_.value_or("");
        disk.format = disk.cdrom && disk.target.empty() ? DiskFormat::empty : format_.value_or(DiskFormat::raw);
        if (disk.cdrom)
            disk.writable = false;
    }

    std::string_view spec_, rest_;
    GuestDisk result_;
    std::optional<std::string> target_, vdev_;
    std::optional<DiskFormat> format_;
    bool had_prefix_ = false, had_access_ = false, seen_target_key_ = false;
};

}  // namespace

GuestDisk parse_disk_spec(std::string_view spec) {
    return DiskReader(spec).run();
}

}  // namespace vprov::hypervisor
