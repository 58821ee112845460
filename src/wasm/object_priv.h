/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects that the collector looks after: exceptions, structs, arrays.  A
 * reference to one is its address.  The collector marks and sweeps and never
 * moves; it runs when something is allocated.  It knows which slots of the
 * frames (struct wasm_point), of structs and exceptions (wasm_typedef's
 * refs_first) and which arrays hold references, and looks at nothing else.
 */
#ifndef WASM_OBJECT_PRIV_H
#define WASM_OBJECT_PRIV_H

#include "wasm/store_priv.h"

enum wasm_object_kind { OBJECT_EXCEPTION, OBJECT_STRUCT, OBJECT_ARRAY };

struct wasm_object {
	struct wasm_object *next; /* of all */
	struct wasm_object *gray; /* marked, but not yet looked into */
	uint32_t type;		  /* the store's number */
	uint32_t count;		  /* elements of an array; or of refs */
	uint32_t bytes;		  /* of data */
	uint8_t kind;
	bool marked;
	bool numbers; /* an array whose elements are not to be followed */
	const uint32_t *refs; /* slots of references; not of an array */
	/* Exceptions: their tag, then the slots of the values. */
	uint64_t data[];
};

static inline struct wasm_object *wasm_ref_object(uint64_t ref)
{
	return (struct wasm_object *)(uintptr_t)ref;
}

/* Does the reference, which is not null, belong to the heap type (with module
 * type indices, of the hierarchy below `top`)? */
bool wasm_ref_is(const struct wasm_exec *x, uint64_t ref, uint32_t heap,
	uint32_t top);

/*
 * A new object with zeroed data, or NULL.  May collect: everything that is
 * to live must be reachable, x->fp is the frame in use and x->ip a place of
 * its function where the collector may run.
 */
struct wasm_object *wasm_object_new(struct wasm_exec *x,
	enum wasm_object_kind kind, uint32_t type, uint64_t bytes);
void wasm_objects_free(struct wasm_store *s);

#endif
