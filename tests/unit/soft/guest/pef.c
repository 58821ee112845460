/* SPDX-License-Identifier: Apache-2.0 */
/* What an ultravisor refuses, tried from inside; in real mode all the time. */
#include "pef.h"
#include "abi/pef.h"
#include "spec/papr.h"

enum { WORDS = 10 };

void guest_call(uint64_t words[WORDS], int ultra);
void guest_main(int64_t entered, uint64_t what, uint64_t tree);

static uint64_t call(int ultra, uint64_t nr, uint64_t a, uint64_t b)
{
	uint64_t w[WORDS] = { nr, a, b };
	guest_call(w, ultra);
	return w[0];
}

static uint64_t ultracall(uint64_t nr, uint64_t a, uint64_t b)
{
	return call(1, nr, a, b);
}

static void tell(uint64_t value)
{
	uint64_t w[WORDS] = { H_PUT_TERM_CHAR, PEF_TERMINAL, 8, value };
	guest_call(w, 0);
}

static volatile uint64_t *at(uint64_t gra)
{
	return (volatile uint64_t *)(PEF_SHIM_VA + gra);
}

static const uint64_t page = PEF_GUEST_PAGE >> UV_PAGE_SHIFT;

static void calls(void)
{
	static const uint64_t hypervisors[] = { UV_WRITE_PATE, UV_PAGE_IN,
		UV_PAGE_OUT, UV_SVM_TERMINATE, 0xf1fc };
	for (size_t i = 0; i < ARRAY_LEN(hypervisors); i++)
		tell(ultracall(hypervisors[i], 0, 0));
	tell(call(0, H_SVM_PAGE_IN, 0, 0));
	tell(call(0, H_SVM_INIT_ABORT, 0, 0));
	/* No page, no pages, pages where no memory is, too many of them. */
	tell(ultracall(UV_SHARE_PAGE, page, 0));
	tell(ultracall(UV_SHARE_PAGE, 0x7fffffff, 1));
	tell(ultracall(UV_SHARE_PAGE, ~0ull, 1));
	tell(ultracall(UV_SHARE_PAGE, page, ~0ull));
	tell(ultracall(UV_UNSHARE_PAGE, 0x7fffffff, 1));
}

static void share(void)
{
	*at(PEF_GUEST_PAGE) = PEF_GUEST_MARK;
	tell(ultracall(UV_SHARE_PAGE, page, 1));
	tell(*at(PEF_GUEST_PAGE)); /* empty */
	*at(PEF_GUEST_PAGE) = 1;
	tell(0); /* the host sees that, and writes 2 */
	tell(*at(PEF_GUEST_PAGE));
	tell(ultracall(UV_UNSHARE_PAGE, page, 1));
	tell(*at(PEF_GUEST_PAGE)); /* empty */
	*at(PEF_GUEST_PAGE) = PEF_GUEST_MARK;
	tell(0); /* the host writes 3 to where it was */
	tell(*at(PEF_GUEST_PAGE));
	/* All at once. */
	tell(ultracall(UV_SHARE_PAGE, page, 2));
	tell(ultracall(UV_UNSHARE_ALL_PAGES, 0, 0));
	*at(PEF_GUEST_PAGE + UV_PAGE_BYTES) = 5;
	tell(0);
}

/* Has it, and tells nobody. */
static void take_file(void)
{
	uint64_t w[WORDS] = { UV_ESMB_GET_FILE, 0, 0x646f6e6a6f6e2d6b,
		0x6579000000000000 };
	guest_call(w, 1);
	if (w[0] == 32)
		*at(PEF_GUEST_PAGE + UV_PAGE_BYTES) = w[1];
}

static void hold(void)
{
	take_file();
	for (uint64_t i = 0; i < UV_PAGE_BYTES; i += 8)
		*at(PEF_GUEST_PAGE + i) = PEF_GUEST_MARK;
	tell(0);
	tell(*at(PEF_GUEST_PAGE));
}

static void run(void)
{
	tell(ultracall(UV_SHARE_PAGE, page, 1));
	*(volatile uint32_t *)at(PEF_GUEST_PAGE) = 0x4e800020; /* blr */
	((void (*)(void))(PEF_SHIM_VA + PEF_GUEST_PAGE))();
}

/* "donjon-k", "ey": bytes of a name come in words, the first on top. */
static void file(void)
{
	uint64_t w[WORDS] = { UV_ESMB_GET_FILE, 0, 0x646f6e6a6f6e2d6b,
		0x6579000000000000 };
	guest_call(w, 1);
	tell(w[0]);
	tell(w[1]);
	for (int i = 0; i < 2; i++) {
		uint64_t again[WORDS] = { UV_ESMB_GET_FILE, i ? 0x20u : 0,
			0x646f6e6a6f6e2d6b, 0x6579000000000000 };
		guest_call(again, 1);
		tell(again[0]);
	}
	uint64_t other[WORDS] = { UV_ESMB_GET_FILE, 0, 0x646f6e6a00000000 };
	guest_call(other, 1);
	tell(other[0]);
}

static void tables(void)
{
	uint64_t w[WORDS] = { H_REGISTER_PROC_TABLE,
		H_PROC_TABLE_NEW | H_PROC_TABLE_RADIX, PEF_GUEST_TABLE };
	guest_call(w, 0);
	tell(w[0]);
}

void guest_main(int64_t entered, uint64_t what, uint64_t tree)
{
	tell((uint64_t)entered);
	switch (what) {
	case PEF_GUEST_PLAIN:
		tell(ultracall(UV_SHARE_PAGE, page, 1));
		tell(ultracall(UV_UNSHARE_ALL_PAGES, 0, 0));
		file();
		break;
	case PEF_GUEST_TWICE:
		tell(ultracall(UV_ESM, 0, tree));
		break;
	case PEF_GUEST_CALLS:
		calls();
		break;
	case PEF_GUEST_SHARE:
		share();
		break;
	case PEF_GUEST_HOLD:
		hold();
		break;
	case PEF_GUEST_RUN:
		run();
		break;
	case PEF_GUEST_BEYOND:
		tell(*at(0x4000000000));
		break;
	case PEF_GUEST_FILE:
		file();
		break;
	case PEF_GUEST_TABLES:
		tables();
		break;
	case PEF_GUEST_SPIN:
		take_file();
		for (;;)
			;
	default:
		break;
	}
	tell(PEF_GUEST_DONE);
}
