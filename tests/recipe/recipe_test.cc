#include <gtest/gtest.h>

#include <fstream>

#include "mistakes.h"
#include "os/temp_dir.h"

namespace vprov::recipe {
namespace {

constexpr std::string_view kEverything = R"(name = "web1"
seed = "second"
[system]
distribution = "ubuntu"
suite = "noble"
arch = "arm64"
variant = "minbase"
mirror = "http://mirror.example.org/ubuntu"
security_mirror = "file:/srv/security"
components = ["main", "universe"]
include = ["vim", "openssh-server"]
exclude = ["nano"]
recommends = true
updates = false
security = false
scripts_network = true
keyring = "keys/ubuntu.gpg"
ca_certificates = "keys/ca.pem"
[system.kernel]
package = ""
cmdline = "quiet panic=10"
path = "/boot/vmlinuz"
initrd = "initrd"
[[system.repository]]
uri = "https://packages.example.org/apt"
suite = "noble-extra"
components = ["a", "b"]
signed_by = "extra.gpg"
check_valid_until = false
[[system.repository]]
uri = "ftp://other.example.org/apt"
suite = "x"
trusted = true
[identity]
hostname = "www"
domain = "example.org"
timezone = "America/Argentina/Buenos_Aires"
locale = "de_DE.UTF-8"
keyboard = "de"
root_password = { env = "ROOT_PASSWORD" }
authorized_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAabcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOP me"]
[[identity.user]]
name = "admin"
groups = ["adm", "www-data"]
sudo = true
[identity.user.password]
hash_file = "admin.hash"
[[disk]]
name = "system"
size = "2G"
filesystem = "ext3"
mount = "/"
label = "root"
options = "noatime"
guest = "xvdb1"
format = "raw"
[[disk]]
size = "64M"
filesystem = "swap"
[[network]]
bridge = "bridge0"
mac = "AA:00:00:12:23:34"
address = ["192.0.2.7/24", "2001:db8::7/64"]
gateway = "192.0.2.1"
dns = ["192.0.2.53", "2001:db8::53"]
[[network]]
address = "dhcp"
[domain]
type = "hvm"
memory = "1G"
maxmem = "2G"
vcpus = 4
on_poweroff = "preserve"
on_reboot = "rename-restart"
on_crash = "coredump-destroy"
)";

TEST(Recipe, ReadsEveryKeyOfSystem) {
    const auto recipe = parse(kEverything, "dir/web1.toml");
    EXPECT_EQ(recipe.name, "web1");
    EXPECT_EQ(recipe.seed, "second");
    const auto& system = recipe.system;
    EXPECT_EQ(system.distribution, "ubuntu");
    EXPECT_EQ(system.suite, "noble");
    EXPECT_EQ(system.arch, "arm64");
    EXPECT_EQ(system.variant, Variant::minbase);
    EXPECT_EQ(system.mirror, "http://mirror.example.org/ubuntu");
    EXPECT_EQ(system.security_mirror, "file:/srv/security");
    EXPECT_EQ(system.components, (std::vector<std::string>{"main", "universe"}));
    EXPECT_EQ(system.include, (std::vector<std::string>{"vim", "openssh-server"}));
    EXPECT_EQ(system.exclude, (std::vector<std::string>{"nano"}));
    EXPECT_TRUE(system.recommends);
    EXPECT_FALSE(system.updates);
    EXPECT_FALSE(system.security);
    EXPECT_TRUE(system.scripts_network);
    EXPECT_EQ(system.keyring, "keys/ubuntu.gpg");
    EXPECT_EQ(system.ca_certificates, "keys/ca.pem");
    EXPECT_EQ(system.kernel.package, "");
    EXPECT_EQ(system.kernel.cmdline, "quiet panic=10");
    EXPECT_EQ(system.kernel.path, "/boot/vmlinuz");
    EXPECT_EQ(system.kernel.initrd, "initrd");
    ASSERT_EQ(system.repositories.size(), 2U);
    const auto& extra = system.repositories[0];
    EXPECT_EQ(extra.uri, "https://packages.example.org/apt");
    EXPECT_EQ(extra.suite, "noble-extra");
    EXPECT_EQ(extra.components, (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(extra.signed_by, "extra.gpg");
    EXPECT_FALSE(extra.trusted);
    EXPECT_FALSE(extra.check_valid_until);
    EXPECT_TRUE(system.repositories[1].trusted);
    EXPECT_EQ(system.repositories[1].components, std::vector<std::string>{"main"});
}

TEST(Recipe, ReadsEveryKeyOfIdentity) {
    const auto identity = parse(kEverything, "web1.toml").identity;
    EXPECT_EQ(identity.hostname, "www");
    EXPECT_EQ(identity.domain, "example.org");
    EXPECT_EQ(identity.timezone, "America/Argentina/Buenos_Aires");
    EXPECT_EQ(identity.locale, "de_DE.UTF-8");
    EXPECT_EQ(identity.keyboard, "de");
    EXPECT_EQ(identity.root_password, (Password{Password::Source::environment, "ROOT_PASSWORD"}));
    EXPECT_EQ(identity.authorized_keys.size(), 1U);
    ASSERT_EQ(identity.users.size(), 1U);
    EXPECT_EQ(identity.users[0].name, "admin");
    EXPECT_EQ(identity.users[0].groups, (std::vector<std::string>{"adm", "www-data"}));
    EXPECT_EQ(identity.users[0].sudo, Sudo::with_password);
    EXPECT_EQ(identity.users[0].password, (Password{Password::Source::hash_file, "admin.hash"}));
}

TEST(Recipe, ReadsEveryKeyOfTheMachine) {
    const auto recipe = parse(kEverything, "web1.toml");
    ASSERT_EQ(recipe.disks.size(), 2U);
    EXPECT_EQ(recipe.disks[0].name, "system");
    EXPECT_EQ(recipe.disks[0].size, 2_GiB);
    EXPECT_EQ(recipe.disks[0].filesystem, Filesystem::ext3);
    EXPECT_EQ(recipe.disks[0].mount, "/");
    EXPECT_EQ(recipe.disks[0].label, "root");
    EXPECT_EQ(recipe.disks[0].options, "noatime");
    EXPECT_EQ(recipe.disks[0].guest, "xvdb1");
    EXPECT_EQ(recipe.disks[1].filesystem, Filesystem::swap);
    EXPECT_EQ(recipe.disks[1].mount, std::nullopt);
    ASSERT_EQ(recipe.networks.size(), 2U);
    EXPECT_EQ(recipe.networks[0].bridge, "bridge0");
    EXPECT_EQ(recipe.networks[0].mac, "aa:00:00:12:23:34") << "MAC addresses are kept in lower case";
    EXPECT_EQ(recipe.networks[0].address, (std::vector<std::string>{"192.0.2.7/24", "2001:db8::7/64"}));
    EXPECT_EQ(recipe.networks[0].gateway, std::vector<std::string>{"192.0.2.1"});
    EXPECT_EQ(recipe.networks[0].dns, (std::vector<std::string>{"192.0.2.53", "2001:db8::53"}));
    EXPECT_EQ(recipe.networks[1].address, std::vector<std::string>{"dhcp"});
    EXPECT_EQ(recipe.domain.type, DomainType::hvm);
    EXPECT_EQ(recipe.domain.memory, 1_GiB);
    EXPECT_EQ(recipe.domain.maxmem, 2_GiB);
    EXPECT_EQ(recipe.domain.vcpus, 4U);
    EXPECT_EQ(recipe.domain.on_poweroff, Action::preserve);
    EXPECT_EQ(recipe.domain.on_reboot, Action::rename_restart);
    EXPECT_EQ(recipe.domain.on_crash, Action::coredump_destroy);
}

TEST(Recipe, DefaultsAreThoseOfTheManual) {
    const auto recipe = parse(kGood, "g1.toml");
    EXPECT_EQ(recipe.system.distribution, "debian");
    EXPECT_EQ(recipe.system.suite, "bookworm");
    EXPECT_EQ(recipe.system.variant, Variant::standard);
    EXPECT_EQ(recipe.system.components, std::vector<std::string>{"main"});
    EXPECT_TRUE(recipe.system.updates && recipe.system.security);
    EXPECT_FALSE(recipe.system.recommends || recipe.system.scripts_network);
    EXPECT_EQ(recipe.identity.root_password, std::nullopt);
    EXPECT_TRUE(recipe.networks.empty());
    EXPECT_EQ(recipe.domain.type, std::nullopt);
    EXPECT_EQ(recipe.domain.memory, 512_MiB);
    EXPECT_EQ(recipe.domain.vcpus, 2U);
}

TEST(Recipe, DisksAreNamedAfterTheirMountPoint) {
    Disk disk;
    EXPECT_EQ(disk_name(disk), "");
    disk.mount = "/var/log";
    EXPECT_EQ(disk_name(disk), "var-log");
    disk.mount = "/";
    EXPECT_EQ(disk_name(disk), "root");
    disk.filesystem = Filesystem::swap;
    EXPECT_EQ(disk_name(disk), "swap");
    disk.name = "mine";
    EXPECT_EQ(disk_name(disk), "mine");
}

TEST(Recipe, AFileIsReadAndItsPathsStartBesideIt) {
    const os::TempDir work(std::filesystem::temp_directory_path(), "vprov-test-");
    const auto file = work.path() / "g1.toml";
    os::write_file(file, kGood);
    const auto recipe = read(file, {"system.keyring=keys/k.gpg"});
    EXPECT_EQ(recipe.file, file);
    EXPECT_EQ(host_path(recipe, *recipe.system.keyring), work.path() / "keys/k.gpg");
    EXPECT_EQ(host_path(recipe, "/boot/vmlinuz"), "/boot/vmlinuz");
    const auto missing = work.path() / "missing.toml";
    try {
        read(missing);
        FAIL() << "it was read";
    } catch (const Error& e) {
        EXPECT_EQ(e.kind(), ErrorKind::recipe);
        EXPECT_EQ(e.message(), "cannot open '" + missing.string() + "': No such file or directory");
    }
}

}  // namespace
}  // namespace vprov::recipe
