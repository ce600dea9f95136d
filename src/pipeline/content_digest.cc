#include "pipeline/content_digest.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/digest.h"
#include "base/error.h"
#include "base/text.h"
#include "os/fd.h"

namespace vprov::pipeline {
namespace {

constexpr std::uint64_t kPart = 1 << 20;

class Parts {
  public:
    explicit Parts(const std::filesystem::path& file) : name_(file), fd_(os::open_file(file, O_RDONLY)) {
        struct stat status {};
        if (::fstat(fd_.get(), &status) != 0)
            fail();
        size_ = static_cast<std::uint64_t>(status.st_size);
        digests_.resize((size_ + kPart - 1) / kPart);
    }

    std::string digest() {
        {
            std::vector<std::jthread> threads;
            for (unsigned i = 0; i < std::max(1U, std::thread::hardware_concurrency()); ++i)
                threads.emplace_back([this] { work(); });
        }
        if (failure_)
            std::rethrow_exception(failure_);
        auto text = fmt::format("{}\n", size_);
        for (std::size_t i = 0; i < digests_.size(); ++i)
            if (!digests_[i].empty())
                text += fmt::format("{} {}\n", i, digests_[i]);
        return sha256(text).hex();
    }

  private:
    [[noreturn]] void fail() const {
        throw system_error(ErrorKind::disk, errno, "cannot read " + quote(name_.native()));
    }

    void work() try {
        std::string bytes;
        for (auto i = next_++; i < digests_.size(); i = next_++) digests_[i] = digest_of(i, bytes);
    } catch (...) {
        const std::lock_guard lock(mutex_);
        failure_ = std::current_exception();
    }

    // "" for zeros.
    std::string digest_of(std::size_t part, std::string& bytes) const {
        const auto begin = part * kPart;
        const auto data = ::lseek(fd_.get(), static_cast<off_t>(begin), SEEK_DATA);
        if (data < 0 ? errno == ENXIO : static_cast<std::uint64_t>(data) >= begin + kPart)
            return {};
        bytes.resize(std::min(kPart, size_ - begin));
        for (std::size_t done = 0; done < bytes.size();) {
            const auto count =
                ::pread(fd_.get(), bytes.data() + done, bytes.size() - done, static_cast<off_t>(begin + done));
            if (count < 0 && errno == EINTR)
                continue;
            if (count == 0)
                errno = EIO;  // it has become shorter
            if (count <= 0)
                fail();
            done += static_cast<std::size_t>(count);
        }
        const bool zeros = std::ranges::all_of(bytes, [](char byte) { return byte == 0; });
        return zeros ? "" : sha256(bytes).hex();
    }

    std::filesystem::path name_;
    os::Fd fd_;
    std::uint64_t size_ = 0;
    std::vector<std::string> digests_;
    std::atomic<std::size_t> next_{0};
    std::mutex mutex_;
    std::exception_ptr failure_;
};

}  // namespace

std::string content_digest(const std::filesystem::path& file) {
    return Parts(file).digest();
}

}  // namespace vprov::pipeline
