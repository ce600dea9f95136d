#!/usr/bin/env python3
"""Ctrl-C, SIGTERM and SIGKILL while a guest is built: nothing mounted, nothing half written, nobody left running.

The moments are those that the build's own events name, and some time after them: on a slow machine they fall
elsewhere, and all of them are moments at which a build may be interrupted.
"""

import json
import os
import pathlib
import queue
import shutil
import signal
import threading
import time

import vprov_under_test
from vprov_under_test import DONE, GRACE, INTERRUPTED, VprovTest, processes_in

RECIPE = vprov_under_test.tiny_recipe(size="1G", more='[identity]\nhostname = "tiny"', variant="minbase")

# (stage that has begun, seconds after that)
MOMENTS = [("", 0), ("", 0.05), ("index", 0), ("index", 0.2), ("resolve", 0), ("fetch", 0), ("fetch", 0.1), ("unpack", 0),
           ("unpack", 0.4), ("configure", 0), ("configure", 0.3), ("configure", 1), ("configure", 2.5), ("personalise", 0),
           ("write", 0.1), ("render", 0)]
KILLED_AT = [("index", 0), ("fetch", 0), ("unpack", 0.3), ("configure", 0.2), ("configure", 1.5), ("write", 0.1)]


class Events:
    """Reads the build's --json output, so that it never blocks."""

    def __init__(self, process):
        self.process, self.lines = process, queue.Queue()
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        for line in self.process.stdout:
            self.lines.put(json.loads(line))
        self.lines.put(None)

    def wait_for_stage(self, stage):
        while stage:
            event = self.lines.get(timeout=vprov_under_test.DEADLINE)
            if event is None or (event["event"] == "stage-started" and event["stage"] == stage):
                return

    def last(self):
        """The last event, after the end of the program."""
        self.thread.join()
        event = None
        while not self.lines.empty():
            event = self.lines.get() or event
        return event


class InterruptionTest(VprovTest):
    options = ["--no-layers"]  # for all that is timed: with a layer there is little to interrupt

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        warm = cls("build_undisturbed")  # the packages are in the cache before anything is interrupted
        warm.setUp()
        try:
            warm.build_undisturbed()
        finally:
            warm.doCleanups()

    def build_undisturbed(self):
        run = self.build(self.recipe(RECIPE))
        self.assert_done(run)
        self.assert_whole()
        self.assertEqual([entry.name for entry in self.output.iterdir()], ["tiny"])
        self.assert_all_ended()
        shutil.rmtree(self.output)

    def assert_whole(self):
        self.assertEqual(sorted(entry.name for entry in (self.output / "tiny").iterdir()),
                         ["log", "manifest.json", "root.img", "tiny.cfg"])

    def build_until(self, moment, stop):
        process = self.start_build(self.recipe(RECIPE), "--json", *self.options)
        events = Events(process)
        stage, seconds = moment
        if not stage:  # its signal handlers are in place when it has the recipe open; before that it just ends
            self.wait_for_handlers(process)
        events.wait_for_stage(stage)
        time.sleep(seconds)
        stop(process)
        process.wait(timeout=vprov_under_test.DEADLINE)
        return process, events

    def wait_for_handlers(self, process):
        def caught():
            status = vprov_under_test.read_bytes(pathlib.Path(f"/proc/{process.pid}/status")).decode()
            mask = next((line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:")), "0")
            return int(mask, 16) >> (signal.SIGTERM - 1) & 1 or process.poll() is not None
        self.assertTrue(vprov_under_test.wait_until(caught))

    def check_interrupted(self, moment, stop):
        process, events = self.build_until(moment, stop)
        said = process.stderr.read()
        if process.returncode == DONE:  # it was done before the signal came
            self.assertEqual(events.last()["event"], "finished")
            shutil.rmtree(self.output)
            return False
        self.assertEqual((process.returncode, said), (INTERRUPTED, "vprov: interrupted\n"))
        last = events.last()
        self.assertEqual((last["event"], last["kind"], last["exit_status"]), ("error", "interrupted", INTERRUPTED))
        self.assert_nothing_left()
        return True

    def test_ctrl_c(self):
        interrupted = 0
        for moment in MOMENTS:
            with self.subTest(moment=moment):
                interrupted += self.check_interrupted(moment, lambda p: os.killpg(p.pid, signal.SIGINT))
        self.assertGreater(interrupted, len(MOMENTS) // 2)
        self.build_undisturbed()

    def test_terminated(self):
        interrupted = 0
        for moment in MOMENTS[1::3]:
            with self.subTest(moment=moment):
                interrupted += self.check_interrupted(moment, lambda p: p.send_signal(signal.SIGTERM))
        self.assertGreater(interrupted, 2)
        self.build_undisturbed()

    def test_interrupted_and_killed_while_a_layer_is_restored(self):
        self.options = []
        self.build_undisturbed()  # the layer is there, and at its second use it becomes an image to copy
        interrupted = 0
        for seconds in (0, 0.02, 0.05, 0.1):
            with self.subTest(seconds=seconds):
                moment = ("personalise", seconds)
                interrupted += self.check_interrupted(moment, lambda p: p.send_signal(signal.SIGTERM))
                self.build_until(moment, lambda p: p.send_signal(signal.SIGKILL))
                vprov_under_test.wait_until(lambda: not processes_in(self.place), GRACE)
                shutil.rmtree(self.output / "tiny", ignore_errors=True)  # where it was done before the signal came
        self.assertGreater(interrupted, 0)
        self.build_undisturbed()

    def test_impatient_ctrl_c(self):
        def three_times(process):
            for _ in range(3):
                os.killpg(process.pid, signal.SIGINT)
                time.sleep(0.02)
        self.check_interrupted(("configure", 0.5), three_times)
        self.check_interrupted(("unpack", 0.1), three_times)

    def test_killed(self):
        killed = 0
        for moment in KILLED_AT:
            with self.subTest(moment=moment):
                process, _ = self.build_until(moment, lambda p: p.send_signal(signal.SIGKILL))
                killed += process.returncode == -signal.SIGKILL
                self.assert_all_ended()
                self.assertNotIn(str(self.place), pathlib.Path("/proc/self/mountinfo").read_text())
                if (self.output / "tiny").exists():  # published before the signal came: whole, or not at all
                    self.assert_whole()
                    shutil.rmtree(self.output / "tiny")
        self.assertGreater(killed, len(KILLED_AT) // 2)
        self.build_undisturbed()  # with nothing but its own output: the stale work directories are gone

    def test_killed_while_an_earlier_build_is_there(self):
        self.assert_done(self.build(self.recipe(RECIPE)))
        before = self.contents()
        for moment in (("configure", 0.5), ("write", 0.05)):
            self.build_until(moment, lambda p: p.send_signal(signal.SIGKILL))
        vprov_under_test.wait_until(lambda: not processes_in(self.place), GRACE)
        self.assertEqual(self.contents(), before)

    def contents(self):
        return {path.name: (path.stat().st_size, path.stat().st_mtime_ns) for path in (self.output / "tiny").iterdir()}


if __name__ == "__main__":
    vprov_under_test.main("root", "network")
