#include "hypervisor/migrate/method.h"

#include <array>
#include <charconv>

#include "base/error.h"
#include "base/text.h"

namespace vprov::hypervisor {
namespace {

constexpr int kFirstSoundTcg = 9;
constexpr std::array<std::string_view, 4> kNames = {"shared", "precopy", "postcopy", "copy"};

int major_version(std::string_view version) {
    int major = 0;
    std::from_chars(version.data(), version.data() + version.size(), major);
    return major;
}

}  // namespace

Method choose_method(const MoveFacts& facts) {
    if (facts.shares_memory)
        return Method::shared;
    if (!facts.live)
        return Method::copy;
    if (facts.is_kvm || major_version(facts.qemu) >= kFirstSoundTcg)
        return Method::precopy;
    return facts.has_userfaultfd ? Method::postcopy : Method::copy;
}

StateStream stream_of(Method method) {
    switch (method) {
        case Method::shared:
            return StateStream::devices;
        case Method::postcopy:
            return StateStream::following;
        case Method::precopy:
            return StateStream::live;
        case Method::copy:
            break;
    }
    return StateStream::whole;
}

std::string_view name_of(Method method) {
    return kNames[static_cast<std::size_t>(method)];
}

Method method_of(std::string_view name) {
    for (std::size_t i = 0; i < kNames.size(); ++i)
        if (kNames[i] == name)
            return static_cast<Method>(i);
    throw error(ErrorKind::hypervisor, "cannot move a domain by {}: this way is not known", quote(name));
}

}  // namespace vprov::hypervisor
