// SPDX-License-Identifier: Apache-2.0

// Judges evidence with go-sev-guest and go-tdx-guest.  Each line of standard
// input is "snp NOW REPORT LEAF" or "tdx NOW QUOTE", hexadecimal; each line of
// output that begins with "=" is "=ok" or the error.
package main

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	sevabi "github.com/google/go-sev-guest/abi"
	sevproto "github.com/google/go-sev-guest/proto/sevsnp"
	sev "github.com/google/go-sev-guest/verify"
	tdx "github.com/google/go-tdx-guest/verify"
)

func snp(now time.Time, report, leaf []byte) error {
	parsed, err := sevabi.ReportToProto(report)
	if err != nil {
		return err
	}
	a := &sevproto.Attestation{Report: parsed,
		CertificateChain: &sevproto.CertificateChain{VcekCert: leaf}}
	o := sev.DefaultOptions()
	o.DisableCertFetching = true
	o.Now = now
	return sev.SnpAttestation(a, o)
}

func td(now time.Time, quote []byte) error {
	o := tdx.DefaultOptions()
	o.CheckRevocations, o.GetCollateral = false, false
	o.Now = now
	return tdx.RawTdxQuote(quote, o)
}

func judge(words []string) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	secs, _ := strconv.ParseInt(words[1], 10, 64)
	now := time.Unix(secs, 0)
	evidence, _ := hex.DecodeString(words[2])
	if words[0] == "tdx" {
		return td(now, evidence)
	}
	leaf, _ := hex.DecodeString(words[3])
	return snp(now, evidence, leaf)
}

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		if err := judge(strings.Fields(line)); err != nil {
			fmt.Println("=" + strings.ReplaceAll(err.Error(), "\n", " "))
		} else {
			fmt.Println("=ok")
		}
	}
}
