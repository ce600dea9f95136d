#!/usr/bin/env python3
"""manual_test.py PROGRAM MANUAL README: every verb and option of --help is described in vprov(1), and no other; what the
README shows is so."""

import pathlib
import re
import subprocess
import sys
import tempfile
import textwrap
import unittest

PROGRAM, MANUAL, README = sys.argv[1:4]
NOT_DESCRIBED_AGAIN = {"-h", "--help"}  # described once, for all verbs


def help_of(*verb):
    result = subprocess.run([PROGRAM, *verb, "--help"], capture_output=True, text=True)
    assert result.returncode == 0 and result.stderr == "", result
    return result.stdout


def section(text, heading):
    """The indented lines below "HEADING:" of a help text."""
    lines = text.split(f"\n{heading}:\n", 1)[1].splitlines() if f"\n{heading}:\n" in text else []
    end = next((i for i, line in enumerate(lines) if not line.startswith("  ")), len(lines))
    return lines[:end]


def verbs_of_help():
    return {line.split()[0] for line in section(help_of(), "Subcommands")}


def options_of_help(*verb):
    names = set()
    for line in section(help_of(*verb), "Options"):
        if re.match(r"  -", line):
            names.update(re.findall(r"(?:^|,)(--?[a-z][a-z-]*)", line.split()[0]))
    return names


def described_options(lines):
    """The options in the tags of tagged paragraphs."""
    names = set()
    for before, line in zip(lines, lines[1:]):
        if before == ".TP":
            words = re.sub(r"\\f.", "", line.replace("\\-", "-"))
            names.update(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", words.split(" ", 1)[1]))
    return names


def manual_sections():
    """{"": lines of OPTIONS, VERB: lines of its subsection}"""
    found, current = {}, None
    for line in pathlib.Path(MANUAL).read_text(encoding="utf-8").splitlines():
        if line.startswith(".SH "):
            current = found.setdefault("", []) if line == ".SH OPTIONS" else None
        elif line.startswith(".SS "):
            current = found.setdefault(line.split()[1].replace("\\-", "-"), [])
        elif current is not None:
            current.append(line)
    return found


class Manual(unittest.TestCase):
    def test_has_the_verbs_of_the_program(self):
        self.assertIn("build", verbs_of_help())
        self.assertEqual(set(manual_sections()) - {""}, verbs_of_help())

    def test_has_the_options_that_every_verb_takes(self):
        self.assertIn("--quiet", options_of_help())
        self.assertEqual(described_options(manual_sections()[""]), options_of_help())

    def test_has_the_options_of_each_verb(self):
        self.assertIn("--launch", options_of_help("build"))
        sections = manual_sections()
        for verb in sorted(verbs_of_help()):
            with self.subTest(verb):
                self.assertEqual(described_options(sections[verb]), options_of_help(verb) - NOT_DESCRIBED_AGAIN)

    def test_names_the_version_of_the_program(self):
        version = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=True).stdout.strip()
        title = next(line for line in pathlib.Path(MANUAL).read_text(encoding="utf-8").splitlines() if line.startswith(".TH "))
        self.assertIn(f'"{version}"', title)


class Readme(unittest.TestCase):
    text = pathlib.Path(README).read_text(encoding="utf-8")

    def test_has_a_recipe_without_mistakes(self):
        block = re.search(r"\n## A recipe\n\n((?: {4}.*\n)+)", self.text)[1]
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as recipe:
            recipe.write(textwrap.dedent(block))
            recipe.flush()
            result = subprocess.run([PROGRAM, "check", recipe.name], capture_output=True, text=True)
        self.assertEqual((result.returncode, result.stderr), (0, ""))

    def test_names_verbs_that_there_are(self):
        rows = re.search(r"\n## The verbs\n\n((?:\|.*\n)+)", self.text)[1]
        named = set(re.findall(r"`(?:vprov )?([a-z][a-z-]*)(?=[ `])", rows)) - {"xl"}
        self.assertEqual(named, verbs_of_help())


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
