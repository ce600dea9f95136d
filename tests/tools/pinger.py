#!/usr/bin/env python3
"""Pings an IPv4 address every 10 ms, as root, until it is ended; a line with the time of each answer that comes.

    pinger.py ADDRESS
"""

import os
import select
import socket
import struct
import sys
import time

EVERY = 0.01


def echo_request(sequence):
    head = struct.pack("!BBHHH", 8, 0, 0, os.getpid() & 0xFFFF, sequence & 0xFFFF)
    total = sum(struct.unpack("!4H", head))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return head[:2] + struct.pack("!H", ~total & 0xFFFF) + head[4:]


def main():
    icmp = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    icmp.setblocking(False)
    address, sequence, due = sys.argv[1], 0, time.monotonic()
    while True:
        if time.monotonic() >= due:
            try:
                icmp.sendto(echo_request(sequence), (address, 0))
            except OSError:  # its queue is full, or nobody has the address at the moment
                pass
            sequence, due = sequence + 1, max(due + EVERY, time.monotonic())
        if select.select([icmp], [], [], max(0, due - time.monotonic()))[0]:
            packet = icmp.recv(2048)
            body = packet[(packet[0] & 15) * 4:]
            if body[0] == 0 and body[4:6] == struct.pack("!H", os.getpid() & 0xFFFF):
                print(time.time(), flush=True)


if __name__ == "__main__":
    main()
