/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Judges a peer of the program that must itself be a Keep: by the evidence in
 * its certificate, the tenant's policy, and whom it obeys.  That the peer has
 * the certificate's key is for TLS to prove.
 */
#ifndef KEEP_JUDGE_H
#define KEEP_JUDGE_H

#include "channel/frame.h"
#include "keep/clock.h"

struct keep_judge;

/* own: the owner that counts when neither the profile nor its policy names
 * any. */
MUST_USE bool keep_judge_new(const struct frame_tls *t, const uint8_t own[32],
	struct keep_clock *clock, struct keep_judge **out, struct err *e);
void keep_judge_free(struct keep_judge *j);

/* ERR_DENIED: the check that failed.  For channel_terms_config.judge. */
MUST_USE bool keep_judge_peer(void *judge, struct bytes leaf, struct err *e);

#endif
