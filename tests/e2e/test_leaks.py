# SPDX-License-Identifier: Apache-2.0
"""No byte of a workload is in the host's programs or on the wire.

A program that holds a secret of every kind runs in a Keep while the memory
of `donjond` and `donjon-keep` is searched for them.  The Keep's own process,
which on this technology the host can read, proves that the search finds what
is there.
"""
import array
import itertools
import os
import re
import shutil
import subprocess

import pytest

from evil import EvilAgent
from tenant import wait_for

MARKS = {k: f"MARK-{k}-" + "".join(reversed(v)) for k, v in {
    "argument": "5a1c9e07d3b2f846", "env": "c0ffee1122334455",
    "file": "deadbeef00991188", "stdin": "0badcafe77665544"}.items()}
MARKS["module"] = "MARK-module-" + "7f3a91c2" + "d4e85b60"


def processes(agent):
    """The loader of an agent's one Keep, and the Keep's innermost process,
    whatever name spaces stand between."""
    below = agent.children()
    assert len(below) >= 2, below
    return below[0], below[-1]


PAGE = os.sysconf("SC_PAGE_SIZE")


def touched(pagemap, at, end):
    """The parts that the process has ever used: (address, end)s."""
    pagemap.seek(at // PAGE * 8)
    entries = array.array("Q", pagemap.read((end - at) // PAGE * 8))
    for there, run in itertools.groupby(
            enumerate(entries), lambda e: bool(e[1] >> 62)):
        if there:
            pages = [i for i, _ in run]
            yield at + pages[0] * PAGE, at + (pages[-1] + 1) * PAGE


def memory(pid):
    """Everything readable in a process, region by region."""
    with open(f"/proc/{pid}/maps") as maps, \
            open(f"/proc/{pid}/pagemap", "rb", 0) as pagemap, \
            open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for line in maps:
            m = re.match(r"([0-9a-f]+)-([0-9a-f]+) r", line)
            if not m or "[vvar]" in line or "[vsyscall]" in line:
                continue
            for at, end in touched(pagemap, *(int(x, 16) for x in m.groups())):
                try:
                    mem.seek(at)
                    while at < end:
                        block = mem.read(min(end - at, 1 << 24))
                        if not block:
                            break
                        at += len(block)
                        yield block
                except (OSError, ValueError, OverflowError):
                    continue


def found(pid):
    hits = set()
    for block in memory(pid):
        for kind, mark in MARKS.items():
            if mark.encode() in block:
                hits.add(kind)
    return hits


def holds(tenant, agent, tmp_path, host):
    """A running secrets.wasm, and what it printed."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "secret").write_text(MARKS["file"])
    p = tenant.start("deploy", "--host", host, "--policy",
                     tenant.policy(f"unix://{agent.unix}"),
                     "--env", f"SECRET={MARKS['env']}",
                     "--dir", f"{data}::/data:ro",
                     tenant.out / "tests/wasm/secrets.wasm",
                     "/data/secret", MARKS["argument"])
    p.stdin.write(MARKS["stdin"].encode() + b"\n")
    p.stdin.flush()
    lines = [p.stdout.readline().decode().strip() for _ in range(5)]
    return p, lines


@pytest.fixture
def searchable():
    if os.geteuid() != 0:
        pytest.skip("reading other processes' memory needs root")
    if os.environ.get("DONJON_SANITIZED"):
        pytest.skip("a sanitizer's shadow memory is terabytes to search")


def test_no_secret_in_the_agents_memory_or_on_the_wire(
        tenant, agent, tmp_path, searchable):
    with EvilAgent(str(tmp_path / "s"), agent.unix) as evil:
        p, lines = holds(tenant, agent, tmp_path, f"unix://{tmp_path}/s")
        assert sorted(lines) == sorted(MARKS.values())
        loader, keep = processes(agent)
        assert found(agent.pid) == set()
        assert found(loader) == set()
        inside = found(keep)
        assert inside == set(MARKS), "the search does not find what is there"
        p.stdin.close()
        assert p.wait(60) == 0
        for mark in MARKS.values():
            for way in (evil.sent, evil.received):
                assert mark.encode() not in way
        assert len(evil.sent) > 10000
        assert found(agent.pid) == set(), "after the end"


def test_no_secret_in_a_capture_of_loopback(tenant, agent, tmp_path,
                                            searchable):
    if not shutil.which("tcpdump"):
        pytest.skip("tcpdump is not installed")
    port = agent.tcp.rpartition(":")[2]
    capture = tmp_path / "capture"
    dump = subprocess.Popen(["tcpdump", "-i", "lo", "-U", "-s", "0", "-w",
                             str(capture), "-Z", "root", "tcp", "port", port],
                            stderr=subprocess.PIPE)
    try:
        line = dump.stderr.readline().decode()
        if "listening" not in line:
            line += dump.stderr.readline().decode()
        if "listening" not in line:
            pytest.skip(f"no capture on loopback here: {line.strip()}")
        p, lines = holds(tenant, agent, tmp_path, f"http://{agent.tcp}")
        assert sorted(lines) == sorted(MARKS.values())
        p.stdin.close()
        assert p.wait(60) == 0
        wait_for(lambda: capture.stat().st_size > 20000)
    finally:
        dump.terminate()
        dump.wait(60)
    data = capture.read_bytes()
    assert b"donjon-keep/1" in data, "the capture missed the channel"
    for mark in MARKS.values():
        assert mark.encode() not in data


def test_no_secret_in_the_agents_log(tenant, agent, tmp_path):
    p, lines = holds(tenant, agent, tmp_path, f"unix://{agent.unix}")
    assert sorted(lines) == sorted(MARKS.values())
    p.stdin.close()
    assert p.wait(60) == 0
    log = agent.read_log()
    assert "keep" in log
    for mark in MARKS.values():
        assert mark not in log


def test_nobody_leaves_a_core(tenant, agent, tmp_path, searchable):
    p, _ = holds(tenant, agent, tmp_path, f"unix://{agent.unix}")
    loader, keep = processes(agent)
    for pid in (loader, keep):
        limits = open(f"/proc/{pid}/limits").read()
        core = re.search(r"Max core file size\s+(\S+)\s+(\S+)", limits)
        assert core.group(1) == "0", (pid, core.group(0))
    p.stdin.close()
    assert p.wait(60) == 0
