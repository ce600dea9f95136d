"""What stands on a screen in letters, read from a picture of it: in VGA's text mode, or on a console that a kernel draws.

    lines = Screen(pathlib.Path("screen.png")).lines()

The glyphs of text mode are those of QEMU's VGA BIOS (Debian: seabios). A kernel that has a framebuffer draws with glyphs
of its own, which are in its file: `Screen(path, kernel_font(vmlinuz))`.
"""

import lzma
import pathlib
import struct
import zlib

ROM = pathlib.Path("/usr/share/seabios/vgabios-stdvga.bin")
TEXT_MODES = ((720, 400), (640, 400))
HEIGHT, WIDTH = 16, 8
UNKNOWN = "\N{REPLACEMENT CHARACTER}"
LETTER_A = bytes.fromhex("0000 1038 6cc6 c6fe c6c6 c6c6 0000 0000")  # of the PC's 8x16 font, which all agree on
XZ = b"\xfd7zXZ\0"


def font_in(data):
    """The character for each bitmap of 16 bytes, of a font in the order of the PC's characters."""
    start = data.index(LETTER_A) - ord("A") * HEIGHT
    return {data[start + code * HEIGHT:start + (code + 1) * HEIGHT]: bytes([code]).decode("cp437") for code in range(255, 31, -1)}


def kernel_font(path):
    """Of a bzImage that is packed with xz, as Debian's are."""
    packed = pathlib.Path(path).read_bytes()
    return font_in(lzma.LZMADecompressor().decompress(packed[packed.index(XZ):]))


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
    def __init__(self, path, framebuffer_font=None):
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
        self.font, self.cell = framebuffer_font, WIDTH
        if (self.width, self.height) in TEXT_MODES:
            self.font, self.cell = font_in(ROM.read_bytes()), self.width // 80

    def lines(self):
        if not self.font:
            return [f"a picture of {self.width} x {self.height}"]
        return ["".join(self.character(x, line) for x in range(0, self.width - self.cell + 1, self.cell)).rstrip()
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
