# SPDX-License-Identifier: Apache-2.0
"""A real registry that wants tokens, and who gives them: Docker's token
specification, with passwords, identity tokens, and nobody in particular."""
import base64
import http.server
import json
import shutil
import ssl
import subprocess
import threading
import time
import urllib.parse

import pytest

import registry

pytestmark = pytest.mark.skipif(
    not registry.available(), reason="docker-registry, htpasswd: not installed")
IDENTITY = "an-identity-token-that-nobody-may-see"


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Issuer:
    """Gives tokens for what was asked; `pull` of public/* to anybody."""

    def __init__(self, folder):
        folder.mkdir()
        self.asked = []
        self.folder = folder
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes",
             "-keyout", folder / "sign.key", "-out", folder / "sign.pem",
             "-days", "30", "-subj", "/CN=issuer"],
            check=True, capture_output=True)
        der = subprocess.run(
            ["openssl", "x509", "-in", folder / "sign.pem", "-outform",
             "DER"], check=True, capture_output=True).stdout
        self.chain = [base64.b64encode(der).decode()]
        cert, key = registry.make_certificate(folder)
        issuer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                issuer.answer(self, urllib.parse.urlsplit(self.path).query)

            def do_POST(self):
                n = int(self.headers["Content-Length"])
                issuer.answer(self, self.rfile.read(n).decode())
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0),
                                                      Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        self.server.socket = context.wrap_socket(self.server.socket,
                                                 server_side=True)
        self.realm = f"https://127.0.0.1:{self.server.server_port}/token"
        self.cert = cert
        threading.Thread(target=self.server.serve_forever, args=(0.01,),
                         daemon=True).start()

    def config(self):
        return ("auth:\n  token:\n"
                f"    realm: {self.realm}\n"
                "    service: the registry\n    issuer: us\n"
                f"    rootcertbundle: {self.folder}/sign.pem\n")

    def who(self, h, form):
        """The user, "" for nobody, None for who lies."""
        if h.command == "POST":
            return registry.USER if form.get("refresh_token") == [IDENTITY] \
                else None
        basic = h.headers.get("Authorization")
        if not basic:
            return ""
        said = base64.b64decode(basic.removeprefix("Basic ")).decode()
        return registry.USER if said == \
            f"{registry.USER}:{registry.PASSWORD}" else None

    def answer(self, h, query):
        form = urllib.parse.parse_qs(query)
        user = self.who(h, form)
        self.asked.append((h.command, h.path, user, form))
        status, body = 401, {"details": "no"}
        if user is not None and form["service"] == ["the registry"]:
            status, body = 200, {"access_token" if h.command == "POST" else
                                 "token": self.token(user, form)}
        text = json.dumps(body).encode()
        h.send_response(status)
        h.send_header("Content-Length", str(len(text)))
        h.end_headers()
        h.wfile.write(text)

    def token(self, user, form):
        access = []
        for scope in form.get("scope", []):
            kind, name, actions = scope.split(":")
            wanted = actions.split(",")
            if not user:
                wanted = ["pull"] if name.startswith("public/") and \
                    "pull" in wanted else []
            access.append({"type": kind, "name": name, "actions": wanted})
        now = int(time.time())
        parts = [{"typ": "JWT", "alg": "RS256", "x5c": self.chain},
                 {"iss": "us", "sub": user, "aud": "the registry",
                  "exp": now + 300, "nbf": now - 60, "iat": now,
                  "jti": str(len(self.asked)), "access": access}]
        said = ".".join(b64url(json.dumps(p).encode()) for p in parts)
        made = subprocess.run(
            ["openssl", "dgst", "-sha256", "-sign",
             self.folder / "sign.key"], input=said.encode(), check=True,
            capture_output=True).stdout
        return f"{said}.{b64url(made)}"

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def issuer(tmp_path_factory):
    i = Issuer(tmp_path_factory.mktemp("token") / "issuer")
    yield i
    i.stop()


@pytest.fixture(scope="module")
def reg(issuer, tmp_path_factory):
    r = registry.Registry(tmp_path_factory.mktemp("token-registry"),
                          auth=issuer.config())
    yield r
    r.stop()


@pytest.fixture
def user(tenant, reg, issuer):
    both = tenant.folder / "roots.pem"
    both.write_bytes(reg.cert.read_bytes() + issuer.cert.read_bytes())
    tenant.env["SSL_CERT_FILE"] = str(both)
    tenant.env["DOCKER_CONFIG"] = str(tenant.folder / "docker")
    issuer.asked.clear()
    return tenant


def good(r):
    assert r.returncode == 0, r.stderr.decode()
    return r.stdout.decode().strip()


def login(user, reg, password=registry.PASSWORD):
    return user.donjon("package", "login", reg.host, "-u", registry.USER,
                       "--password-stdin", stdin=password.encode() + b"\n")


def there_and_back(user, reg, name):
    module = user.out / "tests/wasm/echoargs.wasm"
    where = f"oci://{reg.host}/{name}:1"
    digest = good(user.donjon("package", "push", module, where))
    shutil.rmtree(user.folder / "cache", ignore_errors=True)
    assert digest == good(user.donjon("package", "pull", where))
    r = user.donjon("run", "-q", where, "x")
    assert r.returncode == 1 and r.stdout == b"arg x\n", r.stderr
    return where


def test_a_password_becomes_tokens(user, reg, issuer):
    good(login(user, reg))
    there_and_back(user, reg, "private/app")
    scopes = {s for _, _, _, f in issuer.asked for s in f.get("scope", [])}
    assert "repository:private/app:pull" in scopes
    assert any(s.startswith("repository:private/app:") and "push" in s
               for s in scopes)
    assert all(user == registry.USER for _, _, user, _ in issuer.asked)
    assert registry.PASSWORD not in str([p for _, p, _, _ in issuer.asked])


def test_a_wrong_password_gets_no_token(user, reg):
    r = login(user, reg, "wrong-horse")
    assert r.returncode == 122 and b"wrong-horse" not in r.stderr, r.stderr
    assert not (user.folder / "docker/config.json").exists()


def test_an_identity_token_is_exchanged(user, reg, issuer):
    docker = user.folder / "docker"
    docker.mkdir()
    (docker / "config.json").write_text(json.dumps(
        {"auths": {reg.host: {"identitytoken": IDENTITY}}}))
    there_and_back(user, reg, "private/identity")
    assert {m for m, _, _, _ in issuer.asked} == {"POST"}
    assert all(IDENTITY not in p for _, p, _, _ in issuer.asked)


@pytest.mark.parametrize("how", ["credsStore", "credHelpers"])
def test_a_helper_may_have_the_identity_token(how, user, reg, issuer,
                                              tmp_path):
    docker, bin = user.folder / "docker", tmp_path / "bin"
    docker.mkdir()
    bin.mkdir()
    (docker / "config.json").write_text(json.dumps(
        {how: "test" if how == "credsStore" else {reg.host: "test"}}))
    helper = bin / "docker-credential-test"
    helper.write_text("#!/bin/sh\ncat > /dev/null\necho '" + json.dumps(
        {"ServerURL": reg.host, "Username": "<token>", "Secret": IDENTITY})
        + "'\n")
    helper.chmod(0o755)
    user.env["PATH"] = f"{bin}:{user.env['PATH']}"
    there_and_back(user, reg, f"private/{how.lower()}")
    assert {m for m, _, _, _ in issuer.asked} == {"POST"}


def test_nobody_in_particular_may_pull_what_is_public(user, reg):
    good(login(user, reg))
    where = there_and_back(user, reg, "public/app")
    good(user.donjon("package", "logout", reg.host))
    shutil.rmtree(user.folder / "cache", ignore_errors=True)
    good(user.donjon("package", "pull", where))
    r = user.donjon("package", "push",
                    user.out / "tests/wasm/cat.wasm", where)
    assert r.returncode == 122 and b"login" in r.stderr, r.stderr
    r = user.donjon("package", "pull", where.replace("public", "private"))
    assert r.returncode == 122, r.stderr
