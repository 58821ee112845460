/* SPDX-License-Identifier: Apache-2.0 */
#include "repository/cache.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "codec/hex.h"
#include "crypto/hash.h"

#include "../test.h"

static struct repository_cache c;
static struct err e;
static char folder[64];

static void begin(void)
{
	memcpy(folder, "/tmp/cache-test-XXXXXX", 23);
	CHECK(mkdtemp(folder) != NULL);
	CHECK(repository_cache_open(&c, folder, 1 << 20, &e));
}

static void end(void)
{
	char command[256];
	repository_cache_close(&c);
	snprintf(command, sizeof command, "chmod -R u+w %s; rm -rf %s", folder,
		folder);
	CHECK(system(command) == 0);
}

static void sum(const char *text, uint8_t digest[32])
{
	CHECK(crypto_digest(CRYPTO_SHA256, bytes_str(text), digest, &e));
}

static void put(const char *text)
{
	uint8_t d[32];
	sum(text, d);
	CHECK(repository_cache_put(&c, d, bytes_str(text), &e));
}

static int notes(void)
{
	uint8_t key[32] = { 9 };
	int n = 0;
	for (int i = 0; i < 300; i++) {
		auto_buf out = { 0 };
		bool found;
		key[1] = (uint8_t)i;
		key[2] = (uint8_t)(i >> 8);
		CHECK(repository_cache_note_get(&c, key, &out, &found, &e));
		n += found;
	}
	return n;
}

TEST(cache_keeps_notes_and_forgets_the_oldest)
{
	uint8_t key[32] = { 7 };
	char name[65];
	const struct timespec old[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
	auto_buf out = { 0 };
	bool found;
	struct repository_cache_info info = { 0 };
	begin();
	CHECK(repository_cache_note_get(&c, key, &out, &found, &e));
	CHECK(!found);
	CHECK(repository_cache_note_put(&c, key, bytes_str("one"), &e));
	CHECK(repository_cache_note_put(&c, key, bytes_str("two"), &e));
	CHECK(repository_cache_note_get(&c, key, &out, &found, &e));
	CHECK(found && bytes_equal(buf_bytes(&out), bytes_str("two")));
	hex_encode(BYTES_ARRAY(key), name);
	CHECK(!utimensat(c.web_fd, name, old, 0));
	for (int i = 0; i < 300; i++) {
		uint8_t other[32] = { 9, (uint8_t)i, (uint8_t)(i >> 8) };
		CHECK(repository_cache_note_put(&c, other, bytes_str("x"), &e));
	}
	CHECK(repository_cache_evict(&c, 1 << 20, false, &info, &e));
	CHECK(repository_cache_note_get(&c, key, &out, &found, &e));
	CHECK(!found);
	CHECK_INT(notes(), 256);
	CHECK(repository_cache_evict(&c, 0, true, &info, &e));
	CHECK_INT(notes(), 0);
	end();
}

static bool has(const char *text)
{
	uint8_t d[32];
	auto_buf out = { 0 };
	bool found;
	sum(text, d);
	CHECK(repository_cache_read(&c, d, 1 << 20, &out, &found, &e));
	return found && bytes_equal(buf_bytes(&out), bytes_str(text));
}

static void path_of(const char *text, const char *below, char out[256])
{
	uint8_t d[32];
	char hex[65];
	sum(text, d);
	hex_encode(BYTES_ARRAY(d), hex);
	snprintf(out, 256, "%s/%s/%s", folder, below, hex);
}

TEST(what_was_put_is_there_again)
{
	begin();
	CHECK(!has("hello"));
	put("hello");
	put("hello");
	put("");
	CHECK(has("hello") && has(""));
	end();
}

TEST(a_damaged_blob_is_noticed_and_goes)
{
	char path[256];
	begin();
	put("hello");
	path_of("hello", "blobs/sha256", path);
	CHECK(!chmod(path, 0600));
	auto_fd fd = open(path, O_WRONLY);
	CHECK(write(fd, "jello", 5) == 5);
	uint8_t d[32];
	int got;
	sum("hello", d);
	CHECK(repository_cache_get(&c, d, 5, &got, &e));
	CHECK_INT(got, -1);
	CHECK(access(path, F_OK) != 0);
	end();
}

TEST(contents_with_another_digest_never_become_a_blob)
{
	struct repository_partial p;
	uint8_t d[32];
	bool have;
	begin();
	sum("right", d);
	CHECK(repository_partial_open(&c, d, 5, NULL, NULL, &p, &have, &e));
	CHECK(!have);
	CHECK(repository_partial_add(&p, BYTES_LIT("wrong"), &e));
	CHECK(!repository_partial_done(&p, d, 5, &e));
	CHECK_INT(e.kind, ERR_DENIED);
	CHECK_HAS(e.text, "sha256:");
	repository_partial_close(&p, true);
	struct repository_cache_info i = { 0 };
	CHECK(repository_cache_stat(&c, &i, &e));
	CHECK_INT(i.blobs, 0);
	CHECK_INT(i.partials, 0);
	end();
}

TEST(an_interrupted_download_goes_on)
{
	struct repository_partial p;
	uint8_t d[32];
	bool have;
	begin();
	sum("one two", d);
	CHECK(repository_partial_open(&c, d, 7, NULL, NULL, &p, &have, &e));
	CHECK(repository_partial_add(&p, BYTES_LIT("one "), &e));
	repository_partial_close(&p, false);
	CHECK(repository_partial_open(&c, d, 7, NULL, NULL, &p, &have, &e));
	CHECK_INT(p.bytes, 4);
	CHECK(repository_partial_add(&p, BYTES_LIT("two"), &e));
	CHECK(repository_partial_done(&p, d, 7, &e));
	repository_partial_close(&p, false);
	CHECK(has("one two"));
	end();
}

TEST(a_partial_file_that_is_too_long_begins_anew)
{
	struct repository_partial p;
	uint8_t d[32];
	bool have;
	begin();
	sum("abc", d);
	CHECK(repository_partial_open(&c, d, 99, NULL, NULL, &p, &have, &e));
	CHECK(repository_partial_add(&p, BYTES_LIT("abcdef"), &e));
	repository_partial_close(&p, false);
	CHECK(repository_partial_open(&c, d, 3, NULL, NULL, &p, &have, &e));
	CHECK_INT(p.bytes, 0);
	repository_partial_close(&p, false);
	end();
}

static bool give_up(void *ctx)
{
	int *left = ctx;
	return !(*left)--;
}

TEST(who_comes_second_waits_for_the_first)
{
	struct repository_partial p, q;
	uint8_t d[32];
	bool have;
	int patience = 3;
	begin();
	sum("shared", d);
	CHECK(repository_partial_open(&c, d, 6, NULL, NULL, &p, &have, &e));
	CHECK(!repository_partial_open(&c, d, 6, give_up, &patience, &q, &have,
		&e));
	CHECK_HAS(e.text, "interrupted");
	CHECK(repository_partial_add(&p, BYTES_LIT("shared"), &e));
	CHECK(repository_partial_done(&p, d, 6, &e));
	CHECK(repository_partial_open(&c, d, 6, NULL, NULL, &q, &have, &e));
	CHECK(have);
	repository_partial_close(&p, false);
	end();
}

TEST(a_waiting_process_finds_what_the_first_one_fetched)
{
	struct repository_partial p, q;
	uint8_t d[32];
	bool have;
	int status;
	begin();
	sum("shared", d);
	CHECK(repository_partial_open(&c, d, 6, NULL, NULL, &p, &have, &e));
	pid_t pid = fork();
	if (!pid)
		_exit(!repository_partial_open(&c, d, 6, NULL, NULL, &q, &have,
			      &e) ||
			!have);
	CHECK(repository_partial_add(&p, BYTES_LIT("shared"), &e));
	CHECK(repository_partial_done(&p, d, 6, &e));
	repository_partial_close(&p, false);
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK_INT(status, 0);
	end();
}

static void age(const char *text, time_t seconds)
{
	char path[256];
	struct timespec t[2] = { { .tv_sec = seconds }, { .tv_sec = seconds } };
	path_of(text, "blobs/sha256", path);
	CHECK(!utimensat(AT_FDCWD, path, t, 0));
}

TEST(room_is_made_from_what_was_used_least_recently)
{
	struct repository_cache_info i = { 0 };
	begin();
	put("aaaa");
	put("bbbb");
	put("cccc");
	age("aaaa", 3000);
	age("bbbb", 1000);
	age("cccc", 2000);
	CHECK(repository_cache_evict(&c, 8, false, &i, &e));
	CHECK_INT(i.removed, 1);
	CHECK_INT(i.removed_bytes, 4);
	CHECK(has("aaaa") && !has("bbbb") && has("cccc"));
	/* A read counts as use. */
	age("aaaa", 1000);
	CHECK(has("aaaa"));
	age("cccc", 2000);
	CHECK(repository_cache_evict(&c, 4, false, &i, &e));
	CHECK(has("aaaa") && !has("cccc"));
	end();
}

TEST(a_reader_keeps_what_is_evicted_under_him)
{
	struct repository_cache_info i = { 0 };
	uint8_t d[32];
	int fd;
	char got[5];
	begin();
	put("hello");
	sum("hello", d);
	CHECK(repository_cache_get(&c, d, 5, &fd, &e));
	CHECK(repository_cache_evict(&c, 0, true, &i, &e));
	CHECK_INT(i.blobs, 0);
	CHECK(pread(fd, got, 5, 0) == 5);
	CHECK_MEM(got, "hello", 5);
	close(fd);
	end();
}

TEST(a_download_under_way_is_not_evicted)
{
	struct repository_cache_info i = { 0 };
	struct repository_partial p;
	uint8_t d[32];
	bool have;
	begin();
	sum("abc", d);
	CHECK(repository_partial_open(&c, d, 3, NULL, NULL, &p, &have, &e));
	CHECK(repository_partial_add(&p, BYTES_LIT("a"), &e));
	CHECK(repository_cache_evict(&c, 0, true, &i, &e));
	CHECK_INT(i.partials, 1);
	repository_partial_close(&p, false);
	CHECK(repository_cache_evict(&c, 0, true, &i, &e));
	CHECK_INT(i.partials, 0);
	end();
}

/* libc's fcntl has its place taken: what happens before a lock is had. */
static void (*before_lock)(void);

int fcntl(int fd, int cmd, ...)
{
	va_list ap;
	va_start(ap, cmd);
	void *arg = va_arg(ap, void *);
	va_end(ap);
	void (*before)(void) = cmd == F_OFD_SETLK ? before_lock : NULL;
	if (before) {
		before_lock = NULL;
		before();
	}
	return (int)syscall(SYS_fcntl, fd, cmd, arg);
}

static struct repository_partial again;

/* Somebody finishes that download, and somebody begins it anew. */
static void finish_and_begin(void)
{
	char path[256], moved[256];
	uint8_t d[32];
	bool have;
	path_of("abc", "partial", path);
	path_of("moved", "partial", moved);
	sum("abc", d);
	CHECK_INT(rename(path, moved), 0);
	CHECK(repository_partial_open(&c, d, 3, NULL, NULL, &again, &have, &e));
}

TEST(a_download_begun_while_an_older_one_is_evicted_stays)
{
	struct repository_cache_info i = { 0 };
	struct repository_partial p;
	uint8_t d[32];
	char path[256];
	bool have;
	begin();
	sum("abc", d);
	CHECK(repository_partial_open(&c, d, 3, NULL, NULL, &p, &have, &e));
	CHECK(repository_partial_add(&p, BYTES_LIT("a"), &e));
	repository_partial_close(&p, false);
	before_lock = finish_and_begin;
	CHECK(repository_cache_evict(&c, 0, true, &i, &e));
	CHECK(!before_lock);
	path_of("abc", "partial", path);
	CHECK_INT(access(path, F_OK), 0);
	CHECK(repository_partial_add(&again, BYTES_LIT("abc"), &e));
	CHECK(repository_partial_done(&again, d, 3, &e));
	repository_partial_close(&again, false);
	end();
}

TEST(a_check_reads_everything_and_removes_what_is_damaged)
{
	struct repository_cache_info i = { 0 };
	char path[256];
	begin();
	put("good");
	put("bad");
	path_of("bad", "blobs/sha256", path);
	CHECK(!chmod(path, 0600) && !truncate(path, 1));
	CHECK(repository_cache_check(&c, &i, &e));
	CHECK_INT(i.damaged, 1);
	CHECK_INT(i.blobs, 1);
	CHECK(has("good"));
	end();
}
