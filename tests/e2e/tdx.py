# SPDX-License-Identifier: Apache-2.0
"""MRTD of a TDX Keep once more, straight from Intel's documents (348551,
TDH.MEM.PAGE.ADD and TDH.MR.EXTEND)."""
import hashlib
import struct

RAM, EXEC, RESET, PAGE, CHUNK = 0x200000, 0x400000, 0xfffff000, 4096, 256


def record(name, gpa):
    return struct.pack("<16sQ104x", name, gpa)


def mrtd(shim, exec_):
    shim = bytearray(shim)
    struct.pack_into("<I", shim, 0x30, len(exec_))
    (reset,) = struct.unpack_from("<I", shim, 0x38)
    pages = [(RAM + at, bytes(shim[at:at + PAGE]))
             for at in range(0, len(shim), PAGE)]
    pages.append((RESET, bytes(shim[reset:reset + PAGE])))
    pages += [(EXEC + at, exec_[at:at + PAGE].ljust(PAGE, b"\0"))
              for at in range(0, len(exec_), PAGE)]
    total = hashlib.sha384()
    for gpa, page in pages:
        total.update(record(b"MEM.PAGE.ADD", gpa))
        for at in range(0, PAGE, CHUNK):
            total.update(record(b"MR.EXTEND", gpa + at))
            total.update(page[at:at + CHUNK])
    return total.hexdigest()
