// A transport that keeps a copy of the Release files that pass through it: apt's lists want them as they came.
#pragma once

#include <map>
#include <string>

#include "bootstrap/archive/transport.h"

namespace vprov::pipeline {

class RecordingTransport final : public archive::Transport {
  public:
    // releases: they are fetched in full, as one that is only known to be unchanged leaves nothing to copy.
    enum class Keep { nothing, releases };
    RecordingTransport(archive::Transport& through, Keep keep) : through_(through), keep_(keep) {}
    void run(std::span<archive::Transfer> transfers) override;
    // By URL: InRelease, Release and Release.gpg, of transfers that succeeded.
    const std::map<std::string, std::string>& releases() const { return releases_; }

  private:
    archive::Transfer recorded(const archive::Transfer& transfer);
    archive::Transport& through_;
    Keep keep_;
    std::map<std::string, std::string> releases_;
};

}  // namespace vprov::pipeline
