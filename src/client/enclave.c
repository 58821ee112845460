/* SPDX-License-Identifier: Apache-2.0 */
#include "client/enclave.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "attest/measure.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/fmt.h"
#include "client/paths.h"
#include "codec/hex.h"
#include "enclave/sign.h"
#include "repository/repository.h"

enum { KEY_MAX = 16 << 10 };

static bool write_new(const char *path, struct bytes in, mode_t mode,
	struct err *e)
{
	return file_create(path, mode, in) ||
		err_fail(e, ERR_INPUT, "%s: %s", path,
			errno == EEXIST ? "is there already, and stays" :
					  strerror(errno));
}

static bool signer_of(const struct crypto_rsa3 *k, char out[65], struct err *e)
{
	uint8_t digest[32];
	if (!enclave_signer(k, digest, e))
		return false;
	hex_encode(BYTES_ARRAY(digest), out);
	return true;
}

bool client_enclave_key(const char *path, char mrsigner[65], struct err *e)
{
	struct crypto_rsa3 *k;
	auto_wipe_buf pem = { .len = 0 };
	if (!crypto_rsa3_generate(&k, e))
		return false;
	bool ok = crypto_rsa3_write(k, &pem, e) && signer_of(k, mrsigner, e) &&
		write_new(path, buf_bytes(&pem), 0600, e);
	crypto_rsa3_free(k);
	return ok;
}

static bool sign_one(const struct crypto_rsa3 *k, const char *path,
	const struct attest_measured *m, struct err *e)
{
	struct sgx_sigstruct s;
	return enclave_sign_keep(k, m->value, &s, e) &&
		write_new(path, bytes_of(&s, sizeof s), 0644, e);
}

static bool sign_all(const struct crypto_rsa3 *k, const char *images,
	const char *folder, struct err *e)
{
	struct attest_measured m[ATTEST_VARIANTS];
	char path[CLIENT_PATH_MAX];
	size_t count;
	if (!attest_measure_all("sgx", images, m, &count, e))
		return false;
	if (mkdir(folder, 0777) && errno != EEXIST)
		return err_fail(e, ERR_INPUT, "%s: %s", folder,
			strerror(errno));
	for (size_t i = 0; i < count; i++) {
		fmt(path, sizeof path, "%s/sigstruct%s%s", folder,
			m[i].variant[0] ? "-" : "", m[i].variant);
		if (!sign_one(k, path, &m[i], e))
			return false;
	}
	return true;
}

bool client_enclave_sign(const char *key, const char *images,
	const char *folder, char mrsigner[65], struct err *e)
{
	struct crypto_rsa3 *k;
	char dir[CLIENT_PATH_MAX];
	auto_wipe_buf pem = { .len = 0 };
	if (!client_path_images(images, dir, e) ||
		!repository_read_file(key, KEY_MAX, &pem, e) ||
		!crypto_rsa3_read(buf_bytes(&pem), &k, e))
		return false;
	bool ok = sign_all(k, dir, folder, e) && signer_of(k, mrsigner, e);
	crypto_rsa3_free(k);
	return ok;
}
