#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""bench/wasm.py OUT: the engine against others, on the shared kernels.

Processor time of whole runs as ratios to `gcc -O2` of the same C, start-up of
the program itself included, the best of three; then loading, start and peak
memory of larger programs.  Nothing is asserted.  Peers that are not installed
are left out; others are given by path: WASM3=, IWASM= (WAMR's fast
interpreter).  wasm2c (wabt) + gcc -O2 needs its runtime's WASI and is not
among them.
"""
import glob
import math
import os
import shutil
import subprocess
import sys
import tempfile

RUNS = int(os.environ.get("RUNS", 3))
SHARED = os.environ.get("DONJON_SHARED", "../shared")
NODE = """
const { WASI } = require("wasi"), fs = require("fs");
const wasi = new WASI({ version: "preview1", args: process.argv.slice(1),
  env: {}, preopens: {} });
WebAssembly.instantiate(fs.readFileSync(process.argv[1]),
  { wasi_snapshot_preview1: wasi.wasiImport })
  .then((r) => wasi.start(r.instance));
"""


def cpu(argv, stdin=None):
    """Seconds of processor time, peak MiB, output."""
    best, peak, out = math.inf, 0, b""
    for _ in range(RUNS):
        p = subprocess.Popen(argv, stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL,
                             stdin=stdin or subprocess.DEVNULL)
        out = p.stdout.read()
        _, _, usage = os.wait4(p.pid, 0)
        p.returncode = 0
        best = min(best, usage.ru_utime + usage.ru_stime)
        peak = usage.ru_maxrss / 1024
    return best, peak, out


def engines(out):
    """Name and command line in front of the module."""
    found = [("ours", [f"{out}/bin/donjon-wasm"])]
    for name, variable in (("wasm3", "WASM3"), ("WAMR fast", "IWASM")):
        if os.environ.get(variable):
            found.append((name, [os.environ[variable]]))
    if shutil.which("node"):
        run = ["--no-warnings", "-e", NODE]
        found.append(("V8", ["node"] + run))
        found.append(("V8 liftoff", ["node", "--liftoff",
                                     "--no-wasm-tier-up"] + run))
    return found


def geomean(values):
    return math.exp(sum(map(math.log, values)) / len(values))


def kernels(out, folder):
    peers = engines(out)
    print("\nkernels: processor time, times that of gcc -O2")
    print("  %-10s" % "" + "".join("%12s" % n for n, _ in peers))
    ratios = {n: [] for n, _ in peers}
    for wasm in sorted(glob.glob(f"{SHARED}/kernels/*.wasm")):
        name = os.path.basename(wasm)[:-5]
        native = f"{folder}/{name}"
        subprocess.run(["gcc", "-O2", "-w", "-o", native, wasm[:-4] + "c",
                        "-lm"], check=True)
        base, _, want = cpu([native])
        line = "  %-10s" % name
        for peer, argv in peers:
            seconds, _, got = cpu(argv + [wasm])
            ratio = seconds / base
            ratios[peer].append(ratio)
            line += "%11.2f%s" % (ratio, " " if got == want else "!")
        print(line, flush=True)
    print("  %-10s" % "geomean" +
          "".join("%11.2f " % geomean(ratios[n]) for n, _ in peers))


def starts(out):
    print("\nload, run and memory: processor seconds and peak MiB")
    tool = f"{out}/bin/donjon-wasm"
    modules = f"{SHARED}/modules"
    for path, args in ((f"{out}/examples/hello.wasm", []),
                       (f"{modules}/python.wasm", ["-V"]),
                       (f"{modules}/gofmt.wasm", ["-h"]),
                       (f"{modules}/sqlite3.wasm", ["-version"])):
        if not os.path.exists(path):
            continue
        size = os.path.getsize(path)
        seconds, peak, _ = cpu([tool, path] + args)
        print("  %-10s %7.2f MB  %6.3f s  %6.1f MiB" % (
            os.path.basename(path)[:-5], size / 1e6, seconds, peak))


def main():
    with tempfile.TemporaryDirectory() as folder:
        kernels(sys.argv[1], folder)
    starts(sys.argv[1])


if __name__ == "__main__":
    main()
