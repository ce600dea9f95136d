// The agent in a guest that is cloned while it runs: gives the clone an identity of its own, as the host tells it.
//
// Requests come through the virtio port org.vprov.0, a line each: "NUMBER COMMAND [KEY=VALUE...]", and each is answered
// by one line: "NUMBER ok [KEY=VALUE...]" or "NUMBER error REASON". In values and reasons, bytes other than letters,
// digits and "-._:/+," are written %XX.
//
//   identify                    ok version=1 hostname=H host-keys=rsa,ed25519
//   wait-started                ok, when the guest's boot is over
//   prepare-template            card.I=MAC,SLOT...: cards of these addresses will be replaced by others, in these PCI
//                               slots. What only one machine may have is removed; udev, systemd-networkd and sshd stand
//                               still from here on
//   set-identity                hostname= machine-id= boot-id= time=SECONDS.NANOSECONDS entropy=HEX
//                               key.TYPE= and key.TYPE.pub=, files of SSH host keys; card.I=OLD,NEW,SLOT
//   set-address                 mac=MAC address=A/P [gateway=A]; before udev goes on
//   start-network               udev and systemd-networkd go on
//   sync                        all that was written is on the disk
//   wait-card                   mac=MAC; ok name=NAME, when udev has done its part
//   wait-network                card=NAME; ok address=A/P, when it has one
//   settle                      ok; and then, without anybody's help, what may follow when the clone is in use: sshd
//                               with its keys, prompts with its name, the journal
#pragma once

#include <stddef.h>

enum { kMostPairs = 64 };

struct pair {
    char* key;
    char* value;
};
struct request {
    char* number;
    char* command;
    struct pair pairs[kMostPairs];
    size_t count;
};

// request.c. Takes the line apart in place; nonzero when it is not a request.
int read_request(char* line, struct request* request);
const char* value_of(const struct request* request, const char* key);  // NULL: not given
// value "a,b,c" -> up to `most` parts, in place; how many.
size_t split_value(char* value, char** parts, size_t most);

// An answer. Those that take a format return 0, or -1 for fail().
struct answer {
    char text[8192];
    size_t size;
};
void add_value(struct answer* answer, const char* key, const char* value);
int fail(struct answer* answer, const char* format, ...) __attribute__((format(printf, 2, 3)));
int fail_errno(struct answer* answer, const char* what);  // "cannot WHAT: REASON"

// files.c. Paths are below kRoot in tests.
extern const char* root_directory;  // "" but in tests
int is_trial(void);                 // a test: the system that it runs in is left alone
char* path_of(const char* path);    // to be freed
char* read_text(const char* path);  // to be freed; NULL: it cannot be read
// Under another name first, so that it is whole at each moment; keeps owner and mode of one that is there.
int write_text(const char* path, const char* text, unsigned mode);
void set_value(const char* path, const char* value);  // of the kernel's, where it can be set
// Each line of the text for which `change` gives another one (to be freed) is replaced by that, or left out.
typedef char* (*line_change)(const char* line, void* context);
extern char left_out[];
char* changed_text(const char* text, line_change change, void* context);
// For the files of `directory` whose names end in one of `endings` (NULL-terminated).
int change_lines_of(const char* directory, const char* const* endings, line_change change, void* context);
// A copy in which each `word` between characters that are none of a name is replaced; NULL: there is none.
char* with_word_replaced(const char* text, const char* word, const char* by);

// identity.c
void prepare_identity(void);
int set_identity(const struct request* request, struct answer* answer);
void identify(struct answer* answer);
void settle(void);

// network.c
int prepare_cards(const struct request* request, struct answer* answer);
int set_cards(const struct request* request, struct answer* answer);
const char* place_of_card(const char* mac);  // NULL: there is none of this address
int start_network(struct answer* answer);
int wait_for_card(const struct request* request, struct answer* answer);
int wait_for_network(const struct request* request, struct answer* answer);
void settle_cards(void);

// address.c
extern const char* const of_udev[];      // how the files' names end
extern const char* const of_networkd[];  // of those of udev
extern const char* const of_netplan[];
extern const char* const of_ifupdown[];
int set_address(const struct request* request, struct answer* answer);

// netplan.c. 1: it is written for the card, 0: the card is not there, -1 with errno.
int write_netplan(const char* card, const char* address, const char* gateway);

// run.c. None does anything in a trial.
void signal_all(const char* name, int signal);  // the processes of this name, as /proc/PID/comm has it
void signal_server(int signal);                 // sshd(8), which waits for connections
// A program with its words, without input and output; its exit status, 127 when it cannot be run.
int run_program(const char* const* words);
#define RUN(...) run_program((const char* const[]){__VA_ARGS__, NULL})
