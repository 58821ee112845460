/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CPUID does not exist in an enclave: the host's table answers.  It is copied
 * once and judged: what every processor with SGX has must be there, lest
 * exec's cryptography falls back to tables in memory; and no state that the
 * enclave may not use is claimed.
 */
#include "arch/x86_64/cpu.h"
#include "shim/sgx/sgx.h"

enum {
	LEAF_XSAVE = 0xd,
	LEAF_SGX = 0x12,
	/* Leaf 1, ecx. */
	ID1_PCLMUL = 1 << 1,
	ID1_SSSE3 = 1 << 9,
	ID1_FMA = 1 << 12,
	ID1_SSE41 = 1 << 19,
	ID1_AES = 1 << 25,
	ID1_XSAVE = 1 << 26,
	ID1_OSXSAVE = 1 << 27,
	ID1_AVX = 1 << 28,
	ID1_F16C = 1 << 29,
	ID1_RDRAND = 1 << 30,
	/* Leaf 7, ebx. */
	ID7_AVX2 = 1 << 5,
	/* Leaf 7, ecx. */
	ID7_OSPKE = 1 << 4,
	ID7_VAES = 1 << 9 | 1 << 10,
	XSAVE_BASE = 0x240,
	/* Leaf 0x12. */
	SGX_EAX_EDECCSSA = 1 << 11,
};

#define ID1_NEEDED                                                            \
	(uint32_t)(ID1_PCLMUL | ID1_SSSE3 | ID1_SSE41 | ID1_AES | ID1_XSAVE | \
		ID1_RDRAND)
#define ID1_WITH_AVX (uint32_t)(ID1_FMA | ID1_AVX | ID1_F16C)
/* F, DQ, IFMA, PF, ER, CD, BW, VL; VBMI and its kin. */
#define ID7_AVX512_B 0xdc230000u
#define ID7_AVX512_C 0x00005842u
#define ID7_AVX512_D 0x0080010cu
#define XFRM_AVX     4u
#define XFRM_AVX512  0xe0u

static struct enclave_cpuid table[ENCLAVE_CPUIDS];
static bool edeccssa;

static bool by_sub(uint32_t leaf)
{
	return leaf == 4 || leaf == 7 || leaf == 0xb || leaf == LEAF_XSAVE ||
		leaf == LEAF_SGX || leaf == 0x14 || leaf == 0x18 ||
		leaf == 0x1f;
}

static const struct enclave_cpuid *find(uint32_t leaf, uint32_t sub)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (table[i].leaf == leaf &&
			(!by_sub(leaf) || table[i].sub == sub))
			return &table[i];
	return NULL;
}

void cpuid_init(void)
{
	host_read(table, ENCLAVE_CPUID_AT, sizeof table);
	const struct enclave_cpuid *one = find(1, 0);
	if (!one || (one->ecx & ID1_NEEDED) != ID1_NEEDED)
		shim_crash("boot: CPUID lacks what every SGX processor has");
	const struct enclave_cpuid *sgx = find(LEAF_SGX, 0);
	edeccssa = sgx && sgx->eax & SGX_EAX_EDECCSSA;
}

/* A host that claims it where it is not ends the Keep, no more. */
bool cpuid_has_edeccssa(void)
{
	return edeccssa;
}

/* Of the components in XFRM (SDM, volume 1, §13.5). */
static uint32_t xsave_bytes(uint64_t xfrm)
{
	uint32_t most = XSAVE_BASE;
	for (uint32_t i = 2; i < 63; i++) {
		const struct enclave_cpuid *x = find(LEAF_XSAVE, i);
		if (!(xfrm >> i & 1) || !x)
			continue;
		uint64_t last = (uint64_t)x->ebx + x->eax;
		if (last > most && last <= PAGE_BYTES)
			most = (uint32_t)last;
	}
	return most;
}

static void take_out(struct cpu_id *r, uint32_t leaf, uint64_t xfrm)
{
	bool avx = xfrm & XFRM_AVX;
	bool avx512 = avx && (xfrm & XFRM_AVX512) == XFRM_AVX512;
	if (leaf == 1) {
		r->ebx &= 0x00ffffff; /* processor 0 */
		r->ecx |= ID1_OSXSAVE;
		r->ecx &= avx ? ~0u : ~ID1_WITH_AVX;
	}
	if (leaf == 7) {
		r->ebx &= avx ? ~0u : ~(uint32_t)ID7_AVX2;
		r->ecx &= avx ? ~0u : ~(uint32_t)ID7_VAES;
		r->ecx &= ~(uint32_t)ID7_OSPKE;
		r->ebx &= avx512 ? ~0u : ~ID7_AVX512_B;
		r->ecx &= avx512 ? ~0u : ~ID7_AVX512_C;
		r->edx &= avx512 ? ~0u : ~ID7_AVX512_D;
	}
}

struct cpu_id cpuid_answer(uint32_t leaf, uint32_t sub)
{
	uint64_t xfrm = shim_xfrm();
	const struct enclave_cpuid *x = find(leaf, sub);
	if (!x || leaf == LEAF_SGX)
		return (struct cpu_id){ 0 };
	struct cpu_id r = { x->eax, x->ebx, x->ecx, x->edx };
	if (leaf != 7 || sub == 0)
		take_out(&r, leaf, xfrm);
	if (leaf == LEAF_XSAVE && sub == 0) {
		r.eax = (uint32_t)xfrm;
		r.edx = (uint32_t)(xfrm >> 32);
	}
	if (leaf == LEAF_XSAVE && sub <= 1)
		r.ebx = xsave_bytes(xfrm);
	if (leaf == 0xb || leaf == 0x1f)
		r.edx = 0;
	return r;
}
