/* SPDX-License-Identifier: Apache-2.0 */
/* Looking at modules: register code beside WebAssembly, calls as they come. */
#include <inttypes.h>
#include <stdio.h>

#include "dev/dev.h"

/* --- WebAssembly's own names ---------------------------------------------- */

/* By opcode, from the first of each list on; `-` where there is none. */
static const char plain_names[] =
	"unreachable nop block loop if else try catch throw rethrow throw_ref "
	"end br br_if br_table return call call_indirect return_call "
	"return_call_indirect call_ref return_call_ref - - delegate catch_all "
	"drop select select - - try_table local.get local.set local.tee "
	"global.get global.set table.get table.set - i32.load i64.load "
	"f32.load f64.load i32.load8_s i32.load8_u i32.load16_s i32.load16_u "
	"i64.load8_s i64.load8_u i64.load16_s i64.load16_u i64.load32_s "
	"i64.load32_u i32.store i64.store f32.store f64.store i32.store8 "
	"i32.store16 i64.store8 i64.store16 i64.store32 memory.size "
	"memory.grow i32.const i64.const f32.const f64.const i32.eqz i32.eq "
	"i32.ne i32.lt_s i32.lt_u i32.gt_s i32.gt_u i32.le_s i32.le_u "
	"i32.ge_s i32.ge_u i64.eqz i64.eq i64.ne i64.lt_s i64.lt_u i64.gt_s "
	"i64.gt_u i64.le_s i64.le_u i64.ge_s i64.ge_u f32.eq f32.ne f32.lt "
	"f32.gt f32.le f32.ge f64.eq f64.ne f64.lt f64.gt f64.le f64.ge "
	"i32.clz i32.ctz i32.popcnt i32.add i32.sub i32.mul i32.div_s "
	"i32.div_u i32.rem_s i32.rem_u i32.and i32.or i32.xor i32.shl "
	"i32.shr_s i32.shr_u i32.rotl i32.rotr i64.clz i64.ctz i64.popcnt "
	"i64.add i64.sub i64.mul i64.div_s i64.div_u i64.rem_s i64.rem_u "
	"i64.and i64.or i64.xor i64.shl i64.shr_s i64.shr_u i64.rotl i64.rotr "
	"f32.abs f32.neg f32.ceil f32.floor f32.trunc f32.nearest f32.sqrt "
	"f32.add f32.sub f32.mul f32.div f32.min f32.max f32.copysign f64.abs "
	"f64.neg f64.ceil f64.floor f64.trunc f64.nearest f64.sqrt f64.add "
	"f64.sub f64.mul f64.div f64.min f64.max f64.copysign i32.wrap_i64 "
	"i32.trunc_f32_s i32.trunc_f32_u i32.trunc_f64_s i32.trunc_f64_u "
	"i64.extend_i32_s i64.extend_i32_u i64.trunc_f32_s i64.trunc_f32_u "
	"i64.trunc_f64_s i64.trunc_f64_u f32.convert_i32_s f32.convert_i32_u "
	"f32.convert_i64_s f32.convert_i64_u f32.demote_f64 f64.convert_i32_s "
	"f64.convert_i32_u f64.convert_i64_s f64.convert_i64_u "
	"f64.promote_f32 i32.reinterpret_f32 i64.reinterpret_f64 "
	"f32.reinterpret_i32 f64.reinterpret_i64 i32.extend8_s i32.extend16_s "
	"i64.extend8_s i64.extend16_s i64.extend32_s";
enum { REFERENCES = 0xd0 };
static const char reference_names[] =
	"ref.null ref.is_null ref.func ref.eq ref.as_non_null br_on_null "
	"br_on_non_null";
static const char gc_names[] =
	"struct.new struct.new_default struct.get struct.get_s struct.get_u "
	"struct.set array.new array.new_default array.new_fixed "
	"array.new_data array.new_elem array.get array.get_s array.get_u "
	"array.set array.len array.fill array.copy array.init_data "
	"array.init_elem ref.test ref.test ref.cast ref.cast br_on_cast "
	"br_on_cast_fail any.convert_extern extern.convert_any ref.i31 "
	"i31.get_s i31.get_u";
static const char bulk_names[] =
	"i32.trunc_sat_f32_s i32.trunc_sat_f32_u i32.trunc_sat_f64_s "
	"i32.trunc_sat_f64_u i64.trunc_sat_f32_s i64.trunc_sat_f32_u "
	"i64.trunc_sat_f64_s i64.trunc_sat_f64_u memory.init data.drop "
	"memory.copy memory.fill table.init elem.drop table.copy table.grow "
	"table.size table.fill";

static const char *nth(const char *list, unsigned n, int *len)
{
	while (n-- && *list) {
		list += strcspn(list, " ");
		list += *list == ' ';
	}
	*len = (int)strcspn(list, " ");
	return *len ? list : "?";
}

/* The name of the instruction at p; operands are left as bytes. */
static const char *name_of(struct bytes p, int *len)
{
	unsigned op = p.len ? p.ptr[0] : 0, next = p.len > 1 ? p.ptr[1] : 0;
	switch (op) {
	case 0xfb:
		return nth(gc_names, next, len);
	case 0xfc:
		return nth(bulk_names, next, len);
	case 0xfd:
		*len = 4;
		return "simd";
	case 0xfe:
		*len = 6;
		return "atomic";
	default:
		return op < REFERENCES ?
			nth(plain_names, op, len) :
			nth(reference_names, op - REFERENCES, len);
	}
}

/* --- register code beside it ------------------------------------------------
 */

struct dump {
	const struct wasm_module *m;
	struct bytes module;
	size_t next; /* place that is not yet written */
	uint32_t func;
};

static void put_place(const struct dump *d, const struct wasm_place *p)
{
	enum { MOST = 9 };
	int len;
	struct wasm_place after;
	struct bytes b = bytes_from(d->module, p->at);
	const char *name = name_of(b, &len);
	printf("%38s0x%x: %.*s", "", p->at, len, name);
	/* It ends where the next one of the function begins. */
	size_t end = p->at + 1;
	if (wasm_module_place(d->m, d->next, &after) && after.func == p->func)
		end = after.at;
	for (size_t i = 1; i < end - p->at && i < b.len && i <= MOST; i++)
		printf(" %02x", b.ptr[i]);
	printf("\n");
}

static void put_places(struct dump *d, uint32_t before)
{
	struct wasm_place p;
	while (wasm_module_place(d->m, d->next, &p) && p.func == d->func &&
		p.word <= before) {
		d->next++;
		put_place(d, &p);
	}
}

static void put_words(void *ctx, uint32_t word, const char *text)
{
	struct dump *d = ctx;
	if (word)
		put_places(d, word);
	printf("%s\n", text);
}

void dev_dump(const struct wasm_module *m, struct bytes module)
{
	struct dump d = { .m = m, .module = module };
	for (d.func = 0; d.func < wasm_module_funcs(m); d.func++) {
		wasm_module_dump(m, d.func, put_words, &d);
		put_places(&d, UINT32_MAX);
	}
}

/* --- calls as they come -----------------------------------------------------
 */

enum { SHOWN = 4, DEEPEST = 40 };

static void put_line(const struct wasm_step *s, const char *what, bool values)
{
	uint32_t depth = s->depth < DEEPEST ? s->depth : DEEPEST;
	fprintf(stderr, "%*s%s", (int)depth, "", what);
	for (uint32_t i = 0; values && i < SHOWN && i < s->slot_count; i++)
		fprintf(stderr, " %" PRIx64, s->slots[i]);
	fprintf(stderr, "\n");
}

static void put_step(void *ctx, const struct wasm_step *s)
{
	const struct dev_trace *t = ctx;
	char name[64], text[80];
	wasm_module_func_name(s->module, s->func, name, sizeof name);
	snprintf(text, sizeof text, "-> %s", name);
	if (s->enters)
		put_line(s, text, true);
	snprintf(text, sizeof text, "%6u", s->word);
	if (t->words)
		put_line(s, text, true);
	snprintf(text, sizeof text, "<- %s", name);
	if (s->leaves)
		put_line(s, text, false);
}

bool dev_trace_start(struct dev_trace *t, struct wasm_instance *i,
	struct err *e)
{
	return wasm_instance_trace(i, put_step, t, e);
}
