/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receipts in files (docs/protocol.md, "Receipts"): what a Keep signed about
 * a run, the Keep's evidence, and the texts whose digests it names.  Whoever
 * has the file can check it later, without a host or a network.
 */
#ifndef CLIENT_RECEIPT_H
#define CLIENT_RECEIPT_H

#include "base/buf.h"
#include "base/err.h"

/* "verify receipt": text or JSON is appended; *accepted: the evidence is by
 * the policy (NULL: the default), the signature by its key, and every digest
 * is right.  ERR_INPUT when the file is no receipt. */
MUST_USE bool client_receipt_check(const char *file, const char *policy,
	const char *images, bool json, struct buf *out, bool *accepted,
	struct err *e);

#endif
