# SPDX-License-Identifier: Apache-2.0
"""A real registry for tests: Debian's docker-registry on loopback, with TLS
and htpasswd, as a process of its own below a folder of the test's."""
import http.client
import shutil
import ssl
import subprocess
import time

from ports import free_port

USER, PASSWORD = "tenant", "correct-horse-battery-staple"

CONFIG = """\
version: 0.1
log: {{level: warn}}
storage:
  filesystem: {{rootdirectory: {folder}/data}}
  delete: {{enabled: true}}
http:
  addr: 127.0.0.1:{port}
  secret: not-a-secret
{tls}{auth}
"""


def make_certificate(folder):
    """Names localhost and 127.0.0.1; signed by itself."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", cert,
         "-days", "30", "-subj", "/CN=localhost", "-addext",
         "subjectAltName=DNS:localhost,IP:127.0.0.1"],
        check=True, capture_output=True)
    return cert, key


class Registry:
    """auth: True is htpasswd; a text is its part of the configuration."""

    def __init__(self, folder, tls=True, auth=True):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        # Not "localhost": [::1] may be somebody else's.
        self.host = f"127.0.0.1:{self.port}"
        self.cert, self.key = make_certificate(folder)
        self.tls, self.auth = tls, auth
        self._configure()
        self.start()

    def _configure(self):
        tls = auth = ""
        if self.tls:
            tls = (f"  tls: {{certificate: {self.cert}, key: {self.key}}}\n")
        if self.auth and self.auth is not True:
            auth = self.auth
        elif self.auth:
            made = subprocess.run(
                ["htpasswd", "-niB", "-C", "5", USER], check=True,
                input=PASSWORD.encode(), capture_output=True)
            (self.folder / "htpasswd").write_bytes(made.stdout)
            auth = ("auth: {htpasswd: {realm: test, path: "
                    f"{self.folder}/htpasswd}}}}\n")
        (self.folder / "config.yml").write_text(CONFIG.format(
            folder=self.folder, port=self.port, tls=tls, auth=auth))

    def start(self):
        self.log = open(self.folder / "log", "ab")
        self.process = subprocess.Popen(
            ["docker-registry", "serve", self.folder / "config.yml"],
            stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL,
            env={"PATH": "/usr/bin:/bin", "OTEL_TRACES_EXPORTER": "none"})
        for _ in range(400):
            if self.process.poll() is not None:
                break
            try:
                self.call("GET", "/v2/")
                return
            except OSError:
                time.sleep(0.05)
        self.stop()
        raise RuntimeError((self.folder / "log").read_text())

    def call(self, method, path):
        if self.tls:
            context = ssl.create_default_context(cafile=self.cert)
            c = http.client.HTTPSConnection("127.0.0.1", self.port,
                                            timeout=60, context=context)
        else:
            c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            c.request(method, path)
            r = c.getresponse()
            return r.status, r.read()
        finally:
            c.close()

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.log.close()


def available():
    return all(map(shutil.which, ("docker-registry", "htpasswd", "openssl")))
