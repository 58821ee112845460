#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Compares this engine with node on modules that binaryen's fuzzer makes.

tests/differential/run.py OUT COUNT [SEED]: for each of COUNT random inputs
`wasm-opt -ttf` makes a module; results, traps, logs and the final memory must
agree.  What differs is kept in OUT/differential.  Modules that node does not
take are counted apart.
"""
import os
import random
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
FEATURES = ["--enable-" + f for f in (
    "simd", "bulk-memory", "sign-ext", "nontrapping-float-to-int",
    "multivalue", "exception-handling", "mutable-globals",
    "tail-call", "extended-const")]
NODE = ["node", "--experimental-wasm-typed-funcref",
        "--experimental-wasm-return-call", "--stack-size=900"]


def run(argv):
    p = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       timeout=120)
    return p.returncode, p.stdout.decode("utf-8", "replace"), p.stderr.decode()


def one(tool, folder, rng, number):
    """'same', 'node' (it refused), 'none' (no module), or a difference."""
    data, wasm = f"{folder}/in", f"{folder}/m.wasm"
    with open(data, "wb") as f:
        f.write(rng.randbytes(rng.choice([200, 2000, 8000, 30000])))
    # Some are optimized, which gives them another shape.
    level = rng.choice([[], [], ["-O1"], ["-O3"], ["-Os"]])
    if run(["wasm-opt", data, "-ttf", *FEATURES, *level, "--denan", "-o",
            wasm])[0]:
        return "none"
    _, ours, err = run([tool, wasm])
    with open(f"{folder}/plan", "w") as f:
        f.write(run([tool, "--plan", wasm])[1])
    status, theirs, why = run(NODE + [f"{HERE}/run.cjs", wasm,
                                      f"{folder}/plan"])
    if status:
        if ours.startswith("refused"):
            return "both refuse"
        return "node refuses"
    if ours.strip() == theirs.strip():
        return "same"
    os.replace(wasm, f"{folder}/{number}.wasm")
    with open(f"{folder}/{number}.txt", "w") as f:
        f.write(f"ours:\n{ours}{err}\nnode:\n{theirs}{why}")
    return "differs"


def main():
    out, count = sys.argv[1], int(sys.argv[2])
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    folder = f"{out}/differential"
    os.makedirs(folder, exist_ok=True)
    totals = {}
    for i in range(count):
        rng = random.Random(f"{seed}/{i}")
        what = one(f"{out}/tests/differential/run", folder, rng, i)
        totals[what] = totals.get(what, 0) + 1
        if what == "differs" or i % 500 == 499:
            print(i + 1, totals, flush=True)
    print("total", totals)
    return 1 if totals.get("differs") else 0


if __name__ == "__main__":
    sys.exit(main())
