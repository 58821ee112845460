#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What the same verification costs dcap-qvl and go-tdx-guest, go-sev-guest,
where they can be had (see tests/differential/attest.py)."""
import importlib.util
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
spec = importlib.util.spec_from_file_location(
    "differential", REPO / "tests/differential/attest.py")
differential = importlib.util.module_from_spec(spec)
spec.loader.exec_module(differential)


def median_ms(call, runs=200):
    times = []
    for _ in range(runs):
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return statistics.median(times) * 1e3


def main():
    if not differential.VECTORS.is_dir():
        sys.exit("no vectors: DONJON_SHARED is absent")
    quotes = {n.split("/")[-1]: rest for n, *rest in
              list(differential.quote_cases("tdx")) +
              list(differential.quote_cases("sgx"))}
    tdx = quotes["phala-v4-uptodate.quote.bin"]
    sgx = quotes["phala-v3-processor.quote.bin"]
    try:
        import dcap_qvl
        for name, (now, quote, parts) in (("TDX", tdx), ("SGX", sgx)):
            c = differential.qvl_collateral(dcap_qvl, parts)
            ms = median_ms(lambda: dcap_qvl.verify(quote, c, now))
            print(f"dcap-qvl (Python)  {name} {ms:8.2f} ms")
    except ImportError:
        print("left out: dcap-qvl: not installed")
    with tempfile.TemporaryDirectory() as folder:
        peer = differential.go_peer(folder)
        if not peer:
            return
        name, now, report, leaf, kind = next(
            c for c in differential.snp_cases() if "milan-v3-a" in c[0])
        words = [kind, str(now), report.hex(), leaf.hex()]
        print(f"go-sev-guest       SNP {median_ms(lambda: peer.ask(*words)):8.2f}"
              " ms, without revocation")
        words = ["tdx", str(tdx[0]), tdx[1][:-70].hex()]
        print(f"go-tdx-guest       TDX {median_ms(lambda: peer.ask(*words)):8.2f}"
              " ms, without collateral")


if __name__ == "__main__":
    main()
