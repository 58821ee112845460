# SPDX-License-Identifier: Apache-2.0
"""Packages, pushed to and run from a real registry with TLS and a login."""
import base64
import hashlib
import http.server
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import threading
import time

import pytest

import registry
from tenant import Tenant, wait_for

pytestmark = pytest.mark.skipif(
    not registry.available(), reason="docker-registry, htpasswd: not installed")


@pytest.fixture(scope="module")
def reg(tmp_path_factory):
    r = registry.Registry(tmp_path_factory.mktemp("registry"))
    yield r
    r.stop()


@pytest.fixture
def ca(tenant, reg):
    tenant.env["SSL_CERT_FILE"] = str(reg.cert)
    tenant.env["DOCKER_CONFIG"] = str(tenant.folder / "docker")
    return tenant


def login(tenant, reg, password=registry.PASSWORD):
    return tenant.donjon("package", "login", reg.host, "-u", registry.USER,
                         "--password-stdin", stdin=password.encode() + b"\n")


@pytest.fixture
def user(ca, reg):
    r = login(ca, reg)
    assert r.returncode == 0, r.stderr
    return ca


def good(r):
    assert r.returncode == 0, r.stderr.decode()
    return r.stdout.decode().strip()


def make(tenant, folder, module="echoargs", toml='args = ["packed"]\n',
         data=None):
    folder.mkdir(parents=True)
    shutil.copy(tenant.out / f"tests/wasm/{module}.wasm",
                folder / "main.wasm")
    (folder / "Donjon.toml").write_text(toml)
    for name, contents in (data or {}).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(contents)
    return folder


def echoes(r, *words):
    """echoargs says its arguments and returns their number."""
    assert r.returncode == len(words), r.stderr
    assert r.stdout == b"".join(f"arg {w}\n".encode() for w in words)


# --- forms --------------------------------------------------------------------

def test_every_form_of_a_package_runs(tenant, tmp_path):
    folder = make(tenant, tmp_path / "app")
    subprocess.run(["tar", "-C", folder, "-cf", tmp_path / "app.tar", "."],
                   check=True)
    subprocess.run(["tar", "-C", folder, "-czf", tmp_path / "app.tgz", "."],
                   check=True)
    good(tenant.donjon("package", "build", folder, "-o",
                       tmp_path / "layout.tar"))
    digests = set()
    for form in ("app", "app.tar", "app.tgz", "layout.tar"):
        echoes(tenant.donjon("run", "-q", tmp_path / form), "packed")
        echoes(tenant.donjon("run", "-q", tmp_path / form, "mine"), "mine")
        digests.add(good(tenant.donjon("package", "build", tmp_path / form)))
    assert len(digests) == 1
    assert re.fullmatch("sha256:[0-9a-f]{64}", digests.pop())


def test_the_digests_are_shown_and_reported(tenant, tmp_path):
    folder = make(tenant, tmp_path / "app")
    r = tenant.donjon("run", folder)
    digest = good(tenant.donjon("package", "build", folder))
    module = hashlib.sha256((folder / "main.wasm").read_bytes()).hexdigest()
    config = hashlib.sha256((folder / "Donjon.toml").read_bytes()).hexdigest()
    for word in (digest[7:23], module[:16], config[:16]):
        assert word.encode() in r.stderr
    r = tenant.donjon("run", "--json", folder)
    said = json.loads(r.stderr)
    assert said["package"] == digest
    assert said["module"] == f"sha256:{module}"
    assert said["config"] == f"sha256:{config}"


def test_data_of_a_package_is_mounted(tenant, tmp_path):
    folder = make(tenant, tmp_path / "app", "files", '''
args = ["/in/a.txt", "/out/x"]
[[mounts]]
host = "stuff"
guest = "/in"
[[mounts]]
guest = "/out"
mode = "rw"
''', {"stuff/a.txt": b"hello\n", "stuff/deep/er/b": b"x" * 100000,
      "elsewhere/c": b"not packed"})
    assert good(tenant.donjon("run", "-q", folder)) == "input read-only"
    inside = json.loads(good(tenant.donjon("package", "build", "--json",
                                           folder)))
    names = [f["path"] for f in inside["files"]]
    assert names == ["stuff", "stuff/a.txt", "stuff/deep", "stuff/deep/er",
                     "stuff/deep/er/b"]


def test_an_enarx_package_runs_unchanged(tenant, tmp_path):
    folder = make(tenant, tmp_path / "app")
    (folder / "Donjon.toml").rename(folder / "Enarx.toml")
    echoes(tenant.donjon("run", "-q", folder), "packed")


def test_a_config_beside_replaces_the_packages_own(tenant, tmp_path):
    folder = make(tenant, tmp_path / "app")
    other = tmp_path / "other.toml"
    other.write_text('args = ["other", "two"]\n')
    echoes(tenant.donjon("run", "-q", "--config", other, folder),
           "other", "two")


# --- the real registry ----------------------------------------------------------

def test_push_pull_run_by_tag_and_digest(user, reg, tmp_path):
    folder = make(user, tmp_path / "app")
    where = f"oci://{reg.host}/round/trip"
    digest = good(user.donjon("package", "push", folder, f"{where}:1.0"))
    assert digest == good(user.donjon("package", "build", folder))
    assert digest == good(user.donjon("package", "pull", f"{where}:1.0"))
    for ref in (f"{where}:1.0", f"{where}@{digest}", f"{where}:1.0@{digest}"):
        echoes(user.donjon("run", "-q", ref), "packed")
    shutil.rmtree(tmp_path / "tenant/cache", ignore_errors=True)
    echoes(user.donjon("run", "-q", f"{where}@{digest}", "a", "b"), "a", "b")
    assert good(user.donjon("package", "list", where)) == "1.0"
    assert json.loads(good(user.donjon("package", "list", "--json",
                                       where))) == ["1.0"]
    inside = json.loads(good(user.donjon("package", "inspect", "--json",
                                         f"{where}:1.0")))
    assert inside["digest"] == digest
    assert [x["role"] for x in inside["layers"]] == ["module", "config"]


def test_a_pinned_package_needs_no_registry_once_it_is_there(
        user, reg, tmp_path):
    folder = make(user, tmp_path / "app")
    where = f"oci://{reg.host}/pinned/app"
    digest = good(user.donjon("package", "push", folder, f"{where}:1"))
    good(user.donjon("package", "pull", f"{where}@{digest}"))
    gone = f"oci://localhost:{registry.free_port()}/pinned/app@{digest}"
    echoes(user.donjon("run", "-q", gone), "packed")


def test_without_a_login_nothing_is_to_be_had(ca, reg, tmp_path):
    folder = make(ca, tmp_path / "app")
    r = ca.donjon("package", "push", folder, f"oci://{reg.host}/no/app:1")
    assert r.returncode == 122 and b"package login" in r.stderr, r.stderr
    r = ca.donjon("run", f"oci://{reg.host}/no/app:1")
    assert r.returncode == 122 and b"package login" in r.stderr, r.stderr


def test_a_wrong_password_is_refused_and_not_kept(ca, reg):
    r = login(ca, reg, "wrong-horse")
    assert r.returncode == 122, r.stderr
    assert b"wrong-horse" not in r.stdout + r.stderr
    assert not (ca.folder / "docker/config.json").exists()


def test_logins_lie_where_dockers_do(user, reg):
    path = user.folder / "docker/config.json"
    assert path.stat().st_mode & 0o777 == 0o600
    auth = json.loads(path.read_text())["auths"][reg.host]["auth"]
    assert base64.b64decode(auth).decode() == \
        f"{registry.USER}:{registry.PASSWORD}"
    assert b"logged out" in user.donjon("package", "logout", reg.host).stderr
    assert json.loads(path.read_text())["auths"] == {}
    r = user.donjon("package", "list", f"oci://{reg.host}/a/b")
    assert r.returncode == 122


def test_credential_helpers_are_asked(ca, reg, tmp_path):
    docker = ca.folder / "docker"
    docker.mkdir()
    (docker / "config.json").write_text(json.dumps(
        {"credHelpers": {reg.host: "test"}, "other": {"kept": 1}}))
    bin = tmp_path / "bin"
    bin.mkdir()
    helper = bin / "docker-credential-test"
    helper.write_text(f'''#!/bin/sh
echo "$@" >> {tmp_path}/asked
case $1 in
get) cat >> {tmp_path}/asked; cat {tmp_path}/secret 2>/dev/null || exit 1;;
store) cat > {tmp_path}/secret;;
erase) rm {tmp_path}/secret;;
esac
''')
    helper.chmod(0o755)
    ca.env["PATH"] = f"{bin}:{ca.env['PATH']}"
    r = ca.donjon("package", "list", f"oci://{reg.host}/a/b")
    assert r.returncode == 122
    good(login(ca, reg))
    stored = json.loads((tmp_path / "secret").read_text())
    assert stored == {"ServerURL": reg.host, "Username": registry.USER,
                      "Secret": registry.PASSWORD}
    r = ca.donjon("package", "list", f"oci://{reg.host}/a/b")
    assert r.returncode == 121, r.stderr
    good(ca.donjon("package", "logout", reg.host))
    assert not (tmp_path / "secret").exists()
    asked = (tmp_path / "asked").read_text()
    assert registry.PASSWORD not in asked and reg.host in asked
    assert json.loads((docker / "config.json").read_text())["other"] == \
        {"kept": 1}


def test_credentials_are_nowhere_but_where_they_belong(user, reg, tmp_path):
    """Not in arguments, messages or the cache, in clear or in base64."""
    folder = make(user, tmp_path / "app", data={"big": os.urandom(1 << 20)})
    where = f"oci://{reg.host}/secret/app:1"
    secrets = [registry.PASSWORD.encode(), base64.b64encode(
        f"{registry.USER}:{registry.PASSWORD}".encode())]
    seen = b""
    for args in (("package", "push", folder, where),
                 ("package", "pull", where), ("run", "-v", where),
                 ("package", "inspect", where),
                 ("package", "pull", f"oci://{reg.host}/not/there:1")):
        p = user.start(*args)
        p.stdin.close()
        while p.poll() is None:
            try:
                seen += open(f"/proc/{p.pid}/cmdline", "rb").read()
            except OSError:
                pass
            time.sleep(0.002)
        seen += p.stdout.read() + p.stderr.read()
        p.stdout.close(), p.stderr.close()
    for path in (user.folder / "cache").rglob("*"):
        if path.is_file():
            seen += path.read_bytes()
    for secret in secrets:
        assert secret not in seen


def big_package(user, folder, size, word):
    return make(user, folder, toml=f'''args = ["{word}"]
[[mounts]]
host = "data"
guest = "/data"
''', data={"data/blob": os.urandom(1 << 20) * (size >> 20)})


def same_blob(a, b):
    one, other = (hashlib.sha256((x / "data/blob").read_bytes()).digest()
                  for x in (a, b))
    return one == other


def test_a_megabyte_goes_there_and_back(user, reg, tmp_path):
    folder = big_package(user, tmp_path / "app", 1 << 20, "big")
    where = f"oci://{reg.host}/large/app:1"
    digest = good(user.donjon("package", "push", folder, where))
    shutil.rmtree(user.folder / "cache")
    out = tmp_path / "back"
    assert digest == good(user.donjon("package", "pull", where, "-o", out))
    assert same_blob(folder, out)
    echoes(user.donjon("run", "-q", where), "big")


# --- interrupted, resumed, shared, damaged ------------------------------------------

class Proxy:
    """A TCP relay that cuts its first connections after some bytes towards
    the client (or, with `up`, towards the registry) and counts what went."""

    def __init__(self, reg, cuts=(), up=False, rate=None):
        import socket
        self.socket, self.reg = socket, reg
        self.cuts, self.up, self.rate = list(cuts), up, rate
        self.bytes = 0
        self.server = socket.create_server(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self.server.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.server.accept()
            except OSError:
                return
            self._relay(client, self.socket.create_connection(
                ("127.0.0.1", self.reg.port)))
            # Nothing here holds a connection that its threads gave up.
            del client

    def _relay(self, client, there):
        for a, b, mine in ((client, there, self.up),
                           (there, client, not self.up)):
            threading.Thread(target=self._copy, args=(a, b, mine),
                             daemon=True).start()

    def _copy(self, a, b, counted):
        went = 0
        try:
            while data := a.recv(65536):
                if counted:
                    self.bytes += len(data)
                    went += len(data)
                    if self.cuts and went > self.cuts[0]:
                        self.cuts.pop(0)
                        break
                    if self.rate:
                        time.sleep(len(data) / self.rate)
                b.sendall(data)
        except OSError:
            pass
        for s in (a, b):
            try:
                s.shutdown(self.socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.server.close()


def authorize(user, reg, host):
    """The same login, for another address of the registry."""
    path = user.folder / "docker/config.json"
    config = json.loads(path.read_text())
    config["auths"][host] = config["auths"][reg.host]
    path.write_text(json.dumps(config))


@pytest.fixture(scope="module")
def pushed(out, reg, tmp_path_factory):
    """A package of 16 MiB in the registry, by another tenant."""
    folder = tmp_path_factory.mktemp("pushed")
    other = Tenant(out, folder / "tenant")
    other.env["SSL_CERT_FILE"] = str(reg.cert)
    other.env["DOCKER_CONFIG"] = str(other.folder / "docker")
    good(login(other, reg))
    good(other.donjon(
        "package", "push", big_package(other, folder / "app", 16 << 20,
                                       "big"),
        f"oci://{reg.host}/resume/app:1"))
    return "resume/app:1"


@pytest.fixture
def large(user, pushed):
    """Its reference's tail; nothing of it is in the cache."""
    return pushed


def test_a_pull_goes_on_after_every_cut(user, reg, large):
    proxy = Proxy(reg, [3 << 20, 5 << 20, 2 << 20])
    authorize(user, reg, proxy.host)
    good(user.donjon("package", "pull", f"oci://{proxy.host}/{large}"))
    assert not proxy.cuts
    assert proxy.bytes < 20 << 20, "what was there was fetched again"
    proxy.close()


def test_a_killed_pull_goes_on_later(user, reg, large):
    proxy = Proxy(reg, rate=10e6)
    authorize(user, reg, proxy.host)
    p = user.start("package", "pull", f"oci://{proxy.host}/{large}")
    wait_for(lambda: proxy.bytes > 6 << 20)
    p.send_signal(signal.SIGKILL)
    p.communicate()
    before = proxy.bytes
    partial = list((user.folder / "cache/donjon/partial").iterdir())
    assert len(partial) == 1 and partial[0].stat().st_size > 4 << 20
    proxy.rate = None
    good(user.donjon("package", "pull", f"oci://{proxy.host}/{large}"))
    assert proxy.bytes - before < 14 << 20
    proxy.close()


def test_an_interrupted_pull_says_so_and_keeps_what_it_has(user, reg, large):
    proxy = Proxy(reg, rate=10e6)
    authorize(user, reg, proxy.host)
    p = user.start("package", "pull", f"oci://{proxy.host}/{large}")
    wait_for(lambda: proxy.bytes > 4 << 20)
    p.send_signal(signal.SIGINT)
    out, err = p.communicate(timeout=60)
    assert p.returncode == 130 and b"interrupted" in err, err
    good(user.donjon("package", "pull", f"oci://{proxy.host}/{large}"))
    proxy.close()


def test_a_damaged_partial_download_is_noticed(user, reg, large):
    proxy = Proxy(reg, rate=10e6)
    authorize(user, reg, proxy.host)
    p = user.start("package", "pull", f"oci://{proxy.host}/{large}")
    wait_for(lambda: proxy.bytes > 4 << 20)
    p.send_signal(signal.SIGKILL)
    p.communicate()
    partial, = (user.folder / "cache/donjon/partial").iterdir()
    with open(partial, "r+b") as f:
        f.write(b"damage")
    proxy.rate = None
    r = user.donjon("package", "pull", f"oci://{proxy.host}/{large}")
    assert r.returncode == 122 and b"digest" in r.stderr, r.stderr
    assert not list((user.folder / "cache/donjon/partial").iterdir())
    good(user.donjon("package", "pull", f"oci://{proxy.host}/{large}"))
    proxy.close()


def test_a_push_goes_on_after_a_cut(user, reg, tmp_path):
    """Debian's registry forgets an upload that was cut within a chunk: that
    blob begins anew, what was whole is not sent again."""
    folder = big_package(user, tmp_path / "app", 34 << 20, "up")
    proxy = Proxy(reg, [20 << 20], up=True)
    authorize(user, reg, proxy.host)
    where = f"oci://{proxy.host}/up/a"
    good(user.donjon("package", "push", folder, f"{where}:1"))
    assert not proxy.cuts
    assert proxy.bytes < 56 << 20
    before = proxy.bytes
    good(user.donjon("package", "push", folder, f"{where}:2"))
    assert proxy.bytes - before < 1 << 20
    proxy.close()
    echoes(user.donjon("run", "-q", f"oci://{reg.host}/up/a:2"), "up")


def test_a_killed_push_goes_on_later(user, reg, tmp_path):
    folder = big_package(user, tmp_path / "app", 16 << 20, "up")
    proxy = Proxy(reg, up=True, rate=10e6)
    authorize(user, reg, proxy.host)
    where = f"oci://{proxy.host}/up/killed:1"
    p = user.start("package", "push", folder, where)
    wait_for(lambda: proxy.bytes > 4 << 20)
    p.send_signal(signal.SIGKILL)
    p.communicate()
    r = user.donjon("package", "list", where)
    assert r.returncode == 121, "a package in part got a tag"
    proxy.rate = None
    good(user.donjon("package", "push", folder, where))
    proxy.close()
    echoes(user.donjon("run", "-q", f"oci://{reg.host}/up/killed:1"), "up")


@pytest.mark.skipif("DONJON_ALL" not in os.environ,
                    reason="200 MB there and back: DONJON_ALL=1")
def test_200_megabytes_go_there_and_back_with_cuts(user, reg, tmp_path):
    """Interrupted on both ways, killed in between, resumed each time."""
    size = 200 << 20
    folder = big_package(user, tmp_path / "app", size, "big")
    up = Proxy(reg, [50 << 20, 70 << 20], up=True)
    authorize(user, reg, up.host)
    digest = good(user.donjon("package", "push", folder,
                              f"oci://{up.host}/large/app:200", timeout=600))
    assert not up.cuts
    assert up.bytes < size + (130 << 20)
    up.close()
    shutil.rmtree(user.folder / "cache")
    down = Proxy(reg, [30 << 20, 60 << 20], rate=200e6)
    authorize(user, reg, down.host)
    where = f"oci://{down.host}/large/app:200"
    p = user.start("package", "pull", where)
    wait_for(lambda: down.bytes > 120 << 20, 120)
    p.send_signal(signal.SIGKILL)
    p.communicate()
    down.rate = None
    out = tmp_path / "back"
    assert digest == good(user.donjon("package", "pull", where, "-o", out,
                                      timeout=600))
    assert not down.cuts
    assert down.bytes < size + (40 << 20)
    down.close()
    assert same_blob(folder, out)
    echoes(user.donjon("run", "-q", f"oci://{reg.host}/large/app:200"), "big")
    echoes(user.donjon("run", "-q", f"oci://{reg.host}/large/app@{digest}"),
           "big")


def test_two_pulls_share_one_download(user, reg, large):
    proxy = Proxy(reg, rate=40e6)
    authorize(user, reg, proxy.host)
    both = [user.start("package", "pull", f"oci://{proxy.host}/{large}")
            for _ in range(2)]
    for p in both:
        out, err = p.communicate(timeout=60)
        assert p.returncode == 0, err
    assert proxy.bytes < 20 << 20
    proxy.close()


def test_a_damaged_cache_is_repaired(user, reg, tmp_path):
    folder = make(user, tmp_path / "app")
    where = f"oci://{reg.host}/damaged/app:1"
    good(user.donjon("package", "push", folder, where))
    good(user.donjon("package", "pull", where))
    blobs = list((user.folder / "cache/donjon/blobs/sha256").iterdir())
    assert len(blobs) == 4
    for b in blobs:
        data = b.read_bytes()
        b.chmod(0o600)
        b.write_bytes(bytes([data[0] ^ 1]) + data[1:])
    echoes(user.donjon("run", "-q", where), "packed")
    r = user.donjon("package", "cache", "check", "--json")
    # The config was not needed to run it.
    assert json.loads(r.stdout)["damaged"] == 1


def test_the_cache_is_bounded_and_pruned(user, reg, tmp_path):
    user.env["DONJON_CACHE_MAX"] = "3"
    for i in range(4):
        folder = make(user, tmp_path / f"app{i}", toml='''
[[mounts]]
host = "data"
guest = "/data"
''', data={"data/blob": os.urandom(1 << 20)})
        where = f"oci://{reg.host}/cache/app:{i}"
        good(user.donjon("package", "push", folder, where))
        good(user.donjon("package", "pull", where))
        info = json.loads(good(user.donjon("package", "cache", "info",
                                           "--json")))
        assert info["bytes"] <= 3 << 20
    good(user.donjon("package", "cache", "prune", "--max", "1200KiB"))
    info = json.loads(good(user.donjon("package", "cache", "info", "--json")))
    assert 0 < info["bytes"] <= 1200 << 10
    good(user.donjon("package", "cache", "clear"))
    info = json.loads(good(user.donjon("package", "cache", "info", "--json")))
    assert info["blobs"] == info["bytes"] == 0


# --- other tools ------------------------------------------------------------------

def skopeo(user, reg, *args):
    if not shutil.which("skopeo"):
        pytest.skip("skopeo is not installed")
    r = subprocess.run(["skopeo", "--policy", str(user.folder / "any.json"),
                        *map(str, args)], capture_output=True,
                       env=dict(user.env))
    assert r.returncode == 0, r.stderr.decode()
    return r.stdout


@pytest.fixture
def trusting(user, reg):
    (user.folder / "any.json").write_text(
        '{"default": [{"type": "insecureAcceptAnything"}]}')
    certs = user.folder / "certs"
    certs.mkdir()
    shutil.copy(reg.cert, certs / "ca.crt")
    return ["--cert-dir", certs], ["--src-cert-dir", certs], \
        ["--dest-cert-dir", certs]


def test_skopeo_inspects_and_copies_what_we_pushed(user, reg, trusting,
                                                   tmp_path):
    one, src, dst = trusting
    user.env["REGISTRY_AUTH_FILE"] = str(user.folder / "docker/config.json")
    folder = make(user, tmp_path / "app", toml='''args = ["sk"]
[[mounts]]
host = "data"
guest = "/data"
''', data={"data/x": b"x"})
    where = f"{reg.host}/skopeo/app:1"
    digest = good(user.donjon("package", "push", folder, f"oci://{where}"))
    raw = skopeo(user, reg, "inspect", "--raw", *one, f"docker://{where}")
    assert "sha256:" + hashlib.sha256(raw).hexdigest() == digest
    layers = json.loads(raw)["layers"]
    assert [x["mediaType"] for x in layers] == [
        "application/wasm", "application/vnd.donjon.config.v1+toml",
        "application/vnd.donjon.data.v1.tar"]
    skopeo(user, reg, "copy", *src, f"docker://{where}",
           f"oci:{tmp_path}/layout:x")
    echoes(user.donjon("run", "-q", tmp_path / "layout"), "sk")
    skopeo(user, reg, "copy", *src, f"docker://{where}",
           f"oci-archive:{tmp_path}/archive.tar")
    echoes(user.donjon("run", "-q", tmp_path / "archive.tar"), "sk")
    skopeo(user, reg, "copy", *src, *dst, f"docker://{where}",
           f"docker://{reg.host}/skopeo/copied:2")
    echoes(user.donjon("run", "-q", f"oci://{reg.host}/skopeo/copied:2"),
           "sk")
    assert digest == good(user.donjon("package", "pull",
                                      f"oci://{reg.host}/skopeo/copied:2"))


def test_what_we_export_skopeo_pushes_and_we_run(user, reg, trusting,
                                                 tmp_path):
    _, _, dst = trusting
    user.env["REGISTRY_AUTH_FILE"] = str(user.folder / "docker/config.json")
    folder = make(user, tmp_path / "app")
    digest = good(user.donjon("package", "build", folder, "-o",
                              tmp_path / "x.tar"))
    skopeo(user, reg, "copy", *dst, f"oci-archive:{tmp_path}/x.tar",
           f"docker://{reg.host}/exported/app:1")
    where = f"oci://{reg.host}/exported/app"
    echoes(user.donjon("run", "-q", f"{where}:1"), "packed")
    echoes(user.donjon("run", "-q", f"{where}@{digest}"), "packed")


def put_foreign(user, reg, tmp_path, name, layer, config, annotations=None,
                extra=None):
    """A package as another tool lays it out, by way of a layout."""
    module = (user.out / "tests/wasm/echoargs.wasm").read_bytes()
    layout = tmp_path / name
    blobs = layout / "blobs/sha256"
    blobs.mkdir(parents=True)

    def put(data, kind, **more):
        digest = hashlib.sha256(data).hexdigest()
        (blobs / digest).write_bytes(data)
        return {"mediaType": kind, "digest": f"sha256:{digest}",
                "size": len(data), **more}
    manifest = {"schemaVersion": 2,
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "config": put(b"{}", config), "layers": [
                    put(module, layer, **({"annotations": annotations}
                                          if annotations else {}))],
                **(extra or {})}
    index = {"schemaVersion": 2, "manifests": [put(
        json.dumps(manifest).encode(), manifest["mediaType"])]}
    (layout / "index.json").write_text(json.dumps(index))
    (layout / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    return layout


@pytest.mark.parametrize("tool,layer,config,notes,extra", [
    ("wkg", "application/wasm", "application/vnd.wasm.config.v0+json", None,
     None),
    ("wasm-to-oci", "application/vnd.wasm.content.layer.v1+wasm",
     "application/vnd.wasm.config.v1+json", None, None),
    ("oras", "application/vnd.oci.image.layer.v1.tar",
     "application/vnd.oci.empty.v1+json",
     {"org.opencontainers.image.title": "app.wasm"},
     {"artifactType": "application/vnd.unknown.artifact.v1",
      "annotations": {"org.opencontainers.image.created":
                      "2024-01-01T00:00:00Z"}}),
    ("oras-typed", "application/wasm",
     "application/vnd.unknown.config.v1+json",
     {"org.opencontainers.image.title": "app.wasm"}, None),
])
def test_modules_of_other_tools_run(tool, layer, config, notes, extra, user,
                                    reg, tmp_path):
    layout = put_foreign(user, reg, tmp_path, tool, layer, config, notes,
                         extra)
    echoes(user.donjon("run", "-q", layout, "x"), "x")
    where = f"oci://{reg.host}/foreign/{tool}:1"
    good(user.donjon("package", "copy", layout, where))
    echoes(user.donjon("run", "-q", where, "y"), "y")


def test_an_index_leads_to_what_runs(user, reg, tmp_path):
    a = make(user, tmp_path / "a")
    where = f"oci://{reg.host}/index/app"
    digest = good(user.donjon("package", "push", a, f"{where}:single"))
    inside = json.loads(good(user.donjon("package", "inspect", "--json",
                                         f"{where}:single")))
    raw = subprocess.run(
        ["curl", "-s", "--cacert", reg.cert, "-u",
         f"{registry.USER}:{registry.PASSWORD}", "-H",
         f"Accept: {inside['mediaType']}",
         f"https://{reg.host}/v2/index/app/manifests/{digest}"],
        check=True, capture_output=True).stdout
    entry = {"mediaType": inside["mediaType"], "digest": digest,
             "size": len(raw)}
    index = json.dumps({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [
            {**entry, "platform": {"os": "wasip1", "architecture": "wasm"}}]})
    subprocess.run(
        ["curl", "-sf", "--cacert", reg.cert, "-u",
         f"{registry.USER}:{registry.PASSWORD}", "-X", "PUT", "-H",
         "Content-Type: application/vnd.oci.image.index.v1+json",
         "--data-binary", index,
         f"https://{reg.host}/v2/index/app/manifests/multi"], check=True)
    echoes(user.donjon("run", "-q", f"{where}:multi"), "packed")
    copied = f"oci://{reg.host}/index/copy:multi"
    good(user.donjon("package", "copy", f"{where}:multi", copied))
    echoes(user.donjon("run", "-q", copied), "packed")


def test_sboms_and_annotations_go_along(user, reg, tmp_path):
    folder = make(user, tmp_path / "app")
    sbom = tmp_path / "bom.json"
    sbom.write_text('{"bomFormat": "CycloneDX", "specVersion": "1.5"}')
    where = f"oci://{reg.host}/sbom/app"
    good(user.donjon("package", "push", folder, f"{where}:1", "--sbom", sbom,
                     "--annotation", "org.example.who=me"))
    good(user.donjon("package", "copy", f"{where}:1", f"{where}:2"))
    good(user.donjon("package", "copy", f"{where}:2", tmp_path / "x.tar"))
    for ref in (f"{where}:2", tmp_path / "x.tar"):
        inside = json.loads(good(user.donjon("package", "inspect", "--json",
                                             ref)))
        assert inside["annotations"] == {"org.example.who": "me"}
        assert inside["layers"][2]["mediaType"] == \
            "application/vnd.cyclonedx+json"
        echoes(user.donjon("run", "-q", ref), "packed")


# --- signatures -----------------------------------------------------------------

@pytest.fixture
def signed(user, reg, tmp_path):
    """(reference, key path) of a package that is signed."""
    folder = make(user, tmp_path / "signed")
    name = tmp_path.name.lower().replace("_", "-")
    where = f"oci://{reg.host}/signed/{name}:1"
    good(user.donjon("package", "push", folder, where))
    key = tmp_path / "key"
    good(user.donjon("package", "keygen", key))
    assert good(user.donjon("package", "sign", "--key", key,
                            where)).startswith("signed sha256:")
    return where, key


def test_what_is_signed_is_accepted_and_signed_once(user, signed):
    where, key = signed
    assert good(user.donjon("package", "sign", "--key", key,
                            where)).startswith("signed already")
    assert "signed by key" in good(user.donjon(
        "package", "verify", "--key", f"{key}.pub", where))
    echoes(user.donjon("run", "-q", "--key", f"{key}.pub", where), "packed")


def test_a_second_key_signs_beside_the_first(user, signed, tmp_path):
    where, key = signed
    other = tmp_path / "other"
    good(user.donjon("package", "keygen", other))
    r = user.donjon("package", "verify", "--key", f"{other}.pub", where)
    assert r.returncode == 122 and b"another key" in r.stderr
    good(user.donjon("package", "sign", "--key", other, where))
    for k in (key, other):
        good(user.donjon("package", "verify", "--key", f"{k}.pub", where))


def test_unsigned_and_wrongly_signed_never_reach_a_host(user, reg, signed,
                                                        agent, tmp_path):
    where, key = signed
    folder = make(user, tmp_path / "unsigned")
    other = f"oci://{reg.host}/signed/unsigned:1"
    # Another digest than the signed one's.
    (folder / "Donjon.toml").write_text('args = ["another"]\n')
    good(user.donjon("package", "push", folder, other))
    host = f"unix://{agent.unix}"
    good(user.donjon("package", "keygen", tmp_path / "k2"))
    before = agent.call("GET", "/v1/keeps")
    for ref, k in ((other, key), (where, tmp_path / "k2")):
        r = user.donjon("deploy", "--host", host, "--policy",
                        user.policy(host), "--key", f"{k}.pub", ref)
        assert r.returncode == 122, r.stderr
        assert b"signed" in r.stderr and b"asked" not in r.stderr
    assert agent.call("GET", "/v1/keeps") == before


def test_policies_say_which_key_for_which_name(user, reg, signed, agent,
                                               tmp_path):
    where, key = signed
    host = f"unix://{agent.unix}"
    base = user.policy(host).read_text()
    policy = tmp_path / "policy.toml"

    def run(rules, ref=where):
        policy.write_text(base + rules)
        return user.donjon("deploy", "--host", host, "--policy", policy, ref)
    shutil.copy(f"{key}.pub", tmp_path / "good.pub")
    good(user.donjon("package", "keygen", tmp_path / "k2"))
    rule = f'[[signatures]]\nname = "{reg.host}/signed/*"\n'
    echoes(run(rule + 'keys = ["good.pub"]\n'), "packed")
    echoes(run(rule + 'keys = ["k2.pub", "good.pub"]\n'), "packed")
    r = run(rule + 'keys = ["k2.pub"]\n')
    assert r.returncode == 122 and b"another key" in r.stderr, r.stderr
    r = run('[[signatures]]\nname = "elsewhere/*"\nkeys = ["good.pub"]\n')
    assert r.returncode == 122 and b"no [[signatures]]" in r.stderr
    echoes(run('[[signatures]]\nname = "*"\nunsigned = true\n'), "packed")
    r = run(rule + 'keys = ["good.pub"]\n', make(user, tmp_path / "local"))
    assert r.returncode == 122, r.stderr
    assert user.donjon("policy", "check", policy).returncode == 0
    r = run(rule + 'keys = ["gone.pub"]\n')
    assert r.returncode == 121 and b"gone.pub" in r.stderr


def test_a_signature_is_for_one_name_only(user, reg, signed):
    where, key = signed
    copy = f"oci://{reg.host}/mirror/app:1"
    good(user.donjon("package", "copy", where, copy))
    args = ("package", "verify", "--key", f"{key}.pub")
    r = user.donjon(*args, copy)
    assert r.returncode == 122 and b"another name" in r.stderr, r.stderr
    good(user.donjon(*args, "--identity", f"{reg.host}/signed/*", copy))


def test_a_moved_signature_is_refused(user, reg, signed, tmp_path):
    """The signature of one package, put under another's digest."""
    where, key = signed
    name = where.split("/", 3)[3].split(":")[0]
    folder = make(user, tmp_path / "evil", toml='args = ["evil"]\n')
    good(user.donjon("package", "push", folder, where))
    new = good(user.donjon("package", "build", folder))
    tags = json.loads(good(user.donjon("package", "list", "--json", where)))
    old, = (t for t in tags if t.endswith(".sig"))
    auth = f"{registry.USER}:{registry.PASSWORD}"
    url = f"https://{reg.host}/v2/{name}/manifests/"
    kind = "application/vnd.oci.image.manifest.v1+json"
    curl = ["curl", "-sf", "--cacert", reg.cert, "-u", auth]
    manifest = subprocess.run([*curl, "-H", f"Accept: {kind}", url + old],
                              check=True, capture_output=True).stdout
    subprocess.run([*curl, "-X", "PUT", "-H", f"Content-Type: {kind}",
                    "--data-binary", manifest,
                    url + new.replace(":", "-") + ".sig"], check=True)
    r = user.donjon("run", "--key", f"{key}.pub", where)
    assert r.returncode == 122 and b"another package" in r.stderr, r.stderr


def signature_of(user, reg, where):
    """(payload, base64 signature, manifest) as they are in the registry."""
    name = where.split("/", 3)[3].split(":")[0]
    tags = json.loads(good(user.donjon("package", "list", "--json", where)))
    tag, = (t for t in tags if t.endswith(".sig"))
    curl = ["curl", "-sfL", "--cacert", reg.cert, "-u",
            f"{registry.USER}:{registry.PASSWORD}"]
    url = f"https://{reg.host}/v2/{name}"
    manifest = json.loads(subprocess.run(
        [*curl, "-H", "Accept: application/vnd.oci.image.manifest.v1+json",
         f"{url}/manifests/{tag}"], check=True, capture_output=True).stdout)
    layer = manifest["layers"][0]
    payload = subprocess.run([*curl, f"{url}/blobs/{layer['digest']}"],
                             check=True, capture_output=True).stdout
    return (payload, layer["annotations"][
        "dev.cosignproject.cosign/signature"], manifest)


def test_our_signatures_are_cosigns(user, reg, signed, tmp_path):
    """Byte for byte what its specification says, and OpenSSL agrees."""
    where, key = signed
    payload, signature, manifest = signature_of(user, reg, where)
    said = json.loads(payload)
    assert said["critical"]["type"] == "cosign container image signature"
    assert said["critical"]["identity"]["docker-reference"] == \
        where[6:].rsplit(":", 1)[0]
    digest = good(user.donjon("package", "pull", where))
    assert said["critical"]["image"]["docker-manifest-digest"] == digest
    layer, = manifest["layers"]
    assert layer["mediaType"] == \
        "application/vnd.dev.cosign.simplesigning.v1+json"
    assert manifest["subject"]["digest"] == digest
    (tmp_path / "payload").write_bytes(payload)
    (tmp_path / "sig").write_bytes(base64.b64decode(signature))
    subprocess.run(["openssl", "dgst", "-sha256", "-verify", f"{key}.pub",
                    "-signature", tmp_path / "sig", tmp_path / "payload"],
                   check=True, capture_output=True)


def test_signatures_under_referrers_alone_are_found(user, reg, signed):
    """Without the .sig tag: the index of referrers leads there."""
    where, key = signed
    name = where.split("/", 3)[3].split(":")[0]
    tags = json.loads(good(user.donjon("package", "list", "--json", where)))
    sig, = (t for t in tags if t.endswith(".sig"))
    assert sig[:-4] in tags
    link = reg.folder / ("data/docker/registry/v2/repositories/"
                         f"{name}/_manifests/tags/{sig}")
    shutil.rmtree(link)
    good(user.donjon("package", "verify", "--key", f"{key}.pub", where))


# --- yanks ------------------------------------------------------------------------

def test_what_is_yanked_is_refused_by_tag_and_not_by_digest(user, reg, agent,
                                                            tmp_path):
    folder = make(user, tmp_path / "app")
    where = f"oci://{reg.host}/yanked/app"
    digest = good(user.donjon("package", "push", folder, f"{where}:1"))
    good(user.donjon("package", "pull", f"{where}:1"))
    yank = ("package", "yank", f"{where}:1")
    assert good(user.donjon(*yank, "--reason", "security")) == \
        f"yanked {digest}"
    assert good(user.donjon(*yank, "--reason", "security")) == \
        f"yanked already {digest}"
    host = f"unix://{agent.unix}"
    before = agent.call("GET", "/v1/keeps")
    for args in (("run", f"{where}:1"), ("package", "pull", f"{where}:1"),
                 ("deploy", "--host", host, "--policy", user.policy(host),
                  f"{where}:1"),
                 ("package", "copy", f"{where}:1", f"{where}:2")):
        r = user.donjon(*args)
        assert r.returncode == 122, r.stderr
        assert b"yanked by its publisher: security" in r.stderr, r.stderr
    assert agent.call("GET", "/v1/keeps") == before
    inside = json.loads(good(user.donjon("package", "inspect", "--json",
                                         f"{where}:1")))
    assert inside["yanked"] == "security"
    for ref in (f"{where}@{digest}", f"{where}:1@{digest}"):
        echoes(user.donjon("run", "-q", ref), "packed")
    # A copy of what is pinned is yanked there, too.
    good(user.donjon("package", "copy", f"{where}@{digest}",
                     f"oci://{reg.host}/yanked/copy:1"))
    r = user.donjon("run", f"oci://{reg.host}/yanked/copy:1")
    assert r.returncode == 122 and b"yanked" in r.stderr
    assert good(user.donjon(*yank, "--undo")) == f"not yanked any more {digest}"
    assert good(user.donjon(*yank, "--undo")) == f"not yanked {digest}"
    echoes(user.donjon("run", "-q", f"{where}:1"), "packed")
    r = user.donjon(*yank, "--reason", "whim")
    assert r.returncode == 2 and b"superseded" in r.stderr


def test_a_tag_that_moved_on_is_not_yanked(user, reg, tmp_path):
    where = f"oci://{reg.host}/yanked/moves:1"
    good(user.donjon("package", "push", make(user, tmp_path / "a"), where))
    good(user.donjon("package", "yank", where))
    assert user.donjon("run", "-q", where).returncode == 122
    good(user.donjon("package", "push", make(
        user, tmp_path / "b", toml='args = ["fixed"]\n'), where))
    echoes(user.donjon("run", "-q", where), "fixed")


def test_files_are_signed_beside_themselves(tenant, tmp_path):
    key, module = tmp_path / "k", tmp_path / "app.wasm"
    good(tenant.donjon("package", "keygen", key))
    shutil.copy(tenant.out / "tests/wasm/echoargs.wasm", module)
    args = ("run", "-q", "--key", f"{key}.pub", module, "x")
    r = tenant.donjon(*args)
    assert r.returncode == 122 and b"not signed" in r.stderr, r.stderr
    made = subprocess.run(["openssl", "dgst", "-sha256", "-sign", key, module],
                          check=True, capture_output=True).stdout
    (tmp_path / "app.wasm.sig").write_bytes(base64.b64encode(made) + b"\n")
    echoes(tenant.donjon(*args), "x")
    module.write_bytes(module.read_bytes() + b"\0")
    r = tenant.donjon(*args)
    assert r.returncode == 122 and b"changed since" in r.stderr, r.stderr


@pytest.mark.skipif(not shutil.which("cosign"),
                    reason="cosign is not installed")
def test_cosign_verifies_ours_and_we_verify_cosigns(user, reg, signed,
                                                    tmp_path):
    where, key = signed
    env = dict(user.env, COSIGN_PASSWORD="",
               SIGSTORE_ROOT_FILE="/nonexistent")
    plain = where[6:]
    subprocess.run(["cosign", "verify", "--key", f"{key}.pub",
                    "--insecure-ignore-tlog", plain], check=True, env=env)
    subprocess.run(["cosign", "generate-key-pair"], cwd=tmp_path, check=True,
                   env=env)
    subprocess.run(["cosign", "sign", "--yes", "--key", "cosign.key",
                    "--tlog-upload=false", plain], cwd=tmp_path, check=True,
                   env=env)
    good(user.donjon("package", "verify", "--key", tmp_path / "cosign.pub",
                     where))


# --- the web ---------------------------------------------------------------------

@pytest.fixture
def web(tenant, tmp_path):
    """Files over https; (address, folder, requests seen)."""
    folder, seen = tmp_path / "www", []
    folder.mkdir()
    cert, key = registry.make_certificate(tmp_path)

    class Handler(http.server.SimpleHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def __init__(self, *a, **k):
            super().__init__(*a, directory=folder, **k)

        def do_GET(self):
            seen.append((self.path, dict(self.headers)))
            super().do_GET()

        def log_message(self, *_):
            pass
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.01,),
                     daemon=True).start()
    tenant.env["SSL_CERT_FILE"] = str(cert)
    yield f"https://127.0.0.1:{server.server_port}", folder, seen
    server.shutdown()
    server.server_close()


def test_packages_and_modules_from_the_web(tenant, web, tmp_path):
    url, folder, seen = web
    app = make(tenant, tmp_path / "app")
    subprocess.run(["tar", "-C", app, "-czf", folder / "app.tgz", "."],
                   check=True)
    shutil.copy(app / "main.wasm", folder / "app.wasm")
    echoes(tenant.donjon("run", "-q", f"{url}/app.tgz"), "packed")
    echoes(tenant.donjon("run", "-q", f"{url}/app.wasm", "x"), "x")
    digest = hashlib.sha256((folder / "app.tgz").read_bytes()).hexdigest()
    pinned = f"{url}/app.tgz@sha256:{digest}"
    echoes(tenant.donjon("run", "-q", pinned), "packed")
    assert len(seen) == 2, "what is there came by another name"
    shutil.rmtree(tenant.folder / "cache")
    for _ in range(2):
        echoes(tenant.donjon("run", "-q", pinned), "packed")
    assert len(seen) == 3, "the second time it comes from the cache"
    r = tenant.donjon("run", f"{url}/app.wasm@sha256:{digest[::-1]}")
    assert r.returncode == 122 and b"digest" in r.stderr
    r = tenant.donjon("run", f"{url}/none.wasm")
    assert r.returncode == 121 and b"404" in r.stderr


def test_what_the_web_has_not_changed_is_not_fetched_again(tenant, web):
    url, folder, seen = web
    path = folder / "app.wasm"
    shutil.copy(tenant.out / "tests/wasm/echoargs.wasm", path)

    def asked(n):
        return seen[n][1].get("If-Modified-Since")
    for _ in range(2):
        echoes(tenant.donjon("run", "-q", f"{url}/app.wasm?key=sesame", "x"),
               "x")
    assert len(seen) == 2 and not asked(0) and asked(1)
    # The location may be a secret: it is nowhere in the cache.
    notes = list((tenant.folder / "cache/donjon/web").iterdir())
    assert len(notes) == 1 and b"sesame" not in notes[0].read_bytes()
    # Changed there: the new one runs.
    shutil.copy(tenant.out / "tests/wasm/trap.wasm", path)
    os.utime(path, (2e9, 2e9))
    r = tenant.donjon("run", "-q", f"{url}/app.wasm?key=sesame", "x")
    assert r.returncode == 134, r.stderr
    # Damaged here: fetched again, without a condition.
    for b in (tenant.folder / "cache/donjon/blobs/sha256").iterdir():
        b.chmod(0o600)
        b.write_bytes(b"damage" + b.read_bytes()[6:])
    r = tenant.donjon("run", "-q", f"{url}/app.wasm?key=sesame", "x")
    assert r.returncode == 134 and not asked(3), r.stderr


def test_signed_files_of_the_web(tenant, web, tmp_path):
    url, folder, _ = web
    key = tmp_path / "k"
    good(tenant.donjon("package", "keygen", key))
    shutil.copy(tenant.out / "tests/wasm/echoargs.wasm", folder / "a.wasm")
    args = ("run", "-q", "--key", f"{key}.pub", f"{url}/a.wasm", "x")
    assert tenant.donjon(*args).returncode == 122
    made = subprocess.run(
        ["openssl", "dgst", "-sha256", "-sign", key, folder / "a.wasm"],
        check=True, capture_output=True).stdout
    (folder / "a.wasm.sig").write_bytes(base64.b64encode(made))
    echoes(tenant.donjon(*args), "x")


# --- plain http ---------------------------------------------------------------------

def test_a_plain_registry_on_loopback(tenant, tmp_path):
    r = registry.Registry(tmp_path / "plain", tls=False, auth=False)
    try:
        tenant.env["DOCKER_CONFIG"] = str(tenant.folder / "docker")
        folder = make(tenant, tmp_path / "app")
        for scheme in ("oci", "oci+http"):
            where = f"{scheme}://{r.host}/plain/app:1"
            good(tenant.donjon("package", "push", folder, where))
            echoes(tenant.donjon("run", "-q", where), "packed")
    finally:
        r.stop()


def test_plain_http_goes_no_further_without_being_told(tenant):
    for ref in ("oci+http://registry.example/a:1",
                "http://web.example/a.wasm"):
        r = tenant.donjon("run", ref)
        assert r.returncode == 122 and b"plain http" in r.stderr, r.stderr


# --- what people see ------------------------------------------------------------------

def test_progress_is_a_bar_on_terminals_lines_elsewhere_nothing_quietly(
        user, reg, large):
    import pty
    proxy = Proxy(reg, rate=12e6)
    authorize(user, reg, proxy.host)
    where = f"oci://{proxy.host}/{large}"
    main, side = pty.openpty()
    p = user.start("package", "pull", where, stderr=side)
    os.close(side)
    said = b""
    try:
        while more := os.read(main, 65536):
            said += more
    except OSError:
        pass
    p.communicate()
    os.close(main)
    assert p.returncode == 0
    assert b"[#" in said and b"/s" in said and b" of " in said
    assert said.rstrip().endswith(b" s"), said[-200:]
    proxy.rate = None
    shutil.rmtree(user.folder / "cache")
    r = user.donjon("package", "pull", where)
    assert b"\r" not in r.stderr and b"pulled" in r.stderr
    shutil.rmtree(user.folder / "cache")
    r = user.donjon("package", "pull", "-q", where)
    assert r.stderr == b""
    proxy.close()


# --- receipts ------------------------------------------------------------------------

@pytest.fixture
def receipt(tenant, agent, tmp_path):
    """(file, policy) of a deployed package with data."""
    folder = make(tenant, tmp_path / "app", toml='''args = ["r"]
[[mounts]]
host = "data"
guest = "/data"
''', data={"data/x": b"x"})
    host = f"unix://{agent.unix}"
    policy = tenant.policy(host)
    path = tmp_path / "receipt.json"
    echoes(tenant.donjon("deploy", "-q", "--host", host, "--policy", policy,
                         "--receipt", path, folder), "r")
    return path, policy, folder


def check_receipt(tenant, path, policy, *more):
    return tenant.donjon("verify", "receipt", "--policy", policy, *more, path)


def test_a_receipt_says_what_ran(tenant, receipt):
    path, policy, folder = receipt
    r = check_receipt(tenant, path, policy, "--json")
    said = json.loads(good(r))
    assert said["accepted"] and all(said["checks"].values())

    def sha(data):
        return "sha256:" + hashlib.sha256(data).hexdigest()
    assert said["module"] == sha((folder / "main.wasm").read_bytes())
    assert said["config"] == sha((folder / "Donjon.toml").read_bytes())
    assert said["policy"] == sha(policy.read_bytes())
    assert said["package"] == good(tenant.donjon("package", "build", folder))
    assert said["status"] == 1
    now = time.time_ns()
    assert now - 600e9 < said["started_ns"] <= said["ended_ns"] < now
    text = good(check_receipt(tenant, path, policy))
    assert text.startswith("receipt accepted") and "FAILED" not in text


def test_a_receipt_is_only_as_good_as_its_evidence(tenant, receipt, tmp_path):
    path, _, _ = receipt
    r = tenant.donjon("verify", "receipt", path)
    assert r.returncode == 122 and b"software root" in r.stdout
    other = tmp_path / "other.toml"
    other.write_text('technologies = ["process"]\n'
                     f'software = ["{"0" * 64}"]\n')
    assert check_receipt(tenant, path, other).returncode == 122


@pytest.mark.parametrize("part", ["receipt", "signature", "manifest",
                                  "config", "policy"])
def test_a_changed_receipt_is_refused(part, tenant, receipt, tmp_path):
    path, policy, _ = receipt
    said = json.loads(path.read_text())
    raw = bytearray(base64.b64decode(said[part]))
    raw[len(raw) // 2] ^= 1
    said[part] = base64.b64encode(raw).decode()
    path.write_text(json.dumps(said))
    r = check_receipt(tenant, path, policy)
    assert r.returncode in (121, 122) and b"accepted\n" not in r.stdout


def test_a_receipt_of_another_keep_is_refused(tenant, receipt, agent,
                                              tmp_path):
    """The statement of one run with the evidence of another."""
    path, policy, folder = receipt
    other = tmp_path / "other.json"
    tenant.donjon("deploy", "-q", "--host", f"unix://{agent.unix}",
                  "--policy", policy, "--receipt", other, folder)
    said = json.loads(path.read_text())
    said["keep"] = json.loads(other.read_text())["keep"]
    path.write_text(json.dumps(said))
    r = check_receipt(tenant, path, policy)
    assert r.returncode == 122
    assert b"FAILED: signature by the attested key" in r.stdout


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"receipt": "AA=="}',
                                  "not json"])
def test_what_is_no_receipt_is_named(text, tenant, tmp_path):
    path = tmp_path / "r.json"
    path.write_text(text)
    r = tenant.donjon("verify", "receipt", path)
    assert r.returncode == 121 and b"r.json" in r.stderr, r.stderr


def test_a_receipt_comes_also_when_it_went_wrong(tenant, tmp_path):
    for name, status in (("trap", 134), ("spin", 124)):
        path = tmp_path / f"{name}.json"
        r = tenant.donjon("run", "-q", "--timeout", "1", "--receipt", path,
                          tenant.out / f"tests/wasm/{name}.wasm")
        assert r.returncode == status, r.stderr
        assert path.exists()


def detached(tenant, host, policy, module, path, *args):
    """Deploys and leaves; the Keep's id."""
    return good(tenant.donjon(
        "deploy", "-q", "--host", host, "--policy", policy, "--detach",
        "--receipt", path, tenant.out / f"tests/wasm/{module}.wasm", *args))


@pytest.mark.parametrize("verb", ["attach", "stop"])
def test_who_left_gets_the_receipt_when_she_comes_back(verb, tenant, agent,
                                                       tmp_path):
    host = f"unix://{agent.unix}"
    policy = tenant.policy(host)
    path = tmp_path / "receipt.json"
    keep = detached(tenant, host, policy, "ticker", path, "3", "500")
    note, = (tenant.folder / "state/donjon/keeps").glob("*.receipt")
    assert note.stat().st_mode & 0o777 == 0o600
    if verb == "stop":
        wait_for(lambda: b"tick" in tenant.donjon(
            "logs", "--no-follow", keep).stdout)
    assert not path.exists()
    r = tenant.donjon(verb, keep)
    assert f"receipt written to {path}" in r.stderr.decode(), r.stderr
    said = json.loads(good(check_receipt(tenant, path, policy, "--json")))
    assert said["accepted"]
    if verb == "attach":
        assert said["status"] == r.returncode == 9
    else:
        assert said["status"] in (9, 143)
        assert not note.exists()


def test_another_file_may_get_the_receipt_but_it_must_be_to_be_had(
        tenant, agent, tmp_path):
    host = f"unix://{agent.unix}"
    policy = tenant.policy(host)
    keep = detached(tenant, host, policy, "spin", tmp_path / "gone/r")
    r = tenant.donjon("stop", keep)
    assert r.returncode == 121 and b"gone" in r.stderr, r.stderr
    other = tmp_path / "other.json"
    r = tenant.donjon("stop", keep, "--receipt", other)
    assert r.returncode == 0 and other.exists(), r.stderr
    good(check_receipt(tenant, other, policy))
    plain = good(tenant.donjon(
        "deploy", "-q", "--host", host, "--policy", policy, "--detach",
        tenant.out / "tests/wasm/spin.wasm"))
    r = tenant.donjon("stop", plain, "--receipt", other)
    assert r.returncode == 121 and b"not deployed with" in r.stderr
    good(tenant.donjon("stop", plain))


def test_a_receipt_that_nobody_took_is_said_to_be_lost(tenant, agent,
                                                       tmp_path):
    host = f"unix://{agent.unix}"
    path = tmp_path / "receipt.json"
    keep = detached(tenant, host, tenant.policy(host), "spin", path)
    r = tenant.donjon("stop", "--force", keep)
    assert r.returncode == 0 and b"receipt is lost" in r.stderr, r.stderr
    assert not path.exists()
