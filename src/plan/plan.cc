#include "plan/plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/digest.h"
#include "base/error.h"
#include "base/text.h"
#include "partition/layout/placement.h"
#include "plan/boot.h"
#include "plan/disks.h"
#include "plan/fast_boot.h"
#include "plan/packages.h"
#include "plan/repositories.h"
#include "recipe/forms.h"

namespace vprov::plan {
namespace {

// What of it the hypervisor is told.
void set_device(Interface& interface, const recipe::Network& network) {
    if (interface.mac == recipe::kMacByHypervisor)
        interface.mac.clear();
    interface.type = network.type;
    interface.model = network.model.value_or("");
    interface.ip = network.ip.value_or("");
    interface.rate = network.rate.value_or("");
    interface.script = network.script.value_or("");
    interface.vifname = network.vifname.value_or("");
}

std::vector<Interface> planned_interfaces(const recipe::Recipe& recipe, const std::string& seed) {
    const auto names = recipe::interface_names(recipe.networks);
    std::vector<Interface> interfaces;
    for (const auto& network : recipe.networks) {
        const auto index = static_cast<unsigned>(interfaces.size());
        Interface interface;
        interface.mac = network.mac ? *network.mac : derived_mac(seed, index);
        interface.bridge = network.bridge.value_or("");
        interface.address = network.address;
        interface.gateway = network.gateway;
        interface.dns = network.dns;
        interface.name = names[index].name;
        interface.search = network.search;
        interface.mtu = network.mtu;
        interface.vlan = network.vlan;
        interface.any_card = recipe.identity.is_template && !network.mac && !network.vlan;
        interface.parent = names[index].parent;
        set_device(interface, network);
        interfaces.push_back(std::move(interface));
    }
    for (auto& vlan : interfaces)
        for (const auto& parent : interfaces)
            if (vlan.vlan && !parent.vlan && parent.name == vlan.parent)
                vlan.mac = parent.mac;
    return interfaces;
}

// A kernel finds a file system by its UUID only with an initrd.
std::string planned_root(const recipe::Recipe& recipe, const partition::DiskLayout& layout) {
    if (recipe.domain.root || layout.disks.empty())
        return recipe.domain.root.value_or("");
    const auto& kernel = recipe.system.kernel;
    const auto& root = layout.root();
    const bool has_initrd = !kernel.path || kernel.initrd;
    return has_initrd ? fmt::format("UUID={}", root.uuid.text()) : fmt::format("/dev/{}", root.guest);
}

std::string planned_cmdline(const recipe::Recipe& recipe, const partition::DiskLayout& layout) {
    std::vector<std::string> words;
    if (const auto root = planned_root(recipe, layout); !root.empty())
        words.push_back("root=" + root);
    const auto extra = recipe.domain.extra.value_or(installs_nothing(recipe) ? "" : "ro console=hvc0");
    for (const auto& more : {extra, recipe.system.kernel.cmdline})
        if (!more.empty())
            words.push_back(more);
    return joined(words, " ");
}

void add_packages(std::vector<std::string>& include, const std::vector<std::string>& more,
                  const std::vector<std::string>& exclude) {
    for (const auto& package : more)
        if (std::ranges::find(exclude, package) == exclude.end() &&
            std::ranges::find(include, package) == include.end())
            include.insert(std::ranges::upper_bound(include, package), package);
}

void check_host_kernel(const recipe::Recipe& recipe, const HostFacts& facts) {
    for (const auto& file : {recipe.system.kernel.path, recipe.system.kernel.initrd})
        if (file && !facts.file_exists(recipe::host_path(recipe, *file)))
            throw error(ErrorKind::recipe, "cannot use {} in [system.kernel]: there is no file {}",
                        quote(file->native()), quote(recipe::host_path(recipe, *file).native()));
}

// What is copied into the guest, or run in it, and nothing else would look for before the work has begun.
void check_host_files(const recipe::Recipe& recipe, const HostFacts& facts) {
    const auto check = [&](const std::filesystem::path& file, std::string_view key) {
        if (const auto path = recipe::host_path(recipe, file); !facts.file_exists(path))
            throw error(ErrorKind::recipe, "cannot use {} as {}: there is no file {}", quote(file.native()), key,
                        quote(path.native()));
    };
    const auto check_all = [&](const std::vector<std::filesystem::path>& files, std::string_view key) {
        for (const auto& file : files) check(file, key);
    };
    check_all(recipe.system.debs, "[system] debs");
    check_all(recipe.system.debconf_files, "[system] debconf_files");
    check_all(recipe.identity.authorized_keys_files, "[identity] authorized_keys_files");
    for (const auto& user : recipe.identity.users)
        check_all(user.authorized_keys_files, "[[identity.user]] authorized_keys_files");
    for (const auto& file : recipe.files)
        if (file.source)
            check(*file.source, "[[file]] source");
    for (const auto& hook : recipe.hooks)
        if (hook.file)
            check(*hook.file, "[[hook]] file");
    for (const auto& directory : recipe.directories)
        if (directory.source && !facts.directory_exists(recipe::host_path(recipe, *directory.source)))
            throw error(ErrorKind::recipe, "cannot use {} as [[directory]] source: there is no directory {}",
                        quote(directory.source->native()),
                        quote(recipe::host_path(recipe, *directory.source).native()));
}

// The lines of files as authorized_keys(5), behind those that stand in the recipe.
void add_keys_of(const std::vector<std::filesystem::path>& files, const recipe::Recipe& recipe, const HostFacts& facts,
                 std::vector<std::string>& keys) {
    for (const auto& file : files) {
        const auto path = recipe::host_path(recipe, file);
        const auto text = facts.read_file(path);
        std::size_t number = 0;
        for (const auto line : split(text, '\n')) {
            ++number;
            const auto key = trimmed(line);
            if (key.empty() || key.starts_with('#'))
                continue;
            if (const auto flaw = recipe::flaw_of_authorized_key(key); !flaw.empty())
                throw error(ErrorKind::recipe, "cannot use {}, line {}: {}", quote(path.native()), number, flaw);
            keys.emplace_back(key);
        }
    }
}

void read_authorized_keys(recipe::Recipe& recipe, const HostFacts& facts) {
    auto& identity = recipe.identity;
    add_keys_of(identity.authorized_keys_files, recipe, facts, identity.authorized_keys);
    for (auto& user : identity.users) add_keys_of(user.authorized_keys_files, recipe, facts, user.authorized_keys);
}

void check_template(const recipe::Recipe& recipe) {
    const auto included = included_names(recipe.system);
    for (const auto* init : {"sysvinit-core", "runit-init", "finit-sysv"})
        if (recipe.identity.is_template && included.contains(init))
            throw error(ErrorKind::recipe,
                        "cannot use [identity] template with {}: it is systemd that does the work of the first boot",
                        init);
}

void check_agent(const Plan& plan) {
    constexpr std::string_view kArchitecture = "amd64";  // whose virtio ports udev finds in QEMU's PC
    if (plan.recipe.system.agent && plan.architecture != kArchitecture)
        throw error(ErrorKind::recipe,
                    "cannot give the guest an agent ([system] agent): it is made for {}, and the guest is {}",
                    kArchitecture, plan.architecture);
}

// A template is not a guest yet: it has a name only where the recipe says so.
std::string planned_hostname(const recipe::Recipe& recipe) {
    if (recipe.identity.hostname)
        return *recipe.identity.hostname;
    return recipe.identity.is_template ? "localhost" : recipe.name;
}

std::string planned_machine_id(const recipe::Recipe& recipe, const std::string& seed) {
    if (recipe.identity.is_template)
        return "";
    auto id = Uuid::derived(seed, "machine").text();
    std::erase(id, '-');
    return id;
}

void check_authorities(const recipe::Recipe& recipe, const HostFacts& facts) {
    const auto& file = recipe.system.ca_certificates;
    if (file && !facts.file_exists(recipe::host_path(recipe, *file)))
        throw error(ErrorKind::recipe, "cannot use {} as [system] ca_certificates: there is no file {}",
                    quote(file->native()), quote(recipe::host_path(recipe, *file).native()));
}

Plan planned(const recipe::Recipe& recipe, const HostFacts& facts, const Options& options) {
    const auto seed = recipe.seed.value_or(recipe.name);
    Plan plan;
    plan.recipe = recipe;
    plan.name = recipe.name;
    plan.architecture = recipe.system.arch.value_or(facts.architecture);
    for (const auto& foreign : recipe.system.foreign_architectures)
        if (foreign == plan.architecture)
            throw error(ErrorKind::recipe, "cannot use {} in [system] foreign_architectures: it is the guest's own",
                        quote(foreign));
    plan.hostname = planned_hostname(recipe);
    plan.fqdn = recipe.identity.domain ? fmt::format("{}.{}", plan.hostname, *recipe.identity.domain) : plan.hostname;
    if (options.host_files == HostFiles::wanted)
        check_host_kernel(recipe, facts);
    if (!installs_nothing(recipe)) {
        plan.repositories = planned_repositories(recipe, facts);
        plan.kernel_package = kernel_package(recipe.system, plan.architecture);
        check_authorities(recipe, facts);
        check_host_files(recipe, facts);
        check_template(recipe);
        read_authorized_keys(plan.recipe, facts);
        std::vector<std::string> added;
        const auto completed = with_boot_partitions(recipe, plan.architecture, added);
        plan.include = planned_packages(completed, plan.kernel_package, plan.repositories);
        add_packages(plan.include, boot_packages(completed, plan.architecture), recipe.system.exclude);
        plan.layout = planned_layout(completed, seed, facts);
        for (auto& disk : plan.layout.disks) place(disk);
        plan.boot = planned_boot(completed, plan.architecture, plan.layout);
        plan.boot.added = std::move(added);
        check_fast_boot(plan);
        check_agent(plan);
    }
    plan.interfaces = planned_interfaces(recipe, seed);
    plan.guest_uuid = recipe.domain.uuid.value_or(Uuid::derived(seed, "guest").text());
    plan.machine_id = planned_machine_id(recipe, seed);
    plan.kernel_cmdline = plan.boot.method == recipe::BootMethod::direct
                              ? planned_cmdline(recipe, plan.layout)
                              : fmt::format("root=UUID={} ro {}", plan.layout.root().uuid_text(), plan.boot.cmdline);
    plan.dialect = options.dialect;
    plan.output = (std::filesystem::absolute(options.output) / recipe.name).lexically_normal();
    if (options.cache)
        plan.cache = std::filesystem::absolute(*options.cache).lexically_normal();
    return plan;
}

}  // namespace

std::filesystem::path lock_path(const std::filesystem::path& recipe) {
    auto path = std::filesystem::absolute(recipe).lexically_normal();
    return path.replace_extension(".lock");
}

Plan make_plan(const recipe::Recipe& recipe, const HostFacts& facts, const Options& options) {
    try {
        return planned(recipe, facts, options);
    } catch (Error& e) {
        throw e.add_context(recipe.file.string());
    }
}

std::string derived_mac(std::string_view seed, unsigned index) {
    const auto digest = sha256(fmt::format("vprov mac\n{}\n{}\n", seed, index)).bytes;
    return fmt::format("00:16:3e:{:02x}:{:02x}:{:02x}", digest[0] & 0x7f, digest[1], digest[2]);
}

}  // namespace vprov::plan
