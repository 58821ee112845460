/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/ovmf.h"

#include "base/buf.h"
#include "base/reader.h"
#include "crypto/hash.h"

enum {
	ENTRY = 18,  /* length, GUID */
	BEHIND = 32, /* the reset vector behind the table */
	PAGE = 4096,
	MAX_IMAGE = 64 << 20,
};

enum section {
	SECTION_MEMORY = 1,
	SECTION_SECRETS = 2,
	SECTION_CPUID = 3,
	SECTION_SVSM_CAA = 4,
	SECTION_HASHES = 0x10,
};

/* GUIDs as they stand in memory. */
static const uint8_t footer_guid[] = { 0xde, 0x82, 0xb5, 0x96, 0xb2, 0x1f, 0xf7,
	0x45, 0xba, 0xea, 0xa3, 0x66, 0xc5, 0x5a, 0x08, 0x2d };
static const uint8_t hashes_guid[] = { 0x1f, 0x37, 0x55, 0x72, 0x3b, 0x3a, 0x04,
	0x4b, 0x92, 0x7b, 0x1d, 0xa6, 0xef, 0xa8, 0xd4, 0x54 };
static const uint8_t reset_guid[] = { 0xde, 0x71, 0xf7, 0x00, 0x7e, 0x1a, 0xcb,
	0x4f, 0x89, 0x0e, 0x68, 0xc7, 0x7e, 0x2f, 0xb4, 0x4e };
static const uint8_t metadata_guid[] = { 0x66, 0x65, 0x88, 0xdc, 0x4a, 0x98,
	0x98, 0x47, 0xa7, 0x5e, 0x55, 0x85, 0xa7, 0xbf, 0x67, 0xcc };

static uint32_t u32(struct bytes b)
{
	struct reader r = { .in = b };
	return reader_u32le(&r);
}

static bool read_metadata(struct bytes image, uint32_t from_end,
	struct attest_ovmf *o, struct err *e)
{
	struct reader r = { .in = bytes_from(image,
				    from_end <= image.len ?
					    image.len - from_end :
					    image.len) };
	struct bytes magic = reader_take(&r, 4);
	reader_u32le(&r); /* size */
	uint32_t version = reader_u32le(&r), n = reader_u32le(&r);
	if (r.failed || !bytes_equal(magic, BYTES_LIT("ASEV")) || version != 1)
		return err_fail(e, ERR_INPUT, "firmware: no SEV metadata");
	if (n > ATTEST_OVMF_SECTIONS)
		return err_fail(e, ERR_LIMIT, "firmware: %u sections", n);
	for (o->sections = 0; o->sections < n; o->sections++) {
		struct attest_ovmf_section *s = &o->section[o->sections];
		s->gpa = reader_u32le(&r);
		s->size = reader_u32le(&r);
		s->type = reader_u32le(&r);
	}
	return !r.failed ||
		err_fail(e, ERR_INPUT, "firmware: SEV metadata is cut");
}

static bool read_entry(struct bytes image, struct bytes guid, struct bytes data,
	struct attest_ovmf *o, struct err *e)
{
	if (data.len < 4)
		return true;
	if (bytes_equal(guid, BYTES_ARRAY(hashes_guid)))
		o->hashes_gpa = u32(data);
	else if (bytes_equal(guid, BYTES_ARRAY(reset_guid)))
		o->reset_eip = u32(data);
	else if (bytes_equal(guid, BYTES_ARRAY(metadata_guid)))
		return read_metadata(image, u32(data), o, e);
	return true;
}

/* Each entry is data, length of all of it, GUID: read from the end. */
bool attest_ovmf_parse(struct bytes image, struct attest_ovmf *out,
	struct err *e)
{
	struct attest_ovmf o = { .gpa = (UINT64_C(1) << 32) - image.len };
	if (image.len < BEHIND + ENTRY || image.len > MAX_IMAGE ||
		image.len % PAGE)
		return err_fail(e, ERR_INPUT,
			"firmware: %zu bytes are no image", image.len);
	size_t end = image.len - BEHIND, left = ENTRY;
	for (bool first = true; left >= ENTRY; first = false) {
		struct bytes tail = bytes_of(image.ptr + end - ENTRY, ENTRY);
		struct bytes guid = bytes_from(tail, 2);
		size_t n = (size_t)tail.ptr[0] | (size_t)tail.ptr[1] << 8;
		if (first && !bytes_equal(guid, BYTES_ARRAY(footer_guid)))
			return err_fail(e, ERR_INPUT,
				"firmware: no table at its end");
		if (n < ENTRY || n > end || (!first && n > left))
			return err_fail(e, ERR_INPUT,
				"firmware: bad table at its end");
		if (first) {
			left = n - ENTRY;
			end -= ENTRY;
			continue;
		}
		struct bytes data = bytes_of(image.ptr + end - n, n - ENTRY);
		if (!read_entry(image, guid, data, &o, e))
			return false;
		end -= n;
		left -= n;
	}
	*out = o;
	return true;
}

/* --- a launch of QEMU's kind -------------------------------------------- */

static const uint8_t table_guid[] = { 0x06, 0xd6, 0x38, 0x94, 0x22, 0x4f, 0xc9,
	0x4c, 0xb4, 0x79, 0xa7, 0x93, 0xd4, 0x11, 0xfd, 0x21 };
static const uint8_t append_guid[] = { 0xd8, 0x2d, 0xd0, 0x97, 0x20, 0xbd, 0x94,
	0x4c, 0xaa, 0x78, 0xe7, 0x71, 0x4d, 0x36, 0xab, 0x2a };
static const uint8_t initrd_guid[] = { 0x31, 0xf7, 0xba, 0x44, 0x2f, 0x3a, 0xd7,
	0x4b, 0x9a, 0xf1, 0x41, 0xe2, 0x91, 0x69, 0x78, 0x1d };
static const uint8_t kernel_guid[] = { 0x37, 0x94, 0xe7, 0x4d, 0xd2, 0xab, 0x7f,
	0x42, 0xb8, 0x35, 0xd5, 0xb1, 0x72, 0xd2, 0x04, 0x5b };

enum { HASH_ENTRY = 50, HASH_TABLE = 18 + 3 * HASH_ENTRY };

static bool put_hash(struct buf *b, const uint8_t guid[16], struct bytes what,
	struct err *e)
{
	uint8_t hash[CRYPTO_SHA256_BYTES];
	if (!crypto_digest(CRYPTO_SHA256, what, hash, e))
		return false;
	buf_put(b, bytes_of(guid, 16));
	buf_u16le(b, HASH_ENTRY);
	return buf_put(b, BYTES_ARRAY(hash));
}

/* The page in which QEMU tells the firmware what it may start. */
static bool hashes_page(const struct attest_ovmf_launch *x, size_t offset,
	uint8_t page[PAGE], struct err *e)
{
	auto_buf t = { 0 };
	const char *append = x->append ? x->append : "";
	buf_put(&t, BYTES_ARRAY(table_guid));
	buf_u16le(&t, HASH_TABLE);
	if (!put_hash(&t, append_guid, bytes_of(append, strlen(append) + 1),
		    e) ||
		!put_hash(&t, initrd_guid, x->initrd, e) ||
		!put_hash(&t, kernel_guid, x->kernel, e))
		return err_wrap(e, "launch digest");
	if (t.len > PAGE - offset)
		return err_fail(e, ERR_INPUT,
			"firmware: no room for hashes in their page");
	memset(page, 0, PAGE);
	memcpy(page + offset, t.ptr, t.len);
	return true;
}

static bool add_hashes(const struct attest_ovmf_launch *x,
	const struct attest_ovmf *o, const struct attest_ovmf_section *s,
	struct attest_snp_launch *l, struct err *e)
{
	uint8_t page[PAGE];
	if (!x->has_kernel)
		return attest_snp_launch_range(l, ATTEST_SNP_ZERO, s->gpa,
			s->size, BYTES_NONE, e);
	return hashes_page(x, o->hashes_gpa % PAGE, page, e) &&
		attest_snp_launch_range(l, ATTEST_SNP_NORMAL, s->gpa, s->size,
			BYTES_ARRAY(page), e);
}

static bool add_section(const struct attest_ovmf_launch *x,
	const struct attest_ovmf *o, const struct attest_ovmf_section *s,
	struct attest_snp_launch *l, struct err *e)
{
	switch (s->type) {
	case SECTION_MEMORY:
		return attest_snp_launch_range(l,
			x->vcpus.vmm == ATTEST_VMM_GCE ? ATTEST_SNP_UNMEASURED :
							 ATTEST_SNP_ZERO,
			s->gpa, s->size, BYTES_NONE, e);
	case SECTION_SVSM_CAA:
		return attest_snp_launch_range(l, ATTEST_SNP_ZERO, s->gpa,
			s->size, BYTES_NONE, e);
	case SECTION_SECRETS:
		return attest_snp_launch_page(l, ATTEST_SNP_SECRETS, s->gpa,
			BYTES_NONE, e);
	case SECTION_CPUID:
		/* EC2 adds it behind all others. */
		return x->vcpus.vmm == ATTEST_VMM_EC2 ||
			attest_snp_launch_page(l, ATTEST_SNP_CPUID, s->gpa,
				BYTES_NONE, e);
	case SECTION_HASHES:
		return add_hashes(x, o, s, l, e);
	default:
		return err_fail(e, ERR_INPUT, "firmware: section of type %u",
			s->type);
	}
}

static bool has_section(const struct attest_ovmf *o, enum section type)
{
	for (size_t i = 0; i < o->sections; i++)
		if (o->section[i].type == type)
			return true;
	return false;
}

bool attest_ovmf_launch(const struct attest_ovmf_launch *x,
	struct attest_snp_launch *l, struct err *e)
{
	struct attest_ovmf o;
	struct attest_snp_vcpus vcpus = x->vcpus;
	if (!attest_ovmf_parse(x->image, &o, e))
		return false;
	if (x->has_kernel && !has_section(&o, SECTION_HASHES))
		return err_fail(e, ERR_INPUT,
			"firmware: it does not measure kernels");
	if (x->seed)
		memcpy(l->digest, x->seed, sizeof l->digest);
	else if (!attest_snp_launch_range(l, ATTEST_SNP_NORMAL, o.gpa,
			 x->image.len, x->image, e))
		return false;
	for (size_t i = 0; i < o.sections; i++)
		if (!add_section(x, &o, &o.section[i], l, e))
			return false;
	for (size_t i = 0; i < o.sections; i++)
		if (x->vcpus.vmm == ATTEST_VMM_EC2 &&
			o.section[i].type == SECTION_CPUID &&
			!attest_snp_launch_page(l, ATTEST_SNP_CPUID,
				o.section[i].gpa, BYTES_NONE, e))
			return false;
	vcpus.ap_eip = o.reset_eip;
	return attest_snp_launch_vcpus(l, &vcpus, e);
}
