/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receipts in files (docs/protocol.md, "Receipts"): what a Keep signed about
 * a run, the Keep's evidence, and the texts whose digests it names.  Whoever
 * has the file can check it later, without a host or a network.
 *
 * Who leaves before the program ends notes what she knows of the run beside
 * the Keep's record; whoever of hers sees the end makes the file from it.
 */
#ifndef CLIENT_RECEIPT_H
#define CLIENT_RECEIPT_H

#include "base/buf.h"
#include "base/err.h"
#include "client/paths.h"
#include "client/session.h"

/* What is known of a run before it ends, and a receipt is made from.
 * Borrowed. */
struct client_receipt_due {
	struct bytes claims, evidence, endorsements, certificate;
	struct bytes parts[FRAME_PART_POLICY]; /* by enum frame_part - 1 */
	const uint8_t *module;		       /* SHA-256 */
};

/* Judges what the Keep said at its end and writes the file. */
MUST_USE bool client_receipt_write(const struct client_receipt_due *d,
	const struct client_outcome *o, const char *file, struct err *e);

/* Before the program starts: for who comes back to Keep `id`.  file: where
 * the receipt is to be written. */
MUST_USE bool client_receipt_note(const char *id,
	const struct client_receipt_due *d, const char *file, struct err *e);
/* *noted: was that done?  file: where it will be written; a file of another
 * name goes before the noted one.  Refuses what cannot be written. */
MUST_USE bool client_receipt_expect(const char *id, const char *other,
	char file[CLIENT_PATH_MAX], bool *noted, struct err *e);
/* The same as _write, from the note. */
MUST_USE bool client_receipt_collect(const char *id,
	const struct client_outcome *o, const char *file, struct err *e);

/* "verify receipt": text or JSON is appended; *accepted: the evidence is by
 * the policy (NULL: the default), the signature by its key, and every digest
 * is right.  ERR_INPUT when the file is no receipt. */
MUST_USE bool client_receipt_check(const char *file, const char *policy,
	const char *images, bool json, struct buf *out, bool *accepted,
	struct err *e);

#endif
