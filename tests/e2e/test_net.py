# SPDX-License-Identifier: Apache-2.0
"""The network of programs in Keeps: listening and connected descriptors,
plain and with TLS in the Keep, against real peers."""
import json
import os
import shutil
import socket
import ssl
import subprocess
import time
from pathlib import Path

import pytest

from net import (Authority, Field, Proxy, Server, client_tls, dial, falls_quiet,
                 openssl, read_all, server_tls, spki_hash)
from conftest import descendants
from ports import free_port
from tenant import wait_for

SHARED = Path(os.environ.get("DONJON_SHARED", "../shared")).resolve()
HTTPD = SHARED / "modules/httpd.wasm"
SANITIZED = "DONJON_SANITIZED" in os.environ


@pytest.fixture(scope="module")
def field(out, tmp_path_factory):
    f = Field(out, tmp_path_factory.mktemp("net"))
    yield f
    f.close()


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


def echo_once(s):
    """Says back what comes, and ends when it ends."""
    while True:
        data = s.recv(65536)
        if not data:
            return
        s.sendall(data)


# --- programs of others ------------------------------------------------------

def httpd(field, port, tls):
    if not HTTPD.exists():
        pytest.skip("no modules (DONJON_SHARED)")
    return field.serve(port, HTTPD, tls=tls, options=["--env", "LISTEN_FD=3"],
                       ready=b"listening on fd 3\n")


def curl(*args):
    return subprocess.run(["curl", "-s", "-S", "--max-time", "20", *args],
                          capture_output=True)


def test_httpd_answers_curl(field):
    port = free_port()
    p = httpd(field, port, tls=False)
    for n in range(3):
        r = curl(f"http://127.0.0.1:{port}/x/{n}")
        assert json.loads(r.stdout) == {"method": "GET", "path": f"/x/{n}",
                                        "n": n}, r.stderr
    assert field.end(p)[0] == 143


def test_httpd_answers_curl_over_tls_with_the_keeps_certificate(field):
    port = free_port()
    p = httpd(field, port, tls=True)
    cert = field.certificate(field.keeps()[-1]["id"])
    pin = subprocess.run(
        ["sh", "-c", f"openssl x509 -in {cert} -noout -pubkey | openssl pkey "
         "-pubin -outform DER | openssl dgst -sha256 -binary | base64"],
        capture_output=True, check=True).stdout.decode().strip()
    r = curl("-k", "--pinnedpubkey", f"sha256//{pin}",
             f"https://127.0.0.1:{port}/secret")
    assert json.loads(r.stdout)["path"] == "/secret", r.stderr
    r = curl("-k", "--pinnedpubkey", "sha256//" + pin[::-1],
             f"https://127.0.0.1:{port}/")
    assert r.returncode != 0
    # The certificate that the Keep published is the one it shows.
    r = subprocess.run(["openssl", "s_client", "-connect",
                        f"127.0.0.1:{port}", "-CAfile", cert,
                        "-verify_return_error", "-brief", "-tls1_3"],
                       input=b"GET / HTTP/1.0\r\n\r\n", capture_output=True,
                       timeout=60)
    assert b"Verification: OK" in r.stderr, r.stderr
    assert b"TLSv1.3" in r.stderr
    # Nothing older, and nothing without TLS.
    r = subprocess.run(["openssl", "s_client", "-connect",
                        f"127.0.0.1:{port}", "-tls1_2"], input=b"",
                       capture_output=True, timeout=60)
    assert r.returncode != 0
    r = curl(f"http://127.0.0.1:{port}/")
    assert r.returncode != 0
    # Those who failed did no harm.
    r = curl("-k", f"https://127.0.0.1:{port}/after")
    assert json.loads(r.stdout)["path"] == "/after"
    field.end(p)


# --- what sock_* do ----------------------------------------------------------

def talk(field, peer, *words, tls=None, options=(), program="talk"):
    """A program that is connected to `peer` on descriptor 3."""
    with Server(peer, tls) as s:
        scheme = "tls" if tls else "tcp"
        r = field.run("--connect", f"{scheme}://localhost:{s.port}", *options,
                      field.wasm(program), *words)
        return r, s


@pytest.fixture(scope="module", params=["tcp", "tls"])
def kind(request, authority):
    """(server's TLS or None, options of the Keep) for both kinds."""
    if request.param == "tcp":
        return None, ()
    cert, key = authority.issue("localhost", "DNS:localhost,IP:127.0.0.1")
    return server_tls(cert, key), ("--set", f'tls.ca="{authority.cert}"')


def test_bytes_go_both_ways(field, kind):
    def peer(s):
        assert read_all(s, 5) == b"hello"
        s.sendall(b"and to you")
        read_all(s)
    r, s = talk(field, peer, "3", "send", "hello", "3", "recv", "99", "3",
                "close", tls=kind[0], options=kind[1])
    assert r.stdout == b"recv 10: and to you\n", (r, s.failures)
    assert r.returncode == 0 and not s.failures


def test_peek_waitall_and_what_does_not_wait(field, kind):
    def peer(s):
        s.sendall(b"abcdef")
        assert read_all(s, 1) == b"1"
        time.sleep(0.2)
        s.sendall(b"gh")
        time.sleep(0.2)
        s.sendall(b"ij")
        assert read_all(s, 1) == b"2"
        if kind[0]:
            s.unwrap()
    r, s = talk(field, peer, "3", "peek", "3", "3", "peek", "6", "3", "recv",
                "2", "3", "peek", "9", "3", "recv", "9", "3", "try", "5", "3",
                "send", "1", "3", "all", "4", "3", "send", "2", "3", "end",
                tls=kind[0], options=kind[1])
    assert r.stdout.decode().splitlines() == [
        "peek 3: abc", "peek 6: abcdef", "recv 2: ab", "peek 4: cdef",
        "recv 4: cdef", "try: Resource temporarily unavailable",
        "all 4: ghij"], (r, s.failures)
    assert not s.failures


def test_half_closing_leaves_the_other_half(field, kind):
    def peer(s):
        data = b""
        while not data.endswith(b"question"):
            data += s.recv(100)
        assert s.recv(100) == b""  # its end, in order
        s.sendall(b"answer")
        if kind[0]:
            s.unwrap()
    r, s = talk(field, peer, "3", "send", "question", "3", "shut", "w", "3",
                "send", "x", "3", "end", "3", "shut", "r", "3", "recv", "1",
                tls=kind[0], options=kind[1])
    assert r.stdout.decode().splitlines() == [
        "send: Broken pipe", "end: answer", "recv 0: "], (r, s.failures)
    assert not s.failures


def test_much_goes_through_both_ways(field, kind):
    n = 2_000_000 if SANITIZED else 20_000_000
    got = []

    def peer(s):
        got.append(len(read_all(s, n)))
        block = bytes(i & 0xff for i in range(65536))
        for _ in range(n // 65536):
            s.sendall(block)
        if kind[0]:
            s.unwrap()
    r, s = talk(field, peer, "3", "fill", str(n), "3", "sum", tls=kind[0],
                options=kind[1])
    total = n // 65536 * 65536
    assert r.stdout.startswith(b"sum %d " % total), (r, s.failures)
    assert got == [n] and not s.failures


def test_nothing_is_lost_when_the_program_ends_before_its_peer_reads(field,
                                                                     kind):
    n = 1_000_000 if SANITIZED else 5_000_000
    got = []

    def peer(s):
        first = read_all(s, n // 2)
        time.sleep(0.2)  # the rest is in everybody's buffers
        got.append(len(first) + len(read_all(s)))
    r, s = talk(field, peer, "3", "fill", str(n), tls=kind[0],
                options=kind[1])
    assert r.returncode == 0 and wait_for(lambda: got or s.failures), r
    assert got == [n], s.failures


def test_nothing_is_lost_when_the_program_ends_before_the_handshake_arrives(
        field, authority):
    """The server's last words of the handshake, its tickets, come when the
    program is gone: they must not make its end a reset."""
    cert, key = authority.issue("localhost", "DNS:localhost,IP:127.0.0.1")
    n = 1_000_000
    got, said = [], []

    def change(direction, record):
        # The client's first protected record ends its side of the handshake;
        # the next waits until the server's tickets have passed.
        if direction == 0 and record[0] == 0x17:
            said.append(record)
            time.sleep(0.5 if len(said) < 3 else 0)
        return record
    with Server(lambda s: got.append(len(read_all(s))),
                server_tls(cert, key)) as s, Proxy(s.port, change) as proxy:
        r = field.run("--connect", f"tls://localhost:{proxy.port}", "--set",
                      f'tls.ca="{authority.cert}"', field.wasm("talk"), "3",
                      "fill", str(n))
        assert r.returncode == 0 and wait_for(lambda: got or s.failures), r
    assert got == [n], s.failures


def test_a_connection_that_is_cut_is_told_from_one_that_ends(field, kind):
    def peer(s):
        s.sendall(b"some")
        # No close_notify.
        raw = s.detach() if kind[0] else None
        if raw:
            os.close(raw)
    r, s = talk(field, peer, "3", "end", tls=kind[0], options=kind[1])
    lines = r.stdout.decode().splitlines()
    assert lines[0] == "end: some", (r, s.failures)
    assert lines[1:] == (["end: Connection reset by peer"] if kind[0] else [])


# --- who the peer is ---------------------------------------------------------

def wrong(field, server, options, word, host="localhost", status=122):
    with Server(echo_once, server) as s:
        r = field.run("--connect", f"{host}:{s.port}", *options,
                      field.wasm("talk"), "3", "send", "secret")
        assert r.returncode == status, r
        assert word in r.stderr.decode(), r.stderr
        assert r.stdout == b""
        # Nothing of the program's was said to it.
        assert all("secret" not in str(f) for f in s.failures)


def test_only_who_the_certificate_names_is_spoken_to(field, authority,
                                                     tmp_path):
    other = Authority(tmp_path / "other")
    cert, key = authority.issue("elsewhere", "DNS:elsewhere.example")
    ca = ("--set", f'tls.ca="{authority.cert}"')
    wrong(field, server_tls(cert, key), ca, "hostname mismatch")
    cert, key = other.issue("localhost", "DNS:localhost")
    wrong(field, server_tls(cert, key), ca, "certificate")
    # An authority that is nobody's here: this machine's do not know it.
    wrong(field, server_tls(cert, key), (), "certificate")


def test_dates_are_those_of_the_tenants_clock(field, authority):
    cert, key = authority.issue("old", "DNS:localhost", days=-1)
    wrong(field, server_tls(cert, key),
          ("--set", f'tls.ca="{authority.cert}"'), "expired")


def test_a_pinned_key_is_enough_and_any_other_is_not(field, authority,
                                                     tmp_path):
    cert, key = authority.issue("pinned", "DNS:whatever", rsa=True)
    pin = spki_hash(cert)
    r, s = talk(field, echo_once, "3", "send", "x", "3", "recv", "1",
                tls=server_tls(cert, key),
                options=("--set", f'tls.pins=["{pin}"]'))
    assert r.stdout == b"recv 1: x\n", (r, s.failures)
    wrong(field, server_tls(cert, key),
          ("--set", f'tls.pins=["{pin[::-1]}"]'), "pinned")


def test_both_sides_may_show_certificates(field, authority, tmp_path):
    """The Keep as a client shows its attested certificate, or the tenant's."""
    cert, key = authority.issue("localhost", "DNS:localhost")
    mine, mine_key = authority.issue("me", "DNS:me.example")
    seen = []

    def peer(s):
        seen.append(s.getpeercert())
        echo_once(s)
    r, s = talk(field, peer, "3", "send", "x", "3", "recv", "1",
                tls=server_tls(cert, key, ca=authority.cert),
                options=("--set", f'tls.ca="{authority.cert}"', "--set",
                         f'tls={{certificate="{mine}", key="{mine_key}"}}'))
    assert r.stdout == b"recv 1: x\n", (r, s.failures)
    assert ("DNS", "me.example") in seen[0]["subjectAltName"]


def test_alpn_is_agreed_on(field, authority):
    cert, key = authority.issue("localhost", "DNS:localhost")
    seen = []

    def peer(s):
        seen.append(s.selected_alpn_protocol())
        echo_once(s)
    options = ("--set", f'tls.ca="{authority.cert}"', "--set",
               'tls.alpn=["x/1", "y/2"]')
    r, _ = talk(field, peer, "3", "send", "x", "3", "recv", "1",
                tls=server_tls(cert, key, alpn=["y/2", "x/1"]),
                options=options)
    assert r.returncode == 0 and seen == ["y/2"]
    port = free_port()
    p = field.serve(port, field.wasm("echo"), "3", tls=True, options=options)
    tls = client_tls()
    tls.set_alpn_protocols(["h2", "y/2"])
    with dial(port, tls) as s:
        assert s.selected_alpn_protocol() == "y/2"
    tls.set_alpn_protocols(["h2"])
    with pytest.raises(ssl.SSLError):
        dial(port, tls)
    field.end(p)


def test_clients_that_must_show_a_certificate(field, authority, tmp_path):
    cert, key = authority.issue("client", "DNS:client.example")
    strange = Authority(tmp_path / "strange").issue("client", "DNS:client")
    port = free_port()
    p = field.serve(port, field.wasm("echo"), "3", tls=True, options=(
        "--set", f'tls={{ca="{authority.cert}", client_auth="require"}}'))
    good = client_tls()
    good.load_cert_chain(cert, key)
    with dial(port, good) as s:
        s.sendall(b"x")
        assert s.recv(1) == b"x"
    bad = client_tls()
    bad.load_cert_chain(*strange)
    for tls in (client_tls(), bad):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            with dial(port, tls) as s:
                s.sendall(b"x")
                if not s.recv(1):
                    raise ConnectionError
    with dial(port, good) as s:
        s.sendall(b"y")
        assert s.recv(1) == b"y"
    field.end(p)


def test_a_server_may_show_the_tenants_certificate(field, authority):
    cert, key = authority.issue("www", "DNS:www.example", rsa=True)
    port = free_port()
    p = field.serve(port, field.wasm("echo"), "3", tls=True, options=(
        "--set", f'tls={{certificate="{cert}", key="{key}"}}'))
    tls = ssl.create_default_context(cafile=authority.cert)
    raw = dial(port)
    with tls.wrap_socket(raw, server_hostname="www.example") as s:
        s.sendall(b"x")
        assert s.recv(1) == b"x"
    field.end(p)


# --- peers that are Keeps themselves -----------------------------------------

def attested(field, *owners):
    listed = f', owners={json.dumps(owners)}' if owners else ""
    return ("--set", f'tls={{require_attested={{policy="{field.policy}"'
            f'{listed}}}}}')


def test_a_peer_that_must_be_a_keep(field, authority, tmp_path):
    """Keeps know each other by their evidence and by whom they obey."""
    port = free_port()
    p = field.serve(port, field.wasm("echo"), "3", tls=True)
    say = ("--connect", f"localhost:{port}")
    talk3 = (field.wasm("talk"), "3", "send", "hi", "3", "recv", "2")
    r = field.run(*say, *attested(field), *talk3)
    assert r.stdout == b"recv 2: hi\n", r
    # A Keep of somebody else's is none of ours.
    r = field.run(*say, *attested(field, "00" * 32), *talk3)
    assert r.returncode == 122 and b"owner" in r.stderr, r
    # The default policy trusts no software root.
    r = field.run(*say, "--set", "tls={require_attested=true}", *talk3)
    assert r.returncode == 122 and b"root" in r.stderr, r
    field.end(p)
    # A certificate that the authority vouches for has no evidence.
    cert, key = authority.issue("localhost", "DNS:localhost")
    wrong(field, server_tls(cert, key),
          (*attested(field), "--set", f'tls.ca="{authority.cert}"'),
          "certificate")


def test_a_server_whose_clients_must_be_keeps(field, authority):
    port = free_port()
    p = field.serve(port, field.wasm("echo"), "3", tls=True, options=(
        "--set", f'tls={{client_auth="require", '
        f'require_attested={{policy="{field.policy}"}}}}'))
    # The client knows the server by its key.
    cert = field.certificate(field.keeps()[-1]["id"])
    r = field.run("--connect", f"localhost:{port}", "--set",
                  f'tls.pins=["{spki_hash(cert)}"]', field.wasm("talk"), "3",
                  "send", "hi", "3", "recv", "2")
    assert r.stdout == b"recv 2: hi\n", r
    stranger = client_tls()
    stranger.load_cert_chain(*authority.issue("client", "DNS:client"))
    for tls in (client_tls(), stranger):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            with dial(port, tls) as s:
                s.sendall(b"x")
                if not s.recv(1):
                    raise ConnectionError
    field.end(p)


# --- descriptors -------------------------------------------------------------

def test_directories_are_found_behind_sockets(field, tmp_path):
    """Descriptor 3 is a socket; libc finds the preopened directory at 4."""
    (tmp_path / "text").write_text("one\n")
    port = free_port()
    r = field.run("--listen", f"tcp://127.0.0.1:{port}", "--dir",
                  f"{tmp_path}::/d:rw", field.wasm("files"), "/d/text",
                  "/d/upper")
    assert r.returncode == 0, r
    assert (tmp_path / "upper").read_text() == "ONE\n"


def test_names_and_numbers_of_descriptors(field, tmp_path):
    config = tmp_path / "Donjon.toml"
    config.write_text('[[files]]\nkind = "stdin"\n[[files]]\n'
                      'kind = "stdout"\n[[files]]\nkind = "null"\n'
                      '[[files]]\nkind = "listen"\nname = "web"\n'
                      f'port = {free_port()}\nprot = "tcp"\n'
                      'addr = "127.0.0.1"\n')
    r = field.run("--config", config, field.wasm("echoargs"))
    assert b"env FD_COUNT=4\nenv FD_NAMES=stdin:stdout:null:web\n" in r.stdout


def test_files_and_secrets_arrive(field, tmp_path):
    (tmp_path / "plain").write_text("plain\n")
    (tmp_path / "Donjon.toml").write_text(
        '[[files]]\nkind = "file"\nsource = "plain"\npath = "/etc/x/in"\n'
        '[[files]]\nkind = "secret"\nenv = "TOKEN"\npath = "/etc/x/token"\n'
        '[[files]]\nkind = "stdin"\n[[files]]\nkind = "stdout"\n'
        '[[files]]\nkind = "stderr"\n'
        '[[files]]\nkind = "dir"\npath = "/tmp"\nmode = "scratch"\n')
    field.tenant.env["TOKEN"] = "s3cret"
    r = field.tenant.donjon(*field.argv(
        "--config", tmp_path / "Donjon.toml", field.wasm("files"),
        "/etc/x/token", "/tmp/upper"))
    assert r.returncode == 0, r
    assert b"1 secret" in r.stderr and b"s3cret" not in r.stderr
    del field.tenant.env["TOKEN"]
    r = field.run("--config", tmp_path / "Donjon.toml", field.wasm("files"),
                  "/etc/x/in", "/tmp/upper")
    assert r.returncode == 121 and b"TOKEN" in r.stderr


# --- what the operator and the network allow ---------------------------------

def test_an_operator_who_grants_nothing(out, tmp_path):
    f = Field(out, tmp_path, "--max-keeps", "9")
    port = free_port()
    r = f.run("--listen", f"tcp://127.0.0.1:{port}", f.wasm("echo"), "3")
    assert r.returncode == 122 and str(port) in r.stderr.decode(), r
    r = f.run("--connect", f"tcp://localhost:{port}", f.wasm("talk"))
    assert r.returncode == 122 and b"operator" in r.stderr, r
    f.close()


def test_grants_are_for_ports_and_hosts(out, tmp_path):
    port, other = free_port(), free_port()
    f = Field(out, tmp_path, "--allow-listen", f"127.0.0.1:{port}",
              "--allow-connect", f"localhost:{port}", "--allow-connect",
              "*.example:*")
    r = f.run("--listen", f"tcp://{other}", f.wasm("echo"), "3")
    assert r.returncode == 122, r
    p = f.serve(port, f.wasm("echo"), "3")
    # Another Keep can't have the port, but may connect to it.
    r = f.run("--listen", f"tcp://{port}", f.wasm("echo"), "3")
    assert r.returncode == 124 and b"another Keep" in r.stderr, r
    r = f.run("--connect", f"tcp://localhost:{port}", f.wasm("talk"), "3",
              "send", "hi", "3", "recv", "2")
    assert r.stdout == b"recv 2: hi\n", r
    for target in (f"127.0.0.1:{port}", f"localhost:{other}"):
        r = f.run("--connect", f"tcp://{target}", f.wasm("talk"))
        assert r.returncode == 122, r
    f.end(p)
    f.close()


def test_nobody_there_and_no_such_name(field):
    r = field.run("--connect", f"tcp://localhost:{free_port()}",
                  field.wasm("talk"))
    assert r.returncode == 123 and b"refused" in r.stderr, r
    r = field.run("--connect", "tcp://nobody.invalid:80", field.wasm("talk"))
    assert r.returncode == 123 and b"no such host" in r.stderr, r


def test_a_port_that_is_taken_is_told_before_anything_is_sent(field):
    with socket.create_server(("127.0.0.1", 0)) as s:
        port = s.getsockname()[1]
        r = field.run("--listen", f"tcp://127.0.0.1:{port}",
                      field.wasm("echo"), "3")
        assert r.returncode == 123 and b"in use" in r.stderr, r


# --- sockets that programs open ----------------------------------------------

DIALECTS = pytest.mark.parametrize("dialect", ["reach_edge", "reach_wamr"])


def rules(*connect):
    return ("--set", f"network.connect={json.dumps(connect)}")


@DIALECTS
def test_programs_connect_while_they_run(field, dialect):
    with Server(echo_once) as s:
        for host in ("localhost", "127.0.0.1"):
            r = field.run(*rules(f"{host}:{s.port}"), field.wasm(dialect),
                          "connect", host, str(s.port), "one", "two")
            assert r.stdout == b"one\ntwo\n", (r, s.failures)


@DIALECTS
def test_programs_listen_while_they_run(field, dialect):
    port = free_port()
    p = field.start("--quiet", "--set", f'network.listen=["{port}"]',
                    field.wasm(dialect), "listen", str(port),
                    stderr=subprocess.STDOUT)
    assert p.stdout.readline() == b"ready\n", field.agent.read_log()
    with dial(port) as s:
        s.sendall(b"around")
        assert read_all(s, 6) == b"around"
    assert p.wait(60) == 0
    field.end(p)
    # The last Keep may hold its port still.
    r = field.run("--set", f'network.listen=["{free_port()}"]',
                  field.wasm(dialect), "listen", str(free_port()))
    assert r.stdout == b"listen: Permission denied\n", r


@DIALECTS
def test_rules_of_names_say_whom_tls_must_find(field, authority, dialect):
    """A program that connects to an address is connected to the name that
    brought it: its certificate is looked at, invisibly."""
    good, key = authority.issue("localhost", "DNS:localhost")
    other, other_key = authority.issue("other", "DNS:other.example")
    for cert, key, says in ((good, key, "hi"),
                            (other, other_key, "connect: ")):
        with Server(echo_once, server_tls(cert, key)) as s:
            r = field.run(*rules(f"tls://localhost:{s.port}"), "--set",
                          f'tls.ca="{authority.cert}"', field.wasm(dialect),
                          "connect", "localhost", str(s.port), "hi")
        assert r.stdout.decode().startswith(says), (r, s.failures)


def test_what_no_rule_allows_is_not_reached(field):
    came = []

    def peer(s):
        came.append(s)
        echo_once(s)

    with Server(peer) as s:
        port = str(s.port)
        for rule, host, says in (
                # no rules at all; another port; another name; an address
                # for which only a name has a rule that was not looked up
                (None, "127.0.0.1", "look up"),
                (f"127.0.0.1:{free_port()}", "127.0.0.1", "connect"),
                (f"localhost:{free_port()}", "localhost", "connect"),
                ("elsewhere.example:*", "localhost", "look up"),
                (f"localhost:{port}", "127.0.0.1", "connect"),
                # names with a star stand for no private addresses
                ("*:*", "localhost", "connect"),
                ("10.0.0.0/8:*", "127.0.0.1", "connect")):
            r = field.run(*(rules(rule) if rule else ()), field.wasm("reach_wamr"),
                          "connect", host, port, "x")
            assert r.stdout.decode() == f"{says}: Permission denied\n", (
                rule, host, r)
    assert not came


def test_a_host_that_is_not_there_is_an_errno(field):
    port = free_port()
    r = field.run(*rules("any"), field.wasm("reach_wamr"), "connect",
                  "127.0.0.1", str(port), "x")
    assert r.stdout == b"connect: Connection refused\n", r
    r = field.run(*rules("any"), field.wasm("reach_wamr"), "connect",
                  "nobody.invalid", str(port), "x")
    assert r.stdout == b"look up: Host is unreachable\n", r


# --- many, slow, hostile -----------------------------------------------------

@pytest.mark.parametrize("tls", [False, True])
def test_a_thousand_connections(field, tls):
    n = 60 if SANITIZED else 1000
    port = free_port()
    p = field.serve(port, field.wasm("echo"), "3", tls=tls)
    ctx = client_tls() if tls else None
    conns = [dial(port, ctx) for _ in range(n)]
    for i, s in enumerate(conns):
        s.sendall(b"hello %d" % i)
    for i, s in enumerate(conns):
        assert read_all(s, len(b"hello %d" % i)) == b"hello %d" % i
    # All of them are there, and say nothing: that costs nothing.
    falls_quiet(descendants(field.agent.pid))
    for s in conns:
        s.close()
    with dial(port, ctx) as s:
        s.sendall(b"quit")
    assert p.wait(60) == 0
    field.end(p)


def test_slow_and_silent_peers_hold_up_nobody(field):
    """Handshakes that never end, requests byte by byte, readers that do not
    read: others are served meanwhile."""
    port = free_port()
    p = field.serve(port, field.wasm("echo"), "3", tls=True)
    silent = [dial(port) for _ in range(20)]
    for s in silent[10:]:
        s.sendall(b"\x16\x03\x01\x02")  # a record that begins
    deaf = dial(port, client_tls())
    deaf.setblocking(False)
    sent = 0
    while True:
        try:
            sent += deaf.send(b"z" * 16384)
        except (ssl.SSLWantWriteError, BlockingIOError):
            break
    pids = descendants(field.agent.pid)
    with dial(port, client_tls()) as s:
        for c in b"byte by byte":
            s.sendall(bytes([c]))
            assert s.recv(1) == bytes([c])
        falls_quiet(pids)
        s.sendall(b"x")
        assert s.recv(1) == b"x"
    # The reader that slept gets all of it after all.
    deaf.setblocking(True)
    deaf.settimeout(60)
    assert len(read_all(deaf, sent)) == sent
    for s in [*silent, deaf]:
        s.close()
    field.end(p)


def flip(at):
    """A change of one bit in the at-th block of application data that comes
    from the server."""
    seen = [0]

    def change(direction, data):
        if direction == 1 and data[0] == 0x17:
            seen[0] += 1
            if seen[0] == at:
                data = data[:-1] + bytes([data[-1] ^ 1])
        return data
    return change


def repeat(direction, data):
    return data * 2 if direction == 1 and data[0] == 0x17 else data


def drop():
    seen = [0]

    def change(direction, data):
        if direction == 1 and data[0] == 0x17:
            seen[0] += 1
            if seen[0] == 4:
                return b"\x17\x03\x03\x00\x00"
        return data
    return change


def cut():
    seen = [0]

    def change(direction, data):
        if direction == 1 and data[0] == 0x17:
            seen[0] += 1
            if seen[0] == 4:
                return None
        return data
    return change


@pytest.mark.parametrize("name,change", [
    ("corrupt", flip(4)), ("repeat", repeat), ("drop", drop()),
    ("cut", cut())], ids=lambda x: x if isinstance(x, str) else "")
def test_a_host_that_changes_the_stream_is_found_out(name, change, field,
                                                     authority):
    """The host, or anybody on the way, below the Keep's TLS."""
    cert, key = authority.issue("localhost", "DNS:localhost")

    def peer(s):
        for i in range(20):
            s.sendall(b"line %d\n" % i)
            time.sleep(0.02)
        s.unwrap()
    with Server(peer, server_tls(cert, key)) as s, \
            Proxy(s.port, change) as proxy:
        r = field.run("--connect", f"localhost:{proxy.port}", "--set",
                      f'tls.ca="{authority.cert}"', field.wasm("talk"), "3",
                      "end")
    out = r.stdout.decode()
    if r.returncode:  # found out in the handshake already
        assert r.returncode in (122, 123), r
        return
    assert "line 19" not in out, out
    assert out.splitlines()[-1].startswith("end: ") and \
        ("reset" in out or "abort" in out), out


def test_a_changed_handshake_gives_no_connection(field, authority):
    cert, key = authority.issue("localhost", "DNS:localhost")

    def change(direction, data):
        if direction == 1:
            data = bytearray(data)
            data[len(data) // 2] ^= 0x20
            data = bytes(data)
        return data
    with Server(echo_once, server_tls(cert, key)) as s, \
            Proxy(s.port, change) as proxy:
        r = field.run("--connect", f"localhost:{proxy.port}", "--set",
                      f'tls.ca="{authority.cert}"', field.wasm("talk"), "3",
                      "send", "x")
    assert r.returncode in (122, 123), r


def test_a_server_goes_on_when_one_stream_was_changed(field):
    port = free_port()
    p = field.serve(port, field.wasm("echo"), "3", tls=True)

    def change(direction, data):
        if direction == 0 and data[0] == 0x17 and len(data) < 60:
            data = data[:-1] + bytes([data[-1] ^ 1])
        return data
    with Proxy(port, change) as proxy:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            with dial(proxy.port, client_tls()) as s:
                s.sendall(b"x")
                if not s.recv(1):
                    raise ConnectionError
    with dial(port, client_tls()) as s:
        s.sendall(b"quit")
    assert p.wait(60) == 0
    field.end(p)
