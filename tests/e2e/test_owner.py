# SPDX-License-Identifier: Apache-2.0
"""A Keep obeys the owner that was attested, and nobody else."""
import shutil

import pytest

from evil import call, upgrade
from tenant import Tenant, wait_for

DENIED = 122


@pytest.fixture
def detached(tenant, agent):
    """A detached Keep that prints a line every 50 ms until it is ended."""
    host = f"unix://{agent.unix}"
    r = tenant.donjon("deploy", "--host", host, "--policy",
                      tenant.policy(host), "--detach",
                      tenant.out / "tests/wasm/ticker.wasm", "1000000",
                      "50")
    assert r.returncode == 0, r.stderr
    keep = r.stdout.decode().split()[-1]
    yield keep, host
    call(agent.unix, "DELETE", f"/v1/keeps/{keep}")


@pytest.fixture
def foreigner(tenant, tmp_path):
    """Another tenant, who has got hold of all of the first one's files but
    her owner key."""
    other = Tenant(tenant.out, tmp_path / "foreigner")
    shutil.copytree(tenant.folder / "state", other.folder / "state")
    return other


def test_the_owner_sees_it_and_stops_it(tenant, detached):
    keep, host = detached
    r = tenant.donjon("ps", "--host", host)
    assert r.returncode == 0 and keep[:8] in r.stdout.decode()
    wait_for(lambda: b"tick 3" in tenant.donjon(
        "logs", "--no-follow", keep).stdout)
    r = tenant.donjon("stop", keep)
    assert r.returncode == 0, r.stderr
    r = tenant.donjon("logs", "--no-follow", keep)
    assert r.returncode != 0


@pytest.mark.parametrize("command", ["attach", "logs", "stop"])
def test_a_foreign_owner_can_not(command, tenant, detached, foreigner):
    keep, host = detached
    # A first use makes the foreigner a key of his own.
    r = foreigner.donjon(command, keep, timeout=60)
    assert r.returncode in (DENIED, 121), r.stderr
    assert b"tick" not in r.stdout + r.stderr
    r = tenant.donjon("logs", "--no-follow", keep)
    assert r.returncode == 0 and b"tick" in r.stdout, r.stderr


def test_a_foreign_owner_can_not_even_with_the_true_key_hash(
        tenant, detached, foreigner, agent):
    """The state file says whose the Keep is; the foreigner alters it to pass
    his own client's checks.  The Keep's TLS refuses him all the same."""
    keep, host = detached
    policy = foreigner.policy(host)
    r = foreigner.donjon("deploy", "--host", host, "--policy", policy,
                         tenant.out / "tests/wasm/echoargs.wasm")
    assert r.returncode == 0, r.stderr  # makes his key
    r = foreigner.donjon("logs", "--no-follow", keep, timeout=60)
    assert r.returncode == DENIED, (r.returncode, r.stderr)
    assert b"tick" not in r.stdout


def test_no_client_key_no_word(detached, agent):
    """A TLS client without a certificate learns nothing."""
    import ssl
    keep, _ = detached
    s, _ = upgrade(agent.unix, keep)
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    ctx.check_hostname = False
    ctx.verify_mode = ssl.CERT_NONE
    data = b""
    try:
        with ctx.wrap_socket(s) as t:
            t.sendall(b"\x01\0\0\0\x10\0\0\0" + b"\1\0\0\0\3\0\0\0" + bytes(8))
            data = t.recv(4096)
    except (ssl.SSLError, OSError):
        pass
    assert data == b""
