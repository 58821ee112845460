# SPDX-License-Identifier: Apache-2.0
"""Keeps in virtual machines, on a real Linux KVM: in a machine of QEMU's with
nested virtualization (kvm.py), whatever /dev/kvm this one has."""
import csv
import os
import re
import shlex
from pathlib import Path

import pytest

from kvm import Machine, Unavailable

pytestmark = pytest.mark.skipif(
    "DONJON_ALL" not in os.environ,
    reason="a Linux of its own under emulation takes minutes: DONJON_ALL=1")

REPO = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("DONJON_SHARED", REPO.parent / "shared"))

# Small ones from many toolchains: what differs from `process` is the machine
# below exec, not the engine.
MODULES = ("cpp-iostream", "go-app", "rust163-app", "zig-app", "as-app", "lua",
           "duktape")
UNIT = "tests/unit/hal/kvm"


def manifest():
    try:
        with open(SHARED / "modules/MANIFEST.tsv") as f:
            return {row["file"]: row for row in csv.DictReader(
                f, delimiter="\t", quoting=csv.QUOTE_NONE)}
    except FileNotFoundError:
        return {}


ROWS = manifest()


def module_command(name):
    row = ROWS[name + ".wasm"]
    args = re.findall(r"'([^']*)'", row["args"])
    argv = ["donjon", "run", "-q", "--tee", "kvm"]
    if row["preopens"] != "-":
        argv += ["--dir", "/modules.wasm/fixtures::/:ro"]
    argv += [f"/modules.wasm/{name}.wasm", *args]
    stdin = "/dev/null" if row["stdin"] == "-" else \
        f"/modules.wasm/fixtures/{row['stdin']}"
    return (f"{shlex.join(argv)} <{stdin} >/tmp/out; s=$?; "
            "sha256sum /tmp/out; exit $s")


def commands(out):
    yield "unit", f"/{UNIT}"
    yield "hello", ("donjon run --tee kvm --env GREETING=hi /hello.wasm")
    yield "auto", "donjon run /hello.wasm"
    yield "hardware", "donjon run --platform hardware /hello.wasm"
    yield "crowd", ("for i in 1 2 3; do donjon run -q --tee kvm /hello.wasm & "
                    "done; wait; ps")
    if ROWS:
        for name in MODULES:
            yield name, module_command(name)


@pytest.fixture(scope="module")
def answers(out):
    if os.environ.get("DONJON_SANITIZED"):
        pytest.skip("under a sanitizer exec is no static program")
    try:
        # However busy we are, it has its time.
        m = Machine(out, REPO / "out-kernel", counted=True)
    except Unavailable as e:
        pytest.skip(str(e))
    m.tree.copy(out / UNIT, UNIT)
    m.tree.copy(out / "tests/fake/keep/kvm", "tests/fake/keep/kvm")
    m.tree.copy(out / "examples/hello.wasm", "hello.wasm")
    if ROWS:
        m.tree.copy(SHARED / "modules/fixtures", "modules.wasm/fixtures")
        for name in MODULES:
            m.tree.copy(SHARED / f"modules/{name}.wasm",
                        f"modules.wasm/{name}.wasm")
    answers = m.run(list(commands(out)))
    print({name: round(s, 1) for name, s in m.seconds.items()})
    return answers


def test_backend_passes_its_own_tests(answers):
    status, text = answers["unit"]
    assert status == 0, text
    assert re.search(r"PASSED  \] [1-9]\d* test", text), text
    assert "SKIPPED" not in text, text


def test_program_runs_below_the_shim(answers):
    status, text = answers["hello"]
    assert status == 0, text
    assert "hi from inside a Keep" in text
    assert re.search(r"asked +kvm Keep", text), text
    assert "= this release's Keep" in text
    assert "NOT CONFIDENTIAL" in text


def test_auto_takes_the_stronger_technology(answers):
    status, text = answers["auto"]
    assert status == 0, text
    assert re.search(r"asked +kvm Keep", text), text


def test_hardware_is_not_what_this_is(answers):
    status, text = answers["hardware"]
    assert status != 0, text
    assert "from inside a Keep" not in text


def test_measured_image_is_small(out):
    if os.environ.get("DONJON_SANITIZED"):
        pytest.skip("sanitized programs are large")
    for tee in ("kvm", "snp", "tdx"):
        shim = (out / f"keep/{tee}/shim").stat().st_size
        exec_ = (out / f"keep/{tee}/exec").stat().st_size
        assert shim <= 128 << 10
        assert shim + exec_ <= 6 << 20


def test_many_at_once_leave_nothing(answers):
    status, text = answers["crowd"]
    assert status == 0, text
    assert text.count("from inside a Keep") == 3, text
    assert "donjon-keep" not in text, text


@pytest.mark.parametrize("name", MODULES)
def test_module_does_what_it_does_elsewhere(answers, name):
    if not ROWS:
        pytest.skip("no ../shared/modules here")
    row = ROWS[name + ".wasm"]
    status, text = answers[name]
    assert status == int(row["exit"]), text
    assert re.search(rf"^{row['stdout_sha256']}", text, re.M), text
