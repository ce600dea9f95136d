#include "bootstrap/configure/kernel_order.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/text.h"

namespace vprov::configure {
namespace {

// initramfs-tools(7), kernel-img.conf(5), modprobe.d(5), udev(7); /usr left off.
constexpr std::array<std::string_view, 9> kPlaces = {
    "etc/initramfs-tools/", "share/initramfs-tools/", "etc/kernel/", "lib/kernel/",
    "etc/modprobe.d/",      "lib/modprobe.d/",        "etc/modules", "etc/udev/",
    "lib/dracut/"};

bool scripts_mention(const unpack::StagedPackage& package, std::initializer_list<std::string_view> words) {
    return std::any_of(package.control.begin(), package.control.end(), [&](const auto& file) {
        const bool script = file.name == "preinst" || file.name == "postinst" || file.name == "triggers";
        return script && std::any_of(words.begin(), words.end(), [&](std::string_view word) {
                   return file.content.find(word) != std::string::npos;
               });
    });
}

bool has_hand_in_initramfs(const unpack::StagedPackage& package) {
    if (scripts_mention(package, {"update-initramfs", "/boot"}))
        return true;
    return std::any_of(package.entries.begin(), package.entries.end(), [](const auto& entry) {
        std::string_view path = entry.path;
        if (path.starts_with("usr/"))
            path.remove_prefix(4);
        return entry.kind != unpack::EntryKind::directory &&
               std::any_of(kPlaces.begin(), kPlaces.end(), [&](auto place) { return path.starts_with(place); });
    });
}

bool makes_accounts(const unpack::StagedPackage& package) {
    return scripts_mention(package,
                           {"adduser", "addgroup", "useradd", "groupadd", "systemd-sysusers", "update-passwd"});
}

class Before {
  public:
    explicit Before(const KernelOrderRequest& request) : request_(request) {
        pending_.insert(request.pending.begin(), request.pending.end());
    }

    void add(const deb::Package* package) {
        if (!pending_.contains(package) || !chosen_.insert(package).second)
            return;
        add_needs(package);
    }

    void add_needs(const deb::Package* package) {
        for (const auto* needed : request_.needs->at(package).before_configuring) add(needed);
    }

    // Adding one adds what it needs, which may make accounts later in the order.
    void add_earlier_accounts(const std::vector<const deb::Package*>& makers) {
        for (std::size_t done = 0;;) {
            std::size_t last = 0;
            for (std::size_t i = 0; i < makers.size(); ++i)
                if (chosen_.contains(makers[i]))
                    last = i + 1;
            if (last == done)
                return;
            for (std::size_t i = 0; i < last; ++i) add(makers[i]);
            done = last;
        }
    }

    std::vector<const deb::Package*> in_order() const {
        std::vector<const deb::Package*> list;
        std::copy_if(request_.pending.begin(), request_.pending.end(), std::back_inserter(list),
                     [&](const auto* package) { return chosen_.contains(package); });
        return list;
    }

  private:
    const KernelOrderRequest& request_;
    PackageSet pending_, chosen_;
};

}  // namespace

bool is_kernel(const unpack::StagedPackage& package) {
    return std::any_of(package.entries.begin(), package.entries.end(),
                       [](const auto& entry) { return entry.path.starts_with("boot/vmlinu"); });
}

bool may_run_beside(const unpack::StagedPackage& kernel) {
    for (const auto* name : {"conffiles", "config", "templates"})
        if (kernel.control_file(name))
            return false;
    const auto* triggers = kernel.control_file("triggers");
    return !triggers || triggers->content.find("activate") == std::string::npos;
}

std::vector<const deb::Package*> configured_before_kernels(const KernelOrderRequest& request) {
    Before before(request);
    for (const auto* kernel : request.kernels) before.add_needs(kernel);
    std::vector<const deb::Package*> makers;
    for (const auto* package : request.pending) {
        const auto& staged = request.staged(package);
        if (has_hand_in_initramfs(staged))
            before.add(package);
        if (makes_accounts(staged))
            makers.push_back(package);
    }
    before.add_earlier_accounts(makers);
    return before.in_order();
}

}  // namespace vprov::configure
