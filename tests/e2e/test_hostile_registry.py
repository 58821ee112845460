# SPDX-License-Identifier: Apache-2.0
"""A registry that lies, stalls, floods and redirects: each is refused by its
name, in bounded memory, and leaves nothing behind in the cache or in the
folder where we stand."""
import base64
import gzip
import hashlib
import http.server
import io
import json
import os
import socket
import ssl
import subprocess
import tarfile
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor

import pytest

import registry

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
SECRET = "do-not-repeat-this-password"
MEMORY = 64 << 20  # data, stacks and all; a pull takes under half of it


def sha(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Evil:
    """Serves what it is told to.  blobs: digest -> bytes; manifests: tag or
    digest -> (type, bytes); special: path -> function(handler), which comes
    first; seen: (method, path, headers)."""

    def __init__(self, folder=None, address="127.0.0.1"):
        self.blobs, self.manifests, self.special = {}, {}, {}
        self.seen = []
        evil = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                evil.serve(self)
            do_HEAD = do_POST = do_PUT = do_PATCH = do_GET

            def answer(self, status, body=b"", **headers):
                self.send_response(status)
                for k, v in headers.items():
                    self.send_header(k.replace("_", "-"), v)
                if "Content_Length" not in headers:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass
        self.server = Server((address, 0), Handler)
        self.tls = folder is not None
        if self.tls:
            cert, key = registry.make_certificate(folder)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(cert, key)
            self.server.socket = context.wrap_socket(
                self.server.socket, server_side=True)
            self.cert = cert
        self.port = self.server.server_port
        self.host = f"127.0.0.1:{self.port}"
        self.base = ("https://" if self.tls else "http://") + self.host
        threading.Thread(target=self.server.serve_forever, args=(0.01,),
                         daemon=True).start()

    def serve(self, h):
        path = h.path.split("?")[0]
        self.seen.append((h.command, h.path, dict(h.headers)))
        try:
            if path in self.special:
                return self.special[path](h)
            if path == "/v2/":
                return h.answer(200, b"{}")
            kind, _, name = path.rpartition("/")
            if kind.endswith("/manifests") and name in self.manifests:
                t, body = self.manifests[name]
                return h.answer(200, body, Content_Type=t)
            if kind.endswith("/blobs") and name in self.blobs:
                return h.answer(200, self.blobs[name])
            h.answer(404, b'{"errors": [{"code": "MANIFEST_UNKNOWN"}]}')
        except OSError:
            h.close_connection = True

    def blob(self, data, kind, **more):
        self.blobs[sha(data)] = data
        return {"mediaType": kind, "digest": sha(data), "size": len(data),
                **more}

    def manifest(self, layers, tag="1", **more):
        body = json.dumps({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": self.blob(b"{}", "application/vnd.wasm.config.v0+json"),
            "layers": layers, **more}).encode()
        self.manifests[tag] = self.manifests[sha(body)] = (MANIFEST, body)
        return sha(body)

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def evil():
    e = Evil()
    yield e
    e.stop()


@pytest.fixture
def module(tenant):
    return (tenant.out / "tests/wasm/echoargs.wasm").read_bytes()


@pytest.fixture
def user(tenant, tmp_path):
    """A tenant who stands in an empty folder."""
    tenant.here = tmp_path / "here"
    tenant.here.mkdir()
    docker = tenant.folder / "docker"
    docker.mkdir()
    tenant.docker = docker / "config.json"
    tenant.env["DOCKER_CONFIG"] = str(docker)
    return tenant


def login(user, *hosts):
    auth = base64.b64encode(f"me:{SECRET}".encode()).decode()
    user.docker.write_text(json.dumps(
        {"auths": {h: {"auth": auth} for h in hosts}}))


def left(user):
    """What lies in the cache and here, whole or not."""
    cache = user.folder / "cache/donjon"
    files = [p for p in cache.rglob("*") if p.is_file()]
    return files + list(user.here.rglob("*"))


def pull(user, *args, verb=("package", "pull"), timeout=90):
    """Runs it with little memory: who wants more is told that there is
    none, and that is not what the tests wait for."""
    limit = [] if "asan" in str(user.out) else ["prlimit", f"--data={MEMORY}"]
    p = subprocess.run(
        [*limit, *user.argv(*verb, *args)], env=user.env, cwd=user.here,
        stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout)
    text = p.stderr.decode()
    assert SECRET not in text and "\x1b" not in text
    return p.returncode, text


def refused(user, evil, *words, status=(121, 122, 123, 124),
            tag="1", keeps=0, args=()):
    where = f"{'oci' if evil.tls else 'oci+http'}://{evil.host}/app:{tag}"
    code, text = pull(user, "-o", "out", *args, where)
    assert code in status, text
    for w in words:
        assert w in text, text
    files = left(user)
    assert len([f for f in files if "/partial/" in str(f)]) == 0, files
    assert len(files) <= keeps, files
    return text


# --- contents that are not what was promised ----------------------------------

def test_a_good_package_passes(user, evil, module):
    evil.manifest([evil.blob(module, "application/wasm")])
    status, text = pull(user, f"oci+http://{evil.host}/app:1", "-o", "out")
    assert status == 0, text
    assert (user.here / "out/main.wasm").read_bytes() == module


def test_a_wrong_digest_of_a_blob(user, evil, module):
    d = evil.blob(module, "application/wasm")
    evil.manifest([d])
    evil.blobs[d["digest"]] = module[:-1] + bytes([module[-1] ^ 1])
    text = refused(user, evil, "digest", status=(122,), keeps=2)
    assert "pulled" not in text


def test_a_wrong_digest_of_a_manifest(user, evil, module):
    evil.manifest([evil.blob(module, "application/wasm")])
    asked = sha(b"something else")
    evil.manifests[asked] = evil.manifests["1"]
    code, text = pull(user, f"oci+http://{evil.host}/app@{asked}")
    assert code == 122 and "not what was asked for" in text, text
    assert left(user) == []


def test_a_header_that_says_another_digest(user, evil, module):
    evil.manifest([evil.blob(module, "application/wasm")])
    kind, body = evil.manifests["1"]
    evil.special["/v2/app/manifests/1"] = lambda h: h.answer(
        200, body, Content_Type=kind, Docker_Content_Digest=sha(b"lie"))
    refused(user, evil, "another digest", status=(122,))


@pytest.mark.parametrize("change", [-1, 1, 1000000])
def test_a_wrong_length(change, user, evil, module):
    d = evil.blob(module, "application/wasm")
    d["size"] += change
    evil.manifest([d])
    refused(user, evil, "bytes, want", status=(122,), keeps=2)


def test_a_body_that_is_longer_than_promised_without_saying_so(
        user, evil, module):
    """No Content-Length: it ends with the connection, if ever."""
    d = evil.blob(module, "application/wasm")
    evil.manifest([d])

    def endless(h):
        h.send_response(200)
        h.send_header("Connection", "close")
        h.end_headers()
        while True:
            h.wfile.write(b"x" * 65536)
    evil.special[f"/v2/app/blobs/{d['digest']}"] = endless
    refused(user, evil, "more than", keeps=2)


def test_the_parts_of_a_package_come_at_once_and_end_at_once(user, evil,
                                                             module):
    """Four at a time; what one of them is refused for ends the others."""
    toml = b'[[mounts]]\nhost = "data"\nguest = "/data"\n'
    data = tar_of(("data/x", FILE, b"x"))
    parts = [evil.blob(module, "application/wasm"),
             evil.blob(toml, "application/vnd.donjon.config.v1+toml"),
             evil.blob(data, "application/vnd.donjon.data.v1.tar")]
    evil.manifest(parts)
    meeting = threading.Barrier(len(parts) + 1)

    def meet(h):
        meeting.wait(60)
        del evil.special[h.path]
        evil.serve(h)
    paths = [f"/v2/app/blobs/{d}" for d in evil.blobs]
    assert len(paths) == 4
    for path in paths:
        evil.special[path] = meet
    where = f"oci+http://{evil.host}/app:1"
    code, text = pull(user, where)
    assert code == 0, text

    def stall(h):
        h.send_response(200)
        h.send_header("Content-Length", str(len(module)))
        h.end_headers()
        h.wfile.write(module[:1000])
        done.wait(60)
        h.close_connection = True
    done = threading.Event()
    for p in (user.folder / "cache/donjon/blobs/sha256").iterdir():
        p.unlink()
    evil.special[paths[0]] = stall
    evil.special[paths[1]] = lambda h: h.answer(200, b"x" * len(toml))
    # It would wait for a day.
    refused(user, evil, "digest", keeps=4, status=(122,),
            args=("--net-timeout", "86400"))
    done.set()


def test_a_body_that_is_cut_again_and_again(user, evil, module):
    d = evil.blob(module, "application/wasm")
    evil.manifest([d])

    def cut(h):
        h.send_response(200)
        h.send_header("Content-Length", str(len(module)))
        h.end_headers()
        h.close_connection = True
    evil.special[f"/v2/app/blobs/{d['digest']}"] = cut
    refused(user, evil, status=(123,), keeps=2)
    assert len([s for s in evil.seen if "/blobs/" in s[1]]) <= 8


def test_a_range_that_was_not_asked_for(user, evil, module):
    d = evil.blob(module, "application/wasm")
    evil.manifest([d])
    turns = []

    def odd(h):
        turns.append(1)
        if len(turns) == 1:
            h.send_response(200)
            h.send_header("Content-Length", str(len(module)))
            h.end_headers()
            h.wfile.write(module[:10000])
            h.close_connection = True
        else:
            h.answer(206, module[:100],
                     Content_Range=f"bytes 0-99/{len(module)}")
    evil.special[f"/v2/app/blobs/{d['digest']}"] = odd
    code, text = pull(user, f"oci+http://{evil.host}/app:1")
    assert code == 123 and "not the range" in text, text


# --- floods ---------------------------------------------------------------------

@pytest.mark.parametrize("honest", [True, False])
def test_a_manifest_of_a_gigabyte(honest, user, evil):
    sent = []

    def huge(h):
        h.send_response(200)
        h.send_header("Content-Type", MANIFEST)
        h.send_header(*(("Content-Length", str(1 << 30)) if honest else
                        ("Connection", "close")))
        h.end_headers()
        for _ in range(1 << 14):
            h.wfile.write(b" " * 65536)
            sent.append(1)
        h.close_connection = True
    evil.special["/v2/app/manifests/1"] = huge
    refused(user, evil, "larger than 4194304 bytes",
            status=(124,))
    assert len(sent) < 2000


def test_endless_headers(user, evil):
    def flood(h):
        h.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            h.wfile.write(b"X-A: " + b"a" * 1000 + b"\r\n")
    evil.special["/v2/app/manifests/1"] = flood
    refused(user, evil, "head too long", status=(124,))


def test_endless_interim_answers(user, evil):
    def flood(h):
        while True:
            h.wfile.write(b"HTTP/1.1 103 Early Hints\r\n\r\n")
    evil.special["/v2/app/manifests/1"] = flood
    refused(user, evil, "interim")


def test_endless_error_texts(user, evil):
    def flood(h):
        h.send_response(404)
        h.send_header("Connection", "close")
        h.end_headers()
        while True:
            h.wfile.write(b"\x1b[31m" * 10000)
    evil.special["/v2/app/manifests/1"] = flood
    refused(user, evil, "endless error")


def test_an_error_text_is_not_repeated(user, evil):
    """It could say what we sent, or move the cursor."""
    login(user, evil.host)

    def echo(h):
        if "Authorization" not in h.headers:
            return h.answer(401, WWW_Authenticate='Basic realm="x"')
        said = base64.b64decode(h.headers["Authorization"][6:]).decode()
        h.answer(500, json.dumps({"errors": [
            {"code": said, "message": said + "\x1b[2J"}]}).encode())
    evil.special["/v2/app/manifests/1"] = echo
    refused(user, evil, "status 500")


def test_gzip_that_nobody_asked_for(user, evil):
    """A gigabyte in a megabyte, as content or transfer encoding."""
    bomb = gzip.compress(b"\0" * (1 << 26))
    for header in ("Content-Encoding", "Transfer-Encoding"):
        def serve(h):
            h.send_response(200)
            h.send_header("Content-Type", MANIFEST)
            h.send_header(header, "gzip")
            h.send_header("Connection", "close")
            h.end_headers()
            h.wfile.write(bomb)
            h.close_connection = True
        evil.special["/v2/app/manifests/1"] = serve
        refused(user, evil, "encoded")


def test_a_gzip_bomb_as_data(user, evil, module):
    """A hundred megabytes of zeros from a hundred kilobytes."""
    z = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = b"\0" * (1 << 24)
    bomb = b"".join(z.compress(block) for _ in range(6)) + z.flush()
    assert len(bomb) < 1 << 19
    evil.manifest([evil.blob(module, "application/wasm"), evil.blob(
        bomb, "application/vnd.donjon.data.v1.tar+gzip")])
    refused(user, evil, "when unpacked", status=(124,), keeps=4)


def test_json_that_is_deep_or_doubled_or_not_utf8(user, evil):
    for body, word in (
            (b"[" * 1000000, "manifest"), (b'{"a": 1, "a": 2}', "manifest"),
            (b'{"x": [' + b"{}," * 1300000 + b"{}]}", "too many values"),
            (b'{"schemaVersion": 2, "x": "\xff\xfe"}', "manifest"),
            (b"", "manifest"), (b"null", "manifest"),
            (b'{"schemaVersion": 1, "name": "a"}', "schema version 1")):
        evil.manifests["1"] = (MANIFEST, body)
        refused(user, evil, word, status=(121, 124))


def test_an_index_that_leads_in_circles(user, evil):
    """Each says another index: digests forbid a circle, depth is bounded."""
    inner = json.dumps({"schemaVersion": 2, "mediaType": INDEX,
                        "manifests": []}).encode()
    for _ in range(10):
        evil.manifests[sha(inner)] = evil.manifests["1"] = (INDEX, inner)
        inner = json.dumps({
            "schemaVersion": 2, "mediaType": INDEX, "manifests": [
                {"mediaType": INDEX, "digest": sha(inner),
                 "size": len(inner)}]}).encode()
    evil.manifests["1"] = (INDEX, inner)
    refused(user, evil, "nested")


# --- stalls -----------------------------------------------------------------------

def test_slow_loris_in_head_and_body_and_who_never_answers(user, evil,
                                                           module):
    """Side by side: each of them is given up after some tries."""
    def drip_head(h):
        h.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
        while True:
            h.wfile.write(b"a")
            time.sleep(0.2)

    def drip_body(h):
        h.send_response(200)
        h.send_header("Content-Length", str(len(module)))
        h.end_headers()
        while True:
            h.wfile.write(b"a")
            time.sleep(0.2)
    d = evil.blob(module, "application/wasm")
    evil.manifest([d])
    evil.special["/v2/head/manifests/1"] = drip_head
    evil.special["/v2/app/manifests/other"] = drip_body
    evil.special[f"/v2/app/blobs/{d['digest']}"] = drip_body
    silent = socket.create_server(("127.0.0.1", 0))
    port = silent.getsockname()[1]
    refs = [f"{evil.host}/head:1", f"{evil.host}/app:other",
            f"{evil.host}/app:1", f"127.0.0.1:{port}/app:1"]
    with ThreadPoolExecutor(len(refs)) as pool:
        for code, text in pool.map(lambda r: pull(
                user, "--net-timeout", "1", f"oci+http://{r}"), refs):
            assert code == 123 and "too slow" in text, text
    silent.close()
    # What came of a blob may be gone on with; nothing else is there.
    assert len([f for f in left(user) if "/partial/" in str(f)]) <= 1


# --- redirects -----------------------------------------------------------------------

def to(where):
    return lambda h: h.answer(307, Location=where)


def test_a_redirect_to_itself(user, evil):
    path = "/v2/app/manifests/1"
    evil.special[path] = to(path)
    refused(user, evil, "more than 8 redirects")
    assert len(evil.seen) < 15


def test_a_redirect_loop_of_two(user, evil):
    evil.special["/v2/app/manifests/1"] = to("/other")
    evil.special["/other"] = to("/v2/app/manifests/1")
    refused(user, evil, "more than 8 redirects")


@pytest.mark.parametrize("where,word", [
    ("file:///etc/passwd", "scheme file"), ("ftp://h/x", "scheme ftp"),
    ("gopher://h/x", "scheme gopher"), ("dict://h/x", "scheme dict"),
    ("data:application/json,{}", "redirect"),
    ("http://example.com/x", "plain http"),
    ("http://me:pw@127.0.0.1:1/x", "user's name"),
    ("https://token@127.0.0.1:1/x", "user's name"),
    ("http://127.0.0.1:1/\x07", "control"), ("//", "redirect"),
    ("http://" + "a" * 5000 + "/", ""),
])
def test_redirects_that_are_not_followed(where, word, user, evil):
    evil.special["/v2/app/manifests/1"] = to(where)
    refused(user, evil, word)


def test_a_redirect_from_https_to_http(user, evil, module, tmp_path):
    safe = Evil(tmp_path)
    user.env["SSL_CERT_FILE"] = str(safe.cert)
    evil.manifest([evil.blob(module, "application/wasm")])
    safe.special["/v2/app/manifests/1"] = to(
        f"{evil.base}/v2/app/manifests/1")
    refused(user, safe, "from https to plain http")
    assert evil.seen == []
    safe.stop()


def test_credentials_do_not_follow_a_redirect_to_another_host(
        user, evil, module):
    other = Evil()
    d = evil.blob(module, "application/wasm")
    evil.manifest([d])
    other.blobs.update(evil.blobs)
    login(user, evil.host)
    evil.special["/v2/app/manifests/1"] = lambda h: (
        h.answer(200, evil.manifests["1"][1], Content_Type=MANIFEST)
        if "Authorization" in h.headers else
        h.answer(401, WWW_Authenticate='Basic realm="x"'))
    evil.special[f"/v2/app/blobs/{d['digest']}"] = to(
        f"{other.base}/v2/app/blobs/{d['digest']}")
    code, text = pull(user, f"oci+http://{evil.host}/app:1")
    assert code == 0, text
    assert any("Authorization" in h for _, _, h in evil.seen)
    assert other.seen and not any("Authorization" in h
                                  for _, _, h in other.seen)
    other.stop()


def test_credentials_are_for_the_host_they_were_given_for(user, evil):
    login(user, "localhost:1")
    evil.special["/v2/app/manifests/1"] = lambda h: h.answer(
        401, WWW_Authenticate='Basic realm="localhost:1"')
    refused(user, evil, "login")
    assert not any("Authorization" in h for _, _, h in evil.seen)


@pytest.mark.parametrize("realm", [
    "http://example.com/token", "ftp://h/token", "file:///etc/passwd", "x"])
def test_a_token_is_not_fetched_in_clear(realm, user, evil):
    login(user, evil.host)
    evil.special["/v2/app/manifests/1"] = lambda h: h.answer(
        401, WWW_Authenticate=f'Bearer realm="{realm}",service="s"')
    refused(user, evil, "not https", status=(122,))


def test_a_token_endpoint_does_not_redirect(user, evil):
    other = Evil()
    login(user, evil.host)
    evil.special["/v2/app/manifests/1"] = lambda h: h.answer(
        401, WWW_Authenticate=f'Bearer realm="{evil.base}/t",service="s"')
    evil.special["/t"] = to(f"{other.base}/t")
    refused(user, evil, "token")
    assert other.seen == []
    other.stop()


@pytest.mark.parametrize("body", [
    b"", b"{}", b'{"token": ""}', b'{"token": 7}',
    b'{"token": "a\\r\\nX-Injected: 1"}', b'{"token": "a b"}', b"[" * 70000])
def test_a_token_that_is_none(body, user, evil):
    evil.special["/v2/app/manifests/1"] = lambda h: h.answer(
        401, WWW_Authenticate=f'Bearer realm="{evil.base}/t",service="s"')
    evil.special["/t"] = lambda h: h.answer(200, body)
    refused(user, evil)
    assert not any("X-Injected" in h for _, _, h in evil.seen)


def test_a_token_that_works(user, evil, module):
    login(user, evil.host)
    evil.manifest([evil.blob(module, "application/wasm")])

    def guarded(h):
        if h.headers.get("Authorization") != "Bearer good":
            return h.answer(401, WWW_Authenticate=(
                f'Bearer realm="{evil.base}/t",service="s v",'
                'scope="repository:app:pull"'))
        h.answer(200, evil.manifests["1"][1], Content_Type=MANIFEST)
    evil.special["/v2/app/manifests/1"] = guarded
    evil.special["/t"] = lambda h: h.answer(200, b'{"token": "good"}')
    code, text = pull(user, f"oci+http://{evil.host}/app:1")
    assert code == 0, text
    asked, = (s for s in evil.seen if s[1].startswith("/t?"))
    assert "service=s%20v" in asked[1]
    assert "scope=repository%3Aapp%3Apull" in asked[1]
    assert asked[2]["Authorization"].startswith("Basic ")


def test_a_login_that_is_asked_for_again_and_again(user, evil):
    login(user, evil.host)
    evil.special["/v2/app/manifests/1"] = lambda h: h.answer(
        401, WWW_Authenticate='Basic realm="x"')
    refused(user, evil, "login", status=(122,))
    assert len(evil.seen) <= 4


@pytest.mark.parametrize("header", [
    "", "Bearer", "Nonsense x=y", 'Bearer realm="' + "a" * 2000 + '"',
    'Bearer realm="unclosed'])
def test_challenges_that_cannot_be_read(header, user, evil):
    evil.special["/v2/app/manifests/1"] = lambda h: h.answer(
        401, WWW_Authenticate=header)
    refused(user, evil)


def test_a_server_that_says_unchanged_of_what_we_do_not_have(user, evil,
                                                              module):
    evil.special["/a.wasm"] = lambda h: h.answer(304)
    code, text = pull(user, f"{evil.base}/a.wasm")
    assert code == 123 and "status 304" in text, text
    assert left(user) == []


def test_validators_that_would_be_headers(user, evil, module):
    """What a server says of its contents is asked back, and nothing else."""
    for etag in ('"\x01"', "a" * 5000, "\xff"):
        evil.special["/a.wasm"] = lambda h: h.answer(200, module, ETag=etag)
        for _ in range(2):
            code, text = pull(user, f"{evil.base}/a.wasm")
            assert code == 0, text
    assert not any("If-None-Match" in h for _, _, h in evil.seen)
    evil.special["/a.wasm"] = lambda h: h.answer(
        304 if h.headers.get("If-None-Match") == '"good"' else 200,
        module, ETag='"good"')
    for _ in range(2):
        code, text = pull(user, f"{evil.base}/a.wasm")
        assert code == 0, text
    assert evil.seen[-1][2]["If-None-Match"] == '"good"'


# --- what does not run ------------------------------------------------------------------

@pytest.mark.parametrize("kind", [
    "application/x-evil", "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/vnd.oci.image.layer.v1.tar", "text/html"])
def test_unknown_media_types_of_layers(kind, user, evil, module):
    evil.manifest([evil.blob(module, "application/wasm"),
                   evil.blob(b"x", kind)])
    refused(user, evil, kind, status=(121,), keeps=0)


def test_unknown_media_types_of_manifests(user, evil, module):
    evil.manifest([evil.blob(module, "application/wasm")])
    body = evil.manifests["1"][1].replace(MANIFEST.encode(),
                                          b"application/vnd.evil+json")
    evil.manifests["1"] = ("application/vnd.evil+json", body)
    refused(user, evil, "application/vnd.evil+json", status=(121,))
    evil.manifest([evil.blob(module, "application/wasm")])
    evil.manifests["1"] = (INDEX, evil.manifests["1"][1])
    refused(user, evil, "served as", status=(121,))


def test_layers_that_lie_elsewhere(user, evil, module):
    d = evil.blob(module, "application/wasm", urls=["https://evil.example/"])
    evil.manifest([d])
    refused(user, evil, "other locations", status=(121,))


def test_a_package_without_a_module_or_with_two(user, evil, module):
    evil.manifest([])
    refused(user, evil, "no layer is a module", status=(121,))
    evil.manifest([evil.blob(module, "application/wasm"),
                   evil.blob(module + b"\0", "application/wasm")])
    refused(user, evil, "two layers", status=(121,))


def test_what_calls_itself_wasm_and_is_not(user, evil):
    evil.manifest([evil.blob(b"#!/bin/sh\n", "application/wasm")])
    code, text = pull(user, f"oci+http://{evil.host}/app:1",
                         verb=("run",))
    assert code == 121 and "not a wasm module" in text, text


# --- names --------------------------------------------------------------------------------

@pytest.mark.parametrize("title", [
    "../evil.wasm", "/tmp/evil.wasm", "a/../../evil.wasm", "..", ".",
    "a\0b", "a\nb", "a\\..\\b", "\u202egpj.wasm", "x" * 300])
def test_titles_that_lead_out(title, user, evil, module):
    evil.manifest([evil.blob(module, "application/wasm", annotations={
        "org.opencontainers.image.title": title})])
    refused(user, evil, "manifest", status=(121, 124))


def tar_of(*entries):
    """entries: (name, type, contents or link)."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT,
                      encoding="latin-1") as t:
        for name, kind, more in entries:
            info = tarfile.TarInfo(name)
            info.type = kind
            if kind == tarfile.REGTYPE:
                info.size = len(more)
                t.addfile(info, io.BytesIO(more))
            else:
                info.linkname = more
                t.addfile(info)
    return out.getvalue()


FILE, LINK, HARD, DIR = (tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE,
                         tarfile.DIRTYPE)
BAD_TARS = {
    "dotdot": ([("../evil", FILE, b"x")], '".."'),
    "dotdot-inside": ([("data/../../evil", FILE, b"x")], '".."'),
    "absolute": ([("/tmp/evil", FILE, b"x")], "absolute"),
    "symlink": ([("data/l", LINK, "/etc/passwd")], "symbolic link"),
    "through-symlink": ([("data", LINK, "/tmp"), ("data/x", FILE, b"x")],
                        "symbolic link"),
    "hardlink": ([("data/l", HARD, "main.wasm")], "hard link"),
    "character-device": ([("data/d", tarfile.CHRTYPE, "")], "device"),
    "block-device": ([("data/d", tarfile.BLKTYPE, "")], "device"),
    "fifo": ([("data/p", tarfile.FIFOTYPE, "")], "pipe"),
    "duplicate": ([("data/a", FILE, b"x"), ("data/a", FILE, b"y")], "twice"),
    "case-fold": ([("data/README", FILE, b"x"), ("data/readme", FILE, b"y")],
                  "case"),
    "case-fold-folder": ([("Data/a", FILE, b"x"), ("data/b", FILE, b"y")],
                         "case"),
    "file-as-folder": ([("data", FILE, b"x"), ("data/a", FILE, b"y")],
                       "a file and a folder"),
    "not-utf8": ([("data/\xff\xfe", FILE, b"x")], "UTF-8"),
    "control": ([("data/\x1b[2J", FILE, b"x")], "control"),
    "backslash": ([("data\\..\\evil", FILE, b"x")], "backslash"),
    "deep": ([("d/" * 40 + "x", FILE, b"x")], "nested"),
}


@pytest.mark.parametrize("packed", [False, True], ids=["tar", "gzip"])
@pytest.mark.parametrize("name", BAD_TARS)
def test_archives_that_would_break_out(name, packed, user, evil, module):
    entries, word = BAD_TARS[name]
    data = tar_of(*entries)
    kind = "application/vnd.donjon.data.v1.tar"
    if packed:
        data, kind = gzip.compress(data), kind + "+gzip"
    toml = b'[[mounts]]\nhost = "data"\nguest = "/data"\n'
    evil.manifest([
        evil.blob(module, "application/wasm"),
        evil.blob(toml, "application/vnd.donjon.config.v1+toml"),
        evil.blob(data, kind)])
    # The blobs themselves are what their digests say: they may stay.
    text = refused(user, evil, word, status=(121, 124), keeps=5)
    assert "data: tar:" in text
    assert list(user.here.iterdir()) == []


def test_archives_of_the_web_that_would_break_out(user, evil, module):
    """The same as whole packages, from a web server and from a file."""
    toml = b'[[mounts]]\nhost = "data"\nguest = "/data"\n'
    for name, (entries, word) in BAD_TARS.items():
        data = tar_of(("main.wasm", FILE, module), ("Donjon.toml", FILE, toml),
                      *entries)
        evil.special["/a.tar"] = lambda h: h.answer(200, data)
        path = user.folder / "a.tar"
        path.write_bytes(data)
        for ref in (f"{evil.base}/a.tar", path):
            code, text = pull(user, "-o", "out", ref)
            assert code in (121, 124) and word in text, (name, text)
            assert list(user.here.iterdir()) == [], name


def test_a_gzip_bomb_as_a_package(user, evil):
    z = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = b"\0" * (1 << 24)
    bomb = b"".join(z.compress(block) for _ in range(6)) + z.flush()
    evil.special["/a.tgz"] = lambda h: h.answer(200, bomb)
    code, text = pull(user, f"{evil.base}/a.tgz")
    assert code == 124 and "when unpacked" in text, text
    assert not [p for p in left(user) if p.stat().st_size > len(bomb)]


@pytest.mark.parametrize("data,word", [
    (b"", "cut short"), (b"x" * 1000, ""), (b"\0" * 100, "cut short"),
    (tar_of(("a", FILE, b"x"))[:700], "cut short"),
    (tar_of(("a", FILE, b"x")) + b"tail" * 128, "behind"),
])
def test_archives_that_are_none(data, word, user, evil, module):
    evil.manifest([evil.blob(module, "application/wasm"), evil.blob(
        data, "application/vnd.donjon.data.v1.tar")])
    refused(user, evil, "data: tar:", word, status=(121,), keeps=5)


# --- pushing to it -------------------------------------------------------------------------

def push(user, evil, module):
    path = user.folder / "app.wasm"
    path.write_bytes(module)
    return pull(user, path, f"oci+http://{evil.host}/app:1",
                "--net-timeout", "3", verb=("package", "push"))


@pytest.mark.parametrize("location,word", [
    (None, "no location"), ("file:///etc/passwd", "scheme file"),
    ("http://me:pw@127.0.0.1:1/", "user's name"),
    ("http://example.com/", "plain http")])
def test_uploads_are_not_led_astray(location, word, user, evil, module):
    headers = {"Location": location} if location else {}
    evil.special["/v2/app/blobs/uploads/"] = lambda h: h.answer(
        202, **headers)
    code, text = push(user, evil, module)
    assert code in (121, 122, 123) and word in text, text


def test_an_upload_that_never_gets_anywhere(user, evil, module):
    def begin(h):
        h.answer(202, Location="/v2/app/blobs/uploads/x")

    def upload(h):
        if h.command == "PATCH":
            h.rfile.read(int(h.headers["Content-Length"]))
            return h.answer(500)
        h.answer(204, Range="0-0")
    evil.special["/v2/app/blobs/uploads/"] = begin
    evil.special["/v2/app/blobs/uploads/x"] = upload
    code, text = push(user, evil, module)
    assert code == 123 and "status 500" in text, text
    assert len(evil.seen) < 60


def test_an_upload_goes_on_where_the_registry_stands(user, evil, module):
    """One that keeps to the specification, over lines that are cut."""
    data = os.urandom(40 << 20)
    store, finished, begun = bytearray(), [], []
    cuts = [21 << 20, 30 << 20]

    def begin(h):
        begun.append(1)
        store.clear()
        h.answer(202, Location="/v2/app/blobs/uploads/x")

    def upload(h):
        if h.command == "GET":
            return h.answer(204, Range=f"0-{len(store) - 1}",
                            Location="/v2/app/blobs/uploads/x?y=1")
        if h.command == "PUT":
            finished.append(sha(bytes(store)))
            return h.answer(201)
        first, last = map(int, h.headers["Content-Range"].split("-"))
        if first != len(store):
            return h.answer(416)
        while len(store) <= last:
            store.extend(h.rfile.read(min(65536, last + 1 - len(store))))
            if cuts and len(store) > cuts[0]:
                cuts.pop(0)
                h.close_connection = True
                h.connection.shutdown(socket.SHUT_RDWR)
                return
        h.answer(202, Location="/v2/app/blobs/uploads/x",
                 Range=f"0-{len(store) - 1}")
    evil.special["/v2/app/blobs/uploads/"] = begin
    evil.special["/v2/app/blobs/uploads/x"] = upload
    evil.special["/v2/app/manifests/1"] = lambda h: (
        h.rfile.read(int(h.headers["Content-Length"])), h.answer(201))
    folder = user.folder / "app"
    (folder / "data").mkdir(parents=True)
    (folder / "main.wasm").write_bytes(module)
    (folder / "Donjon.toml").write_text(
        '[[mounts]]\nhost = "data"\nguest = "/data"\n')
    (folder / "data/blob").write_bytes(data)
    code, text = pull(user, folder, f"oci+http://{evil.host}/app:1",
                      verb=("package", "push"))
    assert code == 0, text
    assert not cuts and len(begun) == 4, "began anew"
    built = json.loads(subprocess.run(
        user.argv("package", "build", "--json", folder), env=user.env,
        check=True, capture_output=True).stdout)
    assert {x["digest"] for x in built["layers"]} <= set(finished)


# --- a registry that knows referrers ---------------------------------------------------------

class Modern:
    """OCI distribution 1.1 in full, as far as signing goes: uploads, the
    referrers API, OCI-Subject."""

    def __init__(self, evil, name="app"):
        self.evil, self.name, self.referrers = evil, name, {}
        evil.special[f"/v2/{name}/blobs/uploads/"] = lambda h: h.answer(
            202, Location=f"/v2/{name}/up")
        evil.special[f"/v2/{name}/up"] = self.upload
        evil.serve = self.serve
        self.store = b""

    def upload(self, h):
        data = h.rfile.read(int(h.headers["Content-Length"] or 0))
        if h.command == "PATCH":
            self.store = data
            return h.answer(202, Location=f"/v2/{self.name}/up")
        self.evil.blobs[sha(self.store)] = self.store
        return h.answer(201)

    def serve(self, h):
        path = h.path.split("?")[0]
        kind, _, last = path.rpartition("/")
        if h.command == "PUT" and kind.endswith("/manifests"):
            self.evil.seen.append((h.command, h.path, dict(h.headers)))
            body = h.rfile.read(int(h.headers["Content-Length"]))
            entry = (h.headers["Content-Type"], body)
            self.evil.manifests[last] = self.evil.manifests[sha(body)] = entry
            said = json.loads(body)
            subject = said.get("subject", {}).get("digest")
            self.referrers.setdefault(subject, []).append({
                "mediaType": entry[0], "digest": sha(body),
                "size": len(body), "artifactType": said.get("artifactType")})
            more = {"OCI_Subject": subject} if subject else {}
            return h.answer(201, **more)
        if kind.endswith("/referrers"):
            self.evil.seen.append((h.command, h.path, dict(h.headers)))
            return h.answer(200, json.dumps({
                "schemaVersion": 2, "mediaType": INDEX,
                "manifests": self.referrers.get(last, [])}).encode(),
                Content_Type=INDEX)
        return Evil.serve(self.evil, h)


def test_signatures_by_the_referrers_api(user, evil, module):
    modern = Modern(evil)
    key = user.folder / "k"
    subprocess.run(user.argv("package", "keygen", key), env=user.env,
                   check=True, stderr=subprocess.DEVNULL)
    digest = evil.manifest([evil.blob(module, "application/wasm")])
    where = f"oci+http://{evil.host}/app:1"
    code, text = pull(user, "--key", key, where, verb=("package", "sign"))
    assert code == 0, text
    tag = digest.replace(":", "-")
    assert [r["artifactType"] for r in modern.referrers[digest]] == \
        ["application/vnd.dev.cosign.artifact.sig.v1+json"]
    # With the API there is no need of the tag in its place.
    assert tag + ".sig" in evil.manifests and tag not in evil.manifests
    # Cosign's tag is gone: the API alone leads there.
    del evil.manifests[tag + ".sig"]
    code, text = pull(user, "--key", f"{key}.pub", where,
                      verb=("package", "verify"))
    assert code == 0, text
    assert any("/referrers/" in p for _, p, _ in evil.seen)
    modern.referrers.clear()
    code, text = pull(user, "--key", f"{key}.pub", where,
                      verb=("package", "verify"))
    assert code == 122 and "not signed" in text, text


def test_referrers_that_are_none_or_too_many(user, evil, module):
    modern = Modern(evil)
    key = user.folder / "k"
    subprocess.run(user.argv("package", "keygen", key), env=user.env,
                   check=True, stderr=subprocess.DEVNULL)
    digest = evil.manifest([evil.blob(module, "application/wasm")])
    kind = "application/vnd.dev.cosign.artifact.sig.v1+json"
    modern.referrers[digest] = [
        {"mediaType": MANIFEST, "digest": sha(str(i).encode()), "size": 7,
         "artifactType": kind} for i in range(200)]
    refused(user, evil, "not signed", status=(122,),
            args=("--key", f"{key}.pub"))
    assert len([1 for _, p, _ in evil.seen if "/manifests/sha256:" in p]) < 20
    modern.referrers[digest] *= 100
    refused(user, evil, "referrers", status=(121, 122, 124),
            args=("--key", f"{key}.pub"))


# --- yanks from it ---------------------------------------------------------------------------

def test_marks_of_yanks_are_judged_and_not_repeated(user, evil, module):
    digest = evil.manifest([evil.blob(module, "application/wasm")])
    tag = digest.replace(":", "-") + ".yank"

    def mark(**annotations):
        evil.manifest([], tag=tag, artifactType="application/vnd.donjon."
                      "yank.v1", annotations=annotations)
    for said in ({}, {"dev.donjon.yank": SECRET},
                 {"dev.donjon.yank": "\x1b[2J" * 1000}):
        mark(**said)
        text = refused(user, evil, "yanked by its publisher;", status=(122,))
        assert len(text) < 400
    for kind, body in ((MANIFEST, b"{"), (INDEX, json.dumps(
            {"schemaVersion": 2, "mediaType": INDEX,
             "manifests": []}).encode()), evil.manifests["1"]):
        evil.manifests[tag] = (kind, body)
        refused(user, evil, "yank: ", status=(121,))
    mark(**{"dev.donjon.yank": "undone"})
    code, text = pull(user, f"oci+http://{evil.host}/app:1")
    assert code == 0, text


# --- signatures from it ----------------------------------------------------------------------

def test_signatures_that_are_none(user, evil, module):
    key = user.folder / "k"
    subprocess.run(user.argv("package", "keygen", key), env=user.env,
                   check=True, stderr=subprocess.DEVNULL)
    digest = evil.manifest([evil.blob(module, "application/wasm")])
    tag = digest.replace(":", "-") + ".sig"
    good = json.dumps({"critical": {
        "identity": {"docker-reference": f"{evil.host}/app"},
        "image": {"docker-manifest-digest": digest},
        "type": "cosign container image signature"}}).encode()
    kind = "application/vnd.dev.cosign.simplesigning.v1+json"
    made = subprocess.run(["openssl", "dgst", "-sha256", "-sign", key],
                          input=good, check=True, capture_output=True).stdout
    b64 = base64.b64encode(made).decode()

    def offer(payload, signature):
        evil.manifest([evil.blob(payload, kind, annotations={
            "dev.cosignproject.cosign/signature": signature})], tag=tag)
        return refused(user, evil, "signature", status=(121, 122), keeps=20,
                       args=("--key", f"{key}.pub"))
    other = good.replace(digest.encode(), sha(b"x").encode())
    signed_other = base64.b64encode(subprocess.run(
        ["openssl", "dgst", "-sha256", "-sign", key], input=other, check=True,
        capture_output=True).stdout).decode()
    assert "another key" in offer(other, b64)
    assert "another package" in offer(other, signed_other)
    offer(good, "")
    offer(good, "!!!!")
    offer(good, b64[:-8])
    offer(good, base64.b64encode(b"\x30\x06\x02\x01\x00\x02\x01\x00")
          .decode())
    offer(good, "A" * 100000)
    offer(b"x" * (1 << 20), b64)
    evil.manifests[tag] = (MANIFEST, b"{")
    refused(user, evil, "signatures", keeps=20, args=("--key", f"{key}.pub"))
    evil.manifest([evil.blob(good, kind, annotations={
        "dev.cosignproject.cosign/signature": b64})], tag=tag)
    code, text = pull(user, "--key", f"{key}.pub",
                         f"oci+http://{evil.host}/app:1")
    assert code == 0, text
