#include <gtest/gtest.h>

#include "mistakes.h"

namespace vprov::recipe {
namespace {

TEST(Mistakes, AreAllShownAtOnceInTheOrderOfTheFile) {
    EXPECT_EQ(
        mistakes("name = \"g1\"\n"
                 "colour = 1\n"
                 "extends = \"base.toml\"\n"
                 "[domain]\n"
                 "vcpus = \"two\"\n"
                 "memory = \"2X\"\n"
                 "[identity]\n"
                 "timezon = \"Europe/Berlin\"\n"
                 "[[disk]]\n"
                 "size = 5\n"
                 "filesystem = \"ext5\"\n"
                 "mount = \"/\"\n"
                 "[[disk.partition]]\n"
                 "size = \"rest\"\n"),
        "g1.toml:2:1: cannot use key 'colour': unknown\n"
        "g1.toml:3:1: cannot use key 'extends': not supported by this version\n"
        "g1.toml:5:9: cannot use 'two' as [domain] vcpus: an integer is wanted\n"
        "g1.toml:6:10: cannot use '2X' as [domain] memory: a size is wanted: a number with K, M, G or T, as in "
        "\"512M\"\n"
        "g1.toml:8:1: cannot use key 'timezon' in [identity]: unknown; did you mean 'timezone'?\n"
        "g1.toml:10:8: cannot use '5' as [[disk]] size: a size is wanted: a number with K, M, G or T, as in \"512M\"\n"
        "g1.toml:11:14: cannot use 'ext5' as [[disk]] filesystem: ext4, ext3, ext2, xfs, btrfs, vfat or swap is "
        "wanted; did you mean "
        "'ext4'?\n"
        "g1.toml:13:1: cannot use [[disk.partition]]: it has no filesystem\n"
        "g1.toml:13:1: cannot use [[disk]] partition: it belongs to a disk with a table");
}

TEST(Mistakes, ForeignArchitecturesAreOthersThanTheGuests) {
    EXPECT_EQ(
        mistakes("name = \"g1\"\n[system]\narch = \"amd64\"\n"
                 "foreign_architectures = [\"i386\", \"amd64\", \"arm46\"]\n"
                 "[[system.repository]]\nuri = \"http://mirror.example.org/x\"\nsuite = \"y\"\n"
                 "architectures = [\"i368\"]\n"),
        "g1.toml:4:34: cannot use 'amd64' as [system] foreign_architectures: it is the guest's own\n"
        "g1.toml:4:43: cannot use 'arm46' as [system] foreign_architectures: no architecture of Debian has this "
        "name; did you mean 'arm64'?\n"
        "g1.toml:8:18: cannot use 'i368' as [[system.repository]] architectures: no architecture of Debian has this "
        "name; did you mean 'i386'?");
}

TEST(Mistakes, SyntaxIsToldWithItsPlace) {
    EXPECT_EQ(mistakes("name = \"g1\"\n[system\n"),
              "g1.toml:2:8: cannot read TOML: Error while parsing table header: expected ']', saw '\\n'");
    EXPECT_EQ(
        mistakes("name = \"a\"\nname = \"b\"\n"),
        "g1.toml:2:8: cannot read TOML: Error while parsing key-value pair: cannot redefine existing string 'name'");
}

TEST(Mistakes, MissingKeysAreToldAtTheirTable) {
    EXPECT_EQ(mistakes(""), "g1.toml:1:1: cannot use the recipe: it has no name");
    EXPECT_EQ(mistakes("name = \"g1\"\n\n[[disk]]\n"),
              "g1.toml:3:1: cannot use [[disk]]: it has no size\n"
              "g1.toml:3:1: cannot use [[disk]]: it has no filesystem");
    EXPECT_EQ(
        mistakes_after_good(
            "[[disk]]\nsize=\"1G\"\nfilesystem=\"ext4\"\n[[system.repository]]\nsuite=\"x\"\n[[identity.user]]\n"),
        "g1.toml:6:1: cannot use [[disk]]: it has no mount\n"
        "g1.toml:9:1: cannot use [[system.repository]]: it has no uri\n"
        "g1.toml:11:1: cannot use [[identity.user]]: it has no name");
}

TEST(Mistakes, AWrongKindOfValueSaysWhatIsWanted) {
    EXPECT_EQ(mistakes_after_good("[system]\n"
                                  "suite = 12\n"
                                  "include = \"vim\"\n"
                                  "components = []\n"
                                  "updates = \"yes\"\n"
                                  "kernel = \"linux\"\n"
                                  "repository = {}\n"
                                  "mirror = [1]\n"
                                  "exclude = [1, \"good\", {}]\n"
                                  "[[domain]]\n"),
              "g1.toml:7:9: cannot use '12' as [system] suite: a string is wanted, in double quotes\n"
              "g1.toml:8:11: cannot use 'vim' as [system] include: a list is wanted, as in [\"a\", \"b\"]\n"
              "g1.toml:9:14: cannot use a list as [system] components: it is empty\n"
              "g1.toml:10:11: cannot use 'yes' as [system] updates: true or false is wanted, without quotes\n"
              "g1.toml:11:10: cannot use 'linux' as [system] kernel: a table is wanted, once, as [system.kernel]\n"
              "g1.toml:12:14: cannot use a table as [system] repository: a list of tables is wanted, each written as "
              "[[system.repository]]\n"
              "g1.toml:13:10: cannot use a list as [system] mirror: a string is wanted, in double quotes\n"
              "g1.toml:14:12: cannot use '1' as [system] exclude: a string is wanted, in double quotes\n"
              "g1.toml:14:23: cannot use a table as [system] exclude: a string is wanted, in double quotes\n"
              "g1.toml:15:1: cannot use a list as domain: a table is wanted, once, as [domain]");
}

TEST(Mistakes, AGuestNameWithAQuoteOrANewlineIsRefusedOnOneLine) {
    const std::string cause =
        "a name is 1 to 63 letters, digits, '.', '_', '+' or '-', and starts with a letter or digit";
    EXPECT_EQ(mistakes("name = \"it's\"\n"), "g1.toml:1:8: cannot use 'it's' as name: " + cause);
    EXPECT_EQ(mistakes("name = \"a\\nb\"\n"), "g1.toml:1:8: cannot use 'a\\nb' as name: " + cause);
    EXPECT_EQ(mistakes("name = \"-a\"\n"), "g1.toml:1:8: cannot use '-a' as name: " + cause);
}

TEST(Mistakes, ANameThatIsNoHostNameAsksForOne) {
    EXPECT_EQ(mistakes("name = \"my_guest\"\n"),
              "g1.toml:1:8: cannot use 'my_guest' as host name: it is none; give one with [identity] hostname");
    EXPECT_EQ(mistakes("name = \"my_guest\"\n[identity]\nhostname = \"guest\"\n"), "none");
}

TEST(Mistakes, PasswordsInClearAreRefusedAndNeverRepeated) {
    EXPECT_EQ(
        mistakes_after_good(
            "[identity]\nroot_password = \"sesame\"\n[[identity.user]]\nname = \"u\"\npassword.hash = \"sesame\"\n",
            {"identity.user.0.password=sesame"}),
        "g1.toml:7:17: cannot use a password in clear as [identity] root_password: give { random = true }, "
        "{ hash = \"$y$...\" }, { hash_file = \"FILE\" } or { env = \"VARIABLE\" }\n"
        "--set identity.user.0.password=...: cannot use a password in clear as [[identity.user]] password: give "
        "{ random = true }, { hash = \"$y$...\" }, { hash_file = \"FILE\" } or { env = \"VARIABLE\" }");
    EXPECT_EQ(
        mistakes_after_good("[identity]\nroot_password = { hash = \"sesame\" }\n"),
        "g1.toml:7:26: cannot use this as [identity.root_password] hash: a hash of crypt(5) is wanted ($y$, $gy$, $7$, "
        "$2b$, $6$ or $5$), as mkpasswd(1) makes it");
}

TEST(Mistakes, APasswordIsGivenInExactlyOneWay) {
    const std::string cause =
        "cannot use [identity.root_password]: exactly one of hash, hash_file, env and random is wanted";
    EXPECT_EQ(mistakes_after_good("[identity]\nroot_password = {}\n"), "g1.toml:7:17: " + cause);
    EXPECT_EQ(mistakes_after_good("[identity]\nroot_password = { random = true, env = \"X\" }\n"),
              "g1.toml:7:17: " + cause);
    EXPECT_EQ(mistakes_after_good("[identity]\nroot_password = { random = false }\n"),
              "g1.toml:7:28: cannot use 'false' as [identity.root_password] random: only true has a meaning; leave the "
              "password out to lock the account");
    EXPECT_EQ(
        mistakes_after_good("[identity]\nroot_password = { env = \"$ROOT\" }\n"),
        "g1.toml:7:25: cannot use '$ROOT' as [identity.root_password] env: the name of an environment variable is "
        "wanted, without '$'");
}

TEST(Mistakes, DiskSizesHaveAUnitAndALeastValue) {
    const auto disk = [](const std::string& keys) { return mistakes_after_good("[[disk]]\n" + keys); };
    EXPECT_EQ(disk("mount=\"/a\"\nfilesystem=\"ext4\"\nsize=\"4M\"\n"),
              "g1.toml:9:6: cannot use '4M' as [[disk]] size: a file system takes at least 8M");
    EXPECT_EQ(disk("filesystem=\"swap\"\nsize=\"36K\"\n"),
              "g1.toml:8:6: cannot use '36K' as [[disk]] size: swap space takes at least 40K");
    EXPECT_EQ(disk("filesystem=\"swap\"\nsize=\"41K\"\n"),
              "g1.toml:8:6: cannot use '41K' as [[disk]] size: a multiple of 4K is wanted");
    EXPECT_EQ(disk("filesystem=\"swap\"\nsize=\"40K\"\nmount=\"/swap\"\n"),
              "g1.toml:9:7: cannot use '/swap' as [[disk]] mount: swap space is not mounted");
    EXPECT_EQ(disk("filesystem=\"swap\"\nsize=\"40K\"\nlabel=\"sixteen-letters_\"\n"),
              "g1.toml:9:7: cannot use 'sixteen-letters_' as [[disk]] label: swap space has room for 15 characters");
    EXPECT_EQ(disk("filesystem=\"swap\"\nsize=\"40K\"\n"), "none");
}

TEST(Mistakes, PartitionsBelongToATableAndHoldWhatTheirTypeSays) {
    const auto disk = [](const std::string& keys) { return mistakes_after_good("[[disk]]\nname=\"d\"\n" + keys); };
    const std::string part = "[[disk.partition]]\n";
    EXPECT_EQ(disk("table=\"gpt\"\nsize=\"1G\"\n" + part + "type=\"bios-boot\"\nsize=\"1M\"\n" + part +
                   "type=\"esp\"\nsize=\"64M\"\nmount=\"/boot/efi\"\n" + part +
                   "size=\"rest\"\nfilesystem=\"xfs\"\nmount=\"/srv\"\n"),
              "none");
    EXPECT_EQ(disk("table=\"gpt\"\nsize=\"1G\"\n"),
              "g1.toml:6:1: cannot use [[disk]]: it has a table and no partition");
    EXPECT_EQ(
        disk("table=\"gpt\"\nsize=\"1G\"\nlabel=\"x\"\n" + part + "size=\"8M\"\nfilesystem=\"ext4\"\nlogical=true\n"),
        "g1.toml:10:7: cannot use [[disk]] label: a disk with a table has it in its partitions\n"
        "g1.toml:14:9: cannot use [[disk.partition]] logical: only an MBR has logical partitions");
    EXPECT_EQ(disk("table=\"mbr\"\n" + part + "size=\"rest\"\nfilesystem=\"ext4\"\n"),
              "g1.toml:10:6: cannot use 'rest' as [[disk.partition]] size: the disk has no size that could leave one");
    EXPECT_EQ(disk("table=\"mbr\"\nsize=\"1G\"\n" + part + "size=\"rest\"\nfilesystem=\"ext4\"\n" + part +
                   "size=\"rest\"\nfilesystem=\"ext4\"\n"),
              "g1.toml:14:6: cannot use 'rest' as [[disk.partition]] size: another one takes the rest already");
    EXPECT_EQ(disk("table=\"mbr\"\nsize=\"1G\"\n" + part + "size=\"8M\"\ntype=\"lvm\"\nfilesystem=\"ext4\"\n"),
              "g1.toml:13:12: cannot use [[disk.partition]] filesystem: type 'lvm' has none");
    EXPECT_EQ(disk("table=\"mbr\"\nsize=\"1G\"\n" + part + "size=\"8M\"\nfilesystem=\"xfs\"\n"),
              "g1.toml:11:6: cannot use '8M' as [[disk.partition]] size: xfs takes at least 300M");
    EXPECT_EQ(disk("table=\"gpt\"\nsize=\"1G\"\n" + part + "size=\"8M\"\nfilesystem=\"ext4\"\nmount=\"/\"\n"),
              "g1.toml:13:7: cannot use '/' as [[disk.partition]] mount: it is taken by the one at g1.toml:5:9");
}

TEST(Mistakes, DevicesAreWrittenAsTheyAre) {
    const auto disk = [](const std::string& keys) {
        return mistakes_after_good("[[disk]]\nfilesystem=\"ext4\"\nmount=\"/a\"\n" + keys);
    };
    EXPECT_EQ(disk("device=\"/dev/vg0/debian1-root\"\n"), "none");
    EXPECT_EQ(disk("device=\"sdb\"\n"),
              "g1.toml:9:8: cannot use 'sdb' as [[disk]] device: a path below /dev is wanted, as in '/dev/sdb' or "
              "'/dev/vg0/debian1-root'");
    EXPECT_EQ(disk("device=\"/dev/../etc/passwd\"\n"),
              "g1.toml:9:8: cannot use '/dev/../etc/passwd' as [[disk]] device: a device's path has no empty parts, "
              "'.' or '..'");
    EXPECT_EQ(disk("device=\"/dev/sdb\"\nformat=\"qcow2\"\n"),
              "g1.toml:10:8: cannot use 'qcow2' as [[disk]] format: a device has no format");
}

TEST(Mistakes, NoTwoDisksAreAlikeAndBothPlacesAreTold) {
    EXPECT_EQ(mistakes_after_good("[[disk]]\nsize=\"1G\"\nfilesystem=\"ext4\"\nmount=\"/\"\n"),
              "g1.toml:9:7: cannot use '/' as [[disk]] mount: it is taken by the one at g1.toml:5:9");
    EXPECT_EQ(
        mistakes_after_good("[[disk]]\nsize=\"1G\"\nfilesystem=\"ext4\"\nmount=\"/a\"\nname=\"root\"\nguest=\"xvda7\"\n"
                            "[[disk]]\nsize=\"1G\"\nfilesystem=\"ext4\"\nmount=\"/b\"\nguest=\"xvda7\"\n"),
        "g1.toml:10:6: cannot use 'root' as [[disk]] name: it is taken by the one at g1.toml:2:1\n"
        "g1.toml:16:7: cannot use 'xvda7' as [[disk]] guest: it is taken by the one at g1.toml:11:7");
    EXPECT_EQ(
        mistakes_after_good("[[disk]]\nsize=\"1M\"\nfilesystem=\"swap\"\n[[disk]]\nsize=\"1M\"\nfilesystem=\"swap\"\n"),
        "g1.toml:9:1: cannot use 'swap' as [[disk]] name: it is taken by the one at g1.toml:6:1");
}

TEST(Mistakes, NetworksFitTogether) {
    const auto network = [](const std::string& keys) { return mistakes_after_good("[[network]]\n" + keys); };
    EXPECT_EQ(
        network("gateway=\"192.0.2.1\"\n"),
        "g1.toml:7:9: cannot use '192.0.2.1' as [[network]] gateway: the guest learns it with its address, by DHCP");
    EXPECT_EQ(network("address=\"192.0.2.7/28\"\ngateway=\"192.0.2.17\"\n"),
              "g1.toml:8:9: cannot use '192.0.2.17' as [[network]] gateway: it is in no network of 192.0.2.7/28");
    EXPECT_EQ(network("address=\"192.0.2.7/28\"\ngateway=\"192.0.2.7\"\n"),
              "g1.toml:8:9: cannot use '192.0.2.7' as [[network]] gateway: it is the guest's own address");
    EXPECT_EQ(network("address=\"2001:db8::7/64\"\ngateway=\"fe80::1\"\n"), "none");
    EXPECT_EQ(network("address=[\"dhcp\", \"192.0.2.7/24\", \"2001:db8::7/64\"]\n"),
              "g1.toml:7:18: cannot use '192.0.2.7/24' as [[network]] address: the guest's IPv4 address comes by DHCP");
    EXPECT_EQ(network("address=[\"none\", \"slaac\", \"slaac\"]\n"),
              "g1.toml:7:10: cannot use 'none' as [[network]] address: it goes with no other address\n"
              "g1.toml:7:27: cannot use 'slaac' as [[network]] address: it is there already");
    EXPECT_EQ(network("address=\"dhcp5\"\n"),
              "g1.toml:7:9: cannot use 'dhcp5' as [[network]] address: \"dhcp\", \"dhcp4\", \"dhcp6\", \"slaac\", "
              "\"none\" or an address with its prefix is wanted, as in '192.0.2.7/24' or '2001:db8::7/64'");
    EXPECT_EQ(network("address=[\"192.0.2.7/24\", \"2001:db8::7/64\"]\n"
                      "gateway=[\"192.0.2.1\", \"2001:db8::1\", \"fe80::1\"]\nmtu=1200\n"),
              "g1.toml:8:38: cannot use 'fe80::1' as [[network]] gateway: there is one of that family already\n"
              "g1.toml:9:5: cannot use '1200' as [[network]] mtu: IPv6 takes at least 1280");
    EXPECT_EQ(network("address=[]\n"), "g1.toml:7:9: cannot use a list as [[network]] address: it is empty");
    EXPECT_EQ(network("mac=\"00:16:3e:00:00:01\"\n[[network]]\nmac=\"00:16:3E:00:00:01\"\n"),
              "g1.toml:9:5: cannot use '00:16:3e:00:00:01' as [[network]] mac: it is taken by the one at g1.toml:7:5");
}

TEST(Mistakes, VlansHaveAParentAndNoNameOfTheirOwn) {
    const auto network = [](const std::string& keys) { return mistakes_after_good("[[network]]\n" + keys); };
    EXPECT_EQ(network("vlan = 3\n"),
              "g1.toml:6:1: cannot use [[network]] vlan: no network without vlan stands before it");
    EXPECT_EQ(network("[[network]]\nvlan = 3\nparent = \"wan\"\n"),
              "g1.toml:9:10: cannot use 'wan' as [[network]] parent: no network without vlan has this name");
    EXPECT_EQ(
        network("[[network]]\nvlan = 4095\n[[network]]\nvlan = 3\nmac = \"00:16:3e:00:00:01\"\n"),
        "g1.toml:8:8: cannot use '4095' as [[network]] vlan: 1 to 4094 is wanted\n"
        "g1.toml:11:7: cannot use [[network]] mac together with vlan: it is its parent's, and a VLAN's name follows "
        "from that");
    EXPECT_EQ(network("[[network]]\nvlan = 3\n[[network]]\nvlan = 3\n"),
              "g1.toml:10:8: cannot use [[network]]: its name 'lan0.3' is that of the one at g1.toml:7:1");
    EXPECT_EQ(
        network("name = \"eth0\"\n[[network]]\nname = \"a.b\"\n"),
        "g1.toml:7:8: cannot use 'eth0' as [[network]] name: the kernel itself may give it to another interface of "
        "this guest\n"
        "g1.toml:9:8: cannot use 'a.b' as [[network]] name: the name of a network interface is wanted, at most 15 "
        "letters, digits, '_' and '-', not a number");
    EXPECT_EQ(network("name = \"trunk0123456789\"\n[[network]]\nvlan = 3\nparent = \"trunk0123456789\"\n"),
              "g1.toml:9:8: cannot use [[network]] vlan: the name 'trunk0123456789.3' has more than 15 characters");
    EXPECT_EQ(network("name = \"eth0\"\n[[network]]\nvlan = 3\n"), "none");
    EXPECT_EQ(network("parent = \"lan0\"\n"), "g1.toml:7:10: cannot use [[network]] parent without vlan");
}

TEST(Mistakes, DomainValuesHaveBounds) {
    EXPECT_EQ(
        mistakes_after_good(
            "[domain]\nvcpus = 0\nmemory = \"16M\"\nmaxmem = \"1025K\"\non_crash = \"restrat\"\ntype = \"kvm\"\n"),
        "g1.toml:7:9: cannot use '0' as [domain] vcpus: 1 to 128 is wanted\n"
        "g1.toml:8:10: cannot use '16M' as [domain] memory: at least 32M is wanted\n"
        "g1.toml:9:10: cannot use '1025K' as [domain] maxmem: a multiple of 1M is wanted\n"
        "g1.toml:10:12: cannot use 'restrat' as [domain] on_crash: destroy, restart, rename-restart, preserve, "
        "coredump-destroy or coredump-restart is wanted; did you mean 'restart'?\n"
        "g1.toml:11:8: cannot use 'kvm' as [domain] type: pv, pvh or hvm is wanted");
    EXPECT_EQ(mistakes_after_good("[domain]\nmemory = \"1G\"\nmaxmem = \"512M\"\nvcpus = 128\n"),
              "g1.toml:8:10: cannot use '512M' as [domain] maxmem: it is less than memory, 1G");
}

TEST(Mistakes, WhatContradictsItselfIsRefused) {
    EXPECT_EQ(
        mistakes_after_good(
            "[system]\ninclude = [\"vim\", \"nano\"]\nexclude = [\"nano\"]\n[system.kernel]\ninitrd = \"i\"\n"
            "[[system.repository]]\nuri=\"http://a.example.org\"\nsuite=\"x\"\ntrusted=true\nsigned_by=\"k\"\n"
            "[[identity.user]]\nname=\"u\"\n[[identity.user]]\nname=\"u\"\n[[identity.user]]\nname=\"root\"\n"),
        "g1.toml:8:12: cannot use 'nano' as [system] exclude: it is in [system] include as well\n"
        "g1.toml:10:10: cannot use [system.kernel] initrd without path: it belongs to a kernel of the host\n"
        "g1.toml:14:9: cannot use [[system.repository]] trusted together with signed_by: a trusted repository is not "
        "verified\n"
        "g1.toml:19:6: cannot use 'u' as [[identity.user]] name: it is taken by the one at g1.toml:17:6\n"
        "g1.toml:21:6: cannot use 'root' as [[identity.user]] name: root is there already; [identity] has "
        "root_password "
        "and authorized_keys");
    EXPECT_EQ(mistakes_after_good("[system]\nsources = [\"a.list\"]\nmirror = \"http://a.example.org\"\n"),
              "g1.toml:8:10: cannot use [system] mirror together with sources: they say all of that");
}

TEST(Mistakes, PoolsGiveAddressesThatGuestsMayHave) {
    const auto said = [](const std::string& macs) {
        return mistakes_after_good("[guests]\nname = \"g%d\"\ncount = 2\nmacs = \"" + macs + "\"\n[[network]]\n");
    };
    for (const auto* good : {"02:00:00:00:00:01", "AA:00:00:12:23:34", "00:16:3E:00:00:01", "52:54:00:00:00:01"})
        EXPECT_EQ(said(good), "none") << good;
    EXPECT_NE(said("00:50:56:00:00:01").find("it is a manufacturer's; locally administered ones have"),
              std::string::npos);
    EXPECT_NE(said("03:00:00:00:00:01").find("it is a multicast address"), std::string::npos);
}

TEST(Mistakes, NetworksOfGuestsWithAPoolHaveAGateway) {
    const std::string network = "[[network]]\ngateway = \"192.0.2.1\"\n[guests]\nname = \"g%d\"\ncount = 2\n";
    EXPECT_EQ(mistakes_after_good(network + "addresses = \"192.0.2.0/24\"\n"), "none");
    EXPECT_EQ(mistakes_after_good(network + "addresses = \"198.51.100.0/24\"\n"),
              "g1.toml:7:11: cannot use '192.0.2.1' as [[network]] gateway: it is in no network of 198.51.100.1/24");
    EXPECT_EQ(mistakes_after_good("[[network]]\ngateway = \"192.0.2.1\"\n[[guest]]\nname = \"g2\"\n"
                                  "address = [\"192.0.2.7/24\"]\n"),
              "none");
}

TEST(Mistakes, OverlaysAreImagesWithFiles) {
    EXPECT_EQ(mistakes_after_good("overlay = true\n"), "none");
    EXPECT_EQ(mistakes_after_good("overlay = true\nformat = \"vmdk\"\n"),
              "g1.toml:6:11: cannot use 'true' as [[disk]] overlay: only qcow2 images are");
    EXPECT_EQ(mistakes_after_good("[[disk]]\nsize = \"16M\"\nfilesystem = \"swap\"\noverlay = true\n"),
              "g1.toml:9:11: cannot use 'true' as [[disk]] overlay: there are no files that a base could have");
}

}  // namespace
}  // namespace vprov::recipe
