/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/measure.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "attest/measure_domain.h"
#include "attest/measure_enclave.h"
#include "attest/measure_keep.h"
#include "attest/measure_sanctum.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "codec/hex.h"
#include "crypto/hash.h"
#include "enclave/pages.h"
#include "spec/svm.h"

enum { CHUNK = 4096, MAX_IMAGE = 64 << 20 };

static bool add_file(struct crypto_hash *h, int fd, const char *path,
	struct err *e)
{
	uint8_t chunk[CHUNK];
	for (size_t total = 0;;) {
		ssize_t n = read(fd, chunk, sizeof chunk);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_fail(e, ERR_HOST, "read %s: %s", path,
				strerror(errno));
		if (n == 0)
			return total ||
				err_fail(e, ERR_HOST, "%s: empty", path);
		total += (size_t)n;
		if (total > MAX_IMAGE)
			return err_fail(e, ERR_HOST,
				"%s: larger than an image can be", path);
		if (!crypto_hash_add(h, bytes_of(chunk, (size_t)n), e))
			return false;
	}
}

static bool open_image(const char *path, int *out, uint64_t *size,
	struct err *e)
{
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	if (fd < 0)
		return err_fail(e, ERR_HOST, "open %s: %s", path,
			strerror(errno));
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return err_fail(e, ERR_HOST, "%s: not a file", path);
	*size = (uint64_t)st.st_size;
	*out = fd_move(&fd);
	return true;
}

/* `sized`: the file's length stands before its bytes. */
static bool add_image(struct crypto_hash *h, const char *path, bool sized,
	struct err *e)
{
	auto_fd fd = -1;
	uint64_t size;
	if (!open_image(path, &fd, &size, e))
		return false;
	uint64_t le = htole64(size);
	if (sized && !crypto_hash_add(h, bytes_of(&le, sizeof le), e))
		return false;
	return add_file(h, fd, path, e);
}

enum how { HASHED, LAUNCHED, ENCLAVE, DOMAIN, MONITORED };

enum { SHIM, EXEC, MONITOR, IMAGES };

/* A technology's images, in this order, and its variants. */
struct measured {
	const char *technology;
	const char *images[IMAGES];
	bool sized; /* lengths are hashed too */
	enum how how;
	size_t len;
	size_t count;
	const char *variants[ATTEST_VARIANTS];
};

static const struct measured all[] = {
	{ "process", { "exec" }, false, HASHED, CRYPTO_SHA384_BYTES, 1,
		{ "" } },
	{ "kvm", { "shim", "exec" }, true, HASHED, CRYPTO_SHA384_BYTES, 1,
		{ "" } },
	{ "snp", { "shim", "exec" }, false, LAUNCHED, CRYPTO_SHA384_BYTES, 5,
		{ "", "debug-swap", "restricted-injection",
			"debug-swap,restricted-injection", "software" } },
	{ "tdx", { "shim", "exec" }, false, DOMAIN, CRYPTO_SHA384_BYTES, 1,
		{ "" } },
	/* The others' names are enclave_heaps[]'s: SGX1 has all memory at the
	 * start. */
	{ "sgx", { "shim", "exec" }, false, ENCLAVE, CRYPTO_SHA256_BYTES,
		1 + ENCLAVE_HEAPS, { "" } },
	{ "sanctum", { "shim", "exec", "monitor" }, false, MONITORED,
		CRYPTO_SHA512_BYTES, 1, { "" } },
};
_Static_assert(1 + ENCLAVE_HEAPS <= ATTEST_VARIANTS, "sgx");

/* As snp's variants above: the loader takes each of these features that its
 * kernel offers, and they are measured.  The software platform has other
 * physical addresses. */
static const struct attest_keep_launch launches[ATTEST_VARIANTS] = {
	{ .c_bit = 51, .features = SVM_FEATURE_SNP },
	{ .c_bit = 51, .features = SVM_FEATURE_SNP | SVM_FEATURE_DEBUG_SWAP },
	{ .c_bit = 51, .features = SVM_FEATURE_SNP | SVM_FEATURE_RESTRICTED },
	{ .c_bit = 51,
		.features = SVM_FEATURE_SNP | SVM_FEATURE_DEBUG_SWAP |
			SVM_FEATURE_RESTRICTED },
	{ .c_bit = 47, .features = SVM_FEATURE_SNP | SVM_FEATURE_DEBUG_SWAP },
};

static uint32_t heap_of(size_t variant)
{
	return variant ? enclave_heaps[variant - 1].bytes : 0;
}

static const char *name_of(const struct measured *m, size_t variant)
{
	return m->how == ENCLAVE && variant ? enclave_heaps[variant - 1].name :
					      m->variants[variant];
}

static const struct measured *find(const char *technology)
{
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (!strcmp(technology, all[i].technology))
			return &all[i];
	return NULL;
}

static bool image_path(const struct measured *m, const char *dir, size_t i,
	struct buf *path, struct err *e)
{
	return buf_fmt(path, "%s/%s/%s", dir, m->technology, m->images[i]) ||
		err_fail(e, ERR_LIMIT, "out of memory");
}

static bool hash_images(const struct measured *m, const char *dir,
	uint8_t out[64], struct err *e)
{
	struct crypto_hash *h;
	if (!crypto_hash_new(CRYPTO_SHA384, &h, e))
		return false;
	bool ok = true;
	for (size_t i = 0; ok && i < ARRAY_LEN(m->images) && m->images[i];
		i++) {
		auto_buf path = { 0 };
		ok = image_path(m, dir, i, &path, e) &&
			add_image(h, buf_cstr(&path), m->sized, e);
	}
	ok = ok && crypto_hash_end(h, out, e);
	crypto_hash_free(h);
	return ok;
}

static bool read_image(const struct measured *m, const char *dir, size_t i,
	struct buf *out, struct err *e)
{
	auto_buf path = { 0 };
	auto_fd fd = -1;
	uint64_t size;
	if (!image_path(m, dir, i, &path, e) ||
		!open_image(buf_cstr(&path), &fd, &size, e))
		return false;
	if (size == 0 || size > MAX_IMAGE)
		return err_fail(e, ERR_HOST, "%s: no image", buf_cstr(&path));
	uint8_t *to = buf_reserve(out, size);
	if (!to)
		return err_fail(e, ERR_LIMIT, "out of memory");
	for (size_t at = 0; at < size;) {
		ssize_t n = read(fd, to + at, size - at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_fail(e, ERR_HOST, "read %s: %s",
				buf_cstr(&path),
				n ? strerror(errno) : "it shrank");
		at += (size_t)n;
	}
	buf_commit(out, size);
	return true;
}

static bool measure_monitored(const struct measured *m, const char *dir,
	struct bytes shim, struct bytes exec, struct buf *told,
	struct attest_measured *out, struct err *e)
{
	auto_buf monitor = { 0 };
	out->has_monitor = true;
	return read_image(m, dir, MONITOR, &monitor, e) &&
		attest_measure_sanctum(shim, exec, buf_bytes(&monitor), told,
			out->value, out->monitor, e);
}

static bool launch_digests(const struct measured *m, const char *dir,
	struct attest_measured *out, struct err *e)
{
	auto_buf shim = { 0 };
	auto_buf exec = { 0 };
	if (!read_image(m, dir, 0, &shim, e) ||
		!read_image(m, dir, 1, &exec, e))
		return false;
	if (m->how == MONITORED)
		return measure_monitored(m, dir, buf_bytes(&shim),
			buf_bytes(&exec), NULL, &out[0], e);
	if (m->how == DOMAIN)
		return attest_measure_domain(buf_bytes(&shim), buf_bytes(&exec),
			NULL, out[0].value, e);
	bool ok = true;
	for (size_t i = 0; m->how == ENCLAVE && ok && i < m->count; i++)
		ok = attest_measure_enclave(buf_bytes(&shim), buf_bytes(&exec),
			heap_of(i), NULL, out[i].value, e);
	if (!ok || m->how == ENCLAVE)
		return ok;
	uint8_t digests[ATTEST_VARIANTS][CRYPTO_SHA384_BYTES];
	if (!attest_measure_keep(buf_bytes(&shim), buf_bytes(&exec), launches,
		    m->count, digests, e))
		return false;
	for (size_t i = 0; i < m->count; i++)
		memcpy(out[i].value, digests[i], sizeof digests[i]);
	return true;
}

bool attest_measure_all(const char *technology, const char *image_dir,
	struct attest_measured out[ATTEST_VARIANTS], size_t *count,
	struct err *e)
{
	struct attest_measured value[ATTEST_VARIANTS] = { 0 };
	const struct measured *m = find(technology);
	if (!m)
		return err_fail(e, ERR_INPUT,
			"measure: unknown technology, expected process, kvm, "
			"snp, tdx, sgx or sanctum");
	bool ok = m->how != HASHED ?
		launch_digests(m, image_dir, value, e) :
		hash_images(m, image_dir, value[0].value, e);
	if (!ok)
		return err_wrap(e, "measure %s", technology);
	for (size_t i = 0; i < m->count; i++) {
		value[i].variant = name_of(m, i);
		value[i].len = m->len;
		out[i] = value[i];
	}
	*count = m->count;
	return true;
}

/* An image that is hashed as a file. */
static bool tell_image(const struct measured *m, const char *dir, size_t i,
	struct buf *out, struct err *e)
{
	uint8_t digest[CRYPTO_SHA384_BYTES];
	char hex[2 * sizeof digest + 1];
	auto_buf image = { 0 };
	if (!read_image(m, dir, i, &image, e) ||
		!crypto_digest(CRYPTO_SHA384, buf_bytes(&image), digest, e))
		return false;
	hex_encode(BYTES_ARRAY(digest), hex);
	return buf_fmt(out, "%-10s %14zu  %s\n", m->images[i], image.len,
		       hex) ||
		err_fail(e, ERR_LIMIT, "out of memory");
}

static bool tell_pages(const struct measured *m, const char *dir,
	size_t variant, struct bytes shim, struct bytes exec, struct buf *out,
	struct err *e)
{
	uint8_t digest[48];
	struct attest_keep_launch launch = launches[variant];
	launch.page = attest_snp_tell;
	launch.ctx = out;
	switch (m->how) {
	case MONITORED:
		return measure_monitored(m, dir, shim, exec, out,
			&(struct attest_measured){ 0 }, e);
	case DOMAIN:
		return attest_measure_domain(shim, exec, out, digest, e);
	case ENCLAVE:
		return attest_measure_enclave(shim, exec, heap_of(variant), out,
			digest, e);
	default:
		return attest_measure_keep(shim, exec, &launch, 1, &digest, e);
	}
}

bool attest_measure_pages(const char *technology, const char *image_dir,
	size_t variant, struct buf *out, struct err *e)
{
	const struct measured *m = find(technology);
	auto_buf shim = { 0 }, exec = { 0 };
	if (!m || variant >= m->count)
		return err_fail(e, ERR_INPUT, "measure: no such variant");
	if (m->how == HASHED) {
		for (size_t i = 0; i < ARRAY_LEN(m->images) && m->images[i];
			i++)
			if (!tell_image(m, image_dir, i, out, e))
				return err_wrap(e, "measure %s", technology);
		return true;
	}
	bool ok = read_image(m, image_dir, 0, &shim, e) &&
		read_image(m, image_dir, 1, &exec, e) &&
		tell_pages(m, image_dir, variant, buf_bytes(&shim),
			buf_bytes(&exec), out, e);
	return ok || err_wrap(e, "measure %s", technology);
}

bool attest_measure(const char *technology, const char *image_dir,
	uint8_t out[64], size_t *len, struct err *e)
{
	struct attest_measured m[ATTEST_VARIANTS];
	size_t count;
	if (!attest_measure_all(technology, image_dir, m, &count, e))
		return false;
	memcpy(out, m[0].value, m[0].len);
	*len = m[0].len;
	return true;
}
