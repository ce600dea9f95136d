// Bytes by URL: the seam between the archive code and the network.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace vprov::archive {

// Takes the next portion of a body. Returning false ends that transfer as failed ("refused by the receiver").
using OnData = std::function<bool(std::string_view portion)>;

struct Transfer {
    std::string url;
    Bytes limit;            // more than this many bytes ends the transfer: an endless file fills no disk
    OnData on_data;
    // Exactly once per transfer. `failure` is "" for success, else the cause for a person ("404 Not Found",
    // "timed out", "could not resolve host"); `missing` tells a clear "no such file" from a mirror in trouble.
    struct Outcome {
        std::string failure;
        bool missing = false;
    };
    std::function<void(const Outcome&)> on_end;
    // Called before another attempt starts from the beginning: forget what was received.
    std::function<void()> on_restart;
};

class Transport {
  public:
    virtual ~Transport() = default;
    // Runs all transfers, several at a time, and returns when each has ended. Throws only Error(interrupted).
    virtual void run(std::span<Transfer> transfers) = 0;
};

// libcurl's multi interface: connection reuse, a bounded number at once, retries with backoff on what may pass
// (timeouts, 429, 5xx; Retry-After is obeyed), redirects only to http, https and ftp, proxies from the environment.
std::unique_ptr<Transport> make_curl_transport();

}  // namespace vprov::archive
