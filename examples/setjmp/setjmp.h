/* SPDX-License-Identifier: Apache-2.0 */
/* What wasi-libc of Debian 12 lacks; the compiler makes the rest
 * (-mllvm -wasm-enable-sjlj), setjmp.c what it calls. */
#ifndef EXAMPLES_SETJMP_H
#define EXAMPLES_SETJMP_H

struct jmp {
	void *invocation; /* of the function that called setjmp */
	unsigned label;
	struct {
		void *env;
		int value;
	} thrown;
};
typedef struct jmp jmp_buf[1];

int setjmp(jmp_buf env) __attribute__((returns_twice));
_Noreturn void longjmp(jmp_buf env, int value);

#endif
