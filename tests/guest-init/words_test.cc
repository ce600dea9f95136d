extern "C" {
#include "guest-init/words.h"
}

#include <gtest/gtest.h>
#include <sys/mount.h>

#include <string>

namespace {

wishes wishes_of(const char* cmdline) {
    wishes found;
    read_wishes(cmdline, &found);
    return found;
}

TEST(Wishes, AreTheKernelsCommandLine) {
    const auto found =
        wishes_of("root=UUID=1-2 ro console=hvc0 rootfstype=xfs rootflags=noatime,logbufs=8 init=/bin/sh\n");
    EXPECT_STREQ(found.root, "UUID=1-2");
    EXPECT_STREQ(found.filesystem, "xfs");
    EXPECT_STREQ(found.options, "noatime,logbufs=8");
    EXPECT_STREQ(found.init, "/bin/sh");
    EXPECT_FALSE(found.writable);
    EXPECT_FALSE(found.check_always);
    EXPECT_EQ(found.seconds, 30);
}

TEST(Wishes, HaveDefaultsAndTheLastWordWins) {
    EXPECT_STREQ(wishes_of("").root, "");
    EXPECT_STREQ(wishes_of("").init, "/sbin/init");
    EXPECT_STREQ(wishes_of("root=/dev/vda root=/dev/vdb").root, "/dev/vdb");
    EXPECT_TRUE(wishes_of("ro rw").writable);
    EXPECT_FALSE(wishes_of("rw ro").writable);
    EXPECT_TRUE(wishes_of("fsck.mode=force").check_always);
    EXPECT_EQ(wishes_of("rootdelay=90").seconds, 90);
    EXPECT_EQ(wishes_of("rootdelay=5").seconds, 30);
}

TEST(Wishes, MayBeQuotedAndEndWhereInitsBegin) {
    EXPECT_STREQ(wishes_of("root=\"LABEL=my root\" rw").root, "LABEL=my root");
    EXPECT_TRUE(wishes_of("root=\"LABEL=my root\" rw").writable);
    EXPECT_STREQ(wishes_of("root=/dev/vda -- root=/dev/vdb").root, "/dev/vda");
    EXPECT_STREQ(wishes_of("xroot=/dev/vdb root=/dev/vda").root, "/dev/vda");
    EXPECT_EQ(std::string(wishes_of(("root=" + std::string(2000, 'x')).c_str()).root).size(), kWordSize - 1U);
}

TEST(MountFlags, AreTakenOutOfTheOptions) {
    char data[64];
    EXPECT_EQ(mount_flags("noatime,subvol=@,nodev,ro", data, sizeof data),
              static_cast<unsigned long>(MS_NOATIME | MS_NODEV));
    EXPECT_STREQ(data, "subvol=@");
    EXPECT_EQ(mount_flags("", data, sizeof data), 0U);
    EXPECT_STREQ(data, "");
    EXPECT_EQ(mount_flags("a,,b=1,defaults,c", data, sizeof data), 0U);
    EXPECT_STREQ(data, "a,b=1,c");
    char small[8];
    mount_flags("first=1,second=2", small, sizeof small);
    EXPECT_STREQ(small, "");
}

TEST(Patterns, AreThoseOfModulesAlias) {
    const char* virtio = "pci:v00001AF4d00001001sv00001AF4sd00000002bc01sc00i00";
    EXPECT_TRUE(matches("pci:v00001AF4d*sv*sd*bc*sc*i*", virtio));
    EXPECT_FALSE(matches("pci:v00008086d*sv*sd*bc*sc*i*", virtio));
    EXPECT_FALSE(matches("pci:v00001AF4d*sv*sd*bc*sc*i*x", virtio));
    EXPECT_TRUE(matches("virtio:d00000002v*", "virtio:d00000002v00001AF4"));
    EXPECT_TRUE(matches("xen:vbd", "xen:vbd"));
    EXPECT_FALSE(matches("xen:vbd", "xen:vbd2"));
    EXPECT_FALSE(matches("xen:vbd", "xen:vb"));
    EXPECT_TRUE(matches("*", ""));
    EXPECT_TRUE(matches("a?c*", "abc"));
    EXPECT_FALSE(matches("a?c", "ac"));
    EXPECT_TRUE(matches("d[0-3]x[!a-c]", "d2xd"));
    EXPECT_FALSE(matches("d[0-3]x[!a-c]", "d4xd"));
    EXPECT_FALSE(matches("d[0-3]x[!a-c]", "d2xb"));
    EXPECT_FALSE(matches("d[0-3", "d1"));
    EXPECT_TRUE(matches("*ab", "aab"));
}

TEST(Texts, AreComparedAndWritten) {
    EXPECT_TRUE(same_without_case("AbC-1", "aBc-1"));
    EXPECT_FALSE(same_without_case("abc", "abcd"));
    EXPECT_STREQ(without("root=x", "root="), "x");
    EXPECT_EQ(without("ro", "root="), nullptr);
    EXPECT_EQ(number_in("120x"), 120);
    char text[kUuidSize];
    const unsigned char bytes[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    write_uuid(bytes, 0, text);
    EXPECT_STREQ(text, "00010203-0405-0607-0809-0a0b0c0d0e0f");
    write_uuid(bytes, 1, text);
    EXPECT_STREQ(text, "03020100-0504-0706-0809-0a0b0c0d0e0f");
}

}  // namespace
