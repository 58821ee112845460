/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a module's sections. */
#ifndef WASM_DECODE_PRIV_H
#define WASM_DECODE_PRIV_H

#include "wasm/compile/compile_priv.h"

struct wasm_decoder {
	struct wasm_module *m;
	struct wasm_cursor in; /* of the whole module, then of a section */
	struct wasm_compiler compiler;
	struct err *err;
	bool failed;	 /* err is set */
	uint32_t bodies; /* seen in the code section */
};

/* Sections by their number; false with d->failed or d->in.why. */
void wasm_decode_imports(struct wasm_decoder *d);
void wasm_decode_functions(struct wasm_decoder *d);
void wasm_decode_tables(struct wasm_decoder *d);
void wasm_decode_memories(struct wasm_decoder *d);
void wasm_decode_tags(struct wasm_decoder *d);
void wasm_decode_globals(struct wasm_decoder *d);
void wasm_decode_exports(struct wasm_decoder *d);
void wasm_decode_start(struct wasm_decoder *d);
void wasm_decode_elems(struct wasm_decoder *d);
void wasm_decode_data_count(struct wasm_decoder *d);
void wasm_decode_code(struct wasm_decoder *d);
void wasm_decode_datas(struct wasm_decoder *d);
void wasm_decode_custom(struct wasm_decoder *d);

void wasm_decode_fail(struct wasm_decoder *d, const char *why);
void wasm_decode_limit(struct wasm_decoder *d, const char *why);
void wasm_decode_expr(struct wasm_decoder *d, uint32_t type,
	struct wasm_expr *out);

/* Room for one more in an array of the module's. */
#define DECODE_FIT(d, name)                                           \
	(wasm_fit(&(d)->m->heap, (d)->m->name##s, (d)->m->name##_cap, \
		 (d)->m->name##_count + 1ull) ?                       \
			true :                                        \
			(wasm_decode_limit((d), WASM_OUT_OF_MEMORY), false))

#endif
