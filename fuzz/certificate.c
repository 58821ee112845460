/* SPDX-License-Identifier: Apache-2.0 */
/* Vendors' certificates and revocation lists, the SGX extensions of a PCK
 * certificate, the extensions of Enarx's requests: every span lies in the
 * input. */
#include "attest/cert.h"
#include "attest/enarx.h"
#include "attest/intel.h"
#include "base/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void within(struct bytes all, struct bytes part)
{
	must(!part.len ||
		(part.ptr >= all.ptr &&
			part.len <= all.len - (size_t)(part.ptr - all.ptr)));
}

/* What an extension of a request holds. */
static void request(struct bytes value,
	bool (*read)(struct attest_bundle *, struct bytes, struct err *))
{
	struct attest_bundle b = { 0 };
	struct err e = { 0 };
	if (read(&b, value, &e))
		must(b.evidence.len <= value.len);
	else
		must(e.kind != ERR_NONE);
	attest_bundle_fini(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct intel_pck pck;
	struct bytes in = bytes_of(data, size), v;
	struct attest_cert c;
	struct attest_crl l;
	if (attest_cert_parse(in, &c, NULL)) {
		within(in, c.tbs);
		within(in, c.serial);
		within(in, c.spki);
		within(in, c.sig);
		within(in, attest_cert_cn(c.subject));
		if (attest_cert_ext(&c, BYTES_LIT("\x55\x1d\x13"), &v))
			within(in, v);
		must(!attest_cert_signed_by(&c, &c, NULL, NULL) || c.ca);
		if (attest_pck_read(&c, &pck, NULL))
			must(attest_cert_ext(&c,
				BYTES_LIT(
					"\x2a\x86\x48\x86\xf8\x4d\x01\x0d\x01"),
				&v));
	}
	request(in, attest_enarx_snp);
	request(in, attest_enarx_sgx);
	if (attest_crl_parse(in, &l, NULL)) {
		within(in, l.tbs);
		within(in, l.revoked);
		must(!attest_crl_has(&l, BYTES_LIT("\x02\x00\x01")) ||
			l.revoked.len);
	}
	return 0;
}
