# SPDX-License-Identifier: Apache-2.0
"""`donjon key sgx`: keys that sign enclaves, checked by arithmetic of our own
(Intel's SDM, volume 3D, "SIGSTRUCT"), and taken by EINIT."""
import hashlib
import os
import shutil
import stat
import subprocess

import pytest

from sgx import mrenclave

SANITIZED = "DONJON_SANITIZED" in os.environ


@pytest.fixture(scope="module")
def signed(out, tmp_path_factory):
    if SANITIZED:
        pytest.skip("nobody signs a sanitized Keep")
    folder = tmp_path_factory.mktemp("key")
    images = folder / "keep"
    shutil.copytree(out / "keep/sgx", images / "sgx")
    shutil.copytree(out / "keep/software", images / "software")

    def key(*args):
        return subprocess.run(
            [out / "bin/donjon", "key", "sgx", *map(str, args)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    made = key("create", folder / "key.pem")
    assert made.returncode == 0, made.stderr
    done = key("sign", folder / "key.pem", images / "sgx", "--images", images)
    assert done.returncode == 0, done.stderr
    assert made.stdout == done.stdout
    signer = made.stdout.split()[1]
    return folder, images, signer, key


def numbers(sigstruct):
    def number(at):
        return int.from_bytes(sigstruct[at:at + 384], "little")
    return number(128), number(516), number(1040), number(1424)


@pytest.mark.parametrize("name, heap", (
    ("sigstruct", 0), ("sigstruct-heap-64MiB", 64 << 20),
    ("sigstruct-heap-192MiB", 192 << 20),
    ("sigstruct-heap-512MiB", 512 << 20)))
def test_what_was_signed_is_this_release_s_enclave(out, signed, name, heap):
    folder, images, signer, key = signed
    s = (images / "sgx" / name).read_bytes()
    assert len(s) == 1808
    n, sig, q1, q2 = numbers(s)
    digest = hashlib.sha256(s[:128] + s[900:1028]).digest()
    padded = bytes.fromhex("3031300d060960864801650304020105000420") + digest
    want = b"\0\1" + b"\xff" * (384 - 3 - len(padded)) + b"\0" + padded
    assert pow(sig, 3, n).to_bytes(384, "big") == want
    assert q1 == sig * sig // n
    assert q2 == (sig * sig - q1 * n) * sig // n
    assert hashlib.sha256(s[128:512]).hexdigest() == signer
    shim, exec_ = [(out / "keep/sgx" / f).read_bytes()
                   for f in ("shim", "exec")]
    assert s[960:992].hex() == mrenclave(shim, exec_, heap)


def test_a_key_is_its_owner_s_and_never_overwritten(signed):
    folder, images, signer, key = signed
    path = folder / "key.pem"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_bytes()
    assert key("create", path).returncode != 0
    assert path.read_bytes() == before
    assert key("sign", path, images / "sgx", "--images",
               images).returncode != 0
    assert key("forge", path).returncode == 121


@pytest.mark.skipif(not shutil.which("qemu-system-x86_64"),
                    reason="no qemu-system-x86_64 (package qemu-system-x86)")
def test_einit_takes_the_signature_and_the_quote_names_its_signer(
        signed, agents, tenant):
    folder, images, signer, key = signed
    agent = agents("signed", "--images", str(images))
    info = agent.call("GET", "/v1/platform")[1]
    policy = tenant.folder / "signed.toml"
    policy.write_text(f'technologies = ["sgx"]\n'
                      f'software = ["{info["software_root"]}"]\n'
                      f'[sgx]\nsigners = ["{signer}"]\nproduct_id = 17482\n')
    args = ["deploy", "--host", f"unix://{agent.unix}", "--tee", "sgx",
            "--platform", "software", "--policy", policy,
            tenant.out / "examples/hello.wasm"]
    r = tenant.donjon(*args)
    assert r.returncode == 0, r.stderr
    policy.write_text(policy.read_text().replace(signer[:8], "00000000"))
    assert tenant.donjon(*args).returncode == 122
