# SPDX-License-Identifier: Apache-2.0
"""No function of a program is left to the interpreter for what it contains.

What functions may be left for are limits; those that nothing real reaches are
not excused here at all."""
import os
import platform
import re
import subprocess
from pathlib import Path

import pytest

OUT = Path(os.environ.get("DONJON_OUT", "out")).resolve()
SHARED = Path(os.environ.get("DONJON_SHARED", "../shared")).resolve()
TOOL = OUT / "bin/donjon-wasm"
MODULES = sorted((SHARED / "modules").glob("*.wasm"))


def test_there_are_modules():
    if not MODULES:
        pytest.skip("no modules (DONJON_SHARED)")


@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.stem)
def test_every_function_is_compiled(module):
    if platform.machine() != "x86_64":
        pytest.skip("there is no compiler here")
    if "DONJON_SANITIZED" in os.environ and "DONJON_ALL" not in os.environ:
        pytest.skip("takes long with sanitizers (DONJON_ALL=1)")
    # The program ends at once: what is looked at is what was compiled.
    p = subprocess.run([TOOL, "--engine", "jit", "--eager", "--stats",
                        "--fuel", "1000", module], stdin=subprocess.DEVNULL,
                       capture_output=True, check=False, text=True,
                       errors="replace")
    m = re.search(r"compiled (\d+) functions.*; (\d+) left to the interpreter"
                  r"((?:\n  .*)*)", p.stderr)
    assert m, p.stderr
    assert int(m.group(1)) > 0
    assert m.group(2) == "0", m.group(3)
