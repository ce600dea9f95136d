#include "cli/top_screen.h"

#include <clocale>
#include <thread>

#define NCURSES_NOMACROS  // of common words: functions there are, too
#include <curses.h>

#include "base/error.h"
#include "os/interrupt.h"

namespace vprov::cli {
namespace {

using namespace std::chrono_literals;

class Screen {
  public:
    Screen() : terminal_(::newterm(nullptr, stdout, stdin)) {
        if (!terminal_)
            throw error(ErrorKind::usage, "cannot draw on this terminal (TERM); 'vprov top --batch' prints lines");
        ::set_term(terminal_);
        ::cbreak();
        ::noecho();
        ::curs_set(0);
        ::keypad(stdscr, TRUE);
    }
    ~Screen() {
        ::endwin();
        ::delscreen(terminal_);
    }
    Screen(const Screen&) = delete;
    Screen& operator=(const Screen&) = delete;

    void draw(const std::vector<hypervisor::Rates>& rates) {
        ::erase();
        const int width = COLS, height = LINES;
        line(0, "vprov top: " + top_summary(rates), width);
        ::attron(A_REVERSE);
        auto header = top_header();
        header.resize(static_cast<std::size_t>(std::max<int>(width, static_cast<int>(header.size()))), ' ');
        line(2, header, width);
        ::attroff(A_REVERSE);
        for (int i = 0; i < static_cast<int>(rates.size()) && i + 3 < height - 1; ++i)
            line(3 + i, top_line(rates[static_cast<std::size_t>(i)]), width);
        line(height - 1, "q quit; sort by c processor, m memory, d disk, n network, a name", width);
        ::refresh();
    }

    // The next key, or ERR when none comes in time; a stop request ends the waiting within a moment.
    static int key(std::chrono::milliseconds most) {
        const auto deadline = std::chrono::steady_clock::now() + most;
        while (!os::stop_requested()) {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
            if (left <= 0ms)
                return ERR;
            ::timeout(static_cast<int>(std::min(left, 100ms).count()));
            if (const int typed = ::getch(); typed != ERR)
                return typed;
        }
        return ERR;
    }

  private:
    static void line(int row, const std::string& text, int width) { ::mvaddnstr(row, 0, text.c_str(), width); }
    SCREEN* terminal_;
};

TopOrder order_of(int key, TopOrder now) {
    switch (key) {
        case 'c':
            return TopOrder::cpu;
        case 'm':
            return TopOrder::memory;
        case 'd':
            return TopOrder::disk;
        case 'n':
            return TopOrder::network;
        case 'a':
            return TopOrder::name;
        default:
            return now;
    }
}

}  // namespace

void run_top_screen(const hypervisor::Domains& domains, std::chrono::milliseconds delay, TopOrder order) {
    auto before = hypervisor::sample_usage(domains);
    Screen screen;
    auto wait = std::min(delay, 200ms);  // the first rates soon
    for (;;) {
        const int key = Screen::key(wait);
        os::check_stop();
        if (key == 'q')
            return;
        order = order_of(key, order);
        auto after = hypervisor::sample_usage(domains);
        auto rates = hypervisor::rates_between(before, after);
        sort_for_top(rates, order);
        screen.draw(rates);
        if (key == ERR)
            before = std::move(after);
        wait = delay;
    }
}

}  // namespace vprov::cli
