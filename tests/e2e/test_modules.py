# SPDX-License-Identifier: Apache-2.0
"""Programs from real toolchains, run through a Keep: status and output as
in the manifest beside them.  httpd.wasm, a server, is in test_net.py."""
import ast
import csv
import hashlib
import os
import shutil
import zipfile
from pathlib import Path

import pytest

from conftest import Agent
from tenant import Tenant

SHARED = Path(os.environ.get("DONJON_SHARED", "../shared")).resolve()
MODULES = SHARED / "modules"
STDLIB = Path("/usr/lib/python3.11")
# In a sanitized Keep: those that need no minutes.
QUICK = {"rust163-app", "zig-app", "as-app", "lua"}


def manifest():
    path = MODULES / "MANIFEST.tsv"
    if not path.exists():
        return []
    with open(path, newline="") as f:
        return list(csv.DictReader(f, delimiter="\t",
                                   quoting=csv.QUOTE_NONE))


ROWS = [r for r in manifest() if r["file"] != "httpd.wasm"]
if "DONJON_SANITIZED" in os.environ:
    ROWS = [r for r in ROWS if r["file"][:-5] in QUICK]


@pytest.fixture(scope="module")
def deploy(out, tmp_path_factory):
    """One tenant and one host agent for all programs."""
    folder = tmp_path_factory.mktemp("modules")
    agent = Agent(out, folder / "agent")
    tenant = Tenant(out, folder / "tenant")
    host = f"unix://{agent.unix}"
    policy = tenant.policy(host)
    yield lambda *args, **more: tenant.donjon(
        "deploy", "--host", host, "--policy", policy, *args, **more)
    agent.stop()


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
    fixtures = MODULES / "fixtures"
    if row["file"] == "python.wasm":
        if not (STDLIB / "re").is_dir():
            pytest.skip("no Debian libpython3.11-stdlib")
        shutil.copy(fixtures / "a.py", scratch)
        stdlib_zip(scratch / "python311.zip")
        return ["--dir", f"{scratch}::/:ro"]
    if row["preopens"] == "fixtures::/":
        return ["--dir", f"{fixtures}::/:ro"]
    if row["preopens"].startswith("scratch("):
        for f in row["preopens"][8:].partition(")")[0].split(","):
            if f:
                shutil.copyfile(fixtures / f, scratch / f)
        return ["--dir", f"{scratch}::/:rw"]
    return []


@pytest.mark.parametrize("row", ROWS, ids=lambda r: r["file"])
def test_program(row, deploy, tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    args = dirs_of(row, scratch)
    if row["env"] != "-":
        for pair in row["env"].split(" "):
            args += ["--env", pair]
    stdin = b""
    if row["stdin"] != "-":
        stdin = (MODULES / "fixtures" / row["stdin"]).read_bytes()
    p = deploy(*args, MODULES / row["file"], *ast.literal_eval(row["args"]),
               stdin=stdin, timeout=300)
    assert p.returncode == int(row["exit"]), p.stderr.decode()
    digest = hashlib.sha256(p.stdout).hexdigest()
    assert digest.startswith(row["stdout_sha256"]), p.stdout[-2000:]
    if row["out_file_sha256"] != "-":
        digests = [hashlib.sha256(f.read_bytes()).hexdigest()
                   for f in scratch.iterdir()]
        assert any(d.startswith(row["out_file_sha256"]) for d in digests)


def test_every_row_has_its_test():
    if not MODULES.is_dir():
        pytest.skip("no modules (DONJON_SHARED)")
    assert len(manifest()) == 13
