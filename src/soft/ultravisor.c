/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What OpenPOWER's ultravisor does when a guest wants to be secure (svm-esm.c,
 * svm-esmb.c): finds its parts by its device tree, takes them out of the
 * hypervisor's hands, unwraps the ESM blob by the TPM's key, compares.  Unlike
 * upstream's default (ESM_BLOB_CHK_WARN_ONLY), what differs is refused.
 */
#include <endian.h>

#include "base/fmt.h"
#include "crypto/hash.h"
#include "esm/fdt.h"
#include "soft/power_priv.h"
#include "spec/papr.h"

/* A part of the guest: guest real addresses. */
struct part {
	uint64_t at, bytes;
};

struct parts {
	struct part rtas, kernel, initrd;
	struct buf bootargs;
	struct buf blob;
};

enum {
	TREE_MAX = 64 << 10,
	BLOB_MAX = 64 << 10,
	STAGE_PAGES = MONITOR_STAGE_BYTES / UV_PAGE_BYTES,
};

/* --- the guest's memory, while it is the hypervisor's -------------------- */

static const uint8_t *normal(const struct soft_power *s, uint64_t at,
	uint64_t bytes)
{
	const struct monitor_slot *slots = s->machine.box->slots;
	for (size_t i = 0; i < MONITOR_SLOTS; i++)
		if (slots[i].bytes && at >= slots[i].gpa &&
			at - slots[i].gpa <= slots[i].bytes &&
			bytes <= slots[i].bytes - (at - slots[i].gpa))
			return soft_machine_at(&s->machine,
				slots[i].shared_at + (at - slots[i].gpa),
				(size_t)bytes);
	return NULL;
}

static bool copy(const struct soft_power *s, uint64_t at, uint64_t bytes,
	struct buf *out, struct err *e)
{
	const uint8_t *p = normal(s, at, bytes);
	return (p && buf_put(out, bytes_of(p, (size_t)bytes))) ||
		err_fail(e, ERR_INPUT, "esm: no memory at 0x%llx",
			(unsigned long long)at);
}

/* --- its parts ------------------------------------------------------------
 */

static bool from_to(const struct fdt *t, const char *from, const char *to,
	struct part *out, struct err *e)
{
	uint64_t end;
	if (!fdt_number(t, "/chosen", from, &out->at) ||
		!fdt_number(t, "/chosen", to, &end) || end < out->at)
		return err_fail(e, ERR_INPUT, "esm: no %s", from);
	out->bytes = end - out->at;
	return true;
}

static bool find_parts(const struct soft_power *s, const struct fdt *t,
	struct parts *p, struct err *e)
{
	struct part blob;
	struct bytes args;
	if (!fdt_number(t, "/rtas", "linux,rtas-base", &p->rtas.at) ||
		!fdt_number(t, "/rtas", "slof,rtas-size", &p->rtas.bytes))
		return err_fail(e, ERR_INPUT, "esm: no RTAS");
	if (!from_to(t, "linux,initrd-start", "linux,initrd-end", &p->initrd,
		    e) ||
		!from_to(t, "linux,esm-blob-start", "linux,esm-blob-end", &blob,
			e))
		return false;
	/* Without the NUL behind it. */
	if (!fdt_find(t, "/chosen", "bootargs", &args) || !args.len ||
		!buf_put(&p->bootargs, bytes_of(args.ptr, args.len - 1)))
		return err_fail(e, ERR_INPUT, "esm: no bootargs");
	if (blob.bytes > BLOB_MAX)
		return err_fail(e, ERR_INPUT, "esm: blob of %llu bytes",
			(unsigned long long)blob.bytes);
	return copy(s, blob.at, blob.bytes, &p->blob, e);
}

/* --- taking them ------------------------------------------------------------
 */

/* Up to a stage full of pages: what is hashed is what becomes secure. */
static bool take_some(struct soft_power *s, uint64_t page, uint64_t pages,
	struct part *left, struct crypto_hash *h, struct err *e)
{
	uint8_t *stage = (uint8_t *)s->machine.box + MONITOR_STAGE_AT;
	uint64_t bytes = pages * UV_PAGE_BYTES, skip = left->at - page;
	const uint8_t *from = normal(s, page, bytes);
	if (!from)
		return err_fail(e, ERR_INPUT, "esm: no memory at 0x%llx",
			(unsigned long long)page);
	memcpy(stage, from, bytes);
	uint64_t n = bytes - skip < left->bytes ? bytes - skip : left->bytes;
	bool ok = crypto_hash_add(h, bytes_of(stage + skip, (size_t)n), e) &&
		soft_machine_call(&s->machine, MONITOR_PEF_PAGES,
			(uint64_t[4]){ page, pages }, e);
	memset(stage, 0, bytes);
	left->at += n;
	left->bytes -= n;
	return ok;
}

static bool take(struct soft_power *s, const struct part *p,
	uint8_t digest[CRYPTO_SHA512_BYTES], struct err *e)
{
	struct crypto_hash *h;
	struct part left = *p;
	uint64_t end, mask = UV_PAGE_BYTES - 1;
	if (__builtin_add_overflow(p->at, p->bytes, &end) || !p->bytes ||
		end > INT64_MAX)
		return err_fail(e, ERR_INPUT, "esm: a part of %llu bytes",
			(unsigned long long)p->bytes);
	if (!crypto_hash_new(CRYPTO_SHA512, &h, e))
		return false;
	bool ok = true;
	while (ok && left.bytes) {
		uint64_t page = left.at & ~mask;
		uint64_t pages = (end - page + mask) / UV_PAGE_BYTES;
		ok = take_some(s, page,
			pages < STAGE_PAGES ? pages : STAGE_PAGES, &left, h, e);
	}
	ok = ok && crypto_hash_end(h, digest, e);
	crypto_hash_free(h);
	return ok;
}

static bool same(const uint8_t *a, const uint8_t *b, const char *what,
	struct err *e)
{
	return !memcmp(a, b, ESM_DIGEST_BYTES) ||
		err_fail(e, ERR_DENIED, "esm: another %s", what);
}

static bool compare(struct soft_power *s, struct parts *p,
	const struct esm_digests *want, struct err *e)
{
	struct esm_digests is;
	p->kernel.bytes = want->kernel_bytes;
	return take(s, &p->rtas, is.rtas, e) &&
		take(s, &p->kernel, is.kernel, e) &&
		take(s, &p->initrd, is.initrd, e) &&
		crypto_digest(CRYPTO_SHA512, buf_bytes(&p->bootargs),
			is.bootargs, e) &&
		same(is.rtas, want->rtas, "RTAS", e) &&
		same(is.kernel, want->kernel, "kernel", e) &&
		same(is.initrd, want->initrd, "initrd", e) &&
		same(is.bootargs, want->bootargs, "command line", e);
}

/* --- UV_ESM ------------------------------------------------------------- */

static bool enter(struct soft_power *s, struct parts *p, uint64_t tree,
	struct err *e)
{
	auto_buf copy_of_tree = { .len = 0 };
	struct esm_digests want;
	struct fdt t;
	return copy(s, tree, TREE_MAX, &copy_of_tree, e) &&
		fdt_open(buf_bytes(&copy_of_tree), &t, e) &&
		find_parts(s, &t, p, e) &&
		esm_open(buf_bytes(&p->blob), s->tpm, s->symkey, &want, e) &&
		compare(s, p, &want, e);
}

static bool esm(struct soft_power *s, uint64_t w[POWER_WORDS], struct err *e)
{
	struct parts p = { .kernel = { .at = w[1] } };
	if (s->secure || !s->may_secure) {
		w[0] = (uint64_t)(s->secure ? U_STATE : U_FUNCTION);
		return true;
	}
	s->secure = enter(s, &p, w[2], &s->refused);
	buf_fini(&p.bootargs);
	if (s->secure)
		s->blob = p.blob;
	else
		buf_fini(&p.blob);
	if (!s->secure)
		explicit_bzero(s->symkey, sizeof s->symkey);
	w[0] = (uint64_t)(s->secure ? U_SUCCESS : U_PARAMETER);
	return soft_machine_call(&s->machine, MONITOR_PEF_SECURE,
		(uint64_t[4]){ s->secure }, e);
}

/* --- UV_ESMB_GET_FILE ----------------------------------------------------
 */

static void name_of(const uint64_t w[POWER_WORDS], char out[65])
{
	for (size_t i = 0; i < UV_FILE_NAME_BYTES / 8; i++) {
		uint64_t word = htobe64(w[2 + i]);
		memcpy(out + 8 * i, &word, sizeof word);
	}
	out[UV_FILE_NAME_BYTES] = '\0';
}

/* What was read once is not read again: upstream's rule. */
static bool is_next(struct soft_power *s, const char *name, uint64_t at)
{
	if (!s->file_name[0])
		memcpy(s->file_name, name, sizeof s->file_name);
	return !strcmp(s->file_name, name) && at >= s->file_read;
}

static void get_file(struct soft_power *s, uint64_t w[POWER_WORDS])
{
	auto_wipe_buf file = { .len = 0 };
	uint64_t words[UV_FILE_BYTES / 8] = { 0 }, at = w[1];
	char name[65];
	name_of(w, name);
	w[0] = (uint64_t)U_PARAMETER;
	if (!s->secure || !is_next(s, name, at) ||
		!esm_file(buf_bytes(&s->blob), s->symkey, name, &file, NULL))
		return;
	size_t n = at < file.len ? size_min(file.len - at, sizeof words) : 0;
	if (n)
		memcpy(words, file.ptr + at, n);
	s->file_read = at + n;
	w[0] = n;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		w[1 + i] = be64toh(words[i]);
	explicit_bzero(words, sizeof words);
}

bool soft_ultracall(struct soft_power *s, uint64_t words[POWER_WORDS],
	struct err *e)
{
	if (words[0] == UV_ESM)
		return esm(s, words, e);
	get_file(s, words);
	return true;
}
