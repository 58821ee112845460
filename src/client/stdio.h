/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tenant's own standard input, output and error, used without ever
 * blocking on them and without changing them for others: a terminal or pipe
 * that we share with a shell must not become non-blocking under its feet.
 */
#ifndef CLIENT_STDIO_H
#define CLIENT_STDIO_H

#include "base/buf.h"
#include "base/err.h"

/* Output that waits for its reader: no more frames are taken beyond it. */
#define CLIENT_STDIO_WAITING 0x20000u

struct client_output {
	int fd, own_fd; /* own_fd: opened by us, or -1 */
	enum { CLIENT_OUT_ANY, CLIENT_OUT_FILE, CLIENT_OUT_SOCKET } kind;
	struct buf waiting;
	bool gone; /* nobody reads any more: bytes are dropped */
};

void client_output_open(struct client_output *o, int fd);
void client_output_close(struct client_output *o);
/* Writes what goes now, keeps the rest. */
MUST_USE bool client_output_put(struct client_output *o, struct bytes in,
	struct err *e);
/* poll says that it takes bytes. */
MUST_USE bool client_output_ready(struct client_output *o, struct err *e);

static inline bool client_output_waits(const struct client_output *o)
{
	return o->waiting.len > 0;
}

/* One read from fd, which poll says is ready.  *end at end of file. */
MUST_USE bool client_input_read(int fd, uint8_t *to, size_t room, size_t *n,
	bool *end, struct err *e);

#endif
