/* SPDX-License-Identifier: Apache-2.0 */
/* A stream to a service of the host's, which has so long for each step.  Errors
 * (ERR_HOST) say who it is. */
#ifndef HAL_SERVICE_H
#define HAL_SERVICE_H

#include <sys/socket.h>

#include "base/bytes.h"
#include "base/err.h"

struct service {
	const char *name;
	int wait_s;
};

/* *fd is the caller's. */
MUST_USE bool service_dial(const struct service *s, const struct sockaddr *to,
	socklen_t len, const char *where, int *fd, struct err *e);
/* To a Unix socket. */
MUST_USE bool service_open(const struct service *s, const char *path, int *fd,
	struct err *e);
/* What a service that hung up leaves unsent is no failure: its last words are
 * still to be received. */
MUST_USE bool service_send(const struct service *s, int fd, struct bytes out,
	struct err *e);
MUST_USE bool service_recv(const struct service *s, int fd, uint8_t *to,
	size_t n, struct err *e);

#endif
