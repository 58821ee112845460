# SPDX-License-Identifier: Apache-2.0
"""The examples, built by their toolchains and run in Keeps.

A toolchain that is not there is installed with DONJON_ALL=1; else its example
is skipped by name.
"""
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from net import Field, client_tls, dial
from ports import free_port

REPO = Path(__file__).resolve().parents[2]
EXAMPLES = REPO / "examples"
DATA = EXAMPLES / "data/payroll.txt"
ALL = "DONJON_ALL" in os.environ
PYTHON = Path(os.environ.get("DONJON_SHARED", "../shared")).resolve() / \
    "modules/python.wasm"

pytestmark = pytest.mark.skipif("DONJON_SANITIZED" in os.environ,
                                reason="other programs, the same Keep")


@pytest.fixture(scope="module")
def field(out, tmp_path_factory):
    f = Field(out, tmp_path_factory.mktemp("examples"))
    yield f
    f.close()


def build(out, language):
    """The example's module.  Python takes minutes to build: with the shared
    modules one that was built before."""
    ready = []
    if language == "python" and not ALL and PYTHON.exists():
        ready = [f"PYTHON={PYTHON}"]
    elif not ALL:
        r = subprocess.run([EXAMPLES / "toolchain", "--check", language],
                           capture_output=True, text=True)
        if r.returncode:
            pytest.skip(f"{language}: {r.stdout.strip()} (DONJON_ALL=1)")
    r = subprocess.run(["make", "-s", "-C", EXAMPLES / language, f"O={out}",
                        *ready],
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       timeout=1800)
    assert r.returncode == 0, r.stdout.decode()[-4000:]
    return out / f"examples/{language}.wasm"


@pytest.mark.parametrize("language,said", [
    ("c", "hello from inside a Keep"),
    ("cpp", "hello from C++ inside a Keep"),
    ("rust", "hello from Rust inside a Keep"),
    ("assemblyscript", "hello from AssemblyScript inside a Keep"),
    ("zig", "hello from Zig inside a Keep"),
    ("python", "hello from Python inside a Keep"),
    ("javascript", "hello from JavaScript inside a Keep"),
    ("lua", "hello from Lua inside a Keep"),
    ("threads", "hello from 5 threads inside a Keep"),
])
def test_the_payroll_is_added_up_in_every_language(field, out, language, said):
    module = build(out, language)
    r = field.run("--config", EXAMPLES / language / "Donjon.toml", module,
                  stdin=DATA.read_bytes())
    assert r.stdout.decode() == f"{said}\n3 people earn 12500\n", r
    assert r.returncode == 0


def serve(field, language, module, ready):
    """Runs a server of the examples at a port of ours."""
    port = free_port()
    text = (EXAMPLES / language / "Donjon.toml").read_text()
    assert "port = 8443\n" in text
    config = field.folder / f"{language}.toml"
    config.write_text(text.replace("port = 8443", f"port = {port}\n"
                                   'addr = "127.0.0.1"'))
    p = field.start("--quiet", "--config", config, module,
                    stderr=subprocess.STDOUT)
    assert p.stdout.readline() == ready, field.agent.read_log()
    return p, port


def test_gos_http_server_answers_curl(field, out):
    p, port = serve(field, "go", build(out, "go"), b"listening\n")

    def curl(path, *more):
        r = subprocess.run(["curl", "-sSk", "--max-time", "30", *more,
                            f"https://127.0.0.1:{port}{path}"],
                           capture_output=True)
        assert r.returncode == 0, r.stderr
        return r.stdout.decode()
    for n in range(1, 4):
        assert curl("/ada") == \
            f"hello ada from Go inside a Keep, visit {n}\n"
    assert curl("/sum", "--data-binary", f"@{DATA}") == \
        "3 people earn 12500\n"
    assert "404" in curl("/no/where")
    # Many at a time, on connections that stay.
    conns = [dial(port, client_tls()) for _ in range(20)]
    for turn in range(3):
        for s in conns:
            s.sendall(b"GET /x HTTP/1.1\r\nHost: k\r\n\r\n")
        for s in conns:
            answer = b""
            while b"inside a Keep" not in answer:
                more = s.recv(4096)
                assert more
                answer += more
    for s in conns:
        s.close()
    assert field.end(p)[0] == 143


def test_guests_of_two_languages_chat(field, out):
    p, port = serve(field, "chat", build(out, "chat"), b"open\n")
    with dial(port, client_tls()) as s:
        der = s.getpeercert(binary_form=True)
    pem = subprocess.run(["openssl", "x509", "-inform", "DER", "-noout",
                          "-pubkey"], input=der, capture_output=True,
                         check=True).stdout
    spki = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"],
                          input=pem, capture_output=True, check=True).stdout
    key = hashlib.sha256(spki).hexdigest()

    def guest(name, with_key=key, **more):
        program = ([sys.executable, EXAMPLES / "chat/client.py"]
                   if name == "ada" else [out / "examples/chat-client"])
        return subprocess.Popen([*program, "127.0.0.1", str(port), with_key,
                                 name], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)
    # Who is not the Keep that was verified is not spoken to.
    for name in ("ada", "alan"):
        r = guest(name, "00" * 32)
        assert "not the Keep" in r.communicate(timeout=60)[1].decode()
    ada, alan = guest("ada"), guest("alan")
    for name, g in (("ada", ada), ("alan", alan)):
        assert g.stdout.readline() == b"*: welcome %s\n" % name.encode()
    alan.stdin.write(b"anybody?\n")
    alan.stdin.flush()
    assert ada.stdout.readline() == b"alan: anybody?\n"
    ada.stdin.write(b"hello alan\n")
    ada.stdin.flush()
    assert alan.stdout.readline() == b"ada: hello alan\n"
    ada.stdin.close()
    assert alan.stdout.readline() == b"ada: left\n"
    alan.stdin.close()
    for g in (ada, alan):
        assert g.wait(60) == 0, g.stderr.read()
    field.end(p)
