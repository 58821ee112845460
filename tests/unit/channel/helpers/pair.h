/* SPDX-License-Identifier: Apache-2.0 */
/* Two ends of a channel in one process. */
#ifndef TESTS_UNIT_CHANNEL_PAIR_H
#define TESTS_UNIT_CHANNEL_PAIR_H

#include <stdlib.h>

#include "../../test.h"
#include "channel/channel.h"

struct end {
	struct crypto_key *key;
	struct channel_identity *id;
	uint8_t hash[32]; /* of the SPKI */
};

void end_make(struct end *x);
void end_fini(struct end *x);

struct pair {
	struct end client, keep;
	struct channel *c, *k;
	struct err client_err, keep_err; /* kind ERR_NONE: fine so far */
	size_t step;			 /* bytes carried at once; 0: all */
	uint64_t carried;		 /* bytes of ciphertext, both ways */
};

/* Both ends expect each other. */
void pair_make(struct pair *p);
/* With other expectations: what the client thinks is the Keep's key, and
 * the Keep the owner's. */
void pair_make_expecting(struct pair *p, const uint8_t *keep,
	const uint8_t *owner);
void pair_fini(struct pair *p);

/* Carries ciphertext both ways until neither end has any more. */
void pair_carry(struct pair *p);
/* Carries what one end has to the other; false when that broke it. */
bool pair_carry_one(struct pair *p, struct channel *from, struct channel *to,
	struct err *e);
/* make, carry, both open. */
void pair_open(struct pair *p);

/* One frame from one end to the other; checks that it arrives as sent. */
void pair_say(struct pair *p, enum frame_side side, enum frame_type type,
	struct bytes payload);
/* HELLO both ways, CONFIG, an empty MODULE, START both ways. */
void pair_start(struct pair *p);
void pair_hello(struct pair *p, enum frame_role role);

#endif
