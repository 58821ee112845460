/* SPDX-License-Identifier: Apache-2.0 */
/* What receipt.c and receipt_check.c share. */
#ifndef CLIENT_RECEIPT_PRIV_H
#define CLIENT_RECEIPT_PRIV_H

#include "channel/frame.h"

enum { CLIENT_RECEIPT_MAX = 24 << 20 }; /* bytes of a file */

/* Without a text: was none announced? */
bool client_receipt_is_digest(struct bytes text, const uint8_t digest[32],
	bool there);
/* Signed by the key of that SubjectPublicKeyInfo? */
MUST_USE bool client_receipt_check_key(struct bytes spki,
	const struct frame_receipt *x, struct err *e);

#endif
