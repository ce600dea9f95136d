#include "bootstrap/archive/curl_failure.h"

#include <gtest/gtest.h>

#include <cerrno>

#include <fmt/format.h>

namespace vprov::archive {
namespace {

std::string told(CURLcode code, long status = 0, std::string_view location = "", std::string_view detail = "",
                 int connect_errno = 0) {
    const auto failure = describe({code, status, true, "mirror.example.org", location, detail, connect_errno});
    return fmt::format("{}{}{}", failure.text, failure.missing ? " [missing]" : "",
                       failure.may_pass ? " [may pass]" : "");
}

TEST(CurlFailure, IsToldInWordsForPeople) {
    EXPECT_EQ(told(CURLE_OK, 200), "");
    EXPECT_EQ(told(CURLE_OK, 304), "304 Not Modified");
    EXPECT_EQ(told(CURLE_OK, 403), "403 Forbidden");
    EXPECT_EQ(told(CURLE_OK, 404), "404 Not Found [missing]");
    EXPECT_EQ(told(CURLE_OK, 410), "410 Gone [missing]");
    EXPECT_EQ(told(CURLE_OK, 418), "418");
    EXPECT_EQ(told(CURLE_OK, 429), "429 Too Many Requests [may pass]");
    EXPECT_EQ(told(CURLE_OK, 501), "501 Not Implemented");
    EXPECT_EQ(told(CURLE_OK, 503), "503 Service Unavailable [may pass]");
    EXPECT_EQ(told(CURLE_COULDNT_RESOLVE_HOST), "could not resolve host 'mirror.example.org' [may pass]");
    EXPECT_EQ(told(CURLE_COULDNT_CONNECT, 0, "", "x", ECONNREFUSED), "connection refused [may pass]");
    EXPECT_EQ(told(CURLE_COULDNT_CONNECT, 0, "", "x", ENETUNREACH), "the network is unreachable [may pass]");
    EXPECT_EQ(told(CURLE_COULDNT_CONNECT, 0, "", "x"), "could not connect to 'mirror.example.org' [may pass]");
    EXPECT_EQ(told(CURLE_OPERATION_TIMEDOUT), "timed out [may pass]");
    EXPECT_EQ(told(CURLE_PARTIAL_FILE, 200), "the connection was closed before the end [may pass]");
    EXPECT_EQ(told(CURLE_UNSUPPORTED_PROTOCOL), "its protocol is none of http, https, ftp and file");
    EXPECT_EQ(told(CURLE_UNSUPPORTED_PROTOCOL, 302, "gopher://x"), "redirected to 'gopher://x', which is not allowed");
    EXPECT_EQ(told(CURLE_TOO_MANY_REDIRECTS, 302), "too many redirects");
    EXPECT_EQ(told(CURLE_REMOTE_FILE_NOT_FOUND), "no such file [missing]");
    EXPECT_EQ(told(CURLE_URL_MALFORMAT), "URL using bad/illegal format or missing URL");
}

std::string flaw(std::string_view detail) {
    constexpr std::string_view kBegin = "the server's certificate is not valid: ";
    const auto text = told(CURLE_PEER_FAILED_VERIFICATION, 0, "", detail);
    return text.starts_with(kBegin) ? text.substr(kBegin.size()) : text;
}

TEST(CurlFailure, FlawsOfCertificates) {
    EXPECT_EQ(flaw("SSL certificate problem: certificate has expired"), "it has expired");
    EXPECT_EQ(flaw("SSL certificate problem: certificate is not yet valid\n"), "it is not valid yet");
    EXPECT_EQ(flaw("SSL certificate problem: unable to get local issuer certificate"),
              "no authority that is known here has issued it");
    EXPECT_EQ(flaw("SSL certificate problem: self-signed certificate in certificate chain"),
              "its authority is not known here");
    EXPECT_EQ(flaw("SSL certificate problem: self-signed certificate"), "it is self-signed");
    EXPECT_EQ(flaw("SSL: no alternative certificate subject name matches target host name 'x'"),
              "it is not for 'mirror.example.org'");
    EXPECT_EQ(flaw("SSL: certificate subject name 'a' does not match target host name 'x'"),
              "it is not for 'mirror.example.org'");
    EXPECT_EQ(flaw("SSL certificate problem: path length constraint exceeded"), "path length constraint exceeded");
}

}  // namespace
}  // namespace vprov::archive
