/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../test.h"
#include "base/cleanup.h"
#include "crypto/key.h"

struct folder {
	char root[64], sub[96], key[128];
};

static void folder_make(struct folder *f)
{
	const char *tmp = getenv("TMPDIR");
	snprintf(f->root, sizeof f->root, "%.40s/key.XXXXXX",
		tmp ? tmp : P_tmpdir);
	CHECK(mkdtemp(f->root) != NULL);
	snprintf(f->sub, sizeof f->sub, "%s/donjon", f->root);
	snprintf(f->key, sizeof f->key, "%s/owner.pem", f->sub);
}

static void folder_remove(const struct folder *f)
{
	unlink(f->key);
	/* Fails, and the test with it, when a temporary file was left. */
	CHECK_INT(rmdir(f->sub), 0);
	CHECK_INT(rmdir(f->root), 0);
}

static void write_file(const char *path, const void *text, size_t n, int mode)
{
	auto_fd fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	CHECK(fd >= 0);
	CHECK_INT(write(fd, text, n), (ssize_t)n);
	CHECK_INT(fchmod(fd, (mode_t)mode), 0);
}

static void print_of(struct crypto_key *k, uint8_t out[32])
{
	struct err e;
	CHECK(crypto_key_fingerprint(k, out, &e));
	crypto_key_free(k);
}

TEST(a_key_file_is_made_once_with_mode_0600_and_read_back)
{
	struct folder f;
	struct crypto_key *k = NULL;
	struct err e = { 0 };
	uint8_t a[32], b[32];
	struct stat st;
	folder_make(&f);
	CHECK(!crypto_key_file(f.key, false, &k, &e));
	CHECK_INT(e.kind, ERR_INPUT);
	CHECK_HAS(e.text, f.key);
	CHECK(crypto_key_file(f.key, true, &k, &e));
	print_of(k, a);
	CHECK_INT(stat(f.key, &st), 0);
	CHECK_INT(st.st_mode & 07777, 0600);
	CHECK(crypto_key_file(f.key, true, &k, &e));
	print_of(k, b);
	CHECK_MEM(a, b, 32);
	CHECK(crypto_key_file(f.key, false, &k, &e));
	print_of(k, b);
	CHECK_MEM(a, b, 32);
	folder_remove(&f);
}

TEST(those_who_race_to_make_a_key_get_the_same)
{
	enum { RACERS = 6 };
	struct folder f;
	uint8_t prints[RACERS][32];
	int ends[2];
	folder_make(&f);
	CHECK_INT(pipe(ends), 0);
	for (int i = 0; i < RACERS; i++) {
		pid_t p = fork();
		CHECK(p >= 0);
		if (p)
			continue;
		struct crypto_key *k = NULL;
		struct err e;
		uint8_t out[32] = { 0 };
		bool ok = crypto_key_file(f.key, true, &k, &e) &&
			crypto_key_fingerprint(k, out, &e);
		_exit(!ok || write(ends[1], out, 32) != 32);
	}
	for (int i = 0; i < RACERS; i++) {
		int status = 1;
		CHECK(wait(&status) > 0);
		CHECK_INT(status, 0);
		CHECK_INT(read(ends[0], prints[i], 32), 32);
		CHECK_MEM(prints[i], prints[0], 32);
	}
	close(ends[0]);
	close(ends[1]);
	folder_remove(&f);
}

TEST(a_key_that_others_may_read_is_denied)
{
	static const int modes[] = { 0640, 0604, 0660, 0602, 0601 };
	struct folder f;
	struct crypto_key *k = NULL;
	struct err e = { 0 };
	folder_make(&f);
	CHECK(crypto_key_file(f.key, true, &k, &e));
	crypto_key_free(k);
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		CHECK_INT(chmod(f.key, (mode_t)modes[i]), 0);
		CHECK(!crypto_key_file(f.key, true, &k, &e));
		CHECK_INT(e.kind, ERR_DENIED);
		CHECK_HAS(e.text, "others may read it: chmod 600");
	}
	folder_remove(&f);
}

TEST(what_is_no_key_is_refused_and_never_overwritten)
{
	static const char big[20000];
	static const struct {
		const char *text;
		size_t len;
		const char *says;
	} cases[] = {
		{ "", 0, "not PEM" },
		{ "hello", 5, "not PEM" },
		{ big, sizeof big, "longer than" },
	};
	struct folder f;
	struct crypto_key *k = NULL;
	struct err e = { 0 };
	struct stat st;
	folder_make(&f);
	CHECK_INT(mkdir(f.sub, 0700), 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		write_file(f.key, cases[i].text, cases[i].len, 0600);
		CHECK(!crypto_key_file(f.key, true, &k, &e));
		CHECK_INT(e.kind, ERR_INPUT);
		CHECK_HAS(e.text, cases[i].says);
		CHECK_INT(stat(f.key, &st), 0);
		CHECK_INT(st.st_size, (off_t)cases[i].len);
	}
	folder_remove(&f);
}

TEST(a_folder_in_place_of_a_key_is_refused)
{
	struct folder f;
	struct crypto_key *k = NULL;
	struct err e = { 0 };
	folder_make(&f);
	CHECK_INT(mkdir(f.sub, 0700), 0);
	CHECK(!crypto_key_file(f.sub, true, &k, &e));
	CHECK_HAS(e.text, "not a regular file");
	folder_remove(&f);
}

/* The test key of RFC 8410 §10.3, as if made by openssl(1) for these tests. */
static const char ed25519[] =
	"-----BEGIN PRIVATE KEY-----\n"
	"MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
	"-----END PRIVATE KEY-----\n";

TEST(a_key_of_another_kind_is_refused_by_name)
{
	struct folder f;
	struct crypto_key *k = NULL;
	struct err e = { 0 };
	folder_make(&f);
	CHECK_INT(mkdir(f.sub, 0700), 0);
	write_file(f.key, ed25519, sizeof ed25519 - 1, 0600);
	CHECK(!crypto_key_file(f.key, true, &k, &e));
	CHECK_HAS(e.text, "not P-256 or P-384");
	folder_remove(&f);
}

TEST(every_truncation_of_a_key_file_is_refused)
{
	struct folder f;
	struct crypto_key *k = NULL;
	struct err e = { 0 };
	char text[1024];
	folder_make(&f);
	CHECK(crypto_key_file(f.key, true, &k, &e));
	crypto_key_free(k);
	int fd = open(f.key, O_RDONLY);
	ssize_t n = read(fd, text, sizeof text);
	close(fd);
	CHECK(n > 100 && n < 1024);
	CHECK(memmem(text, (size_t)n, "BEGIN PRIVATE KEY", 17) != NULL);
	/* The last newline may go. */
	for (ssize_t i = 0; i < n - 1; i++) {
		write_file(f.key, text, (size_t)i, 0600);
		CHECK(!crypto_key_file(f.key, false, &k, &e));
	}
	folder_remove(&f);
}
