// Domains into files and out of them.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "hypervisor/domains_fixture.h"
#include "hypervisor/guest/qemu_argv.h"
#include "hypervisor/save/begun.h"
#include "hypervisor/save/save.h"
#include "hypervisor/save/save_file.h"

namespace vprov::hypervisor {
namespace {

class SaveTest : public DomainsTest {
  protected:
    void SetUp() override {
        DomainsTest::SetUp();
        fs::create_directory(kept_);
    }
    void TearDown() override {
        DomainsTest::TearDown();
        for (const auto& entry : fs::directory_iterator(kept_)) EXPECT_EQ(entry.path(), file_);
    }

    // A domain that has come to its loop, and says so.
    Domains::Console started(const Guest& guest) const {
        create(guest);
        auto console = domains_.open_console(guest.name, Domains::ConsoleMode::write);
        read_until(console, "tiny login: ");
        return console;
    }
    static void expect_answer(const Domains::Console& console) {
        type(console, "Z");
        EXPECT_EQ(read_until(console, "Z"), "Z");
    }
    // It answers, and has not booted again.
    void expect_alive(const std::string& name) const {
        auto console = domains_.open_console(name, Domains::ConsoleMode::write);
        std::string said(console.recent, '\0');
        if (!said.empty()) {
            ASSERT_EQ(::recv(console.stream.get(), said.data(), said.size(), MSG_WAITALL),
                      static_cast<ssize_t>(said.size()));
        }
        ASSERT_TRUE(console.writable);
        expect_answer(console);
    }
    CreatedDomain restore(bool paused = false, bool force = false) const {
        return restore_domain(domains_, file_, {fs::read_symlink("/proc/self/exe").native(), paused, force});
    }
    void save(const std::string& name, AfterSave after = AfterSave::end) const {
        save_domain(domains_, name, file_, {after, true});
        if (after == AfterSave::end) {
            ASSERT_TRUE(domains_.wait_until_gone(name, 20s));
        }
    }
    static std::string error_of(const std::function<void()>& change) {
        try {
            change();
        } catch (const Error& e) {
            return e.message();
        }
        return "no error";
    }
    std::string restore_error() const {
        return error_of([&] { restore(); });
    }
    std::string because(std::string_view cause) const {
        return fmt::format("cannot restore from {}: {}", quote(file_.native()), cause);
    }
    Guest with_disk(std::string name) const {
        auto guest = tiny(std::move(name));
        os::write_file(data_, std::string(1 << 20, 'd'));
        guest.disks.push_back({data_.native(), DiskFormat::raw, "xvdb", true, false});
        return guest;
    }

    fs::path kept_ = work_.path() / "kept", file_ = kept_ / "tiny.save", data_ = work_.path() / "data.img";
};

TEST_F(SaveTest, ADomainGoesOnFromItsFile) {
    { const auto console = started(tiny("tiny")); }
    save("tiny");
    EXPECT_TRUE(domains_.list().empty());
    struct stat status {};
    ASSERT_EQ(::stat(file_.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0600U);
    for (int time = 0; time < 2; ++time) {  // the file stays
        EXPECT_EQ(restore().name, "tiny");
        expect_alive("tiny");
        EXPECT_EQ(domains_.configuration("tiny").memory_mib, 32U);
        domains_.destroy("tiny");
    }
}

TEST_F(SaveTest, ARestoredDomainRestartsAsAnother) {
    { const auto console = started(tiny("tiny")); }
    save("tiny");
    restore();
    auto console = domains_.open_console("tiny", Domains::ConsoleMode::write);
    type(console, "r");
    EXPECT_TRUE(read_until(console, "tiny login: ").starts_with("\r\n[tiny rebooted]\r\n"));
}

TEST_F(SaveTest, PausedAfterRestoring) {
    { const auto console = started(tiny("tiny")); }
    save("tiny");
    restore(true);
    EXPECT_EQ(domains_.find("tiny").state, "--p---");
    domains_.unpause("tiny");
    expect_alive("tiny");
    EXPECT_EQ(domains_.find("tiny").state[2], '-');
}

TEST_F(SaveTest, ACheckpointLetsItGoOn) {
    const auto console = started(tiny("tiny"));
    save("tiny", AfterSave::run);
    expect_answer(console);
    EXPECT_EQ(restore_error(), because("a domain named 'tiny' is running"));
    domains_.destroy("tiny");
    restore();
    expect_alive("tiny");
}

TEST_F(SaveTest, SavedAndLeftPaused) {
    const auto console = started(tiny("tiny"));
    save("tiny", AfterSave::pause);
    EXPECT_EQ(domains_.find("tiny").state, "--p---");
    save("tiny", AfterSave::run);  // as it was before: paused
    EXPECT_EQ(domains_.find("tiny").state, "--p---");
    domains_.unpause("tiny");
    expect_answer(console);
}

TEST_F(SaveTest, ADiskThatHasChangedSince) {
    { const auto console = started(with_disk("tiny")); }
    save("tiny");
    const auto saved = open_save(file_).saved;
    ASSERT_EQ(saved.files.size(), 2U);
    EXPECT_EQ(saved.files[1], identify_file(data_));
    os::write_file(data_, std::string(1 << 20, 'e'));
    const auto refusal = because(
        fmt::format("its disk {} has changed since it was saved: another file has its name", quote(data_.native())));
    EXPECT_TRUE(restore_error().starts_with(refusal)) << restore_error();
    EXPECT_TRUE(domains_.list().empty());
    restore(false, true);
    expect_alive("tiny");
}

// All of it is its owner's only: QEMU has been given it open.
TEST_F(SaveTest, AnOverlayAndWhatItIsBasedOn) {
    auto guest = with_disk("tiny");
    const auto top = work_.path() / "top.qcow2";
    const os::Command command{
        {"qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", data_.native(), top.native()},
        os::clean_environment(),
        ""};
    ASSERT_TRUE(os::SystemCommandRunner().run(command).ok());
    for (const auto& image : {data_, top}) fs::permissions(image, fs::perms::owner_read | fs::perms::owner_write);
    guest.disks.back() = {top.native(), DiskFormat::qcow2, "xvdb", true, false};
    { const auto console = started(guest); }
    save("tiny");
    const auto saved = open_save(file_).saved;
    ASSERT_EQ(saved.files.size(), 3U);
    EXPECT_EQ(saved.files[2], identify_file(data_));
    restore();
    expect_alive("tiny");
    domains_.destroy("tiny");
    fs::last_write_time(top, fs::file_time_type::clock::now());
    EXPECT_TRUE(restore_error().starts_with(because(fmt::format("its disk {} has changed", quote(top.native())))));
}

TEST_F(SaveTest, WithoutASandboxAlsoAfterwards) {
    CreateOptions options{fs::read_symlink("/proc/self/exe").native(), EngineChoice::tcg, work_.path()};
    options.sandbox = false;
    domains_.create(tiny("tiny"), options);
    save("tiny");
    restore();
    EXPECT_FALSE(domains_.state().read_request("tiny")->sandbox);
}

TEST_F(SaveTest, AFailureLeavesTheDomainAsItWas) {
    const auto console = started(tiny("tiny"));
    EXPECT_EQ(error_of([&] { save_domain(domains_, "tiny", kept_, {}); }),
              fmt::format("cannot save 'tiny': cannot write {}: it is there and not a file", quote(kept_.native())));
    EXPECT_EQ(error_of([&] { save_domain(domains_, "tiny", "/dev/full", {}); }),
              "cannot save 'tiny': cannot write '/dev/full': it is there and not a file");
    const auto nowhere = work_.path() / "none" / "file";
    EXPECT_EQ(error_of([&] { save_domain(domains_, "tiny", nowhere, {}); }),
              fmt::format("cannot save 'tiny': cannot create {}: No such file or directory", quote(nowhere.native())));
    expect_answer(console);
    EXPECT_EQ(domains_.find("tiny").state[2], '-');
}

TEST_F(SaveTest, AFileThatIsNotACompleteSave) {
    { const auto console = started(tiny("tiny")); }
    save("tiny");
    const auto size = fs::file_size(file_);
    fs::resize_file(file_, size - 1);
    EXPECT_EQ(restore_error(),
              because(fmt::format("it is not complete: it has {} bytes and should have {}", size - 1, size)));
    fs::resize_file(file_, 40);
    EXPECT_EQ(restore_error(), because("it is not a domain that 'vprov save' has written"));
    os::write_file(file_, std::string(1000, 'x'));
    EXPECT_EQ(restore_error(), because("it is not a domain that 'vprov save' has written"));
    fs::remove(file_);
    EXPECT_TRUE(restore_error().ends_with("No such file or directory")) << restore_error();
    EXPECT_TRUE(domains_.list().empty());
}

TEST_F(SaveTest, AnotherVersionOrADamagedHeader) {
    { const auto console = started(tiny("tiny")); }
    save("tiny");
    auto text = os::read_file(file_);
    const auto with = [&](std::size_t at, char byte) {
        auto changed = text;
        changed[at] = byte;
        os::write_file(file_, changed);
    };
    with(16, 9);
    EXPECT_EQ(restore_error(), because("its format has the version 9, and this vprov knows 1"));
    with(100, '!');
    EXPECT_EQ(restore_error(), because("its header is damaged"));
    os::write_file(file_, text);
    auto other = open_save(file_).saved;
    const auto now = other.qemu;
    other.qemu = "6.0.1";
    const auto file = os::open_file(file_, O_RDWR);
    write_header(file, stream_offset(other.request, other.files.size()), other);
    EXPECT_EQ(restore_error(),
              because(fmt::format("it was saved by QEMU 6.0.1 ({0}), and this is QEMU {1} ({0})", other.machine, now)));
    EXPECT_TRUE(domains_.wait_until_gone("tiny", 20s));
}

TEST_F(SaveTest, ADeviceThatIsNotWhereANewStartHasIt) {
    auto guest = with_disk("tiny");
    const auto late = guest.disks.back();
    guest.disks.pop_back();
    guest.interfaces.emplace_back();
    const auto console = started(guest);
    {
        auto monitor = domains_.monitor("tiny");
        const auto file = name_in_qemu(monitor.pass_file(os::open_file(late.target, O_RDWR), late.target));
        monitor.execute("blockdev-add",
                        {{"driver", "raw"}, {"node-name", "late"}, {"file", {{"driver", "file"}, {"filename", file}}}});
        monitor.execute("device_add", {{"driver", "virtio-blk-pci"}, {"id", "xvdb"}, {"drive", "late"}});
    }
    guest.disks.push_back(late);
    domains_.record_change("tiny", guest);
    EXPECT_EQ(error_of([&] { save_domain(domains_, "tiny", file_, {}); }),
              "cannot save 'tiny': its device 'xvdb' is at another place than a new start would give it, for devices "
              "were attached or detached since it was created");
    expect_answer(console);
}

// Its supervisor dies when the domain has begun and nobody has been told.
TEST_F(SaveTest, WhatHasBegunIsKnownByItsNextSupervisor) {
    const auto console = started(tiny("tiny"));
    const auto kill_supervisor = [&] {
        const auto supervisor = open_process(domains_.state().read("tiny")->supervisor);
        send_signal(supervisor, SIGKILL);
        ASSERT_TRUE(wait_for_end(supervisor, 10s));
    };
    kill_supervisor();
    EXPECT_TRUE(has_begun_all_the_same(domains_, "tiny", Phase::running));
    expect_alive("tiny");
    domains_.pause("tiny");
    kill_supervisor();
    EXPECT_FALSE(has_begun_all_the_same(domains_, "tiny", Phase::running));
    EXPECT_TRUE(domains_.list().empty());
}

// What follows the header is QEMU's; what it makes of garbage is an error and no domain.
TEST_F(SaveTest, AStreamThatQemuRefuses) {
    { const auto console = started(tiny("tiny")); }
    save("tiny");
    auto text = os::read_file(file_);
    const auto offset = stream_offset(open_save(file_).saved.request, 1);
    text.replace(offset, 64, std::string(64, '?'));
    os::write_file(file_, text);
    EXPECT_TRUE(restore_error().starts_with(because(""))) << restore_error();
    EXPECT_TRUE(domains_.wait_until_gone("tiny", 20s));
}

// A file system of its own of 200 KiB.
class SmallFileSystem {
  public:
    explicit SmallFileSystem(fs::path path) : path_(std::move(path)) {
        fs::create_directory(path_);
        is_mounted_ = ::mount("none", path_.c_str(), "tmpfs", 0, "size=200k") == 0;
    }
    ~SmallFileSystem() {
        if (is_mounted_ && ::umount(path_.c_str()) != 0)
            ADD_FAILURE() << "the file system is in use";
    }
    bool is_mounted() const { return is_mounted_; }

  private:
    fs::path path_;
    bool is_mounted_ = false;
};

TEST_F(SaveTest, ADiskWithoutRoomForTheFile) {
    const auto console = started(tiny("tiny"));
    const auto place = work_.path() / "small";
    const SmallFileSystem small(place);
    if (!small.is_mounted())
        GTEST_SKIP() << "mounting is not allowed";
    const auto failure = error_of([&] { save_domain(domains_, "tiny", place / "file", {}); });
    EXPECT_TRUE(failure.starts_with("cannot save 'tiny': ")) << failure;
    EXPECT_NE(failure.find("No space left on device"), std::string::npos) << failure;
    expect_answer(console);
    EXPECT_TRUE(fs::is_empty(place));
}

}  // namespace
}  // namespace vprov::hypervisor
