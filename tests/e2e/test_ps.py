# SPDX-License-Identifier: Apache-2.0
"""What `donjon ps` says over a Keep's life: no program that has ended looks as
if it still ran."""
import json
import signal

from conftest import signal_all
from evil import EvilAgent
from tenant import wait_for


def wasm(tenant, name):
    return tenant.out / f"tests/wasm/{name}.wasm"


def url_of(agent):
    return f"unix://{agent.unix}"


def deploy(tenant, agent, program, *args, url=None):
    r = tenant.donjon("deploy", "--host", url or url_of(agent), "--policy",
                      tenant.policy(url_of(agent)), "--detach",
                      wasm(tenant, program), *args)
    assert r.returncode == 0, r.stderr
    return r.stdout.decode().strip()


def line_of(tenant, keep, *flags):
    """Its line as JSON, and its state in the table."""
    r = tenant.donjon("ps", "--json", *flags)
    assert r.returncode == 0, r.stderr
    mine = [k for k in json.loads(r.stdout) if k["id"] == keep]
    text = [x for x in tenant.donjon("ps", *flags).stdout.decode().splitlines()
            if x.startswith(keep)]
    if not mine:
        assert not text
        return None, None
    return mine[0], text[0][44:61].strip()


def test_a_running_program_is_said_to_run_and_a_stopped_keep_is_gone(tenant,
                                                                    agent):
    keep = deploy(tenant, agent, "ticker", "1000000", "50")
    for flags in ([], ["--host", url_of(agent)]):
        mine, text = line_of(tenant, keep, *flags)
        assert mine["state"] == text == "running", mine
        assert mine["program"] == "ticker.wasm"
        assert mine["host"] == url_of(agent) and mine["software"] is True
        assert "status" not in mine and "reason" not in mine
    r = tenant.donjon("stop", "--force", keep)
    assert r.returncode == 0, r.stderr
    assert json.loads(tenant.donjon("ps", "--json").stdout) == []


def test_a_program_that_ended_has_exited_while_its_keep_waits(tenant, agent):
    keep = deploy(tenant, agent, "ticker", "1", "1")
    wait_for(lambda: line_of(tenant, keep)[0]["state"] == "exited")
    for flags in ([], ["--host", url_of(agent)]):
        mine, text = line_of(tenant, keep, *flags)
        assert mine["state"] == "exited" and mine["status"] == 9
        assert text == "exited 9"
    # It was only asked: the Keep is there, and attach learns the same.
    assert tenant.donjon("attach", keep).returncode == 9
    assert tenant.donjon("stop", keep).returncode == 0


def test_once_known_to_have_ended_a_keep_is_not_asked_again(tenant, agent,
                                                            tmp_path):
    with EvilAgent(str(tmp_path / "s"), agent.unix) as between:
        keep = deploy(tenant, agent, "ticker", "1", "1",
                      url=f"unix://{between.path}")
        assert tenant.donjon("attach", keep).returncode == 9
        before = between.channels
        assert line_of(tenant, keep)[1] == "exited 9"
        assert between.channels == before
        assert tenant.donjon("stop", keep).returncode == 0


def test_a_keep_that_ended_says_how_its_program_did(tenant, agents):
    agent = agents("brief", "--owner-wait", "1")
    keep = deploy(tenant, agent, "ticker", "1", "1")
    assert tenant.donjon("logs", keep).returncode == 0
    wait_for(lambda: line_of(tenant, keep)[0]["state"] == "ended")
    mine, text = line_of(tenant, keep)
    assert mine["reason"] == "done" and mine["status"] == 9
    assert text == "ended: exited 9"


def test_a_keep_that_was_killed_says_why_it_ended(tenant, agent):
    keep = deploy(tenant, agent, "ticker", "1000000", "50")
    signal_all(agent.children(), signal.SIGKILL)
    wait_for(lambda: line_of(tenant, keep)[0]["state"] == "ended")
    mine, text = line_of(tenant, keep)
    assert mine["reason"] == "crashed" and "status" not in mine
    assert text == "ended: crashed"


def test_a_program_with_its_client_is_seen_from_elsewhere(tenant, agent):
    """Not detached: it has no log that could be read."""
    p = tenant.start("deploy", "--host", url_of(agent), "--policy",
                     tenant.policy(url_of(agent)), wasm(tenant, "spin"))
    assert p.stdout.readline() == b"spinning\n"
    keeps = json.loads(tenant.donjon("ps", "--json").stdout)
    assert [k["state"] for k in keeps] == ["running"]
    p.send_signal(signal.SIGINT)
    p.communicate(timeout=60)
    assert p.returncode == 130
    assert json.loads(tenant.donjon("ps", "--json").stdout) == []


def test_a_keep_that_does_not_answer_is_not_said_to_run(tenant, agent,
                                                        tmp_path):
    """The host says that it is there, and lets nobody to it."""
    keep = deploy(tenant, agent, "ticker", "1000000", "50")

    def cut(_, s, keep):
        s.recv(1)
    with EvilAgent(str(tmp_path / "s"), agent.unix, channel=cut) as evil:
        mine, text = line_of(tenant, keep, "--host", f"unix://{evil.path}")
        assert mine["state"] == text == "unreachable"
    assert tenant.donjon("stop", keep).returncode == 0


def test_the_keep_of_another_tenant_has_its_hosts_word_only(tenant, agent, out,
                                                            tmp_path):
    from tenant import Tenant
    keep = deploy(tenant, agent, "ticker", "1", "1")
    other = Tenant(out, tmp_path / "other")
    mine, text = line_of(other, keep, "--host", url_of(agent))
    assert mine["state"] == text == "attested" and mine["program"] == "-"
    assert tenant.donjon("stop", keep).returncode == 0
    wait_for(lambda: line_of(other, keep, "--host", url_of(agent))[1]
             == "ended: stopped")
    mine, text = line_of(other, keep, "--host", url_of(agent))
    assert mine["state"] == "ended"
    assert "status" not in mine
