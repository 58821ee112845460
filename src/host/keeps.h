/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registry of Keeps: quotas, life cycle, listing, reaping.  A Keep is one
 * donjon-keep process and what it said of itself; donjond believes none of it
 * and checks only that it keeps to the protocol (docs/protocol.md,
 * "Control").  What breaks it is killed, and nothing but its own Keep ends.
 *
 * A Keep is `starting` until its evidence is there, then `attested`, then
 * `ended`; it holds its quota until its process is reaped, and is listed for
 * ten minutes more.
 */
#ifndef HOST_KEEPS_H
#define HOST_KEEPS_H

#include <sys/types.h>

#include "base/buf.h"
#include "base/log.h"
#include "host/ask.h"
#include "host/control.h"
#include "host/loop.h"
#include "host/options.h"

enum {
	KEEPS_LISTED_ENDED = 256, /* ended Keeps that are remembered */
	KEEPS_CHANNELS = 16,	  /* open at once, of one Keep */
};

enum keep_state { KEEP_STARTING, KEEP_ATTESTED, KEEP_ENDED, KEEP_STATES };

struct keep;
struct keeps;

/* A client's connection to a Keep. */
struct channel {
	struct channel *next;
	struct keep *keep;
	uint64_t id;
	int fd;		   /* borrowed */
	struct watch sock; /* the same, while it drains */
	struct timer timer;
	bool draining;
	unsigned rounds; /* of draining */
	/* The connection can be closed now; called once. */
	void (*done)(void *arg);
	void *arg;
};

/* Told once: the Keep is attested, or ended with keep->why. */
typedef void keep_waiter(struct keep *k, void *arg);

struct keep {
	struct keep *prev, *next; /* in order of creation */
	struct keeps *all;
	char id[33];
	char tee[16];
	uint8_t owner_key_hash[32];
	enum keep_state state;
	bool software;
	bool stopping; /* was told to stop */
	uint64_t memory;
	struct gate_port *ports; /* that it may listen on; owned */
	size_t port_count;
	int64_t created, ended; /* seconds since 1970 */
	uint64_t asked;		/* loop_now */
	char reason[32];
	struct err why;
	pid_t pid; /* 0: reaped */
	struct watch control;
	struct timer timer;
	struct buf claims, evidence, endorsements, certificate;
	struct channel *channels;
	uint64_t next_channel;
	unsigned open;		      /* channels, without the draining */
	uint64_t bytes_in, bytes_out; /* of channels that were closed */
	keep_waiter *waiter;
	void *waiter_arg;
};

struct keeps_config {
	const char *program; /* donjon-keep; all strings are borrowed */
	const char *image_dir, *root_path;
	unsigned max_keeps;
	uint64_t max_memory;  /* of all Keeps */
	uint64_t keep_memory; /* of one */
	uint64_t owner_wait_ns;
	const struct options *options; /* what Keeps may do in the network;
					  NULL: nothing */
	/* spawn_keep, but for tests */
	bool (*spawn)(const char *program, pid_t *pid, int *sock,
		struct err *e);
};

/* Why Keeps ended, for the metrics; what is none of these is "other". */
enum { KEEPS_REASONS = 12 };
extern const char *const keeps_reasons[KEEPS_REASONS];
/* Upper bounds, in ms, of the start-up histogram; the last is +Inf. */
enum { KEEPS_BUCKETS = 8 };
extern const unsigned keeps_bucket_ms[KEEPS_BUCKETS - 1];

struct keeps_totals {
	uint64_t started, refused, channels, bytes_in, bytes_out;
	uint64_t ended[KEEPS_REASONS];
	uint64_t start_bucket[KEEPS_BUCKETS], start_ns;
};

struct keeps {
	struct loop *loop;
	const struct log *log;
	struct keeps_config config;
	struct keep *first, *last;
	unsigned held; /* quota: Keeps with a process */
	uint64_t held_memory;
	unsigned listed_ended;
	struct keeps_totals totals;
};

void keeps_init(struct keeps *ks, struct loop *loop, const struct log *log,
	const struct keeps_config *config);
/* Kills what runs. */
void keeps_fini(struct keeps *ks);

/*
 * Starts a Keep of the technology `tee` (not "auto").  ERR_LIMIT: a quota;
 * ERR_DENIED: a port that Keeps may not have; ERR_HOST.  The waiter is called
 * later, never from here.  False with *out set: what is missing is held by a
 * Keep that has ended, or may be; the waiter is called when its process has,
 * too, and then it is worth another try.
 */
MUST_USE bool keeps_start(struct keeps *ks, const struct ask *ask,
	const char *tee, keep_waiter *waiter, void *arg, struct keep **out,
	struct err *e);
/* By its id; NULL when there is none. */
struct keep *keeps_find(const struct keeps *ks, const char *id);
/* Asks it to end, and kills it when it does not.  Nothing if it has ended. */
void keep_stop(struct keep *k);
void keeps_stop_all(struct keeps *ks);
void keeps_kill_all(struct keeps *ks);
/* After SIGCHLD. */
void keeps_reap(struct keeps *ks);
/* A process is left; a channel is open or drains. */
bool keeps_running(const struct keeps *ks);
bool keeps_connected(const struct keeps *ks);

/*
 * Hands sock (non-blocking; borrowed until done) to the Keep.  ERR_HOST: the
 * Keep is not ready; ERR_LIMIT: it has too many.  On failure done is not
 * called.
 */
MUST_USE bool channel_open(struct keep *k, int sock, void (*done)(void *arg),
	void *arg, struct err *e);
/* The host's own closing half: drains the client, then done. */
void channel_close(struct channel *c);
/* Done with it at once. */
void channel_drop(struct channel *c);

const char *keep_state_name(enum keep_state s);

#endif
