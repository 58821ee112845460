# SPDX-License-Identifier: Apache-2.0
"""`donjon measure` against calculations of our own."""
import hashlib
import os
import subprocess

import pytest

from sgx import mrenclave
from snp import launch_digest
from tdx import mrtd


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
    ("", 51, 1), (" debug-swap", 51, 0x21), (" restricted-injection", 51, 9),
    (" debug-swap,restricted-injection", 51, 0x29), (" software", 47, 0x21)))
def test_snp_is_the_launch_digest(out, measured, variant, c_bit, features):
    shim, exec_ = images(out, "snp")
    assert measured["snp" + variant] == \
        launch_digest(shim, exec_, c_bit, features)


def test_each_page_that_contributes_is_printed(out, measured):
    p = subprocess.run([out / "bin/donjon", "measure", "--tee", "snp", "-v"],
                       text=True, stdout=subprocess.PIPE, check=True)
    last, pages, seen = "", 0, []
    for line in p.stdout.splitlines():
        if line.startswith("snp"):
            name, digest = line.rsplit(" ", 1)
            assert digest == last and measured[name] == digest
            seen.append(pages)
            pages = 0
        else:
            last, pages = line.split()[2], pages + 1
    shim, exec_ = (-(-len(i) // 4096) for i in images(out, "snp"))
    assert seen == [shim + exec_ + 1] * sum(
        name.split()[0] == "snp" for name in measured)
    p = subprocess.run([out / "bin/donjon", "measure", "--tee", "process",
                        "-v"], text=True, stdout=subprocess.PIPE, check=True)
    assert p.stdout.split()[0] == "exec"
    assert p.stdout.split()[2] == measured["process"]
    p = subprocess.run([out / "bin/donjon", "measure", "--tee", "sgx", "-v"],
                       text=True, stdout=subprocess.PIPE, check=True)
    lines = p.stdout.splitlines()
    assert lines[0].startswith("EADD+")
    at = lines.index(f"sgx {measured['sgx']}")
    # The last variant has 512 MiB of heap more, a page a line.
    assert lines[-1] == f"sgx heap-512MiB {measured['sgx heap-512MiB']}"
    other = next(n for n in range(len(lines) - 2, 0, -1)
                 if lines[n].startswith("sgx"))
    assert len(lines) - other - at >= (512 << 20) // 4096


@pytest.mark.parametrize("variant, heap", (
    ("", 0), (" heap-64MiB", 64 << 20), (" heap-192MiB", 192 << 20),
    (" heap-512MiB", 512 << 20)))
def test_sgx_is_mrenclave(out, measured, variant, heap):
    shim, exec_ = images(out, "sgx")
    assert measured["sgx" + variant] == mrenclave(shim, exec_, heap)


def test_tdx_is_mrtd(out, measured):
    assert measured["tdx"] == mrtd(*images(out, "tdx"))
    p = subprocess.run([out / "bin/donjon", "measure", "--tee", "tdx", "-v"],
                       text=True, stdout=subprocess.PIPE, check=True)
    *pages, last = p.stdout.splitlines()
    assert last == f"tdx {measured['tdx']}"
    shim, exec_ = (-(-len(i) // 4096) for i in images(out, "tdx"))
    assert len(pages) == shim + exec_ + 1
    assert "add+extend 0x0000fffff000" in pages


def test_exec_is_the_same_under_every_technology(out):
    if os.environ.get("DONJON_SANITIZED"):
        pytest.skip("sanitized programs are for `process` alone")
    assert len({(out / "keep" / tee / "exec").read_bytes()
                for tee in ("process", "kvm", "snp", "tdx", "sgx")}) == 1
