/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fmt.h"
#include "enclave/pages.h"
#include "enclave/sign.h"
#include "hal/sgx_priv.h"

enum { KEY_MAX = 8192, PATH_BYTES = 1024 };

static bool read_one(const char *image_dir, const char *name,
	const uint8_t mrenclave[32], struct sgx_sigstruct *out)
{
	char path[PATH_BYTES];
	fmt(path, sizeof path, "%s/sgx/%s", image_dir, name);
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	return fd >= 0 && read(fd, out, sizeof *out) == (ssize_t)sizeof *out &&
		!memcmp(out->enclavehash, mrenclave, sizeof out->enclavehash);
}

/* False, without an error: there is none, or for something else. */
static bool read_release(const char *image_dir, const uint8_t mrenclave[32],
	struct sgx_sigstruct *out)
{
	char name[64];
	for (size_t i = 0; i < ENCLAVE_HEAPS; i++) {
		fmt(name, sizeof name, "sigstruct-%s", enclave_heaps[i].name);
		if (read_one(image_dir, name, mrenclave, out))
			return true;
	}
	return read_one(image_dir, "sigstruct", mrenclave, out);
}

static bool read_key(const char *path, struct crypto_rsa3 **out, bool *there,
	struct err *e)
{
	auto_buf pem = { .len = 0 };
	uint8_t *to = buf_reserve(&pem, KEY_MAX);
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	*there = fd >= 0;
	if (fd < 0)
		return errno == ENOENT ||
			err_fail(e, ERR_HOST, "open %s: %s", path,
				strerror(errno));
	ssize_t n = to ? read(fd, to, KEY_MAX) : -1;
	bool ok = n > 0 && crypto_rsa3_read(bytes_of(to, (size_t)n), out, e);
	if (to)
		explicit_bzero(to, KEY_MAX);
	return ok || err_fail(e, ERR_HOST, "%s: no key for enclaves", path);
}

/* Whoever is first keeps it: two loaders may start at once. */
static bool write_key(const char *path, const struct crypto_rsa3 *key,
	struct err *e)
{
	char draft[PATH_BYTES + 16];
	auto_buf pem = { .len = 0 };
	if (!crypto_rsa3_write(key, &pem, e))
		return false;
	fmt(draft, sizeof draft, "%s.%d", path, (int)getpid());
	auto_fd fd = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool ok = fd >= 0 && write(fd, pem.ptr, pem.len) == (ssize_t)pem.len &&
		(link(draft, path) == 0 || errno == EEXIST);
	int why = errno;
	explicit_bzero(pem.ptr, pem.len);
	unlink(draft);
	return ok || err_fail(e, ERR_HOST, "write %s: %s", path, strerror(why));
}

static bool own_key(const char *path, struct crypto_rsa3 **out, struct err *e)
{
	bool there;
	struct crypto_rsa3 *made;
	if (!read_key(path, out, &there, e))
		return false;
	if (there)
		return true;
	if (!crypto_rsa3_generate(&made, e))
		return false;
	bool ok = write_key(path, made, e);
	crypto_rsa3_free(made);
	return ok && read_key(path, out, &there, e) &&
		(there || err_fail(e, ERR_HOST, "%s: gone", path));
}

bool sgx_sigstruct(const struct hal_config *cfg, const uint8_t mrenclave[32],
	struct sgx_sigstruct *out, struct err *e)
{
	char path[PATH_BYTES];
	struct crypto_rsa3 *key;
	if (read_release(cfg->image_dir, mrenclave, out))
		return true;
	vm_beside_root(cfg, "sgx-signer.pem", path, sizeof path);
	if (!own_key(path, &key, e))
		return err_wrap(e, "enclave signer");
	bool ok = enclave_sign_keep(key, mrenclave, out, e);
	crypto_rsa3_free(key);
	return ok;
}
