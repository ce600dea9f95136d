// A mirror in memory: a Transport that records, and the suites it serves.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bootstrap/archive/transport.h"

namespace vprov::archive {

inline constexpr std::string_view kMirror = "http://mirror.example.org/debian";

struct FakeAnswer {
    std::string body;
    std::string failure = {};
    bool missing = false;
    bool endless = false;  // `body` again and again
    Validator validator = {};
    int restarts = 0;  // attempts that break off in the middle of the body first
};

class FakeTransport final : public Transport {
  public:
    void run(std::span<Transfer> transfers) override;

    // The answer for a path below the mirror's URI; several are given one after the other, the last one for ever.
    void serve(const std::string& path, FakeAnswer answer) { answers_[url(path)] = {std::move(answer)}; }
    void then(const std::string& path, FakeAnswer answer) { answers_[url(path)].push_back(std::move(answer)); }
    void forget(const std::string& path) { answers_.erase(url(path)); }

    // Paths below the mirror in the order of the requests; " (origin)" is appended for Source::origin,
    // " (N-)" where N bytes are there already.
    std::vector<std::string> requests;

  private:
    static std::string url(const std::string& path) { return std::string(kMirror) + "/" + path; }
    std::map<std::string, std::deque<FakeAnswer>> answers_;
};

// Text -> what xz or gzip make of it; `suffix` is ".xz", ".gz", ".zst" or "".
std::string compressed(std::string_view text, std::string_view suffix);

// Builds the text of a Release file that lists `files` (path -> content).
struct SuiteText {
    std::vector<std::pair<std::string, std::string>> fields = {
        {"Origin", "Debian"},          {"Label", "Debian"},
        {"Suite", "oldstable"},        {"Codename", "bookworm"},
        {"Version", "12.15"},          {"Date", "Sat, 11 Jul 2026 10:00:00 UTC"},
        {"Acquire-By-Hash", "yes"},    {"Architectures", "amd64 arm64"},
        {"Components", "main contrib"}};
    std::map<std::string, std::string> files;

    void set(const std::string& name, const std::string& value);  // "" takes the field out
    std::string text() const;
};

std::string packages_stanza(std::string_view name, std::string_view version, std::string_view deb);
std::string pool_path(std::string_view name, std::string_view version);

}  // namespace vprov::archive
