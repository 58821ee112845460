# SPDX-License-Identifier: Apache-2.0
"""Programs from real toolchains, run through a Keep: status and output as
in the manifest beside them."""
import ast
import csv
import hashlib
import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("DONJON_SHARED", "../shared")).resolve()
MODULES = SHARED / "modules"
# What this release runs; the rest is named in docs/wasm.md and docs/wasi.md.
RUN = ["rust163-app", "zig-app", "as-app", "cpp-iostream", "go-app",
       "sqlite3", "bzip2", "gofmt"]


def row(name):
    with open(MODULES / "MANIFEST.tsv", newline="") as f:
        for r in csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE):
            if r["file"] == f"{name}.wasm":
                return r
    raise AssertionError(f"{name} is not in the manifest")


@pytest.mark.parametrize("name", RUN)
def test_program(name, tenant, agent, tmp_path):
    if not MODULES.is_dir():
        pytest.skip("no modules (DONJON_SHARED)")
    r = row(name)
    args = [f"unix://{agent.unix}", "--policy",
            tenant.policy(f"unix://{agent.unix}")]
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    if r["preopens"] == "fixtures::/":
        args += ["--dir", f"{MODULES / 'fixtures'}::/:ro"]
    elif r["preopens"].startswith("scratch("):
        for f in r["preopens"][8:].partition(")")[0].split(","):
            if f:
                data = (MODULES / "fixtures" / f).read_bytes()
                (scratch / f).write_bytes(data)
        args += ["--dir", f"{scratch}::/:rw"]
    if r["env"] != "-":
        for pair in r["env"].split(" "):
            args += ["--env", pair]
    stdin = b""
    if r["stdin"] != "-":
        stdin = (MODULES / "fixtures" / r["stdin"]).read_bytes()
    p = tenant.donjon("deploy", "--host", *args, MODULES / r["file"],
                      *ast.literal_eval(r["args"]), stdin=stdin, timeout=300)
    assert p.returncode == int(r["exit"]), p.stderr.decode()
    digest = hashlib.sha256(p.stdout).hexdigest()
    assert digest.startswith(r["stdout_sha256"]), p.stdout[-2000:]
    if r["out_file_sha256"] != "-":
        digests = [hashlib.sha256(f.read_bytes()).hexdigest()
                   for f in scratch.iterdir()]
        assert any(d.startswith(r["out_file_sha256"]) for d in digests)
