#include "partition/image/parted_session.h"

#include "base/error.h"

namespace vprov::partition {
namespace {

std::string& last_words() {
    static std::string words;
    return words;
}

// libparted has one handler of errors for all threads.
std::mutex& one_at_a_time() {
    static std::mutex mutex;
    return mutex;
}

PedExceptionOption keep_words(PedException* exception) {
    if (exception->type >= PED_EXCEPTION_ERROR)
        last_words() = exception->message ? exception->message : "";
    // as parted(8) in scripts: a warning does not stop it, an error does
    if (exception->type < PED_EXCEPTION_ERROR && (exception->options & PED_EXCEPTION_IGNORE) != 0)
        return PED_EXCEPTION_IGNORE;
    return PED_EXCEPTION_UNHANDLED;
}

}  // namespace

PartedSession::PartedSession(std::string purpose) : alone_(one_at_a_time()), purpose_(std::move(purpose)) {
    last_words().clear();
    parted().exception_set_handler(keep_words);
}

PartedSession::~PartedSession() {
    if (device_)
        parted().device_destroy(device_);
    parted().exception_set_handler(nullptr);
}

PedDevice* PartedSession::open(const std::filesystem::path& path, std::uint32_t sector_size) {
    device_ = parted().device_get(path.c_str());
    check(device_ != nullptr, "look at it");
    if (sector_size != 0 && device_->sector_size != sector_size) {  // of an image it takes 512
        device_->length = device_->length * device_->sector_size / sector_size;
        device_->sector_size = device_->phys_sector_size = sector_size;
    }
    return device_;
}

void PartedSession::check(bool succeeded, std::string_view step) const {
    if (!succeeded)
        throw error(ErrorKind::disk, "cannot {}: libparted does not {}: {}", purpose_, step,
                    last_words().empty() ? "it does not say why" : last_words());
}

}  // namespace vprov::partition
