# SPDX-License-Identifier: Apache-2.0
"""Nothing of the workload leaves the client before verification succeeded.

Each test puts a lying agent between `donjon deploy` and a true one.  What the
lie is about is named in the message, the exit status is 122 (denied), and no
channel was even opened, so that no byte of the workload was sent.
"""
import base64
import shutil
import socket
import ssl
import subprocess

import pytest

from evil import EvilAgent, call, flip, upgrade

DENIED = 122


def deploy(tenant, evil, true, *more, policy=None):
    policy = policy or tenant.policy(f"unix://{true.unix}")
    return tenant.donjon("deploy", "--host", f"unix://{evil.path}",
                         "--policy", policy, *more,
                         tenant.out / "tests/wasm/echoargs.wasm", "a", "b")


@pytest.fixture
def evil_path(tmp_path_factory):
    return str(tmp_path_factory.mktemp("evil") / "s")


def refused(r, evil, *words):
    text = r.stderr.decode()
    assert r.returncode == DENIED, text
    assert evil.channels == 0, "a channel was opened"
    assert r.stdout == b""
    for w in words:
        assert w in text, text


def test_an_agent_that_only_passes_on_is_fine(tenant, agent, evil_path):
    with EvilAgent(evil_path, agent.unix) as evil:
        r = deploy(tenant, evil, agent)
    assert r.returncode == 2, r.stderr
    assert r.stdout.startswith(b"arg a\narg b\n")
    assert evil.channels == 1 and len(evil.sent) > 1000


EVIDENCE = {
    "magic": (0x000, "format"),
    "version": (0x008, "format"),
    "technology": (0x00c, "format"),
    "debug_flag": (0x010, "signature"),
    "unknown_flag": (0x017, "format"),
    "reserved": (0x018, "format"),
    "report_data": (0x020, "signature"),
    "measurement": (0x060, "signature"),
    "owner": (0x090, "signature"),
    "root": (0x0b0, "root"),
    "signature": (0x0e0, "signature"),
    "signature_end": (-1, "signature"),
}


@pytest.mark.parametrize("name", EVIDENCE)
def test_evidence_with_a_changed(name, tenant, agent, evil_path):
    at, check = EVIDENCE[name]

    def alter(_, answer):
        answer["evidence"] = flip(answer["evidence"], at)
        return answer
    with EvilAgent(evil_path, agent.unix, alter) as evil:
        refused(deploy(tenant, evil, agent), evil, check)


def test_evidence_cut_short(tenant, agent, evil_path):
    def alter(_, answer):
        data = base64.b64decode(answer["evidence"])[:-1]
        answer["evidence"] = base64.b64encode(data).decode()
        return answer
    with EvilAgent(evil_path, agent.unix, alter) as evil:
        refused(deploy(tenant, evil, agent), evil, "format")


def test_evidence_missing(tenant, agent, evil_path):
    def alter(_, answer):
        answer["evidence"] = ""
        return answer
    with EvilAgent(evil_path, agent.unix, alter) as evil:
        r = deploy(tenant, evil, agent)
    assert r.returncode in (121, DENIED, 123), r.stderr
    assert b"evidence" in r.stderr and evil.channels == 0


@pytest.mark.parametrize("at", [20, 60, 100, -1])
def test_claims_changed(at, tenant, agent, evil_path):
    def alter(_, answer):
        answer["claims"] = flip(answer["claims"], at)
        return answer
    with EvilAgent(evil_path, agent.unix, alter) as evil:
        refused(deploy(tenant, evil, agent), evil, "report_data")


@pytest.mark.parametrize("at", [0, 30, -1])
def test_endorsements_changed(at, tenant, agent, evil_path):
    def alter(_, answer):
        answer["endorsements"] = flip(answer["endorsements"], at)
        return answer
    with EvilAgent(evil_path, agent.unix, alter) as evil:
        refused(deploy(tenant, evil, agent), evil, "endorsements")


def test_the_endorsements_of_another_root(tenant, agent, agents, evil_path):
    other = agents("other")
    status, foreign = call(other.unix, "POST", "/v1/keeps", ask(tenant))
    assert status == 201

    def alter(_, answer):
        answer["endorsements"] = foreign["endorsements"]
        return answer
    with EvilAgent(evil_path, agent.unix, alter) as evil:
        refused(deploy(tenant, evil, agent), evil, "endorsements")


def ask(tenant, **more):
    return {"tee": "process", "nonce": "00" * 32, "owner_key_hash": "11" * 32,
            "memory": 1 << 28, **more}


@pytest.mark.parametrize("part", ["certificate", "claims", "evidence"])
def test_a_part_of_another_keep(part, tenant, agent, evil_path):
    """A true Keep of the same agent, asked for with the same nonce and
    owner: only the key and what is bound to it differ."""
    def alter(self, answer):
        status, other = call(agent.unix, "POST", "/v1/keeps", self.asks[-1])
        assert status == 201
        self.ids.append(other["id"])
        answer[part] = other[part]
        return answer
    with EvilAgent(evil_path, agent.unix, alter) as evil:
        refused(deploy(tenant, evil, agent), evil,
                {"certificate": "key", "claims": "report_data",
                 "evidence": "report_data"}[part])


def test_a_certificate_that_is_none(tenant, agent, evil_path):
    def alter(_, answer):
        answer["certificate"] = base64.b64encode(b"0\x82").decode()
        return answer
    with EvilAgent(evil_path, agent.unix, alter) as evil:
        r = deploy(tenant, evil, agent)
    assert r.returncode in (121, DENIED), r.stderr
    assert b"certificate" in r.stderr and evil.channels == 0


def test_another_nonce(tenant, agent, evil_path):
    def other(body):
        return dict(body, nonce="ab" * 32)
    with EvilAgent(evil_path, agent.unix, ask=other) as evil:
        refused(deploy(tenant, evil, agent), evil, "nonce")


def test_another_owner(tenant, agent, evil_path):
    def other(body):
        return dict(body, owner_key_hash="ab" * 32)
    with EvilAgent(evil_path, agent.unix, ask=other) as evil:
        refused(deploy(tenant, evil, agent), evil, "owner")


def test_replayed_evidence(tenant, agent, evil_path):
    """The whole answer of an earlier, honest run of the same tenant."""
    def alter(self, answer):
        return dict(self.answers[0], id=answer["id"])
    with EvilAgent(evil_path, agent.unix, alter) as evil:
        first = deploy(tenant, evil, agent)
        assert first.returncode == 2, first.stderr
        evil.channels = 0
        refused(deploy(tenant, evil, agent), evil, "nonce")


def test_a_root_that_the_policy_does_not_name(tenant, agents, agent,
                                              evil_path):
    other = agents("other")
    with EvilAgent(evil_path, other.unix) as evil:
        refused(deploy(tenant, evil, agent), evil, "root")


def test_no_policy_trusts_no_software_root(tenant, agent, evil_path):
    with EvilAgent(evil_path, agent.unix) as evil:
        r = tenant.donjon("deploy", "--host", f"unix://{evil.path}",
                          tenant.out / "tests/wasm/echoargs.wasm")
        refused(r, evil, "root")


def test_a_policy_for_other_technologies(tenant, agent, evil_path):
    policy = tenant.policy(f"unix://{agent.unix}")
    other = policy.with_name("other.toml")
    other.write_text(policy.read_text().replace('["process"]', '["snp"]'))
    with EvilAgent(evil_path, agent.unix) as evil:
        refused(deploy(tenant, evil, agent, policy=other), evil,
                "technology")


@pytest.mark.parametrize("tee", ["kvm", "snp", "sgx", "tdx", "sanctum", "none"])
def test_an_agent_that_calls_a_keep_another_technologys(
        tenant, agent, evil_path, tee):
    """What it says is only which of our images is measured."""
    policy = tenant.policy(f"unix://{agent.unix}")
    release = policy.with_name("release.toml")
    release.write_text(policy.read_text().replace(
        '["process"]', '["process", "kvm", "snp", "sgx"]'))

    def alter(_, answer):
        answer["tee"] = tee
        return answer
    with EvilAgent(evil_path, agent.unix, alter) as evil:
        refused(deploy(tenant, evil, agent, policy=release), evil,
                "measurement")


def test_a_denied_measurement(tenant, agent, evil_path):
    policy = tenant.policy(f"unix://{agent.unix}")
    r = tenant.donjon("measure", "--tee", "process")
    digest = [w for w in r.stdout.decode().split() if len(w) == 96][0]
    other = policy.with_name("deny.toml")
    other.write_text(policy.read_text() + f'deny = ["{digest}"]\n')
    with EvilAgent(evil_path, agent.unix) as evil:
        refused(deploy(tenant, evil, agent, policy=other), evil,
                "measurement")


def test_an_image_with_one_more_byte(tenant, agents, tmp_path, evil_path):
    """The loader measures what it loads, so the evidence is true; it is not
    this release's Keep."""
    images = tmp_path / "keep"
    shutil.copytree(tenant.out / "keep", images)
    with open(images / "process/exec", "ab") as f:
        f.write(b"\0")
    other = agents("tampered", "--images", images)
    policy = tenant.policy(f"unix://{other.unix}")
    with EvilAgent(evil_path, other.unix) as evil:
        refused(deploy(tenant, evil, other, policy=policy), evil,
                "measurement")


def test_an_agent_that_ends_the_tls_itself(tenant, agent, evil_path,
                                           tmp_path):
    """It even shows the Keep's own certificate, but lacks its key, and then
    one of its own."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=Keep", "-keyout", tmp_path / "k.pem",
                    "-out", tmp_path / "c.pem"], check=True,
                   capture_output=True)
    got = bytearray()

    def channel(_, s, keep):
        ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ctx.minimum_version = ssl.TLSVersion.TLSv1_3
        ctx.load_cert_chain(tmp_path / "c.pem", tmp_path / "k.pem")
        try:
            with ctx.wrap_socket(s, server_side=True) as t:
                while True:
                    data = t.recv(65536)
                    if not data:
                        break
                    got.extend(data)
        except (ssl.SSLError, OSError):
            pass
    with EvilAgent(evil_path, agent.unix, channel=channel) as evil:
        r = deploy(tenant, evil, agent)
    assert r.returncode == DENIED, r.stderr
    assert evil.channels == 1
    assert not got, "the agent read application data"
    assert b"key" in r.stderr


def test_an_agent_that_speaks_no_tls(tenant, agent, evil_path):
    def channel(_, s, keep):
        s.sendall(b"HTTP/1.1 200 OK\r\n\r\n" * 10)
        try:
            while s.recv(65536):
                pass
        except OSError:
            pass
    with EvilAgent(evil_path, agent.unix, channel=channel) as evil:
        r = deploy(tenant, evil, agent)
    assert r.returncode in (DENIED, 123), r.stderr
    assert r.stdout == b""


def test_an_agent_that_alters_ciphertext(tenant, agent, evil_path):
    """One bit in the middle of the module: the Keep ends the channel."""
    def channel(self, s, keep):
        true, _ = upgrade(self.true, keep)
        true.settimeout(60)
        s.settimeout(60)
        import threading
        threading.Thread(target=self._copy, args=(true, s, self.received),
                         daemon=True).start()
        seen = 0
        try:
            while True:
                data = bytearray(s.recv(4096))
                if not data:
                    break
                if seen < 9000 <= seen + len(data):
                    data[9000 - seen] ^= 1
                seen += len(data)
                true.sendall(data)
        except OSError:
            pass
        true.close()
    with EvilAgent(evil_path, agent.unix, channel=channel) as evil:
        r = deploy(tenant, evil, agent)
    assert r.returncode in (122, 123), (r.returncode, r.stderr)
    assert r.stdout == b""


def test_two_keeps_have_two_keys(tenant, agent):
    keeps = [call(agent.unix, "POST", "/v1/keeps", ask(tenant))[1]
             for _ in range(2)]
    assert keeps[0]["certificate"] != keeps[1]["certificate"]
    assert keeps[0]["claims"] != keeps[1]["claims"]
    for k in keeps:
        assert call(agent.unix, "DELETE", f"/v1/keeps/{k['id']}")[0] == 204


def test_a_recording_means_nothing_to_another_keep(tenant, agent, evil_path):
    """What a client sent to one Keep is played to a second one, which was
    asked for by the same owner with the same nonce."""
    with EvilAgent(evil_path, agent.unix) as evil:
        r = deploy(tenant, evil, agent)
        assert r.returncode == 2, r.stderr
        status, other = call(agent.unix, "POST", "/v1/keeps", evil.asks[0])
        assert status == 201
        s, _ = upgrade(agent.unix, other["id"])
        with s:
            s.settimeout(60)
            answer = b""
            try:
                s.sendall(bytes(evil.sent))
                s.shutdown(socket.SHUT_WR)
                while True:
                    data = s.recv(65536)
                    if not data:
                        break
                    answer += data
            except OSError:
                pass
        assert b"arg a" not in answer
        assert len(answer) < 4096, "more than a handshake and an alert"
        status, now = call(agent.unix, "GET", f"/v1/keeps/{other['id']}")
        assert status == 200 and now["state"] == "attested"
        assert call(agent.unix, "DELETE",
                    f"/v1/keeps/{other['id']}")[0] == 204
