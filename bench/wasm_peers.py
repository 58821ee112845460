# SPDX-License-Identifier: Apache-2.0
"""Engines for bench/wasm.py: how each runs and compiles a module.

What is not there is left out, and said so.  WASM3=, IWASM= (WAMR) are paths
of programs; WASMTIME= is a folder with wasmtime's PyPI package (`pip install
--target FOLDER wasmtime`), unless this Python finds it anyway.  ENGINES=
names those that are wanted, commas between; all of them otherwise.
"""
import importlib.util
import math
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile

RUNS = int(os.environ.get("RUNS", 3))
ENGINES = [e for e in os.environ.get("ENGINES", "").split(",") if e]
HERE = os.path.dirname(os.path.abspath(__file__))
WASM2C = "/usr/share/wabt/wasm2c"
NODE_RUN = """
const { WASI } = require("wasi"), fs = require("fs");
const pairs = (process.env.GUEST_ENV || "").split(" ").filter((x) => x);
const wasi = new WASI({ version: "preview1", args: process.argv.slice(1),
  env: Object.fromEntries(pairs.map((x) => x.split("=", 2))),
  preopens: process.env.DIR ? { "/": process.env.DIR } : {},
  returnOnExit: false });
WebAssembly.instantiate(fs.readFileSync(process.argv[1]),
  { wasi_snapshot_preview1: wasi.wasiImport })
  .then((r) => wasi.start(r.instance));
"""
NODE_COMPILE = """
const bytes = require("fs").readFileSync(process.argv[1]);
const before = process.cpuUsage();
new WebAssembly.Module(bytes);
const t = process.cpuUsage(before);
console.error((t.user + t.system) / 1e6, 0);
"""


class Result:
    """Seconds of processor time, peak of memory in MiB, output, status."""

    def __init__(self, argv, env=None, stdin=None, own_clock=False,
                 before=None):
        self.seconds = self.wall = math.inf
        for _ in range(RUNS):
            if before:
                before()
            self.once(argv, env, stdin, own_clock)

    def once(self, argv, env, stdin, own_clock):
        before = os.times().elapsed
        with open(stdin or os.devnull, "rb") as source, \
                tempfile.TemporaryFile() as errors:
            p = subprocess.Popen(argv, stdin=source, stdout=subprocess.PIPE,
                                 stderr=errors,
                                 env={**os.environ, **(env or {})})
            self.out = p.stdout.read()
            _, status, usage = os.wait4(p.pid, 0)
            errors.seek(0)
            err = errors.read()
        p.returncode = 0
        self.status = os.waitstatus_to_exitcode(status)
        self.peak = usage.ru_maxrss / 1024
        self.wall = min(self.wall, os.times().elapsed - before)
        self.err = err.decode(errors="replace").splitlines()
        took = usage.ru_utime + usage.ru_stime
        self.code = 0
        if own_clock:
            try:
                said = self.err[-1].split()
                took, self.code = float(said[0]), int(said[1])
            except (IndexError, ValueError):
                took = math.inf
        self.seconds = min(self.seconds, took)


class Engine:
    """run: a command line's beginning; compile: what compiles everything."""

    def __init__(self, name, run, compiles=None, env=None, own_clock=False,
                 folders=None):
        self.name, self.prefix, self.compiles = name, run, compiles
        self.env, self.own_clock, self.folders = env or {}, own_clock, folders

    def run(self, wasm, args=(), root=None, guest_env=(), stdin=None,
            before=None):
        env = {**self.env, "GUEST_ENV": " ".join(guest_env)}
        if root:
            env["DIR"] = root
        options = self.folders(root, guest_env) if self.folders else []
        return Result([*self.prefix, *options, wasm, *args], env, stdin,
                      self.own_clock, before)

    def compile(self, wasm):
        """Seconds, bytes of code (0: not told), peak in MiB; None: does
        not."""
        if not self.compiles:
            return None
        r = Result([*self.compiles, wasm], self.env, None, True)
        return (r.seconds, r.code, r.peak) if r.seconds < math.inf else None


class Ours(Engine):
    def compile(self, wasm):
        """All functions before the first call, less what loading takes."""
        if "--eager" not in self.prefix:
            return None
        quick = [wasm, "--version"]
        tool = self.prefix[0]
        r = Result([*self.prefix, "--stats", *quick])
        load = Result([tool, "--engine", "interp", *quick]).seconds
        said = re.search(r"words to (\d+) bytes", "\n".join(r.err))
        return r.seconds - load, int(said[1]) if said else 0, r.peak


def our_folders(root, guest_env):
    options = ["--dir", f"{root}::/:rw"] if root else []
    for pair in guest_env:
        options += ["--env", pair]
    return options


def wamr_folders(root, guest_env):
    options = [f"--map-dir=/::{root}"] if root else []
    return options + [f"--env={pair}" for pair in guest_env]


def wasmtimes():
    env = {"PYTHONPATH": os.environ.get("WASMTIME", "")}
    there = importlib.util.find_spec("wasmtime") or os.path.isdir(
        os.path.join(env["PYTHONPATH"], "wasmtime"))
    if not there:
        print("left out: wasmtime (WASMTIME=, its PyPI package)")
        return []
    script = [sys.executable, f"{HERE}/wasmtime_run.py"]
    return [Engine(name, [*script, kind, "run"], [*script, kind, "compile"],
                   env, own_clock=True)
            for name, kind in (("wt checks", "checks"), ("wt guard",
                                                         "guard"))]


def nodes():
    if not shutil.which("node"):
        print("left out: node")
        return []
    found = []
    for name, flags in (("V8", ["--no-liftoff",
                                "--no-wasm-lazy-compilation"]),
                        ("V8 liftoff", ["--liftoff-only",
                                        "--no-wasm-lazy-compilation"])):
        node = ["node", "--no-warnings", *flags, "-e"]
        found.append(Engine(name, [*node, NODE_RUN], [*node, NODE_COMPILE]))
    return found


def engines(out):
    tool = f"{out}/bin/donjon-wasm"
    jit = [tool, "--engine", "jit"]
    found = [Ours("interp", [tool, "--engine", "interp"],
                  folders=our_folders)]
    for name, variable, folders in (("wasm3", "WASM3", None),
                                    ("WAMR", "IWASM", wamr_folders)):
        if os.environ.get(variable):
            found.append(Engine(name, [os.environ[variable]],
                                folders=folders))
        else:
            print(f"left out: {name} ({variable}=)")
    found += [Ours("jit", jit, folders=our_folders),
              Ours("jit eager", [*jit, "--eager"], folders=our_folders),
              Ours("jit masked", [*jit, "--mask"], folders=our_folders)]
    return [e for e in found + wasmtimes() + nodes()
            if not ENGINES or e.name in ENGINES]


def gcc(target, *sources):
    subprocess.run(["gcc", "-O2", "-w", "-o", target, *sources, "-lm"],
                   check=True)
    return [target]


class Wasm2c(Engine):
    """For the kernels only: programs want more of WASI than it has here."""

    def __init__(self, folder):
        super().__init__("wasm2c", [])
        self.folder = os.path.join(folder, "wasm2c")
        os.makedirs(self.folder, exist_ok=True)

    def build(self, wasm):
        w = self.folder
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(["wasm2c", "-n", "k", wasm, "-o", f"{w}/k.c"],
                       check=True)
        gcc(f"{w}/k", f"-I{w}", f"-I{WASM2C}", f"{w}/k.c",
            f"{HERE}/wasm2c_host.c", f"{WASM2C}/wasm-rt-impl.c")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime - before.ru_utime

    def run(self, wasm, *_, **__):
        self.build(wasm)
        return Result([f"{self.folder}/k"])


def wasm2cs(folder):
    if ENGINES and "wasm2c" not in ENGINES:
        return []
    if shutil.which("wasm2c") and os.path.exists(WASM2C):
        return [Wasm2c(folder)]
    print("left out: wasm2c")
    return []


def geomean(values):
    values = [v for v in values if 0 < v < math.inf]
    return math.exp(sum(map(math.log, values)) / len(values)) if values else 0
