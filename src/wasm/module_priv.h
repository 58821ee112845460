/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A decoded module: what its sections say, and its functions as register
 * code.  Nothing here changes once wasm_module_new has returned.
 */
#ifndef WASM_MODULE_PRIV_H
#define WASM_MODULE_PRIV_H

#include "wasm/types_priv.h"
#include "wasm/wasm.h"
#include "wasm/word_priv.h"

#define WASM_OUT_OF_MEMORY "out of memory for the module"

enum wasm_kind {
	KIND_FUNC = 0,
	KIND_TABLE = 1,
	KIND_MEMORY = 2,
	KIND_GLOBAL = 3,
	KIND_TAG = 4,
};

/*
 * A constant expression.  The one-instruction forms are kept as they are,
 * anything else was compiled like a function: EXPR_CODE.
 */
enum wasm_expr_kind {
	EXPR_VALUE,  /* the slot's bits */
	EXPR_GLOBAL, /* index */
	EXPR_FUNC,   /* index */
	EXPR_CODE,   /* word number in module->code */
};

struct wasm_expr {
	uint8_t kind;
	uint64_t v;
};

/* Sizes in pages or elements. */
struct wasm_range {
	uint64_t min, max;
	bool has_max;
	bool is64;
	bool shared;
};

struct wasm_tabledef {
	uint32_t type;
	struct wasm_range range;
	bool has_init;
	struct wasm_expr init;
};

struct wasm_memdef {
	struct wasm_range range;
};

struct wasm_globaldef {
	uint32_t type;
	bool mutable;
	struct wasm_expr init;
};

struct wasm_importdef {
	struct bytes module, name; /* owned by the module */
	uint8_t kind;
	uint32_t index; /* in the index space of its kind */
};

struct wasm_exportdef {
	struct bytes name; /* owned by the module */
	uint8_t kind;
	uint32_t index;
};

enum { SEG_ACTIVE, SEG_PASSIVE, SEG_DECLARED };

struct wasm_elemdef {
	uint8_t mode;
	uint32_t table;
	struct wasm_expr at;
	uint32_t type;
	uint32_t count;
	uint32_t *funcs;	 /* either function indices */
	struct wasm_expr *exprs; /* or expressions */
};

struct wasm_datadef {
	uint8_t mode;
	uint32_t memory;
	struct wasm_expr at;
	struct bytes bytes; /* in the module's data_section */
};

/*
 * What happens to an exception that leaves the words [from, to) of code.  The
 * table is in the order of `at`, which for one place is from the inside out.
 * `depth` is how deep the block is nested: delegating to a block skips what
 * is deeper.
 */
enum { HANDLE_TAG, HANDLE_ALL, HANDLE_DELEGATE };
struct wasm_handler {
	uint32_t from, to;
	uint32_t at;   /* where the code for it begins */
	uint16_t slot; /* where the values of the exception go */
	uint8_t kind;
	uint8_t keep; /* the exception itself: KEEP_ */
	uint32_t tag; /* HANDLE_TAG: which; HANDLE_DELEGATE: new depth */
	uint32_t depth;
};
enum { KEEP_NO, KEEP_BEFORE, KEEP_AFTER }; /* the values */

/*
 * Which slots of a frame refer to objects, where the collector may run: at
 * instructions that allocate and after calls.  A place is the first word of
 * the one and the last word of the other.  Its slots are a list, the end of
 * which it has in common with other places: 0, or an index in `live`.
 * Places without any are not in the table, but for one in a function that has
 * references between them only.
 */
struct wasm_point {
	uint32_t at;
	uint32_t live;
};
struct wasm_live {
	uint32_t next;
	uint16_t slot;
};

struct wasm_module {
	struct wasm_heap heap;

	struct wasm_registry registry;
	struct wasm_typedef *types;
	uint32_t type_count, type_cap;
	uint32_t *pool; /* value types of the definitions */
	uint32_t pool_count, pool_cap;
	uint32_t *canon; /* registry numbers of the definitions */
	uint32_t canon_cap;

	struct wasm_importdef *imports;
	uint32_t import_count, import_cap;
	struct wasm_exportdef *exports; /* sorted by name */
	uint32_t export_count, export_cap;

	/* Index spaces, imports first. */
	uint32_t *funcs; /* type indices */
	uint32_t func_count, func_cap, func_imports;
	struct wasm_tabledef *tables;
	uint32_t table_count, table_cap, table_imports;
	struct wasm_memdef *memories;
	uint32_t memory_count, memory_cap, memory_imports;
	struct wasm_globaldef *globals;
	uint32_t global_count, global_cap, global_imports;
	uint32_t *tags; /* type indices */
	uint32_t tag_count, tag_cap, tag_imports;

	struct wasm_elemdef *elems;
	uint32_t elem_count, elem_cap;
	struct wasm_datadef *datas;
	uint32_t data_count, data_cap;
	struct bytes data_section; /* owned */
	bool has_data_count;
	uint32_t declared_data_count;
	bool has_start;
	uint32_t start;
	uint8_t *declared; /* bit per function: ref.func may name it */

	union wasm_word *code;
	uint32_t code_count, code_cap;
	uint32_t *entries; /* per defined function: its header in code */
	struct wasm_handler *handlers;
	uint32_t handler_count, handler_cap;
	struct wasm_point *points; /* in the order of `at` */
	uint32_t point_count, point_cap;
	struct wasm_live *live; /* the first one is not used */
	uint32_t live_count, live_cap;

	struct wasm_place *places; /* in the order of functions */
	uint32_t place_count, place_cap;

	bool canonical_nans;
	struct bytes func_names; /* the name section's, unchecked; owned */
};

/* An owned copy; a NULL ptr with a len means memory was short. */
struct bytes wasm_copy(struct wasm_heap *h, struct bytes in);

static inline const struct wasm_typedef *wasm_func_type(const struct wasm_module
								*m,
	uint32_t func)
{
	return &m->types[m->funcs[func]];
}

const struct wasm_exportdef *wasm_find_export(const struct wasm_module *m,
	struct bytes name);
/* The name section's name of a function; an empty span when it has none. */
struct bytes wasm_func_name(const struct wasm_module *m, uint32_t func);
/* The first of the places at or after that word of code. */
uint32_t wasm_first_point(const struct wasm_module *m, uint32_t word);
/* The first of the module's handlers at or after a word. */
uint32_t wasm_first_handler(const struct wasm_module *m, uint32_t word);
/* Does the function have references to objects, at such places or between
 * them?  (One without any can be run, or left anywhere, by whoever tells the
 * collector nothing about its values.) */
bool wasm_func_holds(const struct wasm_module *m, uint32_t func);
/* Where in the module the instruction is that became that word of code; 0:
 * nobody knows. */
uint32_t wasm_place_of(const struct wasm_module *m, uint32_t func,
	uint32_t word);
/* The function whose code holds `at`. */
bool wasm_func_at(const struct wasm_module *m, const union wasm_word *at,
	uint32_t *func);

#endif
