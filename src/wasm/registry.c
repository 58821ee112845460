/* SPDX-License-Identifier: Apache-2.0 */
#include "wasm/types_priv.h"

/*
 * A group is encoded as words in which a reference to a type of the group is
 * IN_GROUP | its position, and one to an earlier type is that type's number:
 * two groups are equal exactly when their words are.
 */
#define IN_GROUP 0x400000u

void wasm_registry_fini(struct wasm_registry *r)
{
	if (!r->heap)
		return;
	wasm_heap_free(r->heap, r->words, r->word_cap, sizeof *r->words);
	wasm_heap_free(r->heap, r->recs, r->rec_cap, sizeof *r->recs);
	wasm_heap_free(r->heap, r->buckets, r->bucket_count,
		sizeof *r->buckets);
	wasm_heap_free(r->heap, r->types, r->type_cap, sizeof *r->types);
	*r = (struct wasm_registry){ 0 };
}

struct encoder {
	struct wasm_registry *r;
	const uint32_t *canon;
	uint32_t start;
	bool failed;
};

static void put(struct encoder *e, uint32_t v)
{
	struct wasm_registry *r = e->r;
	if (!wasm_fit(r->heap, r->words, r->word_cap, r->word_count + 1ull)) {
		e->failed = true;
		return;
	}
	r->words[r->word_count++] = v;
}

static uint32_t encode_index(const struct encoder *e, uint32_t i)
{
	return i >= e->start ? IN_GROUP | (i - e->start) : e->canon[i];
}

static uint32_t encode_type(const struct encoder *e, uint32_t t)
{
	if (!t_is_ref(t) || t_heap(t) >= HEAP_ABS)
		return t;
	return (t & 0xff) | encode_index(e, t_heap(t)) << 8;
}

static void encode_def(struct encoder *e, const struct wasm_typedef *d,
	const uint32_t *pool)
{
	put(e,
		(uint32_t)d->kind | (uint32_t)d->final << 8 |
			(uint32_t)d->has_super << 9);
	if (d->has_super)
		put(e, encode_index(e, d->super));
	put(e, d->params);
	put(e, d->results);
	if (d->kind == DEF_FUNC) {
		for (uint32_t i = 0; i < d->params + d->results; i++)
			put(e, encode_type(e, pool[d->first + i]));
		return;
	}
	for (uint32_t i = 0; i < d->params; i++) {
		put(e, encode_type(e, pool[d->first + 2 * i]));
		put(e, pool[d->first + 2 * i + 1]);
	}
}

static uint32_t hash_words(const uint32_t *w, uint32_t n)
{
	uint32_t h = 2166136261u;
	for (uint32_t i = 0; i < n; i++) {
		h = (h ^ w[i]) * 16777619u;
		h ^= h >> 15;
	}
	return h;
}

static bool rehash(struct wasm_registry *r)
{
	uint32_t n = r->bucket_count ? r->bucket_count * 2 : 64;
	uint32_t *b = wasm_heap_new(r->heap, n, sizeof *b);
	if (!b)
		return false;
	for (uint32_t i = 0; i < r->rec_count; i++) {
		struct wasm_rec *rec = &r->recs[i];
		rec->next = b[rec->hash & (n - 1)];
		b[rec->hash & (n - 1)] = i + 1;
	}
	wasm_heap_free(r->heap, r->buckets, r->bucket_count,
		sizeof *r->buckets);
	r->buckets = b;
	r->bucket_count = n;
	return true;
}

static uint32_t find(const struct wasm_registry *r, uint32_t hash,
	uint32_t first, uint32_t n)
{
	if (!r->bucket_count)
		return 0;
	uint32_t i = r->buckets[hash & (r->bucket_count - 1)];
	for (; i; i = r->recs[i - 1].next) {
		const struct wasm_rec *rec = &r->recs[i - 1];
		if (rec->hash == hash && rec->words == n &&
			!memcmp(r->words + rec->first_word, r->words + first,
				n * sizeof *r->words))
			return i;
	}
	return 0;
}

/* Takes the group just encoded at [first, word_count) in as a new one. */
static bool add(struct wasm_registry *r, uint32_t hash, uint32_t first,
	const struct wasm_typedef *defs, uint32_t start, uint32_t n,
	const uint32_t *canon)
{
	if (r->rec_count >= r->bucket_count / 2 && !rehash(r))
		return false;
	if (!wasm_fit(r->heap, r->recs, r->rec_cap, r->rec_count + 1ull) ||
		!wasm_fit(r->heap, r->types, r->type_cap,
			r->type_count + (uint64_t)n))
		return false;
	uint32_t id = r->type_count;
	if (id + (uint64_t)n >= IN_GROUP)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		const struct wasm_typedef *d = &defs[start + i];
		struct wasm_canon t = { .super = NO_SUPER, .kind = d->kind };
		if (d->has_super) {
			t.super = d->super >= start ? id + d->super - start :
						      canon[d->super];
			t.depth = r->types[t.super].depth + 1;
		}
		r->types[r->type_count++] = t;
	}
	uint32_t *bucket = &r->buckets[hash & (r->bucket_count - 1)];
	r->recs[r->rec_count++] = (struct wasm_rec){ .hash = hash,
		.first_word = first,
		.words = r->word_count - first,
		.first_id = id,
		.next = *bucket };
	*bucket = r->rec_count;
	return true;
}

bool wasm_registry_intern(struct wasm_registry *r,
	const struct wasm_typedef *defs, const uint32_t *pool, uint32_t start,
	uint32_t n, uint32_t *canon)
{
	struct encoder e = { .r = r, .canon = canon, .start = start };
	uint32_t first = r->word_count;
	for (uint32_t i = 0; i < n; i++)
		encode_def(&e, &defs[start + i], pool);
	if (e.failed)
		return false;
	uint32_t words = r->word_count - first;
	uint32_t hash = hash_words(r->words + first, words);
	uint32_t found = find(r, hash, first, words);
	if (found) {
		r->word_count = first;
	} else {
		if (!add(r, hash, first, defs, start, n, canon))
			return false;
		found = r->rec_count;
	}
	for (uint32_t i = 0; i < n; i++)
		canon[start + i] = r->recs[found - 1].first_id + i;
	return true;
}

bool wasm_registry_sub(const struct wasm_registry *r, uint32_t a, uint32_t b)
{
	while (a != b) {
		if (a == NO_SUPER || r->types[a].depth <= r->types[b].depth)
			return false;
		a = r->types[a].super;
	}
	return true;
}

static bool below_eq(uint32_t h)
{
	return h == HEAP_I31 || h == HEAP_STRUCT || h == HEAP_ARRAY ||
		h == HEAP_EQ;
}

/* Both abstract. */
static bool abs_sub(uint32_t a, uint32_t b)
{
	if (a == b || a == HEAP_BOT)
		return true;
	switch (b) {
	case HEAP_ANY:
		return below_eq(a) || a == HEAP_NONE;
	case HEAP_EQ:
		return below_eq(a) || a == HEAP_NONE;
	case HEAP_I31:
	case HEAP_STRUCT:
	case HEAP_ARRAY:
		return a == HEAP_NONE;
	case HEAP_FUNC:
		return a == HEAP_NOFUNC;
	case HEAP_EXTERN:
		return a == HEAP_NOEXTERN;
	case HEAP_EXN:
		return a == HEAP_NOEXN;
	default:
		return false;
	}
}

static uint32_t kind_heap(const struct wasm_registry *r, uint32_t id)
{
	uint8_t kind = r->types[id].kind;
	return kind == DEF_STRUCT ? HEAP_STRUCT :
		kind == DEF_ARRAY ? HEAP_ARRAY :
				    HEAP_FUNC;
}

bool wasm_registry_heap_sub(const struct wasm_registry *r, uint32_t a,
	uint32_t b)
{
	if (a == b || a == HEAP_BOT)
		return true;
	if (a < HEAP_ABS && b < HEAP_ABS)
		return wasm_registry_sub(r, a, b);
	if (a < HEAP_ABS)
		return abs_sub(kind_heap(r, a), b);
	if (b < HEAP_ABS)
		return a ==
			(r->types[b].kind == DEF_FUNC ? HEAP_NOFUNC :
							HEAP_NONE);
	return abs_sub(a, b);
}

bool wasm_registry_type_sub(const struct wasm_registry *r, uint32_t a,
	uint32_t b)
{
	if (a == b)
		return true;
	if (!t_is_ref(a) || !t_is_ref(b) || (t_nullable(a) && !t_nullable(b)))
		return false;
	return wasm_registry_heap_sub(r, t_heap(a), t_heap(b));
}

bool wasm_registry_collected(const struct wasm_registry *r, uint32_t t)
{
	uint32_t heap = t_heap(t);
	if (!t_is_ref(t))
		return false;
	if (heap < HEAP_ABS)
		return r->types[heap].kind != DEF_FUNC;
	return heap != HEAP_FUNC && heap != HEAP_NOFUNC;
}
