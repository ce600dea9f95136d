"""The QEMU that vprov has started for a domain, as it would be started by hand."""

import pathlib
import re


def running(name, mark):
    """The words of the QEMU of the domain `name` that has `mark` in one of them, which tells it from others' domains."""
    return next(words for words in map(command_line, pathlib.Path("/proc").glob("[0-9]*"))
                if f"guest={name},process=vprov-{name},debug-threads=on" in words and any(mark in word for word in words))


def command_line(process):
    try:
        return (process / "cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
    except OSError:
        return []


def pairs(words):
    """QEMU's program, and each option with its value; "" where there is none."""
    yield words[0], ""
    for i, word in enumerate(words[1:], 1):
        if word.startswith("-"):
            value = words[i + 1] if i + 1 < len(words) else ""
            yield word, "" if value.startswith("-") else value


def arguments(words, files, console):
    """Without monitor and wait, with files that it opens itself, `files` (by option) among them, and with a console
    of the kind that `console` is."""
    argv, sets = [], {}
    for option, value in pairs(words):
        if option == "-add-fd":
            number, path = re.fullmatch("fd=[0-9]+,set=([0-9]+),opaque=(.*)", value).groups()
            sets[f"/dev/fdset/{number}"] = path
        if option in ("-S", "-mon", "-action", "-add-fd", "-incoming") or "id=qmp" in value:
            continue
        value = re.sub("/dev/fdset/[0-9]+", lambda name: sets[name[0]], files.get(option, value))
        # of a descriptor that only the supervisor's QEMU has
        value = re.sub("^memory-backend-file,(.*),mem-path=/proc/self/fd/[0-9]+", r"memory-backend-memfd,\1", value)
        if option == "-chardev":
            value = re.sub("socket,id=([^,]*),.*", rf"{console},id=\1", value)
        if option == "-netdev":
            value = re.sub("^tap,(id=[^,]*).*", r"user,\1", value)
        argv += [option, value] if value else [option]
    return argv
