/* SPDX-License-Identifier: Apache-2.0 */
/* Arguments, environment, clocks, randomness, the program's own end. */
#include "wasi/wasi_priv.h"

enum { RANDOM_STEP = 1 << 20 };

static int strings_get(struct wasi_call *k, const struct wasi_strings *s)
{
	uint32_t list_at = arg32(k, 0), text_at = arg32(k, 1);
	uint8_t *list = wasi_view(k, list_at, (uint64_t)s->count * 4);
	uint8_t *text = wasi_view(k, text_at, s->len);
	if (!list || !text)
		return WASI_FAULT;
	if (s->len)
		memcpy(text, s->text, s->len);
	for (uint32_t i = 0, at = 0; i < s->count; i++) {
		put_le(list + (size_t)i * 4, text_at + at, 4);
		at += (uint32_t)strlen(s->text + at) + 1;
	}
	return WASI_OK;
}

static int strings_sizes(struct wasi_call *k, const struct wasi_strings *s)
{
	uint8_t *count = wasi_view(k, arg32(k, 0), 4);
	uint8_t *len = wasi_view(k, arg32(k, 1), 4);
	if (!count || !len)
		return WASI_FAULT;
	put_le(count, s->count, 4);
	put_le(len, s->len, 4);
	return WASI_OK;
}

int wasi_args_get(struct wasi_call *k)
{
	return strings_get(k, &k->w->args);
}

int wasi_args_sizes_get(struct wasi_call *k)
{
	return strings_sizes(k, &k->w->args);
}

int wasi_environ_get(struct wasi_call *k)
{
	return strings_get(k, &k->w->env);
}

int wasi_environ_sizes_get(struct wasi_call *k)
{
	return strings_sizes(k, &k->w->env);
}

int wasi_clock_res_get(struct wasi_call *k)
{
	if (arg32(k, 0) > WASI_CLOCK_THREAD_CPUTIME)
		return WASI_INVAL;
	uint8_t *out = wasi_view(k, arg32(k, 1), 8);
	if (!out)
		return WASI_FAULT;
	put_le(out, 1, 8); /* ns: what clock_time_get counts in */
	return WASI_OK;
}

int wasi_clock_time_get(struct wasi_call *k)
{
	uint32_t id = arg32(k, 0);
	if (id > WASI_CLOCK_THREAD_CPUTIME)
		return WASI_INVAL;
	uint8_t *out = wasi_view(k, arg32(k, 2), 8);
	if (!out)
		return WASI_FAULT;
	const struct wasi_host *h = k->w->host;
	put_le(out, h->now(h->ctx, (enum wasi_clock)id), 8);
	return WASI_OK;
}

int wasi_random_get(struct wasi_call *k)
{
	uint32_t len = arg32(k, 1);
	uint8_t *out = wasi_view(k, arg32(k, 0), len);
	if (!out)
		return WASI_FAULT;
	const struct wasi_host *h = k->w->host;
	struct wasm_kept *kept = wasm_caller_kept(k->caller);
	for (uint32_t at = (uint32_t)kept->done, n; at < len; at += n) {
		/* 2 GiB at once must not make the program deaf to a stop. */
		if (at > kept->done) {
			kept->done = at;
			int r = wasi_wait(k, 0);
			if (r)
				return r;
		}
		n = len - at < RANDOM_STEP ? len - at : RANDOM_STEP;
		if (!h->random(h->ctx, out + at, n)) {
			k->ended = true;
			(void)wasm_caller_trap(k->caller, "no randomness");
			return WASI_IO;
		}
	}
	return WASI_OK;
}

int wasi_sched_yield(struct wasi_call *k)
{
	struct wasm_kept *kept = wasm_caller_kept(k->caller);
	if (kept->done)
		return WASI_OK;
	kept->done = 1;
	return wasi_wait(k, 0);
}

int wasi_proc_exit(struct wasi_call *k)
{
	k->ended = true;
	(void)wasm_caller_exit(k->caller, arg32(k, 0));
	return WASI_OK;
}

/* What POSIX does by default on each of WASI's signals. */
int wasi_proc_raise(struct wasi_call *k)
{
	enum { NONE = 0, CHLD = 16, CONT, STOP, TSTP, TTIN, TTOU, URG };
	enum { WINCH = 27, LAST = 30 };
	uint32_t sig = arg32(k, 0);
	switch (sig) {
	case NONE:
	case CHLD:
	case CONT:
	case URG:
	case WINCH:
		return WASI_OK;
	case STOP:
	case TSTP:
	case TTIN:
	case TTOU:
		return WASI_NOTSUP; /* nobody could continue it */
	default:
		break;
	}
	if (sig > LAST)
		return WASI_INVAL;
	k->ended = true;
	(void)wasm_caller_exit(k->caller, 128 + sig);
	return WASI_OK;
}
