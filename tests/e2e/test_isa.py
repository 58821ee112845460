# SPDX-License-Identifier: Apache-2.0
"""exec of RISC-V and POWER in whole runs: asked for, attested, given a program
over its own TLS, and heard to the end.  It runs in qemu-user, as the child of a
loader that is the real one but for that (tests/isa)."""
import hashlib
import os
import re
import shutil

import pytest

import test_modules
import test_net
import test_software
import test_wasi_keep
from net import Field
from ports import free_port
from test_net import authority  # noqa: F401

ISAS = ("riscv64", "ppc64le")
PROGRAMS, WASI = test_modules.ROWS, test_wasi_keep.MODULES
PEERS = ("snp", "tdx", "sgx")
if "DONJON_ALL" not in os.environ:
    PROGRAMS = [r for r in PROGRAMS if r["file"][:-5] in test_modules.QUICK]
    WASI = WASI[::9]
    PEERS = PEERS[:1]


def digest(path):
    return hashlib.sha384(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module", params=ISAS)
def field(request, out, tmp_path_factory):
    """A host of such Keeps and a tenant who wants this very exec."""
    isa = request.param
    images, loader = out / "tests/isa" / isa, out / "tests/isa/donjon-keep"
    for file in (images / "process/exec", loader):
        if not file.exists():
            pytest.skip(f"{file.relative_to(out)} is not built")
    if not shutil.which(f"qemu-{isa}-static"):
        pytest.skip(f"no qemu-{isa}-static")
    f = Field(out, tmp_path_factory.mktemp(isa), "--images", images,
              "--keep-program", loader, "--allow-listen",
              "127.0.0.1:1-65535", "--allow-connect", "any")
    f.measured = digest(images / "process/exec")
    f.policy.write_text(f.policy.read_text().replace("release", f.measured))
    yield f
    f.close()


def test_a_program_says_hello(field, out):
    r = field.run(out / "examples/hello.wasm")
    assert r.returncode == 0, r.stderr.decode()
    assert b"ello" in r.stdout


def test_input_of_a_megabyte_comes_back(field):
    sent = bytes(i * i >> 8 & 0xff for i in range(1 << 20))
    r = field.run(field.wasm("cat"), stdin=sent)
    assert r.returncode == 0, r.stderr.decode()
    assert r.stdout == sent


def test_a_program_that_traps_says_where(field):
    r = field.run(field.wasm("trap"))
    assert r.returncode == 134 and b"unreachable" in r.stderr, r


def test_an_exec_of_another_measurement_gets_nothing(field, out):
    mine = field.policy.read_text()
    field.policy.write_text(mine.replace(field.measured, "00" * 48))
    r = field.run(out / "examples/hello.wasm")
    field.policy.write_text(mine)
    assert r.returncode == 122 and b"measurement" in r.stderr, r
    assert not r.stdout


@pytest.mark.parametrize("row", PROGRAMS, ids=lambda r: r["file"])
def test_a_program_of_another_toolchain(row, field, tmp_path):
    test_modules.test_program(row, field.run, tmp_path)


@pytest.mark.parametrize("module", WASI, ids=test_wasi_keep.name_of)
def test_a_module_of_the_wasi_suite(module, field, tmp_path):
    test_wasi_keep.test_module(module, field.run, tmp_path)


# --- its TLS and its verifier, whose libraries are others ----------------------

def test_curl_gets_an_answer_over_tls(field):
    test_net.test_httpd_answers_curl_over_tls_with_the_keeps_certificate(field)


def test_only_who_the_certificate_names_is_spoken_to(
        field, authority, tmp_path):  # noqa: F811
    test_net.test_only_who_the_certificate_names_is_spoken_to(
        field, authority, tmp_path)


def test_a_pinned_key_is_enough_and_any_other_is_not(
        field, authority, tmp_path):  # noqa: F811
    test_net.test_a_pinned_key_is_enough_and_any_other_is_not(
        field, authority, tmp_path)


def test_a_peer_that_must_be_a_keep(field, authority, tmp_path):  # noqa: F811
    test_net.test_a_peer_that_must_be_a_keep(field, authority, tmp_path)


@pytest.mark.parametrize("tee", PEERS)
def test_a_peer_that_must_be_a_keep_of_another_technology(
        field, out, tmp_path, tee):
    """Whose chain has other keys and signatures: judged on this ISA."""
    other = Field(out, tmp_path)
    other.tenant = field.tenant
    other.policy = test_software.policy(other.tenant, other.agent, tee)
    other.argv = lambda *args: [
        *test_software.deploy(other.tenant, other.agent, tee), *args]
    port = free_port()
    try:
        p = other.serve(port, other.wasm("echo"), "3", tls=True)
        talk = ("--connect", f"localhost:{port}", field.wasm("talk"), "3",
                "send", "hi", "3", "recv", "2")
        r = field.run(*test_net.attested(other), *talk)
        assert r.stdout == b"recv 2: hi\n", r
        other.policy.write_text(re.sub(
            r'software = .*', f'software = ["{"00" * 32}"]',
            other.policy.read_text()))
        r = field.run(*test_net.attested(other), *talk)
        assert r.returncode == 122 and b"root" in r.stderr, r
        other.end(p)
    finally:
        other.close()


def test_all_of_them_were_run():
    if "DONJON_ALL" not in os.environ:
        pytest.skip("a sample; DONJON_ALL=1 runs them all")
    assert len(PROGRAMS) == len(test_modules.ROWS)
