# SPDX-License-Identifier: Apache-2.0
"""`make install` puts a tree elsewhere, and that tree runs by itself."""
import os
import subprocess

import pytest

from conftest import REPO
from tenant import Tenant


@pytest.mark.parametrize("prefix", ["/usr", "/opt/donjon"])
def test_an_installed_tree_runs(prefix, out, tmp_path):
    if os.environ.get("DONJON_SANITIZED"):
        pytest.skip("what is installed is not sanitized")
    dest = tmp_path / "dest"
    r = subprocess.run(
        ["make", "-s", f"O={os.path.relpath(out, REPO)}", "install",
         f"DESTDIR={dest}", f"prefix={prefix}"], cwd=REPO,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
    assert r.returncode == 0, r.stdout.decode()
    tree = dest / prefix.lstrip("/")
    for page in ("man1/donjon.1", "man8/donjond.8", "man8/donjon-keep.8"):
        assert (tree / "share/man" / page).exists()
    tenant = Tenant(tree, tmp_path / "tenant")
    r = tenant.donjon("run", "-q", out / "tests/wasm/echoargs.wasm", "x")
    assert r.returncode == 1 and r.stdout == b"arg x\n", r.stderr
