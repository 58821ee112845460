#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""bench/wasm.py OUT: the engine against others, on the shared kernels.

Processor time of whole runs as ratios to `gcc -O2` of the same C, start-up of
the program itself included, the best of RUNS (3); the same for programs with
vectors (bench/simd; ONLY=vectors does no more); then what loading takes, and
start and memory of larger programs.  Nothing is asserted; the targets of
the interpreter are printed with what was found.  Peers that are not installed
are left out: node (with its optimizing compiler alone, and with its baseline
compiler alone), wasm2c + `gcc -O2`.  Others are given by path: WASM3=, IWASM=
(WAMR built with its fast interpreter).
"""
import glob
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile

RUNS = int(os.environ.get("RUNS", 3))
ONLY = os.environ.get("ONLY")
SHARED = os.environ.get("DONJON_SHARED", "../shared")
HERE = os.path.dirname(os.path.abspath(__file__))
WASM2C = "/usr/share/wabt/wasm2c"
NODE = """
const { WASI } = require("wasi"), fs = require("fs");
const wasi = new WASI({ version: "preview1", args: process.argv.slice(1),
  env: {}, preopens: {} });
WebAssembly.instantiate(fs.readFileSync(process.argv[1]),
  { wasi_snapshot_preview1: wasi.wasiImport })
  .then((r) => wasi.start(r.instance));
"""


def cpu(argv):
    """Seconds of processor time, output."""
    best, out = math.inf, b""
    for _ in range(RUNS):
        p = subprocess.Popen(argv, stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL,
                             stdin=subprocess.DEVNULL)
        out = p.stdout.read()
        _, _, usage = os.wait4(p.pid, 0)
        p.returncode = 0
        best = min(best, usage.ru_utime + usage.ru_stime)
    return best, out


def gcc(target, *sources):
    subprocess.run(["gcc", "-O2", "-w", "-o", target, *sources, "-lm"],
                   check=True)
    return [target]


def by_wasm2c(folder, wasm):
    where = os.path.join(folder, "wasm2c")
    os.makedirs(where, exist_ok=True)
    subprocess.run(["wasm2c", "-n", "k", wasm, "-o", f"{where}/k.c"],
                   check=True)
    return gcc(f"{where}/k", f"-I{where}", f"-I{WASM2C}", f"{where}/k.c",
               f"{HERE}/wasm2c_host.c", f"{WASM2C}/wasm-rt-impl.c")


def engines(out, folder):
    """Name, and what makes a command line of a module."""
    def prefix(*argv):
        return lambda wasm: [*argv, wasm]

    tool = f"{out}/bin/donjon-wasm"
    found = [("ours", prefix(tool, "--engine", "interp"))]
    for name, variable in (("wasm3", "WASM3"), ("WAMR fast", "IWASM")):
        if os.environ.get(variable):
            found.append((name, prefix(os.environ[variable])))
    found.append(("ours, jit", prefix(tool, "--engine", "jit")))
    if shutil.which("node"):
        for name, flag in (("V8", "--no-liftoff"),
                           ("V8 liftoff", "--liftoff-only")):
            found.append((name, prefix("node", "--no-warnings", flag, "-e",
                                       NODE)))
    if shutil.which("wasm2c") and os.path.exists(WASM2C):
        found.append(("wasm2c", lambda wasm: by_wasm2c(folder, wasm)))
    return found


def geomean(values):
    return math.exp(sum(map(math.log, values)) / len(values))


def targets(ratios):
    ours = ratios["ours"]
    print("  interpreter: %.2f times native (target: 8)" % geomean(ours))
    peers = [ratios[n] for n in ("wasm3", "WAMR fast") if n in ratios]
    if peers:
        worst = max(us / min(them) for us, *them in zip(ours, *peers))
        print("  at worst %.2f times the better of wasm3 and WAMR (target: "
              "1.3)" % worst)


def kernels(out, folder):
    peers = engines(out, folder)
    print("kernels: processor time, times that of gcc -O2; ! is another "
          "output")
    print("  %-10s" % "" + "".join("%12s" % n for n, _ in peers))
    ratios = {n: [] for n, _ in peers}
    for wasm in sorted(glob.glob(f"{SHARED}/kernels/*.wasm")):
        name = os.path.basename(wasm)[:-5]
        base, want = cpu(gcc(f"{folder}/{name}", wasm[:-4] + "c"))
        line = "  %-10s" % name
        for peer, command in peers:
            seconds, got = cpu(command(wasm))
            ratio = seconds / base
            ratios[peer].append(ratio)
            line += "%11.2f%s" % (ratio, " " if got == want else "!")
        print(line, flush=True)
    print("  %-10s" % "geomean" +
          "".join("%11.2f " % geomean(ratios[n]) for n, _ in peers))
    targets(ratios)


def vectors(out, folder):
    """bench/simd: the same vectors here and there, ratios to the better of
    gcc and clang."""
    # wasm3 and Debian's wasm2c have none.
    peers = [e for e in engines(out, folder) if e[0] not in
             ("wasm3", "wasm2c")]
    print("\nvectors: processor time, times that of the better of gcc -O2 and "
          "clang -O2; ! is another output")
    print("  %-10s" % "" + "".join("%12s" % n for n, _ in peers))
    ratios = {n: [] for n, _ in peers}
    for source in sorted(glob.glob(f"{HERE}/simd/*.c")):
        name = os.path.basename(source)[:-2]
        wasm, native = f"{folder}/{name}.wasm", f"{folder}/{name}-clang"
        for argv in (["--target=wasm32-wasi", "-msimd128", "-o", wasm],
                     ["-o", native]):
            subprocess.run(["clang", "-O2", "-w", source, *argv], check=True)
        base, want = min(cpu(gcc(f"{folder}/{name}", source)), cpu([native]))
        line = "  %-10s" % name
        for peer, command in peers:
            seconds, got = cpu(command(wasm))
            ratios[peer].append(seconds / base)
            line += "%11.2f%s" % (seconds / base, " " if got == want else "!")
        print(line, flush=True)
    print("  %-10s" % "geomean" +
          "".join("%11.2f " % geomean(ratios[n]) for n, _ in peers))


def loads(out):
    print("\nloading: size, megabytes of it in a second of processor time "
          "(target: 150), memory held", flush=True)
    subprocess.run([f"{out}/bench/wasm_load", f"{out}/examples/hello.wasm",
                    *sorted(glob.glob(f"{SHARED}/modules/*.wasm"))],
                   check=True)


def starts(out):
    print("\nload, run, and what each holds (module: code; instance: memory, "
          "tables)")
    for path, args in ((f"{out}/examples/hello.wasm", []),
                       (f"{SHARED}/modules/python.wasm", ["-V"]),
                       (f"{SHARED}/modules/gofmt.wasm", ["-h"]),
                       (f"{SHARED}/modules/sqlite3.wasm", ["-version"])):
        if not os.path.exists(path):
            continue
        p = subprocess.run([f"{out}/bin/donjon-wasm", "--stats", path] + args,
                           stdin=subprocess.DEVNULL, capture_output=True,
                           check=False)
        line = p.stderr.decode().splitlines()[-1]
        print("  %-10s %s" % (os.path.basename(path)[:-5],
                              re.sub(r", files \d+ KiB", "", line)))


def main():
    with tempfile.TemporaryDirectory() as folder:
        if ONLY != "vectors":
            kernels(sys.argv[1], folder)
        vectors(sys.argv[1], folder)
    if ONLY:
        return
    loads(sys.argv[1])
    starts(sys.argv[1])


if __name__ == "__main__":
    main()
