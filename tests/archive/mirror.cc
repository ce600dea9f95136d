#include "archive/mirror.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/digest.h"

namespace vprov::archive {
namespace {

constexpr std::size_t kPortion = 1000;

// "" for success; enforces the limit as the real one does.
std::string feed(Transfer& transfer, const FakeAnswer& answer, std::size_t size) {
    Bytes received = transfer.resume_at.value_or(Bytes{});
    for (std::size_t at = received.value; at < size || answer.endless; at += kPortion) {
        const auto portion = std::string_view(answer.body)
                                 .substr(at % std::max<std::size_t>(answer.body.size(), 1),
                                         std::min(kPortion, answer.endless ? kPortion : size - at));
        received += Bytes{portion.size()};
        if (received > transfer.limit)
            return fmt::format("larger than the {} bytes it should have", transfer.limit.value);
        if (!transfer.on_data(portion))
            return "refused by the receiver";
    }
    return answer.failure;
}

}  // namespace

void FakeTransport::run(std::span<Transfer> transfers) {
    for (auto& transfer : transfers) {
        auto path = transfer.url.starts_with(kMirror) ? transfer.url.substr(kMirror.size() + 1) : transfer.url;
        const auto rest = transfer.resume_at.value_or(Bytes{}).value;
        requests.push_back(path + (transfer.source == Transfer::Source::origin ? " (origin)" : "") +
                           (rest > 0 ? fmt::format(" ({}-)", rest) : ""));
        const auto found = answers_.find(transfer.url);
        if (found == answers_.end()) {
            transfer.on_end({"404 Not Found", true, false, false, {}});
            continue;
        }
        const FakeAnswer answer = found->second.front();
        if (found->second.size() > 1)
            found->second.pop_front();
        if (!transfer.known.empty() && transfer.known == answer.validator) {
            transfer.on_end({"", false, false, true, {}});
            continue;
        }
        for (int i = 0; i < answer.restarts; ++i) {
            feed(transfer, answer, answer.body.size() / 2);
            transfer.on_restart();
        }
        const auto failure = feed(transfer, answer, answer.body.size());
        transfer.on_end(
            {failure, answer.missing, failure == answer.failure && !answer.missing, false, answer.validator});
    }
}

std::string compressed(std::string_view text, std::string_view suffix) {
    if (suffix.empty())
        return std::string(text);
    std::string out(text.size() + 4096, '\0');
    std::size_t used = 0;
    struct ::archive* writer = archive_write_new();
    if (suffix == ".xz")
        archive_write_add_filter_xz(writer);
    else if (suffix == ".zst")
        archive_write_add_filter_zstd(writer);
    else
        archive_write_add_filter_gzip(writer);
    archive_write_set_format_raw(writer);
    archive_write_set_bytes_in_last_block(writer, 1);
    archive_write_open_memory(writer, out.data(), out.size(), &used);
    struct archive_entry* entry = archive_entry_new();
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_write_header(writer, entry);
    archive_write_data(writer, text.data(), text.size());
    archive_entry_free(entry);
    archive_write_close(writer);
    archive_write_free(writer);
    out.resize(used);
    return out;
}

void SuiteText::set(const std::string& name, const std::string& value) {
    std::erase_if(fields, [&](const auto& field) { return field.first == name; });
    if (!value.empty())
        fields.emplace_back(name, value);
}

std::string SuiteText::text() const {
    std::string text;
    for (const auto& [name, value] : fields) text += fmt::format("{}: {}\n", name, value);
    text += "SHA256:\n";
    for (const auto& [path, content] : files)
        text += fmt::format(" {} {:8} {}\n", sha256(content).hex(), content.size(), path);
    return text;
}

std::string pool_path(std::string_view name, std::string_view version) {
    return fmt::format("pool/main/{}/{}/{}_{}_amd64.deb", name.substr(0, 1), name, name, version);
}

std::string packages_stanza(std::string_view name, std::string_view version, std::string_view deb) {
    return fmt::format("Package: {}\nVersion: {}\nArchitecture: amd64\nFilename: {}\nSize: {}\nSHA256: {}\n\n", name,
                       version, pool_path(name, version), deb.size(), sha256(deb).hex());
}

}  // namespace vprov::archive
