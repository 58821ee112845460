/* SPDX-License-Identifier: Apache-2.0 */
#include "client/results.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "channel/frame.h"

#include "../test.h"
#include "helpers/folder.h"

struct bench {
	struct folder f;
	struct client_workload w;
	struct client_results r;
};

/* A writable mount of F/out, a read-only one of F/in. */
static void bench_make(struct bench *b)
{
	char text[128];
	struct err e;
	*b = (struct bench){ 0 };
	folder_make(&b->f);
	CHECK(!mkdir(folder_at(&b->f, "out"), 0755));
	CHECK(!mkdir(folder_at(&b->f, "in"), 0755));
	snprintf(text, sizeof text, "%s/out::/out:rw", b->f.path);
	CHECK(client_workload_dir(&b->w, text, &e));
	snprintf(text, sizeof text, "%s/in::/in:ro", b->f.path);
	CHECK(client_workload_dir(&b->w, text, &e));
	client_results_init(&b->r, &b->w);
}

static void bench_end(struct bench *b)
{
	client_results_fini(&b->r);
	client_workload_fini(&b->w);
	folder_remove(&b->f);
}

static bool begin(struct bench *b, uint32_t mount, const char *path,
	const char *text, bool directory, struct err *e)
{
	struct frame_file f = { .mount = mount,
		.directory = directory,
		.mtime_ns = UINT64_C(1000000000) * 1000,
		.size = strlen(text),
		.path = bytes_str(path) };
	auto_buf payload = { 0 };
	CHECK(crypto_digest(CRYPTO_SHA256, bytes_str(text), f.sha256, e));
	if (!frame_file_encode(&f, &payload))
		return err_fail(e, ERR_INPUT, "not encoded");
	return client_results_file(&b->r, buf_bytes(&payload), e);
}

static bool put(struct bench *b, uint32_t mount, const char *path,
	const char *text, struct err *e)
{
	return begin(b, mount, path, text, false, e) &&
		(!text[0] || client_results_data(&b->r, bytes_str(text), e));
}

TEST(results_appear_with_contents_and_time)
{
	struct bench b;
	struct stat st;
	struct err e = { 0 };
	bench_make(&b);
	CHECK(put(&b, 0, "a", "hello\n", &e));
	CHECK(put(&b, 0, "empty", "", &e));
	CHECK(begin(&b, 0, "d", "", true, &e));
	CHECK(put(&b, 0, "d/e/f", "deep", &e));
	CHECK(folder_has(&b.f, "out/a", "hello\n"));
	CHECK(folder_has(&b.f, "out/empty", ""));
	CHECK(folder_has(&b.f, "out/d/e/f", "deep"));
	CHECK(!stat(folder_at(&b.f, "out/a"), &st));
	CHECK_INT(st.st_mtime, 1000);
	CHECK_INT(b.r.files, 3);
	bench_end(&b);
}

TEST(results_replace_a_file_and_keep_its_mode)
{
	struct bench b;
	struct stat st;
	struct err e = { 0 };
	bench_make(&b);
	folder_write(&b.f, "out/a", "old");
	CHECK(!chmod(folder_at(&b.f, "out/a"), 0640));
	CHECK(put(&b, 0, "a", "new", &e));
	CHECK(folder_has(&b.f, "out/a", "new"));
	CHECK(!stat(folder_at(&b.f, "out/a"), &st));
	CHECK_INT(st.st_mode & 07777, 0640);
	bench_end(&b);
}

TEST(results_are_whole_or_not_there)
{
	struct bench b;
	struct err e = { 0 };
	bench_make(&b);
	folder_write(&b.f, "out/a", "old");
	CHECK(begin(&b, 0, "a", "new text", false, &e));
	CHECK(client_results_data(&b.r, BYTES_LIT("new"), &e));
	CHECK(folder_has(&b.f, "out/a", "old"));
	client_results_fini(&b.r);
	CHECK(folder_has(&b.f, "out/a", "old"));
	/* Nothing temporary is left: the directory has one entry. */
	CHECK(!unlink(folder_at(&b.f, "out/a")));
	CHECK(!rmdir(folder_at(&b.f, "out")));
	bench_end(&b);
}

TEST(results_with_another_digest_are_refused)
{
	struct bench b;
	struct err e = { 0 };
	bench_make(&b);
	CHECK(begin(&b, 0, "a", "right", false, &e));
	CHECK(!client_results_data(&b.r, BYTES_LIT("wrong"), &e));
	CHECK_HAS(e.text, "digest");
	CHECK(access(folder_at(&b.f, "out/a"), F_OK));
	bench_end(&b);
}

TEST(results_never_follow_a_link)
{
	struct bench b;
	struct err e = { 0 };
	bench_make(&b);
	folder_write(&b.f, "outside", "mine");
	CHECK(!symlink("..", folder_at(&b.f, "out/up")));
	CHECK(!symlink("../outside", folder_at(&b.f, "out/file")));
	CHECK(!put(&b, 0, "up/outside", "evil", &e));
	client_results_fini(&b.r);
	CHECK(!begin(&b, 0, "up", "", true, &e));
	client_results_fini(&b.r);
	/* The link itself is replaced; where it led stays as it was. */
	CHECK(put(&b, 0, "file", "result", &e));
	CHECK(folder_has(&b.f, "outside", "mine"));
	CHECK(folder_has(&b.f, "out/file", "result"));
	bench_end(&b);
}

TEST(results_stay_below_their_directory)
{
	static const char *const bad[] = { "..", "../x", "a/../../x", "/etc/x",
		"", ".", "a//b", "a/", "./a" };
	struct bench b;
	bench_make(&b);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct err e = { 0 };
		/* By hand: the encoder refuses these paths too. */
		auto_buf p = { 0 };
		uint8_t zeros[32] = { 0 };
		size_t n = strlen(bad[i]);
		buf_u32le(&p, 0), buf_u32le(&p, 0), buf_u64le(&p, 0);
		buf_u64le(&p, 0), buf_put(&p, BYTES_ARRAY(zeros));
		buf_u16le(&p, (uint16_t)n), buf_str(&p, bad[i]);
		print_message("%s\n", bad[i]);
		CHECK(!client_results_file(&b.r, buf_bytes(&p), &e));
		client_results_fini(&b.r);
	}
	CHECK(!rmdir(folder_at(&b.f, "out")));
	bench_end(&b);
}

TEST(results_go_into_writable_directories_only)
{
	struct bench b;
	struct err e = { 0 };
	bench_make(&b);
	CHECK(!put(&b, 1, "a", "x", &e));
	CHECK(!put(&b, 2, "a", "x", &e));
	CHECK(access(folder_at(&b.f, "in/a"), F_OK));
	bench_end(&b);
}

TEST(results_refuse_a_file_where_a_directory_is)
{
	struct bench b;
	struct err e = { 0 };
	bench_make(&b);
	CHECK(!mkdir(folder_at(&b.f, "out/d"), 0755));
	CHECK(!put(&b, 0, "d", "x", &e));
	client_results_fini(&b.r);
	folder_write(&b.f, "out/f", "x");
	CHECK(!begin(&b, 0, "f", "", true, &e));
	CHECK(folder_has(&b.f, "out/f", "x"));
	bench_end(&b);
}

TEST(results_without_a_workload_are_dropped)
{
	struct bench b;
	struct err e = { 0 };
	bench_make(&b);
	client_results_init(&b.r, NULL);
	CHECK(put(&b, 0, "a", "x", &e));
	CHECK(access(folder_at(&b.f, "out/a"), F_OK));
	bench_end(&b);
}
