// Package lists and choices that several builds of one run share.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "pipeline/bootstrap.h"

namespace vprov::pipeline {

class Selections {
  public:
    // Of a request that asked for the same packages of the same repositories; null when there was none.
    std::shared_ptr<const Selection> find(const BootstrapRequest& request) const;
    std::shared_ptr<const Selection> add(const BootstrapRequest& request, Selection selection);

  private:
    mutable std::mutex mutex_;
    std::map<std::string, std::shared_ptr<const Selection>> known_;
};

}  // namespace vprov::pipeline
