#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""bench/keep.py OUT: what a Keep costs, technology by technology.

Starts a host agent of its own whose loader counts (keep_count.c), and runs
hello in a Keep of each technology that this machine has; where it has none,
the software platform's, which is said beside each figure: its processor is
interpreted.  Nothing is asserted; the targets stand beside the figures.
  start-up   ask -> evidence -> delivered -> first output
  measured   bytes and pages
  exits      per run, by reason; of a request to a server, too
  memory     resident, of a program that hardly uses any itself
  calls      of the program's for the time; of exec's to its shim
  engine     a program that times itself, in a Keep and outside
"""
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests/e2e"))
from ports import free_port  # noqa: E402
from run import Agent, median, rss, table, tree  # noqa: E402
from tenant import Tenant  # noqa: E402

RUNS = 7
PAGE = 4096
FEW, MANY = 10, 110  # requests
TEES = ("process", "kvm", "snp", "tdx", "sgx", "sanctum", "pef")
TARGETS = {"image": 6 << 20, "shim": 128 << 10, "after": 40, "enclave": 60,
           "first": 1500}


class CountingAgent(Agent):
    """Its donjon-keep is bench/keep/donjon-keep, in a tree of its own."""

    def __init__(self, out, folder):
        tree_ = folder / "tree"
        (tree_ / "bin").mkdir(parents=True)
        shutil.copy(out / "bin/donjond", tree_ / "bin")
        shutil.copy(out / "bench/keep/donjon-keep", tree_ / "bin")
        (tree_ / "keep").symlink_to(out / "keep")
        self.counts = tree_ / "bin/counts"
        super().__init__(tree_, folder, "--allow-listen", "127.0.0.1:1-65535")

    def take_counts(self):
        for _ in range(200):
            text = self.counts.read_text() if self.counts.exists() else ""
            if text.endswith("}\n"):
                self.counts.unlink()
                return json.loads(text.splitlines()[-1])
            time.sleep(0.01)
        return None


def platform(tenant, agent):
    r = tenant.donjon("platform", "info", "--host", agent.host, "--json")
    info = json.loads(r.stdout)
    return info["software_root"], {t["name"]: t for t in info["technologies"]}


def policy(tenant, root, tee):
    path = tenant.folder / f"{tee}.toml"
    path.write_text(f'technologies = ["{tee}"]\nsoftware = ["{root}"]\n'
                    f'[{tee}]\nmeasurements = ["release"]\n')
    return path


def deploy(agent, path, tee, *args):
    return ["deploy", "--host", agent.host, "--policy", path, "--tee", tee,
            *args]


def startup(tenant, agent, path, tee, hello):
    steps = {}
    for _ in range(RUNS):
        begin = time.monotonic()
        r = tenant.donjon(*deploy(agent, path, tee, "--json", hello))
        wall = (time.monotonic() - begin) * 1000
        report = json.loads(r.stderr.decode().strip().splitlines()[-1])
        for k, v in {**report["times_ms"], "whole command": wall}.items():
            steps.setdefault(k, []).append(v)
    return {k: median(v) for k, v in steps.items()}


def images(out, tee):
    sizes = {}
    for name in ("shim", "exec"):
        path = out / "keep" / tee / name
        if path.exists():
            sizes[name] = path.stat().st_size
    return sizes


def memory(tenant, agent, path, tee, cat):
    """MiB of loader, Keep and QEMU while a small program waits."""
    before = set(tree(agent.p.pid))
    p = tenant.start(*deploy(agent, path, tee, "-q", "--memory", "64MiB", cat))
    p.stdin.write(b"x\n")
    p.stdin.flush()
    p.stdout.readline()
    pids = [q for q in tree(agent.p.pid) if q not in before]
    total = sum(rss(q) for q in pids) / 1024
    p.stdin.close()
    p.wait()
    p.stdout.close()
    p.stderr.close()
    return total


def speed(run, rounds):
    """Microseconds that the program says it took."""
    return int(run(str(rounds)).split()[1])


def bench_speed(tenant, agent, out, columns, root):
    wasm = out / "bench/speed.wasm"

    def outside(*args):
        return subprocess.run(
            [out / "bin/donjon-wasm", "--engine", "jit", wasm, *args],
            check=True, stdout=subprocess.PIPE).stdout

    def inside(tee):
        path = policy(tenant, root, tee)
        return lambda *args: tenant.donjon(
            *deploy(agent, path, tee, "-q", wasm, *args)).stdout
    rounds = 200
    base = median([speed(outside, rounds) for _ in range(3)])
    rows = [["outside (donjon-wasm)", f"{base / 1000:.0f}", "1.00"]]
    for tee, label in columns.items():
        few = max(rounds // 20, 1) if "software" in label else rounds
        took = median([speed(inside(tee), few) for _ in range(3)])
        took *= rounds / few
        rows.append([f"in a Keep: {label}", f"{took / 1000:.0f}",
                     f"{took / base:.2f}"])
    table(f"engine, ms for {rounds} rounds of speed.wasm, median of 3",
          ["", "ms", "times"], rows)


def bench_calls(tenant, agent, out, columns, root):
    """A call that the Keep's program makes of its shim, or of the kernel."""
    rows = []
    for tee, label in columns.items():
        calls = 1000 if "software" in label else 100000
        took = [int(tenant.donjon(*deploy(
            agent, policy(tenant, root, tee), tee, "-q",
            out / "bench/calls.wasm", str(calls))).stdout.split()[1])
            for _ in range(3)]
        rows.append([label, f"{median(took) / 1000:.2f}"])
    table("a call of the program's for the time, microseconds, median of 3",
          ["in a Keep", "us"], rows)


def trap(out, folder, tee):
    """Ticks of a call to the shim: by SYSCALL, and without a trap."""
    r = subprocess.run([out / "bench/trap", out / "bench/traps", folder, tee],
                       stdout=subprocess.PIPE, check=False)
    ticks = r.stdout.split()[:2]
    return [f"{int(t):,}" if int(t) else "-" for t in ticks] or ["-", "-"]


def bench_traps(out, folder, columns):
    table("a call of exec's to its shim, ticks of the processor's counter",
          ["in a Keep", "SYSCALL", "without a trap"],
          [[label, *trap(out, folder, tee)]
           for tee, label in columns.items()
           if tee not in ("process", "sanctum", "pef")])  # x86-64's counter


def requests(port, number):
    """So many, on one connection that stays."""
    for _ in range(100):
        try:
            s = socket.create_connection(("127.0.0.1", port), timeout=60)
            break
        except OSError:
            time.sleep(0.05)
    ask, got = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", b""
    for _ in range(number):
        s.sendall(ask)
        while not got.endswith(b"hello, world\n"):
            got += s.recv(4096)
        got = b""
    s.close()


def serve(tenant, agent, out, root, tee, number):
    """What was counted of a server that answered so many requests."""
    port = free_port()
    p = tenant.start(*deploy(agent, policy(tenant, root, tee), tee, "-q",
                             "--listen", f"tcp://127.0.0.1:{port}",
                             out / "bench/wasi/http.wasm"))
    p.stdout.readline()
    requests(port, number)
    p.terminate()
    p.wait()
    p.stdin.close()
    p.stdout.close()
    p.stderr.close()
    return agent.take_counts()


def per_request(few, many):
    """The difference, for one."""
    def each(a, b):
        return f"{(b - a) / (MANY - FEW):.2f}"
    row = {"all": each(few["exits"], many["exits"])}
    for k in ("accept", "poll", "recv", "send"):
        row[k] = each(few.get(k, 0), many.get(k, 0))
    for k, (n, _) in many.get("enclave", {}).items():
        row[k] = each(few["enclave"][k][0], n)
    return row


def bench_requests(tenant, agent, out, columns, root):
    found = {}
    for tee, label in columns.items():
        if tee == "process":
            continue
        few, many = (serve(tenant, agent, out, root, tee, n)
                     for n in (FEW, MANY))
        if few and many:
            found[label] = per_request(few, many)
    keys = []
    for c in found.values():
        keys += [k for k in c if k not in keys]
    table("exits to the loader for an HTTP request (bench/wasi/http.c) on a "
          "connection that stays", [""] + list(found),
          [[k] + [c.get(k, "-") for c in found.values()] for k in keys])


def bench_enclave(counts):
    for label, c in counts.items():
        if "enclave" in c:
            table(f"exits of the enclave for hello, {label} (target after the "
                  f"channel is up: {TARGETS['enclave']})",
                  ["", "all", "after"],
                  [["all", c["exits"], c["after"]],
                   *([k, *v] for k, v in c["enclave"].items())])
            print(f"  pages added while it ran: {c.get('pages added', '-')}")


def bench_exits(counts):
    keys = []
    for c in counts.values():
        keys += [k for k in c if k not in keys + ["processor", "enclave",
                                                  "pages added"]]
    table("exits to the loader for hello, by what they were for "
          f"(target after the channel is up: {TARGETS['after']})",
          [""] + list(counts),
          [[k] + [c.get(k, "-") for c in counts.values()] for k in keys])
    inner = {t: c["processor"] for t, c in counts.items() if "processor" in c}
    if inner:
        keys = list(next(iter(inner.values())))
        table("exits of the guest's processor to the monitor (software "
              "platform; on real KVM: to the kernel)",
              [""] + list(inner),
              [[k] + [c[k] for c in inner.values()] for k in keys])


def bench(out, folder):
    agent = CountingAgent(out, folder)
    try:
        tenant = Tenant(out, folder / "tenant")
        root, techs = platform(tenant, agent)
        columns = {}
        for tee in TEES:
            if techs.get(tee, {}).get("available"):
                soft = "software platform" in techs[tee]["detail"]
                columns[tee] = tee + (" (software platform)" if soft else "")
        hello = out / "examples/hello.wasm"
        times, counts, used = {}, {}, {}
        for tee, label in columns.items():
            path = policy(tenant, root, tee)
            times[label] = startup(tenant, agent, path, tee, hello)
            count = agent.take_counts()
            if count:
                counts[label] = count
            used[label] = memory(tenant, agent, path, tee,
                                 out / "tests/wasm/cat.wasm")
        keys = list(next(iter(times.values())))
        table(f"start-up of hello, ms since the ask, median of {RUNS} (target "
              f"of first output on the software platform: {TARGETS['first']})",
              ["reached"] + list(times),
              [[k] + [f"{t.get(k, 0):.1f}" for t in times.values()]
               for k in keys])
        bench_exits(counts)
        bench_enclave(counts)
        bench_requests(tenant, agent, out, columns, root)
        table("resident (Pss): loader, Keep and QEMU, while a program waits "
              "that has a page of memory itself; 64 MiB asked",
              ["", "MiB"], [[k, f"{v:.1f}"] for k, v in used.items()])
        bench_calls(tenant, agent, out, columns, root)
        bench_traps(out, folder, columns)
        bench_speed(tenant, agent, out, columns, root)
    finally:
        agent.stop()


def main():
    out = Path(sys.argv[1]).resolve()
    load = os.getloadavg()[0]
    print(f"donjon {open('VERSION').read().strip()}, {os.cpu_count()} cores, "
          f"load {load:.1f} at the start")
    rows = []
    for tee in TEES:
        sizes = images(out, tee)
        if "exec" not in sizes:
            continue
        pages = sum(-(-s // PAGE) for s in sizes.values())
        rows.append([tee, sizes.get("shim", "-"), sizes["exec"],
                     sum(sizes.values()), pages])
    table(f"measured, bytes (targets: shim {TARGETS['shim']}, all "
          f"{TARGETS['image']})", ["", "shim", "exec", "all", "pages"], rows)
    folder = Path(tempfile.mkdtemp())
    try:
        bench(out, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
