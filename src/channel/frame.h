/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames of the channel, inside TLS (docs/protocol.md, "Frames").  A frame
 * is an 8-byte head and a payload of at most FRAME_MAX_PAYLOAD bytes:
 *
 *	OFFSET SIZE MEANING
 *	0      1    type
 *	1      1    flags, 0
 *	2      2    reserved, 0
 *	4      4    payload length, little-endian
 *
 * What is legal when is one table (frame_edges in frame.c), followed by both
 * ends; anything else ends the channel with the frame's and state's names.
 */
#ifndef CHANNEL_FRAME_H
#define CHANNEL_FRAME_H

#include "base/buf.h"
#include "base/err.h"
#include "base/reader.h"

#define FRAME_VERSION	     1u
#define FRAME_HEAD	     8u
#define FRAME_MAX_PAYLOAD    0x20000u /* 128 KiB */
#define FRAME_DATA_CHUNK     0x10000u /* what our ends send at most: 64 KiB */
#define FRAME_EXIT_TEXT_MAX  1023u
#define FRAME_ERROR_TEXT_MAX 251u

enum frame_type {
	/* both ways, first: u32 version, u32 role (frame_role), u64 reserved */
	FRAME_HELLO = 1,
	/* client, once, before MODULE: struct frame_config, encoded */
	FRAME_CONFIG = 2,
	/* client, once: u64 size, 32 bytes SHA-256; DATA follows */
	FRAME_MODULE = 3,
	/* client before START: u32 mount, u32 mode bits, u64 mtime ns,
	 * u64 size, 32 bytes SHA-256, u16 path length, path; DATA follows.
	 * Keep after the end: the same, for writable mounts. */
	FRAME_FILE = 4,
	/* both: bytes of the object begun last, in order, until complete */
	FRAME_DATA = 5,
	/* client before START: u64 ns since 1970 */
	FRAME_TIME = 6,
	/* client: empty.  Keep: empty, when the program is about to run */
	FRAME_START = 7,
	/* client: bytes within the credit; empty: end of file */
	FRAME_STDIN = 8,
	/* Keep: bytes */
	FRAME_STDOUT = 9,
	FRAME_STDERR = 10,
	/* Keep: u32 more bytes of STDIN that it will take */
	FRAME_CREDIT = 11,
	/* client: u32 signal (frame_signal) */
	FRAME_SIGNAL = 12,
	/* Keep, last: struct frame_exit, encoded */
	FRAME_EXIT = 13,
	/* either, last: u8 enum err_kind, text: why the sender hangs up */
	FRAME_ERROR = 14,
	/* Keep to an attached client, first after HELLO: struct frame_status */
	FRAME_STATUS = 15,
	/* client, for a detached Keep's log: u64 byte offset to begin at */
	FRAME_LOGS = 16,
	/* Keep: results are complete (all FILEs sent); EXIT follows */
	FRAME_RESULTS_END = 17,
	/* client before START: u32 part (frame_part), u64 size, 32 bytes
	 * SHA-256; DATA follows.  What the workload came from: only hashed. */
	FRAME_PACKAGE = 18,
	/* Keep, before EXIT, when CONFIG asked for it: u16 length, statement,
	 * u16 length, signature (attest/receipt.h) */
	FRAME_RECEIPT = 19,
	/* client, after CONFIG, before START: u64 size, 32 bytes SHA-256,
	 * u32 TLS profile; DATA follows: the authorities that its peers'
	 * certificates must end in */
	FRAME_TRUST = 20,
	FRAME_TYPE_COUNT = 21,
};

/* What a client came for; said in its HELLO.  The Keep answers with its own
 * HELLO, role 0. */
enum frame_role {
	FRAME_ROLE_KEEP = 0,
	FRAME_ROLE_DEPLOY = 1, /* bring the workload; once per Keep */
	FRAME_ROLE_ATTACH = 2, /* take over stdio of a running workload */
	FRAME_ROLE_LOGS = 3,   /* read what it wrote so far, then follow */
	FRAME_ROLE_STOP = 4,   /* end it */
	FRAME_ROLE_STATUS = 5, /* how far it is, nothing else */
	FRAME_ROLE_COUNT = 6,
};

/* HELLO's payload; a version that is not ours is refused (ERR_INPUT), and so
 * is a role that does not exist. */
bool frame_hello_encode(enum frame_role role, struct buf *out);
MUST_USE bool frame_hello_parse(struct bytes in, enum frame_role *role,
	struct err *e);

enum frame_signal {
	FRAME_SIGNAL_INTERRUPT = 2,  /* orderly stop: the program ends, 130 */
	FRAME_SIGNAL_TERMINATE = 15, /* 143 */
	FRAME_SIGNAL_DETACH = 100,   /* the client goes, the program stays */
};

enum frame_end {
	FRAME_END_EXITED = 0,  /* status is the program's */
	FRAME_END_TRAPPED = 1, /* status 134 */
	FRAME_END_STOPPED = 2, /* status 128 + signal */
	FRAME_END_TIMEOUT = 3, /* status 124 */
	FRAME_END_LIMIT = 4,   /* memory or another limit; status 124 */
	FRAME_END_REFUSED = 5, /* the workload is not a valid one; 121 */
	FRAME_END_NETWORK = 6, /* a socket of CONFIG could not be had; 12x */
	FRAME_END_COUNT = 7,
};

struct frame_exit {
	uint32_t status;
	uint32_t end;	      /* enum frame_end */
	uint64_t run_ns;      /* from START to the end */
	uint64_t memory_peak; /* bytes of linear memory, engine and files */
	uint64_t stdin_bytes, stdout_bytes, stderr_bytes;
	char text[1024]; /* trap and stack, or why it was refused */
};

enum frame_state_run {
	FRAME_RUN_EMPTY = 0,
	FRAME_RUN_LOADING = 1,
	FRAME_RUN_RUNNING = 2,
	FRAME_RUN_ENDED = 3,
};

struct frame_status {
	uint32_t state;	 /* enum frame_state_run */
	uint32_t status; /* exit status when ended */
	uint64_t run_ns;
	uint64_t log_first; /* offset of the oldest byte of output kept */
	uint64_t log_end;   /* offset after the newest */
};

/* --- the workload's configuration, in the form the Keep takes ---------- */

enum frame_limits {
	FRAME_MAX_ARGS = 4096,
	FRAME_MAX_STRING = 0x8000,
	FRAME_MAX_MOUNTS = 64,
	FRAME_MAX_PATH = 4096,
	FRAME_MAX_FDS = 128,
	FRAME_MAX_RULES = 256,
	FRAME_MAX_PROFILES = 16,
	FRAME_MAX_HOST = 253, /* of a name (RFC 1035 §2.3.4) */
	FRAME_MAX_PINS = 64,  /* of a profile; owners too */
	FRAME_MAX_ALPN = 16,  /* of a profile */
	FRAME_MAX_TRUST = 4 << 20,
};

struct frame_mount {
	struct bytes guest; /* "/data" */
	bool writable;
	bool returned; /* comes back to the tenant when the program ends */
};

/* --- the program's descriptors and its network -------------------------- */

enum frame_fd_kind {
	FRAME_FD_NULL = 0,
	FRAME_FD_STDIN = 1,
	FRAME_FD_STDOUT = 2,
	FRAME_FD_STDERR = 3,
	FRAME_FD_MOUNT = 4,
	FRAME_FD_LISTEN = 5,
	FRAME_FD_CONNECT = 6,
	FRAME_FD_COUNT = 7,
};
enum frame_prot { FRAME_PROT_TCP = 1, FRAME_PROT_TLS = 2 };
#define FRAME_FD_NONBLOCK 0x1u /* starts with NONBLOCK set */

struct frame_fd {
	uint8_t kind;	   /* enum frame_fd_kind */
	uint8_t flags;	   /* FRAME_FD_NONBLOCK, of a socket */
	uint8_t prot;	   /* of a socket; 0 for any other */
	uint8_t profile;   /* of TLS, when prot says so */
	uint16_t number;   /* port of a socket, index of a mount; else 0 */
	struct bytes host; /* of CONNECT; else empty */
};

/* Where the program may connect, or listen, while it runs. */
struct frame_rule {
	uint8_t prot, profile;
	uint16_t first, last; /* ports */
	/* Of a connect rule: a name, "*.name", "*", an address, or
	 * address/bits.  Of a listen rule: empty. */
	struct bytes host;
};

/* Terms of TLS under a socket. */
#define FRAME_TLS_TRUST	   0x1u /* chains end in the profile's TRUST */
#define FRAME_TLS_REQUEST  0x2u /* clients are asked for a certificate ... */
#define FRAME_TLS_REQUIRE  0x4u /* ... and must have one */
#define FRAME_TLS_ATTESTED 0x8u /* the peer must be a Keep, by `policy` */
#define FRAME_TLS_FLAGS	   0xfu

struct frame_tls {
	uint32_t flags;
	struct bytes pins; /* SHA-256 of SPKIs, 32 bytes each; one must be */
	struct bytes alpn; /* u8 length, name, each (RFC 7301 §3.1) */
	/* Owners (key hashes) of Keeps that are accepted; none: our own. */
	struct bytes owners;
	struct bytes policy; /* attest/wire.h */
	/* In place of the Keep's own certificate: DER, u32 length each, the
	 * leaf first; and its key, PKCS#8. */
	struct bytes chain, key;
};

/*
 * CONFIG's payload: u32 version; u64 memory limit, file bytes, run time ns
 * (0: none), fuel (0: none); u16 flags, u16 threads; then u16 count and entries
 * of args, env (u16 length, bytes each), mounts (u16 length, bytes, u8 flags),
 * and u8 kind for each of stdin, stdout, stderr.  Version 1 ends here; version
 * 2 goes on with descriptors (at least one, which then stand for all of them),
 * connect rules, listen rules and TLS profiles: docs/protocol.md.
 */
enum frame_stdio { FRAME_STDIO_CHANNEL = 0, FRAME_STDIO_NULL = 1 };
#define FRAME_CONFIG_DETACHED 0x1u /* keep running when the client goes */
#define FRAME_CONFIG_TTY_IN   0x2u
#define FRAME_CONFIG_TTY_OUT  0x4u
#define FRAME_CONFIG_TTY_ERR  0x8u
#define FRAME_CONFIG_RECEIPT  0x10u /* a RECEIPT comes before EXIT */
#define FRAME_CONFIG_INTERP   0x20u /* nothing is compiled */
#define FRAME_CONFIG_FLAGS    0x3fu
#define FRAME_MAX_THREADS     4096u

struct frame_config {
	uint64_t memory_bytes, file_bytes, time_ns, fuel;
	uint32_t flags;
	uint16_t threads;   /* of the program at once; 0: the engine's own */
	struct bytes *args; /* args[0] is the program's name */
	size_t arg_count;
	struct bytes *env; /* KEY=value */
	size_t env_count;
	struct frame_mount *mounts;
	size_t mount_count;
	uint8_t stdio[3]; /* enum frame_stdio; null: no meaning beside fds */
	struct frame_fd *fds; /* from 0 on; none: version 1 */
	size_t fd_count;
	struct frame_rule *connects, *listens;
	size_t connect_count, listen_count;
	struct frame_tls *profiles;
	size_t profile_count;
};

#define FRAME_MODE_DIRECTORY 0x4000u
#define FRAME_MODE_SECRET    0x8000u /* overwritten when it goes */

struct frame_file {
	uint32_t mount; /* index into the CONFIG's mounts */
	bool directory; /* mode bit 0x4000; size is 0 then */
	bool secret;	/* mode bit 0x8000; of a file only */
	uint64_t mtime_ns;
	uint64_t size;
	uint8_t sha256[32];
	/* Below the mount: 1 to FRAME_MAX_PATH bytes without NUL, components
	 * never empty, "." or "..", no leading or trailing slash. */
	struct bytes path;
};

/* Parts of PACKAGE, each at most once. */
enum frame_part {
	FRAME_PART_MANIFEST = 1, /* of the package */
	FRAME_PART_TOML = 2,	 /* its Donjon.toml */
	FRAME_PART_POLICY = 3,	 /* what the tenant judged the Keep by */
};
#define FRAME_PART_MAX 0x400000u /* bytes of one: 4 MiB */

struct frame_package {
	uint32_t part;
	uint64_t size;
	uint8_t sha256[32];
};

struct frame_receipt {
	struct bytes statement, signature;
};

struct frame_module {
	uint64_t size;
	uint8_t sha256[32];
};

/* The contents: DER certificates, u32 length each. */
struct frame_trust {
	uint64_t size; /* at most FRAME_MAX_TRUST */
	uint8_t sha256[32];
	uint32_t profile;
};

/* Each encoder appends one payload, false without memory or beyond a limit
 * (the buffer is then unchanged or `failed`); each parser refuses what is out
 * of range, trailing bytes included, naming the field.  Parsed spans borrow
 * from `in`; frame_config_parse allocates its arrays (frame_config_fini frees
 * them). */
bool frame_config_encode(const struct frame_config *c, struct buf *out);
MUST_USE bool frame_config_parse(struct bytes in, struct frame_config *out,
	struct err *e);
void frame_config_fini(struct frame_config *c);
bool frame_file_encode(const struct frame_file *f, struct buf *out);
MUST_USE bool frame_file_parse(struct bytes in, struct frame_file *out,
	struct err *e);
bool frame_module_encode(const struct frame_module *m, struct buf *out);
MUST_USE bool frame_module_parse(struct bytes in, struct frame_module *out,
	struct err *e);
bool frame_package_encode(const struct frame_package *p, struct buf *out);
MUST_USE bool frame_package_parse(struct bytes in, struct frame_package *out,
	struct err *e);
bool frame_receipt_encode(const struct frame_receipt *r, struct buf *out);
MUST_USE bool frame_receipt_parse(struct bytes in, struct frame_receipt *out,
	struct err *e);
bool frame_trust_encode(const struct frame_trust *t, struct buf *out);
MUST_USE bool frame_trust_parse(struct bytes in, struct frame_trust *out,
	struct err *e);
bool frame_exit_encode(const struct frame_exit *x, struct buf *out);
MUST_USE bool frame_exit_parse(struct bytes in, struct frame_exit *out,
	struct err *e);
bool frame_status_encode(const struct frame_status *s, struct buf *out);
MUST_USE bool frame_status_parse(struct bytes in, struct frame_status *out,
	struct err *e);
bool frame_error_encode(enum err_kind kind, const char *text, struct buf *out);
MUST_USE bool frame_error_parse(struct bytes in, struct err *what,
	struct err *e); /* text: printable ASCII, the rest replaced by '?' */

/* --- the head ----------------------------------------------------------- */

void frame_head_put(uint8_t out[FRAME_HEAD], unsigned type, size_t len);
/* head: FRAME_HEAD bytes.  Refuses unknown types, flags, and a length that
 * the type can't have. */
MUST_USE bool frame_head_parse(struct bytes head, unsigned *type, size_t *len,
	struct err *e);

/* --- the state table ---------------------------------------------------- */

enum frame_side { FRAME_FROM_CLIENT, FRAME_FROM_KEEP };

/* Where a conversation stands, kept by both ends.  All-zero: nothing said. */
struct frame_talk {
	unsigned state;	    /* both sides' states and facts, see frame.c */
	uint64_t data_left; /* DATA still due from the side that began it */
	uint64_t credit;    /* STDIN bytes the client may still send */
};

const char *frame_type_name(unsigned type);
/* The last frame was said: EXIT, or ERROR by either. */
bool frame_talk_over(const struct frame_talk *t);
/*
 * Checks one frame, sent by `side`, against the table and moves on; false
 * (talk unchanged) names frame and state.  Looks into payloads only for
 * HELLO's role, MODULE's and FILE's sizes, DATA's and STDIN's lengths and
 * CREDIT's amount.
 */
MUST_USE bool frame_step(struct frame_talk *t, enum frame_side side,
	unsigned type, struct bytes payload, struct err *e);

#endif
