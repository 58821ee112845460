/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/pages.h"

#include "abi/enclave.h"
#include "base/reader.h"
#include "spec/sgx_enclave.h"

/* System V ABI, "Object Files", of the 64-bit class. */
enum {
	PROGRAM_BYTES = 56,
	ET_DYN = 3,
	EM_X86_64 = 62,
	PT_LOAD = 1,
	PF_X = 1,
	PF_W = 2,
	PF_R = 4,
};

#define MASK (uint64_t)(PAGE_BYTES - 1)

/* Of a heap, what is not exec's to use: its stack, the shim's notes. */
enum { SPARE_BYTES = 16 << 20 };

const struct enclave_heap enclave_heaps[ENCLAVE_HEAPS] = {
	{ 64u << 20, "heap-64MiB" },
	{ 192u << 20, "heap-192MiB" },
	{ 512u << 20, "heap-512MiB" },
};

uint32_t enclave_heap_for(uint64_t *memory)
{
	const uint32_t most = enclave_heaps[ENCLAVE_HEAPS - 1].bytes;
	for (size_t i = 0; i < ENCLAVE_HEAPS; i++)
		if (*memory <= enclave_heaps[i].bytes - SPARE_BYTES)
			return enclave_heaps[i].bytes;
	*memory = most - SPARE_BYTES;
	return most;
}

/* Where a segment's bytes are in exec's file. */
struct source {
	uint64_t start, file_bytes, offset;
};

struct plan {
	struct bytes shim, exec;
	struct enclave_head head;
	struct source source[ENCLAVE_MAX_SEGMENTS];
	enclave_page_told *told;
	void *ctx;
};

/* --- the shim's image ---------------------------------------------------- */

static bool is_page(uint32_t at, const struct enclave_head *h)
{
	return at % PAGE_BYTES == 0 && at >= h->text_bytes + h->rodata_bytes &&
		at < h->bytes;
}

static bool head_parse(struct plan *p, struct err *e)
{
	struct enclave_head *h = &p->head;
	if (p->shim.len < sizeof *h)
		return err_fail(e, ERR_HOST, "shim: %zu bytes", p->shim.len);
	memcpy(h, p->shim.ptr, sizeof *h);
	if (h->magic != ENCLAVE_MAGIC || h->version != ENCLAVE_VERSION)
		return err_fail(e, ERR_HOST, "shim: not an image of version %u",
			ENCLAVE_VERSION);
	bool ok = h->bytes == p->shim.len && h->bytes % PAGE_BYTES == 0 &&
		h->bytes <= ENCLAVE_EXEC_AT && h->text_bytes >= PAGE_BYTES &&
		h->text_bytes < h->bytes && h->text_bytes % PAGE_BYTES == 0 &&
		h->rodata_bytes % PAGE_BYTES == 0 &&
		h->rodata_bytes < h->bytes - h->text_bytes &&
		is_page(h->tcs_at, h) && is_page(h->guards[0], h) &&
		is_page(h->guards[1], h) &&
		bytes_all_zero(bytes_from(bytes_of(h, sizeof *h), 0x20));
	return ok || err_fail(e, ERR_HOST, "shim: its head is no head");
}

/* --- exec's file --------------------------------------------------------- */

static bool segment_add(struct plan *p, struct reader *r, uint32_t flags,
	struct err *e)
{
	struct enclave_head *h = &p->head;
	struct source s = { .offset = reader_u64le(r) };
	s.start = reader_u64le(r);
	reader_take(r, 8);
	s.file_bytes = reader_u64le(r);
	uint64_t bytes = reader_u64le(r);
	uint64_t most = ENCLAVE_HEAP_AT - ENCLAVE_EXEC_AT;
	const struct enclave_segment *last =
		h->segment_count ? &h->segment[h->segment_count - 1] : NULL;
	if (h->segment_count == ENCLAVE_MAX_SEGMENTS)
		return err_fail(e, ERR_HOST, "exec: too many segments");
	if (s.start > most || !bytes || bytes > most - s.start ||
		s.file_bytes > bytes || s.offset > p->exec.len ||
		s.file_bytes > p->exec.len - s.offset ||
		(s.start & MASK) != (s.offset & MASK) ||
		(last && (s.start & ~MASK) < last->at + last->bytes) ||
		!(flags & PF_R) || (flags & PF_W && flags & PF_X))
		return err_fail(e, ERR_HOST, "exec: segment %u",
			h->segment_count);
	uint64_t end = (s.start + bytes + MASK) & ~MASK;
	p->source[h->segment_count] = s;
	h->segment[h->segment_count++] = (struct enclave_segment){
		.at = (uint32_t)(s.start & ~MASK),
		.bytes = (uint32_t)(end - (s.start & ~MASK)),
		.rights = SGX_PAGE_R | (flags & PF_W ? SGX_PAGE_W : 0) |
			(flags & PF_X ? SGX_PAGE_X : 0),
	};
	return true;
}

static bool exec_parse(struct plan *p, struct err *e)
{
	static const uint8_t magic[7] = { 0x7f, 'E', 'L', 'F', 2, 1, 1 };
	struct enclave_head *h = &p->head;
	struct reader r = { .in = p->exec };
	struct bytes ident = reader_take(&r, 16);
	unsigned type = reader_u16le(&r), machine = reader_u16le(&r);
	reader_take(&r, 4);
	h->entry = reader_u64le(&r);
	h->headers = reader_u64le(&r);
	reader_take(&r, 14);
	unsigned each = reader_u16le(&r);
	h->header_count = reader_u16le(&r);
	if (r.failed || memcmp(ident.ptr, magic, sizeof magic) != 0 ||
		type != ET_DYN || machine != EM_X86_64 || each != PROGRAM_BYTES)
		return err_fail(e, ERR_HOST, "exec: not a static-PIE ELF file");
	r = (struct reader){ .in = bytes_from(p->exec, h->headers) };
	for (uint32_t i = 0; i < h->header_count; i++) {
		struct reader one = { .in = reader_take(&r, PROGRAM_BYTES) };
		bool load = reader_u32le(&one) == PT_LOAD;
		uint32_t flags = reader_u32le(&one);
		if (load && !segment_add(p, &one, flags, e))
			return false;
	}
	if (r.failed || !h->segment_count || h->segment[0].at ||
		h->headers + (uint64_t)h->header_count * PROGRAM_BYTES >
			h->segment[0].bytes)
		return err_fail(e, ERR_HOST, "exec: its program headers");
	return true;
}

/* --- pages --------------------------------------------------------------- */

static bool add_shim(const struct plan *p, struct err *e)
{
	const struct enclave_head *h = &p->head;
	uint8_t copy[PAGE_BYTES];
	for (uint32_t at = 0; at < h->bytes; at += PAGE_BYTES) {
		struct enclave_page page = { .offset = at,
			.contents = p->shim.ptr + at,
			.measured = true };
		if (at == h->guards[0] || at == h->guards[1])
			continue;
		if (at == 0) {
			memcpy(copy, p->shim.ptr, sizeof copy);
			memcpy(copy, h, sizeof *h);
			page.contents = copy;
		}
		if (at == h->tcs_at)
			page.flags = SGX_PAGE_TYPE(SGX_PT_TCS);
		else if (at < h->text_bytes)
			page.flags = SGX_PAGE_TYPE(SGX_PT_REG) | SGX_PAGE_R |
				SGX_PAGE_X;
		else if (at < h->text_bytes + h->rodata_bytes)
			page.flags = SGX_PAGE_TYPE(SGX_PT_REG) | SGX_PAGE_R;
		else
			page.flags = SGX_PAGE_TYPE(SGX_PT_REG) | SGX_PAGE_R |
				SGX_PAGE_W;
		if (!p->told(p->ctx, &page, e))
			return false;
	}
	return true;
}

/* The part of the file that falls on the page, zeros around it. */
static void fill(const struct plan *p, const struct source *s, uint64_t at,
	uint8_t page[PAGE_BYTES])
{
	uint64_t from = at < s->start ? s->start : at;
	uint64_t end = s->start + s->file_bytes;
	if (end > at + PAGE_BYTES)
		end = at + PAGE_BYTES;
	memset(page, 0, PAGE_BYTES);
	if (from < end)
		memcpy(page + (from - at),
			p->exec.ptr + s->offset + (from - s->start),
			end - from);
}

static bool add_exec(const struct plan *p, struct err *e)
{
	uint8_t contents[PAGE_BYTES];
	for (uint32_t i = 0; i < p->head.segment_count; i++) {
		const struct enclave_segment *g = &p->head.segment[i];
		for (uint32_t at = 0; at < g->bytes; at += PAGE_BYTES) {
			const struct enclave_page page = {
				.offset =
					(uint64_t)ENCLAVE_EXEC_AT + g->at + at,
				.flags = SGX_PAGE_TYPE(SGX_PT_REG) | g->rights,
				.contents = contents,
				.measured = true,
			};
			fill(p, &p->source[i], (uint64_t)g->at + at, contents);
			if (!p->told(p->ctx, &page, e))
				return false;
		}
	}
	return true;
}

/* The shim's notes of the pages that there are: zeros. */
static bool add_maps(const struct plan *p, struct err *e)
{
	static const uint8_t zeros[PAGE_BYTES];
	uint64_t end = (uint64_t)ENCLAVE_HEAP_AT + p->head.heap_bytes;
	struct enclave_page page = {
		.offset = ENCLAVE_MAPS_AT,
		.flags = SGX_PAGE_TYPE(SGX_PT_REG) | SGX_PAGE_R | SGX_PAGE_W,
		.contents = zeros,
		.measured = true,
	};
	for (uint64_t at = 0; at < end; at += ENCLAVE_MAP_OF) {
		if (!p->told(p->ctx, &page, e))
			return false;
		page.offset += PAGE_BYTES;
	}
	return true;
}

/* What is in them is not measured: the shim wipes them before their use. */
static bool add_heap(const struct plan *p, struct err *e)
{
	static const uint8_t zeros[PAGE_BYTES];
	for (uint32_t at = 0; at < p->head.heap_bytes; at += PAGE_BYTES) {
		const struct enclave_page page = {
			.offset = (uint64_t)ENCLAVE_HEAP_AT + at,
			.flags = SGX_PAGE_TYPE(SGX_PT_REG) | SGX_PAGE_R |
				SGX_PAGE_W,
			.contents = zeros,
		};
		if (!p->told(p->ctx, &page, e))
			return false;
	}
	return true;
}

bool enclave_pages(struct bytes shim, struct bytes exec, uint32_t heap_bytes,
	enclave_page_told *told, void *ctx, struct err *e)
{
	struct plan p = { .shim = shim,
		.exec = exec,
		.told = told,
		.ctx = ctx };
	if (heap_bytes % PAGE_BYTES)
		return err_fail(e, ERR_INPUT, "heap of %u bytes", heap_bytes);
	if (!head_parse(&p, e) || !exec_parse(&p, e))
		return false;
	p.head.heap_bytes = heap_bytes;
	return add_shim(&p, e) && add_exec(&p, e) &&
		(!heap_bytes || (add_maps(&p, e) && add_heap(&p, e)));
}
