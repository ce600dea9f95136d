// Running other programs: argv only, environment spelled out, output captured. The CommandRunner seam.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace vprov::os {

struct Command {
    std::vector<std::string> argv;                   // argv[0] is looked up by find_program()
    std::map<std::string, std::string> environment;  // all of it; clean_environment() is the usual start
    std::string input;                               // fed to standard input, which is then closed
    int input_fd = -1;                               // standard input instead of `input`; borrowed
    std::vector<int> inherited = {};                 // descriptors that stay open in the child, under their number
    bool runs_to_its_end = false;                    // whatever is asked for, or happens to its caller, meanwhile
    bool operator==(const Command&) const = default;
};

// PATH, HOME=/root, LC_ALL=C.UTF-8 and nothing else.
std::map<std::string, std::string> clean_environment();

struct CommandResult {
    int status = 0;      // exit status; 128 + signal for one that was killed
    std::string output;  // standard output
    std::string errors;  // standard error
    bool ok() const { return status == 0; }
};

class CommandRunner {
  public:
    virtual ~CommandRunner() = default;
    // Waits for the end. Throws Error when the program cannot be started, and Error(interrupted) after ending the
    // child when a stop is requested, unless it runs to its end: such a command is started even then, and survives a
    // caller that is killed. A non-zero status is an answer, not an exception.
    virtual CommandResult run(const Command& command) = 0;
};

class SystemCommandRunner final : public CommandRunner {
  public:
    CommandResult run(const Command& command) override;
};

// What a program is run for, as its failures tell it.
struct Purpose {
    ErrorKind kind;
    std::string_view package;  // Debian's, that brings the program
    std::string context = {};  // "cannot write 'a.img'"; "" for none
};

// Runner's, with a program that cannot be started turned into Error(kind) that names the package.
CommandResult run_for(const Purpose& purpose, const Command& command, CommandRunner& runner);

// The same of a command that must succeed: Error(kind) with describe_failure() otherwise.
CommandResult run_or_fail(const Purpose& purpose, const Command& command, CommandRunner& runner);

// How a failed command is shown: "LINE\nexit status N; it said:\nLAST LINES".
std::string describe_failure(const Command& command, const CommandResult& result);

// The executable `name` in PATH, or in the directories of system programs, which users' PATH does not have (mke2fs is
// there). A name with a slash is taken as it is. "" if there is none.
std::string find_program(std::string_view name);
bool program_exists(std::string_view name);

}  // namespace vprov::os
