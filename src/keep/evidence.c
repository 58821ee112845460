/* SPDX-License-Identifier: Apache-2.0 */
#include "keep/evidence.h"

#include <sys/auxv.h>

#include "attest/claims.h"
#include "keep/sanctum.h"
#include "keep/snp.h"
#include "keep/tdx.h"

enum { REPORT_DATA_BYTES = 64 };

struct gate_shim *keep_shim(void)
{
	return (struct gate_shim *)getauxval(GATE_AUX_SHIM);
}

/* The firmware's report, in a message that nobody between us can read. */
static bool by_firmware(struct keep_gate *g, const struct gate_shim *s,
	const uint8_t report_data[64], struct buf *evidence,
	struct buf *endorsements, struct err *e)
{
	uint8_t message[PAGE_BYTES];
	auto_buf answer = { .len = 0 };
	return keep_snp_ask(s, report_data, message, e) &&
		keep_gate_evidence(g, BYTES_ARRAY(message), &answer,
			endorsements, e) &&
		keep_snp_answer(s, buf_bytes(&answer), report_data, evidence,
			e);
}

/* The module's report, which no host has touched, and a quote of it. */
static bool by_module(struct keep_gate *g, const uint8_t report_data[64],
	struct buf *evidence, struct buf *endorsements, struct err *e)
{
	uint8_t report[KEEP_TDX_REPORT_BYTES];
	return keep_tdx_report(report_data, report, e) &&
		keep_gate_evidence(g, BYTES_ARRAY(report), evidence,
			endorsements, e) &&
		keep_tdx_check(BYTES_ARRAY(report), buf_bytes(evidence), e);
}

/* The monitor's word is whole; the host adds who vouches for its maker.  What
 * it says the evidence is nobody looks at. */
static bool by_monitor(struct keep_gate *g, const uint8_t report_data[64],
	struct buf *evidence, struct buf *endorsements, struct err *e)
{
	struct sanctum_evidence v;
	auto_buf answer = { .len = 0 };
	if (!keep_sanctum_report(report_data, &v, e) ||
		!keep_gate_evidence(g, bytes_of(&v, sizeof v), &answer,
			endorsements, e))
		return false;
	return buf_put(evidence, bytes_of(&v, sizeof v)) ||
		err_fail(e, ERR_LIMIT, "evidence: no memory");
}

bool keep_evidence(struct keep_gate *g, struct gate_shim *shim,
	const uint8_t report_data[64], struct buf *evidence,
	struct buf *endorsements, uint32_t *tag, struct err *e)
{
	struct gate_shim s = { 0 };
	bool ok;
	if (shim && (shim->version != 1 || shim->tee != g->boot.tee))
		return err_fail(e, ERR_HOST,
			"evidence: technology %u, the host says %u", shim->tee,
			g->boot.tee);
	if (shim) {
		s = *shim;
		explicit_bzero(shim->key, sizeof shim->key);
	}
	if (s.tee == GATE_TEE_SNP) {
		*tag = ATTEST_TAG_SNP;
		ok = by_firmware(g, &s, report_data, evidence, endorsements, e);
	} else if (s.tee == GATE_TEE_TDX) {
		*tag = ATTEST_TAG_INTEL;
		ok = by_module(g, report_data, evidence, endorsements, e);
	} else if (s.tee == GATE_TEE_SANCTUM) {
		*tag = ATTEST_TAG_SANCTUM;
		ok = by_monitor(g, report_data, evidence, endorsements, e);
	} else {
		/* sgx: the shim turns it into a report for the host's quoting
		 * enclave. */
		*tag = s.tee == GATE_TEE_SGX ? ATTEST_TAG_INTEL :
					       ATTEST_TAG_SOFTWARE;
		ok = keep_gate_evidence(g,
			bytes_of(report_data, REPORT_DATA_BYTES), evidence,
			endorsements, e);
	}
	explicit_bzero(&s, sizeof s);
	return ok;
}
