# SPDX-License-Identifier: Apache-2.0
"""A machine with a KVM that runs code: Debian's cloud kernel under QEMU, with
nested virtualization, and what was built in its initramfs.

Machine.run boots once and runs a list of shell commands, one after the other;
the answer is their exit statuses and what they printed.  Unavailable says why
there can be no such machine here.
"""
import os
import re
import select
import shlex
import shutil
import stat
import subprocess
import tempfile
import time
from pathlib import Path

PACKAGE = "linux-image-cloud-amd64"
MODULES = ("irqbypass", "ccp", "kvm", "kvm-amd")
TOOLS = ("sh", "mount", "insmod", "cat", "echo", "poweroff", "ip", "mkdir",
         "sha256sum", "ps", "ls", "sleep", "kill", "grep", "timeout")
MARK = "@@donjon"
LIMIT = 180  # seconds for one command, by the machine's clock
GRACE = 60  # and more by ours, before it is ended
BOOT = 240


class Unavailable(Exception):
    """There is no such machine; the text says why."""


def _need(program, package):
    path = shutil.which(program)
    if not path:
        raise Unavailable(f"no {program}: install {package}")
    return path


def _apt(*argv, cwd=None):
    p = subprocess.run(argv, cwd=cwd, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, text=True)
    if p.returncode:
        raise Unavailable(f"{' '.join(argv)}: {p.stdout.strip()[-200:]}")
    return p.stdout


def kernel(cache):
    """Folder of an unpacked kernel package; fetched once into `cache`."""
    cache = Path(cache)
    if not list(cache.glob("boot/vmlinuz-*")):
        for program in ("apt-get", "apt-cache", "dpkg-deb"):
            _need(program, "apt")
        depends = _apt("apt-cache", "depends", PACKAGE)
        name = re.search(r"Depends: (linux-image-\S+-cloud-amd64)", depends)
        if not name:
            raise Unavailable(f"apt-cache knows no {PACKAGE}: apt-get update")
        cache.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache.parent) as folder:
            os.chmod(folder, 0o755)
            _apt("apt-get", "download", name.group(1), cwd=folder)
            deb, = Path(folder).glob("*.deb")
            tree = Path(folder) / "tree"
            _apt("dpkg-deb", "-x", str(deb), str(tree))
            shutil.rmtree(cache, ignore_errors=True)
            shutil.move(tree, cache)
    return cache


def libraries(program):
    """What a program is linked with, the loader included."""
    p = subprocess.run(["ldd", program], stdout=subprocess.PIPE,
                       stderr=subprocess.DEVNULL, text=True)
    return set(re.findall(r"(/\S+)", p.stdout)) if p.returncode == 0 else set()


class Tree:
    """An initramfs under construction: path -> bytes, link or folder."""

    def __init__(self):
        self.entries = {}

    def _folder(self, path):
        parts = path.split("/")[:-1]
        for i in range(len(parts)):
            self.entries.setdefault("/".join(parts[:i + 1]),
                                    (stat.S_IFDIR | 0o755, b""))

    def put(self, path, data, mode=0o644):
        path = path.lstrip("/")
        self._folder(path)
        self.entries[path] = (stat.S_IFREG | mode, data)

    def link(self, path, target):
        path = path.lstrip("/")
        self._folder(path)
        self.entries[path] = (stat.S_IFLNK | 0o777, target.encode())

    def folder(self, path):
        self._folder(path.lstrip("/") + "/")

    def copy(self, source, path):
        source = Path(source)
        if source.is_dir():
            for child in sorted(source.iterdir()):
                self.copy(child, f"{path}/{child.name}")
            return
        mode = 0o755 if os.access(source, os.X_OK) else 0o644
        self.put(path, source.read_bytes(), mode)
        if mode == 0o755:
            for library in libraries(source):
                if library.lstrip("/") not in self.entries:
                    self.put(library, Path(library).read_bytes(), 0o755)

    def write(self, to):
        """As cpio's newc (Linux, Documentation/driver-api/early-userspace/
        buffer-format.rst)."""
        with open(to, "wb") as f:
            items = list(self.entries.items()) + [("TRAILER!!!", (0, b""))]
            for number, (path, (mode, data)) in enumerate(items):
                name = path.encode() + b"\0"
                fields = [number + 1, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0,
                          len(name), 0]
                head = b"070701" + b"".join(b"%08x" % v for v in fields)
                f.write(head + name + bytes(-len(head + name) % 4))
                f.write(data + bytes(-len(data) % 4))


class Machine:
    def __init__(self, out, cache, counted=False):
        """counted: its clock counts instructions, one a nanosecond, so that its
        times do not depend on how busy we are."""
        self.counted = counted
        self.qemu = _need("qemu-system-x86_64", "qemu-system-x86")
        busybox = _need("busybox", "busybox-static")
        if libraries(busybox):
            raise Unavailable("busybox is not static: install busybox-static")
        self.kernel = kernel(cache)
        self.tree = Tree()
        self.tree.put("bin/busybox", Path(busybox).read_bytes(), 0o755)
        for tool in TOOLS:
            self.tree.link(f"bin/{tool}", "busybox")
        for module in MODULES:
            for path in self.kernel.glob(f"lib/modules/*/kernel/**/{module}.ko"):
                self.tree.copy(path, f"modules/{module}.ko")
        for folder in ("proc", "sys", "dev", "tmp", "root"):
            self.tree.folder(folder)
        for part in ("bin", "keep"):
            self.tree.copy(Path(out) / part, f"out/{part}")

    def _init(self, commands):
        lines = ["#!/bin/sh", "mount -t proc none /proc",
                 "mount -t sysfs none /sys", "mount -t devtmpfs none /dev",
                 "mount -t tmpfs none /tmp", "ip link set lo up",
                 "export HOME=/root PATH=/out/bin:/bin"]
        lines += [f"[ ! -f /modules/{m}.ko ] || insmod /modules/{m}.ko"
                  for m in MODULES]
        for name, command in commands:
            lines += [f"echo '{MARK} begin {name}'",
                      f"timeout -s KILL {LIMIT} sh -c "
                      f"{shlex.quote(command)} </dev/null 2>&1",
                      f"echo \"{MARK} status $?\""]
        return "\n".join(lines + ["poweroff -f", ""]).encode()

    def _argv(self, initrd):
        """One processor: two that are interpreted wait for one another, spin
        by spin, and on a busy host get nowhere."""
        image, = self.kernel.glob("boot/vmlinuz-*")
        return [self.qemu, "-nodefaults", "-no-user-config", "-display",
                "none", "-M", "pc", "-cpu", "max", "-accel", "tcg", "-m",
                "2048", "-no-reboot", "-serial", "stdio",
                *(["-icount", "shift=0,sleep=off"] if self.counted else []),
                "-kernel", str(image), "-initrd", initrd, "-append",
                "console=ttyS0 quiet panic=-1 rdinit=/init"]

    def run(self, commands, boot=BOOT):
        """{name: (status, text)} of [(name, shell command)], and how long
        each took in `seconds`.  Whatever does not end is named."""
        self.tree.put("init", self._init(commands), 0o755)
        self.seconds = {}
        with tempfile.TemporaryDirectory() as folder:
            initrd = os.path.join(folder, "initrd")
            self.tree.write(initrd)
            p = subprocess.Popen(self._argv(initrd), stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT)
            try:
                answers, why = self._follow(p, boot)
            finally:
                p.kill()
                p.wait()
                p.stdout.close()
        for name, _ in commands:
            answers.setdefault(name, (-1, f"it was not reached: {why}"))
        return answers

    def _follow(self, p, boot):
        """Reads what the machine prints, up to its end or the first step that
        takes too long."""
        answers, name, said = {}, "boot", []
        begin, limit = time.monotonic(), boot
        for line in lines(p.stdout, lambda: begin + limit):
            if line is None:
                why = f"step {name} did not end within {limit} s"
                answers[name] = (-1, "\n".join([why] + said[-60:]))
                return answers, why
            mark = re.match(rf"{MARK} (begin|status) (\S+)$", line)
            if not mark:
                said.append(line)
                continue
            now = time.monotonic()
            self.seconds[name] = now - begin
            if mark.group(1) == "status":
                answers[name] = (int(mark.group(2)), "\n".join(said) + "\n")
            # The machine's own limit comes first, if it keeps time.
            name = mark.group(2) if mark.group(1) == "begin" else "between"
            begin, limit, said = now, LIMIT + GRACE, []
        return answers, f"the machine ended in step {name}: {said[-20:]}"


def lines(stream, deadline):
    """What comes, a line each; None, and the end, after the deadline."""
    os.set_blocking(stream.fileno(), False)
    rest = b""
    while True:
        left = deadline() - time.monotonic()
        if left <= 0 or not select.select([stream], [], [], left)[0]:
            yield None
            return
        data = os.read(stream.fileno(), 65536)
        if not data:
            return
        *whole, rest = (rest + data).split(b"\n")
        for line in whole:
            yield line.decode("utf-8", "replace").rstrip("\r")
