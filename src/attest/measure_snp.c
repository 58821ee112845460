/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/measure_snp.h"

#include <endian.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/must.h"
#include "base/reader.h"
#include "crypto/hash.h"
#include "spec/snp_guest.h"
#include "spec/svm.h"

/* abi/vm.h, which is not for verifiers: where images lie, and what stands
 * where in the head of the shim's. */
#define RAM_GPA	 0x200000u
#define EXEC_GPA 0x400000u
enum {
	HEAD_BYTES = 0x38,
	AT_ENTRY = 0x10,
	AT_TABLES = 0x18,
	AT_SECRETS = 0x24,
	AT_CPUID = 0x28,
	AT_C_BIT = 0x2c,
	AT_EXEC_BYTES = 0x30
};

struct launch {
	const struct attest_snp_launch *how;
	uint64_t entry;
	uint32_t tables[3], secrets, cpuid;
	uint8_t digest[48];
};

/* contents: SHA-384 of the page, or NULL. */
static bool extend_by(struct launch *l, enum snp_page_type type, uint64_t gpa,
	const uint8_t *contents, struct err *e)
{
	struct snp_page_info info = {
		.length = htole16(sizeof info),
		.page_type = (uint8_t)type,
		.gpa = htole64(gpa),
	};
	memcpy(info.digest_before, l->digest, sizeof info.digest_before);
	if (contents)
		memcpy(info.contents, contents, sizeof info.contents);
	return crypto_digest(CRYPTO_SHA384, bytes_of(&info, sizeof info),
		l->digest, e);
}

static bool extend(struct launch *l, enum snp_page_type type, uint64_t gpa,
	const uint8_t *page, struct err *e)
{
	uint8_t contents[CRYPTO_SHA384_BYTES];
	return crypto_digest(CRYPTO_SHA384, bytes_of(page, PAGE_BYTES),
		       contents, e) &&
		extend_by(l, type, gpa, contents, e);
}

/* --- the shim --------------------------------------------------------------
 */

static bool head_parse(struct bytes shim, struct launch *l, struct err *e)
{
	struct reader r = { .in = shim };
	reader_take(&r, AT_ENTRY);
	l->entry = reader_u64le(&r);
	for (size_t i = 0; i < ARRAY_LEN(l->tables); i++)
		l->tables[i] = reader_u32le(&r);
	l->secrets = reader_u32le(&r);
	l->cpuid = reader_u32le(&r);
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
static void fill(uint8_t *page, uint32_t offset, const struct launch *l,
	size_t exec_bytes)
{
	bool table = false;
	if (offset == 0) {
		put_u32(page + AT_C_BIT, l->how->c_bit);
		put_u32(page + AT_EXEC_BYTES, (uint32_t)exec_bytes);
	}
	for (size_t i = 0; i < ARRAY_LEN(l->tables); i++)
		table |= offset && l->tables[i] == offset;
	for (size_t i = 0; table && i < PAGE_BYTES; i += 8) {
		uint64_t entry;
		memcpy(&entry, page + i, sizeof entry);
		if (entry)
			entry |= htole64(1ull << l->how->c_bit);
		memcpy(page + i, &entry, sizeof entry);
	}
}

static bool add_shim(struct launch *l, struct bytes shim, size_t exec_bytes,
	struct err *e)
{
	uint8_t page[PAGE_BYTES];
	bool ok = true;
	for (uint32_t at = 0; ok && at < shim.len; at += PAGE_BYTES) {
		uint64_t gpa = RAM_GPA + at;
		if (at && at == l->secrets) {
			ok = extend_by(l, SNP_PAGE_SECRETS, gpa, NULL, e);
		} else if (at && at == l->cpuid) {
			ok = extend_by(l, SNP_PAGE_CPUID, gpa, NULL, e);
		} else {
			memcpy(page, shim.ptr + at, sizeof page);
			fill(page, at, l, exec_bytes);
			ok = extend(l, SNP_PAGE_NORMAL, gpa, page, e);
		}
	}
	return ok;
}

/* The same for every launch: its pages are hashed once. */
static bool add_exec(struct launch *l, size_t count, struct bytes exec,
	struct err *e)
{
	uint8_t page[PAGE_BYTES], contents[CRYPTO_SHA384_BYTES];
	for (size_t at = 0; at < exec.len; at += PAGE_BYTES) {
		size_t n = size_min(exec.len - at, sizeof page);
		memset(page, 0, sizeof page);
		memcpy(page, exec.ptr + at, n);
		if (!crypto_digest(CRYPTO_SHA384, BYTES_ARRAY(page), contents,
			    e))
			return false;
		for (size_t i = 0; i < count; i++)
			if (!extend_by(&l[i], SNP_PAGE_NORMAL, EXEC_GPA + at,
				    contents, e))
				return false;
	}
	return true;
}

/* --- the processor ---------------------------------------------------------
 */

static struct svm_segment segment(uint16_t selector, uint16_t attributes,
	uint32_t limit)
{
	return (struct svm_segment){
		.selector = htole16(selector),
		.attributes = htole16(attributes),
		.limit = htole32(limit),
	};
}

/* As KVM makes it of the state that docs/shim.md says. */
static void make_vmsa(const struct launch *l, struct svm_save *v)
{
	struct svm_segment data = segment(0x10, 0xc93, ~0u);
	*v = (struct svm_save){
		.es = data,
		.cs = segment(0x08, 0xa9b, ~0u),
		.ss = data,
		.ds = data,
		.fs = data,
		.gs = data,
		.tr = segment(0, 0x8b, 0xffff),
		.efer = htole64(0x1d01), /* SCE LME LMA NXE SVME */
		.cr4 = htole64(0x60),
		.cr3 = htole64(
			(RAM_GPA + l->tables[0]) | 1ull << l->how->c_bit),
		.cr0 = htole64(0x80010033),
		.dr7 = htole64(0x400),
		.dr6 = htole64(0xffff0ff0),
		.rflags = htole64(2),
		.rip = htole64(l->entry),
		.pat = htole64(0x0007040600070406),
		.sev_features = htole64(l->how->features),
		.xcr0 = htole64(1),
		.mxcsr = htole32(0x1f80),
		.x87_fcw = htole16(0x37f),
	};
}

static bool add_processor(struct launch *l, struct err *e)
{
	auto_free struct svm_save *vmsa = malloc(sizeof *vmsa);
	if (!vmsa)
		return err_fail(e, ERR_LIMIT, "measure: no memory");
	make_vmsa(l, vmsa);
	return extend(l, SNP_PAGE_VMSA, SNP_VMSA_GPA, (const uint8_t *)vmsa, e);
}

bool attest_measure_snp(struct bytes shim, struct bytes exec,
	const struct attest_snp_launch *how, size_t count, uint8_t out[][48],
	struct err *e)
{
	struct launch l[ATTEST_SNP_LAUNCHES];
	must(count <= ARRAY_LEN(l));
	for (size_t i = 0; i < count; i++) {
		l[i] = (struct launch){ .how = &how[i] };
		if (!head_parse(shim, &l[i], e) ||
			!add_shim(&l[i], shim, exec.len, e))
			return false;
	}
	if (!add_exec(l, count, exec, e))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!add_processor(&l[i], e))
			return false;
		memcpy(out[i], l[i].digest, sizeof l[i].digest);
	}
	return true;
}
