// Part of every program that is built with AddressSanitizer and loads libparted: its constructor (3.5,
// libparted/labels/gpt.c) reads /proc/cmdline, and a character too much of it.
extern "C" const char* __asan_default_suppressions() {
    return "interceptor_via_lib:libparted";
}
