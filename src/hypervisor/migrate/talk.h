// What the two commands of a move say to each other: JSON objects, one a line, on stream 0 of their connection.
//
//   source                                target
//   {"offer": OFFER}                  ->
//                                     <-  {"files": [DIGEST, ...]}        with copies: "" for one that is not there
//   [those, on stream 2]              ->
//                                     <-  {"ready": METHOD, "warnings": [...]}    a domain waits there
//   [disks, NBD on streams 3...]      ->                                with copies, while it runs here
//   [the state, on stream 1]          ->
//                                     <-  {"loaded": true}
//   {"go": true}                      ->                                          it is not run here any more
//                                     <-  {"running": true}
// Either side says {"error": TEXT} instead, and ends.
#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "hypervisor/guest/guest.h"
#include "hypervisor/launch/domain_record.h"
#include "os/fd.h"

namespace vprov::hypervisor {

inline constexpr std::uint8_t kTalkStream = 0;
inline constexpr std::uint8_t kStateStream = 1;
inline constexpr std::uint8_t kFileStream = 2;
inline constexpr std::uint8_t kFirstDiskStream = 3;

class Talk {
  public:
    // `peer`: how messages call the other side.
    Talk(os::Fd stream, std::string peer) : stream_(std::move(stream)), peer_(std::move(peer)) {}

    void say(const nlohmann::json& message);
    // The next message, which has the member `wanted`. Throws Error(hypervisor): what the other side says is wrong,
    // "the connection to PEER has ended", or that nothing came in `most`; Error(interrupted).
    nlohmann::json hear(std::string_view wanted, std::chrono::milliseconds most);
    bool has_message() const { return unread_.find('\n') != std::string::npos; }
    bool has_refused() const { return has_refused_; }  // the other side has said that something is wrong
    // Throws as hear() does when the other side has said that something is wrong, or has gone.
    void check();

  private:
    bool read_more(std::chrono::milliseconds most);
    nlohmann::json next();

    os::Fd stream_;
    std::string peer_, unread_;
    bool has_refused_ = false;
};

// A file of the guest that is copied along.
struct FileCopy {
    std::string path;         // at the source
    std::uint64_t bytes = 0;  // of a disk: as the guest sees it
    std::string format;       // a disk's that the guest writes to, as QEMU calls it; "" : nobody writes to the file
    unsigned disk = 0;        // such a disk's number among the guest's
    bool operator==(const FileCopy&) const = default;
};

// What is to be moved, and what a target needs to know to judge whether it can take it.
struct Offer {
    LaunchRequest request;             // the domain: guest, CPU seconds, console, memory when it can be shared
    std::string engine;                // "KVM" or "TCG"
    std::string qemu;                  // its version: "7.2.22"
    std::string machine;               // "pc-i440fx-7.2"
    bool live = false;                 // as short an interruption as there can be, at the price of postcopy's risk
    bool runs = false;                 // and shall there; false: it is paused
    std::vector<std::string> bridges;  // of its interfaces that are on one
    std::string method;                // "" : the target chooses
    std::vector<FileCopy> copies;      // empty: its files are there
    std::string directory;             // for them; "" : the directories that they have here
};
nlohmann::json to_json(const Offer& offer);
Offer offer_from_json(const nlohmann::json& json);  // throws Error(hypervisor)

}  // namespace vprov::hypervisor
