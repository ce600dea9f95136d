// The supervisor's end of an Operation: what a command that takes its time may do to the domain, and what becomes of
// the domain when that command goes away.
#pragma once

#include <string>
#include <string_view>

#include "hypervisor/launch/claim.h"
#include "hypervisor/launch/guest_ram.h"

namespace vprov::hypervisor {

class OperationLease {
  public:
    // What runs.
    class Run {
      public:
        virtual ~Run() = default;
        virtual void execute(std::string_view command) = 0;  // QEMU does
        virtual void resume() = 0;                           // as soon as QEMU can
        virtual void end() = 0;                              // for good
        virtual bool is_ending() const = 0;
        virtual void remark(std::string_view text) = 0;
    };
    // All are borrowed; `ram` may be replaced between operations.
    OperationLease(Claim& claim, const GuestRam& ram, Run& run) : claim_(claim), ram_(ram), run_(run) {}

    // Each answer is "ok" or "error TEXT", as DomainSocket sends it.
    std::string begin(std::string_view what);
    std::string go_on(std::string_view line);
    void take_back();  // its command has gone without a word

  private:
    std::string end(std::string_view line);
    std::string try_run();
    std::string hand_over(HandOver how);
    bool may_be_taken_back();
    void clear();

    Claim& claim_;
    const GuestRam& ram_;
    Run& run_;
};

}  // namespace vprov::hypervisor
