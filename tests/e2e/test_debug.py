# SPDX-License-Identifier: Apache-2.0
"""Keeps that can be looked into: nobody takes one for a Keep of this release,
and gdb finds its way in it (tools/gdb)."""
import os
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

import test_software
from tenant import wait_for

pytestmark = test_software.pytestmark
REPO = Path(__file__).resolve().parents[2]
TEES = ["kvm", "snp", "tdx"]


def argv(tenant, agent, tee, allow=False, measurement=None):
    path = test_software.policy(tenant, agent, tee)
    text = path.read_text()
    if allow:
        text = "allow_debug = true\n" + text
    if measurement:
        text = text.replace('"release"', f'"{measurement}"')
    path.write_text(text)
    return ["deploy", "--host", f"unix://{agent.unix}", "--tee", tee,
            "--platform", "software", "--policy", path]


def observed(tenant, agent, tee):
    """What such a Keep measures, out of its refusal."""
    r = tenant.donjon(*argv(tenant, agent, tee, allow=True),
                      tenant.out / "examples/hello.wasm")
    assert r.returncode == 122 and b"measurement: " in r.stderr, r.stderr
    return re.search(rb"observed ([0-9a-f]{96})", r.stderr).group(1).decode()


@pytest.fixture
def sockets():
    """A folder whose name is short enough for them."""
    with tempfile.TemporaryDirectory(prefix="donjon-gdb-") as folder:
        yield Path(folder)


@pytest.mark.parametrize("tee", TEES)
def test_a_debug_keep_is_refused_twice(tenant, agents, sockets, tee):
    agent = agents("agent", "--debug", str(sockets))
    r = tenant.donjon(*argv(tenant, agent, tee),
                      tenant.out / "examples/hello.wasm")
    assert r.returncode == 122 and b"debug: observed debug" in r.stderr
    assert r.stdout == b""
    # Who allows debugging still names another measurement.
    value = observed(tenant, agent, tee)
    r = tenant.donjon(*argv(tenant, agent, tee, True, value),
                      tenant.out / "examples/hello.wasm")
    assert r.returncode == 0, r.stderr
    assert b", debug, fresh" in r.stderr and b"no debug" not in r.stderr
    assert b"NOT CONFIDENTIAL" in r.stderr
    wait_for(lambda: not list(sockets.glob("*.gdb")))


@pytest.mark.skipif(not shutil.which("gdb"), reason="no gdb (package gdb)")
@pytest.mark.parametrize("tee", TEES)
def test_gdb_stops_in_exec_and_shows_the_way_there(
        tenant, agents, out, sockets, tee):
    agent = agents("agent", "--debug", str(sockets))
    value = observed(tenant, agent, tee)
    p = tenant.start(*argv(tenant, agent, tee, True, value), "--quiet",
                     out / "tests/wasm/cat.wasm")
    p.stdin.write(b"one\n")
    p.stdin.flush()
    assert p.stdout.readline() == b"one\n"
    socket, = wait_for(lambda: list(sockets.glob("*.gdb")))
    gdb = subprocess.Popen(
        ["gdb", "-batch", "-nx", "-x", REPO / "tools/gdb/keep.py",
         "-ex", f"keep attach {socket} {out} {tee}", "-ex", "keep where",
         "-ex", "keep state", "-ex", "hbreak keep_gate_poll",
         "-ex", "continue", "-ex", "bt", "-ex", "keep gate", "-ex", "detach"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, cwd=REPO)
    said = b""
    os.set_blocking(gdb.stdout.fileno(), False)
    end = time.monotonic() + 60
    while b"Hardware assisted breakpoint" not in said and \
            time.monotonic() < end:
        said += gdb.stdout.read() or b""
        time.sleep(0.05)
    p.stdin.write(b"two\n")
    p.stdin.flush()
    os.set_blocking(gdb.stdout.fileno(), True)
    said += gdb.communicate(timeout=120)[0]
    text = said.decode()
    assert "shim_syscall_entry" in text, "the shim has no symbols\n" + text
    assert re.search(r"^Breakpoint 1, keep_gate_poll", text, re.M), text
    for name in ("wasi_fd_read", "keep_serve", "main ()"):
        assert name in text, text
    assert re.search(r"^reply\n  error +0x", text, re.M), text
    p.stdin.close()
    assert p.wait(60) == 0
    wait_for(lambda: not list(sockets.glob("*.gdb")))
