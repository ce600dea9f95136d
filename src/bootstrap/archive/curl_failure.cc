#include "bootstrap/archive/curl_failure.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/error.h"
#include "base/text.h"

namespace vprov::archive {
namespace {

struct NamedStatus {
    long status;
    std::string_view name;
};

constexpr std::array kNames = {
    NamedStatus{300, "Multiple Choices"},
    NamedStatus{304, "Not Modified"},
    NamedStatus{400, "Bad Request"},
    NamedStatus{401, "Unauthorized"},
    NamedStatus{403, "Forbidden"},
    NamedStatus{404, "Not Found"},
    NamedStatus{405, "Method Not Allowed"},
    NamedStatus{407, "Proxy Authentication Required"},
    NamedStatus{408, "Request Timeout"},
    NamedStatus{410, "Gone"},
    NamedStatus{414, "URI Too Long"},
    NamedStatus{429, "Too Many Requests"},
    NamedStatus{451, "Unavailable For Legal Reasons"},
    NamedStatus{500, "Internal Server Error"},
    NamedStatus{501, "Not Implemented"},
    NamedStatus{502, "Bad Gateway"},
    NamedStatus{503, "Service Unavailable"},
    NamedStatus{504, "Gateway Timeout"},
    NamedStatus{511, "Network Authentication Required"},
};

CurlFailure http_failure(long status) {
    return {status_text(status), status == 404 || status == 410,
            status == 408 || status == 429 || (status >= 500 && status != 501 && status != 505)};
}

std::string forbidden_protocol(const CurlEnd& end) {
    if (end.location.empty())
        return "its protocol is none of http, https, ftp and file";
    return fmt::format("redirected to {}, which is not allowed", quote(end.location));
}

CurlFailure connect_failure(const CurlEnd& end) {
    switch (end.connect_errno) {
        case ECONNREFUSED:
            return {"connection refused", false, true};
        case ENETUNREACH:
        case EHOSTUNREACH:
            return {"the network is unreachable", false, true};
        default:
            return {fmt::format("could not connect to {}", quote(end.host)), false, true};
    }
}

struct NamedFlaw {
    std::string_view detail, text;
};

// What OpenSSL says (X509_verify_cert_error_string(3)) and what that means to who wants a file.
constexpr std::array kFlaws = {
    NamedFlaw{"certificate has expired", "it has expired"},
    NamedFlaw{"certificate is not yet valid", "it is not valid yet"},
    NamedFlaw{"unable to get local issuer certificate", "no authority that is known here has issued it"},
    NamedFlaw{"self-signed certificate in certificate chain", "its authority is not known here"},
    NamedFlaw{"self-signed certificate", "it is self-signed"},
};

CurlFailure certificate_failure(const CurlEnd& end) {
    auto detail = trimmed(end.detail);
    for (const std::string_view prefix : {"SSL certificate problem: ", "SSL: "})
        if (detail.starts_with(prefix))
            detail.remove_prefix(prefix.size());
    const auto* named = std::find_if(kFlaws.begin(), kFlaws.end(), [&](const auto& n) { return n.detail == detail; });
    if (named != kFlaws.end())
        detail = named->text;
    const bool other_host = detail.find("target host name") != std::string_view::npos;
    return {fmt::format("the server's certificate is not valid: {}",
                        other_host ? fmt::format("it is not for {}", quote(end.host)) : std::string(detail)),
            false, false};
}

}  // namespace

std::string status_text(long status) {
    const auto* named = std::find_if(kNames.begin(), kNames.end(), [&](const auto& n) { return n.status == status; });
    return named == kNames.end() ? fmt::format("{}", status) : fmt::format("{} {}", status, named->name);
}

CurlFailure describe(const CurlEnd& end) {
    switch (end.code) {
        case CURLE_OK:
            return end.http && (end.status < 200 || end.status > 299) ? http_failure(end.status) : CurlFailure{};
        case CURLE_COULDNT_RESOLVE_HOST:
            return {fmt::format("could not resolve host {}", quote(end.host)), false, true};
        case CURLE_COULDNT_RESOLVE_PROXY:
            return {"could not resolve the proxy's host", false, true};
        case CURLE_COULDNT_CONNECT:
            return connect_failure(end);
        case CURLE_OPERATION_TIMEDOUT:
            return {"timed out", false, true};
        case CURLE_PARTIAL_FILE:
        case CURLE_GOT_NOTHING:
        case CURLE_RECV_ERROR:
        case CURLE_SEND_ERROR:
        case CURLE_HTTP2:
        case CURLE_HTTP2_STREAM:
            return {"the connection was closed before the end", false, true};
        case CURLE_FILE_COULDNT_READ_FILE:
        case CURLE_REMOTE_FILE_NOT_FOUND:
        case CURLE_FTP_COULDNT_RETR_FILE:
        case CURLE_REMOTE_ACCESS_DENIED:
            return {"no such file", true, false};
        case CURLE_UNSUPPORTED_PROTOCOL:
            return {forbidden_protocol(end), false, false};
        case CURLE_TOO_MANY_REDIRECTS:
            return {"too many redirects", false, false};
        case CURLE_PEER_FAILED_VERIFICATION:
            return certificate_failure(end);
        case CURLE_SSL_CACERT_BADFILE:
            return {"the certificates of the authorities cannot be read", false, false};
        default:
            return {std::string(end.detail.empty() ? curl_easy_strerror(end.code) : trimmed(end.detail)), false, false};
    }
}

}  // namespace vprov::archive
