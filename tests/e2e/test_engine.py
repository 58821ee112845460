# SPDX-License-Identifier: Apache-2.0
"""Which engine runs a program in a Keep, and that it is the tenant's choice.

Compiled code shows as memory of a process that is executable and of no file.
"""
import os
import platform
import re

import pytest

ENGINES = ("auto", "interp")


def code_made_here(pid):
    """Bytes that a process has made executable, and the rights they have."""
    size, rights = 0, set()
    with open(f"/proc/{pid}/maps") as maps:
        for line in maps:
            m = re.match(r"([0-9a-f]+)-([0-9a-f]+) (..x.) \S+ 00:00 0 *$",
                         line)
            if m:
                size += int(m.group(2), 16) - int(m.group(1), 16)
                rights.add(m.group(3))
    return size, rights


@pytest.mark.parametrize("engine", ENGINES)
def test_only_what_may_be_compiled_becomes_executable(tenant, agent, engine):
    if os.geteuid() != 0:
        pytest.skip("looking at another process needs root")
    if os.environ.get("DONJON_SANITIZED"):
        pytest.skip("a sanitizer's memory is another one")
    host = f"unix://{agent.unix}"
    p = tenant.start("deploy", "--host", host, "--policy",
                     tenant.policy(host), "--engine", engine,
                     tenant.out / "tests/wasm/spin.wasm")
    assert p.stdout.readline() == b"spinning\n"
    size, rights = code_made_here(agent.children()[-1])
    if engine == "auto" and platform.machine() == "x86_64":
        assert size > 0 and rights == {"r-xp"}
    else:
        assert size == 0
    p.terminate()
    p.wait(60)


@pytest.mark.parametrize("engine", ENGINES)
def test_both_engines_end_a_program_alike(tenant, agent, engine):
    host = f"unix://{agent.unix}"
    deploy = ["deploy", "--host", host, "--policy", tenant.policy(host),
              "--engine", engine]
    trap = tenant.donjon(*deploy, tenant.out / "tests/wasm/trap.wasm")
    assert trap.returncode == 134 and b"unreachable" in trap.stderr
    fuel = tenant.donjon(*deploy, "--fuel", "1000000",
                         tenant.out / "tests/wasm/spin.wasm")
    assert fuel.returncode == 124 and b"fuel" in fuel.stderr
    late = tenant.donjon(*deploy, "--timeout", "0.3",
                         tenant.out / "tests/wasm/spin.wasm")
    assert late.returncode == 124
    said = tenant.donjon(*deploy, tenant.out / "tests/wasm/echoargs.wasm",
                         "x")
    assert said.returncode == 1 and said.stdout == b"arg x\n"
