/* SPDX-License-Identifier: Apache-2.0 */
/* What a tenant asks of the host agent: the body of POST /v1/keeps
 * (docs/protocol.md, "HTTP API"), untrusted. */
#ifndef HOST_ASK_H
#define HOST_ASK_H

#include "base/bytes.h"
#include "base/err.h"
#include "host/gate_serve.h"

#define ASK_MAX_BYTES	   (64u << 10)
#define ASK_MEMORY_MIN	   (UINT64_C(16) << 20)
#define ASK_MEMORY_DEFAULT (UINT64_C(1) << 30)

enum ask_platform { ASK_AUTO, ASK_HARDWARE, ASK_SOFTWARE };

struct ask {
	char tee[16]; /* lower-case letters, digits, hyphens */
	enum ask_platform platform;
	uint8_t nonce[32];
	uint8_t owner_key_hash[32];
	uint64_t memory;			 /* bytes; 0: not said */
	struct gate_port listen[GATE_MAX_PORTS]; /* no port twice */
	size_t listen_count;
	bool connect; /* it wants to */
};

MUST_USE bool ask_parse(struct bytes in, struct ask *out, struct err *e);

#endif
