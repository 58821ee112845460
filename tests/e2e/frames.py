# SPDX-License-Identifier: Apache-2.0
"""A client that speaks the channel by hand (docs/protocol.md, "Frames"), so
that a test can say what no honest client would."""
import hashlib
import os
import socket
import ssl
import struct
import subprocess
import time

from evil import call, upgrade

(HELLO, CONFIG, MODULE, FILE, DATA, TIME, START, STDIN, STDOUT, STDERR,
 CREDIT, SIGNAL, EXIT, ERROR, STATUS, LOGS, RESULTS_END, PACKAGE,
 RECEIPT, TRUST) = range(1, 21)
DEPLOY, ATTACH, ROLE_LOGS, STOP, ROLE_STATUS = 1, 2, 3, 4, 5


def frame(kind, payload=b"", flags=0, reserved=0, length=None):
    length = len(payload) if length is None else length
    return struct.pack("<BBHI", kind, flags, reserved, length) + payload


def hello(role=DEPLOY, version=1):
    return frame(HELLO, struct.pack("<IIQ", version, role, 0))


def config(args=("x",), env=(), mounts=(), time_ns=0, flags=0, version=1,
           memory=0, files=0, fuel=0):
    p = struct.pack("<IQQQQI", version, memory, files, time_ns, fuel, flags)
    for strings in (args, env):
        p += struct.pack("<H", len(strings))
        for s in strings:
            p += struct.pack("<H", len(s)) + s.encode()
    p += struct.pack("<H", len(mounts))
    for guest, bits in mounts:
        p += struct.pack("<H", len(guest)) + guest.encode() + bytes([bits])
    return frame(CONFIG, p + bytes(3))


def module(data, digest=None, size=None):
    size = len(data) if size is None else size
    digest = digest or hashlib.sha256(data).digest()
    return frame(MODULE, struct.pack("<Q", size) + digest)


def file(path, data=b"", mount=0, mode=0, digest=None, size=None):
    size = len(data) if size is None else size
    digest = digest or hashlib.sha256(data).digest()
    path = path if isinstance(path, bytes) else path.encode()
    return frame(FILE, struct.pack("<IIQQ", mount, mode, 0, size) + digest +
                 struct.pack("<H", len(path)) + path)


def data(block):
    return b"".join(frame(DATA, block[i:i + 65536])
                    for i in range(0, len(block), 65536))


def now():
    return frame(TIME, struct.pack("<Q", time.time_ns()))


class Owner:
    """A key pair and a certificate for it."""

    def __init__(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        self.key, self.cert = folder / "key.pem", folder / "cert.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec",
                        "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-days", "2", "-subj", "/CN=owner", "-keyout",
                        self.key, "-out", self.cert], check=True,
                       capture_output=True)
        spki = subprocess.run(["openssl", "pkey", "-in", self.key, "-pubout",
                               "-outform", "DER"], check=True,
                              capture_output=True).stdout
        self.hash = hashlib.sha256(spki).hexdigest()

    def ask(self, path, **more):
        status, keep = call(path, "POST", "/v1/keeps", {
            "tee": "process", "nonce": os.urandom(32).hex(),
            "owner_key_hash": self.hash, "memory": 1 << 28, **more})
        assert status == 201, keep
        return keep["id"]

    def open(self, path, keep):
        return Channel(self, path, keep)


class Channel:
    def __init__(self, owner, path, keep):
        raw, _ = upgrade(path, keep)
        raw.settimeout(60)
        ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        ctx.check_hostname = False
        ctx.verify_mode = ssl.CERT_NONE
        ctx.load_cert_chain(owner.cert, owner.key)
        self.s = ctx.wrap_socket(raw)
        self.buffer = b""

    def send(self, *frames):
        for f in frames:
            self.s.sendall(f)

    def _fill(self, n):
        while len(self.buffer) < n:
            try:
                more = self.s.recv(65536)
            except (ssl.SSLError, ConnectionError, socket.timeout):
                more = b""
            if not more:
                return False
            self.buffer += more
        return True

    def next(self):
        """(type, payload), or None when the peer is gone."""
        if not self._fill(8):
            return None
        kind, _, _, n = struct.unpack("<BBHI", self.buffer[:8])
        if not self._fill(8 + n):
            return None
        payload, self.buffer = self.buffer[8:8 + n], self.buffer[8 + n:]
        return kind, payload

    def until(self, kind):
        """Every frame up to and with the first of that type."""
        seen = []
        while True:
            f = self.next()
            if f is None:
                return seen
            seen.append(f)
            if f[0] == kind:
                return seen

    def vanish(self):
        """No close_notify, no goodbye."""
        self.s.close()

    def error(self):
        """The text of the ERROR that ends the conversation; hangs up."""
        seen = self.until(ERROR)
        self.vanish()
        if not seen or seen[-1][0] != ERROR:
            return None
        return seen[-1][1][1:].decode()
