/* SPDX-License-Identifier: Apache-2.0 */
/* Keys in files: PKCS#8 PEM, mode 0600. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/pem.h>

#include "base/cleanup.h"
#include "crypto/hash.h"
#include "crypto/openssl.h"

enum { FILE_MAX = 16 << 10 };

/* An encrypted key must not make OpenSSL ask on the terminal. */
static int no_password(char *to, int size, int writing, void *user)
{
	(void)to, (void)size, (void)writing, (void)user;
	return -1;
}

bool crypto_key_read(int fd, struct crypto_key **out, struct err *e)
{
	crypto_init();
	auto_wipe(uint8_t, text, FILE_MAX / 4);
	auto_wipe_buf all = { .limit = FILE_MAX };
	for (;;) {
		ssize_t n = read(fd, text, sizeof text);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_fail(e, ERR_HOST, "private key: read: %s",
				strerror(errno));
		if (n == 0)
			break;
		if (!buf_put(&all, bytes_of(text, (size_t)n)))
			return err_fail(e, ERR_INPUT,
				"private key: longer than %d bytes", FILE_MAX);
	}
	BIO *in = BIO_new_mem_buf(all.ptr ? all.ptr : text, (int)all.len);
	EVP_PKEY *pkey = in ?
		PEM_read_bio_PrivateKey(in, NULL, no_password, NULL) :
		NULL;
	BIO_free(in);
	if (!pkey)
		return crypto_fail(e, ERR_INPUT, "private key: not PEM");
	bool ok = crypto_key_adopt(pkey, out, e);
	EVP_PKEY_free(pkey);
	return ok;
}

/* False with errno ENOENT: there is none. */
static bool open_existing(const char *path, struct crypto_key **out,
	struct err *e)
{
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) {
		int why = errno;
		err_put(e, why == EACCES ? ERR_DENIED : ERR_INPUT,
			"key file %s: %s", path, strerror(why));
		errno = why;
		return false;
	}
	struct stat st;
	errno = 0;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return err_fail(e, ERR_INPUT, "key file %s: not a regular file",
			path);
	if (st.st_mode & 077)
		return err_fail(e, ERR_DENIED,
			"key file %s: others may read it: chmod 600", path);
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return err_fail(e, ERR_DENIED,
			"key file %s: belongs to another user", path);
	bool ok = crypto_key_read(fd, out, e);
	errno = 0;
	return ok || err_wrap(e, "key file %s", path);
}

static bool make_folders(const char *path, struct err *e)
{
	auto_buf p = { 0 };
	for (const char *slash = strchr(path, '/'); slash;
		slash = strchr(slash + 1, '/')) {
		buf_clear(&p);
		if (slash == path)
			continue;
		if (!buf_put(&p, bytes_of(path, (size_t)(slash - path))))
			return err_fail(e, ERR_LIMIT, "key file: no memory");
		if (mkdir(buf_cstr(&p), 0700) && errno != EEXIST)
			return err_fail(e, ERR_HOST, "make folder %s: %s",
				buf_cstr(&p), strerror(errno));
	}
	return true;
}

static bool write_pem(int fd, const struct crypto_key *k)
{
	BIO *mem = BIO_new(BIO_s_secmem());
	char *text = NULL;
	bool ok = mem &&
		PEM_write_bio_PKCS8PrivateKey(mem, crypto_key_evp(k), NULL,
			NULL, 0, NULL, NULL);
	long len = ok ? BIO_get_mem_data(mem, &text) : 0;
	for (long at = 0; ok && at < len;) {
		ssize_t n = write(fd, text + at, (size_t)(len - at));
		if (n > 0)
			at += n;
		else if (n == 0 || errno != EINTR)
			ok = false;
	}
	BIO_free(mem);
	return ok && fsync(fd) == 0;
}

/*
 * Written whole under a name of its own, then linked: whoever comes first
 * wins, and nobody sees half a file.  An existing path is not an error.
 */
static bool create_file(const char *path, struct err *e)
{
	uint8_t tag[8];
	struct crypto_key *k = NULL;
	if (!make_folders(path, e) || !crypto_random(tag, sizeof tag, e))
		return err_wrap(e, "key file %s", path);
	auto_buf temp = { 0 };
	buf_fmt(&temp, "%s.", path);
	for (size_t i = 0; i < sizeof tag; i++)
		buf_fmt(&temp, "%02x", tag[i]);
	if (!buf_ok(&temp))
		return err_fail(e, ERR_LIMIT, "key file: no memory");
	const char *name = buf_cstr(&temp);
	auto_fd fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_fail(e, ERR_HOST, "key file %s: %s", name,
			strerror(errno));
	bool ok = crypto_key_generate(CRYPTO_P256, &k, e);
	if (ok && !write_pem(fd, k))
		ok = err_fail(e, ERR_HOST, "key file %s: write: %s", name,
			strerror(errno));
	if (ok && link(name, path) && errno != EEXIST)
		ok = err_fail(e, ERR_HOST, "key file %s: %s", path,
			strerror(errno));
	unlink(name);
	crypto_key_free(k);
	return ok;
}

bool crypto_key_file(const char *path, bool create, struct crypto_key **out,
	struct err *e)
{
	if (open_existing(path, out, e))
		return true;
	if (errno != ENOENT || !create)
		return false;
	return create_file(path, e) && open_existing(path, out, e);
}
