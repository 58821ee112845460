/* SPDX-License-Identifier: Apache-2.0 */
#include "repository/cache_priv.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "crypto/hash.h"

#include "../test.h"

enum { SIZE = (5 << 20) + 77 };

static struct err e;

static uint8_t *random_file(int *fd)
{
	uint8_t *data = malloc(SIZE);
	*fd = memfd_create("follow", MFD_CLOEXEC);
	CHECK(*fd >= 0 && data != NULL);
	CHECK(crypto_random(data, SIZE, &e));
	return data;
}

static void grow(int fd, const uint8_t *data, size_t from, size_t to)
{
	CHECK(pwrite(fd, data + from, to - from, (off_t)from) ==
		(ssize_t)(to - from));
}

static void follow_in_steps(size_t step)
{
	struct repository_follower *f;
	uint8_t is[32], want[32];
	int fd;
	uint8_t *data = random_file(&fd);
	CHECK(repository_follower_new(fd, &f, &e));
	for (size_t at = 0; at < SIZE; at += step) {
		size_t to = size_min(at + step, SIZE);
		grow(fd, data, at, to);
		repository_follower_tell(f, to);
	}
	CHECK(repository_follower_end(f, SIZE, is, &e));
	repository_follower_free(f);
	CHECK(crypto_digest(CRYPTO_SHA256, bytes_of(data, SIZE), want, &e));
	CHECK_MEM(is, want, 32);
	close(fd);
	free(data);
}

TEST(follower_has_the_digest_whatever_the_steps)
{
	follow_in_steps(1000);
	follow_in_steps(16 << 10);
	follow_in_steps(1 << 20);
	follow_in_steps(SIZE);
}

TEST(follower_takes_a_file_that_it_was_never_told_of)
{
	struct repository_follower *f;
	uint8_t is[32], want[32];
	int fd;
	uint8_t *data = random_file(&fd);
	grow(fd, data, 0, 100);
	CHECK(repository_follower_new(fd, &f, &e));
	CHECK(repository_follower_end(f, 100, is, &e));
	repository_follower_free(f);
	CHECK(crypto_digest(CRYPTO_SHA256, bytes_of(data, 100), want, &e));
	CHECK_MEM(is, want, 32);
	close(fd);
	free(data);
}

TEST(follower_can_be_left_at_any_time)
{
	for (size_t told = 0; told <= SIZE; told += 1 << 20) {
		struct repository_follower *f;
		int fd;
		uint8_t *data = random_file(&fd);
		grow(fd, data, 0, SIZE);
		CHECK(repository_follower_new(fd, &f, &e));
		repository_follower_tell(f, told);
		repository_follower_free(f);
		close(fd);
		free(data);
	}
	repository_follower_free(NULL);
}

TEST(follower_says_when_the_file_is_shorter_than_it_was_told)
{
	struct repository_follower *f;
	uint8_t is[32];
	int fd;
	uint8_t *data = random_file(&fd);
	grow(fd, data, 0, 1 << 20);
	CHECK(repository_follower_new(fd, &f, &e));
	repository_follower_tell(f, 3 << 20);
	CHECK(!repository_follower_end(f, 3 << 20, is, &e));
	CHECK_HAS(e.text, "cut short");
	repository_follower_free(f);
	close(fd);
	free(data);
}
