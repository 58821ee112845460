#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""bench/wasm.py OUT: the engine against others, all in one run.

Kernels: processor time of whole runs as ratios to `gcc -O2` of the same C,
start-up of the program itself included, the best of RUNS (3); the same for
programs with vectors (bench/simd); programs of ../shared/modules: seconds,
peak of memory; compiling all of a module: seconds, megabytes of it in a
second, size of the code, peak; then what loading takes, and start and memory
of larger programs.  ONLY= names what is wanted (kernels, vectors, programs,
compile, load, start; commas between).  Nothing is asserted; the targets are
printed with what was found.  Peers: bench/wasm_peers.py.  Native builds of
the programs' sources are not here, so programs have no native column.
"""
import ast
import csv
import glob
import hashlib
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from wasm_peers import Result, engines, gcc, geomean, wasm2cs

ONLY = [w for w in os.environ.get("ONLY", "").split(",") if w]
SHARED = os.environ.get("DONJON_SHARED", "../shared")
HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAMS = ["sqlite3", "python", "gofmt", "duktape", "bzip2", "brotli"]
STDLIB = Path("/usr/lib/python3.11")


def wanted(what):
    return not ONLY or what in ONLY


def held(text, value, target, below=True):
    ok = value <= target if below else value >= target
    print("  target %-9s %s: %.2f (%s %s)" % (
        "held" if ok else "NOT HELD", text, value,
        "at most" if below else "at least", target))


def targets(ratios):
    ours = ratios.get("interp", [])
    peers = [ratios[n] for n in ("wasm3", "WAMR") if n in ratios]
    if ours:
        held("interpreter, geomean to native", geomean(ours), 8)
    if ours and peers:
        held("interpreter, worst to the better of wasm3 and WAMR",
             max(us / min(them) for us, *them in zip(ours, *peers)), 1.3)
    jit = ratios.get("jit")
    if not jit:
        return
    held("compiled, geomean to native", geomean(jit), 1.5)
    held("compiled, worst to native", max(jit), 3)
    for name in ("wt checks", "wt guard"):
        if name in ratios:
            held(f"compiled, geomean to {name}",
                 geomean(jit) / geomean(ratios[name]), 1)


def table(rows, peers, base_of):
    """Rows of (name, wasm); base_of: name -> native seconds, output."""
    print("  %-9s%8s" % ("", "native") +
          "".join("%12s" % e.name for e in peers))
    ratios = {e.name: [] for e in peers}
    for name, wasm in rows:
        base, want = base_of(name, wasm)
        line = "  %-9s%7.2fs" % (name, base)
        for engine in peers:
            r = engine.run(wasm)
            ratio = r.seconds / base
            ratios[engine.name].append(ratio)
            line += "%11.2f%s" % (ratio, " " if r.out == want else "!")
        print(line, flush=True)
    print("  %-9s%8s" % ("geomean", "") + "".join(
        "%11.2f " % geomean(ratios[e.name]) for e in peers))
    return ratios


def kernels(out, folder):
    def native(name, wasm):
        r = Result(gcc(f"{folder}/{name}", wasm[:-4] + "c"))
        return r.seconds, r.out

    print("kernels: processor time, times that of gcc -O2; ! is another "
          "output")
    rows = [(os.path.basename(w)[:-5], w)
            for w in sorted(glob.glob(f"{SHARED}/kernels/*.wasm"))]
    targets(table(rows, engines(out) + wasm2cs(folder), native))


def vectors(out, folder):
    """bench/simd: the same vectors here and there, ratios to the better of
    gcc and clang."""
    def native(name, _):
        source, clang = f"{HERE}/simd/{name}.c", f"{folder}/{name}-clang"
        subprocess.run(["clang", "-O2", "-w", source, "-o", clang],
                       check=True)
        best = min((Result(gcc(f"{folder}/{name}", source)),
                    Result([clang])), key=lambda r: r.seconds)
        return best.seconds, best.out

    print("\nvectors: processor time, times that of the better of gcc -O2 "
          "and clang -O2; ! is another output")
    rows = []
    for source in sorted(glob.glob(f"{HERE}/simd/*.c")):
        name = os.path.basename(source)[:-2]
        rows.append((name, f"{folder}/{name}.wasm"))
        subprocess.run(["clang", "-O2", "-w", "--target=wasm32-wasi",
                        "-msimd128", source, "-o", rows[-1][1]], check=True)
    # wasm3 and Debian's wasm2c have none.
    table(rows, [e for e in engines(out) if e.name != "wasm3"], native)


def make_root(row, scratch):
    """The folder that a program has as its root, as it is before a run."""
    fixtures = f"{SHARED}/modules/fixtures"
    if os.path.exists(f"{scratch}/python311.zip"):
        return  # which only reads
    shutil.rmtree(scratch, ignore_errors=True)
    os.makedirs(scratch)
    if row["file"] == "python.wasm":
        shutil.copy(f"{fixtures}/a.py", scratch)
        # Debian's own library, stored: the program has no zlib.
        with zipfile.ZipFile(f"{scratch}/python311.zip", "w") as z:
            for f in sorted(STDLIB.rglob("*.py")):
                rel = f.relative_to(STDLIB)
                if not {"test", "tests", "idlelib", "lib2to3",
                        "dist-packages"} & set(rel.parts):
                    z.write(f, rel)
    elif row["preopens"] == "fixtures::/":
        shutil.copytree(fixtures, scratch, dirs_exist_ok=True)
    elif row["preopens"].startswith("scratch("):
        for f in row["preopens"][8:].partition(")")[0].split(","):
            if f:
                shutil.copyfile(f"{fixtures}/{f}", f"{scratch}/{f}")


def programs(out, folder):
    with open(f"{SHARED}/modules/MANIFEST.tsv", encoding="utf-8") as f:
        rows = {r["file"][:-5]: r for r in csv.DictReader(f, delimiter="\t")}
    # wasm3 gives programs no folders.
    peers = [e for e in engines(out) if e.name != "wasm3"]
    print("\nprograms: seconds of processor time of a whole run, peak in MiB; "
          "! is another output or status")
    print("  %-8s" % "" + "".join("%16s" % e.name for e in peers))
    for name in PROGRAMS:
        row, line = rows[name], "  %-8s" % name
        for engine in peers:
            root = None
            if row["preopens"] != "-":
                root = f"{folder}/{name}-{engine.name}"
            stdin = None if row["stdin"] == "-" else \
                f"{SHARED}/modules/fixtures/{row['stdin']}"
            r = engine.run(f"{SHARED}/modules/{row['file']}",
                           ast.literal_eval(row["args"]), root,
                           [] if row["env"] == "-" else row["env"].split(),
                           stdin, lambda: root and make_root(row, root))
            digest = hashlib.sha256(r.out).hexdigest()
            right = r.status == int(row["exit"]) and \
                digest.startswith(row["stdout_sha256"])
            line += "%9.3f%5.0f%s " % (r.seconds, r.peak,
                                       " " if right else "!")
        print(line, flush=True)


def compiling(out):
    """All functions of a module: ours eagerly, V8's without its baseline."""
    peers = [e for e in engines(out) if e.compiles or e.name == "jit eager"]
    print("\ncompiling: seconds of processor time, MB of wasm in a second, "
          "MB of code (0: not told), peak in MiB")
    print("  %-8s" % "" + "".join("%27s" % e.name for e in peers))
    speeds = {e.name: [] for e in peers}
    for name in PROGRAMS:
        wasm, line = f"{SHARED}/modules/{name}.wasm", "  %-8s" % name
        size = os.path.getsize(wasm) / 1e6
        for engine in peers:
            done = engine.compile(wasm)
            if not done:
                line += "%27s" % "refused"
                speeds[engine.name].append(math.inf)
                continue
            seconds, code, peak = done
            speeds[engine.name].append(size / seconds)
            line += "%8.3f%7.1f%6.1f%5.0f " % (seconds, size / seconds,
                                               code / 1e6, peak)
        print(line, flush=True)
    ours = speeds.get("jit eager")
    if not ours:
        return
    held("slowest module, MB/s", min(ours), 10, below=False)
    if "wt checks" in speeds:
        held("slowest module, times Cranelift's speed",
             min(us / them for us, them in zip(ours, speeds["wt checks"])
                 if them < math.inf), 5, below=False)


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


def python_start(out):
    r = Result([f"{out}/bin/donjon-wasm", "--engine", "jit",
                f"{SHARED}/modules/python.wasm", "-V"])
    print("  python -V: %.0f ms of processor time" % (r.seconds * 1e3))
    held("python -V, ms", r.wall * 1e3, 60)


def main():
    out = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        if wanted("kernels"):
            kernels(out, folder)
        if wanted("vectors"):
            vectors(out, folder)
        if wanted("programs"):
            programs(out, folder)
    if wanted("compile"):
        compiling(out)
    if wanted("load"):
        loads(out)
    if wanted("start"):
        starts(out)
        python_start(out)


if __name__ == "__main__":
    main()
