/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What exists while programs run.  A store owns every instance that may refer
 * to another, with their memories, tables, globals and functions, and the one
 * stack they run on; all of it is freed together.
 */
#ifndef WASM_STORE_PRIV_H
#define WASM_STORE_PRIV_H

#include "wasm/module_priv.h"

struct wasm_exec;
struct wasm_jit;

struct wasm_memory {
	uint8_t *data;
	uint64_t len;		  /* bytes */
	struct wasm_range range;  /* pages; min is the current size */
	struct wasm_memory *next; /* in the store */
	struct wasm_store *store;
};

struct wasm_table {
	uint64_t *elems;
	struct wasm_range range; /* min is the current size */
	uint32_t type;		 /* heap indices are the store's numbers */
	struct wasm_table *next;
	struct wasm_store *store;
};

struct wasm_global {
	uint64_t v[2];
	uint32_t type; /* heap indices are the store's numbers */
	bool mutable;
	struct wasm_global *next;
};

struct wasm_tag {
	uint32_t sig; /* the store's number of its type */
	uint32_t slots;
	const uint32_t *refs; /* which of them the collector follows */
	uint32_t ref_count;
	struct wasm_tag *next;
};

/* A function reference is the address of one of these. */
struct wasm_func {
	uint32_t sig; /* the store's number of its type */
	uint32_t index;
	struct wasm_instance *inst;  /* NULL: the embedder's */
	const union wasm_word *code; /* its header */
	const struct wasm_import *host;
	/* Of host functions: */
	uint16_t param_slots, result_slots;
	struct wasm_func *next; /* in the store */
	/* Compiled code: where it is called, who may do so without looking
	 * (wasm_jit_tag), its offset, and that of the stub that callers use
	 * which were compiled before it. */
	const uint8_t *jit_entry;
	uint32_t jit_tag, jit_at, jit_thunk;
	uint8_t jit_state;
};

struct wasm_instance {
	const struct wasm_module *module;
	struct wasm_store *store;
	struct wasm_instance *next;
	bool owns_store;

	/* By index; the imported ones belong to somebody else. */
	struct wasm_memory **memories;
	struct wasm_table **tables;
	struct wasm_global **globals;
	struct wasm_tag **tags;
	struct wasm_func **imported;
	struct wasm_func *own; /* defined functions */
	struct wasm_global *own_globals;
	uint32_t *canon;      /* type index -> the store's number */
	uint64_t **elem_refs; /* per element segment, NULL when dropped */
	uint8_t *elem_dropped;
	uint32_t jit_number; /* among those with compiled functions */
	uint8_t *data_dropped;
};

/* What is left to do, and what was done since the last tick: of all threads
 * together.  A machine holds a part of it as its budget. */
struct wasm_work {
	uint64_t fuel;	   /* left, with what budget holds */
	uint64_t unticked; /* work since the last tick */
	uint32_t interval;
	bool (*tick)(void *ctx);
	void *tick_ctx;
};

/* The program's threads (interp/thread.c): a ring of machines. */
struct wasm_threads {
	struct wasm_exec *first;
	uint32_t others; /* beside the first */
	uint32_t last_id;
	struct wasm_clock clock;
	uint64_t time; /* without a clock: moves on when nobody can */
	/* How often streams may have become ready; who sleeps looks again. */
	uint64_t turn;
	uint64_t worked, looked;   /* since the last of these; when it was */
	struct wasm_exec *waiters; /* for a notification, longest first */
};

struct wasm_store {
	struct wasm_heap heap;
	struct wasm_limits limits;
	uint64_t memory_bytes; /* in all linear memories */
	uint64_t table_elems;
	struct wasm_registry registry;
	struct wasm_instance *instances;
	struct wasm_memory *memories;
	struct wasm_table *tables;
	struct wasm_global *globals;
	struct wasm_tag *tags;
	struct wasm_func *funcs; /* the embedder's */
	struct wasm_exec *exec;	 /* the machine of the thread that runs */
	struct wasm_work work;
	struct wasm_threads threads;
	struct wasm_jit *jit; /* NULL: everything is interpreted */

	struct wasm_object *objects; /* all that the collector looks after */
	size_t object_bytes;
	size_t next_collection; /* when there are so many bytes of them */
};

static inline struct wasm_func *wasm_func_of(const struct wasm_instance *i,
	uint32_t index)
{
	uint32_t imports = i->module->func_imports;
	return index < imports ? i->imported[index] : &i->own[index - imports];
}

static inline uint64_t wasm_ref_of(const struct wasm_func *f)
{
	return (uint64_t)(uintptr_t)f;
}

static inline struct wasm_func *wasm_ref_func(uint64_t ref)
{
	return (struct wasm_func *)(uintptr_t)ref;
}

/* Lets go of a segment's references. */
void wasm_elem_drop(struct wasm_instance *i, uint32_t segment);

void wasm_limits_fill(struct wasm_limits *l);

/* New objects, owned by the store; NULL when a limit is reached. */
struct wasm_memory *wasm_memory_make(struct wasm_store *s,
	const struct wasm_range *r);
struct wasm_table *wasm_table_make(struct wasm_store *s, uint32_t type,
	const struct wasm_range *r, uint64_t init);
struct wasm_global *wasm_global_make(struct wasm_store *s, uint32_t type,
	bool mutable, uint64_t v);
struct wasm_tag *wasm_tag_make(struct wasm_store *s, uint32_t sig,
	uint32_t slots);

/* Each returns the old size, or UINT64_MAX when it can't grow. */
uint64_t wasm_table_enlarge(struct wasm_table *t, uint64_t n, uint64_t init);
/* In two steps: room behind m->len, which the caller clears; then the memory
 * has it, or gives it back. */
uint64_t wasm_memory_extend(struct wasm_memory *m, uint64_t pages);
void wasm_memory_extended(struct wasm_memory *m, uint64_t pages, bool keep);

struct wasm_store *wasm_store_make(const struct wasm_limits *l,
	size_t heap_limit);
/* Frees what an instance owns alone. */
void wasm_instance_release(struct wasm_instance *i);
/* Its own memories, globals and tables as they are at the beginning; then what
 * the segments put there: false with the trap in the store's machine. */
MUST_USE bool wasm_instance_fill(struct wasm_instance *i, struct err *e);
bool wasm_instance_place(struct wasm_instance *i);

/* A module's type in the store's numbers. */
uint32_t wasm_store_type(const struct wasm_instance *i, uint32_t t);
/* A type as the embedder spells it (wasm.h); T_BOT: no such letter. */
uint32_t wasm_letter_type(char c);
/* A function of the embedder's; NULL when the signature or memory is bad. */
struct wasm_func *wasm_host_func(struct wasm_store *s,
	const struct wasm_import *im);
/* The imports of i->module, each found and of the right type. */
MUST_USE bool wasm_link_imports(struct wasm_instance *i,
	bool (*find)(void *ctx, struct bytes module, struct bytes name,
		struct wasm_extern *out),
	void *ctx, struct err *e);

/* Segments into tables and memories; false: out of bounds. */
bool wasm_segment_bounds(uint64_t at, uint64_t n, uint64_t len);

#endif
