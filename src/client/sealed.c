/* SPDX-License-Identifier: Apache-2.0 */
#include "client/sealed.h"

#include <errno.h>

#include "attest/measure_pef.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/fmt.h"
#include "client/paths.h"
#include "codec/hex.h"
#include "crypto/key.h"
#include "repository/repository.h"

enum { PEM_MAX = 16 << 10, IMAGE_MAX = 64 << 20 };

static bool read_image(const char *dir, const char *name, struct buf *out,
	struct err *e)
{
	char path[CLIENT_PATH_MAX + 32];
	fmt(path, sizeof path, "%s/pef/%s", dir, name);
	return repository_read_file(path, IMAGE_MAX, out, e);
}

static bool digests_of(const char *images, struct esm_digests *out,
	struct err *e)
{
	char dir[CLIENT_PATH_MAX];
	auto_buf shim = { .len = 0 }, exec = { .len = 0 };
	return client_path_images(images, dir, e) &&
		read_image(dir, "shim", &shim, e) &&
		read_image(dir, "exec", &exec, e) &&
		attest_measure_pef(buf_bytes(&shim), buf_bytes(&exec), NULL,
			out, e);
}

static bool seal(const struct crypto_wrap *machine, const struct crypto_key *k,
	const struct esm_digests *d, const char *path, char key[65],
	struct err *e)
{
	auto_wipe(uint8_t, scalar, CRYPTO_SCALAR_BYTES);
	uint8_t hash[32];
	auto_buf blob = { .len = 0 };
	if (!crypto_key_scalar(k, scalar, e) ||
		!crypto_key_fingerprint(k, hash, e) ||
		!esm_seal(machine, d, PEF_KEY_FILE, BYTES_ARRAY(scalar), &blob,
			e))
		return false;
	hex_encode(BYTES_ARRAY(hash), key);
	return file_create(path, 0644, buf_bytes(&blob)) ||
		err_fail(e, ERR_INPUT, "%s: %s", path,
			errno == EEXIST ? "is there already, and stays" :
					  strerror(errno));
}

bool client_sealed_key(const char *machine, const char *images,
	const char *path, char key[65], struct err *e)
{
	struct crypto_wrap *to = NULL;
	struct crypto_key *k = NULL;
	struct esm_digests d;
	auto_wipe_buf pem = { .len = 0 };
	bool ok = repository_read_file(machine, PEM_MAX, &pem, e) &&
		crypto_wrap_read(buf_bytes(&pem), &to, e) &&
		digests_of(images, &d, e) &&
		crypto_key_generate(CRYPTO_P256, &k, e) &&
		seal(to, k, &d, path, key, e);
	crypto_key_free(k);
	crypto_wrap_free(to);
	return ok;
}
