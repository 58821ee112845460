#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""bench/repository.py OUT: what it costs to have a package at hand.

A docker-registry on loopback, with TLS, without a login.
  pull     `donjon package pull` of one large package, against `curl` of the
           same blob from the same registry, in turns
  deploy   `donjon run` of a small package, cache empty and full, against the
           same program as a file
Nothing is asserted.
"""
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests/e2e"))
import registry  # noqa: E402
from tenant import Tenant  # noqa: E402

LARGE, RUNS = 200 << 20, 5


def seconds(what):
    begin = time.monotonic()
    what()
    return time.monotonic() - begin


def median(what, before=lambda: None):
    times = []
    for _ in range(RUNS):
        before()
        times.append(seconds(what))
    return statistics.median(times)


def run(tenant, *args):
    r = tenant.donjon(*args)
    assert r.returncode == 0, r.stderr.decode()
    return r.stdout.decode().strip()


def package(out, folder, size):
    folder.mkdir()
    shutil.copy(out / "examples/hello.wasm", folder / "main.wasm")
    (folder / "Donjon.toml").write_text(
        '[[mounts]]\nhost = "data"\nguest = "/data"\n')
    (folder / "data").mkdir()
    (folder / "data/blob").write_bytes(os.urandom(size))
    return folder


def pull(tenant, reg, folder):
    cache = tenant.folder / "cache"
    where = f"oci://{reg.host}/bench/large:1"
    run(tenant, "package", "push", "-q", folder, where)
    blob = max((reg.folder / "data").rglob("data"),
               key=lambda p: p.stat().st_size)
    url = f"https://{reg.host}/v2/bench/large/blobs/sha256:{blob.parent.name}"

    def forget():
        shutil.rmtree(cache, ignore_errors=True)

    def curl():
        subprocess.run(["curl", "-sf", "--cacert", reg.cert, "-o",
                        tenant.folder / "blob", url], check=True)

    def ours():
        run(tenant, "package", "pull", "-q", where)
    theirs, mine = median(curl), median(ours, forget)
    again = median(ours)
    size = blob.stat().st_size / 1e6
    print(f"\nPull of {size:.0f} MB, MB/s (ours also hashes it and "
          "keeps it in the cache)")
    print(f"  curl           {size / theirs:8.0f}")
    print(f"  donjon, cold   {size / mine:8.0f}   {theirs / mine:5.2f} of curl")
    print(f"  donjon, warm   {again * 1000:8.0f} ms: the cache is read and "
          "judged")


def deploy(tenant, reg, folder):
    where = f"oci://{reg.host}/bench/small:1"
    digest = run(tenant, "package", "push", "-q", folder, where)
    pinned = f"oci://{reg.host}/bench/small@{digest}"

    def forget():
        shutil.rmtree(tenant.folder / "cache", ignore_errors=True)

    def go(ref):
        return lambda: run(tenant, "run", "-q", ref)
    rows = [("file", median(go(folder / "main.wasm"))),
            ("folder", median(go(folder))),
            ("registry, cold", median(go(where), forget)),
            ("registry, warm tag", median(go(where))),
            ("registry, warm digest", median(go(pinned)))]
    print("\nhello from start to end, ms")
    for name, t in rows:
        print(f"  {name:<22} {t * 1000:8.1f}")


def main():
    out = Path(sys.argv[1] if len(sys.argv) > 1 else "out").resolve()
    if not registry.available():
        print("docker-registry or htpasswd is not installed")
        return
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        tenant = Tenant(out, folder / "tenant")
        reg = registry.Registry(folder / "registry", auth=False)
        try:
            tenant.env["SSL_CERT_FILE"] = str(reg.cert)
            pull(tenant, reg, package(out, folder / "large", LARGE))
            deploy(tenant, reg, package(out, folder / "small", 10000))
        finally:
            reg.stop()


main()
