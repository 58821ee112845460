# SPDX-License-Identifier: Apache-2.0
"""The public wasi-testsuite inside Keeps: each module of preview 1 and of
wasi-threads run by `donjon`, its directories delivered and brought back, its
outputs compared; and programs with threads."""
import json
import os
import shutil
from pathlib import Path

import pytest

from tenant import Tenant

SHARED = Path(os.environ.get("DONJON_SHARED", "../shared")).resolve()
SUITE = SHARED / "wasi/tests"
MODULES = sorted(SUITE.glob("*/testsuite/wasm32-wasip1/*.wasm"))
THREADS = sorted(SUITE.glob("proposals/wasi-threads/*.wasm"))
# A sanitized Keep is slow to start: a sample of them, from each language.
if "DONJON_SANITIZED" in os.environ:
    MODULES = MODULES[::6]
    THREADS = THREADS[::4]


def name_of(path):
    return f"{path.parts[-4]}-{path.stem}" if isinstance(path, Path) else path


@pytest.fixture(scope="module")
def deploy(out, tmp_path_factory):
    """One tenant and one host agent for all modules."""
    from conftest import Agent
    folder = tmp_path_factory.mktemp("wasi")
    agent = Agent(out, folder / "agent")
    tenant = Tenant(out, folder / "tenant")
    host = f"unix://{agent.unix}"
    policy = tenant.policy(host)
    command = ["deploy", "--quiet", "--host", host, "--policy", policy]

    def run(*args, **more):
        return tenant.donjon(*command, *args, **more)
    run.start = lambda *args: tenant.start(*command, *args)
    yield run
    agent.stop()


def test_the_whole_suite_is_there():
    if not SUITE.is_dir():
        pytest.skip("no wasi-testsuite (DONJON_SHARED)")
    assert len(list(SUITE.glob("*/testsuite/wasm32-wasip1/*.wasm"))) == 72


def check(p, spec):
    assert p.returncode == spec.get("exit_code", 0), p.stderr.decode()
    if "stdout" in spec:
        assert p.stdout.decode() == spec["stdout"]
    if "stderr" in spec:
        assert p.stderr.decode() == spec["stderr"]


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_module(module, deploy, tmp_path):
    spec = {}
    if module.with_suffix(".json").exists():
        spec = json.loads(module.with_suffix(".json").read_text())
    args = []
    for d in spec.get("dirs", []):
        shutil.copytree(module.parent / d, tmp_path / d)
        # Comes with a .gitignore only, which git's packers leave out.
        (tmp_path / d / "writeable").mkdir(exist_ok=True)
        args += ["--dir", f"{tmp_path / d}::{d}:rw"]
    for k, v in spec.get("env", {}).items():
        args += ["--env", f"{k}={v}"]
    check(deploy(*args, module, *spec.get("args", [])), spec)


def test_what_a_module_wrote_is_back(out, tmp_path):
    """One of them through `donjon run`, an agent of its own and all."""
    if not MODULES:
        pytest.skip("no wasi-testsuite (DONJON_SHARED)")
    module = SUITE / "c/testsuite/wasm32-wasip1/pwrite-with-access.wasm"
    shutil.copytree(module.parent / "fs-tests.dir", tmp_path / "d")
    (tmp_path / "d/writeable").mkdir(exist_ok=True)
    p = Tenant(out, tmp_path / "tenant").donjon(
        "run", "--dir", f"{tmp_path / 'd'}::fs-tests.dir:rw", module)
    assert p.returncode == 0, p.stderr.decode()


@pytest.fixture
def silence():
    """A standard input that stays open and says nothing."""
    r, w = os.pipe()
    yield r
    os.close(r)
    os.close(w)


@pytest.mark.parametrize("module", THREADS, ids=lambda m: m.stem)
def test_module_with_threads(module, deploy, silence):
    spec = {}
    if module.with_suffix(".json").exists():
        spec = json.loads(module.with_suffix(".json").read_text())
    check(deploy(module, stdin=silence), spec)


@pytest.mark.parametrize("engine", ["auto", "interp"])
def test_threads_of_a_program_in_c(out, deploy, engine, tmp_path):
    def threads(*args, **more):
        return deploy("--engine", engine, *args, **more)
    program = out / "tests/wasm/threads.wasm"
    for what, said in [("sum", "the same sum\n"),
                       ("queue", "20000 items of 199990000\n"),
                       ("many", "64 threads\n")]:
        p = threads(program, what)
        assert (p.returncode, p.stdout.decode()) == (0, said), p.stderr
    p = threads(program, "deadlock")
    assert p.returncode == 134
    assert b"waiting without end, in thread 1\n" in p.stderr
    assert threads(program, "leave").returncode == 7
    limit = tmp_path / "Donjon.toml"
    limit.write_text("[limits]\nthreads = 5\n")
    p = threads("--config", limit, program, "many")
    assert (p.returncode, p.stdout) == (0, b"5 threads\n"), p.stderr


def test_others_go_on_while_a_thread_waits_for_input(out, deploy):
    """Bytes come when the program has said that it went on without."""
    with deploy.start(out / "tests/wasm/threads.wasm", "input") as p:
        assert p.stdout.readline() == b"ticked 3, heard 0\n"
        p.stdin.write(b"hello")
        p.stdin.close()
        assert p.stdout.read() == b"heard 5\n"
        assert p.wait(60) == 0
