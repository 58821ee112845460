# SPDX-License-Identifier: Apache-2.0
"""`donjon measure` against calculations of our own."""
import hashlib
import os
import subprocess

import pytest

from sgx import mrenclave
from snp import launch_digest


@pytest.fixture
def measured(out):
    if os.environ.get("DONJON_SANITIZED"):
        pytest.skip("nobody measures a sanitized Keep")
    p = subprocess.run([out / "bin/donjon", "measure"], text=True,
                       stdout=subprocess.PIPE, check=True)
    return dict(line.rsplit(" ", 1) for line in p.stdout.splitlines())


def images(out, tee):
    return [(out / "keep" / tee / name).read_bytes()
            for name in ("shim", "exec")]


def test_process_is_the_hash_of_exec(out, measured):
    exec_ = (out / "keep/process/exec").read_bytes()
    assert measured["process"] == hashlib.sha384(exec_).hexdigest()


def test_kvm_is_the_hash_of_both_images(out, measured):
    data = b"".join(len(i).to_bytes(8, "little") + i
                    for i in images(out, "kvm"))
    assert measured["kvm"] == hashlib.sha384(data).hexdigest()


@pytest.mark.parametrize("variant, c_bit, features", (
    ("", 51, 1), (" debug-swap", 51, 0x21), (" software", 47, 1)))
def test_snp_is_the_launch_digest(out, measured, variant, c_bit, features):
    shim, exec_ = images(out, "snp")
    assert measured["snp" + variant] == \
        launch_digest(shim, exec_, c_bit, features)


@pytest.mark.parametrize("variant, heap", (
    ("", 0), (" fixed-heap", 0x0c000000)))
def test_sgx_is_mrenclave(out, measured, variant, heap):
    shim, exec_ = images(out, "sgx")
    assert measured["sgx" + variant] == mrenclave(shim, exec_, heap)


def test_exec_is_the_same_under_every_technology(out):
    if os.environ.get("DONJON_SANITIZED"):
        pytest.skip("sanitized programs are for `process` alone")
    assert len({(out / "keep" / tee / "exec").read_bytes()
                for tee in ("process", "kvm", "snp", "sgx")}) == 1
