/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/measure_domain.h"

#include <endian.h>

#include "attest/measure_tdx.h"
#include "base/reader.h"

/* abi/vm.h, which is not for verifiers: where images and the processor's first
 * page lie, and what stands where in the head of the shim's. */
#define RAM_GPA	  0x200000u
#define EXEC_GPA  0x400000u
#define RESET_GPA 0xfffff000u
enum { AT_EXEC_BYTES = 0x30, AT_RESET = 0x38 };

struct domain {
	struct attest_td_build *build;
	struct buf *told;
};

static bool add_page(struct domain *d, uint64_t gpa, struct bytes page,
	struct err *e)
{
	if (d->told &&
		!buf_fmt(d->told, "add+extend 0x%012llx\n",
			(unsigned long long)gpa))
		return err_fail(e, ERR_LIMIT, "out of memory");
	return attest_td_add(d->build, gpa, e) &&
		attest_td_extend(d->build, gpa, page, e);
}

/* The last one is filled with zeros. */
static bool add_range(struct domain *d, uint64_t gpa, struct bytes in,
	struct err *e)
{
	for (size_t at = 0; at < in.len; at += PAGE_BYTES) {
		uint8_t page[PAGE_BYTES] = { 0 };
		memcpy(page, in.ptr + at, size_min(in.len - at, sizeof page));
		if (!add_page(d, gpa + at, BYTES_ARRAY(page), e))
			return false;
	}
	return true;
}

/* What the loader writes into the image's head before it is measured. */
static bool add_shim(struct domain *d, struct bytes shim, size_t exec_bytes,
	struct err *e)
{
	uint8_t head[PAGE_BYTES];
	const uint32_t n = htole32((uint32_t)exec_bytes);
	memcpy(head, shim.ptr, sizeof head);
	memcpy(head + AT_EXEC_BYTES, &n, sizeof n);
	return add_page(d, RAM_GPA, BYTES_ARRAY(head), e) &&
		add_range(d, RAM_GPA + PAGE_BYTES, bytes_from(shim, PAGE_BYTES),
			e);
}

static bool add_all(struct domain *d, struct bytes shim, struct bytes exec,
	struct err *e)
{
	struct reader r = { .in = shim };
	reader_take(&r, AT_RESET);
	uint32_t reset = reader_u32le(&r);
	if (r.failed || shim.len % PAGE_BYTES ||
		shim.len > EXEC_GPA - RAM_GPA || !reset || reset % PAGE_BYTES ||
		reset >= shim.len)
		return err_fail(e, ERR_HOST, "shim: no image");
	return add_shim(d, shim, exec.len, e) &&
		add_range(d, RESET_GPA, bytes_of(shim.ptr + reset, PAGE_BYTES),
			e) &&
		add_range(d, EXEC_GPA, exec, e);
}

bool attest_measure_domain(struct bytes shim, struct bytes exec,
	struct buf *told, uint8_t mrtd[48], struct err *e)
{
	struct domain d = { .told = told };
	if (!attest_td_create(&d.build, e))
		return false;
	bool ok = add_all(&d, shim, exec, e) && attest_td_end(d.build, mrtd, e);
	attest_td_free(d.build);
	return ok;
}
