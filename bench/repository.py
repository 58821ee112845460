#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""bench/repository.py OUT: what it costs to have a package at hand.

A docker-registry on loopback, with TLS, without a login.
  pull     `donjon package pull` of one large package, against `curl` of the
           same blob from the same registry and `skopeo copy` of the package,
           in turns
  deploy   `donjon run` of a small package, cache empty and full, against the
           same program as a file
Nothing is asserted.
"""
import os
import resource
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

LARGE, RUNS = 200 << 20, 7


def cost(what):
    """Seconds that pass, and of processors that the children took."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.monotonic()
    what()
    passed = time.monotonic() - begin
    now = resource.getrusage(resource.RUSAGE_CHILDREN)
    return passed, (now.ru_utime + now.ru_stime - used.ru_utime -
                    used.ru_stime)


def in_turns(rows):
    """rows: name -> (what, before).  Medians of both costs, by name; one
    after the other, so that what else the machine does meets all."""
    seen = {name: [] for name in rows}
    for _ in range(RUNS):
        for name, (what, before) in rows.items():
            before()
            seen[name].append(cost(what))
    return {name: tuple(map(statistics.median, zip(*list)))
            for name, list in seen.items()}


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
    cache, blob_file = tenant.folder / "cache", tenant.folder / "blob"
    layout = tenant.folder / "layout"
    where = f"oci://{reg.host}/bench/large:1"
    run(tenant, "package", "push", "-q", folder, where)
    blob = max((reg.folder / "data").rglob("data"),
               key=lambda p: p.stat().st_size)
    url = f"https://{reg.host}/v2/bench/large/blobs/sha256:{blob.parent.name}"
    certs = tenant.folder / "certs"
    certs.mkdir()
    shutil.copy(reg.cert, certs / "ca.crt")
    (tenant.folder / "any.json").write_text(
        '{"default": [{"type": "insecureAcceptAnything"}]}')

    def curl():
        subprocess.run(["curl", "-sf", "--cacert", reg.cert, "-o", blob_file,
                        url], check=True)

    def skopeo():
        subprocess.run(["skopeo", "--policy", tenant.folder / "any.json",
                        "copy", "-q", "--src-cert-dir", certs,
                        f"docker://{where[6:]}", f"oci:{layout}:1"],
                       check=True, env=tenant.env)

    def ours():
        run(tenant, "package", "pull", "-q", where)

    def forget(path):
        return lambda: (shutil.rmtree(path, ignore_errors=True),
                        blob_file.unlink(missing_ok=True))
    rows = {"curl": (curl, forget(layout)),
            "donjon, cold": (ours, forget(cache)),
            "donjon, warm": (ours, lambda: None)}
    if shutil.which("skopeo"):
        rows["skopeo copy"] = (skopeo, forget(layout))
    costs = in_turns(rows)
    size = blob.stat().st_size / 1e6
    print(f"\nPull of {size:.0f} MB from a registry on this machine; all but "
          "curl hash it, too.\nwarm: the cache is read and judged")
    print(f"  {'':<14} {'MB/s':>6} {'of curl':>8} {'CPU s':>7}")
    for name, (passed, cpu) in costs.items():
        print(f"  {name:<14} {size / passed:6.0f} "
              f"{costs['curl'][0] / passed:8.2f} {cpu:7.2f}")


def deploy(tenant, reg, folder):
    where = f"oci://{reg.host}/bench/small:1"
    digest = run(tenant, "package", "push", "-q", folder, where)
    pinned = f"oci://{reg.host}/bench/small@{digest}"

    def forget():
        shutil.rmtree(tenant.folder / "cache", ignore_errors=True)

    def go(ref, before=lambda: None):
        return lambda: run(tenant, "run", "-q", ref), before
    rows = {"file": go(folder / "main.wasm"), "folder": go(folder),
            "registry, cold": go(where, forget),
            "registry, warm tag": go(where),
            "registry, warm digest": go(pinned)}
    print("\nhello from start to end, ms")
    for name, (passed, cpu) in in_turns(rows).items():
        print(f"  {name:<22} {passed * 1000:8.1f}   CPU {cpu * 1000:6.1f}")


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
