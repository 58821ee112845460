/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A resource is released where it is declared; _move hands it on.
 *
 *	auto_fd fd = open(...);		closed at the end of the scope
 *	auto_free char *s = strdup(x);	freed
 *	auto_wipe(uint8_t, key, 32);	zeroed
 */
#ifndef BASE_CLEANUP_H
#define BASE_CLEANUP_H

#include <stdlib.h>
#include <unistd.h>

#include "base/base.h"

static inline void cleanup_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline int fd_move(int *fd)
{
	int moved = *fd;
	*fd = -1;
	return moved;
}

static inline void cleanup_free(void *pp)
{
	void *p;
	memcpy(&p, pp, sizeof p);
	free(p);
}

#define ptr_move(pp)                              \
	(__extension__({                          \
		__typeof__(*(pp)) moved_ = *(pp); \
		*(pp) = NULL;                     \
		moved_;                           \
	}))

struct wiper {
	void *ptr;
	size_t len;
};

static inline void cleanup_wipe(struct wiper *w)
{
	explicit_bzero(w->ptr, w->len);
}

#define auto_fd	  __attribute__((cleanup(cleanup_fd))) int
#define auto_free __attribute__((cleanup(cleanup_free)))
#define auto_wipe(type, name, count)          \
	type name[count];                     \
	__attribute__((cleanup(cleanup_wipe), \
		unused)) struct wiper name##_wiper = { name, sizeof name }

#endif
