/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The little of WASI that the kernels use, for wasm2c's code of a module named
 * `k` (bench/wasm.py).  Not built by make: k.h is generated.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "k.h"

struct Z_wasi_snapshot_preview1_instance_t {
	Z_k_instance_t *k;
};
typedef struct Z_wasi_snapshot_preview1_instance_t host;

enum { BADF = 8, SPIPE = 70, CHARACTER_DEVICE = 2 };

static u8 *memory(host *h)
{
	return Z_kZ_memory(h->k)->data;
}

u32 Z_wasi_snapshot_preview1Z_fd_write(host *h, u32 fd, u32 list, u32 count,
	u32 written)
{
	u32 all = 0;
	for (u32 i = 0; i < count; i++) {
		u32 span[2];
		memcpy(span, memory(h) + list + 8 * i, sizeof span);
		if (write((int)fd, memory(h) + span[0], span[1]) < 0)
			return BADF;
		all += span[1];
	}
	memcpy(memory(h) + written, &all, sizeof all);
	return 0;
}

u32 Z_wasi_snapshot_preview1Z_fd_fdstat_get(host *h, u32 fd, u32 to)
{
	(void)fd;
	memset(memory(h) + to, 0, 24);
	memory(h)[to] = CHARACTER_DEVICE;
	return 0;
}

u32 Z_wasi_snapshot_preview1Z_fd_close(host *h, u32 fd)
{
	(void)h;
	(void)fd;
	return 0;
}

u32 Z_wasi_snapshot_preview1Z_fd_seek(host *h, u32 fd, u64 by, u32 from, u32 to)
{
	(void)h;
	(void)fd;
	(void)by;
	(void)from;
	(void)to;
	return SPIPE;
}

void Z_wasi_snapshot_preview1Z_proc_exit(host *h, u32 code)
{
	(void)h;
	exit((int)code);
}

int main(void)
{
	Z_k_instance_t k;
	host h = { &k };
	wasm_rt_init();
	Z_k_init_module();
	Z_k_instantiate(&k, &h);
	Z_kZ__start(&k);
	return 0;
}
