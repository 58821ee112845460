# SPDX-License-Identifier: Apache-2.0
"""What a Sanctum Keep measures, once more, straight from docs/tee/sanctum.md and
the calls of MIT's security_monitor."""
import hashlib
import struct

BASE, SHIM_AT, EXEC_AT, PAGE, LARGE = \
    0xffffffff80000000, 0x200000, 0x400000, 4096, 0x200000
V, R, W, X = 1, 2, 4, 8


def numbers(*values):
    return struct.pack(f"<{len(values)}Q", *values)


def enclave(shim, exec_, monitor):
    shim = bytearray(shim)
    struct.pack_into("<I", shim, 0x20, len(exec_))
    text, rodata, stack, entry = struct.unpack_from("<IIIQ", shim, 0x0c)
    at, count = struct.unpack_from("<II", monitor, 0x0c)
    total = hashlib.sha512(numbers(BASE, BASE, 0) + b"\0" +
                           monitor[at:at + count])
    tables = [(0, 3), (0, 2)] + [
        (at, 1) for at in range(0, EXEC_AT + len(exec_), LARGE)]
    for at, level in tables:
        total.update(numbers(BASE + at, level, V))
    for at in range(0, len(shim), PAGE):
        acl = V | R | (X if at < text else 0 if at < text + rodata else W)
        total.update(numbers(BASE + SHIM_AT + at, acl) + shim[at:at + PAGE])
    for at in range(0, len(exec_), PAGE):
        total.update(numbers(BASE + EXEC_AT + at, V | R) +
                     exec_[at:at + PAGE].ljust(PAGE, b"\0"))
    total.update(numbers(entry, BASE + SHIM_AT + stack, 0))
    return total.hexdigest()
