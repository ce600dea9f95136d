#include "recipe/forms.h"

#include <gtest/gtest.h>

#include "recipe/address.h"

namespace vprov::recipe {
namespace {

using FlawOf = std::string (*)(std::string_view);

void expect(FlawOf flaw_of, const std::vector<std::string>& good, const std::vector<std::string>& bad) {
    for (const auto& word : good) EXPECT_EQ(flaw_of(word), "") << word;
    for (const auto& word : bad) EXPECT_NE(flaw_of(word), "") << word;
}

TEST(Forms, NamesOfGuestsAndHosts) {
    expect(flaw_of_guest_name, {"a", "debian1", "Web.1_a+b-c", std::string(63, 'x')},
           {"", ".a", "-a", "a b", "a'b", "a\"b", "a/b", "ä", std::string(64, 'x')});
    expect(flaw_of_hostname, {"a", "WEB-1", "1", std::string(63, 'x')},
           {"", "-a", "a-", "a_b", "a.b", std::string(64, 'x')});
    EXPECT_EQ(flaw_of_hostname("a.example.org"),
              "one name without dots is wanted; what follows the first dot goes into 'domain'");
    expect(flaw_of_domain, {"org", "example.org", "a-b.c"},
           {"", ".", "a..b", "a.", ".a", "a_b.c", std::string(200, 'x')});
    expect(flaw_of_account, {"a", "www-data", "a_1"}, {"", "1a", "_x", "A", "a b", "a:b", std::string(33, 'x')});
}

TEST(Forms, PlaceAndLanguage) {
    expect(flaw_of_timezone, {"UTC", "Europe/Berlin", "Etc/GMT+1", "America/Port-au-Prince", "America/Indiana/Knox"},
           {"", "Berlin", "/Europe/Berlin", "Europe/", "../etc/passwd", "Europe/Berlin/", "a/b/c/d", "Europe/Ber lin"});
    expect(flaw_of_locale,
           {"C", "POSIX", "C.UTF-8", "de_DE.UTF-8", "de_DE", "de_DE@euro", "eo", "sr_RS.UTF-8@latin", "ast_ES.UTF-8"},
           {"", "de-DE", "DE_de", "de_DE.", "de_DE@", "german", "de_DE.UTF 8", "c.utf-8"});
    expect(flaw_of_keyboard, {"de", "us", "latam"}, {"", "DE", "de us", "de\"", "1"});
}

TEST(Forms, PackagesAndArchives) {
    expect(flaw_of_package, {"vim", "g++", "libc6", "python3.11", "0ad"},
           {"", "a", "Vim", "-a", "vim=2", "vim:arm64", "vim/sid", "v im"});
    EXPECT_EQ(flaw_of_package("vim=2:9.0"), "the name alone is wanted, without version, suite or architecture");
    expect(flaw_of_suite, {"bookworm", "bookworm-backports", "buster/updates", "12.1"},
           {"", "./", "/", "a//b", "../a", "a b", "a;b"});
    EXPECT_EQ(flaw_of_suite("./"), "a repository without suites and components is not supported");
    expect(flaw_of_component, {"main", "non-free-firmware"}, {"", "ma in", "/"});
    expect(flaw_of_uri,
           {"http://mirror.example.org/debian", "https://[2001:db8::1]:8080/d", "ftp://a/", "file:///srv/d",
            "file:/srv/d"},
           {"", "mirror.example.org", "http://", "http:///debian", "http://:80/", "rsync://a/b", "http://a/b c",
            "http://a/\n", "http://a/?x", "file:srv"});
    EXPECT_EQ(flaw_of_uri("http://me:secret@a/debian"),
              "a recipe is no place for a user name or password; apt_auth.conf(5) is");
    expect(flaw_of_architecture, {"amd64", "riscv64"}, {"", "x86_64", "AMD64"});
    EXPECT_EQ(flaw_of_architecture("amd65"), "no architecture of Debian has this name; did you mean 'amd64'?");
}

TEST(Forms, Disks) {
    expect(flaw_of_disk_name, {"root", "var-log", "a.b"}, {"", ".a", "a/b", "a b", "initrd"});
    expect(flaw_of_mount, {"/", "/home", "/var/lib/docker", "/srv/a.b", "/tmp", "/runner"},
           {"", "home", "/home/", "//", "/a//b", "/a/../b", "/a/.", "/a b", "/proc", "/dev/shm", "/etc", "/run/x"});
    expect(flaw_of_mount_options, {"defaults", "noatime,nodev", "subvol=@"}, {"", "a b", "a\tb", "a#"});
    expect(flaw_of_label, {"root", "a.b_c-1", std::string(16, 'x')}, {"", "a b", "a/b", std::string(17, 'x')});
    expect(flaw_of_device, {"xvda", "xvda1", "xvdb12", "sda2", "hda1", "vdaa1"},
           {"", "xvd1", "xvda0", "xvda01", "xvdaaa1", "nvme0n1", "xvda1234", "xvda1p2", "/dev/xvda1"});
}

TEST(Forms, Networks) {
    expect(flaw_of_mac, {"00:16:3e:12:34:56", "AA:00:00:12:23:34"},
           {"", "00:16:3e:12:34", "00-16-3e-12-34-56", "0:16:3e:12:34:56", "00:16:3e:12:34:5g", "00:16:3e:12:34:56:78",
            "00:00:00:00:00:00"});
    EXPECT_EQ(flaw_of_mac("01:16:3e:12:34:56"), "it is a multicast address: the first pair must be even");
    EXPECT_EQ(flaw_of_mac("fF:ff:ff:ff:ff:ff"), "it is a multicast address: the first pair must be even");
    expect(flaw_of_bridge, {"bridge0", "br0.5", std::string(15, 'x')},
           {"", ".", "a/b", "a b", "a,b", std::string(16, 'x')});
    expect(flaw_of_address, {"192.0.2.1", "2001:db8::1", "::1"},
           {"", "192.0.2", "192.0.2.256", "192.0.2.1/24", "fe80::1%eth0", "host"});
    expect(
        flaw_of_cidr, {"192.0.2.7/24", "192.0.2.0/31", "192.0.2.0/32", "2001:db8::7/64", "2001:db8::/127"},
        {"", "192.0.2.7", "192.0.2.7/33", "192.0.2.7/0", "192.0.2.7/-1", "192.0.2.7/24 ", "2001:db8::7/129", "dhcp"});
    EXPECT_EQ(flaw_of_cidr("192.0.2.0/24"), "it is the address of the network, not of a machine in it");
}

TEST(Address, APrefixSaysWhoIsNear) {
    const auto net = parse_cidr("192.0.2.200/26");
    ASSERT_TRUE(net);
    EXPECT_TRUE(net->contains(*parse_address("192.0.2.193")));
    EXPECT_FALSE(net->contains(*parse_address("192.0.2.1")));
    EXPECT_FALSE(net->contains(*parse_address("2001:db8::1")));
    EXPECT_TRUE(parse_address("febf::1")->is_link_local());
    EXPECT_FALSE(parse_address("fec0::1")->is_link_local());
}

TEST(Forms, PasswordHashes) {
    const std::string salt = "abcdefgh./AB01CD";
    const auto part = [](std::size_t size) { return std::string(size, 'x'); };
    expect(flaw_of_password_hash,
           {"$y$j9T$" + salt + "$" + part(43), "$gy$j9T$" + salt + "$" + part(43),
            "$7$CU..../...." + salt + "$" + part(43), "$2b$05$" + part(53), "$6$" + salt + "$" + part(86),
            "$6$rounds=100000$" + salt + "$" + part(86), "$5$" + salt + "$" + part(43)},
           {"", "*", "!", "secret", "$6$" + salt + "$" + part(85), "$6$" + part(86), "$1$abcdefgh$" + part(22),
            "$6$a:b$" + part(86), "$y$j9T$" + salt + "$" + part(43) + "\n", "$2b$rounds=5$05$" + part(53),
            "$3$$" + part(32), part(13)});
}

TEST(Forms, AuthorizedKeys) {
    const std::string ed25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAabcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOP";
    expect(flaw_of_authorized_key,
           {ed25519, ed25519 + " me@example.org", "restrict,command=\"echo a b\" " + ed25519,
            "command=\"say \\\"hi there\\\"\" " + ed25519 + " me"},
           {"", "AAAA", "ssh-ed25519", "ssh-ed25519 AAAA", ed25519.substr(0, ed25519.size() - 4),
            "ssh-rsa" + ed25519.substr(11), "ssh-dss AAAAB3NzaC1kc3MAAACBAP", ed25519 + "\n" + ed25519,
            "ssh-ed25519 !!!!" + ed25519.substr(16)});
    EXPECT_EQ(flaw_of_authorized_key("ssh-ed25519 AAAAC3Nz"), "what follows 'ssh-ed25519' is no such key; was it cut?");
}

}  // namespace
}  // namespace vprov::recipe
