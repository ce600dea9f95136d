#include "hypervisor/launch/operation_lease.h"

#include <fmt/format.h>

namespace vprov::hypervisor {

std::string OperationLease::begin(std::string_view what) {
    auto& record = claim_.record;
    if (!record.operation.empty())
        return fmt::format("error another command is at it ({})", record.operation);
    if (record.phase != Phase::running && record.phase != Phase::paused && record.phase != Phase::incoming)
        return "error it does not run";
    record.operation = what;
    record.runs_after = record.phase == Phase::running;
    claim_.save();
    return "ok";
}

std::string OperationLease::go_on(std::string_view line) {
    if (line == "hand-over sharing")
        return hand_over(HandOver::sharing);
    if (line == "hand-over away")
        return hand_over(HandOver::away);
    if (line == "take-back")
        return hand_over(HandOver::no);
    if (line == "still")
        return "ok";
    if (line == "try")
        return try_run();
    if (line == "done" || line == "run" || line == "finish")
        return end(line);
    return "error this is not known";
}

std::string OperationLease::end(std::string_view line) {
    auto& record = claim_.record;
    if (record.phase == Phase::incoming && line != "finish" && ram_.is_open() && !ram_.take())
        return "error it runs where its memory came from";
    if (line == "finish") {  // recorded at once: what has ended does not come back
        record.operation.clear();
        run_.end();
        return "ok";
    }
    if (line == "run" || record.phase == Phase::incoming)
        record.phase = Phase::paused;  // until QEMU has begun
    if (line == "run")
        run_.execute("cont");
    clear();
    return "ok";
}

std::string OperationLease::try_run() {
    auto& record = claim_.record;
    if (record.phase != Phase::incoming)
        return "error it does not wait to run";
    record.phase = Phase::paused;  // until QEMU has begun
    record.on_trial = true;
    claim_.save();
    run_.execute("cont");
    return "ok";
}

std::string OperationLease::hand_over(HandOver how) {
    auto& record = claim_.record;
    if (record.phase != Phase::paused || run_.is_ending())
        return "error it does not stand still";
    if (how == HandOver::no && record.handed_over == HandOver::sharing && !ram_.take())
        return "error it has gone on elsewhere";
    record.handed_over = how;
    claim_.save();
    if (how == HandOver::sharing)
        ram_.give();
    return "ok";
}

void OperationLease::take_back() {
    const auto& record = claim_.record;
    if (record.phase == Phase::incoming || record.on_trial)
        return run_.end();
    if (record.handed_over != HandOver::no && !may_be_taken_back())
        return;
    run_.execute("migrate_cancel");
    if (record.runs_after && !run_.is_ending())
        run_.resume();
    clear();
}

// Who took it over has not said what became of it.
bool OperationLease::may_be_taken_back() {
    auto& record = claim_.record;
    const bool lock_tells = record.handed_over == HandOver::sharing && ram_.is_open();
    if (lock_tells && ram_.take()) {
        record.handed_over = HandOver::no;
        return true;
    }
    if (lock_tells) {
        run_.end();
        return false;
    }
    run_.remark(
        fmt::format("{0} was sent to another host, which has not answered. If it runs there: vprov destroy {0}. If it "
                    "does not: vprov unpause {0}",
                    record.name));
    clear();
    return false;
}

void OperationLease::clear() {
    claim_.record.operation.clear();
    claim_.record.on_trial = false;
    claim_.save();
}

}  // namespace vprov::hypervisor
