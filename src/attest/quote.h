/* SPDX-License-Identifier: Apache-2.0 */
/* Intel's quotes of versions 3 to 5, SGX and TDX, taken apart. */
#ifndef ATTEST_QUOTE_H
#define ATTEST_QUOTE_H

#include "base/bytes.h"
#include "base/err.h"
#include "spec/sgx.h"

/* Spans of the input. */
struct attest_quote {
	unsigned version;
	bool tdx;
	struct bytes signed_part; /* header and body */
	struct bytes body;	  /* struct sgx_report, struct tdx_report */
	struct bytes sig, key;	  /* of the quote: r || s, x || y */
	struct bytes qe_report, qe_sig, qe_auth;
	struct bytes pck_chain; /* PEM */
	size_t trailing;	/* bytes behind the signature data */
};

/* Looks like a quote: version, key type, technology. */
bool attest_quote_is(struct bytes in);
MUST_USE bool attest_quote_parse(struct bytes in, struct attest_quote *out,
	struct err *e);

#endif
