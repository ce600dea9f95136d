// Bytes by URL: the seam between the archive code and the network.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace vprov::archive {

// Takes the next portion of a body. Returning false ends that transfer as failed ("refused by the receiver").
using OnData = std::function<bool(std::string_view portion)>;

// By which a server tells one version of a file from another (RFC 9110, 8.8); "" for what it did not say.
struct Validator {
    std::string etag, last_modified;
    bool empty() const { return etag.empty() && last_modified.empty(); }
    bool operator==(const Validator&) const = default;
};

struct Transfer {
    std::string url;
    Bytes limit;  // more than this many bytes ends the transfer: an endless file fills no disk
    OnData on_data;
    // Exactly once per transfer. `failure` is "" for success, else the cause for a person ("404 Not Found",
    // "timed out", "could not resolve host"); `missing` tells a clear "no such file" from a mirror in trouble.
    struct Outcome {
        std::string failure;
        bool missing = false;
        bool may_pass = false;     // the failure is one of the network: what has come is good as far as it goes
        bool unchanged = false;    // the file is still the one of `known`: nothing was sent
        Validator validator = {};  // of what was sent
    };
    std::function<void(const Outcome&)> on_end;
    // Called before data comes from the beginning once more: forget what was received.
    std::function<void()> on_restart;
    // `origin` asks caches on the way to fetch anew: for a second try after a digest that was wrong.
    enum class Source { any, origin } source = Source::any;
    // What the receiver has of the body already: only the rest is asked for, and on_restart is called where the server
    // sends all of it. After a broken attempt the next one continues in the same way. For bodies whose digest is known.
    std::optional<Bytes> resume_at;
    // Not empty: asks for the file only if it has changed since; HTTP only.
    Validator known;
};

class Transport {
  public:
    virtual ~Transport() = default;
    // Runs all transfers, several at a time, those named first begin first, and returns when each has ended. The
    // callbacks are called from the calling thread. Throws Error(interrupted) on a stop request, and what a callback
    // threw; both end every transfer at once, without an on_end for those that had not ended.
    virtual void run(std::span<Transfer> transfers) = 0;
};

struct CurlOptions {
    std::size_t parallel = 16, parallel_per_host = 8;
    int attempts = 3;  // of each transfer, the first one included
    std::chrono::milliseconds connect_timeout{20000};
    std::chrono::seconds stall_timeout{30};        // without a byte
    std::chrono::milliseconds first_backoff{500};  // doubled for each further attempt
    std::chrono::seconds longest_retry_after{60};  // a server that asks for more is taken as failed
    std::string certificate, private_key;          // PEM files that show an HTTPS server who asks; "" : none
    bool check_certificate = true;                 // off: any server may answer for an HTTPS mirror
    // PEM file of the authorities that HTTPS servers' certificates must come from; "": as curl(1) finds them, in
    // $CURL_CA_BUNDLE, or else $SSL_CERT_FILE and $SSL_CERT_DIR, or else those of this machine.
    std::string ca_certificates;
};

// libcurl's multi interface: connection reuse, a bounded number at once, retries with backoff on what may pass
// (failed connections, timeouts, bodies cut short, 429, 5xx; Retry-After is obeyed), proxies from the environment.
// URLs may be http, https, ftp and file. Redirects lead to http, https and ftp only, and from https to https only.
std::unique_ptr<Transport> make_curl_transport(CurlOptions options = {});

}  // namespace vprov::archive
