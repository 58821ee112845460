# SPDX-License-Identifier: Apache-2.0
"""Technology `sanctum`: what it measures, and hosts that give other evidence than
the monitor's.  Nothing of the workload leaves the client (test_attack.py)."""
import base64
import hashlib
import os
import shutil
import subprocess

import pytest

import test_net
from conftest import Agent
from evil import EvilAgent, call, flip
from net import Field
from ports import free_port
from sanctum import enclave
from test_attack import evil_path, refused  # noqa: F401
from test_debug import sockets  # noqa: F401
from test_software import policy, qemu_of

pytestmark = pytest.mark.skipif(
    "DONJON_SANITIZED" in os.environ,
    reason="exec for RISC-V is built without sanitizers")


@pytest.fixture(autouse=True)
def built(out):
    if not (out / "keep/sanctum/monitor").exists():
        pytest.skip("no Keep for RISC-V (make keep-riscv64)")
    if not shutil.which(qemu_of("sanctum")):
        pytest.skip("no qemu-system-riscv64 (package qemu-system-misc)")


def deploy(tenant, evil, agent, file=None):
    return tenant.donjon("deploy", "--host", f"unix://{evil.path}", "--tee",
                         "sanctum", "--platform", "software", "--policy",
                         file or policy(tenant, agent, "sanctum"),
                         tenant.out / "tests/wasm/echoargs.wasm", "a", "b")


def images(out):
    return [(out / "keep/sanctum" / name).read_bytes()
            for name in ("shim", "exec", "monitor")]


def measured(out):
    p = subprocess.run([out / "bin/donjon", "measure", "--tee", "sanctum"],
                       text=True, stdout=subprocess.PIPE, check=True)
    return dict(line.rsplit(" ", 1) for line in p.stdout.splitlines())


def test_the_enclave_and_its_monitor_are_measured(out):
    m = measured(out)
    assert m["sanctum"] == enclave(*images(out))
    assert m["sanctum monitor"] == hashlib.sha512(images(out)[2]).hexdigest()


def test_each_call_that_contributes_is_printed(out):
    p = subprocess.run(
        [out / "bin/donjon", "measure", "--tee", "sanctum", "-v"], text=True,
        stdout=subprocess.PIPE, check=True)
    lines = p.stdout.splitlines()
    shim, exec_, _ = (-(-len(i) // 4096) for i in images(out))
    assert [line.split()[0] for line in lines].count("page") == shim + exec_
    assert lines[0].startswith("handler") and lines[1].startswith("table")
    assert lines[-3].startswith("thread")


FIELDS = {
    "manufacturer": (0, "vendor root"), "device": (32, "chain"),
    "monitor_measurement": (64, "chain"), "monitor_key": (128, "chain"),
    "enclave_measurement": (160, "signature"),
    "enclave_key": (224, "signature"), "attestation": (256, "signature"),
    "device_signature": (320, "chain"), "monitor_signature": (384, "chain"),
    "report_data": (448, "report signature"),
    "report_signature": (512, "report signature"),
}
FEW = FIELDS if "DONJON_ALL" in os.environ else \
    ("manufacturer", "monitor_measurement", "report_data")


@pytest.mark.parametrize("name", FEW)
def test_evidence_with_a_changed(
        name, tenant, agent, evil_path):  # noqa: F811
    at, check = FIELDS[name]

    def alter(_, answer):
        answer["evidence"] = flip(answer["evidence"], at)
        return answer
    with EvilAgent(evil_path, agent.unix, alter) as evil:
        refused(deploy(tenant, evil, agent), evil, check)


@pytest.mark.parametrize("what", ["none", "root", "signature"])
def test_a_manufacturer_that_nobody_vouches_for(
        what, tenant, agent, evil_path):  # noqa: F811
    def alter(_, answer):
        answer["endorsements"] = "" if what == "none" else flip(
            answer["endorsements"], 30 if what == "root" else -1)
        return answer
    with EvilAgent(evil_path, agent.unix, alter) as evil:
        r = deploy(tenant, evil, agent)
    assert r.returncode in (121, 122, 123), r.stderr
    assert r.stdout == b"" and evil.channels == 0
    assert b"vendor root" in r.stderr or b"endorsements" in r.stderr


def test_endorsements_of_another_start(
        tenant, agent, evil_path):  # noqa: F811
    """The same root's, for another manufacturer."""
    def alter(self, answer):
        status, other = call(agent.unix, "POST", "/v1/keeps", self.asks[-1])
        assert status == 201
        self.ids.append(other["id"])
        answer["endorsements"] = other["endorsements"]
        return answer
    with EvilAgent(evil_path, agent.unix, alter) as evil:
        refused(deploy(tenant, evil, agent), evil, "vendor root")


def test_evidence_of_an_earlier_keep(
        tenant, agent, evil_path):  # noqa: F811
    def alter(self, answer):
        return dict(self.answers[0], id=answer["id"])
    with EvilAgent(evil_path, agent.unix, alter) as evil:
        first = deploy(tenant, evil, agent)
        assert first.returncode == 2, first.stderr
        evil.channels = 0
        refused(deploy(tenant, evil, agent), evil, "nonce")


def test_evidence_in_its_short_form(
        tenant, agent, evil_path):  # noqa: F811
    """It is trusted from its monitor's key on, which nobody named."""
    def alter(_, answer):
        data = base64.b64decode(answer["evidence"])[:320]
        answer["evidence"] = base64.b64encode(data).decode()
        return answer
    with EvilAgent(evil_path, agent.unix, alter) as evil:
        refused(deploy(tenant, evil, agent), evil, "vendor root")


def test_another_monitor_is_refused(
        tenant, out, tmp_path, evil_path):  # noqa: F811
    """One word of it that is never used; it runs all the same, and its boot ROM
    measures what is there."""
    tree = tmp_path / "tree"
    shutil.copytree(out / "keep", tree / "keep")
    (tree / "bin").mkdir()
    for name in ("donjond", "donjon-keep"):
        shutil.copy(out / "bin" / name, tree / "bin")
    path = tree / "keep/sanctum/monitor"
    data = bytearray(path.read_bytes())
    data[0x14] ^= 1  # reserved, in its head
    path.write_bytes(data)
    other = Agent(tree, tmp_path / "other")
    try:
        with EvilAgent(evil_path, other.unix) as evil:
            refused(deploy(tenant, evil, other), evil, "monitor: observed")
        named = policy(tenant, other, "sanctum")
        named.write_text(named.read_text() + 'monitors = ["%s"]\n' %
                         hashlib.sha512(data).hexdigest())
        with EvilAgent(evil_path + "2", other.unix) as evil:
            r = deploy(tenant, evil, other, named)
            assert r.returncode == 2, r.stderr
    finally:
        other.stop()


def test_a_server_s_certificate_is_judged_by_whoever_meets_it(out, tmp_path):
    field = Field(out, tmp_path)
    field.policy = policy(field.tenant, field.agent, "sanctum")
    field.argv = lambda *args: [
        "deploy", "--host", f"unix://{field.agent.unix}", "--tee", "sanctum",
        "--platform", "software", "--policy", field.policy, *args]
    try:
        port = free_port()
        p = test_net.httpd(field, port, tls=True)
        where = f"127.0.0.1:{port}"
        r = field.tenant.donjon("verify", "--policy", field.policy, where)
        assert r.returncode == 0, r.stdout + r.stderr
        r = field.tenant.donjon("verify", where)
        assert r.returncode == 122 and b"vendor root" in r.stdout + r.stderr
        assert field.end(p)[0] == 143
    finally:
        field.close()


def test_hardware_is_not_to_be_had_and_why_is_said(tenant):
    r = tenant.donjon("run", "--tee", "sanctum", "--platform", "hardware",
                      tenant.out / "examples/hello.wasm")
    assert r.returncode == 123 and r.stdout == b""
    assert b"Linux has none" in r.stderr


def test_a_debug_keep_is_another_one(
        tenant, agents, sockets, evil_path):  # noqa: F811
    agent = agents("debug", "--debug", sockets)
    with EvilAgent(evil_path, agent.unix) as evil:
        r = deploy(tenant, evil, agent)
        refused(r, evil, "measurement: observed")
        observed = r.stderr.decode().split("observed ")[1].split(",")[0]
        assert observed != measured(tenant.out)["sanctum"]
