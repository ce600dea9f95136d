#include "bootstrap/unpack/staging.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "base/error.h"
#include "os/interrupt.h"

namespace vprov::unpack {
namespace fs = std::filesystem;

const ControlFile* StagedPackage::control_file(std::string_view name) const {
    const auto found = std::find_if(control.begin(), control.end(), [&](const auto& f) { return f.name == name; });
    return found == control.end() ? nullptr : &*found;
}

struct Stager::State {
    struct Job {
        const deb::Package* package;
        fs::path deb, data_copy;
    };

    fs::path directory;
    Progress& progress;
    StagingLimits limits;
    std::mutex mutex;
    std::condition_variable wake, progressed;
    std::deque<Job> queue;
    std::unordered_map<const deb::Package*, StagedPackage> done;
    std::exception_ptr failure;
    StageProgress seen;
    std::uint64_t next_number = 0;
    bool closed = false;
    std::vector<std::thread> threads;

    State(fs::path where, Progress& reporter, StagingLimits caps)
        : directory(std::move(where)), progress(reporter), limits(caps) {}

    void work() {
        std::unique_lock lock(mutex);
        for (;;) {
            wake.wait(lock, [&] { return closed || !queue.empty(); });
            if (failure || os::stop_requested())
                queue.clear();
            if (queue.empty()) {
                if (closed)
                    return;
                continue;
            }
            const Job job = std::move(queue.front());
            queue.pop_front();
            const auto place = directory / std::to_string(next_number++);
            lock.unlock();
            run(job, place, lock);
        }
    }

    // Takes the lock again before it returns.
    void run(const Job& job, const fs::path& place, std::unique_lock<std::mutex>& lock) {
        try {
            auto staged = stage_package(*job.package, job.deb, place, limits, job.data_copy);
            lock.lock();
            done.emplace(job.package, std::move(staged));
            seen.packages_done += 1;
            seen.bytes_done += job.package->size;
            auto report = seen;
            report.detail = job.package->name;
            progress.advanced(Stage::unpack, report);
        } catch (...) {
            if (!lock.owns_lock())
                lock.lock();
            if (!failure)
                failure = std::current_exception();
        }
        progressed.notify_all();
    }

    void join() {
        {
            const std::lock_guard lock(mutex);
            closed = true;
        }
        wake.notify_all();
        for (auto& thread : threads) thread.join();
        threads.clear();
    }
};

Stager::Stager(fs::path directory, Progress& progress, StagingLimits limits)
    : state_(std::make_unique<State>(std::move(directory), progress, limits)) {
    const unsigned count = std::max(1U, std::thread::hardware_concurrency());
    for (unsigned i = 0; i < count; ++i) state_->threads.emplace_back([state = state_.get()] { state->work(); });
}

Stager::~Stager() {
    {
        const std::lock_guard lock(state_->mutex);
        state_->queue.clear();
    }
    state_->join();
}

void Stager::add(const deb::Package& package, fs::path deb, fs::path data_copy) {
    {
        const std::lock_guard lock(state_->mutex);
        state_->queue.push_back({&package, std::move(deb), std::move(data_copy)});
        state_->seen.packages_total += 1;
        state_->seen.bytes_total += package.size;
    }
    state_->wake.notify_one();
}

const StagedPackage& Stager::get(const deb::Package& package) {
    std::unique_lock lock(state_->mutex);
    for (;;) {
        if (state_->failure)
            std::rethrow_exception(state_->failure);
        if (const auto found = state_->done.find(&package); found != state_->done.end())
            return found->second;
        os::check_stop();
        // A stop request wakes nobody: it comes by signal.
        state_->progressed.wait_for(lock, std::chrono::milliseconds(100));
    }
}

}  // namespace vprov::unpack
