#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Compares the verifier with dcap-qvl, go-sev-guest and go-tdx-guest.

tests/differential/attest.py OUT [MUTATIONS [SEED]]

Real evidence of DONJON_SHARED/vectors, and MUTATIONS (10000) changes of it,
are judged by each.  What is compared is whether evidence is genuine, not
whether a policy likes it: the checks named in GENUINE; against dcap-qvl also
the status of the platform.  Prints a table, the disagreements by the rows of
docs/attestation-differences.md that explain them, and those that none does, of
each kind one; exits with 1 when there are such.

Needs the Python package dcap-qvl (from PyPI, for the python3 that runs this)
and Go with a module proxy; a peer that is not there is left out, by name.
"""
import base64
import collections
import json
import os
import random
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPO = HERE.parents[1]
VECTORS = Path(os.environ.get("DONJON_SHARED",
                              REPO.parent / "shared")) / "vectors"
POLICY = """
[snp]
measurements = ["%s"]
crl = "optional"
csp_ids = ["CN=cc-us-east-2.amazonaws.com"]
[tdx]
measurements = ["%s"]
""" % ("00" * 48, "00" * 48)

GENUINE = {
    "snp": {"evidence format", "endorsements", "vendor root", "chain",
            "validity", "signing key", "product", "certified tcb", "chip",
            "signature"},
    "quote": {"evidence format", "endorsements", "vendor root", "chain",
              "validity", "qe signature", "attestation key", "signature"},
}
COLLATERAL = {"revocation", "qe identity", "tcb info", "tdx module"}


class Lines:
    """A program that answers each line with one."""

    def __init__(self, argv, mark=""):
        self.mark = mark  # what answers begin with; logs do not
        self.p = subprocess.Popen([str(a) for a in argv], text=True,
                                  stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE)

    def ask(self, *words):
        self.p.stdin.write(" ".join(words) + "\n")
        self.p.stdin.flush()
        while True:
            line = self.p.stdout.readline()
            if not line:
                raise EOFError("a verifier ended")
            if line.startswith(self.mark):
                return line[len(self.mark):].rstrip("\n")


class Ours:
    def __init__(self, out):
        self.lines = Lines([out / "tests/differential/attest", POLICY])

    def failed(self, now, evidence, *endorsements):
        """Names of checks that failed, and the status; or what it says."""
        text = self.lines.ask(str(now), "1", evidence.hex(),
                              *(e.hex() for e in endorsements if e))
        if not text.startswith("{"):
            return {"evidence format"}, None, text
        v = json.loads(text)
        why = [f"{c['name']}: {c['observed']}" for c in v["checks"]
               if c["result"] == "failed"]
        return set(v["failed"]), v["tcb_status"], "; ".join(why)


def rows(family):
    for line in (VECTORS / "INDEX.tsv").read_text().splitlines()[1:]:
        f = line.split("\t")
        if f[1] == family and f[0].startswith("open/"):
            yield f[0], f[9], f[10]


def seconds(text):
    import calendar
    import time
    day = re.search(r"\d{4}-\d\d-\d\d", text).group(0)
    return calendar.timegm(time.strptime(day, "%Y-%m-%d")) + 86400


def read(name):
    return (VECTORS / name).read_bytes()


def snp_cases():
    for name, collateral, date in rows("snp"):
        leaf = [c for c in collateral.split(";")
                if c.endswith((".vcek.der", ".vlek.der"))]
        if name.endswith(".report.bin") and leaf:
            yield (name, seconds(date), read(name), read(leaf[0]),
                   leaf[0][-8:-4])


SET = ("root_ca.crl", "pck.crl", "tcb_signing_chain.pem", "tcb_info.json",
       "qe_identity_signing_chain.pem", "qe_identity.json")


def quote_cases(family):
    for name, collateral, date in rows(family):
        if name.endswith(".quote.bin") and collateral.endswith("/"):
            yield (name, seconds(date), read(name),
                   [read(collateral + n) for n in SET])


def mutate(rng, data):
    data = bytearray(data)
    kind = rng.randrange(10)
    if kind < 6:
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    elif kind < 8:
        data[rng.randrange(len(data))] = rng.choice((0, 0xff, 0x7f, 0x80))
    elif kind == 8:
        del data[rng.randrange(len(data)):]
    else:
        at, n = rng.randrange(len(data)), rng.randrange(1, 9)
        data[at:at + n] = rng.randbytes(n)
    return bytes(data)


def changed_behind(a, b, mark, count):
    """Whether b differs from a only behind the count-th mark in a."""
    at = -1
    for _ in range(count):
        at = a.find(mark, at + 1)
        if at < 0:
            return False
    return a[:at] == b[:at] and a != b


def where(was, now):
    """Where a change begins and how far it reaches."""
    for i, (a, b) in enumerate(zip(was, now)):
        if a != b:
            at = [k for k in range(min(len(a), len(b))) if a[k] != b[k]]
            return (f"part {i}, bytes {at[0] if at else min(len(a), len(b))} "
                    f"to {at[-1] if at else '-'}, length {len(a)} to {len(b)}")
    return "unchanged"


END = b"-----END CERTIFICATE-----"


def heads(quote):
    """Where lengths and kinds of signature and certification data stand."""
    body = {3: 48 + 384, 4: 48 + 584, 5: 54 + 648}[quote[0]]
    outer = body + 4 + 128
    auth = outer + (6 if quote[0] > 3 else 0) + 384 + 64
    inner = auth + 2 + int.from_bytes(quote[auth:auth + 2], "little")
    return {*range(body, body + 4), *range(inner, inner + 6),
            *(range(outer, outer + 6) if quote[0] > 3 else ())}


def certificates(text):
    """What a lenient reader finds in PEM."""
    return [base64.b64decode(b + b"==") for b in re.findall(
        rb"BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE", text, re.DOTALL)]


def only_change(a, b):
    """Offset and new value when one byte changed; else None."""
    at = [i for i in range(len(a)) if a[i] != b[i]] if len(a) == len(b) else []
    return (at[0], b[at[0]]) if len(at) == 1 else (None, None)


def only_text(was, now):
    """What changed is not what the certificates say."""
    return all(a == b or certificates(a) == certificates(b) != []
               for a, b in zip(was, now))


def explain(peer, ours, theirs, said, was, now):
    """Which row of docs/attestation-differences.md this is; None: no row.
    was, now: quote and documents before and after the change."""
    quote, chains = (was[0], now[0]), [(was[i], now[i]) for i in (3, 5)
                                       if i < len(was)]
    if peer == "go-sev-guest" and ours == "not genuine":
        # CPUID_STEP, of which its form between keeps four bits.
        return "written again" if only_change(*quote)[0] == 0x18a else None
    if peer == "go-sev-guest":
        return "Turin's FMC" if ours == "genuine" and \
            "not an AMD KDS OID: 1.3.6.1.4.1.3704.1.3.9" in said else None
    if peer == "go-tdx-guest" and ours == "not genuine":
        return "text of PEM" if only_text(was, now) else None
    if peer == "go-tdx-guest":
        return "version 5" if ours == "genuine" and \
            now[0][:2] == b"\x05\0" and "format not supported" in said else None
    if ours == "TCB_NOT_SUPPORTED" and "No matching TCB level" in said:
        return "no level"
    if theirs == "not genuine" and ours != "not genuine" and re.search(
            "Debug mode is enabled|SEPT_VE_DISABLE|Invalid MR service", said):
        return "attributes first"
    if ours == "not genuine":
        # All that they looked at is as it was.
        if changed_behind(*quote, END, 2) or \
                any(changed_behind(a, b, END, 1) for a, b in chains):
            return "root's copy"
        if only_change(*quote)[0] in heads(was[0]):
            return "head of certification data"
        if only_text(was, now):
            return "text of PEM"
        return None
    if any(a != b for a, b in chains) and quote[0] == quote[1]:
        return "chain twice"
    return None


class Table:
    def __init__(self):
        self.count = collections.Counter()
        self.rows = collections.Counter()
        self.seen = {}

    def note(self, peer, name, ours, theirs, why, said, was, now):
        same = ours == theirs
        self.count[peer, "same" if same else "differs"] += 1
        if same:
            return
        row = explain(peer, ours, theirs, said, was, now)
        self.rows[peer, row or "NOT EXPLAINED"] += 1
        if row:
            return
        key = (peer, ours, theirs,
               re.sub(r"[0-9a-f]{6,}|\d+", "#", f"{why} / {said}")[:160])
        self.seen.setdefault(key, [0, f"{name}, {where(was, now)}"])[0] += 1

    def print(self):
        for (peer, what), n in sorted(self.count.items()):
            print(f"{peer:14} {what:8} {n}")
        for (peer, row), n in sorted(self.rows.items()):
            print(f"  {peer:14} {n:5} {row}")
        for (peer, ours, theirs, text), (n, name) in sorted(
                self.seen.items(), key=lambda i: -i[1][0]):
            print(f"\n{n} x {peer}: ours {ours}, theirs {theirs}; as {name}\n"
                  f"    {text}")


def short(word):
    return {True: "genuine", False: "not genuine"}.get(word, word)


def above(kind):
    """What go-sev-guest lacks above a VLEK."""
    return [read(f"open/roots/{n}_milan.der").hex()
            for n in ("asvk", "ask", "ark")] if kind == "vlek" else []


def with_go(peer, ours, table, count, rng):
    cases = list(snp_cases())
    quotes = [c for c in quote_cases("tdx")]
    for i in range(-len(cases) - len(quotes), count):
        change = i >= 0
        if i % 2 if change else i < -len(quotes):
            name, now, report, leaf, kind = cases[rng.randrange(len(cases))] \
                if change else cases[i + len(cases) + len(quotes)]
            was = [report, leaf]
            if change and rng.random() < 0.25:
                leaf = mutate(rng, leaf)
            elif change:
                report = mutate(rng, report)
            failed, _, why = ours.failed(now, report, leaf)
            good = not failed & GENUINE["snp"]
            said = peer.ask(kind, str(now), report.hex(), leaf.hex() or "00",
                            *above(kind))
            table.note("go-sev-guest", name, short(good), short(said == "ok"),
                       why, said, was, [report, leaf])
        else:
            name, now, quote, parts = quotes[rng.randrange(len(quotes))] \
                if change else quotes[i + len(quotes)]
            was = [quote]
            if change:
                quote = mutate(rng, quote)
            failed, _, why = ours.failed(now, quote, *parts)
            good = not failed & GENUINE["quote"]
            said = peer.ask("tdx", str(now), quote.hex())
            table.note("go-tdx-guest", name, short(good), short(said == "ok"),
                       why, said, was, [quote])


def qvl_collateral(qvl, parts):
    root, pck, tcb_chain, tcb, qe_chain, qe = parts

    def split(document, member):
        o = json.loads(document)
        start = document.index(b'"' + member + b'":') + len(member) + 3
        end = document.rindex(b',"signature"')
        return document[start:end].decode(), bytes.fromhex(o["signature"])

    tcb_text, tcb_sig = split(tcb, b"tcbInfo")
    qe_text, qe_sig = split(qe, b"enclaveIdentity")
    return qvl.QuoteCollateralV3(
        pck_crl_issuer_chain="", root_ca_crl=root, pck_crl=pck,
        tcb_info_issuer_chain=tcb_chain.decode(), tcb_info=tcb_text,
        tcb_info_signature=tcb_sig,
        qe_identity_issuer_chain=qe_chain.decode(), qe_identity=qe_text,
        qe_identity_signature=qe_sig)


def ask_qvl(qvl, quote, parts, now):
    try:
        report = qvl.verify(quote, qvl_collateral(qvl, parts), now)
        return report.status, "ok"
    except Exception as e:  # its errors are of one kind
        return None, str(e)


def with_qvl(qvl, ours, table, count, rng):
    cases = list(quote_cases("tdx")) + list(quote_cases("sgx"))
    for i in range(-len(cases), count):
        name, now, quote, parts = cases[i + len(cases)] if i < 0 else \
            cases[rng.randrange(len(cases))]
        was, parts = [quote, *parts], list(parts)
        if i >= 0 and rng.random() < 0.3:
            at = rng.randrange(len(parts))
            parts[at] = mutate(rng, parts[at])
        elif i >= 0:
            quote = mutate(rng, quote)
        failed, status, why = ours.failed(now, quote, *parts)
        good = not failed & (GENUINE["quote"] | COLLATERAL)
        their_status, said = ask_qvl(qvl, quote, parts, now)
        table.note("dcap-qvl", name, status if good else "not genuine",
                   their_status or "not genuine", why, said, was,
                   [quote, *parts])


def go_peer(folder):
    binary = Path(folder) / "peers"
    env = dict(os.environ, GOFLAGS="-mod=mod")
    source = Path(folder) / "source"
    source.mkdir()
    for f in ("go.mod", "main.go"):
        (source / f).write_text((HERE / "peers" / f).read_text())
    r = subprocess.run(["go", "build", "-o", binary, "."], cwd=source, env=env,
                       capture_output=True, text=True)
    if r.returncode:
        print("left out: go-sev-guest, go-tdx-guest:", r.stderr.strip()[-300:])
        return None
    return Lines([binary], "=")


def main():
    out = Path(sys.argv[1]).resolve()
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 10000
    rng = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    table, ours = Table(), Ours(out)
    try:
        import dcap_qvl
        with_qvl(dcap_qvl, ours, table, count // 2, rng)
    except ImportError:
        print("left out: dcap-qvl: not installed")
    with tempfile.TemporaryDirectory() as folder:
        peer = go_peer(folder)
        if peer:
            with_go(peer, ours, table, count - count // 2, rng)
    table.print()
    return 1 if table.seen else 0


if __name__ == "__main__":
    sys.exit(main())
