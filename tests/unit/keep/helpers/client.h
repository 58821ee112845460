/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Keep in a thread of the test, with an honest host beside it, and clients
 * that talk to it: attested TLS and frames over a socketpair.
 */
#ifndef TESTS_KEEP_CLIENT_H
#define TESTS_KEEP_CLIENT_H

#include "base/buf.h"
#include "channel/channel.h"
#include "host.h"
#include "keep/keep.h"

struct lab {
	struct host host;
	struct keep keep;
	pthread_t thread;
	bool joined;
	bool over; /* the Keep has ended; atomic */
	struct crypto_key *owner;
	struct err e; /* the Keep's */
	enum gate_exit reason;
	pthread_mutex_t lock;
	pthread_cond_t published;
	bool has_face;
	uint8_t spki_hash[32]; /* of the Keep, from its certificate */
	struct buf face[4];    /* what it published */
	void (*lie)(struct host *h, uint32_t op); /* the test's own */
};

struct client {
	struct lab *lab;
	int fd;
	struct crypto_key *key;
	struct channel_identity *identity;
	struct channel *channel;
	bool heard;	     /* something came in the last turn */
	bool ended;	     /* the Keep hung up */
	struct buf out, err; /* what the program wrote */
	struct buf results;  /* "dir/\nname=contents\n" of what came back */
	char name[256];	     /* of the result file that DATA belongs to */
	uint64_t due;
	bool greeted, started, exited, results_end;
	struct frame_exit exit;
	struct frame_status status;
	struct buf receipt; /* RECEIPT's payload */
	struct err error;   /* the Keep's ERROR frame; ERR_NONE */
	struct err e;	    /* of our end */
};

/* Prepares host and owner; the test may change lab->host then. */
struct lab *lab_new(void);
void lab_start(struct lab *l);
/* Waits for the Keep's end. */
enum gate_exit lab_join(struct lab *l);
void lab_free(struct lab *l);

/* Connects as the lab's owner, or with another key. */
struct client *client_new(struct lab *l, const struct crypto_key *key);
void client_free(struct client *c); /* vanishes */

bool client_say(struct client *c, enum frame_type type, struct bytes payload);
void client_hello(struct client *c, enum frame_role role);
void client_config(struct client *c, const struct frame_config *cfg);
void client_file(struct client *c, uint32_t mount, const char *path,
	struct bytes contents);
void client_module(struct client *c, struct bytes module);
void client_start(struct client *c);
void client_signal(struct client *c, uint32_t signal);
void client_logs(struct client *c, uint64_t from);
/* Sends within the credit, reading meanwhile; false when the Keep ended. */
bool client_stdin(struct client *c, struct bytes in);
void client_stdin_end(struct client *c);
/* Reads what comes until the condition holds or the Keep hangs up.  Fails the
 * test when neither happens in half a minute. */
void client_until(struct client *c, bool (*met)(const struct client *c));
bool client_handshaken(const struct client *c);
bool client_started(const struct client *c);
bool client_over(const struct client *c);
bool client_answered(const struct client *c); /* started or over */
bool client_has_output(const struct client *c);
/* One round: sends, waits at most ms, reads. */
void client_turn(struct client *c, int ms);

/* HELLO .. START with that program of tests/wasm. */
struct client *client_deploy(struct lab *l, struct bytes module,
	const struct frame_config *cfg);
/* $(O)/tests/wasm/NAME.wasm; ends the test as skipped when it is not there */
struct bytes program(const char *name);

#endif
