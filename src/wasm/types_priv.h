/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Types: the one-word form of value types, type definitions, and the registry
 * that gives equal definitions equal numbers (iso-recursive equality,
 * WebAssembly 3.0 §3.1).  A module has a registry of its own for validation,
 * a store has one so that instances of different modules understand each
 * other.
 */
#ifndef WASM_TYPES_PRIV_H
#define WASM_TYPES_PRIV_H

#include "base/err.h"
#include "wasm/cursor_priv.h"
#include "wasm/heap_priv.h"

/*
 * A value type is one word: its code in the low byte; for references (0x63
 * nullable, 0x64 not) the heap type above it: a type index, or HEAP_ABS | the
 * code of an abstract heap type.  T_BOT is the type of whatever is on the
 * stack in unreachable code.
 */
enum {
	T_BOT = 0,
	T_I8 = 0x78, /* packed, in fields only */
	T_I16 = 0x77,
	T_V128 = 0x7b,
	T_F64 = 0x7c,
	T_F32 = 0x7d,
	T_I64 = 0x7e,
	T_I32 = 0x7f,
	T_REF_NULL = 0x63,
	T_REF = 0x64,
};

enum {
	HEAP_ABS = 0x800000,
	HEAP_NOEXN = HEAP_ABS | 0x74,
	HEAP_NOFUNC = HEAP_ABS | 0x73,
	HEAP_NOEXTERN = HEAP_ABS | 0x72,
	HEAP_NONE = HEAP_ABS | 0x71,
	HEAP_FUNC = HEAP_ABS | 0x70,
	HEAP_EXTERN = HEAP_ABS | 0x6f,
	HEAP_ANY = HEAP_ABS | 0x6e,
	HEAP_EQ = HEAP_ABS | 0x6d,
	HEAP_I31 = HEAP_ABS | 0x6c,
	HEAP_STRUCT = HEAP_ABS | 0x6b,
	HEAP_ARRAY = HEAP_ABS | 0x6a,
	HEAP_EXN = HEAP_ABS | 0x69,
	HEAP_BOT = HEAP_ABS | 0x01, /* below every heap type */
};

#define T_FUNCREF   ((uint32_t)T_REF_NULL | (uint32_t)HEAP_FUNC << 8)
#define T_EXTERNREF ((uint32_t)T_REF_NULL | (uint32_t)HEAP_EXTERN << 8)
#define T_EXNREF    ((uint32_t)T_REF_NULL | (uint32_t)HEAP_EXN << 8)

static inline uint32_t t_ref(uint32_t heap, bool nullable)
{
	return (nullable ? T_REF_NULL : T_REF) | heap << 8;
}

static inline bool t_is_ref(uint32_t t)
{
	return (t & 0xff) == T_REF_NULL || (t & 0xff) == T_REF;
}

static inline bool t_nullable(uint32_t t)
{
	return (t & 0xff) == T_REF_NULL;
}

static inline uint32_t t_heap(uint32_t t)
{
	return t >> 8;
}

/* References and numbers take one slot, vectors two. */
static inline uint32_t t_slots(uint32_t t)
{
	return t == T_V128 ? 2 : 1;
}

static inline bool t_defaultable(uint32_t t)
{
	return (t & 0xff) != T_REF;
}

/* Of a function; and results. */
enum { WASM_MAX_PARAMS = 1000 };
enum { DEF_FUNC = 0x60, DEF_STRUCT = 0x5f, DEF_ARRAY = 0x5e };

/*
 * A type definition.  Its value types lie in the module's pool from `first`:
 * a function's parameters, then its results; for structs and arrays two words
 * for each field, see below.
 */
struct wasm_typedef {
	uint8_t kind;
	bool final;
	bool has_super;
	uint32_t super;
	uint32_t first;
	uint32_t params; /* or fields */
	uint32_t results;
	uint32_t param_slots, result_slots;
	uint32_t rec_start, rec_len;
	/* In the pool, too: which slots of a struct or of the parameters are
	 * references that the collector follows. */
	uint32_t refs_first, ref_count;
	uint32_t canon; /* number in the module's registry */
};

/* The second word of a field. */
static inline bool field_mutable(uint32_t word)
{
	return word & 1;
}

static inline uint32_t field_slot(uint32_t word)
{
	return word >> 1;
}

/* What a registry knows of a canonical type. */
struct wasm_canon {
	uint32_t super; /* its number, or NO_SUPER */
	uint32_t depth;
	uint8_t kind;
};
#define NO_SUPER UINT32_MAX

struct wasm_rec {
	uint32_t hash, first_word, words, first_id, next;
};

struct wasm_registry {
	struct wasm_heap *heap;
	uint32_t *words; /* the encoded groups, end to end */
	uint32_t word_count, word_cap;
	struct wasm_rec *recs;
	uint32_t rec_count, rec_cap;
	uint32_t *buckets; /* hash table of rec numbers + 1 */
	uint32_t bucket_count;
	struct wasm_canon *types;
	uint32_t type_count, type_cap;
};

void wasm_registry_fini(struct wasm_registry *r);
/*
 * Interns the group of definitions [start, start+n); canon[i] must already
 * hold the registry's numbers of definitions before `start`, and receives
 * those of the group.  False when memory is short.
 */
MUST_USE bool wasm_registry_intern(struct wasm_registry *r,
	const struct wasm_typedef *defs, const uint32_t *pool, uint32_t start,
	uint32_t n, uint32_t *canon);
/* Is canonical type a equal to b or declared below it? */
bool wasm_registry_sub(const struct wasm_registry *r, uint32_t a, uint32_t b);
/* Subtyping of types whose indices are the registry's numbers. */
bool wasm_registry_heap_sub(const struct wasm_registry *r, uint32_t a,
	uint32_t b);
bool wasm_registry_type_sub(const struct wasm_registry *r, uint32_t a,
	uint32_t b);
/* As wasm_type_collected. */
bool wasm_registry_collected(const struct wasm_registry *r, uint32_t t);

struct wasm_module;

/* Reads a value type, checking type indices against `limit`. */
uint32_t wasm_read_type(struct wasm_cursor *c, uint32_t limit);
/* The same when its first byte was read already. */
uint32_t wasm_read_type_from(struct wasm_cursor *c, uint8_t first,
	uint32_t limit);
uint32_t wasm_read_heap(struct wasm_cursor *c, uint32_t limit);
bool wasm_read_type_section(struct wasm_module *m, struct wasm_cursor *c);

/* Subtyping within a module. */
bool wasm_heap_sub(const struct wasm_module *m, uint32_t a, uint32_t b);
bool wasm_type_sub(const struct wasm_module *m, uint32_t a, uint32_t b);
bool wasm_type_equal(const struct wasm_module *m, uint32_t a, uint32_t b);
/* Can such a value refer to an object of the collector's?  Functions are
 * none. */
bool wasm_type_collected(const struct wasm_module *m, uint32_t t);
/* The top of a heap type's hierarchy: any, func, extern or exn. */
uint32_t wasm_heap_top(const struct wasm_module *m, uint32_t heap);
/* "i32", "(ref null 3)". */
const char *wasm_type_name(uint32_t t, char out[32]);

#endif
