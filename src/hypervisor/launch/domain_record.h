// What is known of a running domain on disk (dom.json), and what its supervisor is asked to start. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "hypervisor/engine/engine.h"
#include "hypervisor/guest/guest.h"
#include "hypervisor/launch/guest_ram.h"
#include "hypervisor/launch/process_identity.h"

namespace vprov::hypervisor {

// incoming: QEMU waits for the state of a guest that ran elsewhere or before, or for a trial to begin.
enum class Phase { starting, incoming, running, paused, shutdown, crashed, dying };

// It stands still here, and may have gone on in a QEMU that shares its memory, or on another host.
enum class HandOver { no, sharing, away };

struct DomainRecord {
    std::string name;
    unsigned id = 0;  // a new one with every start, as Xen's
    std::uint64_t memory_mib = 0;
    unsigned vcpus = 0;
    Phase phase = Phase::starting;
    std::string engine;                   // "KVM", "TCG (KVM was tried: too slow)"
    std::vector<std::string> disks;       // the files and devices it has open
    double cpu_seconds_before = 0;        // of its QEMUs before this one
    ProcessIdentity supervisor, qemu;     // qemu.pid 0: not started yet
    std::string operation;                // "save": a command is at it; "" mostly
    bool runs_after = false;              // it ran when that began, and shall when the command goes away
    std::map<std::string, int> segments;  // that it is on: which of QEMU's descriptors is the network namespace
    RamFile ram;                          // its memory, when that is a file
    HandOver handed_over = HandOver::no;
    SharedFile template_memory;  // a clone's, which it has begun with
    bool on_trial = false;       // it runs, and ends when the operation is dropped
    bool operator==(const DomainRecord&) const = default;
};

std::string to_json(const DomainRecord& record);
DomainRecord record_from_json(std::string_view text);  // throws Error(hypervisor) when it is not one

struct LaunchRequest {
    Guest guest;  // all paths absolute
    EngineChoice engine = EngineChoice::automatic;
    bool paused = false;               // it does not begin to run by itself
    bool incoming = false;             // it gets its state by migrate-incoming, from who asked for it
    bool on_trial = false;             // who asked for it lets it run, and it ends with who asked
    bool sandbox = true;               // false: QEMU runs as the supervisor does and may call what it likes
    RamFile ram = {};                  // incoming: another QEMU's memory that is to be its own
    std::string template_memory = {};  // incoming: the file of a template's memory that it begins with
    bool needs_ram_file = false;       // its memory shall be a file: it is to be a template
    double cpu_seconds = 0;            // it has used so many elsewhere
    std::string console = {};          // what it has said there
    bool adopt = false;                // nothing is started: guest.name runs, and its supervisor has died
    bool operator==(const LaunchRequest&) const = default;
};

std::string to_json(const LaunchRequest& request);
LaunchRequest request_from_json(std::string_view text);

// The supervisor's answer, once QEMU runs or cannot.
struct LaunchAnswer {
    std::string error;  // "" : it runs
    unsigned id = 0;
    std::string engine;
    std::vector<std::string> warnings;
    bool operator==(const LaunchAnswer&) const = default;
};

std::string to_json(const LaunchAnswer& answer);
LaunchAnswer answer_from_json(std::string_view text);

}  // namespace vprov::hypervisor
