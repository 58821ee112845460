# SPDX-License-Identifier: Apache-2.0
"""The host agent by itself: its HTTP API, its limits, its life cycle.

Most of it runs against fake_keep.py instead of donjon-keep: a loader that
does what the ask's nonce tells it, hostile things included.
"""
import base64
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import time
from pathlib import Path

import pytest

from conftest import Agent, alive, signal_all
from tenant import wait_for

FAKE = Path(__file__).resolve().parent / "fake_keep.py"
TOKEN = "correct-horse-battery-staple"
MIB = 1 << 20


def ask(part="", **more):
    """An ask whose Keep plays that part."""
    nonce = (part + ".").encode().ljust(32, b"\0") if part else bytes(32)
    assert len(nonce) == 32, part
    body = {"tee": "process", "nonce": nonce.hex(),
            "owner_key_hash": "ab" * 32, "memory": 64 * MIB, **more}
    return {k: v for k, v in body.items() if v is not None}


@pytest.fixture
def fakes(agents, tmp_path):
    """Agents whose loader is fake_keep.py."""
    image = tmp_path / "images/process/exec"
    image.parent.mkdir(parents=True)
    shutil.copy("/bin/true", image)

    def start(*flags, name="fake", **how):
        return agents(name, "--keep-program", FAKE, "--images",
                      tmp_path / "images", *flags, **how)

    return start


@pytest.fixture
def fake(fakes):
    return fakes()


def keep(agent, part="", **more):
    """A Keep that is attested: its id."""
    status, body = agent.call("POST", "/v1/keeps", ask(part, **more))
    assert status == 201, body
    return body["id"]


def state(agent, ident):
    status, body = agent.call("GET", f"/v1/keeps/{ident}")
    assert status == 200, body
    return body


def ended(agent, ident):
    return wait_for(lambda: state(agent, ident)["state"] == "ended" and
                    state(agent, ident))


def freed(agent, ident, held):
    """The Keep has ended and its quota is free again."""
    ended(agent, ident)
    wait_for(lambda: f"\ndonjon_keeps_held {held}\n" in
             agent.call("GET", "/metrics")[1])


def error(result, status, kind):
    assert result[0] == status, result
    assert result[1]["error"]["kind"] == kind, result
    assert result[1]["error"]["text"], result
    return result[1]["error"]["text"]


def connect(agent, how="unix"):
    if how == "unix":
        s = socket.socket(socket.AF_UNIX)
        s.connect(agent.unix)
    else:
        host, port = agent.tcp.rsplit(":", 1)
        s = socket.create_connection((host, int(port)))
    s.settimeout(60)
    return s


UPGRADE = ("GET /v1/keeps/{}/channel HTTP/1.1\r\nHost: x\r\n"
           "Connection: Upgrade\r\nUpgrade: donjon-keep/1\r\n\r\n")


def head(s):
    """Reads the head of an answer, and not a byte more."""
    data = b""
    while not data.endswith(b"\r\n\r\n"):
        more = s.recv(1)
        assert more, data
        data += more
    return data.decode()


def channel(agent, ident, how="unix", wrap=None, early=b""):
    s = connect(agent, how)
    if wrap:
        s = wrap(s)
    s.sendall(UPGRADE.format(ident).encode() + early)
    answer = head(s)
    assert answer.startswith("HTTP/1.1 101 "), answer
    assert "upgrade: donjon-keep/1\r\n" in answer.lower()
    return s


def rest(s):
    data = b""
    while True:
        more = s.recv(65536)
        if not more:
            return data
        data += more


def echoes(s, data=b"hello"):
    s.sendall(data)
    got = b""
    while len(got) < len(data):
        more = s.recv(65536)
        assert more, "the channel ended"
        got += more
    assert got == data


def serves(agent):
    assert agent.call("GET", "/healthz") == (200, {"status": "ok"})


# --- the API ----------------------------------------------------------------


def test_a_keep_from_ask_to_end(fake):
    status, body = fake.call("POST", "/v1/keeps", ask())
    assert status == 201
    ident = body["id"]
    assert re.fullmatch("[0-9a-f]{32}", ident)
    assert body["state"] == "attested" and body["tee"] == "process"
    assert body["software"] is True and body["memory"] == 64 * MIB
    assert body["owner_key_hash"] == "ab" * 32
    assert abs(body["created"] - time.time()) < 3600
    assert body["claims"] == "Y2xhaW1z" and body["endorsements"] == "cm9vdA=="
    assert body["evidence"] and body["certificate"]
    assert state(fake, ident) == body
    listed = fake.call("GET", "/v1/keeps")[1]["keeps"]
    without = {k: v for k, v in body.items() if k not in
               ("claims", "evidence", "endorsements", "certificate")}
    assert listed == [without]
    assert fake.call("DELETE", f"/v1/keeps/{ident}") == (204, None)
    last = ended(fake, ident)
    assert last["reason"] == "stopped" and last["ended"] >= last["created"]
    assert "evidence" not in last
    # To end what has ended is no error.
    assert fake.call("DELETE", f"/v1/keeps/{ident}") == (204, None)


def test_memory_that_is_not_said(fakes):
    a = fakes(name="b")
    assert state(a, keep(a, memory=None))["memory"] == 1024 * MIB
    b = fakes("--keep-memory", "32M", name="c")
    assert state(b, keep(b, memory=None))["memory"] == 32 * MIB


def test_evidence_of_20_kilobytes(fake):
    assert len(state(fake, keep(fake, "full"))["evidence"]) > 26000


@pytest.mark.parametrize("method,path,status,allow", [
    ("GET", "/", 404, None), ("GET", "/v1", 404, None),
    ("GET", "/healthz/", 404, None), ("GET", "/healthz%00", 404, None),
    ("GET", "/v1/keeps/", 404, None), ("GET", "/v1/keeps/xyz", 404, None),
    ("GET", "/v1/keeps/" + "0" * 32, 404, None),
    ("DELETE", "/v1/keeps/" + "0" * 32, 404, None),
    ("GET", "/v1/keeps/" + "0" * 32 + "/channel", 404, None),
    ("GET", "/v1/keeps/" + "0" * 33, 404, None),
    ("GET", "/v1/keeps/" + "A" * 32, 404, None),
    ("POST", "/healthz", 405, "GET"), ("HEAD", "/metrics", 405, "GET"),
    ("PUT", "/v1/keeps", 405, "GET, POST"),
    ("OPTIONS", "/v1/keeps", 405, "GET, POST"),
    ("POST", "/v1/keeps/" + "0" * 32, 405, "GET, DELETE"),
    ("POST", "/v1/keeps/" + "0" * 32 + "/channel", 405, "GET"),
])
def test_what_is_not_there(fake, method, path, status, allow):
    c = fake.connection()
    c.request(method, path)
    r = c.getresponse()
    assert r.status == status
    assert r.getheader("Allow") == allow
    data = r.read()
    if method != "HEAD":
        assert json.loads(data)["error"]["kind"] == "input"
    c.close()


HASH = "ab" * 32
BAD_ASKS = {
    "nothing": "", "no JSON": "ask", "not an object": "[]",
    "a string": '"x"', "an open brace": '{"tee":"process"',
    "bytes after it": json.dumps(ask()) + "x",
    "not UTF-8": b'{"tee":"\xff"}', "a NUL": b'{"tee":"a\\u0000b"}',
    "two of one key": json.dumps(ask())[:-1] + ',"tee":"process"}',
    "an unknown member": json.dumps(ask(root="/etc/passwd")),
    "deep": "[" * 5000, "no tee": ask(tee=None), "tee a number": ask(tee=1),
    "tee empty": ask(tee=""), "tee unknown": ask(tee="abacus"),
    "tee a path": ask(tee="../process"), "tee long": ask(tee="p" * 400),
    "no nonce": ask(nonce=None), "nonce short": ask(nonce="ab"),
    "nonce long": ask(nonce="ab" * 33), "nonce no hex": ask(nonce="zz" * 32),
    "no owner": ask(owner_key_hash=None),
    "owner null": {**ask(), "owner_key_hash": None},
    "memory a string": ask(memory="1G"), "memory negative": ask(memory=-1),
    "memory a fraction": ask(memory=1.5 * MIB), "memory zero": ask(memory=0),
    "memory below 16 MiB": ask(memory=16 * MIB - 1),
    "memory 2^63": json.dumps(ask())[:-1].replace(
        str(64 * MIB), str(1 << 63)) + "}",
    "platform unknown": ask(platform="cloud"),
    "hardware of a software technology": ask(platform="hardware"),
    "listen no array": ask(listen=80), "listen not empty": ask(listen=[80]),
}


@pytest.mark.parametrize("name", BAD_ASKS)
def test_an_ask_that_is_malformed(fake, name):
    error(fake.call("POST", "/v1/keeps", BAD_ASKS[name]), 400, "input")
    assert fake.call("GET", "/v1/keeps") == (200, {"keeps": []})
    assert not fake.children()


def test_auto_takes_what_there_is(fake):
    assert state(fake, keep(fake, tee="auto"))["tee"] == "process"
    assert state(fake, keep(fake, platform="software",
                            listen=[]))["software"] is True
    if not fake.call("GET", "/v1/platform")[1]["technologies"][0][
            "confidential"]:
        text = error(fake.call("POST", "/v1/keeps",
                               ask(tee="auto", platform="hardware")),
                     503, "host")
        assert "hardware" in text


def test_platform(fake):
    status, body = fake.call("GET", "/v1/platform")
    assert status == 200
    assert set(body) == {"version", "software_root", "auto", "technologies"}
    assert re.fullmatch("[0-9a-f]{64}", body["software_root"])
    process = [t for t in body["technologies"] if t["name"] == "process"][0]
    assert process["available"] and process["software"]
    assert not process["confidential"]
    assert set(process) == {"name", "available", "confidential", "software",
                            "detail", "missing"}
    # The same root the next time.
    assert fake.call("GET", "/v1/platform")[1] == body


def test_no_image_no_keep(fakes, tmp_path):
    with pytest.raises(RuntimeError, match="--images .*No such file"):
        fakes("--images", tmp_path / "nothing")
    (tmp_path / "empty").mkdir()
    a = fakes("--images", tmp_path / "empty")
    assert 'event="no Keep can be started"' in a.read_log()
    error(a.call("POST", "/v1/keeps", ask()), 503, "host")
    error(a.call("POST", "/v1/keeps", ask(tee="auto")), 503, "host")
    assert a.call("GET", "/v1/platform")[1]["auto"] is None


def test_a_damaged_image_is_named_at_the_start(fakes, tmp_path):
    image = tmp_path / "images/process/exec"
    a = fakes()
    assert "level=warn" not in a.read_log()
    a.stop()
    image.write_bytes(image.read_bytes()[:5000])
    a = fakes(name="damaged")
    assert re.search(f'damaged Keep image" tee=process why="{image}: cut off',
                     a.read_log())
    text = error(a.call("POST", "/v1/keeps", ask()), 503, "host")
    assert f"{image}: cut off" in text


@pytest.mark.parametrize("what,status,text", [
    ("no PEM", 121, "key file {}: private key: not PEM"),
    ("another curve", 121, "{}: not a P-256 key"),
    ("readable by others", 122, "key file {}: others may read it: chmod 600"),
    ("a folder", 121, "key file {}: not a regular file"),
    ("below a file", 121, "key file {}: Not a directory"),
    ("nobody's to make", 123, "key file {}: make folder /proc/nowhere: "),
])
def test_a_bad_root_key_is_named_at_the_start(out, tmp_path, what, status,
                                              text):
    key = tmp_path / "root.pem"
    if what == "a folder":
        key.mkdir()
    elif what == "below a file":
        key.write_text("")
        key = key / "root.pem"
    elif what == "nobody's to make":
        key = "/proc/nowhere/root.pem"
    elif what == "no PEM":
        key.write_text("secret?\n")
        key.chmod(0o600)
    else:
        curve = "P-384" if what == "another curve" else "P-256"
        subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt",
                        f"ec_paramgen_curve:{curve}", "-out", key],
                       check=True, capture_output=True)
        key.chmod(0o644 if what == "readable by others" else 0o600)
    r = subprocess.run([out / "bin/donjond", "--root", key, "--unix",
                        tmp_path / "s", "--keep-program", FAKE, "--images",
                        out / "keep"], stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, timeout=60)
    said = r.stdout.decode()
    assert r.returncode == status, said
    assert "--root: software root: " + text.format(key) in said
    assert "event=ready" not in said and "secret" not in said
    assert not (tmp_path / "s").exists()


def test_no_loader_no_agent(out, tmp_path):
    with pytest.raises(RuntimeError, match="No such file"):
        Agent(out, tmp_path / "x", "--keep-program", "/nonexistent")


def test_a_loader_that_cannot_run(fakes, tmp_path):
    bad = tmp_path / "bad"
    bad.write_text("#!/nonexistent\n")
    bad.chmod(0o755)
    a = fakes("--keep-program", bad)
    text = error(a.call("POST", "/v1/keeps", ask()), 500, "host")
    assert "could not be started" in text
    serves(a)


def test_an_answer_is_not_for_caches_nor_for_web_pages(fake):
    c = fake.connection()
    c.request("GET", "/v1/keeps")
    r = c.getresponse()
    assert r.getheader("Cache-Control") == "no-store"
    assert r.getheader("Content-Type") == "application/json"
    c.close()
    error(fake.call("POST", "/v1/keeps", ask(),
                    {"Origin": "http://localhost"}), 401, "denied")
    error(fake.call("GET", "/healthz", None, {"Origin": "null"}),
          401, "denied")


# --- HTTP that is none ------------------------------------------------------


@pytest.mark.parametrize("data", [
    b"\0" * 100, b"\x16\x03\x01\x02\x00\x01\x00", b"GET\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n", b"GET /healthz HTTP/1.1\r\n\r\n",
    b"POST /v1/keeps HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
    b"POST /v1/keeps HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"POST /v1/keeps HTTP/1.1\r\nHost: x\r\n"
    b"Content-Length: 99999999999999999999999\r\n\r\n",
    b"POST /v1/keeps HTTP/1.1\r\nHost: x\r\n"
    b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"POST /v1/keeps HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n"
    b"Content-Length: 3\r\n\r\n{}x",
    b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 10000 + b"\r\n",
], ids=range(12))
def test_malformed_http(fake, data):
    s = connect(fake)
    try:
        s.sendall(data)
        # Without a line there is no answer before the patience ends.
        answer = rest(s) if b"\n" in data else b""
    except (BrokenPipeError, ConnectionResetError):
        answer = b""
    assert not answer.startswith(b"HTTP/1.1 20"), answer
    s.close()
    serves(fake)
    assert fake.call("GET", "/v1/keeps") == (200, {"keeps": []})


def test_a_request_cut_at_every_byte(fake):
    body = json.dumps(ask()).encode()
    whole = (b"POST /v1/keeps HTTP/1.1\r\nHost: x\r\nContent-Length: %d"
             b"\r\n\r\n" % len(body)) + body
    for n in range(len(whole)):
        s = connect(fake)
        s.sendall(whole[:n])
        s.close()
    serves(fake)
    assert fake.call("GET", "/v1/keeps") == (200, {"keeps": []})


def test_requests_in_a_row_on_one_connection(fake):
    s = connect(fake)
    s.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 50)
    for _ in range(50):
        answer = head(s)
        assert answer.startswith("HTTP/1.1 200 ")
        length = int(re.search(r"(?i)content-length: (\d+)", answer)[1])
        while length:
            length -= len(s.recv(length))
    s.close()


def test_a_body_that_claims_10_gigabytes(fake):
    s = connect(fake)
    s.sendall(b"POST /v1/keeps HTTP/1.1\r\nHost: x\r\n"
              b"Content-Length: 10000000000\r\n\r\n{")
    assert head(s).startswith("HTTP/1.1 413 ")
    s.close()
    serves(fake)


@pytest.mark.parametrize("size", [65537, 200000])
def test_a_body_over_64_kilobytes(fake, size):
    error(fake.call("POST", "/v1/keeps", "x" * size), 413, "limit")
    error(fake.call("POST", "/v1/keeps", "x" * 65536), 400, "input")


def test_a_chunked_body_without_end(fake):
    s = connect(fake)
    s.sendall(b"POST /v1/keeps HTTP/1.1\r\nHost: x\r\n"
              b"Transfer-Encoding: chunked\r\n\r\n")
    with pytest.raises((BrokenPipeError, ConnectionResetError)):
        for _ in range(20000):
            s.sendall(b"1000\r\n" + b"x" * 4096 + b"\r\n")
    s.close()
    serves(fake)


def test_a_chunked_ask(fake):
    body = json.dumps(ask()).encode()
    s = connect(fake)
    s.sendall(b"POST /v1/keeps HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
              b"Transfer-Encoding: chunked\r\n\r\n" +
              b"".join(b"1\r\n%c\r\n" % c for c in body) + b"0\r\n\r\n")
    assert head(s).startswith("HTTP/1.1 201 ")
    s.close()


def test_clients_that_stall_are_no_obstacle(fake):
    stalled = []
    try:
        for i in range(700):
            s = connect(fake)
            s.sendall([b"", b"GET /healthz HT", b"POST /v1/keeps HTTP/1.1\r\n"
                       b"Host: x\r\nContent-Length: 10\r\n\r\n{"][i % 3])
            stalled.append(s)
        serves(fake)
        assert keep(fake)
    finally:
        for s in stalled:
            s.close()
    text = fake.call("GET", "/metrics")[1]
    assert int(re.search(r"(?m)^donjon_http_evicted_total (\d+)",
                         text)[1]) > 100


# --- limits -----------------------------------------------------------------


def test_too_many_keeps(fakes):
    a = fakes("--max-keeps", 2)
    first = keep(a)
    keep(a)
    text = error(a.call("POST", "/v1/keeps", ask()), 429, "limit")
    assert "2 of 2" in text
    a.call("DELETE", f"/v1/keeps/{first}")
    freed(a, first, 1)
    keep(a)


@pytest.fixture
def crowded(fakes):
    """An agent of one Keep, which has ended, but whose loader lingers; and
    somebody who asks for the next one and is not answered."""
    a = fakes("--max-keeps", 1)
    first = keep(a, "lingers")
    a.call("DELETE", f"/v1/keeps/{first}")
    ended(a, first)
    loader, = wait_for(lambda: [p for p in a.children()
                                if waits_for_its_cue(p)])
    c = a.connection()
    c.request("POST", "/v1/keeps", body=json.dumps(ask()))
    c.sock.settimeout(0.3)
    with pytest.raises(TimeoutError):
        c.sock.recv(1)
    c.sock.settimeout(60)
    yield a, loader, c
    c.close()


def test_who_asks_waits_for_what_an_ended_keep_still_holds(crowded):
    a, loader, c = crowded
    error(a.call("POST", "/v1/keeps", ask()), 429, "limit")  # one at a time
    os.kill(loader, signal.SIGUSR1)
    r = c.getresponse()
    assert r.status == 201
    assert state(a, json.loads(r.read())["id"])["state"] == "attested"
    assert "\ndonjon_keeps_refused_total 1\n" in a.call("GET", "/metrics")[1]


def test_a_lingering_loader_is_killed_for_who_waits(crowded):
    assert crowded[2].getresponse().status == 201


def test_who_waits_for_room_may_leave(crowded):
    a, loader, c = crowded
    c.close()
    wait_for(lambda: "\ndonjon_http_connections 1\n" in
             a.call("GET", "/metrics")[1])
    os.kill(loader, signal.SIGUSR1)
    wait_for(lambda: "\ndonjon_keeps_held 0\n" in
             a.call("GET", "/metrics")[1])
    keep(a)


def test_who_waits_for_room_is_told_that_the_agent_stops(crowded):
    a, _, c = crowded
    a.process.send_signal(signal.SIGTERM)
    a.process.send_signal(signal.SIGTERM)  # at once
    r = c.getresponse()
    assert r.status == 503 and b"stopping" in r.read()
    assert a.process.wait(60) == 0


def test_too_much_memory(fakes):
    a = fakes("--max-memory", "256M", "--keep-memory", "128M")
    error(a.call("POST", "/v1/keeps", ask(memory=128 * MIB + 1)),
          429, "limit")
    error(a.call("POST", "/v1/keeps", ask(memory=(1 << 63) - 1)),
          429, "limit")
    first = keep(a, memory=128 * MIB)
    keep(a, memory=64 * MIB)
    error(a.call("POST", "/v1/keeps", ask(memory=128 * MIB)), 429, "limit")
    a.call("DELETE", f"/v1/keeps/{first}")
    freed(a, first, 1)
    keep(a, memory=128 * MIB)


def test_too_many_channels(fake):
    ident = keep(fake)
    open_ = [channel(fake, ident) for _ in range(16)]
    assert state(fake, ident)["channels"] == 16
    s = connect(fake)
    s.sendall(UPGRADE.format(ident).encode())
    assert head(s).startswith("HTTP/1.1 429 ")
    s.close()
    open_.pop().close()
    wait_for(lambda: state(fake, ident)["channels"] == 15)
    echoes(channel(fake, ident))
    for s in open_:
        s.close()


def test_32_keeps_at_once(fake):
    connections = [fake.connection() for _ in range(32)]
    for c in connections:
        c.request("POST", "/v1/keeps", body=json.dumps(ask()))
    idents = set()
    for c in connections:
        r = c.getresponse()
        assert r.status == 201
        idents.add(json.loads(r.read())["id"])
        c.close()
    assert len(idents) == 32


# --- access -----------------------------------------------------------------


def token_file(folder, text=TOKEN + "\n", mode=0o600):
    path = folder / "token"
    path.write_text(text)
    path.chmod(mode)
    return path


def bearer(text):
    return {"Authorization": "Bearer " + text}


def test_the_token(fakes, tmp_path):
    a = fakes("--token-file", token_file(tmp_path), "--log-level", "debug")
    serves(a)
    for path in ("/metrics", "/v1/keeps", "/v1/platform", "/nothing"):
        error(a.call("GET", path), 401, "denied")
    for wrong in ("", "x", TOKEN[:-1], TOKEN + "x", TOKEN.upper(),
                  "x" * 10000):
        error(a.call("GET", "/v1/keeps", None, bearer(wrong)), 401, "denied")
        error(a.call("POST", "/v1/keeps", ask(), bearer(wrong)),
              401, "denied")
    error(a.call("GET", "/v1/keeps", None,
                 {"Authorization": "Basic " + TOKEN}), 401, "denied")
    assert a.call("GET", "/v1/keeps", None, bearer(TOKEN))[0] == 200
    status, body = a.call("POST", "/v1/keeps", ask(), bearer(TOKEN))
    assert status == 201
    s = connect(a)
    s.sendall(UPGRADE.format(body["id"]).encode())
    assert head(s).startswith("HTTP/1.1 401 ")
    s.close()
    assert a.call("GET", "/nothing", None, bearer(TOKEN))[0] == 404
    a.stop()
    assert TOKEN[:12] not in a.read_log()
    assert "ab" * 32 not in a.read_log()


@pytest.mark.parametrize("text,mode", [
    (TOKEN, 0o640), (TOKEN, 0o604), ("short", 0o600), ("", 0o600),
    (TOKEN + "\nmore\n", 0o600), (TOKEN + " x", 0o600), ("x" * 513, 0o600)])
def test_a_token_file_that_will_not_do(out, tmp_path, text, mode):
    path = token_file(tmp_path, text, mode)
    with pytest.raises(RuntimeError, match="token"):
        Agent(out, tmp_path / "x", "--token-file", path,
              "--keep-program", FAKE)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", cert,
         "-days", "30", "-subj", "/CN=localhost", "-addext",
         "subjectAltName=DNS:localhost,IP:127.0.0.1"],
        check=True, stderr=subprocess.DEVNULL)
    return cert, key


@pytest.mark.parametrize("flags", [[], ["token"], ["tls"]])
def test_off_loopback_needs_tls_and_a_token(out, tmp_path, certificate, flags):
    more = []
    if "token" in flags:
        more += ["--token-file", token_file(tmp_path)]
    if "tls" in flags:
        more += ["--tls-cert", certificate[0], "--tls-key", certificate[1]]
    for where in ("0.0.0.0:0", "[::]:0"):
        with pytest.raises(RuntimeError, match="off loopback|not supported"):
            Agent(out, tmp_path / "x", *more, "--keep-program", FAKE,
                  listen=[where])


def test_off_loopback_with_both(fakes, tmp_path, certificate):
    a = fakes("--token-file", token_file(tmp_path), "--tls-cert",
              certificate[0], "--tls-key", certificate[1],
              listen=["0.0.0.0:0"])
    assert a.tcp.startswith("0.0.0.0:")


@pytest.fixture
def secure(fakes, certificate):
    return fakes("--tls-cert", certificate[0], "--tls-key", certificate[1],
                 "--log-level", "debug", name="secure")


@pytest.fixture
def wrap(certificate):
    context = ssl.create_default_context(cafile=certificate[0])
    return lambda s: context.wrap_socket(s, server_hostname="localhost",
                                         suppress_ragged_eofs=False)


def curl(agent, certificate, *args):
    port = agent.tcp.rsplit(":", 1)[1]
    return subprocess.run(
        ["curl", "-sS", "--max-time", "30", "--cacert", certificate[0], *args,
         f"https://localhost:{port}/healthz"], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE)


@pytest.mark.parametrize("version,works", [
    (["--tlsv1.3"], True), (["--tlsv1.2", "--tls-max", "1.2"], True),
    (["--tlsv1.0", "--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0"],
     False)])
def test_versions_of_tls(secure, certificate, version, works):
    r = curl(secure, certificate, *version)
    assert (r.returncode == 0) == works, r.stderr
    if works:
        assert json.loads(r.stdout) == {"status": "ok"}
    serves(secure)


def test_no_plain_http_where_tls_is(secure):
    s = connect(secure, "tcp")
    s.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    try:
        assert b"HTTP" not in rest(s)
    except ConnectionResetError:
        pass
    s.close()


def test_tls_handshakes_cut_short(secure, wrap):
    hello = bytes.fromhex("16030100c5010000c10303") + bytes(198)
    for n in (0, 1, 5, 11, 100, len(hello)):
        s = connect(secure, "tcp")
        s.sendall(hello[:n])
        s.close()
    stalled = [connect(secure, "tcp") for _ in range(300)]
    s = wrap(connect(secure, "tcp"))
    s.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert rest(s).startswith(b"HTTP/1.1 200 ")
    for s in stalled:
        s.close()


def test_a_wrong_tls_key_is_no_agent(out, tmp_path, certificate):
    with pytest.raises(RuntimeError, match="tls"):
        Agent(out, tmp_path / "x", "--keep-program", FAKE, "--tls-cert",
              certificate[0], "--tls-key", certificate[0])


def test_the_unix_socket_is_private_and_removed(fake):
    assert os.stat(fake.unix).st_mode & 0o777 == 0o600
    fake.stop()
    assert not os.path.exists(fake.unix)


def test_a_unix_socket_in_use_is_not_taken(out, fake, tmp_path):
    with pytest.raises(RuntimeError, match="in use"):
        Agent(out, tmp_path / "x", "--unix", fake.unix, "--keep-program",
              FAKE, unix=False)
    serves(fake)


def test_the_socket_of_a_dead_agent_is_taken_over(fakes):
    a = fakes(name="dead")
    a.process.kill()
    a.process.wait()
    assert os.path.exists(a.unix)
    serves(fakes(name="dead"))


def test_a_file_in_the_place_of_the_socket_is_left_alone(out, tmp_path):
    path = tmp_path / "precious"
    path.write_text("x")
    with pytest.raises(RuntimeError, match="not a socket"):
        Agent(out, tmp_path / "x", "--unix", path, "--keep-program", FAKE,
              unix=False)
    assert path.read_text() == "x"


def test_an_address_in_use(out, fake, tmp_path):
    with pytest.raises(RuntimeError, match="in use"):
        Agent(out, tmp_path / "x", "--keep-program", FAKE,
              listen=[fake.tcp])


# --- channels ---------------------------------------------------------------


@pytest.mark.parametrize("how", ["unix", "tcp", "tls"])
def test_bytes_go_both_ways(fake, secure, wrap, how):
    a = secure if how == "tls" else fake
    ident = keep(a)
    s = channel(a, ident, "unix" if how == "unix" else "tcp",
                wrap if how == "tls" else None)
    echoes(s)
    echoes(s, os.urandom(90000))
    assert state(a, ident)["channels"] == 1
    s.close()
    last = wait_for(lambda: state(a, ident)["channels"] == 0 and
                    state(a, ident))
    assert last["state"] == "attested"
    assert last["bytes_in"] == last["bytes_out"] > 64 << 10


def test_much_through_tls(secure, wrap):
    """More than all buffers on the way hold, so that both sides must wait."""
    s = channel(secure, keep(secure), "tcp", wrap)
    data = os.urandom(8 * MIB)
    pid = os.fork()
    if pid == 0:
        s.sendall(data)
        os._exit(0)
    got = b""
    while len(got) < len(data):
        more = s.recv(MIB)
        assert more
        got += more
    os.waitpid(pid, 0)
    assert got == data


@pytest.mark.parametrize("how", ["unix", "tcp", "tls"])
@pytest.mark.parametrize("size", [1, 5000])
def test_bytes_before_the_answer_come_first(fake, secure, wrap, how, size):
    a = secure if how == "tls" else fake
    early = os.urandom(size)
    s = channel(a, keep(a), "unix" if how == "unix" else "tcp",
                wrap if how == "tls" else None, early)
    got = b""
    while len(got) < size:
        got += s.recv(size)
    assert got == early
    echoes(s, os.urandom(40000))
    s.close()
    wait_for(lambda: 'donjon_channels 0' in a.call("GET", "/metrics")[1])


@pytest.mark.parametrize("how", ["unix", "tcp", "tls"])
def test_the_last_words_of_a_keep_arrive(fake, secure, wrap, how):
    """Though the client's own bytes were never read."""
    a = secure if how == "tls" else fake
    s = channel(a, keep(a, "half"), "unix" if how == "unix" else "tcp",
                wrap if how == "tls" else None)
    s.sendall(b"x" * 4000)
    time.sleep(0.3)
    assert rest(s) == b"last words"
    s.close()


@pytest.mark.parametrize("how", ["unix", "tcp", "tls"])
@pytest.mark.parametrize("politely", [True, False])
def test_a_client_that_vanishes_closes_its_channel(fake, secure, wrap, how,
                                                   politely):
    a = secure if how == "tls" else fake
    ident = keep(a)
    s = channel(a, ident, "unix" if how == "unix" else "tcp",
                wrap if how == "tls" else None)
    echoes(s)
    if not politely and how != "unix":
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                     b"\1\0\0\0\0\0\0\0")
    s.close()
    wait_for(lambda: state(a, ident)["channels"] == 0)
    s = channel(a, ident)
    echoes(s)
    s.close()


def test_a_client_that_stops_reading_holds_up_nobody(fake, secure, wrap):
    for a, how, w in ((fake, "tcp", None), (secure, "tcp", wrap)):
        ident, other = keep(a), keep(a)
        s = channel(a, ident, how, w)
        s.settimeout(0.5)
        with pytest.raises((TimeoutError, ssl.SSLWantWriteError)):
            while True:
                s.sendall(b"x" * 65536)
        echoes(channel(a, other, how, w))
        serves(a)
        s.close()


@pytest.mark.parametrize("request_,status", [
    ("GET {} HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    ("GET {} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n\r\n", 400),
    ("GET {} HTTP/1.1\r\nHost: x\r\nUpgrade: donjon-keep/1\r\n\r\n", 400),
    ("GET {} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
     "Upgrade: websocket\r\n\r\n", 400),
    ("GET {} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
     "Upgrade: donjon-keep/2\r\n\r\n", 400),
    ("GET {} HTTP/1.0\r\nHost: x\r\nConnection: Upgrade\r\n"
     "Upgrade: donjon-keep/1\r\n\r\n", 400),
    ("GET {} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
     "Upgrade: donjon-keep/1\r\nContent-Length: 1\r\n\r\nx", 400),
    ("POST {} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
     "Upgrade: donjon-keep/1\r\nContent-Length: 0\r\n\r\n", 405),
    ("GET {} HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, upgrade\r\n"
     "Upgrade: h2c, donjon-keep/1\r\n\r\n", 101),
], ids=range(9))
def test_upgrades(fake, request_, status):
    ident = keep(fake)
    s = connect(fake)
    s.sendall(request_.format(f"/v1/keeps/{ident}/channel").encode())
    assert head(s).split()[1] == str(status)
    s.close()
    serves(fake)


def test_no_channel_to_a_keep_that_has_ended_or_is_starting(fake):
    ident = keep(fake)
    fake.call("DELETE", f"/v1/keeps/{ident}")
    ended(fake, ident)
    c = fake.connection()
    c.request("POST", "/v1/keeps", body=json.dumps(ask("mute")))
    starting = wait_for(lambda: [
        k["id"] for k in fake.call("GET", "/v1/keeps")[1]["keeps"]
        if k["state"] == "starting"])[0]
    for i in (ident, starting):
        s = connect(fake)
        s.sendall(UPGRADE.format(i).encode())
        assert head(s).startswith("HTTP/1.1 409 ")
        s.close()
    c.close()


# --- hostile and unhappy loaders --------------------------------------------


@pytest.mark.parametrize("part,status,kind", [
    ("die", 500, "host"), ("refuse", 429, "limit"), ("garbage", 500, "host"),
    ("early", 500, "host"), ("large", 500, "host"), ("launch", 500, "host"),
    ("descriptor", 500, "host")])
def test_a_loader_that_fails_before_the_evidence(fake, part, status, kind):
    other = keep(fake)
    s = channel(fake, other)
    error(fake.call("POST", "/v1/keeps", ask(part)), status, kind)
    echoes(s)
    s.close()
    wait_for(lambda: len(fake.children()) == 1)
    assert state(fake, other)["state"] == "attested"
    reasons = [k.get("reason") for k in
               fake.call("GET", "/v1/keeps")[1]["keeps"]]
    assert reasons[1] == {"die": "crashed", "refuse": "failed"}.get(
        part, "protocol")


@pytest.mark.parametrize("part,reason", [
    ("twice", "protocol"), ("ghost", "protocol"), ("exit", "crashed")])
def test_a_loader_that_fails_after_the_evidence(fake, part, reason):
    assert ended(fake, keep(fake, part))["reason"] == reason
    serves(fake)


def waits_for_its_cue(pid):
    text = Path(f"/proc/{pid}/status").read_text()
    caught = int(re.search(r"SigCgt:\s+(\w+)", text)[1], 16)
    return caught >> signal.SIGUSR1 - 1 & 1


def test_a_loader_whose_evidence_and_death_are_found_at_once(fake):
    """The agent learns of a death first, and looks for last words then."""
    asks = []
    for part in ("mute", "cued exit"):
        asks.append(fake.connection())
        asks[-1].request("POST", "/v1/keeps", body=json.dumps(ask(part)))
        wait_for(lambda: len(fake.children()) == len(asks))
    cued, = wait_for(lambda: [p for p in fake.children()
                              if waits_for_its_cue(p)])
    mute, = set(fake.children()) - {cued}
    os.kill(fake.pid, signal.SIGSTOP)
    for pid, number in ((mute, signal.SIGKILL), (cued, signal.SIGUSR1)):
        os.kill(pid, number)
        wait_for(lambda: not alive(pid))
    os.kill(fake.pid, signal.SIGCONT)
    for c, why in zip(asks, (b"killed by signal 9", b"exit status 4")):
        r = c.getresponse()
        assert r.status == 500 and why in r.read()
        c.close()


def test_a_keep_killed_harms_no_other(fake):
    idents = [keep(fake, "orphan"), keep(fake), keep(fake)]
    channels = [channel(fake, i, "tcp") for i in idents]
    for s in channels:
        echoes(s)
    below = fake.children()
    assert len(below) == 4
    # The one that has a child of its own.
    victim = [p for p in below if any(
        str(p) == Path(f"/proc/{q}/stat").read_text().rpartition(")")[2]
        .split()[1] for q in below)][0]
    os.kill(victim, signal.SIGKILL)
    last = ended(fake, idents[0])
    assert last["reason"] == "crashed"
    assert rest(channels[0]) == b""
    wait_for(lambda: len(fake.children()) == 2)
    for s in channels[1:]:
        echoes(s)
    assert "signal 9" in fake.read_log()
    keep(fake)


def test_a_loader_that_dies_on_a_channel(fake):
    ident = keep(fake, "crashy")
    s = channel(fake, ident)
    assert rest(s) == b""
    assert ended(fake, ident)["reason"] == "crashed"


def test_a_loader_that_does_not_stop_is_killed(fake):
    ident = keep(fake, "stubborn orphan")
    fake.call("DELETE", f"/v1/keeps/{ident}")
    assert ended(fake, ident)["reason"] == "killed"
    wait_for(lambda: not fake.children())


def test_an_ask_whose_client_vanishes_leaves_no_keep(fake):
    for part in ("mute", "slow"):
        c = fake.connection()
        c.request("POST", "/v1/keeps", body=json.dumps(ask(part)))
        wait_for(fake.children)
        c.close()
        wait_for(lambda: not fake.children())
    assert all(k["state"] == "ended" for k in
               fake.call("GET", "/v1/keeps")[1]["keeps"])


def test_what_a_loader_inherits(fake):
    keep(fake)
    pid = fake.children()[0]
    files = os.listdir(f"/proc/{pid}/fd")
    assert set(files) == {"0", "1", "2", "3"}, files
    assert os.readlink(f"/proc/{pid}/fd/0") == "/dev/null"
    status = Path(f"/proc/{pid}/status").read_text()
    assert re.search(r"NoNewPrivs:\s+1", status)
    assert re.search(r"SigBlk:\s+0+$", status, re.M)
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    assert fields[2] == fields[3] == str(pid)  # its own group and session
    limits = Path(f"/proc/{pid}/limits").read_text()
    assert re.search(r"Max core file size\s+0\s+0", limits)
    env = Path(f"/proc/{pid}/environ").read_bytes()
    assert set(e.split(b"=")[0] for e in env.split(b"\0") if e) <= \
        {b"PATH", b"LC_CTYPE"}
    assert os.readlink(f"/proc/{pid}/cwd") == "/"


# --- the agent's own life ---------------------------------------------------


@pytest.mark.parametrize("with_, parts", [
    (signal.SIGTERM, ["", "orphan", "stubborn"]),
    (signal.SIGINT, ["", "orphan"])])  # who is stubborn takes five seconds
def test_a_signal_ends_all(fake, with_, parts):
    idents = [keep(fake, part) for part in parts]
    sockets = [channel(fake, i, how) for i in idents
               for how in ("unix", "tcp")]
    waiting = fake.connection()
    waiting.request("POST", "/v1/keeps", body=json.dumps(ask("mute")))
    many = len(parts) + 2
    below = wait_for(lambda: len(fake.children()) == many and fake.children())
    fake.process.send_signal(with_)
    assert waiting.getresponse().status == 503
    assert fake.process.wait(60) == 0
    wait_for(lambda: not any(map(alive, below)))
    for s in sockets:
        try:
            assert rest(s) == b""
        except ConnectionResetError:
            pass
    assert not os.path.exists(fake.unix)


def test_a_stopping_agent_refuses_keeps(fake):
    """One Keep is slow to end: what comes meanwhile is told so."""
    ident = keep(fake, "stubborn")
    c = fake.connection()
    c.request("GET", "/healthz")
    c.getresponse().read()
    fake.process.send_signal(signal.SIGTERM)
    wait_for(lambda: "event=stopping" in fake.read_log())
    c.request("POST", "/v1/keeps", body=json.dumps(ask()))
    r = c.getresponse()
    assert r.status == 503, r.read()
    assert json.loads(r.read())["error"]["kind"] == "host"
    c.request("GET", f"/v1/keeps/{ident}")
    assert c.getresponse().status == 200
    fake.process.send_signal(signal.SIGTERM)  # once more: at once
    assert fake.process.wait(60) == 0


def test_no_loader_outlives_an_agent_that_is_killed(fake):
    keep(fake, "orphan")
    keep(fake, "stubborn")
    below = fake.children()
    loaders = [p for p in below if f" {fake.pid} " in
               " " + Path(f"/proc/{p}/stat").read_text().rpartition(")")[2]]
    assert len(loaders) == 2
    fake.process.kill()
    fake.process.wait()
    wait_for(lambda: not any(map(alive, loaders)))
    signal_all(below, signal.SIGKILL)


LINE = re.compile(
    r'[a-z_]+(\{[a-z_]+="[^"\\\n]*"(,[a-z_]+="[^"\\\n]*")*\})? '
    r'-?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?')


def test_metrics(fake):
    ident = keep(fake)
    keep(fake)
    fake.call("POST", "/v1/keeps", ask("die"))
    fake.call("POST", "/v1/keeps", "x")
    s = channel(fake, ident)
    echoes(s)
    c = fake.connection()
    c.request("GET", "/metrics")
    r = c.getresponse()
    assert r.getheader("Content-Type").startswith("text/plain; version=0.0.4")
    text = r.read().decode()
    assert text.endswith("\n")
    families, values = {}, {}
    for line in text.splitlines():
        if line.startswith("# HELP "):
            name = line.split()[2]
            assert name not in families
            families[name] = None
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split()
            assert families[name] is None
            assert kind in ("counter", "gauge", "histogram")
            families[name] = kind
        else:
            assert LINE.fullmatch(line), line
            key, _, value = line.rpartition(" ")
            assert key not in values
            values[key] = float(value)
            name = re.sub(r"\{.*", "", key)
            base = re.sub("_(bucket|sum|count)$", "", name)
            assert families.get(name) or families[base] == "histogram"
    assert values['donjon_keeps{state="attested"}'] == 2
    assert values['donjon_keeps{state="ended"}'] == 1
    assert values['donjon_keeps_held'] == 2
    assert values['donjon_memory_held_bytes'] == 128 * MIB
    assert values['donjon_keeps_started_total'] == 3
    assert values['donjon_keeps_ended_total{reason="crashed"}'] == 1
    assert values['donjon_channels'] == 1
    assert values['donjon_http_answers_total{status="201"}'] == 2
    assert values['donjon_http_answers_total{status="400"}'] == 1
    assert values['donjon_http_answers_total{status="500"}'] == 1
    buckets = [v for k, v in values.items() if "seconds_bucket" in k]
    assert buckets == sorted(buckets) and buckets[-1] == 2
    assert values['donjon_keep_start_seconds_count'] == 2
    assert values['process_resident_memory_bytes'] > MIB
    s.close()


def test_an_idle_agent_sleeps(fake):
    keep(fake)

    def switches():
        text = Path(f"/proc/{fake.pid}/status").read_text()
        return sum(map(int, re.findall(r"ctxt_switches:\s+(\d+)", text)))

    serves(fake)
    def sleeps():
        before = switches()
        time.sleep(1)
        return switches() - before < 5

    wait_for(sleeps)


def test_an_idle_agent_is_small(fake):
    if os.environ.get("DONJON_SANITIZED"):
        pytest.skip("a sanitizer's memory is not the program's")
    fake.call("GET", "/v1/platform")
    ident = keep(fake)
    fake.call("DELETE", f"/v1/keeps/{ident}")
    ended(fake, ident)
    text = Path(f"/proc/{fake.pid}/status").read_text()
    assert int(re.search(r"VmRSS:\s+(\d+)", text)[1]) < 8192


def test_descriptors_are_not_lost(fakes):
    a = fakes()

    def use():
        ident = keep(a)
        for early in (b"", b"x"):
            s = channel(a, ident, "tcp", early=early)
            s.close()
        wait_for(lambda: state(a, ident)["channels"] == 0)
        a.call("DELETE", f"/v1/keeps/{ident}")
        ended(a, ident)
        a.call("POST", "/v1/keeps", ask("descriptor"))
        a.call("GET", "/v1/platform")
        wait_for(lambda: not a.children())

    def count():
        return len(os.listdir(f"/proc/{a.pid}/fd"))

    use()
    time.sleep(0.2)
    before = count()
    for _ in range(5):
        use()
    wait_for(lambda: count() <= before)


def test_an_agent_without_descriptors_goes_on_when_it_has_some(fakes):
    a = fakes(prefix=["prlimit", "--nofile=64:64"])
    many = []
    for _ in range(100):
        s = connect(a)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            # One that is refused is closed before or behind this.
            s.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        many.append(s)
    wait_for(lambda: "no descriptors left" in a.read_log())
    for s in many:
        s.close()
    serves(a)
    keep(a)


@pytest.mark.parametrize("argv,status,text", [
    (["--help"], 0, "usage: donjond"), (["--version"], 0, "donjond 0."),
    (["--nonsense"], 2, "no such option"), (["word"], 2, "no arguments"),
    (["--max-keeps"], 2, "needs a value"), (["--max-keeps", "0"], 2, "1 to"),
    (["--max-keeps", "9x"], 2, "not a number"),
    (["--max-memory", "1T"], 2, "bytes"),
    (["--max-memory", "99999999999G"], 2, "bytes"),
    (["--keep-memory", "1M"], 2, "at least 16M"),
    (["--log-level", "loud"], 2, "want error, warn, info or debug"),
    (["--tls-cert", "x"], 2, "belong together"),
    (["--ready-fd", "-1"], 2, "not a number"),
    (["--images", "nowhere"], 121, "--images nowhere: No such file"),
    (["--root", "r", "--listen", "nowhere"], 121, "--listen nowhere: want"),
    (["--root", "r", "--listen", "127.0.0.1:70000"], 121, "port"),
    (["--root", "r", "--listen", "::1:80"], 121, "brackets"),
])
def test_the_command_line(out, tmp_path, argv, status, text):
    r = subprocess.run([out / "bin/donjond", "--keep-program", FAKE, *argv],
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       cwd=tmp_path, timeout=60)
    assert r.returncode == status, r.stdout
    assert text in r.stdout.decode()


def test_the_log_is_made_of_pairs(fake):
    ident = keep(fake)
    channel(fake, ident).close()
    fake.call("POST", "/v1/keeps", "secret body")
    fake.call("GET", "/secret-path?secret-query")
    fake.stop()
    lines = fake.read_log().splitlines()
    assert len(lines) >= 5
    pair = r'[a-z_]+=([^\s"=]+|"([^"\\]|\\.)*")'
    for line in lines:
        assert re.fullmatch(f"{pair}( {pair})*", line), line
    assert "secret" not in fake.read_log()


# --- the true loader --------------------------------------------------------


def test_a_true_keep_killed_harms_no_other(agent):
    """The same as with the double: nothing of the one survives, and the
    other still shows its certificate."""
    idents = [keep(agent), keep(agent)]
    below = agent.children()
    assert len(below) == 4
    loaders = [p for p in below if Path(f"/proc/{p}/comm").read_text() ==
               "donjon-keep\n"]
    os.kill(loaders[0], signal.SIGKILL)
    gone = wait_for(lambda: [i for i in idents
                             if state(agent, i)["state"] == "ended"])
    assert state(agent, gone[0])["reason"] == "crashed"
    wait_for(lambda: len(agent.children()) == 2)
    other = idents[1] if gone[0] == idents[0] else idents[0]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    certificate = base64.b64decode(state(agent, other)["certificate"])
    s = context.wrap_socket(channel(agent, other, "tcp"))
    assert s.version() == "TLSv1.3"
    assert s.getpeercert(True) == certificate
    s.close()


def test_a_true_keep_whose_owner_does_not_come_ends(agents):
    a = agents("impatient", "--owner-wait", 1)
    assert ended(a, keep(a))["reason"] == "idle"
    wait_for(lambda: not a.children())


def test_a_true_keep_stops_and_nothing_is_left(agent):
    idents = [keep(agent, tee="auto") for _ in range(3)]
    agent.call("DELETE", f"/v1/keeps/{idents[0]}")
    assert ended(agent, idents[0])["reason"] == "stopped"
    wait_for(lambda: len(agent.children()) == 4)
    below = agent.children()
    agent.process.kill()
    agent.process.wait()
    wait_for(lambda: not any(map(alive, below)))
