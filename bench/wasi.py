#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""bench/wasi.py OUT: what a program in a Keep gets of files and the network.

Nothing is asserted; peers run on the same machine in the same run.
  files    rates of bench/wasi/files.c in a Keep, by node's WASI, and natively
           (both on tmpfs, where there is one)
  echo     lines of 1 KiB a second and their times: tests/wasm/echo.c in a
           Keep, plain and under the Keep's TLS; the same program natively;
           `openssl s_server -rev`
  HTTP     wrk: bench/wasi/http.c in a Keep and natively, nginx with TLS
Technology `process`, the software root: no figure here is of a TEE.
"""
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests/e2e"))
from net import Authority, Field  # noqa: E402
from ports import free_port  # noqa: E402
from run import table  # noqa: E402

RUNS = 3
SECONDS = float(os.environ.get("DONJON_BENCH_SECONDS", "4"))


def median(values):
    return statistics.median(values)


# --- files --------------------------------------------------------------------

NODE = """
const { WASI } = require('wasi');
const wasi = new WASI({ version: 'preview1', args: ['files'],
                        preopens: { '/scratch': process.argv[2] } });
WebAssembly.compile(require('fs').readFileSync(process.argv[1]))
  .then(m => WebAssembly.instantiate(m, wasi.getImportObject()))
  .then(i => wasi.start(i));
"""


def rates(argv):
    found = {}
    for _ in range(RUNS):
        r = subprocess.run(argv, stdout=subprocess.PIPE, check=True,
                           stderr=subprocess.DEVNULL)
        for line in r.stdout.decode().splitlines():
            name, value = line.split()
            found.setdefault(name, []).append(float(value))
    return {name: median(v) for name, v in found.items()}


def files(out, field, folder):
    module = out / "bench/wasi/files.wasm"
    scratch = tempfile.mkdtemp(dir="/dev/shm" if os.path.isdir("/dev/shm")
                               else folder)
    config = folder / "Donjon.toml"
    config.write_text("".join(f'[[files]]\nkind = "{k}"\n' for k in (
        "stdin", "stdout", "stderr", "dir")) +
        'path = "/scratch"\nmode = "scratch"\n')
    columns = {"Keep": rates(field.tenant.argv(*field.argv(
        "--quiet", "--memory", "1GiB", "--config", config, module)))}
    if shutil.which("node"):
        columns["node:wasi"] = rates(["node", "--no-warnings", "-e", NODE,
                                      str(module), scratch])
    columns["native"] = rates([str(out / "bench/wasi/files"), scratch])
    shutil.rmtree(scratch)
    table("files (MiB/s, or operations/s)", ["", *columns],
          [[name, *(f"{c.get(name, 0):,.0f}" for c in columns.values())]
           for name in columns["Keep"]])


# --- servers ------------------------------------------------------------------

class Native:
    """A program that finds a listening socket at descriptor 3."""

    def __init__(self, *argv):
        self.s = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port = self.s.getsockname()[1]
        self.p = subprocess.Popen(
            ["sh", "-c", f'exec "$@" 3<&{self.s.fileno()}', "sh",
             *map(str, argv)], pass_fds=[self.s.fileno()],
            stdout=subprocess.PIPE)
        assert self.p.stdout.readline() == b"ready\n"

    def __enter__(self):
        return self.port

    def __exit__(self, *_):
        self.p.terminate()
        self.p.wait()
        self.s.close()


class InKeep:
    def __init__(self, field, tls, *argv):
        self.field, self.port = field, free_port()
        self.p = field.serve(self.port, *argv, tls=tls)

    def __enter__(self):
        return self.port

    def __exit__(self, *_):
        self.field.end(self.p)


class Command:
    """A server of somebody else's, on a port that it was told."""

    def __init__(self, port, *argv):
        self.port = port
        self.p = subprocess.Popen([*map(str, argv)],
                                  stdin=subprocess.PIPE,
                                  stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                return
            except OSError:
                time.sleep(0.05)
        raise SystemExit(f"{argv[0]} does not listen")

    def __enter__(self):
        return self.port

    def __exit__(self, *_):
        self.p.terminate()
        self.p.wait()


def echo_row(out, name, server, kind, connections):
    with server as port:
        got = [subprocess.run([str(out / "bench/wasi/load"), str(port),
                               str(connections), "1024", str(SECONDS), kind],
                              stdout=subprocess.PIPE, check=True)
               .stdout.decode().split() for _ in range(RUNS)]
    return [f"{name}, {connections} connection" + "s" * (connections > 1),
            *(f"{median(float(g[i]) for g in got):,.0f}" for i in range(3))]


def echo(out, field, cert, key):
    wasm = field.wasm("echo")
    rows = []
    for n in (1, 64):
        rows += [
            echo_row(out, "Keep, TLS", InKeep(field, True, wasm, "3"), "tls",
                     n),
            echo_row(out, "Keep, plain", InKeep(field, False, wasm, "3"),
                     "tcp", n),
            echo_row(out, "native, plain",
                     Native(out / "bench/wasi/echo", "3"), "tcp", n)]
    port = free_port()
    rows.append(echo_row(out, "openssl s_server -rev", Command(
        port, "openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert",
        cert, "-key", key, "-rev", "-quiet", "-tls1_3"), "tls", 1))
    table("echo, lines of 1 KiB", ["", "lines/s", "p50 us", "p99 us"], rows)


def wrk_row(name, server, scheme, connections=64):
    with server as port:
        got = []
        for _ in range(RUNS):
            r = subprocess.run(
                ["wrk", "-t1", f"-c{connections}", f"-d{SECONDS:.0f}s",
                 "--latency", f"{scheme}://127.0.0.1:{port}/"],
                stdout=subprocess.PIPE, check=True).stdout.decode()
            fields = dict(line.split()[:2] for line in r.splitlines()
                          if len(line.split()) == 2)
            got.append((float(fields["Requests/sec:"]), fields["50%"],
                        fields["99%"]))
    middle = sorted(got)[len(got) // 2]
    return [name, f"{middle[0]:,.0f}", *middle[1:]]


def nginx(folder, cert, key):
    port = free_port()
    (folder / "nginx.conf").write_text(f"""
daemon off; master_process off; pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {cert}; ssl_certificate_key {key};
    ssl_protocols TLSv1.3; keepalive_requests 1000000000;
    location / {{ return 200 "hello, world\\n"; }}
  }}
}}
""")
    return Command(port, "/usr/sbin/nginx", "-p", folder, "-c",
                   folder / "nginx.conf")


def http(out, field, folder, cert, key):
    if not shutil.which("wrk"):
        print("\nHTTP: no wrk")
        return
    wasm = out / "bench/wasi/http.wasm"
    rows = [wrk_row("Keep, TLS", InKeep(field, True, wasm), "https"),
            wrk_row("Keep, plain", InKeep(field, False, wasm), "http"),
            wrk_row("native, plain", Native(out / "bench/wasi/http"), "http")]
    if os.path.exists("/usr/sbin/nginx"):
        rows.append(wrk_row("nginx, TLS", nginx(folder, cert, key), "https"))
    table("HTTP, 64 connections that stay", ["", "requests/s", "p50", "p99"],
          rows)


def main():
    out = Path(sys.argv[1]).resolve()
    print(f"cores {os.cpu_count()}, load {os.getloadavg()[0]:.1f}; medians of "
          f"{RUNS} runs")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        field = Field(out, folder)
        cert, key = Authority(folder / "ca").issue("localhost",
                                                   "DNS:localhost")
        try:
            files(out, field, folder)
            echo(out, field, cert, key)
            http(out, field, folder, cert, key)
        finally:
            field.close()


main()
