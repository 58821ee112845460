/* SPDX-License-Identifier: Apache-2.0 */
/* A hash that follows a file while it grows, in a thread of its own: who
 * receives need not wait for it.  What is hashed is what lies there. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "crypto/hash.h"
#include "repository/cache_priv.h"

/* Bytes that are worth waking it, and a thread at all; its stack. */
enum { STEP = 1 << 20, STACK = 256 << 10, BLOCK = 256 << 10 };

struct repository_follower {
	int fd; /* borrowed */
	struct crypto_hash *hash;
	uint8_t *block;
	bool runs;
	pthread_t thread;
	pthread_mutex_t lock; /* of the rest */
	pthread_cond_t more;
	uint64_t there;	  /* bytes of the file that may be read */
	uint64_t done;	  /* bytes that are hashed; the thread's own */
	atomic_bool stop; /* nobody wants to know any more */
	bool end;	  /* there will be no more */
	struct err why;	  /* of the thread, once it ended */
};

bool repository_follower_new(int fd, struct repository_follower **out,
	struct err *e)
{
	struct repository_follower *f = calloc(1, sizeof *f);
	uint8_t *block = malloc(BLOCK);
	if (!f || !block || !crypto_hash_new(CRYPTO_SHA256, &f->hash, e)) {
		free(block);
		free(f);
		return err_fail(e, ERR_LIMIT, "no memory");
	}
	f->fd = fd;
	f->block = block;
	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->more, NULL);
	*out = f;
	return true;
}

/* Up to `to`. */
static bool follow(struct repository_follower *f, uint64_t to, struct err *e)
{
	while (f->done < to && !atomic_load(&f->stop)) {
		size_t n =
			to - f->done < BLOCK ? (size_t)(to - f->done) : BLOCK;
		ssize_t k = pread(f->fd, f->block, n, (off_t)f->done);
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return err_fail(e, ERR_HOST, "cache: read: %s",
				k ? strerror(errno) : "cut short");
		if (!crypto_hash_add(f->hash, bytes_of(f->block, (size_t)k), e))
			return false;
		f->done += (uint64_t)k;
	}
	return true;
}

static void *run(void *ctx)
{
	struct repository_follower *f = ctx;
	bool end = false;
	while (!end) {
		pthread_mutex_lock(&f->lock);
		while (f->there == f->done && !f->end)
			pthread_cond_wait(&f->more, &f->lock);
		uint64_t to = f->there;
		end = f->end;
		pthread_mutex_unlock(&f->lock);
		if (!follow(f, to, &f->why))
			return NULL;
	}
	return f;
}

static void start(struct repository_follower *f)
{
	pthread_attr_t a;
	if (pthread_attr_init(&a))
		return;
	pthread_attr_setstacksize(&a, STACK);
	/* Without a thread it is all hashed at the end. */
	f->runs = !pthread_create(&f->thread, &a, run, f);
	pthread_attr_destroy(&a);
}

void repository_follower_tell(struct repository_follower *f, uint64_t bytes)
{
	if (bytes - f->there < STEP)
		return;
	pthread_mutex_lock(&f->lock);
	f->there = bytes;
	pthread_cond_signal(&f->more);
	pthread_mutex_unlock(&f->lock);
	if (!f->runs)
		start(f);
}

/* Waits for the thread; false when it failed. */
static bool join(struct repository_follower *f, uint64_t bytes, struct err *e)
{
	void *good = NULL;
	pthread_mutex_lock(&f->lock);
	f->there = bytes;
	f->end = true;
	pthread_cond_signal(&f->more);
	pthread_mutex_unlock(&f->lock);
	pthread_join(f->thread, &good);
	f->runs = false;
	if (!good && e)
		*e = f->why;
	return good != NULL;
}

bool repository_follower_end(struct repository_follower *f, uint64_t bytes,
	uint8_t digest[32], struct err *e)
{
	return (!f->runs || join(f, bytes, e)) && follow(f, bytes, e) &&
		crypto_hash_end(f->hash, digest, e);
}

void repository_follower_free(struct repository_follower *f)
{
	if (!f)
		return;
	atomic_store(&f->stop, true);
	if (f->runs)
		(void)join(f, f->there, NULL);
	pthread_cond_destroy(&f->more);
	pthread_mutex_destroy(&f->lock);
	crypto_hash_free(f->hash);
	free(f->block);
	free(f);
}
