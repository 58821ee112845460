# SPDX-License-Identifier: Apache-2.0
"""libdonjon-attest as a stranger would use it: installed header, static
library and pkg-config file, in a program of her own."""
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("DONJON_SHARED", REPO.parent / "shared"))
SNP = SHARED / "vectors/open/snp"
MARCH_2026 = "1772323200"
POLICY = """technologies = ["snp"]
[snp]
crl = "optional"
measurements = ["{}"]
"""


@pytest.fixture(scope="module")
def program(out, tmp_path_factory):
    if os.environ.get("DONJON_SANITIZED"):
        pytest.skip("the library is of the sanitizer's build")
    if not shutil.which("pkg-config"):
        pytest.skip("pkg-config is not installed")
    root = tmp_path_factory.mktemp("installed")
    prefix = root / "usr"
    for folder in ("include/donjon", "lib/pkgconfig"):
        (prefix / folder).mkdir(parents=True)
    shutil.copy(REPO / "include/donjon/attest.h", prefix / "include/donjon")
    shutil.copy(out / "lib/libdonjon-attest.a", prefix / "lib")
    text = (REPO / "packaging/pkgconfig/donjon-attest.pc.in").read_text()
    (prefix / "lib/pkgconfig/donjon-attest.pc").write_text(
        text.replace("@prefix@", str(prefix)).replace("@version@", "0"))
    env = dict(os.environ,
               PKG_CONFIG_PATH=str(prefix / "lib/pkgconfig"))
    flags = subprocess.run(
        ["pkg-config", "--static", "--cflags", "--libs", "donjon-attest"],
        env=env, capture_output=True, text=True, check=True).stdout.split()
    binary = root / "use"
    subprocess.run(["gcc", "-Wall", "-Werror", "-o", binary,
                    REPO / "tests/library/use.c", *flags], check=True)
    return binary


def judge(program, policy, *files):
    r = subprocess.run([program, policy, MARCH_2026, *files],
                       capture_output=True, text=True)
    number, _, text = r.stdout.partition(" ")
    return r.returncode, number, text.strip()


def test_a_program_judges_a_report(program):
    if not SNP.is_dir():
        pytest.skip("no vectors: DONJON_SHARED is absent")
    report, leaf = SNP / "ms-turin-v5.report.bin", SNP / "ms-turin-v5.vcek.der"
    measured = report.read_bytes()[0x90:0xc0].hex()
    status, number, text = judge(program, POLICY.format(measured), report,
                                 leaf)
    assert status == 0 and number == "0", text
    assert json.loads(text)["verdict"] == "accepted"
    status, number, text = judge(program, POLICY.format("00" * 48), report,
                                 leaf)
    assert status == 1 and json.loads(text)["failed"] == ["measurement"]
    status, number, text = judge(program, POLICY.format(measured), leaf)
    assert status == 1 and number == "-1" and "evidence" in text


def test_a_bad_policy_is_named(program):
    status, _, text = judge(program, "nonsense = 1\n", "/dev/null")
    assert status == 2 and "policy:1:1" in text


def test_the_library_shows_its_own_names_only(out):
    if os.environ.get("DONJON_SANITIZED"):
        pytest.skip("the library is of the sanitizer's build")
    text = subprocess.run(["nm", "-g", "--defined-only",
                           out / "lib/libdonjon-attest.a"], check=True,
                          capture_output=True, text=True).stdout
    # Constants of toml++'s templates ('u') are the same everywhere.
    names = [line.split()[2] for line in text.splitlines()
             if len(line.split()) == 3 and line.split()[1] != "u"]
    assert names and all(n.startswith("donjon_attest_") for n in names)
