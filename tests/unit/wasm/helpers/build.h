/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes modules for tests: sections are filled piece by piece, function
 * bodies are given as bytes of instructions without the final end.
 */
#ifndef TESTS_UNIT_WASM_BUILD_H
#define TESTS_UNIT_WASM_BUILD_H

#include "base/buf.h"
#include "wasm/wasm.h"

struct build {
	struct buf types, imports, funcs, tables, memories, tags, globals,
		exports, elems, codes, datas, names;
	uint32_t type_count, import_count, func_count, table_count,
		memory_count, tag_count, global_count, export_count, elem_count,
		code_count, data_count;
	uint32_t func_imports;
	uint32_t start; /* function index + 1; 0: none */
	bool data_count_section;
};

/* A list of bytes as a span. */
#define B(...)                                     \
	bytes_of((const uint8_t[]){ __VA_ARGS__ }, \
		sizeof((const uint8_t[]){ __VA_ARGS__ }))
#define NONE BYTES_NONE

void leb(struct buf *b, uint64_t v);
void sleb(struct buf *b, int64_t v);
/* i i32, I i64, f f32, F f64, V v128, r externref, a funcref, y anyref,
 * x exnref: "iI:f". */
uint32_t build_type(struct build *b, const char *sig);
void build_import(struct build *b, const char *name, const char *sig);
/* Locals in the letters of build_type; export NULL: not exported. */
uint32_t build_func(struct build *b, const char *export, const char *sig,
	const char *locals, struct bytes code);
void build_memory(struct build *b, uint64_t min, uint64_t max);
void build_table(struct build *b, uint32_t min, uint32_t max);
void build_global(struct build *b, char type, bool mutable, int64_t init);
void build_export(struct build *b, const char *name, uint8_t kind,
	uint32_t index);
/* Functions at the beginning of table 0. */
void build_elem(struct build *b, uint32_t at, const uint8_t *funcs, size_t n);
/* passive or at an address of memory 0. */
void build_data(struct build *b, bool passive, uint32_t at, struct bytes data);
/* Appends the module; frees the builder. */
void build_done(struct build *b, struct buf *out);

/* A module with an instance and its last end. */
struct made {
	struct wasm_module *m;
	struct wasm_instance *i;
	struct wasm_result r;
	struct err e;
};

/* Builds and instantiates without imports; fails the test when refused. */
void made_init(struct made *x, struct build *b);
void made_limited(struct made *x, struct build *b, const struct wasm_limits *l);
void made_fini(struct made *x);
/* Calls with up to three parameters, expecting one result. */
uint64_t made_call(struct made *x, const char *name, const char *params, ...);
/* The trap that a call ends with. */
enum wasm_trap made_trap(struct made *x, const char *name, const char *params,
	...);
/* Is the module refused with a text that mentions `why`? */
void refused(struct build *b, const char *why);

#endif
