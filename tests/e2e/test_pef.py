# SPDX-License-Identifier: Apache-2.0
"""Keeps in secure VMs of POWER9, on the software platform: what is compared, what
their owner sealed, and hosts that give other evidence.  What runs in them, and what
their host sees, is in test_software.py."""
import hashlib
import json
import os
import shutil
import struct
import subprocess

import pytest

from conftest import Agent
from evil import EvilAgent, flip
from tenant import Tenant
from test_attack import evil_path, refused  # noqa: F401
from test_software import deploy, policy

QEMU = "qemu-system-ppc64"

pytestmark = [
    pytest.mark.skipif(not shutil.which(QEMU),
                       reason=f"no {QEMU} (package qemu-system-ppc)"),
    pytest.mark.skipif("DONJON_SANITIZED" in os.environ,
                       reason="a sanitized exec is no POWER's"),
]


@pytest.fixture(scope="module")
def house(out, tmp_path_factory):
    if not (out / "keep/pef/exec").exists():
        pytest.skip("no images (make keep-ppc64le)")
    folder = tmp_path_factory.mktemp("pef")
    agent = Agent(out, folder / "agent")
    yield agent, Tenant(out, folder / "tenant")
    agent.stop()


# --- what is compared --------------------------------------------------------

def digests(out):
    shim = bytearray((out / "keep/pef/shim").read_bytes())
    exec_ = (out / "keep/pef/exec").read_bytes()
    shim[0x30:0x34] = struct.pack("<I", len(exec_))
    rtas = bytes.fromhex("7c641b783c6000006063f000440000224e800020")
    return [hashlib.sha512(part).digest()
            for part in (rtas, shim, exec_, b"")]


def test_measure_is_what_the_ultravisor_compares(out, house):
    _, tenant = house
    r = tenant.donjon("measure", "--tee", "pef", "-v")
    lines = dict(line.split() for line in r.stdout.decode().splitlines())
    want = digests(out)
    assert [lines[k] for k in ("rtas", "kernel", "initrd", "bootargs")] == \
        [d.hex() for d in want]
    assert lines["pef"] == hashlib.sha256(b"".join(want)).hexdigest()


# --- what its owner sealed ----------------------------------------------------

@pytest.fixture(scope="module")
def machine(out, house, tmp_path_factory):
    """A machine that was used once, so that it has a TPM's key."""
    _, tenant = house
    agent = Agent(out, tmp_path_factory.mktemp("owned") / "agent")
    r = tenant.donjon(*deploy(tenant, agent, "pef"),
                      out / "examples/hello.wasm")
    assert r.returncode == 0, r.stderr
    yield agent
    agent.stop()


@pytest.fixture
def owned(out, house, machine):
    """That machine, a function that seals to it, and one that deploys there."""
    _, tenant = house
    agent = machine
    hello = out / "examples/hello.wasm"

    def seal(name="pef-blob", to="pef-machine.pub", *more):
        blob = agent.folder / name
        r = tenant.donjon("key", "pef", agent.folder / to, blob, *more)
        assert r.returncode == 0, r.stderr
        return r.stdout.decode().split()[1]

    def run(key):
        path = tenant.folder / "owner.toml"
        path.write_text('technologies = ["pef"]\n[pef]\n'
                        f'keys = ["{key}"]\nmeasurements = ["{key}"]\n')
        return tenant.donjon("deploy", "--host", f"unix://{agent.unix}",
                             "--tee", "pef", "--platform", "software",
                             "--policy", path, hello)
    yield agent, seal, run
    (agent.folder / "pef-blob").unlink(missing_ok=True)


def test_an_owner_knows_her_machine_by_the_key_that_she_sealed(owned):
    agent, seal, run = owned
    key = seal()
    r = run(key)
    assert r.returncode == 0, r.stderr
    # It is the software platform all the same, and its host says so.
    assert b"NOT CONFIDENTIAL: the host plays" in r.stderr
    assert run("ab" * 32).returncode == 122
    # Nobody's key is in a blob twice.
    os.unlink(agent.folder / "pef-blob")
    assert seal() != key
    r = run(key)
    assert r.returncode == 122 and b"sealed key" in r.stderr, r.stderr


def test_a_blob_is_not_overwritten(owned, house):
    agent, seal, _ = owned
    seal()
    _, tenant = house
    r = tenant.donjon("key", "pef", agent.folder / "pef-machine.pub",
                      agent.folder / "pef-blob")
    assert r.returncode != 0 and b"stays" in r.stderr


def test_a_key_that_was_sealed_to_another_image_is_not_given(
        out, owned, tmp_path):
    agent, seal, run = owned
    images = tmp_path / "images"
    shutil.copytree(out / "keep/pef", images / "pef")
    with open(images / "pef/exec", "r+b") as f:
        f.seek(15)
        f.write(b"\1")
    r = run(seal("pef-blob", "pef-machine.pub", "--images", images))
    assert r.returncode == 123, r.stderr
    assert b"esm: another initrd" in r.stderr and r.stdout == b""


def test_a_key_that_was_sealed_to_another_machine_is_not_given(
        owned, out, tmp_path):
    agent, seal, run = owned
    key = tmp_path / "other.pem"
    subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True,
                   capture_output=True)
    r = run(seal("pef-blob", key))
    assert r.returncode == 123, r.stderr
    assert b"for another machine" in r.stderr and r.stdout == b""


def test_a_blob_that_was_changed_gives_nothing(owned):
    agent, seal, run = owned
    key = seal()
    blob = agent.folder / "pef-blob"
    data = bytearray(blob.read_bytes())
    data[data.index(b"\0\0\0\x10", 0x200) + 12] ^= 1
    blob.write_bytes(data)
    r = run(key)
    assert r.returncode in (122, 123) and r.stdout == b"", r.stderr


# --- what a host gives that lies -------------------------------------------------

def judged(tenant, agent, evil_path, alter, check):
    with EvilAgent(evil_path, agent.unix, alter) as evil:
        r = tenant.donjon("deploy", "--host", f"unix://{evil.path}", "--tee",
                          "pef", "--platform", "software", "--policy",
                          policy(tenant, agent, "pef"),
                          tenant.out / "examples/hello.wasm")
        refused(r, evil, check)


@pytest.mark.parametrize("at, check", [
    (0x10, "signature"), (0x50, "endorsements"), (0x70, "signature")])
def test_evidence_that_was_changed_is_refused(
        house, evil_path, at, check):  # noqa: F811
    def alter(_, answer):
        answer["evidence"] = flip(answer["evidence"], at)
        return answer
    judged(house[1], house[0], evil_path, alter, check)


@pytest.mark.parametrize("at", [30, 91 + 30, 182, -1])
def test_a_key_that_nobody_vouches_for_is_refused(
        house, evil_path, at):  # noqa: F811
    def alter(_, answer):
        answer["endorsements"] = flip(answer["endorsements"], at)
        return answer
    judged(house[1], house[0], evil_path, alter,
           "endorsements" if at == 30 else "software root")


def test_evidence_of_an_earlier_keep_is_refused(house, evil_path):  # noqa: F811
    agent, tenant = house

    def alter(self, answer):
        return dict(self.answers[0], id=answer["id"])
    argv = ["deploy", "--tee", "pef", "--platform", "software", "--policy",
            policy(tenant, agent, "pef"), tenant.out / "examples/hello.wasm"]
    with EvilAgent(evil_path, agent.unix, alter) as evil:
        argv[1:1] = ["--host", f"unix://{evil.path}"]
        tenant.donjon(*argv)
        evil.channels = 0
        refused(tenant.donjon(*argv), evil, "nonce")


def test_hardware_is_not_played(house):
    agent, tenant = house
    r = tenant.donjon("deploy", "--host", f"unix://{agent.unix}", "--tee",
                      "pef", "--platform", "hardware", "--policy",
                      policy(tenant, agent, "pef"),
                      tenant.out / "examples/hello.wasm")
    if r.returncode == 0:
        pytest.skip("this machine has an ultravisor")
    assert b"POWER9" in r.stderr and r.stdout == b""


def test_platform_info_names_it(house):
    agent, tenant = house
    r = tenant.donjon("platform", "info", "--host", f"unix://{agent.unix}",
                      "--json")
    (t,) = [t for t in json.loads(r.stdout)["technologies"]
            if t["name"] == "pef"]
    assert t["available"] and not t["confidential"]
    assert "ultravisor" in t["detail"]
