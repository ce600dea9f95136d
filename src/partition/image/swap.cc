#include "partition/image/swap.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>

#include "base/error.h"

namespace vprov::partition {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::uint64_t kFewestPages = 10;
constexpr std::string_view kSignature = "SWAPSPACE2";

struct SwapInfo {  // follows 1024 bytes that are left to boot loaders
    std::uint32_t version, last_page, bad_pages;
    std::uint8_t uuid[16];
    char label[16];
};
static_assert(sizeof(SwapInfo) == 44);

}  // namespace

std::string swap_header(Bytes size, const Uuid& uuid, std::string_view label) {
    const auto pages = size.value / kPage;
    if (pages < kFewestPages)
        throw error(ErrorKind::disk, "cannot make swap space of {}: 40 kB are the least", human(size));
    SwapInfo info{};
    info.version = 1;
    info.last_page =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(pages - 1, std::numeric_limits<std::uint32_t>::max()));
    std::ranges::copy(uuid.bytes, info.uuid);
    std::ranges::copy(label.substr(0, sizeof info.label), info.label);
    std::string page(kPage, '\0');
    std::memcpy(page.data() + 1024, &info, sizeof info);
    std::ranges::copy(kSignature, page.end() - static_cast<std::ptrdiff_t>(kSignature.size()));
    return page;
}

}  // namespace vprov::partition
