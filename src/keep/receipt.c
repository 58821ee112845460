/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/receipt.h"

#include "crypto/hash.h"
#include "keep/keep.h"

static void copy(uint8_t to[32], const uint8_t from[32])
{
	memcpy(to, from, CRYPTO_SHA256_BYTES);
}

static bool fill(const struct keep *k, struct attest_receipt *r, struct err *e)
{
	const struct keep_workload *w = &k->load;
	const struct frame_exit *x = &k->exit;
	*r = (struct attest_receipt){ .end = x->end,
		.status = x->status,
		.started_ns = k->began,
		.ended_ns = k->ended,
		.stdin_bytes = x->stdin_bytes,
		.stdout_bytes = x->stdout_bytes,
		.stderr_bytes = x->stderr_bytes,
		.has_package = w->has_part[FRAME_PART_MANIFEST - 1],
		.has_toml = w->has_part[FRAME_PART_TOML - 1],
		.has_policy = w->has_part[FRAME_PART_POLICY - 1] };
	copy(r->claims, k->identity.claims);
	copy(r->module, w->module_sha256);
	copy(r->package, w->parts[FRAME_PART_MANIFEST - 1]);
	copy(r->toml, w->parts[FRAME_PART_TOML - 1]);
	copy(r->policy, w->parts[FRAME_PART_POLICY - 1]);
	copy(r->files, w->files_sha256);
	return crypto_digest(CRYPTO_SHA256, buf_bytes(&w->raw), r->settings, e);
}

bool keep_receipt_make(const struct keep *k, struct buf *out, struct err *e)
{
	struct attest_receipt r;
	auto_buf statement = { .len = 0 }, sig = { .len = 0 };
	if (!fill(k, &r, e))
		return false;
	if (!attest_receipt_encode(&r, &statement))
		return err_fail(e, ERR_LIMIT, "receipt: no memory");
	if (!attest_receipt_sign(k->identity.key, buf_bytes(&statement), &sig,
		    e))
		return false;
	const struct frame_receipt x = { buf_bytes(&statement),
		buf_bytes(&sig) };
	return frame_receipt_encode(&x, out) ||
		err_fail(e, ERR_LIMIT, "receipt: no memory");
}
