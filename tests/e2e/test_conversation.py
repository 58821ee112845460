# SPDX-License-Identifier: Apache-2.0
"""Frames follow the state table; whatever else a peer does, the side that
can hear it gets a clear error, resources are freed and the agent serves on.
"""
import os
import signal
import struct

import pytest

import frames as f
from evil import call, upgrade
from tenant import wait_for
from test_leaks import processes


@pytest.fixture(scope="module")
def owner(tmp_path_factory):
    return f.Owner(tmp_path_factory.mktemp("owner"))


@pytest.fixture
def program(tenant):
    return (tenant.out / "tests/wasm/echoargs.wasm").read_bytes()


def ended(agent, keep):
    status, k = call(agent.unix, "GET", f"/v1/keeps/{keep}")
    return status == 200 and k["state"] == "ended" and k


def gone(agent, keep):
    """The Keep has ended, and its processes are gone."""
    return wait_for(lambda: ended(agent, keep))


def states(program):
    """The frames that bring a conversation to each of its states."""
    return {
        "connected": [],
        "hello": [f.hello()],
        "configured": [f.hello(), f.config(mounts=[("/d", 0)])],
        "timed": [f.hello(), f.config(mounts=[("/d", 0)]), f.now()],
        "in_a_file": [f.hello(), f.config(mounts=[("/d", 0)]),
                      f.file("x", b"abc" * 100), f.data(b"abc" * 50)],
        "in_the_module": [f.hello(), f.config(), f.module(program),
                          f.data(program[:1000])],
        "delivered": [f.hello(), f.config(), f.module(program),
                      f.data(program)],
    }


STATES = list(states(b"\0" * 2000))


def test_an_honest_conversation(agent, owner, program):
    keep = owner.ask(agent.unix)
    c = owner.open(agent.unix, keep)
    c.send(f.hello(), f.config(args=["x", "one"], env=["A=1"]), f.now(),
           f.module(program), f.data(program), f.frame(f.START))
    seen = c.until(f.EXIT)
    c.vanish()
    out = b"".join(p for k, p in seen if k == f.STDOUT)
    assert out == b"arg one\nenv A=1\n"
    assert seen[-1][0] == f.EXIT
    assert struct.unpack("<II", seen[-1][1][:8]) == (1, 0)
    assert gone(agent, keep)["reason"] == "done"


@pytest.mark.parametrize("state", STATES)
def test_a_client_vanishes_when(state, agent, owner, program):
    keep = owner.ask(agent.unix)
    c = owner.open(agent.unix, keep)
    c.send(*states(program)[state])
    c.vanish()
    if state in ("connected", "hello"):
        # Nothing was brought: the Keep waits on for its owner.
        again = owner.open(agent.unix, keep)
        again.send(f.hello())
        assert again.next()[0] == f.HELLO
        again.vanish()
        assert call(agent.unix, "DELETE", f"/v1/keeps/{keep}")[0] == 204
    wait_for(lambda: ended(agent, keep))
    test_an_honest_conversation(agent, owner, program)


def test_a_client_vanishes_while_the_program_runs(agent, owner, tenant):
    spin = (tenant.out / "tests/wasm/spin.wasm").read_bytes()
    keep = owner.ask(agent.unix)
    c = owner.open(agent.unix, keep)
    c.send(f.hello(), f.config(), f.module(spin), f.data(spin),
           f.frame(f.START))
    assert c.until(f.STDOUT)[-1][1].startswith(b"spin")
    c.vanish()
    assert gone(agent, keep)["reason"] == "stopped"


@pytest.mark.parametrize("state", STATES)
def test_a_stalled_client_harms_nobody_when(state, agent, owner, program):
    keep = owner.ask(agent.unix)
    c = owner.open(agent.unix, keep)
    c.send(*states(program)[state])
    test_an_honest_conversation(agent, owner, program)
    assert call(agent.unix, "DELETE", f"/v1/keeps/{keep}")[0] == 204
    wait_for(lambda: ended(agent, keep))
    c.vanish()


@pytest.mark.parametrize("state", STATES)
def test_a_keep_dies_when(state, agent, owner, program):
    keep = owner.ask(agent.unix)
    c = owner.open(agent.unix, keep)
    c.send(*states(program)[state])
    os.kill(processes(agent)[1], signal.SIGKILL)
    c.until(f.EXIT)
    end = gone(agent, keep)
    assert end["reason"] in ("crashed", "failed"), end
    test_an_honest_conversation(agent, owner, program)


ILLEGAL = {
    "connected": [("CONFIG", lambda p: f.config()),
                  ("START", lambda p: f.frame(f.START)),
                  ("DATA", lambda p: f.data(b"x")),
                  ("STDIN", lambda p: f.frame(f.STDIN, b"x")),
                  ("type 0", lambda p: f.frame(0)),
                  ("type 99", lambda p: f.frame(99))],
    "hello": [("HELLO", lambda p: f.hello()),
              ("MODULE", lambda p: f.module(p)),
              ("FILE", lambda p: f.file("x")),
              ("START", lambda p: f.frame(f.START)),
              ("SIGNAL", lambda p: f.frame(f.SIGNAL, b"\2\0\0\0"))],
    "configured": [("CONFIG", lambda p: f.config()),
                   ("START", lambda p: f.frame(f.START)),
                   ("EXIT", lambda p: f.frame(f.EXIT)),
                   ("STDOUT", lambda p: f.frame(f.STDOUT, b"x")),
                   ("LOGS", lambda p: f.frame(f.LOGS, bytes(8)))],
    "in_a_file": [("MODULE", lambda p: f.module(p)),
                  ("FILE", lambda p: f.file("y")),
                  ("START", lambda p: f.frame(f.START)),
                  ("DATA", lambda p: f.data(b"x" * 151))],
    "in_the_module": [("MODULE", lambda p: f.module(p)),
                      ("START", lambda p: f.frame(f.START)),
                      ("DATA", lambda p: f.data(p))],
    "delivered": [("MODULE", lambda p: f.module(p)),
                  ("DATA", lambda p: f.data(b"x")),
                  ("STDIN", lambda p: f.frame(f.STDIN, b"x"))],
}


@pytest.mark.parametrize("state,name", [
    (s, n) for s in ILLEGAL for n, _ in ILLEGAL[s]])
def test_an_illegal_frame(state, name, agent, owner, program):
    make = dict(ILLEGAL[state])[name]
    keep = owner.ask(agent.unix)
    c = owner.open(agent.unix, keep)
    try:
        c.send(*states(program)[state], make(program))
    except OSError:
        pass
    text = c.error()
    assert text, "no ERROR frame"
    assert name in text, text
    assert call(agent.unix, "GET", "/healthz")[0] == 200
    if state not in ("connected", "hello"):
        assert gone(agent, keep)["reason"] == "protocol"
    else:
        call(agent.unix, "DELETE", f"/v1/keeps/{keep}")


MALFORMED = {
    "ten_gigabytes": (f.frame(f.CONFIG, b"", length=0xffffffff), "payload"),
    "one_byte_too_long": (f.frame(f.CONFIG, b"", length=0x20001), "payload"),
    "flags": (f.frame(f.CONFIG, b"x", flags=1), "reserved"),
    "reserved": (f.frame(f.CONFIG, b"x", reserved=1), "reserved"),
    "config_version": (f.config(version=3), "version"),
    "config_no_descriptors": (f.config(version=2), "descriptors"),
    "config_short": (f.frame(f.CONFIG, f.config()[8:-1]), "config"),
    "config_trailing": (f.frame(f.CONFIG, f.config()[8:] + b"x"), "config"),
    "config_nul": (f.config(args=["a\0b"]), "arg"),
    "config_env_without_equals": (f.config(env=["A"]), "variables"),
    "config_flags": (f.config(flags=0x8000), "flags"),
    "config_threads": (f.config(flags=0x80000000), "threads"),
    "config_mount_without_a_name": (f.config(mounts=[("", 0)]), "mount"),
    "config_memory": (f.config(memory=1 << 50), "memory"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_frame(name, agent, owner):
    sent, word = MALFORMED[name]
    keep = owner.ask(agent.unix)
    c = owner.open(agent.unix, keep)
    c.send(f.hello(), sent)
    text = c.error()
    assert text and word in text.lower(), text
    wait_for(lambda: ended(agent, keep))


BAD_FILES = ["../x", "/x", "a/../../x", "", ".", "a//b", b"a\0b", "x" * 5000]


@pytest.mark.parametrize("path", BAD_FILES, ids=lambda p: repr(p)[:20])
def test_a_file_that_may_not_be(path, agent, owner):
    keep = owner.ask(agent.unix)
    c = owner.open(agent.unix, keep)
    c.send(f.hello(), f.config(mounts=[("/d", 0)]), f.file(path, b""))
    assert c.error()
    assert gone(agent, keep)["reason"] == "protocol"


def test_a_mount_that_is_not(agent, owner):
    keep = owner.ask(agent.unix)
    c = owner.open(agent.unix, keep)
    c.send(f.hello(), f.config(mounts=[("/d", 0)]),
           f.file("x", b"", mount=1))
    assert "mount" in (c.error() or "")


def test_a_module_larger_than_the_keep(agent, owner):
    keep = owner.ask(agent.unix)
    c = owner.open(agent.unix, keep)
    c.send(f.hello(), f.config(), f.module(b"", size=10 << 30))
    assert c.error()
    wait_for(lambda: ended(agent, keep))


def test_a_file_larger_than_the_keep(agent, owner):
    keep = owner.ask(agent.unix)
    c = owner.open(agent.unix, keep)
    c.send(f.hello(), f.config(mounts=[("/d", 0)]),
           f.file("x", b"", size=10 << 30))
    assert c.error()
    wait_for(lambda: ended(agent, keep))


@pytest.mark.parametrize("what", ["module", "file"])
def test_a_wrong_digest_of_the(what, agent, owner, program):
    keep = owner.ask(agent.unix)
    c = owner.open(agent.unix, keep)
    wrong = bytes(32)
    if what == "module":
        c.send(f.hello(), f.config(), f.module(program, wrong),
               f.data(program))
    else:
        c.send(f.hello(), f.config(mounts=[("/d", 0)]),
               f.file("x", b"abc", digest=wrong), f.data(b"abc"))
    assert "digest" in (c.error() or "")
    wait_for(lambda: ended(agent, keep))


def test_every_truncation_of_a_module(tenant, agent, owner):
    """One Keep refuses one module; a sample of lengths, each in its own."""
    whole = (tenant.out / "tests/wasm/spin.wasm").read_bytes()
    for n in [0, 1, 4, 7, 8, 9, 40, len(whole) // 2, len(whole) - 1]:
        keep = owner.ask(agent.unix)
        c = owner.open(agent.unix, keep)
        cut = whole[:n]
        c.send(f.hello(), f.config(time_ns=10**9), f.module(cut),
               f.data(cut) if cut else b"", f.frame(f.START))
        seen = c.until(f.EXIT)
        c.vanish()
        assert seen, n
        if seen[-1][0] == f.EXIT:
            assert struct.unpack("<II", seen[-1][1][:8]) == (121, 5), n
        else:
            assert seen[-1][0] == f.ERROR, n
        wait_for(lambda: ended(agent, keep))


def test_random_bytes_before_tls(agent, owner, program):
    keep = owner.ask(agent.unix)
    for block in (b"\0" * 64, os.urandom(4096), b"GET / HTTP/1.1\r\n\r\n",
                  bytes([22, 3, 1, 255, 255]) + os.urandom(300)):
        s, _ = upgrade(agent.unix, keep)
        s.sendall(block)
        s.close()
    c = owner.open(agent.unix, keep)
    c.send(f.hello(), f.config(), f.module(program), f.data(program),
           f.frame(f.START))
    assert c.until(f.EXIT)[-1][0] == f.EXIT


def test_silent_connections_do_not_keep_the_owner_out(agent, owner, program):
    keep = owner.ask(agent.unix)
    silent = [upgrade(agent.unix, keep)[0] for _ in range(5)]
    c = owner.open(agent.unix, keep)
    c.send(f.hello(), f.config(), f.module(program), f.data(program),
           f.frame(f.START))
    assert c.until(f.EXIT)[-1][0] == f.EXIT
    for s in silent:
        s.close()
