/* SPDX-License-Identifier: Apache-2.0 */
#include "pair.h"

#include <sys/mman.h>

#include "../../test.h"
#include "wasm/jit/jit_priv.h"

static struct wasm_instance *instance(const struct wasm_module *m,
	struct wasm_limits l, enum wasm_engine engine)
{
	struct wasm_instance *i = NULL;
	struct wasm_result r;
	struct err e = { 0 };
	l.engine = engine;
	if (!wasm_instance_new(m, NULL, 0, &l, &i, &r, &e))
		fail_msg("%s", e.text);
	return i;
}

void pair_limited(struct pair *p, struct build *b, struct wasm_limits l)
{
	auto_buf out = { 0 };
	struct err e = { 0 };
	build_done(b, &out);
	*p = (struct pair){ 0 };
	l.places = true; /* ends are compared with them */
	if (!wasm_module_new(buf_bytes(&out), &l, &p->m, &e))
		fail_msg("%s", e.text);
	p->interp = instance(p->m, l, WASM_ENGINE_INTERP);
	p->jit = instance(p->m, l, WASM_ENGINE_JIT);
}

void pair_init(struct pair *p, struct build *b)
{
	pair_limited(p, b, (struct wasm_limits){ 0 });
}

void pair_fini(struct pair *p)
{
	wasm_instance_free(p->interp);
	wasm_instance_free(p->jit);
	wasm_module_free(p->m);
}

void call(struct wasm_instance *i, const char *name, uint64_t x, uint64_t *out,
	struct wasm_result *r)
{
	struct err e = { 0 };
	*out = 0;
	if (!wasm_call(i, name, &x, 1, out, 1, r, &e))
		fail_msg("%s", e.text);
}

uint64_t both(struct pair *p, const char *name, uint64_t x)
{
	uint64_t want, got;
	call(p->interp, name, x, &want, &p->ri);
	call(p->jit, name, x, &got, &p->rj);
	CHECK_INT(p->rj.end, p->ri.end);
	CHECK_STR(p->rj.text, p->ri.text);
	if (p->ri.end == WASM_RETURNED)
		CHECK_INT(got, want);
	return want;
}

uint32_t compiled(const struct pair *p)
{
	return wasm_instance_jit_stats(p->jit).compiled;
}

void pair_interpret(struct pair *p, uint32_t functions)
{
	const struct wasm_module *m = p->m;
	for (uint32_t n = 0; n < m->func_count - m->func_imports; n++)
		if (functions >> n & 1)
			p->jit->own[n].jit_state = JIT_REFUSED;
}

void fence(struct wasm_instance *i, struct fenced *f)
{
	struct wasm_memory *m = i->memories[0];
	f->was = m->data;
	f->len = m->len;
	f->map = mmap(NULL, f->len + PAGE_BYTES, PROT_NONE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(f->map != MAP_FAILED);
	CHECK(!mprotect(f->map, f->len, PROT_READ | PROT_WRITE));
	for (size_t k = 0; k < f->len; k++)
		f->map[k] = f->was[k] = (uint8_t)(k * 7 + k / 256);
	m->data = f->map;
}

void unfence(struct wasm_instance *i, const struct fenced *f)
{
	i->memories[0]->data = f->was;
	munmap(f->map, f->len + PAGE_BYTES);
}
