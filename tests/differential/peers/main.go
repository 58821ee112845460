// SPDX-License-Identifier: Apache-2.0

// Judges evidence with go-sev-guest and go-tdx-guest.  Each line of standard
// input is "vcek NOW REPORT LEAF", "vlek NOW REPORT LEAF ASVK ASK ARK" or "tdx
// NOW QUOTE", all but the first two in hexadecimal; each line of output that
// begins with "=" is "=ok" or the error.
package main

import (
	"bufio"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	sevabi "github.com/google/go-sev-guest/abi"
	sevproto "github.com/google/go-sev-guest/proto/sevsnp"
	sev "github.com/google/go-sev-guest/verify"
	"github.com/google/go-sev-guest/verify/trust"
	tdx "github.com/google/go-tdx-guest/verify"
)

// Roots with the certificate above VLEKs, which the package does not bring.
func roots(asvk, ask, ark []byte) (map[string][]*trust.AMDRootCerts, error) {
	r := trust.AMDRootCertsProduct("Milan")
	c := &trust.ProductCerts{}
	for _, one := range []struct {
		der []byte
		to  **x509.Certificate
	}{{asvk, &c.Asvk}, {ask, &c.Ask}, {ark, &c.Ark}} {
		cert, err := x509.ParseCertificate(one.der)
		if err != nil {
			return nil, err
		}
		*one.to = cert
	}
	r.ProductCerts = c
	return map[string][]*trust.AMDRootCerts{"Milan": {r}}, nil
}

func snp(now time.Time, report, leaf []byte, above [][]byte) error {
	parsed, err := sevabi.ReportToProto(report)
	if err != nil {
		return err
	}
	a := &sevproto.Attestation{Report: parsed,
		CertificateChain: &sevproto.CertificateChain{VcekCert: leaf}}
	o := sev.DefaultOptions()
	if len(above) == 3 {
		a.CertificateChain = &sevproto.CertificateChain{VlekCert: leaf}
		o.TrustedRoots, err = roots(above[0], above[1], above[2])
		if err != nil {
			return err
		}
	}
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
	var above [][]byte
	for _, word := range words[4:] {
		der, _ := hex.DecodeString(word)
		above = append(above, der)
	}
	return snp(now, evidence, leaf, above)
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
