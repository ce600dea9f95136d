"""Logs in to a guest through `vprov console`, on a terminal of its own, and runs commands there.

    with GuestConsole(argv, environment) as console:
        console.log_in("root", password)
        status, output = console.run("hostname")
"""

import os
import pty
import re
import select
import signal
import subprocess
import time

ESCAPE = b"\x1d"  # Ctrl-]
CONTROL_SEQUENCE = re.compile(r"\x1b(\[[0-9;?]*[A-Za-z]|[()][A-Z0-9]|[=>])")


class ConsoleError(AssertionError):
    pass


class GuestConsole:
    def __init__(self, argv, environment, seconds=1200):
        self.seconds, self.text, self.shown, self.count = seconds, "", "", 0
        self.terminal, other = pty.openpty()
        self.process = subprocess.Popen(argv, stdin=other, stdout=other, stderr=other, env=environment,
                                        start_new_session=True)
        os.close(other)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        os.close(self.terminal)

    def read(self, seconds):
        if not select.select([self.terminal], [], [], seconds)[0]:
            return
        try:
            data = os.read(self.terminal, 65536)
        except OSError:  # EIO: the program has closed its side
            data = b""
        if not data:
            raise ConsoleError(f"the console ended; its last lines:\n{self.text[-2000:]}")
        self.text = CONTROL_SEQUENCE.sub("", self.text + data.decode("utf-8", "replace").replace("\r", ""))

    def wait_for(self, pattern, seconds=None):
        """What came up to and with the first match; the rest is kept."""
        deadline = time.monotonic() + (seconds or self.seconds)
        while not (found := re.search(pattern, self.text)):
            if time.monotonic() > deadline:
                raise ConsoleError(f"no {pattern!r} on the console; its last lines:\n{self.text[-2000:]}")
            self.read(0.2)
        self.text, self.shown = self.text[found.end():], self.text[:found.end()]
        return self.shown

    def type(self, text):
        os.write(self.terminal, text.encode())

    def wait_for_login(self, seconds=None):
        """Types lines now and then, for what a guest says while it boots can follow its prompt."""
        deadline = time.monotonic() + (seconds or self.seconds)
        while True:
            self.type("\n")
            try:
                return self.wait_for(r"login: $", 5)
            except ConsoleError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise

    def log_in(self, user, password):
        self.type("\n")  # a prompt anew, whatever was shown before
        if "maintenance" in self.wait_for(r"login: $|root password for maintenance"):
            raise ConsoleError(f"the guest is in emergency mode; its last lines:\n{self.shown[-4000:]}")
        for _ in range(5):
            self.type(f"{user}\n")
            try:
                self.wait_for(r"[Pp]assword: ", self.seconds / 10)
                break
            except ConsoleError:  # a prompt that was to be replaced by another forgets what was typed
                self.type("\n")
                self.wait_for(r"login: $")
        else:
            raise ConsoleError(f"nobody asks for a password; the last lines:\n{self.shown[-4000:]}")
        self.type(f"{password}\n")
        if "incorrect" in self.wait_for(r"incorrect|[#$] $"):
            raise ConsoleError("the guest refuses the password")
        self.settle()

    def settle(self):
        """Makes a shell that waits for commands one that run() can talk to."""
        self.type("export PS1= TERM=dumb; stty -echo; dmesg -n 1; bind 'set enable-bracketed-paste off'; echo REA''DY\n")
        self.wait_for(r"READY\n")

    def run(self, command, seconds=None):
        self.count += 1
        self.type(f"{command}\necho =$?=E''ND{self.count}\n")
        said = self.wait_for(rf"=\d+=END{self.count}\n", seconds)
        found = re.search(rf"=(\d+)=END{self.count}\n$", said)
        return int(found.group(1)), said[:found.start()].strip("\n")

    def power_off(self):
        """Returns the exit status of the program, which ends with its guest."""
        self.type("poweroff\n")
        return self.status_at_end()

    def detach(self):
        """Returns the exit status of the console."""
        os.write(self.terminal, ESCAPE)
        return self.status_at_end()

    def status_at_end(self):
        deadline = time.monotonic() + self.seconds
        try:
            while time.monotonic() < deadline:
                self.read(5)
        except ConsoleError:
            pass
        return self.process.wait(timeout=max(1, deadline - time.monotonic()))
