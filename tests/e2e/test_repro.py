# SPDX-License-Identifier: Apache-2.0
"""What is measured is reproducible: two builds in folders of different names
are the same bytes, and those of the tree under test."""
import hashlib
import os
import subprocess
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]

pytestmark = [
    pytest.mark.skipif("DONJON_ALL" not in os.environ,
                       reason="builds exec twice: DONJON_ALL=1"),
    pytest.mark.skipif("DONJON_SANITIZED" in os.environ,
                       reason="nobody measures a sanitized Keep"),
]


def test_two_builds_measure_the_same(out):
    r = subprocess.run([REPO / "tools/check-repro"], stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, timeout=3000)
    text = r.stdout.decode()
    assert r.returncode == 0, text
    sums = dict(reversed(line.split()) for line in text.splitlines()
                if len(line.split()) == 2)
    for name in ("kvm/shim", "snp/shim", "snp/exec"):
        data = (out / "keep" / name).read_bytes()
        assert sums[name] == hashlib.sha384(data).hexdigest(), name
