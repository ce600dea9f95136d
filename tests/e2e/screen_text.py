"""What stands on a screen in VGA's text mode, read from a picture of it.

    lines = Screen(pathlib.Path("screen.png")).lines()

The glyphs are those that the VGA BIOS of QEMU (Debian: seabios) draws with; a system that loads a font of its own, as
installers do, must bring it: `Screen(path, font=psf_font(data))`.
"""

import gzip
import pathlib
import struct
import zlib

ROM = pathlib.Path("/usr/share/seabios/vgabios-stdvga.bin")
HEIGHT, WIDTH = 16, 8
UNKNOWN = "\N{REPLACEMENT CHARACTER}"
LETTER_A = bytes.fromhex("0000 1038 6cc6 c6fe c6c6 c6c6 0000 0000")  # of the PC's 8x16 font, which all agree on


def bios_font():
    """The character for each bitmap of 16 bytes."""
    rom = ROM.read_bytes()
    start = rom.index(LETTER_A) - ord("A") * HEIGHT
    glyphs = {}
    for code in range(255, 31, -1):
        glyphs[rom[start + code * HEIGHT:start + (code + 1) * HEIGHT]] = chr(code) if code < 127 else UNKNOWN
    return glyphs


def psf_font(data):
    """The same of a console font (psf, version 1), packed or not, in which ASCII is at its place."""
    data = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    magic, _, height = struct.unpack_from("<HBB", data)
    assert (magic, height) == (0x0436, HEIGHT), "no psf font of 16 lines"
    return {data[4 + code * HEIGHT:4 + (code + 1) * HEIGHT]: chr(code) for code in range(126, 31, -1)}


def unfiltered(raw, stride, depth):
    """PNG's filters (RFC 2083, 6) undone: the lines."""
    lines, above = [], bytes(stride)
    for start in range(0, len(raw), stride + 1):
        kind, line = raw[start], bytearray(raw[start + 1:start + 1 + stride])
        if kind == 2 and not any(line):  # most lines of most screens
            line = above
        elif kind == 1:
            for i in range(depth, stride):
                line[i] = (line[i] + line[i - depth]) & 255
        elif kind == 2:
            line = bytes((byte + up) & 255 for byte, up in zip(line, above))
        elif kind in (3, 4):
            undo_by_two(kind, line, above, depth)
        above = bytes(line)
        lines.append(above)
    return lines


def undo_by_two(kind, line, above, depth):
    for i, byte in enumerate(line):
        left, corner = (line[i - depth], above[i - depth]) if i >= depth else (0, 0)
        up = above[i]
        if kind == 3:
            near = (left + up) // 2
        else:
            by_left, by_up, by_corner = abs(up - corner), abs(left - corner), abs(left + up - corner - corner)
            near = left if by_left <= by_up and by_left <= by_corner else up if by_up <= by_corner else corner
        line[i] = (byte + near) & 255


class Screen:
    def __init__(self, path, font=None):
        data, packed, at = pathlib.Path(path).read_bytes(), b"", 8
        assert data.startswith(b"\x89PNG"), "no PNG"
        while at < len(data):
            size, name = struct.unpack_from(">I4s", data, at)
            if name == b"IHDR":
                self.width, self.height, bits, colour, _, _, interlaced = struct.unpack_from(">IIBBBBB", data, at + 8)
                assert (bits, colour, interlaced) == (8, 2, 0), "not what QEMU writes"
            elif name == b"IDAT":
                packed += data[at + 8:at + 8 + size]
            at += size + 12
        self.rows = unfiltered(zlib.decompress(packed), self.width * 3, 3)
        self.font = font or bios_font()

    def is_text(self):
        return (self.width, self.height) in ((720, 400), (640, 400))

    def lines(self):
        cell = self.width // 80
        return ["".join(self.character(column * cell, line) for column in range(80)).rstrip()
                for line in range(0, self.height - HEIGHT + 1, HEIGHT)]

    def text(self):
        return "\n".join(self.lines())

    def character(self, x, y):
        cell = [self.rows[y + i][3 * x:3 * (x + WIDTH)] for i in range(HEIGHT)]
        first = cell[0][:3]
        if all(row == first * WIDTH for row in cell):
            return " "
        for ink in {row[i:i + 3] for row in cell for i in range(0, 3 * WIDTH, 3)}:
            bitmap = bytes(sum(1 << (WIDTH - 1 - i) for i in range(WIDTH) if row[3 * i:3 * i + 3] == ink)
                           for row in cell)
            if bitmap in self.font:
                return self.font[bitmap]
        return UNKNOWN
