# SPDX-License-Identifier: Apache-2.0
"""exec of RISC-V and POWER in whole runs: asked for, attested, given a program
over its own TLS, and heard to the end.  It runs in qemu-user, as the child of a
loader that is the real one but for that (tests/isa)."""
import hashlib
import os
import shutil

import pytest

import test_modules
import test_wasi_keep
from conftest import Agent
from tenant import Tenant

ISAS = ("riscv64", "ppc64le")
PROGRAMS, WASI = test_modules.ROWS, test_wasi_keep.MODULES
if "DONJON_ALL" not in os.environ:
    PROGRAMS = [r for r in PROGRAMS if r["file"][:-5] in test_modules.QUICK]
    WASI = WASI[::9]


def built(out, isa):
    for file in (f"tests/isa/{isa}/process/exec", "tests/isa/donjon-keep"):
        if not (out / file).exists():
            pytest.skip(f"{file} is not built")
    if not shutil.which(f"qemu-{isa}-static"):
        pytest.skip(f"no qemu-{isa}-static")
    return out / "tests/isa" / isa


@pytest.fixture(scope="module", params=ISAS)
def deploy(request, out, tmp_path_factory):
    images = built(out, request.param)
    folder = tmp_path_factory.mktemp(request.param)
    agent = Agent(out, folder / "agent", "--images", images,
                  "--keep-program", out / "tests/isa/donjon-keep")
    tenant = Tenant(out, folder / "tenant")
    host = f"unix://{agent.unix}"
    measured = hashlib.sha384((images / "process/exec").read_bytes())
    policy = tenant.policy(host)
    policy.write_text(policy.read_text().replace("release",
                                                 measured.hexdigest()))

    def run(*args, policy=policy, **more):
        return tenant.donjon("deploy", "--quiet", "--host", host, "--policy",
                             policy, *args, **more)
    run.measured = measured.hexdigest()
    run.policy = policy
    yield run
    agent.stop()


def test_a_program_says_hello(deploy, out):
    r = deploy(out / "examples/hello.wasm")
    assert r.returncode == 0, r.stderr.decode()
    assert b"ello" in r.stdout


def test_input_of_a_megabyte_comes_back(deploy, out):
    sent = bytes(i * i >> 8 & 0xff for i in range(1 << 20))
    r = deploy(out / "tests/wasm/cat.wasm", stdin=sent)
    assert r.returncode == 0, r.stderr.decode()
    assert r.stdout == sent


def test_a_program_that_traps_says_where(deploy, out):
    r = deploy(out / "tests/wasm/trap.wasm")
    assert r.returncode == 134, r.stderr.decode()


def test_an_exec_of_another_measurement_gets_nothing(deploy, out, tmp_path):
    policy = tmp_path / "other.toml"
    policy.write_text(deploy.policy.read_text().replace(
        deploy.measured, "00" * 48))
    r = deploy(out / "examples/hello.wasm", policy=policy)
    assert r.returncode == 122, r.stderr.decode()
    assert b"measurement" in r.stderr
    assert not r.stdout


@pytest.mark.parametrize("row", PROGRAMS, ids=lambda r: r["file"])
def test_a_program_of_another_toolchain(row, deploy, tmp_path):
    test_modules.test_program(row, deploy, tmp_path)


@pytest.mark.parametrize("module", WASI, ids=test_wasi_keep.name_of)
def test_a_module_of_the_wasi_suite(module, deploy, tmp_path):
    test_wasi_keep.test_module(module, deploy, tmp_path)


def test_all_of_them_were_run():
    if "DONJON_ALL" not in os.environ:
        pytest.skip("a sample; DONJON_ALL=1 runs them all")
    assert len(PROGRAMS) == len(test_modules.ROWS)
