# SPDX-License-Identifier: Apache-2.0
"""The main job as a tenant does it: `donjon run` and `donjon deploy`."""
import ctypes
import hashlib
import io
import json
import os
import pty
import re
import select
import signal
import subprocess
import tarfile
import time
import zipfile

import pytest

from conftest import descendants
from evil import call
from tenant import wait_for

PR_SET_CHILD_SUBREAPER = 36
SANITIZED = bool(os.environ.get("DONJON_SANITIZED"))


def wasm(tenant, name):
    return tenant.out / f"tests/wasm/{name}.wasm"


@pytest.fixture
def deploy(tenant, agent):
    host = f"unix://{agent.unix}"
    return ["deploy", "--host", host, "--policy", tenant.policy(host)]


# --- run: one command, own agent ------------------------------------------

def test_run_needs_nothing_else(tenant):
    r = tenant.donjon("run", "--env", "A=b c", wasm(tenant, "echoargs"),
                      "x", "--y", "")
    assert r.returncode == 3, r.stderr
    assert r.stdout == b"arg x\narg --y\narg \nenv A=b c\n"
    text = r.stderr.decode()
    assert "NOT CONFIDENTIAL" in text
    for step in ("asked", "measured", "verified", "sealed", "running"):
        assert step in text, text


@pytest.fixture
def orphans():
    """What runs below this process, orphans of its children among them."""
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    assert prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
    yield lambda: descendants(os.getpid())
    prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def test_run_leaves_nothing(tenant, orphans):
    before = orphans()
    assert tenant.donjon("run", wasm(tenant, "echoargs")).returncode == 0
    wait_for(lambda: orphans() == before)


def test_run_interrupted_leaves_nothing(tenant, orphans):
    before = orphans()
    p = tenant.start("run", wasm(tenant, "spin"))
    assert p.stdout.readline() == b"spinning\n"
    assert len(orphans()) > len(before) + 1
    p.send_signal(signal.SIGINT)
    p.communicate(timeout=60)
    assert p.returncode == 130
    wait_for(lambda: orphans() == before)


def test_quiet_says_nothing(tenant):
    r = tenant.donjon("run", "-q", wasm(tenant, "echoargs"))
    assert r.returncode == 0 and r.stderr == b""


def test_json_reports_every_step(tenant):
    r = tenant.donjon("run", "--json", wasm(tenant, "echoargs"), "a")
    assert r.returncode == 1
    report = json.loads(r.stderr.decode().strip().splitlines()[-1])
    assert report["status"] == 1 and report["tee"] == "process"
    assert re.fullmatch("[0-9a-f]{32}", report["id"])
    assert report["times_ms"]


# --- status, standard streams ---------------------------------------------

def test_the_programs_status_is_ours(tenant, deploy):
    for n in (0, 1, 7):
        r = tenant.donjon(*deploy, wasm(tenant, "echoargs"), *["a"] * n)
        assert r.returncode == n, r.stderr


def test_a_trap_is_134_and_has_a_stack(tenant, deploy):
    r = tenant.donjon(*deploy, wasm(tenant, "trap"))
    assert r.returncode == 134
    text = r.stderr.decode()
    assert "unreachable" in text
    assert "inner" in text and "outer" in text, text


def test_streams_are_binary_safe(tenant, deploy):
    block = bytes(range(256)) * 400
    r = tenant.donjon(*deploy, "-q", wasm(tenant, "cat"), stdin=block)
    assert r.returncode == 0 and r.stdout == block
    assert r.stderr == f"{len(block)} bytes\n".encode()


def test_no_input_is_end_of_file(tenant, deploy):
    with open("/dev/null", "rb") as null:
        r = tenant.donjon(*deploy, wasm(tenant, "sink"), stdin=null)
    assert r.stdout == b"0 bytes, sum 0\n"


def test_input_is_streamed(tenant, deploy):
    p = tenant.start(*deploy, "-q", wasm(tenant, "cat"))
    for i in range(3):
        line = f"line {i}\n".encode()
        p.stdin.write(line)
        p.stdin.flush()
        assert p.stdout.readline() == line
    p.stdin.close()
    assert p.wait(60) == 0


def peak(pid):
    text = open(f"/proc/{pid}/status").read()
    return int(re.search(r"VmHWM:\s+(\d+)", text).group(1)) * 1024


def test_much_input_in_constant_memory(tenant, deploy, agent):
    size = (64 << 20) if SANITIZED else (1 << 30)
    zeros = subprocess.Popen(["head", "-c", str(size), "/dev/zero"],
                             stdout=subprocess.PIPE)
    p = tenant.start(*deploy, "-q", wasm(tenant, "sink"),
                     stdin=zeros.stdout)
    zeros.stdout.close()
    most = 0
    while True:
        try:
            most = max(most, peak(p.pid))
        except (OSError, AttributeError):
            pass
        try:
            out, err = p.communicate(timeout=0.2)
            break
        except subprocess.TimeoutExpired:
            continue
    zeros.wait()
    assert out == f"{size} bytes, sum 0\n".encode(), err
    if not SANITIZED:
        assert most < 48 << 20, f"the client took {most >> 20} MiB"


def test_much_output_arrives_whole(tenant, deploy):
    size = 50_000_000
    r = tenant.donjon(*deploy, "-q", wasm(tenant, "source"), size)
    assert len(r.stdout) == size
    block = bytes(i & 255 for i in range(65536))
    want = hashlib.sha256((block * (size // 65536 + 1))[:size]).digest()
    assert hashlib.sha256(r.stdout).digest() == want


def test_an_output_nobody_reads_holds_the_program(tenant, deploy):
    """Back-pressure reaches the program: it is not buffered away."""
    p = tenant.start(*deploy, "-q", wasm(tenant, "source"), 200_000_000)
    time.sleep(1.5)
    assert peak(p.pid) < 48 << 20 or SANITIZED
    assert p.poll() is None, "it ended although nobody read"
    total = 0
    while True:
        block = p.stdout.read(1 << 20)
        if not block:
            break
        total += len(block)
    assert p.wait(60) == 0 and total == 200_000_000


def test_a_reader_that_leaves_ends_it(tenant, deploy):
    p = tenant.start(*deploy, "-q", wasm(tenant, "source"), 1 << 40)
    p.stdout.read(100)
    p.stdout.close()
    assert p.wait(60) != 0
    p.stdin.close()
    p.stderr.close()


# --- signals and limits ----------------------------------------------------

def test_interrupt_is_an_orderly_stop(tenant, deploy):
    p = tenant.start(*deploy, wasm(tenant, "spin"))
    assert p.stdout.readline() == b"spinning\n"
    p.send_signal(signal.SIGINT)
    p.communicate(timeout=60)
    assert p.returncode == 130


def test_terminate_is_one_too(tenant, deploy):
    p = tenant.start(*deploy, wasm(tenant, "ticker"), "1000", "50")
    assert p.stdout.readline() == b"tick 0\n"
    p.send_signal(signal.SIGTERM)
    p.communicate(timeout=60)
    assert p.returncode == 143


def test_interrupt_while_it_waits_for_input(tenant, deploy):
    p = tenant.start(*deploy, wasm(tenant, "cat"))
    p.stdin.write(b"x\n")
    p.stdin.flush()
    assert p.stdout.readline() == b"x\n"
    p.send_signal(signal.SIGINT)
    assert p.wait(60) == 130
    p.stdin.close()


def test_a_time_limit_is_124(tenant, deploy):
    begin = time.monotonic()
    r = tenant.donjon(*deploy, "--timeout", "1", wasm(tenant, "spin"))
    assert r.returncode == 124, r.stderr
    assert r.stdout == b"spinning\n"
    assert time.monotonic() - begin > 0.9


def test_memory_has_an_end(tenant, deploy):
    r = tenant.donjon(*deploy, "--memory", "128MiB", wasm(tenant, "hog"))
    assert r.returncode == 0, r.stderr
    assert re.fullmatch(rb"stopped after \d+ MiB\n", r.stdout)


def test_the_clock_is_the_tenants(tenant, deploy):
    r = tenant.donjon(*deploy, wasm(tenant, "ticker"), "3", "20")
    assert r.returncode == 9
    assert r.stdout == b"tick 0\ntick 1\ntick 2\n"


# --- files -----------------------------------------------------------------

def test_a_writable_folder_comes_back(tenant, deploy, tmp_path):
    data, results = tmp_path / "data", tmp_path / "results"
    data.mkdir()
    results.mkdir()
    (data / "in").write_text("one\ntwo\n")
    (results / "old").write_text("stays\n")
    r = tenant.donjon(*deploy, "--dir", f"{data}::/data:ro",
                      "--dir", f"{results}::/results:rw",
                      wasm(tenant, "files"), "/data/in", "/results/out")
    assert r.returncode == 0, r.stderr
    assert r.stdout == b"input read-only\n"
    assert (results / "out").read_text() == "ONE\nTWO\n"
    assert (results / "out.d/note").read_text() == "made in the Keep\n"
    assert (results / "old").read_text() == "stays\n"
    assert (data / "in").read_text() == "one\ntwo\n"
    assert sorted(p.name for p in data.iterdir()) == ["in"]


@pytest.mark.parametrize("kind", ["tar", "tar.gz", "zip"])
def test_an_archive_is_a_folder_and_results_go_where_there_was_none(
        kind, tenant, deploy, tmp_path):
    data = tmp_path / f"data.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as z:
            z.writestr("deep/in", "one\ntwo\n")
    else:
        with tarfile.open(data, "w:gz" if "gz" in kind else "w") as t:
            entry = tarfile.TarInfo("deep/in")
            entry.size = 8
            t.addfile(entry, io.BytesIO(b"one\ntwo\n"))
    out = tmp_path / "results"
    r = tenant.donjon(*deploy, "--dir", f"{data}::/data", "--out",
                      f"{out}::/results", wasm(tenant, "files"),
                      "/data/deep/in", "/results/out")
    assert r.returncode == 0, r.stderr
    assert (out / "out").read_text() == "ONE\nTWO\n"
    # What is there is not sent, and not taken away.
    (out / "secret").write_text("mine\n")
    r = tenant.donjon(*deploy, "--out", f"{out}::/results",
                      wasm(tenant, "files"), "/results/secret", "/results/o")
    assert r.returncode == 3, r
    assert (out / "secret").read_text() == "mine\n"
    r = tenant.donjon(*deploy, "--dir", f"{data}::/data:rw",
                      wasm(tenant, "files"), "/data/in", "/data/out")
    assert r.returncode == 121 and b"can't come back" in r.stderr


def test_a_file_that_is_no_archive(tenant, deploy, tmp_path):
    (tmp_path / "text").write_text("text\n" * 200)
    r = tenant.donjon(*deploy, "--dir", f"{tmp_path}/text::/data",
                      wasm(tenant, "echoargs"))
    assert r.returncode == 121 and b"nor an archive" in r.stderr


def test_a_folder_that_is_not_there(tenant, deploy, tmp_path):
    r = tenant.donjon(*deploy, "--dir", f"{tmp_path}/none::/data",
                      wasm(tenant, "echoargs"))
    assert r.returncode == 121 and b"none" in r.stderr


# --- wrong workloads -------------------------------------------------------

@pytest.mark.parametrize("content,word", [
    (b"", "module"), (b"hello, world\n", "magic"),
    (b"\0asm\1\0\0", "module"), (b"\0asm\2\0\0\0", "version"),
    (b"\0asm\x0d\0\1\0", "component"), (b"\0asm\1\0\0\0", "_start")])
def test_what_is_no_program(content, word, tenant, deploy, tmp_path):
    path = tmp_path / "x.wasm"
    path.write_bytes(content)
    r = tenant.donjon(*deploy, path)
    assert r.returncode == 121, r.stderr
    assert word in r.stderr.decode()


def test_a_program_that_is_not_there(tenant, deploy):
    r = tenant.donjon(*deploy, "/nowhere/x.wasm")
    assert r.returncode == 121 and b"/nowhere/x.wasm" in r.stderr


def test_no_agent_there(tenant, tmp_path):
    r = tenant.donjon("deploy", "--host", f"unix://{tmp_path}/none",
                      wasm(tenant, "echoargs"))
    assert r.returncode == 123, r.stderr


# --- detached Keeps ---------------------------------------------------------

def test_a_detached_keep_lives_on(tenant, agent, deploy):
    r = tenant.donjon(*deploy, "--detach", wasm(tenant, "ticker"), "100",
                      "50")
    assert r.returncode == 0, r.stderr
    keep = r.stdout.decode().split()[-1]
    r = tenant.donjon("attach", keep)
    assert r.returncode == 9, r.stderr
    lines = r.stdout.decode().split("\n")
    assert "tick 99" in lines
    r = tenant.donjon("logs", keep)
    assert r.stdout == b"".join(b"tick %d\n" % i for i in range(100)), r.stderr
    r = tenant.donjon("stop", keep)
    assert r.returncode == 0, r.stderr
    wait_for(lambda: call(agent.unix, "GET", f"/v1/keeps/{keep}")[1]["state"]
             == "ended")


# --- a terminal -------------------------------------------------------------

def test_a_terminal_gets_colour_and_stays_sane(tenant, deploy):
    env = {k: v for k, v in tenant.env.items() if k != "NO_COLOR"}
    env["TERM"] = "xterm"
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(tenant.argv()[0], tenant.argv(
            *deploy, wasm(tenant, "echoargs"), "a"), env)
    text = b""
    while True:
        if not select.select([fd], [], [], 30)[0]:
            break
        try:
            more = os.read(fd, 65536)
        except OSError:
            break
        if not more:
            break
        text += more
    _, status = os.waitpid(pid, 0)
    os.close(fd)
    assert os.waitstatus_to_exitcode(status) == 1
    assert b"\x1b[31m" in text or b"\x1b[1;31m" in text, text
    assert b"arg a" in text


def test_no_color_is_obeyed(tenant, deploy):
    r = tenant.donjon(*deploy, wasm(tenant, "echoargs"))
    assert b"\x1b" not in r.stderr


# --- many at once -----------------------------------------------------------

def test_many_keeps_at_once(tenant, deploy):
    n = 4 if SANITIZED else 16
    ps = [tenant.start(*deploy, "-q", wasm(tenant, "echoargs"), str(i))
          for i in range(n)]
    for i, p in enumerate(ps):
        out, err = p.communicate(timeout=120)
        assert p.returncode == 1, err
        assert out == f"arg {i}\n".encode()
