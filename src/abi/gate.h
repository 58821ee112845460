/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate: everything a Keep can ask of its host, and the memory through
 * which it asks (docs/protocol.md, "The gate").
 *
 * One shared, unencrypted area of fixed size; one request at a time.  The
 * Keep fills the request, rings the doorbell and waits for it to ring back;
 * the host fills the reply.  Both sides copy the other's fields out once and
 * judge the copy.  The transport of the doorbell differs with the technology
 * (process: one byte each way over a socketpair); the area does not.
 *
 * All fields are little-endian.  The list of operations is closed: a Keep
 * that asks for another one, or for one that its phase does not allow, is
 * ended by name; a host whose reply is out of range ends the Keep by name.
 */
#ifndef ABI_GATE_H
#define ABI_GATE_H

#include "base/base.h"

#define GATE_MAGIC	0x54474a44u /* "DJGT" */
#define GATE_VERSION	2u
#define GATE_AREA_BYTES 0x41000u /* 4 KiB of fields, 256 KiB of data */
#define GATE_DATA_BYTES 0x40000u

/* Where exec finds its doorbell and its area (an ordinary descriptor that it
 * maps; below a shim, the shim answers for both). */
#define GATE_BELL_FD 3
#define GATE_AREA_FD 4

enum gate_op {
	/* in: evidence request (64 bytes of report data; snp: a message to
	 * the firmware, 4096 bytes; tdx: a report, 1024 bytes; sanctum: the
	 * evidence, 576 bytes);
	 * out: evidence (snp: the firmware's answer), endorsements (each: u32
	 * length, bytes) */
	GATE_EVIDENCE = 1,
	/* in: claims, evidence, endorsements, certificate (each: u32 length,
	 * bytes): the Keep's public face, for whoever asked for it */
	GATE_PUBLISH = 2,
	/* arg0: what to listen on (GATE_LISTEN_*), arg1: port;
	 * ret0: handle */
	GATE_LISTEN = 3,
	/* arg0: listening handle; ret0: handle; never blocks (EAGAIN) */
	GATE_ACCEPT = 4,
	/* in: "host:port"; ret0: handle; completes later (POLL for OUT) */
	GATE_CONNECT = 5,
	/* arg0: handle; in: bytes; ret0: bytes taken, at least 1 */
	GATE_SEND = 6,
	/* arg0: handle, arg1: most bytes wanted; out: bytes; none: end */
	GATE_RECV = 7,
	/* arg0: handle, arg1: GATE_SHUT_*  */
	GATE_SHUTDOWN = 8,
	/* arg0: handle */
	GATE_CLOSE = 9,
	/* A turn: sends, waits, takes.  arg0: timeout in ns (UINT64_MAX:
	 * none), arg1: how many gate_poll; in: those, then sends, each a
	 * gate_send and its bytes; out: the gate_poll with `got` and `taken`,
	 * a gate_sent for each send, then what was taken, in the order of the
	 * gate_poll; ret0: those with got.  A send that was not taken whole
	 * ends the wait */
	GATE_POLL = 10,
	/* in: host name; out: addresses, 16 bytes each, at most 8 (a hint:
	 * identity is never taken from it).  AGAIN while it is looked up: a
	 * POLL ends, with nothing ready, when there is an answer */
	GATE_RESOLVE = 11,
	/* ret0: ns since 1970 by the host's clock (a hint, for logs) */
	GATE_TIME_HINT = 12,
	/* in: text, at most 1024 bytes; refused unless a debug Keep */
	GATE_LOG = 13,
	/* arg0: enum gate_exit; never returns */
	GATE_EXIT = 14,
	GATE_OP_COUNT = 15,
};

enum gate_listen {
	GATE_LISTEN_CHANNEL = 1, /* connections that ask for this Keep */
	GATE_LISTEN_TCP = 2,	 /* a port that the host operator granted */
};

enum gate_shut { GATE_SHUT_READ = 1, GATE_SHUT_WRITE = 2 };

/* Why a Keep ended: all that the host learns of it. */
enum gate_exit {
	GATE_EXIT_DONE = 0,	/* the workload ended; its status is private */
	GATE_EXIT_STOPPED = 1,	/* its owner asked for it */
	GATE_EXIT_IDLE = 2,	/* no owner came in time */
	GATE_EXIT_PROTOCOL = 3, /* its peer broke the channel's protocol */
	GATE_EXIT_HOST = 4,	/* a host reply was out of range */
	GATE_EXIT_LIMIT = 5,	/* memory or time ran out before a workload */
	GATE_EXIT_INTERNAL = 6,
	GATE_EXIT_COUNT = 7,
};

/* Errors of a reply; anything else ends the Keep. */
enum gate_error {
	GATE_OK = 0,
	GATE_AGAIN = 1,	  /* would block: poll first */
	GATE_DENIED = 2,  /* the host operator's configuration says no */
	GATE_CLOSED = 3,  /* the peer is gone */
	GATE_REFUSED = 4, /* nobody answers there */
	GATE_TIMEOUT = 5,
	GATE_NAME = 6,	 /* no such host */
	GATE_LIMIT = 7,	 /* too many handles or bytes */
	GATE_FAILED = 8, /* the host could not; it knows why */
	GATE_ERROR_COUNT = 9,
};

/* END: the peer sends no more, as a RECV without bytes says it. */
enum gate_events { GATE_IN = 1, GATE_OUT = 2, GATE_HUP = 4, GATE_END = 8 };

#define GATE_MAX_HANDLES 4096u /* handles are 1 .. GATE_MAX_HANDLES */
#define GATE_MAX_POLL	 4096u
#define GATE_MAX_SENDS	 1024u

struct gate_poll {
	uint32_t handle;
	uint16_t want;	/* IN, OUT; HUP is implied */
	uint16_t got;	/* those, HUP, END */
	uint32_t most;	/* bytes to take when there is IN; 0: none */
	uint32_t taken; /* bytes, at most that; less when there is no room */
};
LAYOUT(struct gate_poll, most, 0x08);
LAYOUT_SIZE(struct gate_poll, 16);

struct gate_send {
	uint32_t handle;
	uint32_t len; /* of the bytes behind it: 1 or more */
};
LAYOUT_SIZE(struct gate_send, 8);

/* As SEND's error and result. */
struct gate_sent {
	uint32_t error;
	uint32_t taken;
};
LAYOUT_SIZE(struct gate_sent, 8);

/* The Keep writes it. */
struct gate_request {
	uint32_t op;
	uint32_t seq; /* 1, 2, 3 ...: the reply repeats it */
	uint64_t arg0;
	uint64_t arg1;
	uint32_t data_len; /* bytes of `data` that are input */
	uint32_t reserved_1c;
};
LAYOUT(struct gate_request, arg0, 0x08);
LAYOUT(struct gate_request, data_len, 0x18);
LAYOUT_SIZE(struct gate_request, 0x20);

/* The host writes it: hostile. */
struct gate_reply {
	uint32_t error; /* enum gate_error */
	uint32_t seq;
	uint64_t ret0;
	uint32_t data_len; /* bytes of `data` that are output */
	uint32_t reserved_14;
	uint64_t reserved_18;
};
LAYOUT(struct gate_reply, ret0, 0x08);
LAYOUT(struct gate_reply, data_len, 0x10);
LAYOUT_SIZE(struct gate_reply, 0x20);

/* What the host tells the Keep before it starts.  Hostile, but a lie only
 * makes the evidence fail at the tenant's side. */
struct gate_boot {
	uint32_t version;	    /* of this struct: 1 */
	uint32_t tee;		    /* enum gate_tee */
	uint8_t nonce[32];	    /* of the tenant's ask */
	uint8_t owner_key_hash[32]; /* SHA-256 of the owner's SPKI */
	uint64_t memory_bytes;	    /* most that the Keep may use */
	uint64_t owner_wait_ns;	    /* end (IDLE) when no owner came by then */
	uint64_t reserved_58[5];
};
LAYOUT(struct gate_boot, nonce, 0x08);
LAYOUT(struct gate_boot, owner_key_hash, 0x28);
LAYOUT(struct gate_boot, memory_bytes, 0x48);
LAYOUT_SIZE(struct gate_boot, 0x80);

/* Technologies, in the order of DESIGN §5; the numbers are protocol. */
enum gate_tee {
	GATE_TEE_PROCESS = 1,
	GATE_TEE_KVM = 2,
	GATE_TEE_SNP = 3,
	GATE_TEE_TDX = 4,
	GATE_TEE_SGX = 5,
	GATE_TEE_SANCTUM = 6,
	GATE_TEE_PEF = 7,
};

/*
 * What a shim tells exec: memory of exec's own, to which the auxiliary
 * vector's entry GATE_AUX_SHIM points.  Without a shim there is no such entry.
 * Unlike gate_boot it is no word of the host's.
 */
#define GATE_AUX_SHIM 0x4d494853u

struct gate_shim {
	uint32_t version;  /* of this struct: 1 */
	uint32_t tee;	   /* enum gate_tee: what the shim knows to be below */
	uint8_t key[32];   /* snp: of messages to the firmware; else 0 */
	uint64_t sequence; /* of the first of them */
	uint32_t vmpl;	   /* snp: which key it is, and whose report */
	uint32_t reserved_34;
	/* Where SYSCALL is dear, its twin, to be called as a function of
	 * (uint64_t number, const uint64_t args[6]) that gives what the
	 * system call would, an int64_t; 0: there is none. */
	uint64_t call;
};
LAYOUT(struct gate_shim, key, 0x08);
LAYOUT(struct gate_shim, sequence, 0x28);
LAYOUT(struct gate_shim, call, 0x38);
LAYOUT_SIZE(struct gate_shim, 0x40);

/* A number of gate_shim.call's alone.  args: an address, from, bytes.  The
 * pages there, which exec reserved without rights and never used, hold what
 * was at `from`, and can be read and executed from now on. */
#define GATE_CALL_CODE 0x444a0001u

/* A system call's number.  args: addresses of 64 bytes of report data, and of
 * where the report goes: tdx: the module's, 1024 bytes; sanctum: the monitor's
 * evidence, 576 bytes. */
#define GATE_CALL_REPORT 0x444a0002u

struct gate_area {
	uint32_t magic;
	uint32_t version;
	uint8_t reserved_008[0x38];
	struct gate_request request; /* 0x040 */
	uint8_t reserved_060[0x20];
	struct gate_reply reply; /* 0x080 */
	uint8_t reserved_0a0[0x60];
	struct gate_boot boot; /* 0x100 */
	uint8_t reserved_180[0x1000 - 0x180];
	uint8_t data[GATE_DATA_BYTES]; /* 0x1000 */
};
LAYOUT(struct gate_area, request, 0x40);
LAYOUT(struct gate_area, reply, 0x80);
LAYOUT(struct gate_area, boot, 0x100);
LAYOUT(struct gate_area, data, 0x1000);
LAYOUT_SIZE(struct gate_area, GATE_AREA_BYTES);

#endif
