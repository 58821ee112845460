/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/pef/host.h"

#include "shim/pef/traps.h"
#include "spec/papr.h"
#include "spec/pef.h"

enum { WORDS = 10, TABLE_SIZE = 0 /* of 4 KiB */ };

/* entry.S */
void shim_hypercall(uint64_t words[WORDS]);
void shim_ultracall(uint64_t words[WORDS]);

static int64_t hypercall(uint64_t w[WORDS])
{
	shim_hypercall(w);
	return (int64_t)w[0];
}

static int64_t ultracall(uint64_t w[WORDS])
{
	shim_ultracall(w);
	return (int64_t)w[0];
}

/* Bytes come in words, the first of them on top. */
static void turn(uint64_t *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		words[i] = __builtin_bswap64(words[i]);
}

void host_key(uint8_t out[PEF_KEY_BYTES])
{
	uint64_t w[WORDS] = { UV_ESMB_GET_FILE };
	_Static_assert(sizeof PEF_KEY_FILE <= UV_FILE_NAME_BYTES, "name");
	memcpy(&w[2], PEF_KEY_FILE, sizeof PEF_KEY_FILE);
	turn(&w[2], UV_FILE_NAME_BYTES / 8);
	if (ultracall(w) == PEF_KEY_BYTES) {
		turn(&w[1], PEF_KEY_BYTES / 8);
		memcpy(out, &w[1], PEF_KEY_BYTES);
	}
	explicit_bzero(w, sizeof w);
}

bool host_share_window(void)
{
	uint64_t w[WORDS] = { UV_SHARE_PAGE, PEF_WINDOW_GPA >> UV_PAGE_SHIFT,
		VM_WINDOW_BYTES >> UV_PAGE_SHIFT };
	return ultracall(w) == U_SUCCESS;
}

void host_processes(uint64_t gra)
{
	uint64_t w[WORDS] = { H_REGISTER_PROC_TABLE,
		H_PROC_TABLE_NEW | H_PROC_TABLE_RADIX | H_PROC_TABLE_GTSE, gra,
		0, TABLE_SIZE };
	if (hypercall(w) != H_SUCCESS)
		shim_crash("the hypervisor takes no tables");
}

void host_event(uint32_t event)
{
	uint64_t w[WORDS] = { H_PUT_TERM_CHAR, PEF_TERMINAL, sizeof event,
		(uint64_t)event << 32 };
	(void)hypercall(w);
}
