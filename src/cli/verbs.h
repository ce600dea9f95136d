// The subcommands: one add_VERB() and one file each. A verb declares its options and its callback; errors leave the
// callback as exceptions and cli.cc turns them into a message and an exit code.
#pragma once

#include <CLI/App.hpp>
#include <memory>
#include <string>

#include "base/progress.h"

namespace vprov::cli {

enum class OutputMode { automatic, quiet, json };
enum class EngineName { automatic, qemu, xen };  // what runs domains; automatic: Xen on its dom0, else QEMU

// What holds for every verb: set from the global options before a verb's callback runs.
struct Session {
    OutputMode output = OutputMode::automatic;
    bool verbose = false;
    EngineName engine = EngineName::automatic;
    int exit_status = 0;     // a verb may set it where the answer is not an error
    std::string executable;  // this program, for a verb that starts itself again
};

// The live view on a terminal, a line a stage elsewhere, JSON events, or nothing.
std::unique_ptr<Progress> make_progress(const Session& session);

void add_build(CLI::App& app, Session& session);
void add_bootstrap(CLI::App& app, Session& session);
void add_plan(CLI::App& app, Session& session);
void add_lock(CLI::App& app, Session& session);
void add_image(CLI::App& app, Session& session);
void add_verify(CLI::App& app, Session& session);
void add_why(CLI::App& app, Session& session);
void add_cache(CLI::App& app, Session& session);
void add_check(CLI::App& app, Session& session);
void add_config(CLI::App& app, Session& session);
void add_import(CLI::App& app, Session& session);
void add_doctor(CLI::App& app, Session& session);
void add_completion(CLI::App& app, Session& session);

void add_create(CLI::App& app, Session& session);
void add_template(CLI::App& app, Session& session);
void add_list(CLI::App& app, Session& session);
void add_console(CLI::App& app, Session& session);
void add_shutdown(CLI::App& app, Session& session);
void add_reboot(CLI::App& app, Session& session);
void add_pause(CLI::App& app, Session& session);
void add_unpause(CLI::App& app, Session& session);
void add_rename(CLI::App& app, Session& session);
void add_wait(CLI::App& app, Session& session);
void add_log(CLI::App& app, Session& session);
void add_ssh(CLI::App& app, Session& session);
void add_top(CLI::App& app, Session& session);
void add_autostart(CLI::App& app, Session& session);
void add_destroy(CLI::App& app, Session& session);
void add_migrate(CLI::App& app, Session& session);
void add_migrate_receive(CLI::App& app, Session& session);  // hidden: the other end of migrate
void add_mem_set(CLI::App& app, Session& session);
void add_block_attach(CLI::App& app, Session& session);
void add_block_detach(CLI::App& app, Session& session);
void add_block_list(CLI::App& app, Session& session);
void add_network_attach(CLI::App& app, Session& session);
void add_network_detach(CLI::App& app, Session& session);
void add_network_list(CLI::App& app, Session& session);
void add_cd_insert(CLI::App& app, Session& session);
void add_cd_eject(CLI::App& app, Session& session);
void add_vcpu_set(CLI::App& app, Session& session);
void add_vcpu_list(CLI::App& app, Session& session);
void add_vncviewer(CLI::App& app, Session& session);
void add_save(CLI::App& app, Session& session);
void add_restore(CLI::App& app, Session& session);
void add_snapshot(CLI::App& app, Session& session);
void add_supervise(CLI::App& app, Session& session);  // hidden: the supervisor process of one domain

}  // namespace vprov::cli
