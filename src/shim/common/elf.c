/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/common/elf.h"

#include "base/reader.h"
#include "shim/common/space.h"

/* System V ABI, "Object Files"; sizes of the 64-bit class. */
enum {
	HEADER_BYTES = 64,
	PROGRAM_BYTES = 56,
	ET_DYN = 3,
	PT_LOAD = 1,
	PT_INTERP = 3,
	PF_X = 1,
	PF_W = 2,
	PF_R = 4
};

/* Far more than any program of ours; keeps sums from wrapping. */
#define MOST (1ull << 32)

struct header {
	uint16_t type, machine;
	uint64_t entry, headers;
	uint16_t header_bytes, header_count;
};

static bool header_parse(struct bytes file, struct header *h, struct err *e)
{
	static const uint8_t magic[7] = { 0x7f, 'E', 'L', 'F', 2, 1, 1 };
	struct reader r = { .in = file };
	struct bytes ident = reader_take(&r, 16);
	h->type = reader_u16le(&r);
	h->machine = reader_u16le(&r);
	reader_take(&r, 4);
	h->entry = reader_u64le(&r);
	h->headers = reader_u64le(&r);
	reader_take(&r, 8 + 4 + 2);
	h->header_bytes = reader_u16le(&r);
	h->header_count = reader_u16le(&r);
	if (r.failed || memcmp(ident.ptr, magic, sizeof magic) != 0)
		return err_fail(e, ERR_INPUT, "exec: not a 64-bit ELF file");
	return true;
}

static uint8_t prot_of(uint32_t flags)
{
	return (uint8_t)((flags & PF_R ? SPACE_READ : 0) |
		(flags & PF_W ? SPACE_WRITE : 0) |
		(flags & PF_X ? SPACE_EXEC : 0));
}

static bool segment_add(struct elf_program *p, struct reader *r, uint32_t flags,
	size_t file_len, struct err *e)
{
	const uint64_t mask = PAGE_BYTES - 1;
	struct elf_segment s = { .prot = prot_of(flags) };
	s.offset = reader_u64le(r);
	s.start = reader_u64le(r);
	reader_take(r, 8);
	s.file_bytes = reader_u64le(r);
	uint64_t bytes = reader_u64le(r);
	if (p->count == ELF_MAX_SEGMENTS)
		return err_fail(e, ERR_INPUT, "exec: too many segments");
	if (s.offset > file_len || s.file_bytes > file_len - s.offset ||
		bytes < s.file_bytes || bytes > MOST || s.start > MOST ||
		!bytes)
		return err_fail(e, ERR_INPUT, "exec: segment %zu: size",
			p->count);
	if ((s.start & mask) != (s.offset & mask) || (s.start & ~mask) < p->end)
		return err_fail(e, ERR_INPUT, "exec: segment %zu: place",
			p->count);
	if ((s.prot & SPACE_WRITE && s.prot & SPACE_EXEC) ||
		!(s.prot & SPACE_READ))
		return err_fail(e, ERR_INPUT, "exec: segment %zu: rights",
			p->count);
	s.end = s.start + bytes;
	p->end = (s.end + mask) & ~mask;
	p->segment[p->count++] = s;
	return true;
}

static bool segments_parse(struct bytes file, const struct header *h,
	struct elf_program *p, struct err *e)
{
	struct reader r = { .in = bytes_from(file, h->headers) };
	for (unsigned i = 0; i < h->header_count; i++) {
		struct reader one = { .in = reader_take(&r, PROGRAM_BYTES) };
		uint32_t type = reader_u32le(&one);
		uint32_t flags = reader_u32le(&one);
		if (type == PT_INTERP)
			return err_fail(e, ERR_INPUT,
				"exec: wants a dynamic loader");
		if (type == PT_LOAD &&
			!segment_add(p, &one, flags, file.len, e))
			return false;
	}
	return !r.failed || err_fail(e, ERR_INPUT, "exec: truncated");
}

static bool executable_at(const struct elf_program *p, uint64_t at)
{
	for (size_t i = 0; i < p->count; i++)
		if (at >= p->segment[i].start && at < p->segment[i].end)
			return p->segment[i].prot & SPACE_EXEC;
	return false;
}

bool elf_parse(struct bytes file, uint16_t machine, struct elf_program *out,
	struct err *e)
{
	struct elf_program p = { 0 };
	struct header h;
	if (!header_parse(file, &h, e))
		return false;
	if (h.type != ET_DYN || h.machine != machine)
		return err_fail(e, ERR_INPUT,
			"exec: not a static-PIE program of this machine");
	if (h.header_bytes != PROGRAM_BYTES || h.headers > file.len)
		return err_fail(e, ERR_INPUT, "exec: program headers");
	if (!segments_parse(file, &h, &p, e))
		return false;
	if (!p.count || p.segment[0].start || p.segment[0].offset ||
		h.headers + h.header_count * PROGRAM_BYTES >
			p.segment[0].file_bytes)
		return err_fail(e, ERR_INPUT, "exec: headers are not loaded");
	if (!executable_at(&p, h.entry))
		return err_fail(e, ERR_INPUT, "exec: entry is no code");
	p.entry = h.entry;
	p.headers = h.headers;
	p.header_count = h.header_count;
	*out = p;
	return true;
}
