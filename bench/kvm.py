#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""bench/kvm.py OUT: what a virtual machine of Linux's KVM adds to the start of a
Keep, over technology `process`.

Runs hello in both by turns on a real Linux KVM: Debian's kernel under QEMU with
nested virtualization (tests/e2e/kvm.py).  That processor is emulated: its times
are those of the emulator, which a loop that runs here and there is set beside,
and are labelled so.  What a processor would do as often are the counts: calls of
the kernel, exits, pages.
"""
import json
import re
import subprocess
import sys
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(REPO / "tests/e2e"), str(REPO / "bench")]
from kvm import Machine, Unavailable  # noqa: E402
from run import median, table  # noqa: E402

RUNS = 15
ROUNDS = 20  # of the calibration
STEPS = ("asked", "attested", "verified", "connected", "delivered", "started",
         "first_output")
STATS = ("exits", "pf_taken", "pf_fixed", "tlb_flush", "nested_run",
         "insn_emulation", "halt_exits", "io_exits", "mmio_exits")
LOOP = "donjon-wasm --engine interp /speed.wasm %d" % ROUNDS


def commands():
    yield "calibrate", LOOP
    # Images and modules of the kernel are there, the root's key is made.
    yield "warm", ("donjon run -q --tee process /hello.wasm && "
                   "donjon run -q --tee kvm /hello.wasm")
    for i in range(RUNS):
        for tee in ("process", "kvm"):
            yield f"{tee}-{i}", (f"donjon run -q --json --tee {tee} "
                                 "/hello.wasm")
    yield "debugfs", "mount -t debugfs none /sys/kernel/debug"
    show = "; ".join(f"echo {s} $(cat /sys/kernel/debug/kvm/{s})"
                     for s in STATS)
    yield "before", show
    yield "counted", ("PATH=/counting/bin:$PATH donjon run -q --tee kvm "
                      "/hello.wasm && cat /counting/bin/counts")
    yield "after", show
    yield "recalibrate", LOOP


def machine(out):
    m = Machine(out, REPO / "out-kernel")
    m.tree.copy(out / "examples/hello.wasm", "hello.wasm")
    m.tree.copy(out / "bench/speed.wasm", "speed.wasm")
    for name in ("donjon", "donjond"):
        m.tree.copy(out / "bin" / name, f"counting/bin/{name}")
    m.tree.copy(out / "bench/keep/donjon-keep", "counting/bin/donjon-keep")
    m.tree.link("counting/keep", "/out/keep")
    return m


def report(text):
    line = [x for x in text.splitlines() if x.startswith("{")][-1]
    return json.loads(line)["times_ms"]


def show_times(answers):
    times = {tee: [report(answers[f"{tee}-{i}"][1]) for i in range(RUNS)]
             for tee in ("process", "kvm")}
    rows = []
    for step in STEPS:
        a, b = (median([t[step] for t in times[tee]])
                for tee in ("process", "kvm"))
        rows.append([step, f"{a:.0f}", f"{b:.0f}", f"{b - a:.0f}"])
    least = {tee: min(t["first_output"] for t in times[tee]) for tee in times}
    rows.append(["first_output, the fastest run", f"{least['process']:.0f}",
                 f"{least['kvm']:.0f}",
                 f"{least['kvm'] - least['process']:.0f}"])
    table(f"start-up of hello, ms of the emulator, median of {RUNS} runs by "
          "turns", ["reached", "process", "kvm", "more"], rows)


def show_slowdown(answers):
    here = []
    for _ in range(3):
        text = subprocess.run(
            [OUT / "bin/donjon-wasm", "--engine", "interp",
             OUT / "bench/speed.wasm", str(ROUNDS)], check=True,
            stdout=subprocess.PIPE).stdout.decode()
        here.append(int(text.split()[1]))
    there = [int(re.search(r"(\d+)\s*$", answers[n][1].strip()).group(1))
             for n in ("calibrate", "recalibrate")]
    print(f"\nthe same loop: {median(here) / 1000:.1f} ms here, "
          f"{min(there) / 1000:.1f} and {max(there) / 1000:.1f} ms in the "
          f"emulator: {median(there) / median(here):.1f} times slower "
          "(user code; its exits and page faults are slower still)")


def stats(text):
    return {k: int(v) for k, v in re.findall(r"^(\w+) (\d+)$", text, re.M)}


def show_counts(answers):
    line = [x for x in answers["counted"][1].splitlines()
            if x.startswith("{")][-1]
    c = json.loads(line)
    rows = [[k, v] for k, v in c.items() if not isinstance(v, dict)]
    before, after = (stats(answers[n][1]) for n in ("before", "after"))
    rows += [[f"kvm: {k}", after[k] - before[k]] for k in STATS if k in after]
    table("one run of hello with kvm, how often (the loader's, and the "
          "kernel's /sys/kernel/debug/kvm)", ["", "times"], rows)


def main():
    try:
        answers = machine(OUT).run(list(commands()))
    except Unavailable as e:
        print(f"no machine: {e}")
        return 1
    failed = {n: a for n, a in answers.items() if a[0]}
    for name, (status, text) in failed.items():
        print(f"{name}: exit status {status}: {text[-600:]}")
    if failed:
        return 1
    show_times(answers)
    show_slowdown(answers)
    show_counts(answers)
    return 0


if __name__ == "__main__":
    OUT = Path(sys.argv[1]).resolve()
    sys.exit(main())
