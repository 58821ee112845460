# SPDX-License-Identifier: Apache-2.0
"""donjon verify, policy, measure --launch and collateral on real evidence, the
last with a local server of the shape of AMD's and Intel's services."""
import contextlib
import hashlib
import http.server
import json
import os
import resource
import signal
import socket
import ssl
import struct
import subprocess
import threading
import urllib.parse
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("DONJON_SHARED", REPO.parent / "shared"))
VECTORS = SHARED / "vectors/open"
ROOTS, SNP, SGX, TDX, SETS = (VECTORS / n for n in
                              ("roots", "snp", "sgx", "tdx", "collateral"))

pytestmark = pytest.mark.skipif(not VECTORS.is_dir(),
                                reason="no vectors: DONJON_SHARED is absent")

PHALA = TDX / "phala-v4-uptodate.quote.bin"
PHALA_SET = SETS / "tdx-b0c06f000000-2025-06"
TURIN = SNP / "ms-turin-v5.report.bin"
JUNE_2025, MARCH_2026 = "2025-06-25T12:00:00Z", "2026-03-01T00:00:00Z"


def verdict(tenant, *args, status):
    r = tenant.donjon("verify", "--json", *args)
    assert r.returncode == status, r.stderr
    v = json.loads(r.stdout)
    assert v["verdict"] == ("accepted" if status == 0 else "refused")
    assert set(v) >= {"verdict", "technology", "failed", "checks",
                      "tcb_status", "advisories", "expires"}
    failed = [c["name"] for c in v["checks"] if c["result"] == "failed"]
    assert v["failed"] == failed and (status == 0) == (not failed)
    return v


def accept(tenant, evidence, *more):
    """A policy for what this evidence measures, with more lines."""
    path = tenant.folder / "accept.toml"
    r = tenant.donjon("policy", "init", "--force", "--evidence", evidence,
                      path)
    assert r.returncode == 0, r.stderr
    path.write_text(path.read_text() + "\n".join(more) + "\n")
    assert tenant.donjon("policy", "check", path).returncode == 0
    return path


def test_a_quote_is_accepted_with_its_collateral(tenant):
    policy = accept(tenant, PHALA)
    args = [PHALA, "--policy", policy, "--endorsements", PHALA_SET]
    v = verdict(tenant, *args, "--padded", "--time", JUNE_2025, status=0)
    assert v["technology"] == "tdx" and v["confidential"]
    assert v["tcb_status"] == "UpToDate" and v["advisories"] == []
    assert v["expires"] == "2025-07-19T10:00:35Z"
    v = verdict(tenant, *args, "--time", JUNE_2025, status=122)
    assert v["failed"] == ["evidence format"]
    v = verdict(tenant, *args, "--padded", status=122)  # now
    assert "revocation" in v["failed"] and "tcb info" in v["failed"]


def test_of_many_endorsements_the_fitting_are_taken(tenant):
    policy = accept(tenant, PHALA)
    v = verdict(tenant, PHALA, "--padded", "--policy", policy,
                "--endorsements", VECTORS, "--time", JUNE_2025, status=0)
    assert v["failed"] == []
    policy = accept(tenant, TURIN, 'crl = "optional"')
    v = verdict(tenant, TURIN, "--policy", policy, "--endorsements", SNP,
                "--endorsements", ROOTS / "ask_turin.der", "--time",
                MARCH_2026, status=0)
    assert v["technology"] == "snp" and v["tcb_status"] is None


def test_old_firmware_is_refused_by_default(tenant):
    report = SNP / "dstack-milan-v3.report.bin"
    args = [report, "--endorsements", SNP, "--time", "2026-08-01T00:00:00Z"]
    policy = accept(tenant, report, 'crl = "optional"')
    v = verdict(tenant, *args, "--policy", policy, status=122)
    assert v["failed"] == ["minimum tcb"]
    policy = accept(tenant, report, 'crl = "optional"',
                    "minimum_tcb = { milan = { snp = 23 } }")
    verdict(tenant, *args, "--policy", policy, status=0)
    policy = accept(tenant, report, 'crl = "optional"',
                    "minimum_tcb = { milan = { snp = 23 } }",
                    "minimum_launch_tcb = { milan = { microcode = 214 } }")
    v = verdict(tenant, *args, "--policy", policy, status=122)
    assert v["failed"] == ["minimum tcb"]


def test_report_data_is_compared_when_asked_for(tenant):
    policy = accept(tenant, PHALA)
    data = PHALA.read_bytes()[48 + 520:48 + 584].hex()
    args = [PHALA, "--padded", "--policy", policy, "--endorsements",
            PHALA_SET, "--time", JUNE_2025, "--report-data"]
    verdict(tenant, *args, data, status=0)
    v = verdict(tenant, *args, "00" + data[2:], status=122)
    assert v["failed"] == ["report_data"]
    r = tenant.donjon("verify", *args, "12x4")
    assert r.returncode == 121 and b"--report-data" in r.stderr


def test_certificates_and_requests_carry_evidence(tenant):
    for name in ("ratls-gramine.cert.pem", "ratls-rats-tls.cert.pem"):
        v = verdict(tenant, SGX / name, "--time", "2023-06-01", status=122)
        passed = {c["name"] for c in v["checks"] if c["result"] == "passed"}
        assert {"signature", "report_data", "claims", "key binding",
                "certificate"} <= passed
        assert "debug" in v["failed"]
    csr = SNP / "steward-milan-v2-authorkey.csr.der"
    policy = accept(tenant, csr, "require_alias_check = false",
                    "minimum_tcb = { milan = {} }")
    v = verdict(tenant, csr, "--policy", policy, "--time", "2022-10-17",
                status=0)
    assert v["expires"] == "2023-05-09T23:00:00Z"


def openssl(*args, data=None):
    r = subprocess.run(["openssl", *map(str, args)], input=data,
                       capture_output=True, check=True)
    return r.stdout


def make_key(path):
    """A P-256 key; its SubjectPublicKeyInfo."""
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out",
            path)
    return openssl("pkey", "-in", path, "-pubout", "-outform", "DER")


def make_certificate(path, key, extensions):
    args = [w for oid, value in extensions.items()
            for w in ("-addext", f"{oid}=DER:{value.hex(':')}")]
    openssl("req", "-x509", "-new", "-key", key, "-out", path, "-days", "2",
            "-subj", "/CN=x", *args)


@contextlib.contextmanager
def tls_server(cert, key):
    """HOST:PORT of a server that makes handshakes."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                peer = listener.accept()[0]
            except OSError:
                return
            try:
                with context.wrap_socket(peer, server_side=True) as s:
                    s.recv(1)
            except OSError:
                pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield "127.0.0.1:%d" % listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(20)


def test_a_tls_server_is_judged_by_its_certificate(tenant, tmp_path):
    """A key of ours under somebody's evidence: it is bound to another."""
    evidence = openssl("x509", "-in", SGX / "ratls-rats-tls.cert.pem",
                       "-outform", "DER")
    at = evidence.index(b"\x06\x06\x67\x81\x05\x05\x04\x09")
    octets = evidence[at + 8:]
    length = int.from_bytes(octets[2:4], "big")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    make_key(key)
    make_certificate(cert, key,
                     {"2.23.133.5.4.9": octets[4:4 + length]})
    with tls_server(cert, key) as server:
        v = verdict(tenant, server, status=122)
    assert "key binding" in v["failed"] and "report_data" not in v["failed"]
    r = tenant.donjon("verify", server)
    assert r.returncode == 123, r.stderr


def raw_signature(key, message):
    """r || s of ECDSA P-256."""
    der = openssl("dgst", "-sha256", "-sign", key, data=message)
    numbers, at = b"", 2
    for _ in range(2):
        n = der[at + 2:at + 2 + der[at + 1]]
        numbers += n[-32:].rjust(32, b"\0")
        at += 2 + der[at + 1]
    return numbers


def software_evidence(root, root_spki, key_spki):
    """docs/protocol.md, Software evidence: [evidence, claims], tagged."""
    def digest(b):
        return hashlib.sha256(b).digest()
    claims = (b"\xa3\x65nonce\x58\x20" + bytes(32) + b"\x65owner\x58\x20" +
              bytes(32) + b"\x6bpubkey-hash\x58\x24\x82\x01\x58\x20" +
              digest(key_spki))
    evidence = (b"DJSWEVID" + struct.pack("<IIQQ", 1, 1, 0, 0) +
                digest(claims) + bytes(32) + b"\x33" * 48 + bytes(32) +
                digest(root_spki) + bytes(16))
    evidence += raw_signature(root, evidence)
    assert len(evidence) == 288
    return (b"\xda\x44\x4a\x53\x57\x82\x59\x01\x20" + evidence +
            b"\x58" + bytes([len(claims)]) + claims)


def test_a_tls_server_that_holds_the_attested_key_is_accepted(tenant,
                                                              tmp_path):
    root, key, cert = (tmp_path / n for n in ("root", "key", "cert"))
    root_spki, key_spki = make_key(root), make_key(key)
    make_certificate(cert, key, {
        "2.23.133.5.4.9": software_evidence(root, root_spki, key_spki),
        "2.23.133.5.4.2": root_spki})
    policy = tmp_path / "policy.toml"
    policy.write_text(
        f'software = ["{hashlib.sha256(root_spki).hexdigest()}"]\n'
        f'[process]\nmeasurements = ["{"33" * 48}"]\n')
    with tls_server(cert, key) as server:
        v = verdict(tenant, server, "--policy", policy, status=0)
        passed = {c["name"] for c in v["checks"] if c["result"] == "passed"}
        assert {"key binding", "certificate", "signature"} <= passed
        assert v["technology"] == "process" and not v["confidential"]
        v = verdict(tenant, server, status=122)  # nobody named that root
        assert "software root" in v["failed"]
    # The same certificate in a file, and the text for people.
    text = tenant.donjon("verify", cert, "--policy", policy).stdout.decode()
    assert text.startswith("accepted: process, NOT CONFIDENTIAL\n")
    lines = text.splitlines()
    at = next(i for i, l in enumerate(lines) if " measurement " in l)
    assert "33" * 48 in lines[at] and "required" in lines[at + 1]


def test_what_is_no_evidence_is_an_input_error(tenant, tmp_path):
    junk = tmp_path / "junk"
    junk.write_bytes(b"\x00\x01junk")
    for args in ([junk], [tmp_path / "nothing"], [tmp_path],
                 [PHALA, "--time", "yesterday"],
                 [PHALA, "--endorsements", junk],
                 [PHALA, "--endorsements", tmp_path / "nothing"]):
        r = tenant.donjon("verify", *args)
        assert r.returncode == 121 and r.stdout == b"", (args, r.stderr)


def test_policies_are_explained(tenant):
    policy = accept(tenant, TURIN, 'products = ["turin"]',
                    'chip_ids = ["59790fb1c39f35c1"]')
    text = tenant.donjon("policy", "explain", policy).stdout.decode()
    assert "processor must be turin, genuine" in text
    assert "59790fb1c39f35c1" in text and "milan" not in text
    text = tenant.donjon("policy", "explain").stdout.decode()
    assert "process: accepted when it measures" in text
    r = tenant.donjon("policy", "init", policy)
    assert r.returncode == 121 and b"--force" in r.stderr


def test_a_policy_is_replaced_whole_or_not_at_all(tenant, out):
    policy = accept(tenant, TURIN, 'products = ["turin"]')
    before = policy.read_bytes()
    policy.chmod(0o640)
    argv = [out / "bin/donjon", "policy", "init", "--force"]

    def no_room():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (16, 16))

    for path in (policy, tenant.folder / "other.toml"):
        r = subprocess.run([*argv, path], stderr=subprocess.PIPE,
                           preexec_fn=no_room, check=False)
        assert r.returncode == 123 and b"large" in r.stderr, r.stderr
    assert policy.read_bytes() == before
    assert not list(tenant.folder.glob("*.toml.*"))
    assert not (tenant.folder / "other.toml").exists()
    full = subprocess.run([*argv, "/dev/full"], stderr=subprocess.PIPE,
                          check=False)
    assert full.returncode == 123 and Path("/dev/full").is_char_device()
    subprocess.run([*argv, policy], check=True)
    assert policy.read_bytes() != before
    assert policy.stat().st_mode & 0o777 == 0o640


def test_launches_are_measured_from_a_description(tenant):
    wanted = {v["name"]: v for v in json.loads(
        (SNP / "measure/expected.json").read_text())}
    launch = tenant.folder / "launch.toml"
    for v in wanted.values():
        if v["kernel"] is not None:
            extra = (f'kernel = "{v["kernel"]}"\ninitrd = "{v["initrd"]}"\n'
                     f'append = "{v["append"]}"\n')
        else:
            extra = ""
        if v["ovmf_hash"]:
            extra += f'ovmf_hash = "{v["ovmf_hash"]}"\n'
        launch.write_text(
            f'[snp]\novmf = "{SNP}/measure/{v["ovmf"]}"\n'
            f'vcpus = {v["vcpus"]}\nvmm = "{v["vmm"].lower()}"\n'
            f'cpu_signature = {v["vcpu_sig"] or 0}\n'
            f'sev_features = {v["guest_features"]}\n{extra}')
        r = tenant.donjon("measure", "--launch", launch, "--json")
        assert r.returncode == 0, r.stderr
        assert json.loads(r.stdout)["snp"] == v["expected_launch_digest"], v
    r = tenant.donjon("measure", "--launch", launch, "-v")
    assert r.stdout.count(b"zero ") > 20 and b"vmsa " in r.stdout
    launch.write_text('[snp]\novmf = "nothing"\n')
    r = tenant.donjon("measure", "--launch", launch)
    assert r.returncode == 121 and b"launch.toml:2:" in r.stderr
    launch.write_text('[snp]\npages = []\n')
    assert tenant.donjon("measure", "--launch", launch).returncode == 121


# --- collateral -------------------------------------------------------------

class Services(http.server.BaseHTTPRequestHandler):
    """What AMD and Intel serve, out of the vectors; `lies` replaces some."""
    lies, asked = {}, []

    def do_GET(self):
        cls, url = type(self), urllib.parse.urlsplit(self.path)
        cls.asked.append(self.path)
        query = urllib.parse.parse_qs(url.query)
        quoted = {}
        if url.path.startswith("/vcek/v1/Turin/59790fb1c39f35c1"):
            assert query["fmcSPL"] == ["01"] and query["ucodeSPL"] == ["81"]
            body = (SNP / "ms-turin-v5.vcek.der").read_bytes()
        elif url.path == "/vcek/v1/Milan/crl":
            body = (ROOTS / "ark_milan.crl.der").read_bytes()
        elif url.path == "/tdx/certification/v4/tcb":
            assert query["fmspc"] == ["b0c06f000000"]
            body = (PHALA_SET / "tcb_info.json").read_bytes()
            quoted["TCB-Info-Issuer-Chain"] = "tcb_signing_chain.pem"
        elif url.path == "/tdx/certification/v4/qe/identity":
            body = (PHALA_SET / "qe_identity.json").read_bytes()
            quoted["SGX-Enclave-Identity-Issuer-Chain"] = \
                "qe_identity_signing_chain.pem"
        elif url.path == "/sgx/certification/v4/pckcrl":
            assert query["ca"] == ["platform"]
            body = (PHALA_SET / "pck.crl").read_bytes()
            quoted["SGX-PCK-CRL-Issuer-Chain"] = "pck_crl_issuer_chain.pem"
        elif url.path == "/sgx/certification/v4/rootcacrl":
            body = (PHALA_SET / "root_ca.crl").read_bytes().hex().encode()
        else:
            self.send_error(404)
            return
        body = cls.lies.get(url.path, body)
        self.send_response(200)
        for name, file in quoted.items():
            path = PHALA_SET / file
            if not path.exists():
                path = SETS / "tdx-90c06f000000-2025-02" / file
            self.send_header(name, urllib.parse.quote(path.read_text()))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def services():
    class Own(Services):
        lies, asked = {}, []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Own)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,),
                              daemon=True)
    thread.start()
    Own.url = f"http://127.0.0.1:{server.server_port}"
    yield Own
    server.shutdown()
    server.server_close()
    thread.join(20)


def test_the_services_may_be_https_of_ones_own_authority(tenant, services,
                                                         tmp_path):
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    make_key(key)
    openssl("req", "-x509", "-new", "-key", key, "-out", cert, "-days", "2",
            "-subj", "/CN=localhost", "-addext",
            "subjectAltName=IP:127.0.0.1")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), services)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,),
                              daemon=True)
    thread.start()
    url = f"https://127.0.0.1:{server.server_port}"
    args = ["collateral", "update", "--kds", url, "--pcs", url, PHALA]
    r = tenant.donjon(*args)
    assert r.returncode != 0 and cached(tenant) == {}
    r = tenant.donjon(*args, "--ca", cert)
    assert r.returncode == 0, r.stderr
    assert "intel-tdx-b0c06f000000.json" in cached(tenant)
    # TLS makes nobody a vendor: what is not signed stays out.
    services.lies["/tdx/certification/v4/tcb"] = b"{}"
    r = tenant.donjon(*args, "--ca", cert, "--cache", tenant.folder / "new")
    assert r.returncode in (121, 122)
    assert not (tenant.folder / "new/intel-tdx-b0c06f000000.json").exists()
    server.shutdown()
    server.server_close()
    thread.join(20)


def update(tenant, services, *args):
    return tenant.donjon("collateral", "update", "--kds", services.url,
                         "--pcs", services.url, *args)


def cached(tenant):
    r = tenant.donjon("collateral", "show", "--json")
    assert r.returncode == 0, r.stderr
    return {e["name"]: e for e in json.loads(r.stdout)}


def test_collateral_is_fetched_cached_and_used(tenant, services):
    assert cached(tenant) == {}
    assert b"empty: donjon collateral update" in tenant.donjon(
        "collateral", "show").stderr
    r = update(tenant, services)
    assert r.returncode == 121 and b"nothing to update" in r.stderr
    r = update(tenant, services, PHALA)
    assert r.returncode == 0, r.stderr
    assert set(cached(tenant)) == {
        "intel-root.crl", "intel-pck-platform.crl", "intel-pck-platform.pem",
        "intel-tdx-b0c06f000000.json", "intel-tdx-qe.json",
        "intel-tcb-signing.pem"}
    entry = cached(tenant)["intel-tdx-b0c06f000000.json"]
    assert entry["state"] == "expired" and entry["to"].startswith("2025-07")
    policy = accept(tenant, PHALA)
    verdict(tenant, PHALA, "--padded", "--policy", policy, "--time",
            JUNE_2025, status=0)
    del services.asked[:]
    r = update(tenant, services)  # what there is, anew
    assert r.returncode == 0 and len(services.asked) == 4, services.asked


def test_certificates_of_chips_are_fetched(tenant, services):
    r = update(tenant, services, TURIN)
    assert r.returncode == 121 and b"Turin/crl" in r.stderr  # none is public
    assert len(cached(tenant)) == 1
    policy = accept(tenant, TURIN, 'crl = "optional"')
    verdict(tenant, TURIN, "--policy", policy, "--time", MARCH_2026, status=0)


def test_what_no_vendor_signed_gets_into_no_cache(tenant, services):
    tcb = (PHALA_SET / "tcb_info.json").read_bytes()
    path = "/tdx/certification/v4/tcb"
    for lie in (tcb.replace(b"UpToDate", b"OutOfDat", 1), b"{}", b"", tcb[:99],
                (PHALA_SET / "qe_identity.json").read_bytes()[:-9]):
        services.lies[path] = lie
        r = update(tenant, services, PHALA)
        assert r.returncode in (121, 122), r.stderr
        assert "intel-tdx-b0c06f000000.json" not in cached(tenant)
    services.lies.clear()
    services.lies["/sgx/certification/v4/rootcacrl"] = \
        (ROOTS / "ark_milan.crl.der").read_bytes()[:-1] + b"\x00"
    assert update(tenant, services, PHALA).returncode == 122


def test_a_cache_moves_to_a_machine_without_a_network(tenant, services):
    assert update(tenant, services, PHALA).returncode == 0
    away, other = tenant.folder / "away", tenant.folder / "other"
    assert tenant.donjon("collateral", "export", away).returncode == 0
    r = tenant.donjon("collateral", "import", away, "--cache", other)
    assert r.returncode == 0, r.stderr
    names = sorted(p.name for p in other.iterdir())
    assert names == sorted(cached(tenant))
    policy = accept(tenant, PHALA)
    verdict(tenant, PHALA, "--padded", "--policy", policy, "--cache", other,
            "--time", JUNE_2025, status=0)


def test_an_older_list_takes_nobodys_place(tenant):
    cache = tenant.folder / "cache-of-two"
    new, old = (SETS / f"tdx-b0c06f000000-{d}" for d in ("2026-08", "2025-06"))
    for folder in (new, old):
        r = tenant.donjon("collateral", "import", folder, "--cache", cache)
        assert r.returncode == 0, r.stderr
    kept = (cache / "intel-tdx-b0c06f000000.json").read_bytes()
    assert kept == (new / "tcb_info.json").read_bytes()
    assert b"a newer one is there" in r.stderr
