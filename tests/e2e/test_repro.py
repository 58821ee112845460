# SPDX-License-Identifier: Apache-2.0
"""What is measured is reproducible: built in another folder, by another user at
another time, in another language, it is the same bytes."""
import hashlib
import os
import subprocess
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(
    "DONJON_SANITIZED" in os.environ,
    reason="nobody measures a sanitized Keep")


def check_repro(*args):
    r = subprocess.run([REPO / "tools/check-repro", *args],
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       timeout=3000)
    text = r.stdout.decode()
    assert r.returncode == 0, text
    return text


def test_another_build_of_the_shims_is_the_same(out):
    check_repro(out)


@pytest.mark.skipif("DONJON_ALL" not in os.environ,
                    reason="builds exec twice: DONJON_ALL=1")
def test_two_builds_measure_the_same(out):
    sums = dict(reversed(line.split())
                for line in check_repro().splitlines())
    for name, digest in sums.items():
        data = (out / "keep" / name).read_bytes()
        assert digest == hashlib.sha384(data).hexdigest(), name
    assert {"process/exec", "kvm/shim", "snp/shim", "tdx/shim",
            "sgx/shim"} <= set(sums)
