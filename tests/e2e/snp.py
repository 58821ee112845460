# SPDX-License-Identifier: Apache-2.0
"""The launch digest of an SEV-SNP Keep once more, straight from AMD's
documents (56860, "PAGE_INFO"; AMD64 manual, volume 2, table B-4); and who
signed it ("ID_BLOCK", "ID_AUTH")."""
import hashlib
import struct
import subprocess

NORMAL, VMSA, SECRETS, CPUID = 1, 2, 5, 6
RAM, EXEC, PAGE = 0x200000, 0x400000, 4096


def extend(digest, kind, gpa, page=None):
    contents = hashlib.sha384(page).digest() if page is not None else bytes(48)
    info = digest + contents + struct.pack("<HBBBBBBQ", 0x70, kind, 0, 0, 0, 0,
                                           0, gpa)
    assert len(info) == 0x70
    return hashlib.sha384(info).digest()


def vmsa(entry, table, c_bit, features):
    """The first state of the processor, as KVM makes it of ours."""
    page = bytearray(PAGE)

    def put(at, form, *values):
        struct.pack_into("<" + form, page, at, *values)

    for at in (0x00, 0x20, 0x30, 0x40, 0x50):  # es ss ds fs gs
        put(at, "HHIQ", 0x10, 0xc93, 0xffffffff, 0)
    put(0x10, "HHIQ", 0x08, 0xa9b, 0xffffffff, 0)  # cs
    put(0x90, "HHIQ", 0, 0x8b, 0xffff, 0)  # tr
    for at, value in ((0xd0, 0x1d01), (0x148, 0x60),
                      (0x150, (RAM + table) | 1 << c_bit), (0x158, 0x80010033),
                      (0x160, 0x400), (0x168, 0xffff0ff0), (0x170, 2),
                      (0x178, entry), (0x268, 0x0007040600070406),
                      (0x3b0, features), (0x3e8, 1)):
        put(at, "Q", value)
    put(0x408, "I", 0x1f80)
    put(0x410, "H", 0x37f)
    return bytes(page)


def launch_digest(shim, exec_, c_bit, features):
    shim = bytearray(shim)
    entry, *tables, secrets, cpuid = struct.unpack_from("<Q3I2I", shim, 0x10)
    struct.pack_into("<II", shim, 0x2c, c_bit, len(exec_))
    for table in tables:
        entries = struct.unpack_from("<512Q", shim, table)
        struct.pack_into("<512Q", shim, table,
                         *(v | (1 << c_bit) if v else 0 for v in entries))
    digest = bytes(48)
    for at in range(0, len(shim), PAGE):
        if at and at in (secrets, cpuid):
            digest = extend(digest, SECRETS if at == secrets else CPUID,
                            RAM + at)
        else:
            digest = extend(digest, NORMAL, RAM + at, bytes(shim[at:at + PAGE]))
    for at in range(0, len(exec_), PAGE):
        digest = extend(digest, NORMAL, EXEC + at,
                        exec_[at:at + PAGE].ljust(PAGE, b"\0"))
    return extend(digest, VMSA, 0xfffffffff000,
                  vmsa(entry, tables[0], c_bit, features)).hex()


class Key:
    """A signer of ID blocks, on P-384."""

    def __init__(self, folder, name):
        self.path = folder / f"{name}.pem"
        subprocess.run(["openssl", "ecparam", "-name", "secp384r1", "-genkey",
                        "-noout", "-out", self.path], check=True)
        spki = subprocess.run(["openssl", "pkey", "-in", self.path, "-pubout",
                               "-outform", "DER"], check=True,
                              stdout=subprocess.PIPE).stdout
        x, y = spki[-96:-48], spki[-48:]
        self.public = (struct.pack("<I", 2) + x[::-1].ljust(72, b"\0")
                       + y[::-1].ljust(72, b"\0")).ljust(0x404, b"\0")
        self.digest = hashlib.sha384(self.public).hexdigest()

    def sign(self, data):
        der = subprocess.run(["openssl", "dgst", "-sha384", "-sign",
                              self.path], input=data, check=True,
                             stdout=subprocess.PIPE).stdout
        numbers, rest = [], der[2:]
        while rest:
            n = rest[1]
            numbers.append(int.from_bytes(rest[2:2 + n], "big"))
            rest = rest[2 + n:]
        return b"".join(n.to_bytes(72, "little")
                        for n in numbers).ljust(512, b"\0")


def id_files(folder, digest, id_key, author, policy=0x30000, svn=1):
    """snp-id-block and snp-id-auth, as an operator puts them there."""
    block = bytes.fromhex(digest) + b"\1" * 16 + b"\2" * 16 + struct.pack(
        "<IIQ", 1, svn, policy)
    auth = struct.pack("<II", 1, 1 if author else 0).ljust(0x40, b"\0")
    auth += id_key.sign(block) + id_key.public.ljust(0x440, b"\0")
    if author:
        auth += author.sign(id_key.public) + author.public
    (folder / "snp-id-block").write_bytes(block)
    (folder / "snp-id-auth").write_bytes(auth.ljust(PAGE, b"\0"))
