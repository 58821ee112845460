#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""bench/kvm.py OUT: what a virtual machine of Linux's KVM adds to the start of a
Keep, over technology `process`.

Runs hello in both by turns on a real Linux KVM: Debian's kernel under QEMU with
nested virtualization (tests/e2e/kvm.py).  That processor is emulated, and how
long it takes says nothing of another one.  So its clock counts instructions, one
a nanosecond: of kernel, loader, Keep and client together.  What instructions do
not show are the counts beside them: calls of the kernel, exits, page faults.
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

RUNS = 3
ROUNDS = 20  # of the calibration
STEPS = ("asked", "attested", "verified", "connected", "delivered", "started",
         "first_output")
STATS = ("exits", "pf_taken", "pf_fixed", "tlb_flush", "insn_emulation",
         "halt_exits", "io_exits", "mmio_exits", "pages_4k", "pages_2m")
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
    yield "counted", ("PATH=/counting/bin:$PATH donjon run -q --tee kvm "
                      "/hello.wasm && cat /counting/bin/counts")
    # While it lives: the kernel forgets a machine with its end.
    yield "stats", (
        "mount -t debugfs none /sys/kernel/debug; (echo x; sleep 20) | "
        "donjon run -q --tee kvm /cat.wasm >/tmp/o & "
        "while ! grep -q x /tmp/o; do sleep 1; done; " +
        "; ".join(f"echo {s} $(cat /sys/kernel/debug/kvm/{s})"
                  for s in STATS))
    yield "recalibrate", LOOP


def machine(out):
    m = Machine(out, REPO / "out-kernel", counted=True)
    m.tree.copy(out / "examples/hello.wasm", "hello.wasm")
    m.tree.copy(out / "tests/wasm/cat.wasm", "cat.wasm")
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
        rows.append([step, f"{a:.1f}", f"{b:.1f}", f"{b - a:.1f}"])
    table(f"start-up of hello, millions of instructions, median of {RUNS} runs "
          "by turns (ms, at one a nanosecond)",
          ["reached", "process", "kvm", "more"], rows)


def show_calibration(answers):
    """How many instructions a nanosecond this machine's own processor does."""
    here = []
    for _ in range(3):
        text = subprocess.run(
            [OUT / "bin/donjon-wasm", "--engine", "interp",
             OUT / "bench/speed.wasm", str(ROUNDS)], check=True,
            stdout=subprocess.PIPE).stdout.decode()
        here.append(int(text.split()[1]))
    there = [int(answers[n][1].split()[1])
             for n in ("calibrate", "recalibrate")]
    print(f"\na loop of {median(there) / 1000:.1f} million instructions takes "
          f"{min(here) / 1000:.1f} ms here: "
          f"{median(there) / min(here):.1f} a nanosecond")


def stats(text):
    return {k: int(v) for k, v in re.findall(r"^(\w+) (\d+)$", text, re.M)}


def show_counts(answers):
    line = [x for x in answers["counted"][1].splitlines()
            if x.startswith("{")][-1]
    c = json.loads(line)
    rows = [[k, v] for k, v in c.items() if not isinstance(v, dict)]
    table("one run of hello with kvm: what its loader asked its kernel",
          ["", "times"], rows)
    table("up to the first output of a program, in the kernel "
          "(/sys/kernel/debug/kvm)", ["", "times"],
          [[k, v] for k, v in stats(answers["stats"][1]).items()])


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
    show_calibration(answers)
    show_counts(answers)
    return 0


if __name__ == "__main__":
    OUT = Path(sys.argv[1]).resolve()
    sys.exit(main())
