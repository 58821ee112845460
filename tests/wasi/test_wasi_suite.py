# SPDX-License-Identifier: Apache-2.0
"""WASI outside a Keep: the public wasi-testsuite, programs from real
toolchains, and the developer tool itself, all driven through donjon-wasm."""
import ast
import csv
import hashlib
import json
import os
import re
import shutil
import subprocess
import time
import zipfile
from pathlib import Path

import pytest

OUT = Path(os.environ.get("DONJON_OUT", "out")).resolve()
SHARED = Path(os.environ.get("DONJON_SHARED", "../shared")).resolve()
TOOL = OUT / "bin/donjon-wasm"
PROGRAMS = OUT / "tests/wasm"
SUITE = SHARED / "wasi/tests"
MODULES = SHARED / "modules"
STDLIB = Path("/usr/lib/python3.11")
SLOW = 10 if "DONJON_SANITIZED" in os.environ else 1


ALL = "DONJON_ALL" in os.environ
# Interpreted; compiled; compiled by lots, with the compiler checking itself.
ENGINES = {"interp": [], "jit": ["--engine", "jit"], "stress":
           ["--stress", os.environ.get("DONJON_WASM_STRESS", "1")]}
# Programs that take no minutes where everything is slower.
QUICK = {"rust163-app.wasm", "zig-app.wasm", "as-app.wasm", "lua.wasm",
         "bzip2.wasm"}
COMPILES = os.uname().machine == "x86_64"


def engines(engine):
    if engine != "interp" and not COMPILES:
        pytest.skip("the compiler is for x86-64")
    return ENGINES[engine]


def run(*args, stdin=b"", timeout=120, **more):
    if isinstance(stdin, bytes):
        more["input"] = stdin
    else:
        more["stdin"] = stdin
    return subprocess.run([TOOL, *args], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=timeout * SLOW,
                          **more)


def modules(part):
    return sorted(SUITE.glob(part))


def name_of(path):
    return f"{path.parts[-4]}-{path.stem}" if isinstance(path, Path) else path


PREVIEW1 = modules("*/testsuite/wasm32-wasip1/*.wasm")
THREADS = modules("proposals/wasi-threads/*.wasm")


def test_the_whole_suite_is_there():
    if not SUITE.is_dir():
        pytest.skip("no wasi-testsuite (DONJON_SHARED)")
    assert len(PREVIEW1) == 72
    assert len(THREADS) == 15


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("module", PREVIEW1, ids=name_of)
def test_suite(module, engine, tmp_path):
    spec = {}
    if module.with_suffix(".json").exists():
        spec = json.loads(module.with_suffix(".json").read_text())
    args = list(engines(engine))
    for d in spec.get("dirs", []):
        shutil.copytree(module.parent / d, tmp_path / d)
        # Comes with a .gitignore only, which git's packers leave out.
        (tmp_path / d / "writeable").mkdir(exist_ok=True)
        args += ["--dir", f"{tmp_path / d}::{d}:rw"]
    for k, v in spec.get("env", {}).items():
        args += ["--env", f"{k}={v}"]
    p = run(*args, module, *spec.get("args", []))
    assert p.returncode == spec.get("exit_code", 0), p.stderr.decode()
    if "stdout" in spec:
        assert p.stdout.decode() == spec["stdout"]
    if "stderr" in spec:
        assert p.stderr.decode() == spec["stderr"]


@pytest.fixture
def silence():
    """A standard input that stays open and says nothing."""
    r, w = os.pipe()
    yield r
    os.close(r)
    os.close(w)


@pytest.mark.parametrize("engine", ["interp", "jit"])
@pytest.mark.parametrize("module", THREADS, ids=lambda m: m.stem)
def test_suite_of_threads(module, engine, silence):
    spec = {}
    if module.with_suffix(".json").exists():
        spec = json.loads(module.with_suffix(".json").read_text())
    p = run("--engine", engine, module, stdin=silence, timeout=20)
    assert p.returncode == spec.get("exit_code", 0), p.stderr.decode()


ENDS = [
    ("sum", 0, b"the same sum\n", b""),
    ("queue", 0, b"20000 items of 199990000\n", b""),
    ("many", 0, b"64 threads\n", b""),
    ("deadlock", 134, b"", b"waiting without end, in thread 1"),
    ("trap", 134, b"", b"unreachable, in thread 1\n    at trap"),
    ("leave", 7, b"", b""),
]


@pytest.mark.parametrize("engine", ["interp", "jit"])
@pytest.mark.parametrize("what,status,out,err", ENDS, ids=lambda v: str(v)[:8])
def test_threads_of_a_program_in_c(what, status, out, err, engine):
    p = run("--engine", engine, PROGRAMS / "threads.wasm", what, timeout=30)
    assert p.returncode == status, p.stderr
    assert p.stdout == out
    assert err in p.stderr
    if what == "many":
        p = run("--threads", "9", PROGRAMS / "threads.wasm", what)
        assert p.stdout == b"9 threads\n"


@pytest.mark.parametrize("engine", ["interp", "jit"])
def test_others_go_on_while_a_thread_waits_for_input(engine):
    with subprocess.Popen([TOOL, "--engine", engine, PROGRAMS / "threads.wasm",
                           "input"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as p:
        assert p.stdout.readline() == b"ticked 3, heard 0\n"
        p.stdin.write(b"hello")
        p.stdin.close()
        assert p.stdout.read() == b"heard 5\n"
        assert p.wait(timeout=20 * SLOW) == 0


# --- programs from real toolchains ------------------------------------------

NOT_RUN = {
    "httpd.wasm": "a server: wants a listening socket, which this tool has "
                  "not",
}


def manifest():
    path = MODULES / "MANIFEST.tsv"
    if not path.exists():
        return []
    with open(path, newline="") as f:
        return list(csv.DictReader(f, delimiter="\t",
                                   quoting=csv.QUOTE_NONE))


def stdlib_zip(path):
    """Debian's pure-Python standard library, as python.wasm wants it."""
    with zipfile.ZipFile(path, "w") as z:  # stored: it has no zlib
        for f in sorted(STDLIB.rglob("*.py")):
            rel = f.relative_to(STDLIB)
            if not {"test", "tests", "idlelib", "lib2to3",
                    "dist-packages"} & set(rel.parts):
                z.write(f, rel)


def dirs_of(row, scratch):
    """The --dir options that a row's preopens ask for."""
    if row["file"] == "python.wasm":
        shutil.copytree(MODULES / "fixtures", scratch, dirs_exist_ok=True)
        stdlib_zip(scratch / "python311.zip")
        return ["--dir", f"{scratch}::/"]
    if row["preopens"] == "fixtures::/":
        return ["--dir", f"{MODULES / 'fixtures'}::/"]
    if row["preopens"].startswith("scratch("):
        for f in row["preopens"][8:].partition(")")[0].split(","):
            if f:
                shutil.copyfile(MODULES / "fixtures" / f, scratch / f)
        return ["--dir", f"{scratch}::/:rw"]
    return []


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("row", manifest(), ids=lambda r: r["file"])
def test_program(row, engine, tmp_path):
    if SLOW > 1 and engine != "interp" and row["file"] not in QUICK and \
            not ALL:
        pytest.skip("sanitized and compiled only with DONJON_ALL=1")
    if row["file"] in NOT_RUN:
        pytest.skip(NOT_RUN[row["file"]])
    if row["file"] == "python.wasm" and not (STDLIB / "re").is_dir():
        pytest.skip("no Debian libpython3.11-stdlib")
    args = engines(engine) + dirs_of(row, tmp_path)
    if row["env"] != "-":
        for pair in row["env"].split(" "):
            args += ["--env", pair]
    stdin = b""
    if row["stdin"] != "-":
        stdin = (MODULES / "fixtures" / row["stdin"]).read_bytes()
    # By name: some print addresses, which the length of argv[0] moves.
    p = run(*args, row["file"], *ast.literal_eval(row["args"]), stdin=stdin,
            timeout=300, cwd=MODULES)
    assert p.returncode == int(row["exit"]), p.stderr.decode()
    expected = MODULES / "expected" / row["file"].replace(".wasm", ".stdout")
    assert p.stdout == expected.read_bytes()
    if row["out_file_sha256"] != "-":
        digests = [hashlib.sha256(f.read_bytes()).hexdigest()
                   for f in tmp_path.iterdir()]
        assert any(d.startswith(row["out_file_sha256"]) for d in digests)


SEEDS = range(1, 31 if ALL else 3)


@pytest.mark.skipif(not COMPILES, reason="the compiler is for x86-64")
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("program", ["gofmt", "lua"] + (
    ["go-app", "brotli", "sqlite3", "duktape"] if ALL else []))
def test_every_function_compiles_by_lot(program, seed):
    """The compiler checks itself, and ends the program when it erred."""
    module = MODULES / f"{program}.wasm"
    if not module.exists():
        pytest.skip("no modules (DONJON_SHARED)")
    if SLOW > 1 and not ALL and (program, seed) != ("lua", 1):
        pytest.skip("sanitized only with DONJON_ALL=1")
    p = run("--stress", str(seed), "--eager", "--fuel", "1", module)
    assert p.returncode == 124, p.stderr[-2000:]


# --- the tool ----------------------------------------------------------------

def test_arguments_and_environment_arrive():
    p = run("--env", "A=b", "--env", "C=", PROGRAMS / "echoargs.wasm",
            "--env", "x y", "")
    assert p.stdout == b"arg --env\narg x y\narg \nenv A=b\nenv C=\n"
    assert p.returncode == 3


def test_writable_directories_come_back_and_others_do_not(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "in/text").write_text("one\ntwo\n")
    p = run("--dir", f"{tmp_path}/in::/in:ro", "--dir",
            f"{tmp_path}/out::/out:rw", PROGRAMS / "files.wasm", "/in/text",
            "/out/upper")
    assert p.returncode == 0, p.stderr
    assert p.stdout == b"input read-only\n"
    assert (tmp_path / "out/upper").read_text() == "ONE\nTWO\n"
    assert (tmp_path / "out/upper.d/note").read_text() == "made in the Keep\n"
    assert os.listdir(tmp_path / "in") == ["text"]
    p = run("--dir", f"{tmp_path}/in::/in", "--dir",
            f"{tmp_path}/out::/out", PROGRAMS / "files.wasm", "/in/text",
            "/out/upper")
    assert p.returncode == 3  # read-only is the default


def test_nothing_is_written_through_a_link_of_the_machine(tmp_path):
    """A program that puts a directory where a link was must not reach what
    the link led to."""
    outside, rw = tmp_path / "outside", tmp_path / "rw"
    outside.mkdir()
    rw.mkdir()
    (outside / "upper").write_text("mine")
    (rw / "text").write_text("one\n")
    (rw / "upper").symlink_to(outside / "upper")
    (rw / "d").symlink_to("text")
    # The link leads out: the program cannot follow it either.
    p = run("--dir", f"{rw}::/:rw", PROGRAMS / "files.wasm", "/text",
            "/upper")
    assert p.returncode == 3
    assert (outside / "upper").read_text() == "mine"
    assert (rw / "d").is_symlink() and (rw / "upper").is_symlink()


def test_a_gigabyte_pipes_through():
    script = (f'head -c 1073741824 /dev/zero | "{TOOL}" '
              f'"{PROGRAMS / "sink.wasm"}"')
    p = subprocess.run(["/bin/sh", "-c", script], stdout=subprocess.PIPE,
                       timeout=300 * SLOW)
    assert p.stdout.startswith(b"1073741824 bytes")


def test_a_closed_reader_is_an_error_and_no_signal():
    p = subprocess.run(["/bin/sh", "-c",
                        f'head -c 9000000 /dev/zero | "{TOOL}" '
                        f'"{PROGRAMS / "cat.wasm"}"; echo $? >&2'],
                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                       timeout=60 * SLOW)
    assert p.stderr.endswith(b"\n0\n")
    p = subprocess.run(["/bin/sh", "-c",
                        f'(head -c 9000000 /dev/zero | "{TOOL}" '
                        f'"{PROGRAMS / "cat.wasm"}"; echo $? >&2) | true'],
                       stderr=subprocess.PIPE, timeout=60 * SLOW)
    assert p.stderr.endswith(b"\n3\n") or p.stderr == b"3\n"


def test_waiting_for_input_costs_no_processor_time():
    with subprocess.Popen([TOOL, PROGRAMS / "cat.wasm"],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL) as p:
        def ticks():
            stat = Path(f"/proc/{p.pid}/stat").read_text().rsplit(")", 1)[1]
            return sum(map(int, stat.split()[11:13]))
        p.stdin.write(b"x")
        p.stdin.flush()
        assert p.stdout.read(1) == b"x"
        for _ in range(20):
            before = ticks()
            time.sleep(1)
            if ticks() - before <= 2:  # of 100: it does not spin
                break
        else:
            pytest.fail("it spins")
        p.stdin.close()
        assert p.wait(timeout=20 * SLOW) == 0


def test_traps_and_refusals_have_their_statuses(tmp_path):
    p = run(PROGRAMS / "trap.wasm")
    assert p.returncode == 134
    assert b"trap: " in p.stderr
    p = run("--fuel", "100000", PROGRAMS / "spin.wasm")
    assert p.returncode == 124
    bad = tmp_path / "bad.wasm"
    bad.write_bytes(b"\0asm\1\0\0\0\xff")
    assert run(bad).returncode == 121
    assert run(tmp_path / "none.wasm").returncode == 121
    assert run().returncode == 2
    assert run("--dir", "x", bad).returncode == 2
    assert run("--dir", f"{tmp_path}/none::/", bad).returncode == 121
    assert run("--help").stdout.startswith(b"usage: ")


def test_an_export_can_be_invoked(tmp_path):
    """(func (export "add") (param i32 i64) (result i64) ...)"""
    add = tmp_path / "add.wasm"
    add.write_bytes(bytes.fromhex(
        "0061736d01000000" "01070160027f7e017e" "03020100"
        "0707010361646400" "00" "0a0a010800200120" "00ac7c0b"))
    p = run("--invoke", "add", add, "-5", "40")
    assert p.stdout == b"35\n", p.stderr
    assert run("--invoke", "add", add, "1").returncode == 121
    assert run("--invoke", "add", add, "1", "x").returncode == 121
    assert run("--invoke", "none", add).returncode == 121


LOOKED_AT = bytes.fromhex(
    "0061736d01000000" "010c0260017e017e60027f7e017e" "0303020001"
    "0707010361646400" "01" "0a11020400" "20000b" "0a0020012000ac"
    "10007c0b" "000e046e616d65" "01070101" "0473756d6d")


def test_a_module_and_its_calls_can_be_looked_at(tmp_path):
    """add calls id: (func (param i64) (result i64) local.get 0)"""
    module = tmp_path / "m.wasm"
    module.write_bytes(LOOKED_AT)
    p = run("--dump", "--invoke", "add", module, "5", "6")
    text = p.stdout.decode()
    assert "i64.extend_i32_s" in text and "i64_extend_i32_s" in text
    assert text.index("call 00") < text.index("i64_add_rr"), text
    assert text.endswith("11\n")
    p = run("--trace", "--invoke", "add", module, "5", "6")
    assert [line.split()[:3] for line in p.stderr.decode().splitlines()] == [
        ["->", "summ", "5"], ["->", "function", "0"],
        ["<-", "function", "0"], ["<-", "summ"]]
    p = run("--trace=words", "--invoke", "add", module, "5", "6")
    assert len(p.stderr.splitlines()) > 5
    assert run("--dump=x", module).returncode == 2
    assert run("--trace=x", module).returncode == 2


@pytest.mark.skipif(not COMPILES, reason="the compiler is for x86-64")
@pytest.mark.parametrize("path", [None, "/nowhere"],
                         ids=["disassembled", "bytes"])
def test_machine_code_stands_beside_values_and_places(path, tmp_path):
    if not path and not shutil.which("objdump"):
        pytest.skip("no objdump")
    module = tmp_path / "m.wasm"
    module.write_bytes(LOOKED_AT)
    env = dict(os.environ, PATH=path) if path else None
    p = run("--dump=asm", "--invoke", "add", module, "5", "6", env=env)
    assert p.stdout == b"11\n"
    text = p.stderr.decode()
    # call 0 at 0x33, i64.add at 0x35, each with its code behind it.
    call = re.search(r"^ 0x00033 .* = call i64.*\n(.*)\n", text, re.M)
    add = re.search(r"^ 0x00035 .* = add i64(?:.*\n)*?(.*:\t.*)\n", text, re.M)
    assert re.match(r" +[0-9a-f]+:\te8 ", call[1]), text
    assert re.match(r" +[0-9a-f]+:\t4[89c] ", add[1]), text
    assert ("\tcall " in call[1]) == (path is None), text
    p = run("--dump=ssa", "--invoke", "add", module, "5", "6")
    assert re.search(r"^ 0x00035 .* = add i64", p.stderr.decode(), re.M)
    assert b":\t" not in p.stderr


@pytest.mark.skipif(not COMPILES, reason="the compiler is for x86-64")
def test_compiled_functions_have_names_for_perf(tmp_path):
    module = tmp_path / "m.wasm"
    module.write_bytes(LOOKED_AT)
    with subprocess.Popen([TOOL, "--perf", "--invoke", "add", module, "5",
                           "6"], stdout=subprocess.PIPE) as p:
        assert p.communicate()[0] == b"11\n"
    path = Path(f"/tmp/perf-{p.pid}.map")
    lines = [line.split(" ", 2) for line in path.read_text().splitlines()]
    path.unlink()
    assert [name for _, _, name in lines] == ["donjon stubs", "summ",
                                              "function 0"]
    ends = [(int(at, 16), int(at, 16) + int(n, 16)) for at, n, _ in lines]
    assert ends == sorted(ends)
    assert all(a[1] <= b[0] for a, b in zip(ends, ends[1:]))


def test_a_trap_says_where_it_was(tmp_path):
    """(func (param i32) (result i32) local.get 0 i32.load) at the end of
    memory."""
    module = tmp_path / "m.wasm"
    module.write_bytes(bytes.fromhex(
        "0061736d01000000" "0106 0160017f017f" "03020100" "0503010001"
        "0705010166 0000" "0a0901070020002802000b".replace(" ", "")))
    for engine in ENGINES if COMPILES else ["interp"]:
        args = ENGINES[engine] + ["--invoke", "f", module, "65533"]
        p = run("--places", *args)
        assert p.returncode == 134
        assert p.stderr.endswith(
            b"out of bounds memory access\n    at function 0 (0x27)\n")
        p = run(*args)
        assert p.stderr.endswith(b"access\n    at function 0\n")
