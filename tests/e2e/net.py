# SPDX-License-Identifier: Apache-2.0
"""Peers of programs in Keeps: certificates, servers, clients, a network that
lies; and the Keep that they talk to."""
import base64
import contextlib
import hashlib
import json
import socket
import ssl
import subprocess
import threading
import time

from conftest import Agent
from tenant import Tenant, wait_for


# --- certificates ------------------------------------------------------------

def openssl(*args, **more):
    return subprocess.run(["openssl", *map(str, args)], check=True,
                          capture_output=True, **more).stdout


class Authority:
    """A certificate authority and what it signs, as PEM files."""

    def __init__(self, folder, name="authority"):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.cert, self.key = folder / "ca.pem", folder / "ca-key.pem"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj",
                f"/CN={name}", "-keyout", self.key, "-out", self.cert)

    def issue(self, name, san, rsa=False, days=10):
        """(certificate, key) for subject alternative names."""
        key, req, cert, ext = (self.folder / f"{name}{x}" for x in
                               ("-key.pem", ".csr", ".pem", ".ext"))
        kind = (["rsa:2048"] if rsa else
                ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"])
        openssl("req", "-newkey", *kind, "-nodes", "-subj", f"/CN={name}",
                "-keyout", key, "-out", req)
        ext.write_text(f"subjectAltName={san}\n")
        openssl("x509", "-req", "-in", req, "-CA", self.cert, "-CAkey",
                self.key, "-CAcreateserial", "-days", days, "-extfile", ext,
                "-out", cert)
        return cert, key


def spki_hash(cert):
    """SHA-256 of a certificate's public key, hexadecimal; a PEM file."""
    pem = openssl("x509", "-in", cert, "-noout", "-pubkey")
    der = openssl("pkey", "-pubin", "-outform", "DER", input=pem)
    return hashlib.sha256(der).hexdigest()


# --- peers -------------------------------------------------------------------

class Server:
    """A listener on loopback whose connections go to `serve`, each in a
    thread.  tls: an ssl.SSLContext."""

    def __init__(self, serve, tls=None):
        self.serve, self.tls = serve, tls
        self.failures = []
        self.s = socket.create_server(("127.0.0.1", 0))
        self.port = self.s.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                c, _ = self.s.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=(c,),
                             daemon=True).start()

    def _one(self, c):
        c.settimeout(60)
        try:
            if self.tls:
                c = self.tls.wrap_socket(c, server_side=True)
            self.serve(c)
        except (OSError, ssl.SSLError) as e:
            self.failures.append(e)
        finally:
            c.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.s.close()


def server_tls(cert, key, ca=None, alpn=()):
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ctx.load_cert_chain(cert, key)
    if ca:
        ctx.verify_mode = ssl.CERT_REQUIRED
        ctx.load_verify_locations(ca)
    if alpn:
        ctx.set_alpn_protocols(list(alpn))
    return ctx


def records(x):
    """What a socket brings, cut into TLS records (RFC 8446 §5.1)."""
    data = b""
    while True:
        more = x.recv(65536)
        if not more:
            if data:
                yield data
            return
        data += more
        while len(data) >= 5 and len(data) >= 5 + int.from_bytes(data[3:5], "big"):
            n = 5 + int.from_bytes(data[3:5], "big")
            yield data[:n]
            data = data[n:]


class Proxy:
    """Between one client and a port; `change(direction, record)` may alter
    each record: 0 from the client, 1 from the server.  None: cut."""

    def __init__(self, port, change):
        self.port_to, self.change = port, change
        self.s = socket.create_server(("127.0.0.1", 0))
        self.port = self.s.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                a, _ = self.s.accept()
            except OSError:
                return
            b = socket.create_connection(("127.0.0.1", self.port_to))
            for d, x, y in ((0, a, b), (1, b, a)):
                threading.Thread(target=self._pump, args=(d, x, y),
                                 daemon=True).start()

    def _pump(self, direction, x, y):
        try:
            for record in records(x):
                record = self.change(direction, record)
                if record is None:
                    x.shutdown(socket.SHUT_RDWR)
                    y.shutdown(socket.SHUT_RDWR)
                    return
                y.sendall(record)
            y.shutdown(socket.SHUT_WR)
        except OSError:
            return

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.s.close()


# --- Keeps -------------------------------------------------------------------

class Field:
    """A host agent that lets Keeps into the network, and a tenant."""

    def __init__(self, out, folder, *flags):
        self.out, self.folder = out, folder
        grants = flags or ("--allow-listen", "127.0.0.1:1-65535",
                           "--allow-connect", "any")
        self.agent = Agent(out, folder / "agent", *grants)
        self.tenant = Tenant(out, folder / "tenant")
        self.host = f"unix://{self.agent.unix}"
        self.policy = self.tenant.policy(self.host)
        self.started = []

    def wasm(self, name):
        return self.out / f"tests/wasm/{name}.wasm"

    def argv(self, *args):
        return ["deploy", "--host", self.host, "--policy", self.policy, *args]

    def run(self, *args, **more):
        return self.tenant.donjon(*self.argv("--quiet", *args), **more)

    def start(self, *args, **more):
        """In the background; waits for nothing."""
        p = self.tenant.start(*self.argv(*args), **more)
        self.started.append(p)
        return p

    def serve(self, port, *args, tls=False, options=(), ready=b"ready\n"):
        """Starts a program that listens on descriptor 3, and waits until it
        says so, wherever."""
        scheme = "tls" if tls else "tcp"
        p = self.start("--quiet", "--listen",
                       f"{scheme}://127.0.0.1:{port}", *options, *args,
                       stderr=subprocess.STDOUT)
        got = p.stdout.readline()
        assert got == ready, (got, self.agent.read_log())
        return p

    def keeps(self):
        _, answer = self.agent.call("GET", "/v1/keeps")
        return [k for k in answer["keeps"] if k["state"] == "attested"]

    def certificate(self, keep_id):
        """A Keep's certificate, as a PEM file."""
        _, keep = self.agent.call("GET", f"/v1/keeps/{keep_id}")
        path = self.folder / f"{keep_id}.pem"
        text = base64.encodebytes(base64.b64decode(keep["certificate"]))
        path.write_bytes(b"-----BEGIN CERTIFICATE-----\n" + text +
                         b"-----END CERTIFICATE-----\n")
        return path

    def end(self, p):
        """Ends a program; its exit status."""
        if p.poll() is None:
            p.terminate()
        out, err = p.communicate(timeout=60)
        self.started.remove(p)
        return p.returncode, out, err

    def close(self):
        for p in list(self.started):
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.end(p)
        self.agent.stop()


def client_tls(cafile=None):
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    ctx.check_hostname = False
    if cafile:
        ctx.load_verify_locations(cafile)
    else:
        ctx.verify_mode = ssl.CERT_NONE
    return ctx


def dial(port, tls=None, timeout=60):
    s = socket.create_connection(("127.0.0.1", port), timeout=timeout)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return tls.wrap_socket(s) if tls else s


def read_all(s, n=None):
    data = bytearray()
    while n is None or len(data) < n:
        more = s.recv(1 << 18)
        if not more:
            break
        data += more
    return bytes(data)


def cpu_ticks(pids):
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            fields = f.read().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total


def falls_quiet(pids, most=3):
    """A second comes in which these processes need at most so much of a
    processor, in hundredths: a machine that is busy otherwise may keep them
    from what they have left to do for a while."""
    def quiet():
        before = cpu_ticks(pids)
        time.sleep(1)
        return cpu_ticks(pids) - before <= most
    wait_for(quiet)
