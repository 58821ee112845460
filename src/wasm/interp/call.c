/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls.  Arguments lie where the callee's frame begins, and so do its
 * results afterwards: nothing is moved.  Calls of WebAssembly functions don't
 * use the host's stack.
 */
#include "wasm/interp/exec_priv.h"

const union wasm_word wasm_exit_code[1] = { { .op = OP_exit } };
const union wasm_word wasm_cross_code[1] = { { .op = OP_cross } };

/*
 * Enters the function whose header is `h` with its frame at `nfp`; the
 * caller's frame was pushed.  The header's numbers are the compiler's.
 */
#define ENTER(h, nfp)                                               \
	do {                                                        \
		const union wasm_word *h_ = (h);                    \
		fp = (nfp);                                         \
		uint64_t *clear_ = fp + h_->a;                      \
		uint64_t *end_ = clear_ + h_->b;                    \
		while (clear_ != end_)                              \
			*clear_++ = 0;                              \
		if (h_->c) {                                        \
			const union wasm_word *k_ = h_ + h_[1].low; \
			for (end_ += h_->c; clear_ != end_; k_++)   \
				*clear_++ = k_->u64;                \
		}                                                   \
		ip = h_ + WASM_HEADER_WORDS;                        \
		GO();                                               \
	} while (0)

#define PUSH_FRAME(at, frame_fp)           \
	do {                               \
		x->frame->ip = (at);       \
		x->frame->fp = (frame_fp); \
		x->frame++;                \
	} while (0)

/* Makes sure of `slots` from fp on, of two call frames, and of budget. */
#define ROOM(slots)                                                          \
	do {                                                                 \
		uint32_t need_ = (slots);                                    \
		if (UNLIKELY((uint64_t)(x->stack_end - fp) < need_ ||        \
			    x->frame >= x->frames_end || --x->budget < 0)) { \
			x->need = need_;                                     \
			GOTO(make_room);                                     \
		}                                                            \
	} while (0)

/* Out of stack, frames or budget: makes room and goes to ip again. */
OP(make_room)
{
	if (x->budget < 0 && (!wasm_exec_pay(x, 0) || wasm_thread_yields(x)))
		GOTO(halt);
	/* By way of x: a variable whose address is known elsewhere would stay
	 * on the host's stack. */
	x->fp = fp;
	bool made = wasm_exec_room(x, x->need);
	fp = x->fp;
	if (!made)
		GOTO(stop);
	GO();
}

/* a: where the arguments are; rel: the callee's header. */
OP(call)
{
	const union wasm_word *h = ip + ip->rel;
	uint64_t *nfp = fp + ip->a;
	ROOM((uint32_t)ip->a + h->op);
	PUSH_FRAME(ip + 1, fp);
	ENTER(h, nfp);
}

/* x->callee with its arguments at register a; then x->skip words on. */
OP(call_any)
{
	struct wasm_func *f = x->callee;
	uint64_t *nfp = fp + ip->a;
	if (!f->inst) {
		ROOM(ip->a);
		x->ip = ip;
		x->fp = fp;
		if (!wasm_exec_host(x, f, nfp))
			GOTO(halt);
		RELOAD();
		NEXT(x->skip);
	}
	ROOM((uint32_t)ip->a + f->code->op);
	PUSH_FRAME(ip + x->skip, fp);
	if (f->inst != x->inst) {
		PUSH_FRAME(wasm_cross_code, (uint64_t *)(void *)x->inst);
		wasm_exec_enter(x, f->inst);
		RELOAD();
	}
	ENTER(f->code, nfp);
}

OP(call_import)
{
	x->callee = x->inst->imported[ip->high];
	x->skip = 1;
	GOTO(call_any);
}

/* Finds the callee at index `i` of the table that word 1 names, or traps. */
#define LOOK_UP(f, i)                                                        \
	const struct wasm_table *t_ = x->inst->tables[ip[1].high];           \
	if (UNLIKELY((i) >= t_->range.min))                                  \
		TRAP(ELEMENT);                                               \
	struct wasm_func *f = wasm_ref_func(t_->elems[i]);                   \
	if (UNLIKELY(!f))                                                    \
		TRAP(UNINITIALIZED);                                         \
	uint32_t want_ = x->inst->canon[ip[1].low];                          \
	if (UNLIKELY(f->sig != want_ &&                                      \
		    !wasm_registry_sub(&x->store->registry, f->sig, want_))) \
	TRAP(SIGNATURE)

/* a arguments, b index; then type and table. */
OP(call_indirect)
{
	uint64_t i = fp[ip->b];
	LOOK_UP(f, i);
	if (UNLIKELY(f->inst != x->inst)) {
		x->callee = f;
		x->skip = 2;
		GOTO(call_any);
	}
	uint64_t *nfp = fp + ip->a;
	ROOM((uint32_t)ip->a + f->code->op);
	PUSH_FRAME(ip + 2, fp);
	ENTER(f->code, nfp);
}

/* a arguments, b the reference; then the type. */
OP(call_ref)
{
	x->callee = wasm_ref_func(fp[ip->b]);
	if (!x->callee)
		TRAP(NULL_FUNC);
	x->skip = 2;
	GOTO(call_any);
}

OP(ret)
{
	x->frame--;
	ip = x->frame->ip;
	fp = x->frame->fp;
	GO();
}

OP(ret1)
{
	fp[0] = fp[ip->a];
	x->frame--;
	ip = x->frame->ip;
	fp = x->frame->fp;
	GO();
}

OP(ret2)
{
	uint64_t low = fp[ip->a], high = fp[ip->a + 1];
	fp[0] = low;
	fp[1] = high;
	x->frame--;
	ip = x->frame->ip;
	fp = x->frame->fp;
	GO();
}

/* `high` slots from register a on. */
OP(retn)
{
	const uint64_t *from = fp + ip->a;
	for (uint32_t i = 0; i < ip->high; i++)
		fp[i] = from[i];
	x->frame--;
	ip = x->frame->ip;
	fp = x->frame->fp;
	GO();
}

/* A function of another instance has returned: the frame that brought us
 * here holds the instance in place of a frame pointer. */
OP(cross)
{
	wasm_exec_enter(x, (struct wasm_instance *)(void *)fp);
	RELOAD();
	x->frame--;
	ip = x->frame->ip;
	fp = x->frame->fp;
	GO();
}

#define MOVE_ARGS(from, n)                           \
	do {                                         \
		const uint64_t *from_ = (from);      \
		uint32_t n_ = (n);                   \
		for (uint32_t i_ = 0; i_ < n_; i_++) \
			fp[i_] = from_[i_];          \
	} while (0)

/* As call, but for the caller's frame; word 1: how many slots to move. */
OP(tail_call)
{
	const union wasm_word *h = ip + ip->rel;
	ROOM(h->op);
	MOVE_ARGS(fp + ip->a, ip[1].low);
	ENTER(h, fp);
}

/* x->callee; x->skip is the number of slots to move. */
OP(tail_any)
{
	struct wasm_func *f = x->callee;
	if (!f->inst) {
		uint64_t *slots = fp + ip->a;
		ROOM(ip->a);
		x->ip = ip;
		x->fp = fp;
		if (!wasm_exec_host(x, f, slots))
			GOTO(halt);
		RELOAD();
		MOVE_ARGS(slots, f->result_slots);
		GOTO(ret);
	}
	ROOM(f->code->op);
	if (f->inst != x->inst) {
		if (x->frame[-1].ip != wasm_cross_code)
			PUSH_FRAME(wasm_cross_code,
				(uint64_t *)(void *)x->inst);
		wasm_exec_enter(x, f->inst);
		RELOAD();
	}
	MOVE_ARGS(fp + ip->a, x->skip);
	ENTER(f->code, fp);
}

OP(tail_import)
{
	x->callee = x->inst->imported[ip->high];
	x->skip = ip[1].low;
	GOTO(tail_any);
}

OP(tail_indirect)
{
	uint64_t i = fp[ip->b];
	LOOK_UP(f, i);
	x->callee = f;
	x->skip = ip->c;
	GOTO(tail_any);
}

OP(tail_ref)
{
	x->callee = wasm_ref_func(fp[ip->b]);
	if (!x->callee)
		TRAP(NULL_FUNC);
	x->skip = ip->c;
	GOTO(tail_any);
}

/* The first call of a run: whoever starts it has set x->callee. */
OP(call_callee)
{
	x->skip = 1;
	GOTO(call_any);
}
