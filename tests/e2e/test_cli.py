# SPDX-License-Identifier: Apache-2.0
"""The command line of donjon: options, help, manual, completions,
configuration, and what it does with a host's access control and terminals."""
import hashlib
import http.server
import json
import os
import pty
import re
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time

import pytest

from tenant import wait_for

from conftest import REPO, signal_all

MANUAL = REPO / "docs/man/donjon.1"
COMPLETIONS = {"bash": "donjon.bash", "zsh": "_donjon", "fish": "donjon.fish"}
GOOD = 'args = []\n[env]\nGREETING = "hi"\n'


def wasm(tenant, name):
    return tenant.out / f"tests/wasm/{name}.wasm"


def commands(tenant):
    text = tenant.donjon("--help").stdout.decode()
    block = text.partition("Commands:\n")[2].partition("\n\n")[0]
    return [re.split(r"  +", line.strip())[0] for line in block.splitlines()]


def options(tenant, command):
    text = tenant.donjon(*command.split(), "--help").stdout.decode()
    return re.findall(r"^ +(?:-\w, +)?(--[a-z-]+)", text, re.M)


# --- help, manual, completions ---------------------------------------------

def test_help_is_everywhere(tenant):
    names = commands(tenant)
    assert {"run", "deploy", "attach", "logs", "ps", "stop", "verify",
            "measure", "platform info", "policy check", "config init",
            "version", "completion"} <= set(names)
    for name in names:
        for how in ([*name.split(), "--help"], [*name.split(), "-h"],
                    ["help", *name.split()]):
            r = tenant.donjon(*how)
            assert r.returncode == 0 and r.stderr == b"", how
            assert r.stdout.startswith(f"Usage: donjon {name}".encode())


def test_help_fits_a_terminal(tenant):
    for name in commands(tenant):
        for line in tenant.donjon("help", *name.split()).stdout.splitlines():
            assert len(line) < 80 and line == line.rstrip(), line


def test_the_manual_says_what_help_says(tenant):
    text = MANUAL.read_text().replace("\\-", "-")
    section = text.partition(".SH COMMANDS\n")[2].partition("\n.SH ")[0]
    parts = re.split(r"^\.SS (.*)\n", section, flags=re.M)[1:]
    manual = dict(zip(parts[::2], parts[1::2]))
    assert list(manual) == commands(tenant)
    every = set()
    for name, body in manual.items():
        said = body.partition("\nOptions: ")[2].split()
        assert said == options(tenant, name), name
        every |= set(said)
    described = text.partition(".SH OPTIONS\n")[2].partition("\n.SH ")[0]
    heads = re.findall(r"^\.TP\n(.*)", described, re.M)
    names = [re.search(r"--[a-z-]+", h).group(0) for h in heads]
    assert len(names) == len(set(names)) and set(names) == every


def test_the_manual_is_well_formed():
    if not shutil.which("man"):
        pytest.skip("man is not installed")
    r = subprocess.run(["man", "--warnings", "-l", MANUAL],
                       capture_output=True, check=True)
    assert r.stderr == b""


@pytest.mark.parametrize("shell", COMPLETIONS)
def test_completions_are_those_of_this_program(shell, tenant):
    r = tenant.donjon("completion", shell)
    path = REPO / "packaging/completions" / COMPLETIONS[shell]
    assert r.stdout == path.read_bytes(), \
        f"donjon completion {shell} > {path.relative_to(REPO)}"
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    subprocess.run([shell, "-n", path], check=True)


@pytest.mark.parametrize("line,has,lacks", [
    ("donjon de", {"deploy"}, {"run"}),
    ("donjon platform ", {"info"}, {"check"}),
    ("donjon run --", {"--env", "--dir"}, {"--detach", "--host"}),
    ("donjon deploy --pl", {"--platform"}, {"--policy"}),
    ("donjon run --tee ", {"auto", "process"}, {"--env"}),
    ("donjon config init --", {"--force"}, {"--json"}),
    ("donjon completion ", {"bash", "zsh", "fish"}, set()),
])
def test_bash_completes(line, has, lacks):
    words = line.split(" ")
    script = (f"source {REPO}/packaging/completions/donjon.bash\n"
              f"COMP_WORDS=({' '.join(repr(w) for w in words)})\n"
              f"COMP_CWORD={len(words) - 1}\n_donjon\n"
              'printf "%s\\n" "${COMPREPLY[@]}"')
    r = subprocess.run(["bash", "-c", script], capture_output=True,
                       check=True, text=True)
    got = set(r.stdout.split())
    assert has <= got and not lacks & got, got


def test_fish_completes():
    if not shutil.which("fish"):
        pytest.skip("fish is not installed")
    script = (f"source {REPO}/packaging/completions/donjon.fish\n"
              "complete -C 'donjon deploy --pl'")
    r = subprocess.run(["fish", "-c", script], capture_output=True,
                       check=True, text=True)
    assert "--platform" in r.stdout and "--env" not in r.stdout


# --- wrong usage ------------------------------------------------------------

@pytest.mark.parametrize("argv,word", [
    ([], "command"), (["nonsense"], "nonsense"),
    (["platform"], "platform"), (["platform", "nonsense"], "nonsense"),
    (["run"], "REF"), (["run", "--nonsense", "x"], "--nonsense"),
    (["run", "--host", "x", "y"], "--host"),
    (["run", "--env"], "--env"), (["run", "-x", "y"], "-x"),
    (["run", "--platform", "cloud", "x"], "--platform"),
    (["run", "--tee", "abacus", "x"], "process kvm snp tdx sgx sanctum pef"),
    (["policy"], "policy explain"), (["--nonsense"], "option --nonsense"),
    (["deploy", "x.wasm"], "--host"), (["attach"], "KEEP"),
    (["ps", "x"], "x"), (["verify"], "FILE"),
    (["completion", "tcsh"], "bash"),
])
def test_wrong_usage_is_2_and_says_where_to_look(argv, word, tenant):
    r = tenant.donjon(*argv)
    text = r.stderr.decode()
    assert r.returncode == 2 and r.stdout == b"", text
    assert word in text and "--help" in text


@pytest.mark.parametrize("option,value,word", [
    ("--dir", "nonsense", "HOST::GUEST"), ("--dir", "a::../b", "path without"),
    ("--env", "=x", "KEY=VALUE"), ("--timeout", "soon", "seconds"),
    ("--timeout", "-1", "seconds"), ("--memory", "much", "bytes"),
    ("--fuel", "0", "number"), ("--config", "/nowhere.toml", "nowhere"),
    ("--policy", "/nowhere.toml", "nowhere"),
    ("--images", "/nowhere", "nowhere"),
])
def test_a_wrong_value_is_named(option, value, word, tenant):
    r = tenant.donjon("run", option, value, wasm(tenant, "echoargs"))
    text = r.stderr.decode()
    assert r.returncode in (121, 123), text
    assert word in text and r.stdout == b"", text


@pytest.mark.parametrize("ref,word", [
    ("oci://registry/App:1", "oci://"), ("ftp://x/y", "not ftp://"),
    ("http://x/y.wasm", "plain http"), ("/nowhere/x.wasm", "/nowhere/x.wasm"),
    ("https://127.0.0.1:1/x.wasm", "127.0.0.1")])
def test_a_wrong_reference_is_named(ref, word, tenant):
    r = tenant.donjon("run", ref)
    assert r.returncode in (121, 122, 123) and word in r.stderr.decode()


@pytest.mark.parametrize("url", [
    "host:7443", "ftp://host", "unix://relative", "https://a b", "https://"])
def test_a_wrong_host_is_named(url, tenant):
    r = tenant.donjon("ps", "--host", url)
    assert r.returncode == 121 and url.encode() in r.stderr


def test_a_socket_without_an_agent_is_said_to_be_one(tenant, tmp_path):
    r = tenant.donjon("ps", "--host", f"unix://{tmp_path}/none.sock")
    assert r.returncode == 123, r.stderr
    assert b"none.sock: no host agent listens" in r.stderr
    assert b"localhost" not in r.stderr


def test_what_is_printed_on_a_full_disk_is_missed(tenant):
    r = subprocess.run(tenant.argv("measure"), stderr=subprocess.PIPE,
                       stdout=open("/dev/full", "w"), env=tenant.env)
    assert r.returncode == 123 and b"No space left" in r.stderr


def test_a_file_that_no_keep_can_hold_is_not_read(tenant, agent, tmp_path):
    """Its digest alone would last longer than a Keep waits."""
    (tmp_path / "many").mkdir()
    with open(tmp_path / "many/huge", "wb") as f:
        f.truncate(1 << 40)
    host = f"unix://{agent.unix}"
    r = tenant.donjon("deploy", "--host", host, "--policy",
                      tenant.policy(host), "--dir", f"{tmp_path}/many::/many",
                      wasm(tenant, "echoargs"))
    assert r.returncode == 124 and r.stdout == b"", r.stderr
    assert b"huge: 1099511627776 bytes" in r.stderr
    assert b"--memory" in r.stderr


def test_a_technology_that_the_host_chose_can_be_asked_for(tenant, agent,
                                                           tmp_path):
    (tmp_path / "p.toml").write_text(
        tenant.policy(f"unix://{agent.unix}").read_text().replace(
            '["process"]', '["snp"]'))
    r = tenant.donjon("deploy", "--host", f"unix://{agent.unix}", "--policy",
                      tmp_path / "p.toml", wasm(tenant, "echoargs"))
    assert r.returncode == 122 and b"--tee asks for one" in r.stderr, r.stderr


def test_version(tenant):
    version = (REPO / "VERSION").read_text().strip()
    for how in (["version"], ["--version"]):
        r = tenant.donjon(*how)
        assert r.stdout.decode() == f"donjon {version}\n"
    r = tenant.donjon("version", "--json")
    assert json.loads(r.stdout) == {"version": version}


# --- configuration ----------------------------------------------------------

def test_config_init_writes_what_run_takes(tenant, tmp_path):
    r = tenant.donjon("config", "init", cwd=tmp_path)
    assert r.returncode == 0
    before = (tmp_path / "Donjon.toml").read_text()
    r = tenant.donjon("config", "init", cwd=tmp_path)
    assert r.returncode == 121 and b"Donjon.toml" in r.stderr
    assert b"--force" in r.stderr
    r = tenant.donjon("config", "init", "-", cwd=tmp_path)
    assert r.returncode == 0 and r.stdout.decode() == before
    assert (tmp_path / "Donjon.toml").read_text() == before
    assert tenant.donjon("config", "init", "--force",
                         cwd=tmp_path).returncode == 0
    assert tenant.donjon("config", "check", "Donjon.toml",
                         cwd=tmp_path).returncode == 0
    r = tenant.donjon("run", "--config", "Donjon.toml",
                      wasm(tenant, "echoargs"), cwd=tmp_path)
    assert r.returncode == 0, r.stderr


def test_options_count_more_than_the_configuration(tenant, tmp_path):
    config = tmp_path / "c.toml"
    config.write_text('args = ["one", "two"]\n[env]\nA = "1"\nB = "2"\n')
    r = tenant.donjon("run", "-q", "--config", config,
                      wasm(tenant, "echoargs"))
    assert r.stdout == b"arg one\narg two\nenv A=1\nenv B=2\n"
    r = tenant.donjon("run", "-q", "--config", config, "--env", "B=3",
                      wasm(tenant, "echoargs"), "three")
    assert r.stdout == b"arg three\nenv A=1\nenv B=3\n"


def test_null_streams(tenant, tmp_path):
    config = tmp_path / "c.toml"
    config.write_text('[[files]]\nkind="null"\n[[files]]\nkind="null"\n'
                      '[[files]]\nkind="stderr"\n')
    r = tenant.donjon("run", "-q", "--config", config, wasm(tenant, "cat"),
                      stdin=b"lost")
    assert (r.returncode, r.stdout, r.stderr) == (0, b"", b"0 bytes\n")


@pytest.mark.parametrize("text,where", [
    ("argz = []\n", ":1:1"), ("args = [\n", ":"),
    ("[limits]\nmemory = 1.5\n", ":2:"),
    ("[[files]]\nkind = \"listen\"\n", ":1:1: kind \"listen\" wants name"),
    ("\n[[files]]\nkind = \"lisp\"\n", ":3:8: kind \"lisp\", want null"),
    ("[tls]\nca = 1\n", ":2:6: ca must be a string"),
    ("[network]\nconnect = [\"x\"]\n", ":2:12: x: want HOST:PORT"),
    ("steward = 1\n", ":1:11: steward must be a string")])
def test_config_errors_point_at_the_place(text, where, tenant, tmp_path):
    config = tmp_path / "bad.toml"
    config.write_text(text)
    for how in (["config", "check", config],
                ["run", "--config", config, wasm(tenant, "echoargs")]):
        r = tenant.donjon(*how)
        assert r.returncode == 121 and r.stdout == b""
        assert f"{config}{where}" in r.stderr.decode(), r.stderr


def test_a_configuration_of_enarx_is_taken_and_explained(tenant, tmp_path):
    config = tmp_path / "Enarx.toml"
    config.write_text('steward = "https://attest.example"\nargs = ["x"]\n'
                      '[[files]]\nname = "IN"\nkind = "null"\n'
                      '[[files]]\nkind = "stdout"\n'
                      '[[files]]\nkind = "stderr"\n')
    r = tenant.donjon("config", "check", config)
    assert r.returncode == 0
    assert b"steward" in r.stderr and b"good" in r.stderr
    r = tenant.donjon("run", "--config", config, wasm(tenant, "echoargs"))
    assert r.stdout == (b"arg x\nenv FD_COUNT=3\n"
                        b"env FD_NAMES=IN:stdout:stderr\n"), r
    assert b"steward" in r.stderr


def test_every_key_can_be_set_on_the_command_line(tenant, tmp_path):
    config = tmp_path / "c.toml"
    config.write_text('args = ["a"]\n[env]\nA = "1"\n[limits]\ntime = 9\n')
    r = tenant.donjon("run", "-q", "--config", config, "--set",
                      'args=["b", "c"]', "--set", 'env.A="2"',
                      wasm(tenant, "echoargs"))
    assert r.stdout == b"arg b\narg c\nenv A=2\n", r
    r = tenant.donjon("run", "--config", config, "--set", "limits.fuel=1000",
                      wasm(tenant, "spin"))
    assert r.returncode == 124 and b"fuel" in r.stderr
    r = tenant.donjon("run", "--set", "limits.colour=1",
                      wasm(tenant, "spin"))
    assert r.returncode == 121 and b"--set:1:8" in r.stderr, r.stderr


def test_limits_of_the_configuration_hold(tenant, tmp_path):
    config = tmp_path / "c.toml"
    config.write_text("[limits]\ntime = 1\n")
    r = tenant.donjon("run", "--config", config, wasm(tenant, "spin"))
    assert r.returncode == 124, r.stderr
    config.write_text("[limits]\nfuel = 1000000\n")
    r = tenant.donjon("run", "--config", config, wasm(tenant, "spin"))
    assert r.returncode == 124 and b"fuel" in r.stderr, r.stderr
    r = tenant.donjon("run", "--memory", "32MiB", wasm(tenant, "hog"))
    assert r.returncode == 0, r.stderr
    assert int(r.stdout.split()[2]) < 32


# --- platform, measure, policy, verify --------------------------------------

def test_measure_is_what_the_loader_measures(tenant, agent):
    digest = tenant.donjon("measure").stdout.decode().split()[1]
    assert re.fullmatch("[0-9a-f]{96}", digest)
    every = json.loads(tenant.donjon("measure", "--json").stdout)
    assert every["process"] == digest
    assert tenant.donjon("measure", "--tee", "process").stdout.decode() == \
        f"process {digest}\n"
    assert tenant.donjon("measure", "--tee", "abacus").returncode == 2
    status, keep = agent.call("POST", "/v1/keeps", {
        "tee": "process", "nonce": "00" * 32, "owner_key_hash": "11" * 32})
    assert status == 201
    path = tenant.folder / "keep.json"
    path.write_text(json.dumps(keep))
    r = tenant.donjon("verify", "--json", path)
    assert r.returncode == 122
    verdict = json.loads(r.stdout)
    assert verdict["measurement"] == digest
    assert verdict["failed"] == ["software root"]
    policy = tenant.policy(f"unix://{agent.unix}")
    r = tenant.donjon("verify", "--policy", policy, path)
    assert r.returncode == 0 and b"accepted" in r.stdout, r.stdout
    agent.call("DELETE", f"/v1/keeps/{keep['id']}")


def test_platform_of_this_machine_and_of_a_host(tenant, agent):
    r = tenant.donjon("platform", "info")
    assert r.returncode == 0 and b"process" in r.stdout, r.stderr
    here = json.loads(tenant.donjon("platform", "info", "--json").stdout)
    there = json.loads(tenant.donjon("platform", "info", "--json", "--host",
                                     f"unix://{agent.unix}").stdout)
    assert here["auto"] == there["auto"]
    assert here["software_root"] != there["software_root"]


def test_policy_check(tenant, agent, tmp_path):
    r = tenant.donjon("policy", "check", tenant.policy(f"unix://{agent.unix}"))
    assert r.returncode == 0, r.stderr
    bad = tmp_path / "bad.toml"
    bad.write_text('technologies = ["process"]\nsofware = []\n')
    r = tenant.donjon("policy", "check", bad)
    assert r.returncode == 121 and f"{bad}:2:1".encode() in r.stderr


def test_hardware_only_refuses_software(tenant):
    r = tenant.donjon("run", "--platform", "hardware",
                      wasm(tenant, "echoargs"))
    assert r.returncode in (122, 123), r.stderr
    assert r.stdout == b"" and b"hardware" in r.stderr


# --- a host's access control ------------------------------------------------

@pytest.fixture
def guarded(agents, tmp_path):
    """An agent with TLS and a token: its address and the flags for it."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout",
                    tmp_path / "k.pem", "-out", tmp_path / "c.pem"],
                   check=True, capture_output=True)
    token = tmp_path / "token"
    token.write_text("a-token-of-some-length-0123456789abcdef\n")
    token.chmod(0o600)
    os.chmod(tmp_path / "k.pem", 0o600)
    a = agents("guarded", "--tls-cert", tmp_path / "c.pem", "--tls-key",
               tmp_path / "k.pem", "--token-file", token)
    host = "https://localhost:" + a.tcp.rpartition(":")[2]
    return ["--host", host], ["--host-ca", tmp_path / "c.pem"], \
        ["--token-file", token]


def test_tls_and_token(tenant, guarded, tmp_path):
    host, ca, token = guarded
    r = tenant.donjon("ps", *host, *ca, *token)
    assert r.returncode == 0, r.stderr
    r = tenant.donjon("ps", *host, *ca)
    assert r.returncode == 122 and b": --token-file" in r.stderr, r.stderr
    r = tenant.donjon("ps", *host, *token)
    assert r.returncode == 123 and b"--host-ca names" in r.stderr, r.stderr
    wrong = tmp_path / "wrong"
    wrong.write_text("another-token-of-some-length-0123456789\n")
    r = tenant.donjon("ps", *host, *ca, "--token-file", wrong)
    assert r.returncode == 122, r.stderr


def test_deploy_over_https(tenant, guarded, tmp_path):
    host, ca, token = guarded
    r = tenant.donjon("platform", "info", "--json", *host, *ca, *token)
    policy = tmp_path / "p.toml"
    policy.write_text('technologies = ["process"]\nsoftware = ["'
                      + json.loads(r.stdout)["software_root"] + '"]\n')
    block = os.urandom(1 << 20)
    r = tenant.donjon("deploy", "-q", *host, *ca, *token, "--policy", policy,
                      wasm(tenant, "cat"), stdin=block)
    assert r.returncode == 0, r.stderr
    assert r.stdout == block
    # The way back is noted, with CA and token.
    r = tenant.donjon("deploy", *host, *ca, *token, "--policy", policy,
                      "--detach", wasm(tenant, "ticker"), "2", "400")
    assert r.returncode == 0, r.stderr
    keep = r.stdout.decode().strip()
    assert tenant.donjon("logs", keep).stdout == b"tick 0\ntick 1\n"
    r = tenant.donjon("ps")
    assert keep in r.stdout.decode()
    assert tenant.donjon("stop", keep[:6]).returncode == 0
    assert keep not in tenant.donjon("ps").stdout.decode()


def test_a_token_is_not_sent_in_clear(tenant, tmp_path):
    token = tmp_path / "token"
    token.write_text("a-token-of-some-length-0123456789abcdef\n")
    r = tenant.donjon("ps", "--host", "http://203.0.113.1:80",
                      "--token-file", token)
    assert r.returncode == 121 and b"https" in r.stderr


def test_the_host_of_the_environment(tenant, agent):
    tenant.env["DONJON_HOST"] = f"unix://{agent.unix}"
    r = tenant.donjon("deploy", "--policy",
                      tenant.policy(f"unix://{agent.unix}"),
                      wasm(tenant, "echoargs"), "a")
    assert r.returncode == 1, r.stderr


# --- a program from the web --------------------------------------------------

@pytest.fixture
def web(tenant, tmp_path):
    """https://localhost:PORT/ of tests/wasm."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=DNS:localhost", "-keyout",
                    tmp_path / "k.pem", "-out", tmp_path / "c.pem"],
                   check=True, capture_output=True)
    folder = str(tenant.out / "tests/wasm")

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *a, **k):
            super().__init__(*a, directory=folder, **k)

        def do_GET(self):
            if self.path.startswith("/to-http/"):
                self.send_response(302)
                self.send_header("Location", "http://127.0.0.1:1/x.wasm")
                self.end_headers()
            elif self.path.startswith("/to/"):
                self.send_response(302)
                self.send_header("Location", self.path[3:])
                self.end_headers()
            else:
                super().do_GET()

        def log_message(self, *_):
            pass
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ctx.load_cert_chain(tmp_path / "c.pem", tmp_path / "k.pem")
    server.socket = ctx.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.01,),
                     daemon=True).start()
    yield f"https://localhost:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_a_program_from_an_untrusted_site_is_refused(tenant, web):
    r = tenant.donjon("run", f"{web}/echoargs.wasm")
    assert r.returncode == 123 and b"certificate" in r.stderr, r.stderr


def test_a_program_from_the_web(tenant, web, tmp_path):
    tenant.env["SSL_CERT_FILE"] = str(tmp_path / "c.pem")
    for where in ("echoargs.wasm", "to/echoargs.wasm"):
        r = tenant.donjon("run", f"{web}/{where}", "a")
        assert r.returncode == 1 and r.stdout == b"arg a\n", r.stderr
    r = tenant.donjon("run", f"{web}/to-http/echoargs.wasm")
    assert r.returncode == 122 and b"redirect" in r.stderr, r.stderr
    r = tenant.donjon("run", f"{web}/none.wasm")
    assert r.returncode == 121 and b"404" in r.stderr, r.stderr


def test_a_pinned_program_from_the_web(tenant, web, tmp_path):
    tenant.env["SSL_CERT_FILE"] = str(tmp_path / "c.pem")
    digest = hashlib.sha256(wasm(tenant, "echoargs").read_bytes()).hexdigest()
    r = tenant.donjon("run", f"{web}/echoargs.wasm@sha256:{digest}", "a")
    assert r.returncode == 1, r.stderr
    r = tenant.donjon("run", f"{web}/echoargs.wasm@sha256:{digest[::-1]}")
    assert r.returncode == 122 and digest.encode() in r.stderr, r.stderr
    r = tenant.donjon("run", f"{web}/echoargs.wasm#sha256={digest}")
    assert r.returncode == 121, r.stderr


# --- streams and terminals ----------------------------------------------------

def test_closed_streams_are_survived(tenant):
    r = subprocess.run(["sh", "-c", '"$@" <&- >&- 2>&-', "sh",
                        *tenant.argv("run", wasm(tenant, "echoargs"), "a")],
                       env=tenant.env)
    assert r.returncode == 1


def test_a_shared_terminal_stays_blocking(tenant):
    """What we do to our standard output is not done to the shell's."""
    ours, theirs = pty.openpty()
    try:
        r = subprocess.run(tenant.argv("run", wasm(tenant, "echoargs"), "a"),
                           env=tenant.env, stdin=theirs, stdout=theirs,
                           stderr=theirs)
        assert r.returncode == 1
        assert os.get_blocking(theirs)
    finally:
        os.close(ours)
        os.close(theirs)


def test_ctrl_c_on_a_terminal_ends_it_in_order(tenant):
    """The terminal's signal reaches us alone; our own agent, which started
    below us, must not die of it."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(tenant.argv()[0], tenant.argv(
            "run", wasm(tenant, "spin")), tenant.env)
    text = b""
    while b"spinning" not in text:
        text += os.read(fd, 4096)
    os.write(fd, b"\x03")
    try:
        while os.read(fd, 4096):
            pass
    except OSError:
        pass
    _, status = os.waitpid(pid, 0)
    os.close(fd)
    assert os.waitstatus_to_exitcode(status) == 130


def has_taken(p, number):
    """That signal does not wait for the process any more."""
    text = open(f"/proc/{p.pid}/status").read()
    return not int(re.search(r"ShdPnd:\s+(\w+)", text)[1],
                   16) >> number - 1 & 1


def test_a_second_interrupt_leaves_at_once(tenant, agent):
    """Even when the Keep does not answer any more."""
    host = f"unix://{agent.unix}"
    p = tenant.start("deploy", "--host", host, "--policy",
                     tenant.policy(host), wasm(tenant, "spin"))
    assert p.stdout.readline() == b"spinning\n"
    below = agent.children()
    signal_all(below, signal.SIGSTOP)
    try:
        p.send_signal(signal.SIGINT)
        # Two that wait at once would be one.
        wait_for(lambda: has_taken(p, signal.SIGINT))
        assert p.poll() is None
        p.send_signal(signal.SIGINT)
        assert p.wait(9) == 130  # of the 10 s that the first one gives
    finally:
        signal_all(below, signal.SIGCONT)
    p.communicate()


@pytest.fixture
def runtime(tenant, tmp_path_factory):
    """$XDG_RUNTIME_DIR; a socket's path has room for little."""
    folder = tmp_path_factory.mktemp("r")
    tenant.env["XDG_RUNTIME_DIR"] = str(folder)
    return folder


def test_killing_run_ends_its_agent(tenant, runtime):
    p = tenant.start("run", wasm(tenant, "spin"))
    assert p.stdout.readline() == b"spinning\n"
    assert list(runtime.iterdir()) == []
    children = subprocess.run(["pgrep", "-P", str(p.pid)],
                              capture_output=True).stdout.split()
    assert children
    p.kill()
    p.communicate()
    end = time.monotonic() + 60
    while any(os.path.exists(f"/proc/{int(c)}") for c in children):
        assert time.monotonic() < end, "the agent is still there"
        time.sleep(0.05)


def test_no_directory_is_left_behind(tenant, runtime):
    tenant.donjon("run", wasm(tenant, "echoargs"))
    tenant.donjon("run", "/nowhere")
    tenant.donjon("platform", "info")
    assert list(runtime.iterdir()) == []


def test_the_agent_of_run_is_for_us_alone(tenant, runtime):
    """Its directory, while it is there, lets nobody else in."""
    fifo = tenant.folder / "x.wasm"
    os.mkfifo(fifo)
    p = tenant.start("run", fifo)
    with open(fifo, "wb"):
        folder, = runtime.iterdir()
        assert folder.stat().st_mode & 0o777 == 0o700
    p.communicate(timeout=60)
    assert p.returncode == 121 and list(runtime.iterdir()) == []


# --- hosts that misbehave --------------------------------------------------

class OddHost:
    """Accepts on a Unix socket; `serve(s)` has each connection."""

    def __init__(self, path, serve):
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(str(path))
        self.server.listen(8)
        self.serve, self.url = serve, f"unix://{path}"
        self.seen = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                s, _ = self.server.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=(s,),
                             daemon=True).start()

    def _one(self, s):
        with s:
            s.settimeout(60)
            try:
                s.recv(65536)
                self.seen.set()
                self.serve(s)
            except OSError:
                pass


@pytest.mark.parametrize("answer,word", [
    (b"", "closed"), (b"SSH-2.0-x\r\n", "HTTP"),
    (b"HTTP/1.1 200 OK\r\n", "closed"),
    (b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}", "id"),
    (b"HTTP/1.1 201 Created\r\nContent-Length: 3\r\n\r\n{}x", ""),
    (b"HTTP/1.1 201 Created\r\nContent-Length: 10000000000\r\n\r\n",
     "bytes"),
    (b"HTTP/1.1 201 Created\r\nContent-Length: -1\r\n\r\n", "Length"),
    (b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n", "101"),
    (b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", "500"),
    (b'HTTP/1.1 429 Too Many\r\nConnection: close\r\n\r\n'
     b'{"error": {"kind": "limit", "text": "32 Keeps \\u001b[31m here"}}',
     "32 Keeps ?[31m here"),
])
def test_a_host_that_talks_nonsense(answer, word, tenant, tmp_path):
    host = OddHost(tmp_path / "s", lambda s: s.sendall(answer))
    r = tenant.donjon("deploy", "--host", host.url, wasm(tenant, "echoargs"))
    text = r.stderr.decode()
    assert r.returncode in (123, 124), text
    assert word in text and "\x1b" not in text and r.stdout == b"", text
    host.server.close()


def test_endless_headers(tenant, tmp_path):
    def serve(s):
        s.sendall(b"HTTP/1.1 201 Created\r\n")
        while True:
            s.sendall(b"A: " + b"b" * 1000 + b"\r\n")
    host = OddHost(tmp_path / "s", serve)
    r = tenant.donjon("deploy", "--host", host.url, wasm(tenant, "echoargs"))
    assert r.returncode == 124 and b"head" in r.stderr, r.stderr
    host.server.close()


@pytest.mark.parametrize("number,status", [
    (signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_host_that_never_answers_can_be_left(number, status, tenant,
                                               tmp_path):
    host = OddHost(tmp_path / "s", lambda s: s.recv(1))
    p = tenant.start("deploy", "--host", host.url, wasm(tenant, "echoargs"))
    assert host.seen.wait(60)
    time.sleep(0.1)
    p.send_signal(number)
    _, err = p.communicate(timeout=60)
    assert p.returncode == status and b"interrupted" in err
    host.server.close()


def test_a_keep_that_never_answers_can_be_left(tenant, agent, tmp_path):
    """The host upgrades the connection and then says nothing."""
    from evil import EvilAgent
    opened = threading.Event()

    def channel(_, s, keep):
        opened.set()
        while s.recv(65536):
            pass
    with EvilAgent(str(tmp_path / "s"), agent.unix,
                   channel=channel) as evil:
        p = tenant.start("deploy", "--host", f"unix://{evil.path}",
                         "--policy", tenant.policy(f"unix://{agent.unix}"),
                         wasm(tenant, "echoargs"))
        assert opened.wait(60)
        time.sleep(0.1)
        p.send_signal(signal.SIGINT)
        p.communicate(timeout=60)
        assert p.returncode == 130


def test_a_keep_that_is_killed_is_a_host_failure(tenant, agent):
    host = f"unix://{agent.unix}"
    p = tenant.start("deploy", "--host", host, "--policy",
                     tenant.policy(host), wasm(tenant, "spin"))
    assert p.stdout.readline() == b"spinning\n"
    signal_all(agent.children(), signal.SIGKILL)
    _, err = p.communicate(timeout=60)
    assert p.returncode == 123, err
    assert b"cut" in err and b"host says" in err, err


def test_an_agent_that_is_gone_is_said_to_be(tenant, agents):
    agent = agents("gone")
    host = f"unix://{agent.unix}"
    p = tenant.start("deploy", "--host", host, "--policy",
                     tenant.policy(host), wasm(tenant, "spin"))
    assert p.stdout.readline() == b"spinning\n"
    agent.process.kill()
    _, err = p.communicate(timeout=60)
    assert p.returncode == 123, err
    assert b"(and the host agent does not tell why)" in err, err


def all_ended(agent):
    keeps = agent.call("GET", "/v1/keeps")[1]["keeps"]
    return keeps and all(k["state"] == "ended" for k in keeps)


def test_a_denied_keep_goes_back_to_the_host(tenant, agent):
    r = tenant.donjon("deploy", "--host", f"unix://{agent.unix}",
                      wasm(tenant, "echoargs"))
    assert r.returncode == 122, r.stderr
    assert b"to trust that root: software in a policy" in r.stderr
    wait_for(lambda: all_ended(agent))


def test_a_program_that_is_refused_leaves_no_keep_behind(tenant, agent,
                                                         tmp_path):
    (tmp_path / "cut.wasm").write_bytes(
        wasm(tenant, "ticker").read_bytes()[:1000])
    r = tenant.donjon("deploy", "--host", f"unix://{agent.unix}", "--policy",
                      tenant.policy(f"unix://{agent.unix}"), "--detach",
                      tmp_path / "cut.wasm")
    assert r.returncode == 121 and r.stdout == b"", r.stderr
    wait_for(lambda: all_ended(agent))


def test_json_of_a_failure(tenant, agent):
    r = tenant.donjon("deploy", "--json", "--host", f"unix://{agent.unix}",
                      wasm(tenant, "echoargs"))
    report = json.loads(r.stderr.decode().splitlines()[-1])
    assert report["status"] == 122 and report["error"]["kind"] == "denied"
    assert report["verified"]["failed"] == ["software root"]


def test_attach_and_leave_again(tenant, agent):
    host = f"unix://{agent.unix}"
    r = tenant.donjon("deploy", "--host", host, "--policy",
                      tenant.policy(host), "--detach", wasm(tenant, "ticker"),
                      "1000", "20")
    keep = r.stdout.decode().strip()
    p = tenant.start("attach", keep)
    assert p.stdout.readline().startswith(b"tick ")
    p.send_signal(signal.SIGQUIT)
    p.communicate(timeout=60)
    assert p.returncode == 0
    before = tenant.donjon("logs", "--no-follow", keep).stdout
    time.sleep(0.2)
    after = tenant.donjon("logs", "--no-follow", keep).stdout
    assert len(after) > len(before), "the program did not go on"
    p = tenant.start("attach", keep)
    assert p.stdout.readline().startswith(b"tick ")
    p.send_signal(signal.SIGINT)
    p.communicate(timeout=60)
    assert p.returncode == 130
    assert tenant.donjon("stop", keep).returncode == 0


# --- what comes back -----------------------------------------------------------

@pytest.mark.parametrize("mode,told", [("rw", True), ("ro", False)])
def test_a_directory_left_behind_is_named(mode, told, tenant, agent, tmp_path):
    host = f"unix://{agent.unix}"
    r = tenant.donjon("deploy", "--host", host, "--policy",
                      tenant.policy(host), "--dir", f"{tmp_path}::/r:{mode}",
                      "--detach", wasm(tenant, "ticker"), "1", "1")
    assert r.returncode == 0, r.stderr
    text = f"{tmp_path} does not come back: --detach"
    assert (text in r.stderr.decode()) == told, r.stderr
    assert tenant.donjon("stop", r.stdout.decode().strip()).returncode == 0


class Late:
    """Between a tenant and her host: what the host says comes late, and then
    all at once."""

    def __init__(self, path, to):
        self.url, self.to = f"unix://{path}", to
        self.s = socket.socket(socket.AF_UNIX)
        self.s.bind(str(path))
        self.s.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            a, _ = self.s.accept()
            b = socket.socket(socket.AF_UNIX)
            b.connect(str(self.to))
            for x, y, late in ((a, b, 0), (b, a, 0.3)):
                threading.Thread(target=self._pump, args=(x, y, late),
                                 daemon=True).start()

    @staticmethod
    def _pump(x, y, late):
        try:
            while x.recv(1, socket.MSG_PEEK):
                time.sleep(late)
                y.sendall(x.recv(1 << 20))
            y.shutdown(socket.SHUT_WR)
        except OSError:
            pass


def test_a_program_that_ends_before_we_leave_is_detached_too(tenant, agent,
                                                             tmp_path):
    late = Late(tmp_path / "late", agent.unix)
    r = tenant.donjon("deploy", "--host", late.url, "--policy",
                      tenant.policy(f"unix://{agent.unix}"), "--out",
                      f"{tmp_path}/out::/out", "--detach",
                      wasm(tenant, "ticker"), "1", "1")
    keep = r.stdout.decode().strip()
    assert r.returncode == 0 and re.fullmatch("[0-9a-f]{32}", keep), r.stderr
    r = tenant.donjon("logs", keep)
    assert r.stdout == b"tick 0\n", r.stderr
    assert tenant.donjon("attach", keep).returncode == 9
    assert tenant.donjon("stop", keep).returncode == 0


def test_results_follow_no_link(tenant, tmp_path):
    """The tenant's own links in a writable directory stay where they are, and
    nothing is written through them."""
    data, results = tmp_path / "data", tmp_path / "results"
    data.mkdir()
    results.mkdir()
    (data / "in").write_text("evil\n")
    (tmp_path / "outside").mkdir()
    (results / "out.d").symlink_to(tmp_path / "outside")
    r = tenant.donjon("run", "--dir", f"{data}::/data", "--dir",
                      f"{results}::/results:rw", wasm(tenant, "files"),
                      "/data/in", "/results/out")
    assert r.returncode == 123, r.stderr
    assert b"out.d" in r.stderr
    assert list((tmp_path / "outside").iterdir()) == []


def test_a_directory_of_many_files_goes_and_comes(tenant, tmp_path):
    tree = tmp_path / "tree"
    want = {}
    for i in range(300):
        d = tree / f"d{i % 7}" / f"e{i % 3}"
        d.mkdir(parents=True, exist_ok=True)
        data = os.urandom(i * 37 % 5000)
        (d / f"f{i}").write_bytes(data)
        want[d / f"f{i}"] = data
    (tree / "big").write_bytes(os.urandom(3 << 20))
    big = (tree / "big").read_bytes()
    (tree / "link").symlink_to("big")
    r = tenant.donjon("run", "--dir", f"{tree}::/t:rw",
                      wasm(tenant, "echoargs"))
    assert r.returncode == 0, r.stderr
    assert b"1 links or special files" in r.stderr or b"stay" in r.stderr
    for path, data in want.items():
        assert path.read_bytes() == data
    assert (tree / "big").read_bytes() == big
    assert (tree / "link").is_symlink()
    assert len(list(tree.rglob("*"))) == 300 + 7 + 21 + 2
