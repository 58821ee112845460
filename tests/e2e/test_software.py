# SPDX-License-Identifier: Apache-2.0
"""The software platform, as a user has it: Keeps of technologies that this
machine lacks, in QEMU.  What runs in them, what their host sees of them, and
what is left of them when somebody is killed."""
import errno
import hashlib
import json
import os
import re
import shutil
import signal
import time

import pytest

import test_modules
import test_net
import test_wasi_keep
from conftest import Agent, alive, signal_all
from net import Field
from ports import free_port
from snp import Key, id_files
from tenant import Tenant, wait_for
from test_leaks import MARKS, found, searchable  # noqa: F401

TEES = ["kvm", "snp", "tdx", "sgx", "sanctum", "pef"]
# Those of another processor: its name for QEMU, Debian's package, its exec.
FOREIGN = {"sanctum": ("riscv64", "qemu-system-misc", "riscv64"),
           "pef": ("ppc64", "qemu-system-ppc", "ppc64le")}
# QEMU interprets: those that need no minutes, unless all are asked for.
QUICK = {"zig-app", "as-app", "rust163-app", "lua", "cpp-iostream"}
ROWS = [r for r in test_modules.ROWS
        if "DONJON_ALL" in os.environ or r["file"][:-5] in QUICK]
MOMENTS = 16 if "DONJON_ALL" in os.environ else 4
# The same of the WASI suite.
WASI = test_wasi_keep.MODULES[::1 if "DONJON_ALL" in os.environ else 24]

pytestmark = [
    pytest.mark.skipif(
        not shutil.which("qemu-system-x86_64"),
        reason="no qemu-system-x86_64 (package qemu-system-x86)"),
    pytest.mark.skipif(
        "DONJON_SANITIZED" in os.environ,
        reason="a sanitizer's shadow memory does not fit below a shim"),
]


def policy(tenant, agent, tee):
    host = f"unix://{agent.unix}"
    r = tenant.donjon("platform", "info", "--host", host, "--json")
    root = json.loads(r.stdout)["software_root"]
    path = tenant.folder / f"policy-{tee}.toml"
    path.write_text(f'technologies = ["{tee}"]\nsoftware = ["{root}"]\n'
                    f'[{tee}]\nmeasurements = ["release"]\n')
    return path


def deploy(tenant, agent, tee):
    return ["deploy", "--host", f"unix://{agent.unix}", "--tee", tee,
            "--platform", "software", "--policy", policy(tenant, agent, tee)]


@pytest.fixture(scope="module")
def house(out, tmp_path_factory):
    folder = tmp_path_factory.mktemp("software")
    agent = Agent(out, folder / "agent")
    yield agent, Tenant(out, folder / "tenant")
    agent.stop()


def named(agent, name):
    """The pids below an agent whose program has that name."""
    pids = []
    for pid in agent.children():
        try:
            with open(f"/proc/{pid}/comm") as f:
                if f.read().strip() == name[:15]:
                    pids.append(pid)
        except OSError:
            pass
    return pids


def qemu_of(tee):
    return f"qemu-system-{FOREIGN.get(tee, ['x86_64'])[0]}"


def qemus(agent, tee="kvm"):
    return named(agent, qemu_of(tee))


@pytest.fixture(autouse=True)
def built(request, out):
    """Other processors' parts of it are made by compilers that not everybody
    has."""
    call = getattr(request.node, "callspec", None)
    tee = call and call.params.get("tee")
    if tee in FOREIGN:
        _, package, isa = FOREIGN[tee]
        if not shutil.which(qemu_of(tee)):
            pytest.skip(f"no {qemu_of(tee)} (package {package})")
        if not (out / f"keep/{tee}/exec").exists():
            pytest.skip(f"no Keep of {tee} (make keep-{isa})")


# --- what runs ---------------------------------------------------------------

@pytest.mark.parametrize("tee", TEES)
def test_exec_is_the_same_everywhere(out, tee):
    def digest(path):
        return hashlib.sha256((out / path).read_bytes()).hexdigest()
    isa = FOREIGN[tee][2] if tee in FOREIGN else "process"
    assert digest(f"keep/{tee}/exec") == digest(f"keep/{isa}/exec")


@pytest.mark.parametrize("tee", TEES)
def test_hello_is_verified_and_not_called_confidential(tenant, tee):
    r = tenant.donjon("run", "--tee", tee, "--platform", "software",
                      tenant.out / "examples/hello.wasm")
    assert r.returncode == 0, r.stderr
    assert r.stdout == b"hello from inside a Keep\n"
    assert b"NOT CONFIDENTIAL" in r.stderr
    assert b"= this release's Keep (0." in r.stderr


@pytest.mark.parametrize("tee", TEES)
def test_the_root_that_is_named_is_the_host_s(house, tee):
    agent, tenant = house
    r = tenant.donjon(*deploy(tenant, agent, tee),
                      tenant.out / "examples/hello.wasm")
    assert r.returncode == 0, r.stderr
    root = agent.call("GET", "/v1/platform")[1]["software_root"]
    told = re.findall(rb"software root ([0-9a-f]+)\.\.\. proves", r.stderr)
    assert told == [root[:16].encode()]


@pytest.mark.parametrize("tee", TEES)
@pytest.mark.parametrize("row", ROWS, ids=lambda r: r["file"])
def test_program(row, tee, house, tmp_path):
    agent, tenant = house
    if tee not in ("kvm", "snp") and "DONJON_ALL" not in os.environ and \
            row["file"] not in ("lua.wasm", "zig-app.wasm"):
        pytest.skip("all programs in domains and enclaves only with "
                    "DONJON_ALL=1")
    argv = deploy(tenant, agent, tee)
    test_modules.test_program(
        row, lambda *args, **more: tenant.donjon(*argv, *args, **more),
        tmp_path)


@pytest.mark.parametrize("tee", TEES)
@pytest.mark.parametrize("module", WASI, ids=test_wasi_keep.name_of)
def test_wasi_module(module, tee, house, tmp_path):
    agent, tenant = house
    argv = [*deploy(tenant, agent, tee), "--quiet"]
    test_wasi_keep.test_module(
        module, lambda *args: tenant.donjon(*argv, *args), tmp_path)


@pytest.mark.parametrize("tee", TEES)
def test_a_server_answers_curl(out, tmp_path, tee):
    field = Field(out, tmp_path)
    field.policy = policy(field.tenant, field.agent, tee)
    field.argv = lambda *args: [*deploy(field.tenant, field.agent, tee), *args]
    try:
        port = free_port()
        p = test_net.httpd(field, port, tls=True)
        for n in range(2):
            r = test_net.curl("-k", f"https://127.0.0.1:{port}/x/{n}")
            assert json.loads(r.stdout)["path"] == f"/x/{n}", r.stderr
        assert field.end(p)[0] == 143
    finally:
        field.close()


@pytest.mark.parametrize("tee", TEES)
@pytest.mark.parametrize("image", ["shim", "exec"])
def test_another_image_is_another_keep(tenant, out, tmp_path, tee, image):
    """One byte of what is measured, where nothing reads it."""
    keep = tmp_path / "tree/keep"
    shutil.copytree(out / "keep", keep)
    (tmp_path / "tree/bin").mkdir()
    for name in ("donjond", "donjon-keep"):
        shutil.copy(out / "bin" / name, tmp_path / "tree/bin")
    path = keep / tee / image
    data = bytearray(path.read_bytes())
    # A shim's last page is a stack, byte 15 of an ELF file is padding.
    data[-1 if image == "shim" else 15] ^= 1
    path.write_bytes(data)
    agent = Agent(tmp_path / "tree", tmp_path / "other")
    try:
        r = tenant.donjon(*deploy(tenant, agent, tee),
                          out / "examples/hello.wasm")
    finally:
        agent.stop()
    assert r.returncode == 122 and b"measurement" in r.stderr, r.stderr
    assert r.stdout == b""


def test_a_policy_without_the_root_refuses(tenant, agent):
    path = tenant.folder / "strict.toml"
    path.write_text('technologies = ["snp"]\n'
                    '[snp]\nmeasurements = ["release"]\n')
    r = tenant.donjon("deploy", "--host", f"unix://{agent.unix}", "--tee",
                      "snp", "--policy", path,
                      tenant.out / "examples/hello.wasm")
    assert r.returncode == 122, r.stderr
    assert b"vendor root" in r.stderr


@pytest.mark.parametrize("tee", TEES)
def test_hardware_is_not_played(tenant, agent, tee):
    r = tenant.donjon("deploy", "--host", f"unix://{agent.unix}", "--tee", tee,
                      "--platform", "hardware", "--policy",
                      policy(tenant, agent, tee),
                      tenant.out / "examples/hello.wasm")
    if r.returncode == 0:
        pytest.skip(f"this machine has {tee}")
    assert r.stdout == b"" and not qemus(agent)


def test_auto_takes_what_is_really_there(tenant, agent):
    status, body = agent.call("GET", "/v1/platform")
    assert status == 200
    chosen = [t for t in body["technologies"] if t["name"] == body["auto"]]
    assert "software platform" not in chosen[0]["detail"]


def test_what_this_machine_lacks_itself_is_said(tenant, agent):
    _, body = agent.call("GET", "/v1/platform")
    played = [t for t in body["technologies"]
              if t["available"] and "software platform" in t["detail"]]
    assert all(t["missing"] for t in played)
    text = tenant.donjon("platform", "info", "--host",
                         f"unix://{agent.unix}").stdout.decode()
    for t in played:
        assert f"hardware: {t['missing']}" in text
    modules = [m for m in os.listdir("/sys/module") if m.startswith("kvm_")]
    kvm = [t for t in played if t["name"] == "kvm"]
    if kvm and "million instructions a second" in kvm[0]["missing"]:
        assert any(m in kvm[0]["missing"] for m in modules)


# --- who signed it -----------------------------------------------------------

def release(tenant):
    text = tenant.donjon("measure", "--tee", "snp").stdout.decode()
    return re.search(r"software (\w{96})", text).group(1)


def signed_policy(tenant, agent, **keys):
    path = policy(tenant, agent, "snp")
    path.write_text(path.read_text() + "".join(
        f'{name} = ["{key.digest}"]\n' for name, key in keys.items()))
    return ["deploy", "--host", f"unix://{agent.unix}", "--tee", "snp",
            "--platform", "software", "--policy", path,
            tenant.out / "examples/hello.wasm"]


def test_an_id_block_names_who_signed_the_images(tenant, agents, tmp_path):
    agent = agents()
    id_key, author, other = (Key(tmp_path, n) for n in ("id", "author", "x"))
    r = tenant.donjon(*signed_policy(tenant, agent, author_keys=author))
    assert r.returncode == 122, "nobody signed yet"
    id_files(agent.folder, release(tenant), id_key, author)
    r = tenant.donjon(*signed_policy(tenant, agent, author_keys=author))
    assert r.returncode == 0, r.stderr
    r = tenant.donjon(*signed_policy(tenant, agent, author_keys=other))
    assert r.returncode == 122 and b"signer" in r.stderr, r.stderr
    id_files(agent.folder, release(tenant), id_key, None)
    r = tenant.donjon(*signed_policy(tenant, agent, id_keys=id_key))
    assert r.returncode == 0, r.stderr


@pytest.mark.parametrize("what, says", [
    ("digest", b"firmware 0xb"), ("policy", b"firmware 0x7"),
    ("signature", b"firmware 0xa"), ("length", b"snp-id-block")])
def test_an_id_block_that_does_not_hold_launches_nothing(
        tenant, agents, tmp_path, what, says):
    agent = agents()
    key = Key(tmp_path, "id")
    id_files(agent.folder, "00" * 48 if what == "digest" else release(tenant),
             key, None, policy=0x70000 if what == "policy" else 0x30000)
    block = agent.folder / "snp-id-block"
    if what == "signature":
        data = bytearray(block.read_bytes())
        data[0x54] ^= 1
        block.write_bytes(data)
    if what == "length":
        block.write_bytes(block.read_bytes()[:95])
    r = tenant.donjon(*signed_policy(tenant, agent))
    assert r.returncode == 123 and says in r.stderr, r.stderr
    assert r.stdout == b""


# --- what the host sees --------------------------------------------------------

def holding(tenant, agent, tee, tmp_path):
    """A running secrets.wasm that has told all its secrets."""
    data = tmp_path / "data"
    data.mkdir(exist_ok=True)
    (data / "secret").write_text(MARKS["file"])
    p = tenant.start(*deploy(tenant, agent, tee),
                     "--env", f"SECRET={MARKS['env']}",
                     "--dir", f"{data}::/data:ro",
                     tenant.out / "tests/wasm/secrets.wasm",
                     "/data/secret", MARKS["argument"])
    p.stdin.write(MARKS["stdin"].encode() + b"\n")
    p.stdin.flush()
    lines = [p.stdout.readline().decode().strip() for _ in range(5)]
    assert sorted(lines) == sorted(MARKS.values()), p.stderr.read1()
    return p


def contents(path):
    """What a sparse file holds, part by part."""
    with open(path, "rb") as f:
        end = f.seek(0, os.SEEK_END)
        at = 0
        while at < end:
            try:
                at = os.lseek(f.fileno(), at, os.SEEK_DATA)
            except OSError as e:
                assert e.errno == errno.ENXIO
                return
            hole = os.lseek(f.fileno(), at, os.SEEK_HOLE)
            yield os.pread(f.fileno(), hole - at, at)
            at = hole


def seen(pid):
    """The marks in a process's memory and in the memory files that it has
    open, which are shared as a whole, not only where it ever looked."""
    hits = found(pid)
    for fd in os.listdir(f"/proc/{pid}/fd"):
        link = f"/proc/{pid}/fd/{fd}"
        if os.readlink(link).startswith("/memfd:"):
            for data in contents(link):
                hits |= {k for k, m in MARKS.items() if m.encode() in data}
    return hits


@pytest.mark.parametrize("tee", ["snp", "tdx", "sgx", "sanctum", "pef"])
def test_a_walled_keep_shows_its_loader_nothing(
        tenant, agent, tmp_path, searchable, tee):  # noqa: F811
    p = holding(tenant, agent, tee, tmp_path)
    (qemu,) = qemus(agent, tee)
    (loader,) = named(agent, "donjon-keep")
    assert seen(agent.pid) == set()
    assert seen(loader) == set()
    assert found(qemu) == set(MARKS), "the search does not find what is there"
    log = agent.read_log()
    assert not any(mark in log for mark in MARKS.values())
    p.stdin.close()
    assert p.wait(60) == 0


def test_a_kvm_keep_hides_nothing_from_its_loader(
        tenant, agent, tmp_path, searchable):  # noqa: F811
    p = holding(tenant, agent, "kvm", tmp_path)
    (loader,) = named(agent, "donjon-keep")
    assert seen(loader) == set(MARKS)
    p.stdin.close()
    assert p.wait(60) == 0


@pytest.mark.parametrize("tee", TEES)
def test_qemu_is_confined(tenant, agent, tmp_path, tee):
    p = holding(tenant, agent, tee, tmp_path)
    (qemu,) = qemus(agent, tee)
    with open(f"/proc/{qemu}/status") as f:
        status = dict(re.findall(r"^(\w+):\t(.*)$", f.read(), re.M))
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2"
    if os.geteuid() == 0:
        assert status["Uid"].split()[0] != "0"
        assert int(status["CapEff"], 16) == 0
        with open(f"/proc/{qemu}/environ") as f:
            assert f.read() == ""
        links = [os.readlink(f"/proc/{qemu}/fd/{fd}")
                 for fd in os.listdir(f"/proc/{qemu}/fd")]
        for link in links:
            assert re.match(r"/memfd:|anon_inode:|socket:|pipe:|/dev/null",
                            link), links
    p.stdin.close()
    assert p.wait(60) == 0


def left():
    """Files of ours where a memory's or a machine's could be."""
    found = set()
    for folder in ("/dev/shm", "/tmp", "/run", "/var/tmp", "/dev/hugepages"):
        try:
            names = os.listdir(folder)
        except OSError:
            continue
        found |= {f"{folder}/{n}" for n in names
                  if re.search(r"qemu|ivshmem|memfd|^(donjon-)?keep", n)}
    return found


def resident(pids):
    """MiB that these processes hold, shared pages divided."""
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/smaps_rollup") as f:
            total += int(re.search(r"^Pss: +(\d+)", f.read(), re.M).group(1))
    return total / 1024


def test_memory_that_a_keep_needs_no_more_is_its_host_s_again(
        tenant, agent, tmp_path, searchable):  # noqa: F811
    """Of kvm, whose memory is the loader's; of snp and tdx, tests/unit/hal/ sees
    that the kernel is asked to take it."""
    p = tenant.start(*deploy(tenant, agent, "kvm"), "--memory", "256MiB",
                     "--dir", f"{tmp_path}::/data:rw",
                     tenant.out / "tests/wasm/tide.wasm", "/data/x", "64")
    held = []
    for word in (b"high\n", b"low\n"):
        assert p.stdout.readline() == word, p.stderr.read1()
        held.append(resident(qemus(agent) + named(agent, "donjon-keep")))
        p.stdin.write(b"\n")
        p.stdin.flush()
    assert p.wait(60) == 0
    assert held[0] - held[1] > 40, held


# --- what is left ----------------------------------------------------------------

def program_of(victim, tee):
    return qemu_of(tee) if victim == "qemu" else victim


@pytest.mark.parametrize("tee", TEES)
@pytest.mark.parametrize("victim", ["qemu", "donjon-keep"])
def test_a_killed_part_takes_its_keep_and_nothing_else(
        tenant, agent, tmp_path, tee, victim):
    other = holding(tenant, agent, tee, tmp_path)
    theirs = set(agent.children())
    p = holding(tenant, agent, tee, tmp_path)
    ours = set(agent.children()) - theirs
    (pid,) = set(named(agent, program_of(victim, tee))) - theirs
    os.kill(pid, signal.SIGKILL)
    assert p.wait(60) == 123
    wait_for(lambda: not any(map(alive, ours)))
    other.stdin.close()
    assert other.wait(60) == 0, other.stderr.read()


@pytest.mark.parametrize("tee", TEES)
def test_a_killed_agent_leaves_no_process(tenant, agents, tmp_path, tee):
    agent = agents()
    p = holding(tenant, agent, tee, tmp_path)
    below = agent.children()
    assert len(below) >= 2
    os.kill(agent.pid, signal.SIGKILL)
    agent.process.wait()
    wait_for(lambda: not any(map(alive, below)))
    assert p.wait(60) != 0


@pytest.mark.parametrize("tee", TEES)
@pytest.mark.parametrize("victim", ["qemu", "donjon-keep"])
def test_a_keep_that_is_killed_at_any_moment_leaves_nothing(
        tenant, agents, tee, victim):
    agent = agents()
    before = left()
    for i in range(MOMENTS):
        p = tenant.start(*deploy(tenant, agent, tee),
                         tenant.out / "examples/hello.wasm")
        end = time.monotonic() + 60
        while not agent.children() and time.monotonic() < end:
            time.sleep(0.001)
        time.sleep(0.24 * i / MOMENTS)
        signal_all(named(agent, program_of(victim, tee)) or agent.children(),
                   signal.SIGKILL)
        p.communicate(timeout=60)
        wait_for(lambda: not agent.children())
    assert left() <= before


@pytest.mark.parametrize("tee", TEES)
def test_an_agent_that_is_killed_at_any_moment_leaves_nothing(
        tenant, agents, tee):
    before = left()
    for i in range(MOMENTS):
        agent = agents(f"doomed-{i}")
        p = tenant.start(*deploy(tenant, agent, tee),
                         tenant.out / "examples/hello.wasm")
        end = time.monotonic() + 60
        while not agent.children() and time.monotonic() < end:
            time.sleep(0.001)
        time.sleep(0.4 * i / MOMENTS)
        below = agent.children()
        os.kill(agent.pid, signal.SIGKILL)
        agent.process.wait()
        p.communicate(timeout=60)
        wait_for(lambda: not any(map(alive, below)))
    assert left() <= before
