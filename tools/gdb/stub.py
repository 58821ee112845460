#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""stub.py SOCKET VMCB: between gdb, on standard input and output, and QEMU's
debugger at SOCKET, for a Keep on the software platform.

QEMU reads memory by the guest's tables, but not through the nested ones below
them.  Here that is done: memory is asked for by physical address, and both
tables are walked (AMD64 manual, volume 2, §5.3 and §15.25).  VMCB is where the
monitor's is: it has the nested tables' root, and the guest's while the monitor
runs.  All else passes as it is.

From PHYSICAL on is the machine's physical memory itself: no address of a
processor's is there.
"""
import os
import select
import socket
import struct
import sys

PAGE, LARGE = 0x1000, 0x200000
ADDRESS = 0x000ffffffffff000
PHYSICAL = 0xff00000000000000
CR3 = 29  # gdb's number of it: i386-64bit.xml
RIP = 16
MONITOR_END = 0x200000
NESTED_CR3, SAVED_CR3 = 0xb0, 0x400 + 0x150


class Fault(Exception):
    """Nothing is mapped there."""


class Line:
    """One side: packets with their acknowledgements."""

    def __init__(self, read, write):
        self.read, self.write = read, write
        self.rest = b""

    def send(self, body):
        os.write(self.write,
                 b"$%s#%02x" % (body, sum(body) & 0xff))

    def take(self):
        """A packet, b"\\x03", or None when more has to come."""
        while self.rest and self.rest[:1] not in (b"$", b"\x03"):
            self.rest = self.rest[1:]
        if self.rest[:1] == b"\x03":
            self.rest = self.rest[1:]
            return b"\x03"
        end = self.rest.find(b"#")
        if end < 0 or len(self.rest) < end + 3:
            return None
        body, self.rest = self.rest[1:end], self.rest[end + 3:]
        os.write(self.write, b"+")
        return body

    def more(self):
        data = os.read(self.read, 65536)
        self.rest += data
        return bool(data)

    def wait(self):
        while True:
            body = self.take()
            if body is not None:
                return body
            if not self.more():
                sys.exit(0)


class Machine:
    def __init__(self, line, vmcb):
        self.line, self.vmcb = line, vmcb

    def ask(self, body):
        self.line.send(body)
        return self.line.wait()

    def register(self, number):
        return int.from_bytes(bytes.fromhex(
            self.ask(b"p%x" % number).decode()), "little")

    def physical(self, at, n):
        answer = self.ask(b"m%x,%x" % (at, n))
        if answer[:1] == b"E" or len(answer) != 2 * n:
            raise Fault
        return bytes.fromhex(answer.decode())

    def word(self, at):
        return struct.unpack("<Q", self.physical(at, 8))[0]

    def walk(self, root, at, through):
        """The address below tables whose own addresses go `through`."""
        table = root & ADDRESS
        for shift in (39, 30, 21, 12):
            entry = self.word(through(table) + (at >> shift & 511) * 8)
            if not entry & 1:
                raise Fault
            if shift > 12 and entry & 0x80 and shift < 39:
                mask = (1 << shift) - 1
                return (entry & ADDRESS & ~mask) | at & mask
            table = entry & ADDRESS
        return table | at & (PAGE - 1)

    def find(self, at):
        """Where in physical memory an address of the guest's is."""
        if PHYSICAL <= at < PHYSICAL + (1 << 52):
            return at - PHYSICAL
        inside = self.register(RIP) >= MONITOR_END
        if not inside and at < 1 << 32:
            return at
        nested = self.word(self.vmcb + NESTED_CR3)
        cr3 = self.register(CR3) if inside else self.word(
            self.vmcb + SAVED_CR3)

        def through(gpa):
            return self.walk(nested, gpa, lambda x: x)
        return through(self.walk(cr3, at, through))

    def read(self, at, n):
        out = b""
        while n:
            part = min(n, PAGE - at % PAGE)
            try:
                out += self.physical(self.find(at), part)
            except Fault:
                break
            at, n = at + part, n - part
        return out

    def store(self, at, data):
        while data:
            part = data[:PAGE - at % PAGE]
            answer = self.ask(b"M%x,%x:%s" % (
                self.find(at), len(part), part.hex().encode()))
            if answer != b"OK":
                raise Fault
            at, data = at + len(part), data[len(part):]


def numbers(text):
    return [int(x, 16) for x in text.split(b",")]


def answer(machine, body):
    """What is answered here; None: QEMU is asked."""
    try:
        if body[:1] == b"m":
            data = machine.read(*numbers(body[1:]))
            return data.hex().encode() if data else b"E14"
        if body[:1] == b"M":
            head, _, text = body[1:].partition(b":")
            machine.store(numbers(head)[0], bytes.fromhex(text.decode()))
            return b"OK"
        if body[:1] == b"X":
            return b""  # gdb takes M then
    except Fault:
        return b"E14"
    return None


def main():
    s = socket.socket(socket.AF_UNIX)
    s.connect(sys.argv[1])
    gdb, qemu = Line(0, 1), Line(s.fileno(), s.fileno())
    machine = Machine(qemu, int(sys.argv[2], 0))
    qemu.send(b"Qqemu.PhyMemMode:1")
    # It says first that it has stopped.
    while qemu.wait() != b"OK":
        pass
    while True:
        body = gdb.take()
        if body == b"\x03":
            os.write(qemu.write, b"\x03")
        elif body is not None:
            reply = answer(machine, body)
            if reply is None:
                qemu.send(body)
            else:
                gdb.send(reply)
            continue
        said = qemu.take()
        if said is not None:
            gdb.send(said)
            continue
        ready, _, _ = select.select([gdb.read, qemu.read], [], [])
        for line in (gdb, qemu):
            if line.read in ready and not line.more():
                return


if __name__ == "__main__":
    main()
