#include "pipeline/recording_transport.h"

#include <vector>

namespace vprov::pipeline {
namespace {

bool is_release(std::string_view url) {
    return url.ends_with("/InRelease") || url.ends_with("/Release") || url.ends_with("/Release.gpg");
}

}  // namespace

void RecordingTransport::run(std::span<archive::Transfer> transfers) {
    if (keep_ == Keep::nothing)
        return through_.run(transfers);
    std::vector<archive::Transfer> all;
    all.reserve(transfers.size());
    for (const auto& transfer : transfers) all.push_back(is_release(transfer.url) ? recorded(transfer) : transfer);
    through_.run(all);
}

archive::Transfer RecordingTransport::recorded(const archive::Transfer& transfer) {
    auto copy = transfer;
    copy.known = {};
    copy.known = {};  // all of it has to come by
    copy.on_data = [this, &transfer](std::string_view portion) {
        releases_[transfer.url] += portion;
        return transfer.on_data(portion);
    };
    copy.on_restart = [this, &transfer] {
        releases_.erase(transfer.url);
        if (transfer.on_restart)
            transfer.on_restart();
    };
    copy.on_end = [this, &transfer](const archive::Transfer::Outcome& outcome) {
        if (!outcome.failure.empty())
            releases_.erase(transfer.url);
        if (transfer.on_end)
            transfer.on_end(outcome);
    };
    return copy;
}

}  // namespace vprov::pipeline
