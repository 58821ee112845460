/* SPDX-License-Identifier: Apache-2.0 */
/* The software platform's TPM, and what an owner of such a machine seals to it.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/fmt.h"
#include "crypto/key.h"
#include "soft/power_priv.h"
#include "spec/pef.h"

enum { PEM_MAX = 16 << 10 };

static bool read_pem(int fd, const char *path, struct buf *out, struct err *e)
{
	struct stat st;
	uint8_t *to = buf_reserve(out, PEM_MAX);
	ssize_t n = to ? read(fd, to, PEM_MAX) : -1;
	if (n < 1 || fstat(fd, &st) != 0 || st.st_mode & 077)
		return err_fail(e, ERR_DENIED,
			"%s: no key, or others may read it", path);
	buf_commit(out, (size_t)n);
	return true;
}

/* The key that a TPM would hold, beside the software root; its public half for
 * whoever seals something to this machine. */
bool soft_power_tpm(const char *root_path, struct crypto_wrap **out,
	struct err *e)
{
	char path[1024], public[1024];
	auto_wipe_buf pem = { .len = 0 };
	auto_buf pub = { .len = 0 };
	const char *slash = strrchr(root_path, '/');
	int n = slash ? (int)(slash + 1 - root_path) : 0;
	fmt(path, sizeof path, "%.*spef-machine.pem", n, root_path);
	fmt(public, sizeof public, "%.*spef-machine.pub", n, root_path);
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd >= 0)
		return read_pem(fd, path, &pem, e) &&
			crypto_wrap_read(buf_bytes(&pem), out, e);
	if (!crypto_wrap_generate(out, e) ||
		!crypto_wrap_write(*out, true, &pem, e) ||
		!crypto_wrap_write(*out, false, &pub, e))
		return false;
	return (file_replace(path, 0600, buf_bytes(&pem)) &&
		       file_replace(public, 0644, buf_bytes(&pub))) ||
		err_fail(e, ERR_HOST, "write %s: %s", path, strerror(errno));
}

/* Key, root, and what it was sealed to: spec/pef.h. */
static bool vouch(const struct soft_root *r, struct bytes spki,
	const struct esm_digests *want, struct buf *out, struct err *e)
{
	uint8_t image[ESM_IMAGE_BYTES];
	auto_buf message = { .len = 0 };
	if (!esm_image(want, image, e))
		return false;
	if (!buf_str(&message, PEF_VOUCH_CONTEXT) || !buf_put(&message, spki) ||
		!buf_put(&message, BYTES_ARRAY(image)) || !buf_put(out, spki) ||
		!buf_put(out, soft_root_spki(r)) ||
		!buf_put(out, BYTES_ARRAY(image)))
		return err_fail(e, ERR_LIMIT, "vouch: no memory");
	return soft_root_sign_raw(r, buf_bytes(&message), out, e);
}

bool soft_power_seal(struct device *d, const struct esm_digests *want,
	struct buf *blob, struct buf *vouched, struct err *e)
{
	struct soft_power *s = (struct soft_power *)(void *)d;
	auto_wipe(uint8_t, scalar, CRYPTO_SCALAR_BYTES);
	auto_buf spki = { .len = 0 };
	struct crypto_key *k;
	if (d->ops != &soft_power_ops)
		return err_fail(e, ERR_HOST, "seal: not the software platform");
	if (!crypto_key_generate(CRYPTO_P256, &k, e))
		return false;
	bool ok = crypto_key_scalar(k, scalar, e) &&
		crypto_key_spki(k, &spki, e) &&
		esm_seal(s->tpm, want, PEF_KEY_FILE, BYTES_ARRAY(scalar), blob,
			e) &&
		vouch(s->root, buf_bytes(&spki), want, vouched, e);
	crypto_key_free(k);
	return ok;
}
