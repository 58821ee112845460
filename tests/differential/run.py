#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Compares this engine's ways to run a module, and them with node's.

tests/differential/run.py OUT COUNT [SEED]: of COUNT modules binaryen's fuzzer
(`wasm-opt -ttf`) makes one half out of random bytes, generate.py the other;
results, traps, logs and the final memory must agree, between interpreter and
compiled code the globals and the places of traps too.  What differs is
kept in OUT/differential.  Modules that node does not take are
counted apart, and so are those that do something else when all NaNs have the
same bits: there the specification leaves a choice.
"""
import collections
import os
import random
import subprocess
import sys

from generate import generate

HERE = os.path.dirname(os.path.abspath(__file__))
FEATURES = ["--enable-" + f for f in (
    "simd", "bulk-memory", "sign-ext", "nontrapping-float-to-int",
    "multivalue", "exception-handling", "mutable-globals",
    "tail-call", "extended-const")]
NODE = ["node", "--experimental-wasm-typed-funcref",
        "--experimental-wasm-return-call",
        "--experimental-wasm-memory64", "--stack-size=900"]


BATCH = 100  # modules for each start of node


def run(argv):
    p = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       timeout=900)
    return p.returncode, p.stdout.decode("utf-8", "replace"), p.stderr.decode()


def binaryen(folder, rng, wasm):
    data = f"{folder}/in"
    with open(data, "wb") as f:
        f.write(rng.randbytes(rng.choice([200, 2000, 8000, 30000])))
    # Some are optimized, which gives them another shape.
    level = rng.choice([[], [], ["-O1"], ["-O3"], ["-Os"]])
    return not run(["wasm-opt", data, "-ttf", *FEATURES, *level, "--denan",
                    "-o", wasm])[0]


def make(tool, folder, rng, number, used):
    """Files of a module, or None when none comes of it."""
    wasm = f"{folder}/{number}.wasm"
    if number % 2:
        module, features = generate(rng)
        used.update(features)
        with open(wasm, "wb") as f:
            f.write(module)
    elif not binaryen(folder, rng, wasm):
        return None
    with open(f"{folder}/{number}.plan", "w") as f:
        f.write(run([tool, "--plan", wasm])[1])
    return [wasm, f"{folder}/{number}.plan"]


def theirs(files):
    """What node sees of each; None when it refused."""
    _, text, why = run(NODE + [f"{HERE}/run.cjs"] + sum(files, []))
    seen, lines = [], []
    for line in text.splitlines():
        if line == "end":
            seen.append("\n".join(lines))
            lines = []
        elif line.startswith("refused "):
            seen.append(None)
            lines = []
        else:
            lines.append(line)
    # One that took node down with it, and those behind it.
    return seen + [None] * (len(files) - len(seen)) if seen or not why else \
        [None] * len(files)


def judge(tool, wasm, node, count):
    """'same', or what is not."""
    status, text, err = run([tool, "--engines", wasm])
    if status:
        return "engines differ", text + err
    for line in err.splitlines():
        words = line.split()
        if words[:1] == ["compiled"]:
            count["compiled"] += int(words[1])
            count["interpreted"] += int(words[3])
    _, ours, err = run([tool, wasm])
    if node is None:
        return ("both refuse" if ours.startswith("refused")
                else "node refuses"), ""
    if ours.strip() == node.strip():
        return "same", ""
    if run([tool, "--canonical", wasm])[1] != ours:
        return "bits of nans seen", ""
    return "node differs", f"ours:\n{ours}{err}\nnode:\n{node}"


def main():
    out, count = sys.argv[1], int(sys.argv[2])
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    tool, folder = f"{out}/tests/differential/run", f"{out}/differential"
    folder = f"{folder}/{seed}"
    os.makedirs(folder, exist_ok=True)
    totals, functions = {}, {"compiled": 0, "interpreted": 0}
    used = collections.Counter()
    for first in range(0, count, BATCH):
        made = []
        for i in range(first, min(first + BATCH, count)):
            files = make(tool, folder, random.Random(f"{seed}/{i}"), i,
                         used)
            if files:
                made.append(files)
            else:
                totals["none"] = totals.get("none", 0) + 1
        for files, node in zip(made, theirs(made)):
            what, text = judge(tool, files[0], node, functions)
            totals[what] = totals.get(what, 0) + 1
            if "differ" in what:
                print(files[0], what, flush=True)
                with open(files[0][:-4] + "txt", "w") as f:
                    f.write(text)
                continue
            for file in files:
                os.remove(file)
        print(first + BATCH, totals, functions, flush=True)
    print("total", totals, functions, dict(used))
    return 1 if any("differ" in what for what in totals) else 0


if __name__ == "__main__":
    sys.exit(main())
