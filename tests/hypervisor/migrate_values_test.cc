// What a move is made of: the choice of its method, the lock on a guest's memory, streams over one connection.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <thread>

#include "base/error.h"
#include "hypervisor/launch/guest_ram.h"
#include "hypervisor/migrate/method.h"
#include "hypervisor/migrate/streams.h"

namespace vprov::hypervisor {
namespace {

TEST(MethodTest, WhatIsRightForEngineAndVersion) {
    const auto method = [](bool kvm, std::string_view qemu, bool shares, bool faults, bool live) {
        return name_of(choose_method({kvm, qemu, shares, faults, live}));
    };
    EXPECT_EQ(method(false, "7.2.22", true, true, true), "shared");
    EXPECT_EQ(method(false, "7.2.22", false, true, true), "postcopy");
    EXPECT_EQ(method(false, "7.2.22", false, false, true), "copy");
    EXPECT_EQ(method(false, "7.2.22", false, true, false), "copy");
    EXPECT_EQ(method(false, "9.0.0", false, true, true), "precopy");
    EXPECT_EQ(method(false, "10.0.2", false, true, true), "precopy");
    EXPECT_EQ(method(true, "7.2.22", false, true, true), "precopy");
}

TEST(GuestRamTest, OneAtATimeMayRunIt) {
    const auto ram = GuestRam::make(1);
    const RamFile file{identify_process(::getpid()), ram.fd().get(), ram.inode()};
    const auto other = GuestRam::of_other(file);
    EXPECT_FALSE(other.take());
    EXPECT_TRUE(ram.take());
    ram.give();
    EXPECT_TRUE(other.take());
    EXPECT_FALSE(ram.take());
    EXPECT_FALSE(GuestRam::of_adopted(file).take());  // the same lock as ram's
    EXPECT_THROW(GuestRam::of_other({file.qemu, file.fd, file.inode + 1}), Error);
}

struct Ends {
    os::Fd left, right;
};
Ends connected() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    return {os::Fd(ends[0]), os::Fd(ends[1])};
}
os::Fd again(const os::Fd& fd) {
    return os::Fd(::dup(fd.get()));
}
std::string all_of(const os::Fd& fd) {
    std::string text;
    std::array<char, 65536> buffer{};
    for (ssize_t count = 0; (count = ::recv(fd.get(), buffer.data(), buffer.size(), 0)) > 0;)
        text.append(buffer.data(), static_cast<std::size_t>(count));
    return text;
}

TEST(StreamsTest, EachStreamArrivesWholeAndBeforeItsEnd) {
    auto ends = connected();
    Streams left(again(ends.left), again(ends.left));
    Streams right(again(ends.right), again(ends.right));
    ends = {};
    std::string much(5 << 20, '\0');
    for (std::size_t i = 0; i < much.size(); ++i) much[i] = static_cast<char>(i * 2654435761U >> 13);
    auto one = left.open(1);
    auto two = left.open(2);
    const auto other_one = right.open(1);
    std::thread writer([&] {
        os::write_all(one.get(), much, "much");
        one.reset();
    });
    os::write_all(two.get(), "little", "little");
    ::shutdown(two.get(), SHUT_WR);
    EXPECT_EQ(all_of(other_one), much);
    writer.join();
    const auto other_two = right.open(2);  // late: it has waited
    EXPECT_EQ(all_of(other_two), "little");
    os::write_all(other_two.get(), "back", "back");
    ::shutdown(other_two.get(), SHUT_WR);
    EXPECT_EQ(all_of(two), "back");
}

TEST(StreamsTest, ALostConnectionEndsAll) {
    auto ends = connected();
    Streams left(again(ends.left), again(ends.left));
    const auto one = left.open(1);
    ends = {};
    EXPECT_EQ(all_of(one), "");
    EXPECT_EQ(all_of(left.open(2)), "");
}

TEST(StreamsTest, WhatWasSaidLastIsStillSent) {
    auto ends = connected();
    Streams right(again(ends.right), again(ends.right));
    const auto heard = right.open(0);
    {
        Streams left(again(ends.left), again(ends.left));
        const auto one = left.open(0);
        ends = {};
        os::write_all(one.get(), "last word", "it");
    }
    EXPECT_EQ(all_of(heard), "last word");
}

}  // namespace
}  // namespace vprov::hypervisor
