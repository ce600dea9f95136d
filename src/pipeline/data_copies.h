// Copies of packages' contents for the cache, made while a core has nothing else to do.
#pragma once

#include <deque>
#include <filesystem>
#include <mutex>
#include <thread>

#include "bootstrap/archive/archive.h"

namespace vprov::pipeline {

// Works in a thread that runs only when the machine is idle (SCHED_IDLE). What is not finished when this goes is left
// for another time; so is what cannot be made: nothing depends on a copy.
class DataCopies {
  public:
    explicit DataCopies(const archive::Cache& cache);
    ~DataCopies();
    DataCopies(const DataCopies&) = delete;
    DataCopies& operator=(const DataCopies&) = delete;

    // Packages that are used a second time are likely to be used again: those that the cache had and that have no copy.
    void add(const archive::DebFile& file);
    void start();

  private:
    void work(const std::stop_token& stop);

    const archive::Cache& cache_;
    std::deque<archive::DebFile> waiting_;
    std::jthread thread_;
};

}  // namespace vprov::pipeline
