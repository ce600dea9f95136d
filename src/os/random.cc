#include "os/random.h"

#include <sys/random.h>

#include <cerrno>
#include <vector>

#include "base/error.h"

namespace vprov::os {

void fill_with_random(std::span<std::byte> bytes) {
    while (!bytes.empty()) {
        const auto count = ::getrandom(bytes.data(), bytes.size(), 0);
        if (count < 0 && errno != EINTR)
            throw system_error(ErrorKind::internal, errno, "cannot get random numbers");
        if (count > 0)
            bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
}

std::string random_hex(std::size_t bytes) {
    std::vector<std::byte> random(bytes);
    fill_with_random(random);
    std::string text;
    for (const auto byte : random) text += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
    return text;
}

std::string random_uuid() {
    auto text = random_hex(16);
    text[12] = '4';
    text[16] = "89ab"[(text[16] <= '9' ? text[16] - '0' : text[16] - 'a' + 10) & 3];
    for (const std::size_t place : {20U, 16U, 12U, 8U}) text.insert(place, 1, '-');
    return text;
}

}  // namespace vprov::os
