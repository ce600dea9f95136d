#!/usr/bin/env python3
"""kills_test.py VPROV VERB [ROUNDS]: kills the command, the supervisor or QEMU at a random moment of create, save, restore,
destroy or migrate, and looks at what is left. ROUNDS: of each victim; by hand 100 are a fair number. The moments follow
from the number of the round.

Afterwards the domain is as it was before or gone, and it is gone only where that was asked for or QEMU was what was
killed. A save that has begun to end the domain has left a file that restores it; a restore leaves its file as it is. A
domain that moves is on one side."""

import shlex

from killed_domains import KilledDomainsTest, VPROV, main

VICTIMS = ("command", "supervisor", "qemu", "interrupt")
MOVE_VICTIMS = ("command", "interrupt", "receiver there", "supervisor here", "supervisor there", "qemu here", "qemu there")


class StartAndEndTest(KilledDomainsTest):
    def test_create(self):
        self.kill_in_rounds("create", VICTIMS, self.duration(self.here, "create", self.config), self.killed_create)

    def killed_create(self, victim, moment):
        for domain in self.here.domains():
            self.here.done("destroy", domain["name"])
        run = self.strike(self.here.start("create", self.config), victim, moment)
        runs = bool(self.what_is_left(boots=True))
        if victim not in ("command", "qemu"):
            self.assertEqual(runs, run.returncode == 0, run.stderr)
        return "runs" if runs else "does not run"

    def test_destroy(self):
        self.create()
        self.kill_in_rounds("destroy", VICTIMS, self.duration(self.here, "destroy", "tiny"), self.killed_destroy)

    def killed_destroy(self, victim, moment):
        if not self.here.domains():
            self.create()
        run = self.strike(self.here.start("destroy", "tiny"), victim, moment)
        runs = bool(self.what_is_left())
        if run.returncode == 0 or victim in ("supervisor", "qemu"):
            self.assertFalse(runs, run.stderr)
        return "runs" if runs else "is gone"


class SaveAndRestoreTest(KilledDomainsTest):
    def setUp(self):
        super().setUp()
        self.file = self.kept / "tiny.save"

    def check_kept(self):
        self.assertLessEqual(set(self.kept.iterdir()), {self.file})

    def test_save(self):
        self.create()
        longest = self.duration(self.here, "save", "tiny", self.file)
        self.file.unlink()
        self.kill_in_rounds("save", VICTIMS, longest, self.killed_save)

    def killed_save(self, victim, moment):
        if not self.here.domains():
            self.create()
        self.strike(self.here.start("save", "tiny", self.file), victim, moment)
        runs = bool(self.what_is_left())
        self.check_kept()
        is_saved = self.file.exists()
        if not runs and (victim != "qemu" or is_saved):
            self.here.done("restore", self.file)
            self.assertTrue(self.answers(self.here), "the restored guest does not answer")
        self.file.unlink(missing_ok=True)
        return "runs" if runs else "is saved" if is_saved else "is gone"

    def test_restore(self):
        self.create()
        self.here.done("save", "tiny", self.file)
        self.content = self.file.read_bytes()
        self.kill_in_rounds("restore", VICTIMS, self.duration(self.here, "restore", self.file), self.killed_restore)

    def killed_restore(self, victim, moment):
        for domain in self.here.domains():
            self.here.done("destroy", domain["name"])
        run = self.strike(self.here.start("restore", self.file), victim, moment)
        runs = bool(self.what_is_left())
        self.check_kept()
        self.assertEqual(self.file.read_bytes(), self.content)
        if victim == "supervisor":
            self.assertEqual(runs, run.returncode == 0, run.stderr)
        return "runs" if runs else "does not run"


class MoveTest(KilledDomainsTest):
    def move(self):
        receiver = shlex.join(["env", f"VPROV_STATE_DIR={self.there.state}", VPROV, "migrate-receive"])
        return "migrate", "-s", "", "tiny", receiver

    def test_migrate(self):
        self.create()
        longest = self.duration(self.here, *self.move())
        self.here, self.there = self.there, self.here
        self.kill_in_rounds("migrate", MOVE_VICTIMS, longest, self.killed_move)

    def killed_move(self, victim, moment):
        """From where it is."""
        if self.there.domains():
            self.there.done("destroy", "tiny")
        if not self.here.domains():
            self.create()
        run = self.strike(self.here.start(*self.move()), victim, moment)
        side = self.what_is_left()
        if not victim.startswith("qemu"):
            self.assertIsNotNone(side, run.stderr)
        if run.returncode == 0 and victim != "qemu there":
            self.assertIs(side, self.there)
        outcome = {self.here: "stays", self.there: "has moved", None: "is gone"}[side]
        if side is self.there:
            self.here, self.there = self.there, self.here
        return outcome


if __name__ == "__main__":
    main()
