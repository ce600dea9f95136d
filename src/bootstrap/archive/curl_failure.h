// What went wrong with a transfer, in words for people. Pure.
#pragma once

#include <curl/curl.h>

#include <string>
#include <string_view>

namespace vprov::archive {

struct CurlEnd {  // how libcurl ended a transfer
    CURLcode code = CURLE_OK;
    long status = 0;            // of an HTTP or FTP response; 0 without one
    bool http = false;          // the last URL was http or https
    std::string_view host;      // of the last URL
    std::string_view location;  // the last redirect's target, "" without one
    std::string_view detail;    // CURLOPT_ERRORBUFFER
    int connect_errno = 0;      // CURLINFO_OS_ERRNO: why connect(2) failed; 0 if it did not
};

struct CurlFailure {
    std::string text;       // "" for success; "404 Not Found", "connection refused", "timed out"
    bool missing = false;   // the server answers, and has no such file
    bool may_pass = false;  // worth another attempt
};

CurlFailure describe(const CurlEnd& end);

// "404 Not Found"; just "499" for what RFC 9110 and RFC 6585 do not name.
std::string status_text(long status);

}  // namespace vprov::archive
