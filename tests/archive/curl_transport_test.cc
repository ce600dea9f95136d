#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <set>
#include <thread>

#include "archive/loopback_server.h"
#include "archive/message.h"
#include "base/text.h"
#include "bootstrap/archive/transport.h"
#include "os/interrupt.h"

namespace vprov::archive {
namespace {
namespace fs = std::filesystem;
using Seconds = std::chrono::duration<double>;

struct Fetched {
    std::string body, failure;
    bool missing = false;
    int ends = 0, restarts = 0;
};

class CurlTransport : public testing::Test {
  protected:
    CurlTransport() {
        options.first_backoff = std::chrono::milliseconds(10);
        os::write_file(work.path() / "file", content);
    }

    Transfer transfer_into(Fetched& fetched, const std::string& url, Bytes limit = 10_MiB) {
        Transfer transfer;
        transfer.url = url;
        transfer.limit = limit;
        transfer.on_data = [&](std::string_view portion) {
            fetched.body += portion;
            return true;
        };
        transfer.on_restart = [&] {
            fetched.body.clear();
            ++fetched.restarts;
        };
        transfer.on_end = [&](const Transfer::Outcome& outcome) {
            fetched.failure = outcome.failure;
            fetched.missing = outcome.missing;
            ++fetched.ends;
        };
        return transfer;
    }

    Fetched fetch(const std::string& url, Bytes limit = 10_MiB) {
        Fetched fetched;
        std::vector<Transfer> transfers = {transfer_into(fetched, url, limit)};
        make_curl_transport(options)->run(transfers);
        EXPECT_EQ(fetched.ends, 1);
        return fetched;
    }

    // Serves one file with one fault and fetches it.
    Fetched fetch_with(const std::string& fault, Bytes limit = 10_MiB) {
        LoopbackServer server(work.path(), {{"/file", fault}});
        auto fetched = fetch(server.url() + "/file", limit);
        requests = server.stop().size();
        return fetched;
    }

    // Of the requests in their order: what part they asked for, "" for all.
    static std::vector<std::string> ranges_of(LoopbackServer& server) {
        std::vector<std::string> ranges;
        for (const auto& line : server.stop()) {
            const auto words = split_words(line);
            ranges.emplace_back(words.size() > 2 ? words[2] : "");
        }
        return ranges;
    }

    os::TempDir work{fs::temp_directory_path(), "vprov-test-"};
    CurlOptions options;
    const std::string content = std::string(300000, 'c') + "end";
    std::size_t requests = 0;
};

TEST_F(CurlTransport, ManyFilesOverFewConnections) {
    LoopbackServer server(work.path(), {});
    std::vector<Fetched> fetched(60);
    std::vector<Transfer> transfers;
    for (auto& one : fetched) transfers.push_back(transfer_into(one, server.url() + "/file"));
    const auto transport = make_curl_transport(options);
    transport->run(transfers);
    transport->run(std::span(transfers).first(10));
    for (std::size_t i = 0; i < fetched.size(); ++i) {
        EXPECT_EQ(fetched[i].failure, "");
        EXPECT_EQ(fetched[i].ends, i < 10 ? 2 : 1);
        EXPECT_EQ(fetched[i].body, i < 10 ? content + content : content);
    }
    std::set<std::string> connections;
    const auto log = server.stop();
    for (const auto& line : log) connections.emplace(split(line, ' ')[0]);
    EXPECT_EQ(log.size(), 70U);
    EXPECT_LE(connections.size(), 8U);
}

TEST_F(CurlTransport, AMissingFileIsNotTriedAgain) {
    LoopbackServer server(work.path(), {});
    const auto fetched = fetch(server.url() + "/nothing");
    EXPECT_EQ(fetched.failure, "404 Not Found");
    EXPECT_TRUE(fetched.missing);
    EXPECT_EQ(fetched.body, "") << "an error page is not the file";
    EXPECT_EQ(server.stop().size(), 1U);
}

TEST_F(CurlTransport, TroubleThatPasses) {
    const auto fetched = fetch_with(R"({"status": 500, "times": 2})");
    EXPECT_EQ(fetched.failure, "");
    EXPECT_EQ(fetched.body, content);
    EXPECT_EQ(fetched.restarts, 2);
    EXPECT_EQ(requests, 3U);
}

TEST_F(CurlTransport, RetryAfterIsObeyed) {
    const auto start = std::chrono::steady_clock::now();
    const auto fetched = fetch_with(R"({"status": 503, "times": 1, "retry_after": 1})");
    EXPECT_EQ(fetched.failure, "");
    EXPECT_EQ(fetched.body, content);
    EXPECT_GE(Seconds(std::chrono::steady_clock::now() - start).count(), 1.0);
    EXPECT_EQ(fetch_with(R"({"status": 503, "retry_after": 3600})").failure,
              "503 Service Unavailable; the server asks to try again in 3600 seconds");
    EXPECT_EQ(requests, 1U);
}

TEST_F(CurlTransport, TroubleThatStays) {
    const auto fetched = fetch_with(R"({"status": 503})");
    EXPECT_EQ(fetched.failure, "503 Service Unavailable");
    EXPECT_FALSE(fetched.missing);
    EXPECT_EQ(requests, 3U);
}

TEST_F(CurlTransport, ABodyCutShort) {
    EXPECT_EQ(fetch_with(R"({"truncate": 100000})").failure, "the connection was closed before the end");
    EXPECT_EQ(requests, 3U);
    const auto fetched = fetch_with(R"({"truncate": 100000, "times": 1})");
    EXPECT_EQ(fetched.failure, "");
    EXPECT_EQ(fetched.body, content);
}

TEST_F(CurlTransport, TheRestOfABrokenBodyIsAskedFor) {
    LoopbackServer server(work.path(), {{"/file", R"({"truncate": 100000, "times": 2})"}});
    Fetched fetched;
    std::vector<Transfer> transfers = {transfer_into(fetched, server.url() + "/file")};
    transfers[0].resume_at = Bytes{};
    make_curl_transport(options)->run(transfers);
    EXPECT_EQ(fetched.failure, "");
    EXPECT_EQ(fetched.body, content);
    EXPECT_EQ(fetched.restarts, 0);
    EXPECT_EQ(ranges_of(server), (std::vector<std::string>{"", "bytes=100000-", "bytes=200000-"}));
}

TEST_F(CurlTransport, WhatIsThereAlreadyIsNotAskedFor) {
    LoopbackServer server(work.path(), {{"/whole", R"({"ranges": false})"}});
    os::write_file(work.path() / "whole", content);
    std::vector<Fetched> fetched(3);
    for (auto& one : fetched) one.body = content.substr(0, 1000);
    fetched[2].body = content + "more";
    std::vector<Transfer> transfers = {transfer_into(fetched[0], server.url() + "/file"),
                                       transfer_into(fetched[1], server.url() + "/whole"),
                                       transfer_into(fetched[2], server.url() + "/file")};
    for (std::size_t i = 0; i < 3; ++i) transfers[i].resume_at = Bytes{fetched[i].body.size()};
    make_curl_transport(options)->run(transfers);
    for (const auto& one : fetched) {
        EXPECT_EQ(one.failure, "");
        EXPECT_EQ(one.body, content);
    }
    EXPECT_EQ(fetched[0].restarts, 0);
    EXPECT_EQ(fetched[1].restarts, 1) << "the server knows no ranges";
    EXPECT_EQ(fetched[2].restarts, 1) << "there is no such rest";
}

TEST_F(CurlTransport, AFileThatIsKnownIsNotSentAgain) {
    LoopbackServer server(work.path(), {});
    Transfer::Outcome first, second;
    for (auto* outcome : {&first, &second}) {
        Fetched fetched;
        std::vector<Transfer> transfers = {transfer_into(fetched, server.url() + "/file")};
        transfers[0].known = first.validator;
        transfers[0].on_end = [&](const Transfer::Outcome& told) { *outcome = told; };
        make_curl_transport(options)->run(transfers);
        EXPECT_EQ(fetched.body, outcome == &first ? content : "");
    }
    EXPECT_FALSE(first.unchanged);
    EXPECT_EQ(first.validator.etag.size(), 18U);
    EXPECT_EQ(second.failure, "");
    EXPECT_TRUE(second.unchanged);
}

TEST_F(CurlTransport, TheRestOfAFileOfThisMachine) {
    Fetched fetched;
    fetched.body = content.substr(0, 1000);
    std::vector<Transfer> transfers = {transfer_into(fetched, "file://" + (work.path() / "file").native())};
    transfers[0].resume_at = Bytes{1000};
    make_curl_transport(options)->run(transfers);
    EXPECT_EQ(fetched.failure, "");
    EXPECT_EQ(fetched.body, content);
}

TEST_F(CurlTransport, AnEndlessBodyEndsAtTheLimit) {
    const auto fetched = fetch_with(R"({"endless": true})", 1_MiB);
    EXPECT_EQ(fetched.failure, "larger than the 1048576 bytes it should have");
    EXPECT_LE(fetched.body.size(), 1048576U);
    EXPECT_EQ(requests, 1U);
}

TEST_F(CurlTransport, RedirectsStayInTheNetwork) {
    EXPECT_EQ(fetch_with(R"({"redirect": "file:///etc/passwd"})").failure,
              "redirected to 'file:///etc/passwd', which is not allowed");
    EXPECT_EQ(requests, 1U);
    EXPECT_EQ(fetch_with(R"({"redirect": "/file"})").failure, "too many redirects");
    LoopbackServer server(work.path(), {{"/old", R"({"redirect": "/file"})"}});
    EXPECT_EQ(fetch(server.url() + "/old").body, content);
}

TEST_F(CurlTransport, AServerThatSaysNothing) {
    options.stall_timeout = std::chrono::seconds(1);
    options.attempts = 1;
    EXPECT_EQ(fetch_with(R"({"hang": true})").failure, "timed out");
}

TEST_F(CurlTransport, NoServerAndNoHost) {
    const os::Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));  // bound, not listening: refuses
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ASSERT_EQ(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size);
    EXPECT_EQ(fetch(fmt::format("http://127.0.0.1:{}/x", ntohs(address.sin_port))).failure, "connection refused");
    EXPECT_EQ(fetch("http://mirror.invalid/x").failure, "could not resolve host 'mirror.invalid'");
    EXPECT_EQ(fetch("gopher://127.0.0.1/x").failure, "its protocol is none of http, https, ftp and file");
}

TEST_F(CurlTransport, FilesOfThisMachineWhenAskedForAtFirst) {
    EXPECT_EQ(fetch("file://" + (work.path() / "file").native()).body, content);
    const auto fetched = fetch("file://" + (work.path() / "nothing").native());
    EXPECT_EQ(fetched.failure, "no such file");
    EXPECT_TRUE(fetched.missing);
}

TEST_F(CurlTransport, AReceiverEndsItsTransferAndWhatItThrowsEndsAll) {
    LoopbackServer server(work.path(), {{"/slow", R"({"hang": true})"}});
    os::write_file(work.path() / "slow", "x");
    Fetched refused, slow;
    std::vector<Transfer> transfers = {transfer_into(refused, server.url() + "/file")};
    transfers[0].on_data = [](std::string_view) { return false; };
    const auto transport = make_curl_transport(options);
    transport->run(transfers);
    EXPECT_EQ(refused.failure, "refused by the receiver");
    transfers[0].on_data = [](std::string_view) -> bool { throw error(ErrorKind::disk, "no room"); };
    transfers.push_back(transfer_into(slow, server.url() + "/slow"));
    EXPECT_EQ(message_of([&] { transport->run(transfers); }), "disk: no room");
    EXPECT_EQ(slow.ends, 0);
    Fetched after;
    std::vector<Transfer> once_more = {transfer_into(after, server.url() + "/file")};
    transport->run(once_more);
    EXPECT_EQ(after.body, content) << "the transport can be used afterwards";
}

TEST_F(CurlTransport, AStopRequestEndsAllAtOnce) {
    LoopbackServer server(work.path(), {{"/file", R"({"hang": true})"}});
    std::thread stopper([] {
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
        os::request_stop();
    });
    const auto start = std::chrono::steady_clock::now();
    Fetched fetched;
    std::vector<Transfer> transfers = {transfer_into(fetched, server.url() + "/file")};
    EXPECT_EQ(message_of([&] { make_curl_transport(options)->run(transfers); }), "interrupted: interrupted");
    stopper.join();
    os::forget_stop();
    EXPECT_LT(Seconds(std::chrono::steady_clock::now() - start).count(), 5.0);
    EXPECT_EQ(fetched.ends, 0);
}

TEST_F(CurlTransport, CachesOnTheWayArePassedOnRequest) {
    LoopbackServer server(work.path(), {{"/file", R"({"echo": "cache-control"})"}});
    Fetched any, origin;
    std::vector<Transfer> transfers = {transfer_into(any, server.url() + "/file"),
                                       transfer_into(origin, server.url() + "/file")};
    transfers[1].source = Transfer::Source::origin;
    make_curl_transport(options)->run(transfers);
    EXPECT_EQ(any.body, "");
    EXPECT_EQ(origin.body, "no-cache");
}

}  // namespace
}  // namespace vprov::archive
