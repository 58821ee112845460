# SPDX-License-Identifier: Apache-2.0
"""The older encoding of exceptions, as compilers still emit it.

Each case is a function from i32 to i32 that calls `thrower` with its
parameter: 1 throws tag 0 with 77, 2 throws tag 1, 3 is a trap, 4 throws tag 0
with 78, anything else comes back.  What they give for 0 to 4 is written
here, and node has to agree where there is one.
"""
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

OUT = Path(os.environ.get("DONJON_OUT", "out")).resolve()
TOOL = OUT / "bin/donjon-wasm"

I32, VOID = 0x7f, 0x40
TRY, CATCH, CATCH_ALL, DELEGATE, RETHROW, THROW = 6, 7, 0x19, 0x18, 9, 8
END, BLOCK, LOOP, IF, BR, BR_IF, BR_TABLE = 0x0b, 2, 3, 4, 0xc, 0xd, 0xe
GET, SET, DROP, ADD, EQ, RETURN = 0x20, 0x21, 0x1a, 0x6a, 0x46, 0x0f
X = [GET, 0]
RAISE = [*X, 0x10, 0]  # thrower(x)


def num(v):
    return [0x41, v & 0x7f] if v < 64 else [0x41, v & 0x7f | 0x80, v >> 7]


def add(v):
    return [*num(v), ADD]


E, T = "exception", "trap"

# name: code, what it gives for 0 to 4
CASES = {
    "nothing_is_caught": (RAISE, [0, E, E, T, E]),
    "a_tag": ([TRY, I32, *RAISE, CATCH, 0, *add(1), END],
              [0, 78, E, T, 79]),
    "all": ([TRY, I32, *RAISE, CATCH_ALL, *num(5), END], [0, 5, 5, T, 5]),
    "the_first_that_fits": (
        [TRY, I32, *RAISE, CATCH, 1, *num(20), CATCH, 0, CATCH, 0, DROP,
         *num(1), CATCH_ALL, *num(2), END], [0, 77, 20, T, 78]),
    "no_handler_at_all": ([TRY, I32, *RAISE, END], [0, E, E, T, E]),
    "the_outer_one": (
        [TRY, I32, TRY, I32, *RAISE, CATCH, 1, *num(9), END, *add(1), CATCH,
         0, *add(2), END], [1, 79, 10, T, 80]),
    "thrown_again": (
        [TRY, I32, TRY, I32, *RAISE, CATCH, 0, DROP, RETHROW, 0, CATCH_ALL,
         *num(3), END, CATCH, 0, *add(10), END], [0, 87, 3, T, 88]),
    # The inner handler throws the outer exception again.
    "the_outer_one_again": (
        [TRY, I32, TRY, I32, *RAISE, CATCH_ALL, TRY, I32, THROW, 1, CATCH, 1,
         RETHROW, 1, END, END, CATCH, 0, *add(1), CATCH, 1, *num(7), END],
        [0, 78, 7, T, 79]),
    # ... and here the inner one.
    "the_inner_one_again": (
        [TRY, I32, TRY, I32, *RAISE, CATCH_ALL, TRY, I32, THROW, 1, CATCH, 1,
         RETHROW, 0, END, END, CATCH, 0, *add(1), CATCH, 1, *num(7), END],
        [0, 7, 7, T, 7]),
    "another_thrown_by_a_handler": (
        [TRY, I32, TRY, I32, *RAISE, CATCH, 1, *num(60), THROW, 0, CATCH, 0,
         DROP, THROW, 1, END, CATCH, 0, *add(1), CATCH, 1, *num(8), END],
        [0, 8, 61, T, 8]),
    "delegated_past_one": (
        [TRY, I32, TRY, I32, TRY, I32, *RAISE, DELEGATE, 1, *add(100),
         CATCH_ALL, *num(1), END, CATCH_ALL, *num(2), END],
        [100, 2, 2, T, 2]),
    "delegated_to_the_next": (
        [TRY, I32, TRY, I32, TRY, I32, *RAISE, DELEGATE, 0, *add(50),
         CATCH_ALL, *num(1), END, CATCH_ALL, *num(2), END],
        [50, 1, 1, T, 1]),
    # A block is no handler: the search goes on around it.
    "delegated_to_a_block": (
        [TRY, I32, BLOCK, I32, TRY, I32, *RAISE, DELEGATE, 0, END, *add(1),
         CATCH_ALL, *num(4), END], [1, 4, 4, T, 4]),
    "delegated_to_the_caller": (
        [TRY, I32, TRY, I32, *RAISE, DELEGATE, 1, CATCH_ALL, *num(4), END],
        [0, E, E, T, E]),
    # What is thrown in a handler is not for the handlers beside it.
    "not_beside": (
        [TRY, I32, TRY, I32, THROW, 1, CATCH, 1, *RAISE, CATCH_ALL, *num(1),
         END, CATCH, 0, *add(1), END], [0, 78, E, T, 79]),
    "delegated_from_a_handler": (
        [TRY, I32, TRY, I32, THROW, 1, CATCH_ALL, TRY, I32, *RAISE, DELEGATE,
         0, *add(1), END, CATCH_ALL, *num(33), END], [1, 33, 33, T, 33]),
    "out_of_a_try_by_a_branch": (
        [BLOCK, I32, TRY, I32, *RAISE, BR, 1, CATCH_ALL, *num(6), BR, 1, END,
         *add(1), END], [0, 6, 6, T, 6]),
    "out_of_a_try_by_return": (
        [TRY, I32, *RAISE, RETURN, CATCH, 0, RETURN, END],
        [0, 77, E, T, 78]),
    "out_of_a_try_by_a_table": (
        [BLOCK, VOID, BLOCK, VOID, TRY, VOID, *RAISE, BR_TABLE, 1, 1, 2,
         CATCH, 1, BR, 1, CATCH_ALL, BR, 2, END, END, *num(1), RETURN, END,
         *num(2)], [1, 2, 1, T, 2]),
    # Until it has thrown four times (a trap ends it before).
    "in_a_loop": (
        [LOOP, VOID, TRY, VOID, *RAISE, DROP, CATCH_ALL, GET, 1, *add(1), SET,
         1, GET, 1, *num(4), 0x48, BR_IF, 1, END, END, GET, 1],
        [0, 4, 4, T, 4]),
    "locals_are_what_they_were_at_the_throw": (
        [*num(1), SET, 1, TRY, VOID, *num(2), SET, 1, *RAISE, DROP, *num(3),
         SET, 1, CATCH_ALL, END, GET, 1], [3, 2, 2, T, 2]),
    "values_below_stay": (
        [*num(30), *num(12), TRY, I32, *RAISE, CATCH_ALL, *num(1), END, ADD,
         ADD], [42, 43, 43, T, 43]),
    "within_if": (
        [*X, IF, I32, TRY, I32, *RAISE, CATCH, 0, END, 5, *num(9), END],
        [9, 77, E, T, 78]),
}


def uleb(v):
    return bytes([v]) if v < 128 else bytes([v & 127 | 128]) + uleb(v >> 7)


def vector(items):
    return uleb(len(items)) + b"".join(items)


def section(number, body):
    return bytes([number]) + uleb(len(body)) + body


def function(code):
    body = bytes([1, 1, I32, *code, END])
    return uleb(len(body)) + body


def module():
    when = [[*X, *num(v), EQ, IF, VOID, *code, END] for v, code in (
        (1, [*num(77), THROW, 0]), (2, [THROW, 1]), (3, [0]),
        (4, [*num(78), THROW, 0]))]
    thrower = [*sum(when, []), *X]
    codes = [thrower] + [code for code, _ in CASES.values()]
    exports = [uleb(len(name)) + name.encode() + b"\0" + uleb(i + 1)
               for i, name in enumerate(CASES)]
    return b"".join((
        b"\0asm\1\0\0\0",
        section(1, vector([b"\x60\1\x7f\1\x7f", b"\x60\1\x7f\0",
                           b"\x60\0\0"])),
        section(3, vector([b"\0"] * len(codes))),
        section(13, vector([b"\0\1", b"\0\2"])),
        section(7, vector(exports)),
        section(10, vector([function(code) for code in codes]))))


@pytest.fixture(name="wasm", scope="module")
def wasm_(tmp_path_factory):
    path = tmp_path_factory.mktemp("exceptions") / "m.wasm"
    path.write_bytes(module())
    return path


def ours(wasm, name, value, *options):
    p = subprocess.run([TOOL, *options, "--invoke", name, wasm, str(value)],
                       capture_output=True, check=False)
    if p.returncode == 134:
        return E if b"uncaught exception" in p.stderr else T
    assert p.returncode == 0, p.stderr
    return int(p.stdout)


@pytest.mark.parametrize("engine", ["interp", "jit"])
@pytest.mark.parametrize("name", CASES)
def test_older_exceptions_do_what_they_should(wasm, name, engine):
    found = [ours(wasm, name, v, "--engine", engine) for v in range(5)]
    assert found == CASES[name][1]


NODE = """
const m = new WebAssembly.Module(require("fs").readFileSync(process.argv[1]));
const all = {}, run = new WebAssembly.Instance(m).exports;
for (const name in run) all[name] = [0, 1, 2, 3, 4].map((v) => {
  try { return run[name](v); } catch (e) {
    return e instanceof WebAssembly.Exception ? "exception" : "trap";
  }});
console.log(JSON.stringify(all));
"""


def test_node_agrees(wasm):
    if not shutil.which("node"):
        pytest.skip("node is not installed")
    p = subprocess.run(["node", "-e", NODE, wasm], capture_output=True,
                       check=False)
    if b"CompileError" in p.stderr:
        pytest.skip("this node does not know the older encoding")
    assert json.loads(p.stdout) == {n: want for n, (_, want) in CASES.items()}
