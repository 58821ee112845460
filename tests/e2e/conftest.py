# SPDX-License-Identifier: Apache-2.0
"""Fixtures that all end-to-end tests share.

out      the output folder that is tested: $DONJON_OUT, or out/ of this tree
agents   agents(NAME, *flags, **how) starts one more host agent (class Agent)
agent    a host agent with nothing special, for one test
tenant   a tenant with files of her own, and the `donjon` command (tenant.py)

An Agent listens on a Unix socket and on a loopback port, has a software root
and a log of its own below tmp_path, and is stopped when the test ends; the
test fails when it leaves a process behind or does not stop in time.
"""
import http.client
import json
import os
import select
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from tenant import Tenant

REPO = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def out():
    folder = Path(os.environ.get("DONJON_OUT", REPO / "out")).resolve()
    if not (folder / "bin/donjond").exists():
        pytest.fail(f"{folder}/bin/donjond is not built")
    return folder


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path, timeout=60):
        super().__init__("localhost", timeout=timeout)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        # With a time-out a full backlog would be an error.
        self.sock.connect(self.path)
        self.sock.settimeout(self.timeout)


class Agent:
    """A running donjond.  unix: socket path; tcp: "HOST:PORT" of its first
    TCP listener (None with listen=()); pid; log: path of its log."""

    def __init__(self, out, folder, *flags, listen=("127.0.0.1:0",),
                 unix=True, env=None, prefix=(), timeout=60):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.flags = folder, flags
        self.unix = str(folder / "agent.sock") if unix else None
        self.log = folder / "agent.log"
        argv = [*map(str, prefix), str(out / "bin/donjond")]
        if not any(str(f) == "--root" for f in flags):
            argv += ["--root", str(folder / "software-root.pem")]
        for address in listen:
            argv += ["--listen", address]
        if unix:
            argv += ["--unix", self.unix]
        ready, writing = os.pipe()
        argv += ["--ready-fd", str(writing), *map(str, flags)]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                pass_fds=(writing,), env=dict(os.environ, **(env or {})))
        os.close(writing)
        self.pid = self.process.pid
        line = self._ready_line(ready, timeout)
        self.tcps = [w[4:] for w in line.split() if w.startswith("tcp=")]
        self.tcp = self.tcps[0] if self.tcps else None

    def _ready_line(self, fd, timeout):
        data = b""
        with os.fdopen(fd, "rb", buffering=0) as pipe:
            while select.select([pipe], [], [], timeout)[0]:
                more = pipe.read(4096)
                if not more:
                    break
                data += more
        if not data.startswith(b"ready") or not data.endswith(b"\n"):
            self.process.kill()
            self.process.wait()
            raise RuntimeError(f"donjond did not start: {self.read_log()}")
        return data.decode()

    def read_log(self):
        return self.log.read_text(errors="replace")

    def connection(self):
        return UnixConnection(self.unix)

    def call(self, method, path, body=None, headers=None):
        """One request: status, decoded JSON (or text, or None)."""
        c = self.connection()
        try:
            if isinstance(body, (dict, list)):
                body = json.dumps(body)
            c.request(method, path, body=body, headers=headers or {})
            r = c.getresponse()
            data = r.read()
            kind = r.getheader("Content-Type", "")
            if kind.startswith("application/json"):
                return r.status, json.loads(data)
            return r.status, data.decode() if data else None
        finally:
            c.close()

    def children(self):
        """The pids of everything that descends from it."""
        return descendants(self.pid)

    def stop(self, timeout=60):
        """SIGTERM; its exit status.  Nothing may be left running."""
        if self.process.poll() is None:
            below = self.children()
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise AssertionError("donjond did not stop: " +
                                     self.read_log()) from None
            left = [p for p in below if alive(p)]
            end = time.monotonic() + 60
            while left and time.monotonic() < end:
                time.sleep(0.02)
                left = [p for p in left if alive(p)]
            assert not left, f"donjond left {left}: {self.read_log()}"
        return self.process.returncode


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def signal_all(pids, number):
    """To each that is still there: with a loader its Keep goes, too."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


def descendants(pid):
    parents = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat") as f:
                fields = f.read().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if fields[0] not in "ZX":
            parents.setdefault(int(fields[1]), []).append(int(name))
    found, queue = [], [pid]
    while queue:
        below = parents.get(queue.pop(), [])
        found += below
        queue += below
    return found


@pytest.fixture
def agents(out, tmp_path):
    """Starts host agents; all are stopped when the test ends."""
    started = []

    def start(name="agent", *flags, **how):
        a = Agent(out, tmp_path / name, *flags, **how)
        started.append(a)
        return a

    yield start
    statuses = [a.stop() for a in started]
    assert all(s == 0 or s == -signal.SIGKILL for s in statuses), \
        [a.read_log() for a in started]


@pytest.fixture
def agent(agents):
    return agents()


@pytest.fixture
def tenant(out, tmp_path):
    return Tenant(out, tmp_path / "tenant")
