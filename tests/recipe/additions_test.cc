#include <gtest/gtest.h>

#include "mistakes.h"

namespace vprov::recipe {
namespace {

constexpr const char* kAdditions = R"(
[system]
debs = ["a.deb", "/srv/b.deb"]
debconf = ["a a/q string x y"]
debconf_files = ["answers"]
[identity]
locales = ["en_US.UTF-8"]
keyboard = "de,us"
keyboard_variant = "nodeadkeys,"
keyboard_model = "pc104"
keyboard_options = "grp:alt_shift_toggle"
network_renderer = "netplan"
authorized_keys_files = ["me.pub"]
ssh_host_keys = "keys"
[[identity.user]]
name = "joe"
uid = 2000
gid = 2001
shell = "/bin/zsh"
home = "/srv/joe"
gecos = "Joe,,,"
sudo = "nopasswd"
authorized_keys_files = ["joe.pub"]
[[network]]
name = "wan"
address = ["dhcp4", "slaac"]
gateway = "fe80::1"
search = ["example.org", "example.net"]
mtu = 9000
[[network]]
address = "none"
[[network]]
vlan = 10
parent = "wan"
[[network]]
vlan = 11
[[directory]]
path = "/srv/data"
source = "data"
mode = "2775"
owner = "joe"
group = "33"
[[file]]
path = "/etc/a"
content = "one\ntwo\n"
[[file]]
path = "/etc/b"
source = "b"
mode = "0600"
owner = "joe"
group = "adm"
stage = "essential"
[[hook]]
stage = "essential"
script = "true"
[[hook]]
name = "site"
file = "site.sh"
)";

TEST(Additions, EveryKeyIsRead) {
    const auto recipe = parse(std::string(kGood) + kAdditions, "/r/g1.toml");
    EXPECT_EQ(recipe.system.debs, (std::vector<std::filesystem::path>{"a.deb", "/srv/b.deb"}));
    EXPECT_EQ(recipe.system.debconf, std::vector<std::string>{"a a/q string x y"});
    EXPECT_EQ(recipe.system.debconf_files, std::vector<std::filesystem::path>{"answers"});
    const auto& identity = recipe.identity;
    EXPECT_EQ(identity.locales, std::vector<std::string>{"en_US.UTF-8"});
    EXPECT_EQ(identity.keyboard, "de,us");
    EXPECT_EQ(identity.keyboard_variant, "nodeadkeys,");
    EXPECT_EQ(identity.keyboard_model, "pc104");
    EXPECT_EQ(identity.keyboard_options, "grp:alt_shift_toggle");
    EXPECT_EQ(identity.network_renderer, NetworkRenderer::netplan);
    EXPECT_EQ(identity.authorized_keys_files, std::vector<std::filesystem::path>{"me.pub"});
    EXPECT_EQ(identity.ssh_host_keys, "keys");
    const auto& user = identity.users.at(0);
    EXPECT_EQ(user.uid, 2000U);
    EXPECT_EQ(user.gid, 2001U);
    EXPECT_EQ(user.shell, "/bin/zsh");
    EXPECT_EQ(user.home, "/srv/joe");
    EXPECT_EQ(user.gecos, "Joe,,,");
    EXPECT_EQ(user.sudo, Sudo::without_password);
    EXPECT_EQ(user.authorized_keys_files, std::vector<std::filesystem::path>{"joe.pub"});
    EXPECT_TRUE(parse(std::string(kGood) + "[identity]\ntemplate = true\n", "g1.toml").identity.is_template);
}

TEST(Additions, NetworksHaveTheirNames) {
    const auto recipe = parse(std::string(kGood) + kAdditions, "/r/g1.toml");
    const auto& wan = recipe.networks.at(0);
    EXPECT_EQ(wan.address, (std::vector<std::string>{"dhcp4", "slaac"}));
    EXPECT_EQ(wan.gateway, std::vector<std::string>{"fe80::1"});
    EXPECT_EQ(wan.search, (std::vector<std::string>{"example.org", "example.net"}));
    EXPECT_EQ(wan.mtu, 9000U);
    EXPECT_EQ(recipe.networks.at(2).vlan, 10U);
    std::string names;
    for (const auto& [name, parent] : interface_names(recipe.networks)) names += name + "(" + parent + ") ";
    EXPECT_EQ(names, "wan() lan1() wan.10(wan) lan1.11(lan1) ");
}

TEST(Additions, FilesDirectoriesAndHooks) {
    const auto recipe = parse(std::string(kGood) + kAdditions, "/r/g1.toml");
    const auto& directory = recipe.directories.at(0);
    EXPECT_EQ(directory.path, "/srv/data");
    EXPECT_EQ(directory.source, "data");
    EXPECT_EQ(directory.mode, 02775U);
    EXPECT_EQ(directory.owner, "joe");
    EXPECT_EQ(directory.group, "33");
    EXPECT_EQ(recipe.files.at(0).content, "one\ntwo\n");
    EXPECT_EQ(recipe.files.at(0).mode, std::nullopt);
    EXPECT_EQ(recipe.files.at(0).owner, "root");
    EXPECT_EQ(recipe.files.at(0).stage, Moment::at_end);
    const auto& file = recipe.files.at(1);
    EXPECT_EQ(file.source, "b");
    EXPECT_EQ(file.mode, 0600U);
    EXPECT_EQ(file.group, "adm");
    EXPECT_EQ(file.stage, Moment::before_scripts);
    EXPECT_EQ(recipe.hooks.at(0).script, "true");
    EXPECT_EQ(recipe.hooks.at(0).stage, Moment::before_scripts);
    EXPECT_EQ(hook_name(recipe.hooks.at(0), 0), "hook1");
    EXPECT_EQ(recipe.hooks.at(1).file, "site.sh");
    EXPECT_EQ(hook_name(recipe.hooks.at(1), 1), "site");
}

TEST(Additions, MistakesInFilesHaveTheirPlaces) {
    EXPECT_EQ(mistakes_after_good("[[file]]\npath = \"etc/a\"\ncontent = \"\"\nsource = \"a\"\nmode = 644\n"),
              "g1.toml:6:1: cannot use [[file]]: exactly one of content and source is wanted\n"
              "g1.toml:7:8: cannot use 'etc/a' as [[file]] path: an absolute path in the guest is wanted, as in "
              "'/etc/motd'\n"
              "g1.toml:10:8: cannot use '644' as [[file]] mode: a mode is wanted as a string of octal digits, as in "
              "\"0644\"");
    EXPECT_EQ(
        mistakes_after_good("[[file]]\npath = \"/a/../b\"\ncontent = \"\"\nmode = \"0888\"\nowner = \"A\"\n"),
        "g1.toml:7:8: cannot use '/a/../b' as [[file]] path: a path in the guest has no empty parts, '.' or '..'\n"
        "g1.toml:9:8: cannot use '0888' as [[file]] mode: a mode is wanted as a string of octal digits, as in "
        "\"0644\"\n"
        "g1.toml:10:9: cannot use 'A' as [[file]] owner: the name or number of an account of the guest is wanted");
    EXPECT_EQ(mistakes_after_good("[[file]]\npath = \"/run/a\"\ncontent = \"\"\nstage = \"late\"\n"),
              "g1.toml:7:8: cannot use '/run/a' as [[file]] path: nothing in /run is kept\n"
              "g1.toml:9:9: cannot use 'late' as [[file]] stage: essential or customize is wanted");
    EXPECT_EQ(mistakes_after_good("[[file]]\npath = \"/a\"\ncontent = \"\"\n[[file]]\npath = \"/a\"\ncontent = \"\"\n"),
              "g1.toml:10:8: cannot use '/a' as [[file]] path: it is taken by the one at g1.toml:7:8");
}

TEST(Additions, MistakesInHooksAndPackages) {
    EXPECT_EQ(
        mistakes_after_good("[[hook]]\nname = \"a/b\"\n[[hook]]\nscript = \"\"\n[[hook]]\nname = \"hook2\"\n"
                            "script = \"\"\n"),
        "g1.toml:6:1: cannot use [[hook]]: exactly one of script and file is wanted\n"
        "g1.toml:7:8: cannot use 'a/b' as [[hook]] name: a name is 1 to 64 letters, digits, '.', '_', '+' or '-', "
        "and starts with a letter or digit\n"
        "g1.toml:11:8: cannot use 'hook2' as [[hook]] name: it is taken by the one at g1.toml:8:1");
    EXPECT_EQ(mistakes_after_good("[system]\ndebs = [\"a.rpm\"]\n"),
              "g1.toml:7:9: cannot use 'a.rpm' as [system] debs: the file of a package is wanted, NAME.deb");
}

TEST(Additions, ADebconfAnswerIsNeverRepeated) {
    EXPECT_EQ(
        mistakes_after_good("[system]\ndebconf = [\"db db/root password sesame\", \"sesame\", 1]\n"),
        "g1.toml:7:12: cannot use this as [system] debconf: a recipe is no place for a password; put the line into "
        "a file of debconf_files\n"
        "g1.toml:7:42: cannot use this as [system] debconf: a line of debconf-set-selections(1) is wanted: package, "
        "question, type and value, as in 'tzdata tzdata/Areas select Europe'\n"
        "g1.toml:7:52: cannot use this as [system] debconf: a string is wanted, in double quotes");
}

TEST(Additions, MistakesInTheIdentity) {
    EXPECT_EQ(mistakes_after_good("[identity]\ntemplate = true\nssh_host_keys = \"k\"\nkeyboard_model = \"pc105\"\n"),
              "g1.toml:8:17: cannot use [identity] ssh_host_keys together with template: a template has none\n"
              "g1.toml:9:18: cannot use [identity] keyboard_model without keyboard");
    EXPECT_EQ(
        mistakes_after_good("[[identity.user]]\nname = \"a\"\nuid = 65534\nsudo = \"yes\"\nshell = \"sh\"\n"
                            "gecos = \"a:b\"\n"),
        "g1.toml:8:7: cannot use '65534' as [[identity.user]] uid: 1 to 4294967293 is wanted, but for 65534 "
        "(nobody) and 65535\n"
        "g1.toml:9:8: cannot use 'yes' as [[identity.user]] sudo: true, false or \"nopasswd\" is wanted\n"
        "g1.toml:10:9: cannot use 'sh' as [[identity.user]] shell: an absolute path in the guest is wanted, as in "
        "'/etc/motd'\n"
        "g1.toml:11:9: cannot use 'a:b' as [[identity.user]] gecos: one line without ':' is wanted, as in 'Joe "
        "User,,,'");
    EXPECT_EQ(
        mistakes_after_good("[[identity.user]]\nname = \"a\"\nuid = 7\n[[identity.user]]\nname = \"b\"\nuid = 7\n"),
        "g1.toml:11:7: cannot use '7' as [[identity.user]] uid: it is taken by the one at g1.toml:8:7");
    EXPECT_EQ(
        mistakes_after_good("[identity]\nnetwork_renderer = \"networked\"\n"),
        "g1.toml:7:20: cannot use 'networked' as [identity] network_renderer: auto, ifupdown, networkd, netplan or "
        "none is wanted; did you mean 'networkd'?");
}

}  // namespace
}  // namespace vprov::recipe
