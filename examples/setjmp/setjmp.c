/* SPDX-License-Identifier: Apache-2.0 */
/* longjmp as a WebAssembly exception: the functions that the compiler's
 * transformation of setjmp calls. */
#include "setjmp.h"

void __wasm_setjmp(struct jmp *env, unsigned label, void *invocation);
unsigned __wasm_setjmp_test(struct jmp *env, void *invocation);
_Noreturn void __wasm_longjmp(struct jmp *env, int value);

void __wasm_setjmp(struct jmp *env, unsigned label, void *invocation)
{
	env->invocation = invocation;
	env->label = label;
}

/* Which of the invocation's calls it was; 0: another invocation's. */
unsigned __wasm_setjmp_test(struct jmp *env, void *invocation)
{
	return env->invocation == invocation ? env->label : 0;
}

void __wasm_longjmp(struct jmp *env, int value)
{
	env->thrown.env = env;
	env->thrown.value = value ? value : 1;
	__builtin_wasm_throw(1, &env->thrown); /* 1: C's, 0: C++'s */
}
