#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""bench/run.py OUT: what the main job costs, in tables.

Starts a host agent of its own on a Unix socket and drives the built programs.
Nothing is asserted; peers run on the same machine in the same run.
  start-up    ask -> evidence verified -> delivered -> first output, per step
  at once     32 Keeps asked for at the same time
  channel     1 GiB through a Keep's standard input, against a copy through
              `openssl s_client | s_server` of the same bytes
  memory      resident: agent idle, and what a Keep with hello adds
  sizes       the measured image, the programs
Technology `process`, the software root: no figure here is of a TEE.
"""
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests/e2e"))
from tenant import Tenant  # noqa: E402

RUNS = 21
GIB = 1 << 30


def median(values):
    return statistics.median(values)


def table(title, head, rows):
    print(f"\n{title}")
    rows = [[str(c) for c in r] for r in [head] + rows]
    widths = [max(len(r[i]) for r in rows) for i in range(len(head))]
    for r in rows:
        print("  " + "  ".join(
            c.ljust(w) if i == 0 else c.rjust(w)
            for i, (c, w) in enumerate(zip(r, widths))))


class Agent:
    def __init__(self, out, folder, *flags):
        self.unix = str(folder / "agent")
        read, write = os.pipe()
        self.p = subprocess.Popen(
            [str(out / "bin/donjond"), "--unix", self.unix, "--root",
             str(folder / "root.pem"), "--log-level", "error", "--ready-fd",
             str(write), *flags], pass_fds=[write])
        os.close(write)
        with os.fdopen(read) as f:
            f.readline()
        self.host = f"unix://{self.unix}"

    def stop(self):
        self.p.send_signal(signal.SIGTERM)
        self.p.wait(20)


def tree(pid):
    pids = [pid]
    for p in pids:
        try:
            for t in os.listdir(f"/proc/{p}/task"):
                text = open(f"/proc/{p}/task/{t}/children").read()
                pids += [int(c) for c in text.split()]
        except OSError:
            pass
    return pids


def rss(pid, field="Pss"):
    """KiB; what the process alone is charged for, shared pages divided."""
    try:
        for line in open(f"/proc/{pid}/smaps_rollup"):
            if line.startswith(field + ":"):
                return int(line.split()[1])
    except OSError:
        pass
    return 0


def startup(tenant, agent, args, runs):
    steps, wall = {}, []
    for _ in range(runs):
        begin = time.monotonic()
        r = tenant.donjon("deploy", "--host", agent.host, "--policy",
                          tenant.policy_path, "--json", *args)
        wall.append((time.monotonic() - begin) * 1000)
        report = json.loads(r.stderr.decode().strip().splitlines()[-1])
        for k, v in report["times_ms"].items():
            steps.setdefault(k, []).append(v)
    return {k: median(v) for k, v in steps.items()}, median(wall)


def bench_startup(tenant, agent, out, shared):
    columns = {}
    columns["hello"] = startup(
        tenant, agent, [out / "tests/wasm/echoargs.wasm", "hello"], RUNS)
    python = shared / "modules/python.wasm"
    if python.exists():
        columns["python -V"] = startup(tenant, agent, [python, "-V"], 7)
    keys = list(columns["hello"][0])
    rows = [[k] + [f"{c[0].get(k, 0):.2f}" for c in columns.values()]
            for k in keys]
    rows.append(["whole command, wall"] +
                [f"{c[1]:.2f}" for c in columns.values()])
    table(f"start-up, ms since the ask, median of {RUNS} (python: 7)",
          ["reached"] + list(columns), rows)


def bench_parts(out, folder):
    """What of it is not ours: an empty process, TLS between two processes."""
    spawn = []
    for _ in range(RUNS):
        begin = time.monotonic()
        subprocess.run(["/bin/true"])
        spawn.append((time.monotonic() - begin) * 1000)
    table("peers, ms, median", ["what", "ms"],
          [["start and end of /bin/true", f"{median(spawn):.2f}"]])


def bench_many(tenant, agent, out):
    n = 32
    begin = time.monotonic()
    ps = [tenant.start("deploy", "--host", agent.host, "--policy",
                       tenant.policy_path, "-q", "--memory", "64MiB",
                       out / "tests/wasm/echoargs.wasm", str(i),
                       stdin=subprocess.DEVNULL) for i in range(n)]
    bad = sum(p.wait() != 1 for p in ps)
    took = time.monotonic() - begin
    for p in ps:
        p.stdout.close()
        p.stderr.close()
    table("32 Keeps at once, each deployed, run and ended",
          ["64 MiB each", "value"],
          [["all done after, s", f"{took:.2f}"],
                          ["Keeps per second", f"{n / took:.1f}"],
                          ["failed", bad]])


def copy_keep(tenant, agent, out, size):
    begin = time.monotonic()
    with open(os.path.join(tenant.folder, "zeros"), "rb") as f:
        r = tenant.donjon("deploy", "--host", agent.host, "--policy",
                          tenant.policy_path, "-q",
                          out / "tests/wasm/sink.wasm", stdin=f)
    assert r.stdout.startswith(str(size).encode()), r
    return size / (time.monotonic() - begin) / 1e6


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def copy_openssl(folder, size):
    """The same file through openssl's own client and server."""
    port = free_port()
    key, cert = folder / "k.pem", folder / "c.pem"
    if not key.exists():
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec",
                        "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-days", "2", "-subj", "/CN=x", "-keyout", key,
                        "-out", cert], check=True, capture_output=True)
    server = subprocess.Popen(
        ["openssl", "s_server", "-accept", str(port), "-key", key, "-cert",
         cert, "-tls1_3", "-quiet", "-naccept", "1", "-ciphersuites",
         "TLS_AES_128_GCM_SHA256"], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    for _ in range(200):
        try:
            if f":{port:04X} " in open("/proc/net/tcp").read():
                break
        except OSError:
            pass
        time.sleep(0.02)
    begin = time.monotonic()
    with open(folder / "tenant/zeros", "rb") as f:
        client = subprocess.Popen(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{port}",
             "-tls1_3", "-quiet", "-no_ign_eof"], stdin=f,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        got = 0
        while got < size:
            block = server.stdout.read1(1 << 20)
            if not block:
                break
            got += len(block)
    took = time.monotonic() - begin
    client.kill()
    server.kill()
    client.wait()
    server.wait()
    assert got == size, (got, size)
    return size / took / 1e6


def bench_channel(tenant, agent, out, folder):
    with open(folder / "tenant/zeros", "wb") as f:
        f.truncate(GIB)
    keep = [copy_keep(tenant, agent, out, GIB) for _ in range(3)]
    peer = [copy_openssl(folder, GIB) for _ in range(3)]
    os.unlink(folder / "tenant/zeros")
    table("channel, 1 GiB to standard input, median of 3", ["", "MB/s"], [
        ["into a Keep, read by the program", f"{median(keep):.0f}"],
        ["openssl s_client | s_server", f"{median(peer):.0f}"],
        ["ratio", f"{median(keep) / median(peer):.2f}"]])


def bench_memory(tenant, agent, out):
    idle = rss(agent.p.pid), rss(agent.p.pid, "Rss")
    n, ps = 8, []
    for _ in range(n):
        p = tenant.start("deploy", "--host", agent.host, "--policy",
                         tenant.policy_path, "-q",
                         out / "tests/wasm/cat.wasm")
        p.stdin.write(b"x\n")
        p.stdin.flush()
        p.stdout.readline()
        ps.append(p)
    pids = tree(agent.p.pid)[1:]
    pss = sum(rss(p) for p in pids)
    whole = sum(rss(p, "Rss") for p in pids)
    for p in ps:
        p.stdin.close()
        p.wait()
        p.stdout.close()
        p.stderr.close()
    table("resident memory, MiB (Pss: shared pages divided)",
          ["", "Pss", "Rss"], [
              ["donjond, idle", f"{idle[0] / 1024:.1f}",
               f"{idle[1] / 1024:.1f}"],
              [f"a Keep with its loader, mean of {n}",
               f"{pss / n / 1024:.1f}", f"{whole / n / 1024:.1f}"]])


def bench_sizes(out):
    rows = []
    for name in ("keep/process/exec", "bin/donjon", "bin/donjond",
                 "bin/donjon-keep"):
        copy = tempfile.NamedTemporaryFile()
        subprocess.run(["strip", "-s", "-o", copy.name, out / name],
                       check=True)
        rows.append([name, os.path.getsize(copy.name)])
    table("sizes, bytes, stripped", ["file", "bytes"], rows)


def main():
    out = Path(sys.argv[1]).resolve()
    shared = Path(os.environ.get("DONJON_SHARED", "../shared")).resolve()
    folder = Path(tempfile.mkdtemp())
    print(f"donjon {open('VERSION').read().strip()}, technology process, "
          f"{os.cpu_count()} cores")
    try:
        agent = Agent(out, folder)
        try:
            tenant = Tenant(out, folder / "tenant")
            tenant.policy_path = tenant.policy(agent.host)
            bench_memory(tenant, agent, out)
            bench_startup(tenant, agent, out, shared)
            bench_parts(out, folder)
            bench_many(tenant, agent, out)
            bench_channel(tenant, agent, out, folder)
        finally:
            agent.stop()
        bench_sizes(out)
        for b in sorted((out / "bench").glob("*")) \
                if (out / "bench").is_dir() else []:
            if os.access(b, os.X_OK) and b.is_file():
                print(f"\n{b.name}", flush=True)
                subprocess.run([str(b)], check=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
