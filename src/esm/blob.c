/* SPDX-License-Identifier: Apache-2.0 */
#include "esm/blob.h"

#include <sys/random.h>

#include "base/cleanup.h"
#include "base/fmt.h"
#include "crypto/aead.h"
#include "crypto/hash.h"
#include "esm/fdt.h"

#define ALGORITHM "aes256-gcm"
#define LOCKBOX	  "/lockboxes/lockbox-1"
#define DIGESTS	  "/digest/digests-fdt"

bool esm_digest(struct bytes rtas, struct bytes kernel, struct bytes initrd,
	struct bytes bootargs, struct esm_digests *out, struct err *e)
{
	out->kernel_bytes = (uint32_t)kernel.len;
	return crypto_digest(CRYPTO_SHA512, rtas, out->rtas, e) &&
		crypto_digest(CRYPTO_SHA512, kernel, out->kernel, e) &&
		crypto_digest(CRYPTO_SHA512, initrd, out->initrd, e) &&
		crypto_digest(CRYPTO_SHA512, bootargs, out->bootargs, e);
}

bool esm_image(const struct esm_digests *d, uint8_t out[ESM_IMAGE_BYTES],
	struct err *e)
{
	_Static_assert(offsetof(struct esm_digests, kernel_bytes) ==
			4 * ESM_DIGEST_BYTES,
		"the digests, in that order");
	return crypto_digest(CRYPTO_SHA256, bytes_of(d, 4 * ESM_DIGEST_BYTES),
		out, e);
}

/* --- sealing ------------------------------------------------------------ */

static bool random_bytes(uint8_t *to, size_t n, struct err *e)
{
	return getrandom(to, n, 0) == (ssize_t)n ||
		err_fail(e, ERR_HOST, "no randomness");
}

/* The properties of a node that is sealed. */
static bool put_sealed(struct fdt_out *o, const uint8_t *symkey,
	struct bytes plain, struct err *e)
{
	uint8_t iv[CRYPTO_GCM_IV_BYTES], tag[CRYPTO_GCM_TAG_BYTES];
	auto_wipe_buf text = { .len = 0 };
	uint8_t *to = buf_reserve(&text, plain.len);
	const struct crypto_gcm g = { .key = symkey, .iv = iv };
	if (!to)
		return err_fail(e, ERR_LIMIT, "blob: no memory");
	if (!random_bytes(iv, sizeof iv, e) ||
		!crypto_gcm_seal(&g, plain, to, tag, e))
		return false;
	buf_commit(&text, plain.len);
	fdt_property(o, "algorithm", bytes_of(ALGORITHM, sizeof ALGORITHM));
	fdt_property(o, "iv", BYTES_ARRAY(iv));
	fdt_property(o, "mac", BYTES_ARRAY(tag));
	fdt_property(o, "ciphertext", buf_bytes(&text));
	return true;
}

static bool digests_tree(const struct esm_digests *d, struct buf *out,
	struct err *e)
{
	struct fdt_out o = { 0 };
	fdt_begin(&o, "");
	fdt_begin(&o, "digests");
	fdt_property(&o, "rtas", BYTES_ARRAY(d->rtas));
	fdt_property(&o, "kernel", BYTES_ARRAY(d->kernel));
	fdt_property_u32(&o, "kernel-size", d->kernel_bytes);
	fdt_property(&o, "initrd", BYTES_ARRAY(d->initrd));
	fdt_property(&o, "bootargs", BYTES_ARRAY(d->bootargs));
	fdt_end(&o);
	fdt_end(&o);
	return fdt_finish(&o, out, e);
}

static bool files_tree(const uint8_t *symkey, const char *name,
	struct bytes file, struct buf *out, struct err *e)
{
	struct fdt_out o = { 0 };
	fdt_begin(&o, "");
	fdt_begin(&o, "files");
	fdt_begin(&o, name);
	bool ok = put_sealed(&o, symkey, file, e);
	fdt_end(&o);
	fdt_end(&o);
	fdt_end(&o);
	return fdt_finish(&o, out, e) && ok;
}

static bool blob_tree(const uint8_t *symkey, struct bytes lockbox,
	struct bytes digests, struct bytes files, struct buf *out,
	struct err *e)
{
	struct fdt_out o = { 0 };
	fdt_begin(&o, "");
	fdt_begin(&o, "lockboxes");
	fdt_begin(&o, "lockbox-1");
	fdt_property(&o, "encrypted-symkey", lockbox);
	fdt_end(&o);
	fdt_end(&o);
	fdt_begin(&o, "digest");
	fdt_begin(&o, "digests-fdt");
	bool ok = put_sealed(&o, symkey, digests, e);
	fdt_end(&o);
	fdt_end(&o);
	fdt_begin(&o, "file");
	fdt_property(&o, "files-fdt", files);
	fdt_end(&o);
	fdt_end(&o);
	return fdt_finish(&o, out, e) && ok;
}

bool esm_seal(const struct crypto_wrap *machine, const struct esm_digests *d,
	const char *name, struct bytes file, struct buf *out, struct err *e)
{
	auto_wipe(uint8_t, symkey, ESM_SYMKEY_BYTES);
	auto_buf lockbox = { .len = 0 }, digests = { .len = 0 };
	auto_buf files = { .len = 0 };
	return random_bytes(symkey, sizeof symkey, e) &&
		crypto_wrap_seal(machine, BYTES_ARRAY(symkey), &lockbox, e) &&
		digests_tree(d, &digests, e) &&
		files_tree(symkey, name, file, &files, e) &&
		blob_tree(symkey, buf_bytes(&lockbox), buf_bytes(&digests),
			buf_bytes(&files), out, e);
}

/* --- opening ------------------------------------------------------------ */

static bool open_sealed(const struct fdt *t, const char *path,
	const uint8_t *symkey, struct buf *out, struct err *e)
{
	struct bytes algorithm, iv, mac, text;
	if (!fdt_find(t, path, "algorithm", &algorithm) ||
		!fdt_find(t, path, "iv", &iv) ||
		!fdt_find(t, path, "mac", &mac) ||
		!fdt_find(t, path, "ciphertext", &text))
		return err_fail(e, ERR_INPUT, "blob: no %s", path);
	if (!bytes_equal(algorithm, bytes_of(ALGORITHM, sizeof ALGORITHM)) ||
		iv.len != CRYPTO_GCM_IV_BYTES ||
		mac.len != CRYPTO_GCM_TAG_BYTES || text.len > ESM_FILE_MAX)
		return err_fail(e, ERR_INPUT, "blob: %s: sealed otherwise",
			path);
	const struct crypto_gcm g = { .key = symkey, .iv = iv.ptr };
	uint8_t *to = buf_reserve(out, text.len + 1);
	if (!to)
		return err_fail(e, ERR_LIMIT, "blob: no memory");
	if (!crypto_gcm_open(&g, text, to, mac.ptr, e))
		return err_wrap(e, "blob: %s", path);
	buf_commit(out, text.len);
	return true;
}

static bool take_digest(const struct fdt *t, const char *name,
	uint8_t out[ESM_DIGEST_BYTES], struct err *e)
{
	struct bytes v;
	if (!fdt_find(t, "/digests", name, &v) || v.len != ESM_DIGEST_BYTES)
		return err_fail(e, ERR_INPUT, "blob: no digest of %s", name);
	memcpy(out, v.ptr, v.len);
	return true;
}

static bool take_digests(struct bytes tree, struct esm_digests *out,
	struct err *e)
{
	struct esm_digests d = { 0 };
	struct fdt t;
	uint64_t bytes;
	if (!fdt_open(tree, &t, e) || !take_digest(&t, "rtas", d.rtas, e) ||
		!take_digest(&t, "kernel", d.kernel, e) ||
		!take_digest(&t, "initrd", d.initrd, e) ||
		!take_digest(&t, "bootargs", d.bootargs, e))
		return false;
	if (!fdt_number(&t, "/digests", "kernel-size", &bytes) ||
		bytes > UINT32_MAX)
		return err_fail(e, ERR_INPUT, "blob: no size of the kernel");
	d.kernel_bytes = (uint32_t)bytes;
	*out = d;
	return true;
}

bool esm_open(struct bytes blob, const struct crypto_wrap *machine,
	uint8_t symkey[ESM_SYMKEY_BYTES], struct esm_digests *out,
	struct err *e)
{
	auto_wipe_buf key = { .len = 0 }, digests = { .len = 0 };
	struct bytes wrapped;
	struct fdt t;
	if (!fdt_open(blob, &t, e))
		return err_wrap(e, "blob");
	if (!fdt_find(&t, LOCKBOX, "encrypted-symkey", &wrapped))
		return err_fail(e, ERR_INPUT, "blob: no lockbox");
	if (!crypto_wrap_open(machine, wrapped, &key, e))
		return err_wrap(e, "blob");
	if (key.len != ESM_SYMKEY_BYTES)
		return err_fail(e, ERR_INPUT, "blob: key of %zu bytes",
			key.len);
	memcpy(symkey, key.ptr, key.len);
	return open_sealed(&t, DIGESTS, symkey, &digests, e) &&
		take_digests(buf_bytes(&digests), out, e);
}

bool esm_file(struct bytes blob, const uint8_t symkey[ESM_SYMKEY_BYTES],
	const char *name, struct buf *out, struct err *e)
{
	char path[80];
	struct bytes files;
	struct fdt t, inner;
	if (!fdt_open(blob, &t, e))
		return err_wrap(e, "blob");
	if (!fdt_find(&t, "/file", "files-fdt", &files) ||
		!fdt_open(files, &inner, e))
		return err_fail(e, ERR_INPUT, "blob: no files");
	fmt(path, sizeof path, "/files/%.64s", name);
	return open_sealed(&inner, path, symkey, out, e);
}
