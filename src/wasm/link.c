/* SPDX-License-Identifier: Apache-2.0 */
/* Imports: what an instance gets from outside, each of the right type. */
#include "wasm/store_priv.h"

uint32_t wasm_letter_type(char c)
{
	switch (c) {
	case 'i':
		return T_I32;
	case 'I':
		return T_I64;
	case 'f':
		return T_F32;
	case 'F':
		return T_F64;
	case 'V':
		return T_V128;
	case 'r':
		return T_EXTERNREF;
	default:
		return T_BOT;
	}
}

enum { MAX_SIG = 32 };

/* "iIi:i" as a definition whose types lie in pool. */
static bool parse_sig(const char *sig, struct wasm_typedef *d,
	uint32_t pool[MAX_SIG])
{
	uint32_t n = 0;
	bool after = false;
	*d = (struct wasm_typedef){ .kind = DEF_FUNC, .final = true };
	for (const char *p = sig; *p; p++) {
		if (*p == ':' && !after) {
			after = true;
			continue;
		}
		uint32_t t = wasm_letter_type(*p);
		if (t == T_BOT || n == MAX_SIG)
			return false;
		pool[n++] = t;
		*(after ? &d->results : &d->params) += 1;
		*(after ? &d->result_slots : &d->param_slots) += t_slots(t);
	}
	return after;
}

struct wasm_func *wasm_host_func(struct wasm_store *s,
	const struct wasm_import *im)
{
	struct wasm_typedef d;
	uint32_t pool[MAX_SIG], sig = 0;
	if (!parse_sig(im->sig, &d, pool) ||
		!wasm_registry_intern(&s->registry, &d, pool, 0, 1, &sig))
		return NULL;
	struct wasm_func *f = wasm_heap_new(&s->heap, 1, sizeof *f);
	if (!f)
		return NULL;
	f->sig = sig;
	f->host = im;
	f->param_slots = (uint16_t)d.param_slots;
	f->result_slots = (uint16_t)d.result_slots;
	f->next = s->funcs;
	s->funcs = f;
	return f;
}

uint32_t wasm_store_type(const struct wasm_instance *i, uint32_t t)
{
	if (!t_is_ref(t) || t_heap(t) >= HEAP_ABS)
		return t;
	return (t & 0xff) | i->canon[t_heap(t)] << 8;
}

static bool range_fits(const struct wasm_range *have,
	const struct wasm_range *want)
{
	if (have->is64 != want->is64 || have->shared != want->shared ||
		have->min < want->min)
		return false;
	return !want->has_max || (have->has_max && have->max <= want->max);
}

static bool same_type(const struct wasm_registry *r, uint32_t a, uint32_t b)
{
	return wasm_registry_type_sub(r, a, b) &&
		wasm_registry_type_sub(r, b, a);
}

static bool take_func(struct wasm_instance *i, uint32_t index,
	struct wasm_func *f)
{
	uint32_t want = i->canon[i->module->funcs[index]];
	i->imported[index] = f;
	return wasm_registry_sub(&i->store->registry, f->sig, want);
}

static bool take_table(struct wasm_instance *i, uint32_t index,
	struct wasm_table *t)
{
	const struct wasm_tabledef *d = &i->module->tables[index];
	i->tables[index] = t;
	return same_type(&i->store->registry, t->type,
		       wasm_store_type(i, d->type)) &&
		range_fits(&t->range, &d->range);
}

static bool take_global(struct wasm_instance *i, uint32_t index,
	struct wasm_global *g)
{
	const struct wasm_globaldef *d = &i->module->globals[index];
	const struct wasm_registry *r = &i->store->registry;
	uint32_t want = wasm_store_type(i, d->type);
	i->globals[index] = g;
	if (g->mutable != d->mutable)
		return false;
	return d->mutable ? same_type(r, g->type, want) :
			    wasm_registry_type_sub(r, g->type, want);
}

static bool take(struct wasm_instance *i, const struct wasm_importdef *im,
	const struct wasm_extern *x)
{
	struct wasm_memory *mem = x->object;
	struct wasm_tag *tag = x->object;
	if ((uint32_t)x->kind != im->kind)
		return false;
	switch (x->kind) {
	case WASM_EXTERN_FUNC:
		return take_func(i, im->index, x->object);
	case WASM_EXTERN_TABLE:
		return take_table(i, im->index, x->object);
	case WASM_EXTERN_MEMORY:
		i->memories[im->index] = mem;
		return range_fits(&mem->range,
			&i->module->memories[im->index].range);
	case WASM_EXTERN_GLOBAL:
		return take_global(i, im->index, x->object);
	default:
		i->tags[im->index] = tag;
		return tag->sig == i->canon[i->module->tags[im->index]];
	}
}

/* A name for people: printable, and cut when it is long. */
static const char *printable(struct bytes b, char out[64])
{
	size_t n = 0;
	for (; n < b.len && n < 63; n++)
		out[n] = b.ptr[n] >= 0x20 && b.ptr[n] < 0x7f ? (char)b.ptr[n] :
							       '?';
	out[n] = '\0';
	return out;
}

bool wasm_link_imports(struct wasm_instance *i,
	bool (*find)(void *ctx, struct bytes module, struct bytes name,
		struct wasm_extern *out),
	void *ctx, struct err *e)
{
	const struct wasm_module *m = i->module;
	for (uint32_t n = 0; n < m->import_count; n++) {
		const struct wasm_importdef *im = &m->imports[n];
		struct wasm_extern x = { 0 };
		char a[64], b[64];
		bool found = find(ctx, im->module, im->name, &x);
		if (found && take(i, im, &x))
			continue;
		return err_fail(e, ERR_INPUT, "import %s.%s: %s",
			printable(im->module, a), printable(im->name, b),
			found ? "incompatible import type" : "unknown import");
	}
	return true;
}

bool wasm_store_func(struct wasm_store *s, const struct wasm_import *im,
	struct wasm_extern *out)
{
	*out = (struct wasm_extern){ WASM_EXTERN_FUNC, wasm_host_func(s, im) };
	return out->object != NULL;
}

static struct wasm_range range_of(uint64_t min, uint64_t max, bool is64)
{
	return (struct wasm_range){ .min = min,
		.max = max,
		.has_max = max != UINT64_MAX,
		.is64 = is64 };
}

bool wasm_store_memory(struct wasm_store *s, uint64_t min, uint64_t max,
	bool is64, struct wasm_extern *out)
{
	struct wasm_range r = range_of(min, max, is64);
	*out = (struct wasm_extern){ WASM_EXTERN_MEMORY,
		wasm_memory_make(s, &r) };
	return out->object != NULL;
}

bool wasm_store_shared_memory(struct wasm_store *s, const struct wasm_module *m,
	struct bytes module, struct bytes name, struct wasm_extern *out)
{
	for (uint32_t n = 0; n < m->import_count; n++) {
		const struct wasm_importdef *im = &m->imports[n];
		const struct wasm_range *r;
		if (im->kind != KIND_MEMORY ||
			!bytes_equal(im->module, module) ||
			!bytes_equal(im->name, name))
			continue;
		r = &m->memories[im->index].range;
		if (!r->shared)
			return false;
		*out = (struct wasm_extern){ WASM_EXTERN_MEMORY,
			wasm_memory_make(s, r) };
		return out->object != NULL;
	}
	return false;
}

bool wasm_store_table(struct wasm_store *s, uint64_t min, uint64_t max,
	bool is64, struct wasm_extern *out)
{
	struct wasm_range r = range_of(min, max, is64);
	*out = (struct wasm_extern){ WASM_EXTERN_TABLE,
		wasm_table_make(s, T_FUNCREF, &r, 0) };
	return out->object != NULL;
}

bool wasm_store_global(struct wasm_store *s, enum wasm_type type,
	bool is_mutable, uint64_t value, struct wasm_extern *out)
{
	uint32_t t = type == WASM_FUNCREF ? T_FUNCREF :
		type == WASM_EXTERNREF	  ? T_EXTERNREF :
					    (uint32_t)type;
	*out = (struct wasm_extern){ WASM_EXTERN_GLOBAL,
		wasm_global_make(s, t, is_mutable, value) };
	return out->object != NULL;
}

void wasm_extern_global(const struct wasm_extern *g, uint64_t value[2])
{
	const struct wasm_global *from = g->object;
	value[0] = from->v[0];
	value[1] = from->v[1];
}

struct bytes wasm_extern_memory(const struct wasm_extern *m)
{
	const struct wasm_memory *from = m->object;
	return bytes_of(from->data, (size_t)from->len);
}

bool wasm_instance_export(const struct wasm_instance *i, struct bytes name,
	struct wasm_extern *out)
{
	const struct wasm_exportdef *x = wasm_find_export(i->module, name);
	if (!x)
		return false;
	void *const objects[] = {
		x->kind == KIND_FUNC ? wasm_func_of(i, x->index) : NULL,
		x->kind == KIND_TABLE ? i->tables[x->index] : NULL,
		x->kind == KIND_MEMORY ? i->memories[x->index] : NULL,
		x->kind == KIND_GLOBAL ? i->globals[x->index] : NULL,
		x->kind == KIND_TAG ? i->tags[x->index] : NULL,
	};
	*out = (struct wasm_extern){ (enum wasm_extern_kind)x->kind,
		objects[x->kind] };
	return true;
}
