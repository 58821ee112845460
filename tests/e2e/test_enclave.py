# SPDX-License-Identifier: Apache-2.0
"""Enclaves on the software platform: what is true of SGX alone.  The rest is
in test_software.py, for all technologies."""
import os
import re
import shutil
import subprocess

import pytest

import test_modules
from conftest import Agent
from evil import EvilAgent, call
from test_software import deploy, holding, qemus
from test_software import pytestmark  # noqa: F401


def hosted_by(loader, out, tmp_path):
    """An agent with one of the tests' loaders (tests/hostile)."""
    tree = tmp_path / "tree"
    (tree / "bin").mkdir(parents=True)
    (tree / "keep").symlink_to(out / "keep")
    shutil.copy(out / "bin/donjond", tree / "bin")
    shutil.copy(out / f"tests/hostile/{loader}/donjon-keep", tree / "bin")
    return Agent(tree, tmp_path / "agent")


# --- whose quote it is ---------------------------------------------------------

@pytest.mark.parametrize("allowed", [False, True])
def test_a_debug_enclave_is_refused_unless_the_policy_allows_it(
        tenant, out, tmp_path, allowed):
    """Its measurement is the release's: the quote's attributes tell."""
    agent = hosted_by("debug", out, tmp_path)
    try:
        argv = deploy(tenant, agent, "sgx")
        path = argv[-1]
        if allowed:
            path.write_text("allow_debug = true\n" + path.read_text())
        r = tenant.donjon(*argv, out / "examples/hello.wasm")
    finally:
        agent.stop()
    if allowed:
        assert r.returncode == 0, r.stderr
        assert r.stdout == b"hello from inside a Keep\n"
    else:
        assert r.returncode == 122 and b"debug" in r.stderr, r.stderr
        assert r.stdout == b""


@pytest.mark.parametrize("parts, says", [
    (("evidence", "endorsements"), b"report_data"),
    (("certificate",), b"key")])
def test_a_quote_over_another_key_opens_no_channel(
        tenant, agent, tmp_path, parts, says):
    """A true enclave's, of the same host, nonce and owner."""
    def alter(self, answer):
        status, other = call(agent.unix, "POST", "/v1/keeps", self.asks[-1])
        assert status == 201
        self.ids.append(other["id"])
        answer.update({part: other[part] for part in parts})
        return answer
    path = str(tmp_path / "evil")
    with EvilAgent(path, agent.unix, alter) as evil:
        argv = deploy(tenant, agent, "sgx")
        argv[argv.index(f"unix://{agent.unix}")] = f"unix://{path}"
        r = tenant.donjon(*argv, tenant.out / "examples/hello.wasm")
    assert r.returncode == 122 and says in r.stderr, r.stderr
    assert evil.channels == 0 and r.stdout == b""


def test_two_enclaves_of_one_host_run_side_by_side(tenant, agent, tmp_path):
    both = [holding(tenant, agent, "sgx", tmp_path) for _ in range(2)]
    assert len(qemus(agent)) == 2
    for p in both:
        p.stdin.close()
    assert [p.wait(60) for p in both] == [0, 0]


@pytest.fixture
def old(out, tmp_path):
    """An agent on a processor whose enclaves can't grow."""
    agent = hosted_by("old", out, tmp_path)
    yield agent
    agent.stop()


def old_rows():
    if "DONJON_ALL" in os.environ:
        return test_modules.ROWS
    return [r for r in test_modules.ROWS if r["file"] == "zig-app.wasm"]


@pytest.mark.parametrize("row", old_rows(), ids=lambda r: r["file"])
def test_a_processor_without_sgx2_runs_it_interpreted(
        row, tenant, old, tmp_path):
    argv = deploy(tenant, old, "sgx")
    memory = "496MiB" if "DONJON_ALL" in os.environ else "48MiB"
    test_modules.test_program(
        row, lambda *args, **more: tenant.donjon(
            *argv, "--memory", memory, *args, **more), tmp_path)


@pytest.mark.skipif("DONJON_ALL" not in os.environ,
                    reason="512 MiB of pages only with DONJON_ALL=1")
def test_a_processor_without_sgx2_says_how_much_memory_there_can_be(
        tenant, out, old):
    r = tenant.donjon(*deploy(tenant, old, "sgx"), "--memory", "2GiB",
                      out / "examples/hello.wasm")
    assert r.returncode != 0, r.stderr
    assert b"2147483648" in r.stderr and b"520093696" in r.stderr, r.stderr


# --- the shim's code -----------------------------------------------------------

def instructions(out):
    text = subprocess.run(["objdump", "-d", "--no-show-raw-insn", "-w",
                           out / "debug/shim-sgx"], check=True, text=True,
                          stdout=subprocess.PIPE).stdout
    for line in text.splitlines():
        m = re.match(r"^\s+[0-9a-f]+:\s+(.*?)\s*(?:#.*)?$", line)
        if m:
            yield m.group(1)


def is_load(code):
    name, _, operands = code.partition(" ")
    operands = operands.strip()
    if name == "pop":
        return True
    return name.startswith("mov") and "(" in operands and \
        re.search(r",%\w+$", operands) is not None


def test_no_load_of_the_shim_is_gone_on_with_before_it_is_done(out):
    """Load value injection: LFENCE behind each load and before each return;
    indirect jumps go through registers, but for the one into exec."""
    code = list(instructions(out))
    assert len(code) > 2000
    loads = [i for i, c in enumerate(code) if is_load(c)]
    assert len(loads) > 300
    bare = [code[i] for i in loads if code[i + 1] != "lfence"]
    assert bare == []
    assert [c for i, c in enumerate(code)
            if c.startswith("ret") and code[i - 1] != "lfence"] == []
    assert len([c for c in code if re.match(r"(jmp|call)\s+\*[^%]", c)]) == 1
