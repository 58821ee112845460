#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs every test and prints one line of totals.

tools/check.py OUT STAGE...: a stage is KIND=ARGUMENTS; the Makefile lists
them.  Kinds:
  tap=PROGRAM[,PROGRAM...]   programs that print TAP (cmocka's included)
  replay=PROGRAM[,...]       fuzz targets over fuzz/corpus/NAME
  fuzz=SECONDS:PROGRAM[,...] libFuzzer targets, each for so long
  pytest=FOLDER              end-to-end tests of OUT's programs
  asan-pytest=OUT:FOLDER     the same, of another output folder's programs
  cmd=NAME:COMMAND           one command, one test

Every failure is shown with its output, every skip with its reason.  The last
line is `N passed, N failed, N skipped`; the exit status is 1 when one failed.
"""
import glob
import os
import re
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor

TIMEOUT = 900


class Totals:
    def __init__(self):
        self.passed, self.failed, self.skipped = 0, [], []

    def ok(self, _name):
        self.passed += 1

    def fail(self, name, output):
        self.failed.append(name)
        print(f"FAIL {name}")
        for line in output.strip().splitlines()[-60:]:
            print(f"     {line}")

    def skip(self, name, why):
        self.skipped.append((name, why))


def run(argv, env=None, timeout=TIMEOUT):
    """Exit status and output; a run that hangs counts as failed."""
    try:
        p = subprocess.run(argv, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, env=env, timeout=timeout,
                           stdin=subprocess.DEVNULL)
        return p.returncode, p.stdout.decode("utf-8", "replace")
    except subprocess.TimeoutExpired as e:
        text = (e.stdout or b"").decode("utf-8", "replace")
        return -1, text + f"\nstill running after {timeout} s"


def side_by_side(job, items):
    """job(item) of each, one a core at a time; results in order."""
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return list(zip(items, pool.map(job, items)))


TAP = re.compile(r"^(not )?ok\s+\d+\s*(?:-\s*)?(.*)$")


def tap(totals, programs):
    env = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP")
    for program, (status, out) in side_by_side(
            lambda p: run([p], env), programs):
        name = re.sub(r"^.*?/tests/", "", program)
        seen, bad, block = 0, 0, []
        for line in out.splitlines():
            m = TAP.match(line)
            if not m:
                block.append(line)
                continue
            seen += 1
            title = m.group(2)
            skip = re.search(r"#\s*SKIP\s*(.*)", title, re.I)
            if skip:
                why = [b for b in block if b.startswith("SKIP: ")]
                test = re.sub(r"\s*#.*", "", title) or skip.group(1)
                totals.skip(f"{name}: {test}",
                            why[-1][6:] if why else skip.group(1))
            elif m.group(1):
                bad += 1
                totals.fail(f"{name}: {title}", "\n".join(block))
            else:
                totals.ok(title)
            block = []
        if not seen:
            totals.fail(name, out + f"\nno test ran, exit status {status}")
        elif status != 0 and not bad:
            totals.fail(name, out + f"\nexit status {status}")


def replay(totals, programs):
    def once(program):
        corpus = os.path.join("fuzz/corpus", os.path.basename(program))
        return run([program] + ([corpus] if os.path.isdir(corpus) else []))

    for program, (status, out) in side_by_side(once, programs):
        name = os.path.basename(program)
        if status == 0 and re.search(r"^[1-9]\d* inputs$", out, re.M):
            totals.ok(name)
        else:
            totals.fail(f"replay {name}", out + f"\nexit status {status}")


# Seconds from which on a run of a fuzz target is a hunt: by lot, and from more
# seeds.  A shorter one says the same of the same tree each time.
HUNT = 30
# Folders of DONJON_SHARED/vectors/open that are seeds too, of hunts.
VECTORS = {
    "certificate": ("roots", "snp"),
    "collateral": ("collateral/*",),
    "evidence": ("snp", "sgx", "tdx", "keystone", "sanctum"),
    "measure": ("snp/measure", "sgx", "tdx"),
    "quote": ("sgx", "tdx"),
}


def vectors(name, seconds):
    root = os.path.join(os.environ.get("DONJON_SHARED", "../shared"),
                        "vectors/open")
    return [d for pattern in VECTORS.get(name, ()) if int(seconds) >= HUNT
            for d in sorted(glob.glob(os.path.join(root, pattern)))]


def fuzz(totals, seconds, programs):
    def once(program):
        name = os.path.basename(program)
        with tempfile.TemporaryDirectory() as fresh:
            argv = [program, f"-max_total_time={seconds}", "-timeout=20",
                    "-rss_limit_mb=2048", "-print_final_stats=1",
                    f"-artifact_prefix={fresh}/", fresh]
            corpus = os.path.join("fuzz/corpus", name)
            if os.path.isdir(corpus):
                argv.append(corpus)
            if int(seconds) < HUNT:
                argv.append("-seed=1")
            return run(argv + vectors(name, seconds))

    for program, (status, out) in side_by_side(once, programs):
        name = os.path.basename(program)
        runs = re.search(r"number_of_executed_units:\s*(\d+)", out)
        if status == 0 and runs and int(runs.group(1)) > 0:
            totals.ok(name)
        else:
            news = re.sub(r"(?m)^#\d+\t.*\n", "", out)
            totals.fail(f"fuzz {name}", news + f"\nexit status {status}")


def pytest(totals, folder, out_dir=None):
    env = dict(os.environ)
    if out_dir:
        env["DONJON_OUT"] = os.path.abspath(out_dir)
        env["DONJON_SANITIZED"] = "1"
    where = "sanitized " if out_dir else ""
    with tempfile.NamedTemporaryFile(suffix=".xml") as report:
        # One more than there are cores: some of them wait.
        workers = str((os.cpu_count() or 1) + 1)
        status, out = run(["/usr/bin/python3", "-m", "pytest", "-q", "-p",
                           "no:cacheprovider", "-n", workers, "--dist",
                           "loadfile", f"--junitxml={report.name}", folder],
                          env, timeout=3600)
        try:
            cases = list(ET.parse(report.name).getroot().iter("testcase"))
        except ET.ParseError:
            cases = []
        bad = 0
        for case in cases:
            name = f"{where}{case.get('classname')}: {case.get('name')}"
            problems = [c for c in case if c.tag in ("failure", "error")]
            skips = [c for c in case if c.tag == "skipped"]
            if problems:
                bad += 1
                totals.fail(name, problems[0].text or "")
            elif skips:
                totals.skip(name, skips[0].get("message", ""))
            else:
                totals.ok(name)
        if not cases or (status != 0 and not bad):
            totals.fail(f"pytest {folder}", out)


def stage(totals, text):
    kind, _, rest = text.partition("=")
    if kind == "tap":
        tap(totals, rest.split(","))
    elif kind == "replay":
        replay(totals, rest.split(","))
    elif kind == "fuzz":
        seconds, _, programs = rest.partition(":")
        fuzz(totals, seconds, programs.split(","))
    elif kind == "pytest":
        pytest(totals, rest)
    elif kind == "asan-pytest":
        out_dir, _, folder = rest.partition(":")
        pytest(totals, folder, out_dir)
    elif kind == "cmd":
        name, _, command = rest.partition(":")
        status, out = run(["/bin/sh", "-c", command])
        if status == 0:
            totals.ok(name)
        else:
            totals.fail(name, out)
    else:
        sys.exit(f"check: unknown stage {text}")


def main():
    os.environ["DONJON_OUT"] = os.path.abspath(sys.argv[1])
    os.environ.setdefault("DONJON_SHARED", os.path.abspath("../shared"))
    totals = Totals()
    for text in sys.argv[2:]:
        begin, before = time.time(), totals.passed + len(totals.failed)
        stage(totals, text)
        count = totals.passed + len(totals.failed) - before
        title = text if len(text) < 60 else text[:57] + "..."
        print(f"  {count:5d} tests {time.time() - begin:7.1f} s  {title}",
              flush=True)
    for name, why in totals.skipped:
        print(f"SKIP {name}: {why}")
    for name in totals.failed:
        print(f"FAILED {name}")
    print(f"{totals.passed} passed, {len(totals.failed)} failed, "
          f"{len(totals.skipped)} skipped")
    return 1 if totals.failed else 0


if __name__ == "__main__":
    sys.exit(main())
