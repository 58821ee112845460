# SPDX-License-Identifier: Apache-2.0
"""MRENCLAVE of a Keep, calculated from the documents alone: Intel's SDM,
volume 3D, and docs/tee/sgx.md."""
import hashlib
import struct

PAGE = 4096
SIZE = 1 << 36
EXEC_AT, MAPS_AT, HEAP_AT = 0x01000000, 0x0f000000, 0x10000000
MAP_OF = 1 << 25
R, W, X = 1, 2, 4
TCS, REG = 1 << 8, 2 << 8


def segments(exec_):
    """(first, end, rights, bytes) of each PT_LOAD, in whole pages."""
    phoff, = struct.unpack_from("<Q", exec_, 32)
    each, count = struct.unpack_from("<HH", exec_, 54)
    for i in range(count):
        kind, flags, offset, at, _, in_file, size = \
            struct.unpack_from("<IIQQQQQ", exec_, phoff + i * each)
        if kind != 1:
            continue
        first = at // PAGE * PAGE
        end = (at + size + PAGE - 1) // PAGE * PAGE
        data = bytes(at - first) + exec_[offset:offset + in_file]
        rights = (R if flags & 4 else 0) | (W if flags & 2 else 0) | \
            (X if flags & 1 else 0)
        yield first, end, rights, data.ljust(end - first, b"\0")


def filled_head(shim, exec_, heap):
    """The image with what the loader writes into its head."""
    entry, phoff = struct.unpack_from("<QQ", exec_, 24)
    count, = struct.unpack_from("<H", exec_, 56)
    all_ = list(segments(exec_))
    facts = struct.pack("<QQIIII", entry, phoff, count, heap, len(all_), 0)
    facts += b"".join(struct.pack("<IIII", first, end - first, rights, 0)
                      for first, end, rights, _ in all_)
    return shim[:32] + facts + shim[32 + len(facts):]


def pages(shim, exec_, heap):
    """(offset, SECINFO's flags, contents, measured) in the order of EADD."""
    text, rodata, tcs, *guards = struct.unpack_from("<IIIII", shim, 12)
    shim = filled_head(shim, exec_, heap)
    for at in range(0, len(shim), PAGE):
        if at in guards:
            continue
        flags = TCS if at == tcs else REG | R | X if at < text else \
            REG | R if at < text + rodata else REG | R | W
        yield at, flags, shim[at:at + PAGE], True
    for first, end, rights, data in segments(exec_):
        for at in range(0, end - first, PAGE):
            yield EXEC_AT + first + at, REG | rights, data[at:at + PAGE], True
    if heap:
        for i in range((HEAP_AT + heap + MAP_OF - 1) // MAP_OF):
            yield MAPS_AT + i * PAGE, REG | R | W, bytes(PAGE), True
        for at in range(0, heap, PAGE):
            yield HEAP_AT + at, REG | R | W, bytes(PAGE), False


def mrenclave(shim, exec_, heap):
    h = hashlib.sha256(struct.pack("<8sIQ44x", b"ECREATE", 1, SIZE))
    for offset, flags, data, measured in pages(shim, exec_, heap):
        h.update(struct.pack("<8sQQ40x", b"EADD", offset, flags))
        for at in range(0, PAGE if measured else 0, 256):
            h.update(struct.pack("<8sQ48x", b"EEXTEND", offset + at))
            h.update(data[at:at + 256])
    return h.hexdigest()
