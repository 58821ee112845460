/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/measure_keep.h"

#include <endian.h>

#include "attest/measure_snp.h"
#include "base/reader.h"

/* abi/vm.h, which is not for verifiers: where images lie, and what stands
 * where in the head of the shim's. */
#define RAM_GPA	 0x200000u
#define EXEC_GPA 0x400000u
enum {
	HEAD_BYTES = 0x40,
	AT_ENTRY = 0x10,
	AT_SECRETS = 0x24,
	AT_CPUID = 0x28,
	AT_C_BIT = 0x2c,
	AT_EXEC_BYTES = 0x30
};

struct keep {
	const struct attest_keep_launch *how;
	uint64_t entry;
	uint32_t tables[3], secrets, cpuid;
	struct attest_snp_launch launch;
};

static bool head_parse(struct bytes shim, struct keep *k, struct err *e)
{
	struct reader r = { .in = shim };
	reader_take(&r, AT_ENTRY);
	k->entry = reader_u64le(&r);
	for (size_t i = 0; i < ARRAY_LEN(k->tables); i++)
		k->tables[i] = reader_u32le(&r);
	k->secrets = reader_u32le(&r);
	k->cpuid = reader_u32le(&r);
	reader_take(&r, HEAD_BYTES - AT_C_BIT);
	if (r.failed || shim.len % PAGE_BYTES || shim.len > EXEC_GPA - RAM_GPA)
		return err_fail(e, ERR_HOST, "shim: no image");
	return true;
}

static void put_u32(uint8_t *at, uint32_t v)
{
	v = htole32(v);
	memcpy(at, &v, sizeof v);
}

/* What the loader writes into the image before the firmware sees it. */
static void fill(uint8_t *page, uint32_t offset, const struct keep *k,
	size_t exec_bytes)
{
	bool table = false;
	if (offset == 0) {
		put_u32(page + AT_C_BIT, k->how->c_bit);
		put_u32(page + AT_EXEC_BYTES, (uint32_t)exec_bytes);
	}
	for (size_t i = 0; i < ARRAY_LEN(k->tables); i++)
		table |= offset && k->tables[i] == offset;
	for (size_t i = 0; table && i < PAGE_BYTES; i += 8) {
		uint64_t entry;
		memcpy(&entry, page + i, sizeof entry);
		if (entry)
			entry |= htole64(1ull << k->how->c_bit);
		memcpy(page + i, &entry, sizeof entry);
	}
}

static bool add_shim(struct keep *k, struct bytes shim, size_t exec_bytes,
	struct err *e)
{
	uint8_t page[PAGE_BYTES];
	for (uint32_t at = 0; at < shim.len; at += PAGE_BYTES) {
		enum attest_snp_page type = at && at == k->secrets ?
			ATTEST_SNP_SECRETS :
			at && at == k->cpuid ? ATTEST_SNP_CPUID :
					       ATTEST_SNP_NORMAL;
		bool plain = type == ATTEST_SNP_NORMAL;
		memcpy(page, shim.ptr + at, sizeof page);
		fill(page, at, k, exec_bytes);
		if (!attest_snp_launch_page(&k->launch, type, RAM_GPA + at,
			    plain ? BYTES_ARRAY(page) : BYTES_NONE, e))
			return false;
	}
	return true;
}

/* The state that docs/shim.md says, as KVM gives it to the firmware. */
static bool add_processor(struct keep *k, struct err *e)
{
	const struct attest_snp_segment data = { 0x10, 0xc93, ~0u, 0 };
	struct attest_snp_vcpu v = {
		.segment = { [SNP_CS] = { 0x08, 0xa9b, ~0u, 0 },
			[SNP_TR] = { 0, 0x8b, 0xffff, 0 } },
		.efer = 0x1d01, /* SCE LME LMA NXE SVME */
		.cr4 = 0x60,
		.cr3 = (RAM_GPA + k->tables[0]) | 1ull << k->how->c_bit,
		.cr0 = 0x80010033,
		.dr7 = 0x400,
		.dr6 = 0xffff0ff0,
		.rflags = 2,
		.rip = k->entry,
		.g_pat = 0x0007040600070406,
		.sev_features = k->how->features,
		.xcr0 = 1,
		.mxcsr = 0x1f80,
		.x87_fcw = 0x37f,
	};
	const int data_segments[] = { SNP_ES, SNP_SS, SNP_DS, SNP_FS, SNP_GS };
	for (size_t i = 0; i < ARRAY_LEN(data_segments); i++)
		v.segment[data_segments[i]] = data;
	uint8_t page[PAGE_BYTES];
	attest_snp_vmsa(&v, page);
	return attest_snp_launch_page(&k->launch, ATTEST_SNP_VMSA,
		ATTEST_SNP_VMSA_GPA, BYTES_ARRAY(page), e);
}

static bool add_memory(struct keep *k, struct bytes shim, struct bytes exec,
	struct err *e)
{
	return add_shim(k, shim, exec.len, e) &&
		attest_snp_launch_range(&k->launch, ATTEST_SNP_NORMAL, EXEC_GPA,
			exec.len, exec, e);
}

bool attest_measure_keep(struct bytes shim, struct bytes exec,
	const struct attest_keep_launch *how, size_t count, uint8_t (*out)[48],
	struct err *e)
{
	struct keep memory = { 0 };
	if (!head_parse(shim, &memory, e))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (i == 0 || how[i].c_bit != how[i - 1].c_bit) {
			memory.how = &how[i];
			memory.launch =
				(struct attest_snp_launch){ .page = how[i].page,
					.ctx = how[i].ctx };
			if (!add_memory(&memory, shim, exec, e))
				return false;
		}
		/* The processor's state is measured last. */
		struct keep k = memory;
		k.how = &how[i];
		if (!add_processor(&k, e))
			return false;
		memcpy(out[i], k.launch.digest, sizeof k.launch.digest);
	}
	return true;
}
