// The target's end of copying a guest's files along.
//
// A disk is written under a hidden name beside the one that it is to have, and gets that when the guest runs on it:
// a move that fails leaves nothing, and what a killed one has left is known by its name and removed by the next. A file
// that nobody writes to may be there already, if it is the same.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "hypervisor/guest/guest.h"
#include "hypervisor/launch/domains.h"
#include "hypervisor/launch/monitor.h"
#include "hypervisor/migrate/streams.h"
#include "hypervisor/migrate/talk.h"
#include "os/fd.h"

namespace vprov::hypervisor {

class CopiedFiles {
  public:
    // Borrows the offer; of one without copies nothing is done. Throws Error(hypervisor) for a name that is taken.
    explicit CopiedFiles(const Offer& offer);
    ~CopiedFiles();  // without keep(): removes what it has made
    CopiedFiles(const CopiedFiles&) = delete;
    CopiedFiles& operator=(const CopiedFiles&) = delete;

    // Asks for the files that nobody writes to, as far as they are missing, and makes the disks, empty.
    void receive(Talk& talk, Streams& streams);
    // The guest with these for its files, under the names that they have now.
    Guest guest() const;
    // Disks are written through the streams from now on, and until then.
    void open_disks(const Domains& domains, Monitor& monitor, Streams& streams) const;
    void close_disks(Monitor& monitor) const;
    // The guest runs: the disks get their names, as far as nobody has taken these meanwhile; guest() has them then.
    void keep() noexcept;

  private:
    struct File {
        FileCopy copy;
        std::filesystem::path path, hidden;  // hidden: a disk's, until it is kept
        os::Fd lock;                         // a disk's: it is being received
        bool made = false;
    };
    static void make_disk(File& file);
    void make_directory(const std::filesystem::path& directory);

    const Offer& offer_;
    std::vector<File> files_;
    std::vector<std::filesystem::path> directories_;  // that were missing
};

// The source's part: sends what the target asks for.
void send_files(const Offer& offer, Talk& talk, Streams& streams);

}  // namespace vprov::hypervisor
