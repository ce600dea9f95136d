#include "pipeline/data_copies.h"

#include <sched.h>

#include "base/error.h"
#include "bootstrap/archive/incoming.h"
#include "bootstrap/unpack/data_copy.h"

namespace vprov::pipeline {
namespace fs = std::filesystem;

DataCopies::DataCopies(const archive::Cache& cache) : cache_(cache) {}

DataCopies::~DataCopies() = default;

void DataCopies::add(const archive::DebFile& file) {
    if (file.was_cached && !fs::exists(cache_.data_copy_of(file.digest)))
        waiting_.push_back(file);
}

void DataCopies::start() {
    if (!waiting_.empty())
        thread_ = std::jthread([this](const std::stop_token& stop) { work(stop); });
}

void DataCopies::work(const std::stop_token& stop) {
    const struct sched_param none {};
    ::sched_setscheduler(0, SCHED_IDLE, &none);
    try {
        archive::Incoming incoming(cache_);
        for (; !waiting_.empty() && !stop.stop_requested(); waiting_.pop_front()) {
            const auto made = incoming.new_path();
            unpack::write_data_copy(waiting_.front().path, made, stop);
            std::error_code other_was_faster;
            fs::rename(made, cache_.data_copy_of(waiting_.front().digest), other_was_faster);
        }
    } catch (const std::exception&) {  // a full disk, say: the packages themselves are there
    }
}

}  // namespace vprov::pipeline
