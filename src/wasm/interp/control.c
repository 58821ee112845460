/* SPDX-License-Identifier: Apache-2.0 */
/* Jumps, calls, moves, variables. */
#include "wasm/interp/exec_priv.h"

OP(exit)
{
	x->end = WASM_RETURNED;
	HALT();
}

OP(stop)
{
	x->end = WASM_TRAPPED;
	HALT();
}

OP(halt)
{
	HALT();
}

/* The budget is used up: at ip goes on what was interrupted. */
OP(refill)
{
	if (!wasm_exec_pay(x, 0) || wasm_thread_yields(x))
		HALT();
	GO();
}

OP(unreachable)
{
	TRAP(UNREACHABLE);
}

OP(jump)
{
	JUMP(0);
}

OP(br_nz)
{
	if ((uint32_t)fp[ip->a])
		JUMP(0);
	NEXT(1);
}

OP(br_z)
{
	if (!(uint32_t)fp[ip->a])
		JUMP(0);
	NEXT(1);
}

/* a index; high: how many; then a word for each and the default. */
OP(br_table)
{
	uint32_t i = (uint32_t)fp[ip->a], n = ip->high;
	ip += 1 + (i < n ? i : n);
	JUMP(0);
}

OP(br_null)
{
	if (!fp[ip->a])
		JUMP(0);
	NEXT(1);
}

OP(br_non_null)
{
	if (fp[ip->a])
		JUMP(0);
	NEXT(1);
}

OP(copy)
{
	fp[ip->a] = fp[ip->b];
	NEXT(1);
}

OP(copy2)
{
	uint64_t low = fp[ip->b], high = fp[ip->b + 1];
	fp[ip->a] = low;
	fp[ip->a + 1] = high;
	NEXT(1);
}

OP(const32)
{
	fp[ip->a] = ip->high;
	NEXT(1);
}

OP(const64)
{
	fp[ip->a] = ip[1].u64;
	NEXT(2);
}

OP(const128)
{
	fp[ip->a] = ip[1].u64;
	fp[ip->a + 1] = ip[2].u64;
	NEXT(3);
}

/* b if the register in the next word is not zero, else c. */
OP(select)
{
	uint64_t yes = fp[ip->b], no = fp[ip->c];
	fp[ip->a] = (uint32_t)fp[ip[1].a] ? yes : no;
	NEXT(2);
}

OP(select2)
{
	const uint64_t *from = fp + ((uint32_t)fp[ip[1].a] ? ip->b : ip->c);
	uint64_t low = from[0], high = from[1];
	fp[ip->a] = low;
	fp[ip->a + 1] = high;
	NEXT(2);
}

OP(global_get)
{
	fp[ip->a] = x->globals[ip->high]->v[0];
	NEXT(1);
}

OP(global_set)
{
	x->globals[ip->high]->v[0] = fp[ip->a];
	NEXT(1);
}

OP(global_get2)
{
	const struct wasm_global *g = x->globals[ip->high];
	fp[ip->a] = g->v[0];
	fp[ip->a + 1] = g->v[1];
	NEXT(1);
}

OP(global_set2)
{
	struct wasm_global *g = x->globals[ip->high];
	g->v[0] = fp[ip->a];
	g->v[1] = fp[ip->a + 1];
	NEXT(1);
}

OP(ref_func)
{
	fp[ip->a] = wasm_ref_of(wasm_func_of(x->inst, ip->high));
	NEXT(1);
}

OP(ref_is_null)
{
	fp[ip->a] = !fp[ip->b];
	NEXT(1);
}

OP(ref_as_non_null)
{
	if (!fp[ip->a])
		TRAP(NULL);
	NEXT(1);
}
