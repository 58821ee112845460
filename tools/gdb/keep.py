# SPDX-License-Identifier: Apache-2.0
"""gdb in a debug Keep on the software platform (docs/debugging.md).

    gdb -x tools/gdb/keep.py
    (gdb) keep attach DIR/ID.gdb [OUT]    symbols of shim and exec, the target
    (gdb) keep gate                       the request, and the host's answer
    (gdb) keep ghcb                       of an SNP Keep: what is valid in it
    (gdb) keep state                      the processor's state in the VMCB
    (gdb) keep where                      exec's and the shim's line in it
    (gdb) keep report                     the shim's last words
"""
import os
import subprocess

import gdb

HERE = os.path.dirname(os.path.abspath(__file__))
# abi/vm.h, shim/x86_64_vm/tables.h, shim/x86_64_vm/user.c: what a debug Keep
# has at fixed places.
EXEC = 0x550000000000
WINDOW = 0xffffffff80200000 + 0x100000
AREA, REPORT, GHCB = 0x1000, 0x42000, 0x43000
PHYSICAL = 0xff00000000000000


def symbol(path, name):
    out = subprocess.run(["nm", path], check=True, stdout=subprocess.PIPE,
                         text=True).stdout
    for line in out.splitlines():
        value, _, what = line.partition(" ")
        if what.endswith(f" {name}"):
            return int(value, 16)
    raise gdb.GdbError(f"{path} has no {name}")


def at(kind, address):
    return gdb.Value(address).cast(gdb.lookup_type(kind).pointer()
                                   ).dereference()


def line_of(address):
    return gdb.execute(f"info symbol {address:#x}", False, True).strip() \
        + "  " + gdb.execute(f"info line *{address:#x}", False, True).strip()


def shown(value, names):
    for name in names:
        print(f"  {name:14} {value[name].format_string(format='x')}")


class Keep(gdb.Command):
    """A debug Keep: attach, gate, ghcb, state, where, report."""

    vmcb = 0

    def __init__(self):
        super().__init__("keep", gdb.COMMAND_DATA, prefix=False)

    def invoke(self, text, _tty):
        words = gdb.string_to_argv(text)
        verbs = {"attach": self.attach, "gate": self.gate, "ghcb": self.ghcb,
                 "state": self.state, "where": self.where,
                 "report": self.report}
        if not words or words[0] not in verbs:
            raise gdb.GdbError("keep attach|gate|ghcb|state|where|report")
        verbs[words[0]](*words[1:])

    def attach(self, path, out="out", tee="snp"):
        debug = os.path.join(out, "debug")
        Keep.vmcb = symbol(f"{debug}/monitor-x86_64", "vmcb")
        gdb.execute("set confirm off")
        gdb.execute("set architecture i386:x86-64")
        gdb.execute(f"symbol-file {debug}/shim-{tee}")
        gdb.execute(f"add-symbol-file {debug}/exec -o {EXEC:#x}", False, True)
        gdb.execute(f"target remote | {HERE}/stub.py {path} {Keep.vmcb:#x}")

    def gate(self):
        area = at("struct gate_area", WINDOW + AREA)
        print("request")
        shown(area["request"], ("op", "seq", "arg0", "arg1", "data_len"))
        print("reply")
        shown(area["reply"], ("error", "seq", "ret0", "data_len"))

    def ghcb(self):
        page = at("struct ghcb", WINDOW + GHCB)
        names = ("rax", "rbx", "rcx", "rdx", "exit_code", "exit_info_1",
                 "exit_info_2", "scratch")
        for name in names:
            field, = (f for f in page.type.fields() if f.name == name)
            bit = field.bitpos // 64
            valid = int(page["valid"][bit // 8]) >> bit % 8 & 1
            print(f"  {name:14} {page[name].format_string(format='x')}"
                  f"{'' if valid else '  (not valid)'}")
        shown(page, ("protocol", "usage"))

    def state(self):
        """The VMCB's save area (AMD64 manual, volume 2, table B-2)."""
        data = bytes(gdb.selected_inferior().read_memory(
            PHYSICAL + Keep.vmcb, 0x1000))

        def word(offset):
            return int.from_bytes(data[offset:offset + 8], "little")
        for name, offset in (("exit code", 0x70), ("exit info 1", 0x78),
                             ("exit info 2", 0x80), ("nested cr3", 0xb0),
                             ("efer", 0x4d0), ("cr4", 0x548), ("cr3", 0x550),
                             ("cr0", 0x558), ("rflags", 0x570), ("rip", 0x578),
                             ("rsp", 0x5d8), ("rax", 0x5f8), ("cr2", 0x640)):
            print(f"  {name:14} {word(offset):#x}")

    def where(self):
        """While the monitor runs, gdb stands in it, not in the guest."""
        data = bytes(gdb.selected_inferior().read_memory(
            PHYSICAL + Keep.vmcb, 0x1000))
        rip = int.from_bytes(data[0x578:0x580], "little")
        rsp = int.from_bytes(data[0x5d8:0x5e0], "little")
        print(f"  {line_of(rip)}")
        # Return addresses on its stack: what looks like code is shown.
        for i in range(256):
            try:
                word = int.from_bytes(bytes(
                    gdb.selected_inferior().read_memory(rsp + 8 * i, 8)),
                    "little")
            except gdb.MemoryError:
                break
            if gdb.decode_line(f"*{word:#x}")[1] and gdb.block_for_pc(word):
                print(f"  {line_of(word)}")

    def report(self):
        r = at("struct vm_report", WINDOW + REPORT)
        n = min(int(r["text_len"]), 1008)
        print(f"  status {int(r['status'])}, unknown calls "
              f"{int(r['unknown_calls'])}")
        print("  " + "".join(chr(int(r["text"][i])) for i in range(n)))


Keep()
