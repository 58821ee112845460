/* SPDX-License-Identifier: Apache-2.0 */
#include "keep/workload.h"

#include "../test.h"

static struct keep_clock wall;
static struct keep_workload w;
static struct err e;

static uint64_t no_time(void *ctx)
{
	(void)ctx;
	return 0;
}

static void begin(uint64_t memory)
{
	keep_clock_init(&wall, no_time, NULL);
	keep_workload_init(&w, &wall, memory);
	e = (struct err){ .kind = ERR_NONE };
}

static bool frame(unsigned type, struct bytes payload)
{
	/* An exact heap block: a read past its end shows. */
	auto_buf copy = { .len = 0 };
	buf_put(&copy, payload);
	return keep_workload_frame(&w, type, buf_bytes(&copy), &e);
}

/* --- frames ------------------------------------------------------------- */

static struct bytes args[] = { BYTES_LIT("app"), BYTES_LIT("-x") };
static struct bytes env[] = { BYTES_LIT("HOME=/") };
static struct frame_mount mounts[] = { { BYTES_LIT("/ro"), false, false },
	{ BYTES_LIT("/rw"), true, true } };

static struct frame_config plain(size_t mount_count)
{
	return (struct frame_config){
		.args = args,
		.arg_count = ARRAY_LEN(args),
		.env = env,
		.env_count = ARRAY_LEN(env),
		.mounts = mount_count ? mounts : NULL,
		.mount_count = mount_count,
	};
}

static bool config(const struct frame_config *c)
{
	auto_buf b = { .len = 0 };
	CHECK(frame_config_encode(c, &b));
	return frame(FRAME_CONFIG, buf_bytes(&b));
}

static bool file(uint32_t mount, const char *path, struct bytes announced,
	uint64_t size)
{
	auto_buf b = { .len = 0 };
	struct frame_file f = { .mount = mount,
		.mtime_ns = 1234567,
		.size = size,
		.path = bytes_str(path) };
	CHECK(crypto_digest(CRYPTO_SHA256, announced, f.sha256, &e));
	CHECK(frame_file_encode(&f, &b));
	return frame(FRAME_FILE, buf_bytes(&b));
}

static bool folder(uint32_t mount, const char *path)
{
	auto_buf b = { .len = 0 };
	struct frame_file f = { .mount = mount,
		.directory = true,
		.path = bytes_str(path) };
	CHECK(frame_file_encode(&f, &b));
	return frame(FRAME_FILE, buf_bytes(&b));
}

static bool module(struct bytes announced, uint64_t size)
{
	auto_buf b = { .len = 0 };
	struct frame_module m = { .size = size };
	CHECK(crypto_digest(CRYPTO_SHA256, announced, m.sha256, &e));
	CHECK(frame_module_encode(&m, &b));
	return frame(FRAME_MODULE, buf_bytes(&b));
}

static bool data(const char *text)
{
	return frame(FRAME_DATA, bytes_str(text));
}

static bool time_frame(uint64_t ns)
{
	auto_buf b = { .len = 0 };
	buf_u64le(&b, ns);
	return frame(FRAME_TIME, buf_bytes(&b));
}

static bool start(void)
{
	return frame(FRAME_START, BYTES_NONE);
}

/* --- what is there ------------------------------------------------------ */

static struct vfs_node *look_up(uint32_t mount, const char *name)
{
	struct vfs *fs = memfs_vfs(w.fs);
	struct vfs_node *node = NULL;
	CHECK_INT(fs->ops->lookup(fs, w.roots[mount], bytes_str(name), &node),
		0);
	return node;
}

static void file_is(uint32_t mount, const char *name, const char *text)
{
	struct vfs *fs = memfs_vfs(w.fs);
	struct vfs_node *node = look_up(mount, name);
	struct vfs_stat st;
	uint8_t b[256];
	size_t n = sizeof b;
	CHECK_INT(fs->ops->read(fs, node, 0, b, &n), 0);
	CHECK_INT(n, strlen(text));
	CHECK_MEM(b, text, n);
	CHECK_INT(fs->ops->stat(fs, node, &st), 0);
	CHECK_INT(st.mtim, 1234567);
	fs->ops->unref(fs, node);
}

TEST(a_whole_workload_is_taken)
{
	struct frame_config c = plain(2);
	begin(1u << 20);
	CHECK(config(&c));
	CHECK(time_frame(77));
	CHECK(folder(1, "out"));
	CHECK(file(0, "a.txt", BYTES_LIT("hello world"), 11));
	CHECK(data("hello "));
	CHECK(data("world"));
	CHECK(file(1, "empty", BYTES_NONE, 0));
	CHECK(module(BYTES_LIT("\0asm...."), 8));
	CHECK(frame(FRAME_DATA, BYTES_LIT("\0asm...")));
	CHECK(!w.module_done);
	CHECK(data("."));
	CHECK(start());
	CHECK(w.started);
	file_is(0, "a.txt", "hello world");
	file_is(1, "empty", "");
	CHECK_STR(w.args[0], "app");
	CHECK_STR(w.args[1], "-x");
	CHECK(w.args[2] == NULL);
	CHECK_STR(w.env[0], "HOME=/");
	CHECK_STR(w.mounts[1], "/rw");
	CHECK_INT(keep_clock_real(&wall), 77);
	CHECK_INT(w.file_bytes, 11);
	CHECK_INT(keep_workload_module(&w).len, 8);
	CHECK_MEM(keep_workload_module(&w).ptr, "\0asm....", 8);
	keep_workload_drop_module(&w);
	CHECK_INT(keep_workload_module(&w).len, 0);
	keep_workload_fini(&w);
}

TEST(a_module_that_is_not_the_announced_one_is_refused)
{
	struct frame_config c = plain(0);
	begin(0);
	CHECK(config(&c));
	CHECK(module(BYTES_LIT("abcd"), 4));
	CHECK(!data("abcx"));
	CHECK_INT(e.kind, ERR_INPUT);
	CHECK_HAS(e.text, "MODULE: its digest");
	CHECK(!w.module_done);
	CHECK(!start());
	keep_workload_fini(&w);
}

TEST(a_file_that_is_not_the_announced_one_is_refused)
{
	struct frame_config c = plain(1);
	begin(0);
	CHECK(config(&c));
	CHECK(file(0, "f", BYTES_LIT("abcd"), 4));
	CHECK(!data("abce"));
	CHECK_HAS(e.text, "FILE: its digest");
	keep_workload_fini(&w);
	/* Also when it is empty: of what is announced nothing is assumed. */
	begin(0);
	CHECK(config(&c));
	CHECK(!file(0, "f", BYTES_LIT("abcd"), 0));
	CHECK_HAS(e.text, "FILE: its digest");
	keep_workload_fini(&w);
}

TEST(more_data_than_announced_is_refused)
{
	struct frame_config c = plain(0);
	begin(0);
	CHECK(config(&c));
	CHECK(!data("x"));
	CHECK_HAS(e.text, "DATA: more");
	CHECK(module(BYTES_LIT("abcd"), 4));
	CHECK(!data("abcde"));
	CHECK_HAS(e.text, "DATA: more");
	keep_workload_fini(&w);
}

TEST(frames_out_of_order_are_refused_by_name)
{
	struct frame_config c = plain(1);
	begin(0);
	CHECK(!start());
	CHECK_HAS(e.text, "START");
	CHECK(!module(BYTES_NONE, 0));
	CHECK_HAS(e.text, "MODULE");
	CHECK(!file(0, "f", BYTES_NONE, 0));
	CHECK_HAS(e.text, "FILE");
	CHECK(config(&c));
	CHECK(!config(&c));
	CHECK_HAS(e.text, "CONFIG");
	CHECK(time_frame(1));
	CHECK(!time_frame(2));
	CHECK_HAS(e.text, "TIME");
	CHECK(!start());
	CHECK(module(BYTES_LIT("ab"), 2));
	CHECK(!start());
	CHECK_HAS(e.text, "START: DATA is due");
	CHECK(!file(0, "f", BYTES_NONE, 0));
	CHECK_HAS(e.text, "FILE: DATA is due");
	CHECK(data("ab"));
	CHECK(!module(BYTES_LIT("ab"), 2));
	CHECK(start());
	CHECK(!start());
	CHECK(!frame(FRAME_STDIN, BYTES_LIT("x")));
	CHECK_HAS(e.text, "STDIN: not part of a workload");
	keep_workload_fini(&w);
}

TEST(malformed_payloads_are_refused)
{
	struct frame_config c = plain(0);
	begin(0);
	CHECK(!frame(FRAME_CONFIG, BYTES_LIT("x")));
	CHECK(!w.configured);
	CHECK(!frame(FRAME_TIME, BYTES_LIT("1234567")));
	CHECK(!frame(FRAME_TIME, BYTES_LIT("123456789")));
	CHECK(config(&c));
	CHECK(!frame(FRAME_MODULE, BYTES_LIT("short")));
	CHECK(!frame(FRAME_FILE, BYTES_LIT("short")));
	CHECK(module(BYTES_NONE, 0));
	CHECK(!frame(FRAME_START, BYTES_LIT("x")));
	keep_workload_fini(&w);
}

TEST(a_file_for_a_mount_that_is_not_there_is_refused)
{
	struct frame_config c = plain(2);
	begin(0);
	CHECK(config(&c));
	CHECK(!file(2, "f", BYTES_NONE, 0));
	CHECK_HAS(e.text, "FILE: no mount 2");
	keep_workload_fini(&w);
}

TEST(a_path_taken_twice_is_refused)
{
	struct frame_config c = plain(1);
	begin(0);
	CHECK(config(&c));
	CHECK(file(0, "a/b", BYTES_NONE, 0));
	CHECK(!file(0, "a/b", BYTES_NONE, 0));
	CHECK(!file(0, "a/b/c", BYTES_NONE, 0));
	CHECK(folder(0, "a"));
	keep_workload_fini(&w);
}

/* --- memory ------------------------------------------------------------- */

TEST(a_module_of_10_gigabytes_is_refused_before_its_data)
{
	struct frame_config c = plain(0);
	begin(1u << 30);
	CHECK(config(&c));
	CHECK(!module(BYTES_NONE, 10000000000u));
	CHECK_INT(e.kind, ERR_LIMIT);
	CHECK_HAS(e.text, "MODULE: 10000000000 bytes");
	CHECK(w.module == NULL);
	CHECK(!module(BYTES_NONE, UINT64_MAX));
	CHECK_INT(e.kind, ERR_LIMIT);
	keep_workload_fini(&w);
}

TEST(a_file_beyond_the_quota_is_refused_before_its_data)
{
	struct frame_config c = plain(1);
	begin(1u << 20);
	CHECK(config(&c));
	CHECK(!file(0, "f", BYTES_NONE, 10000000000u));
	CHECK_INT(e.kind, ERR_LIMIT);
	CHECK(!file(0, "f", BYTES_NONE, UINT64_MAX));
	CHECK_INT(e.kind, ERR_LIMIT);
	CHECK(!file(0, "f", BYTES_NONE, (1u << 20) + 1));
	CHECK_INT(e.kind, ERR_LIMIT);
	keep_workload_fini(&w);
}

TEST(files_together_stay_within_the_quota)
{
	static uint8_t big[60000];
	struct frame_config c = plain(1);
	c.file_bytes = 100000;
	begin(1u << 20);
	CHECK(config(&c));
	CHECK(file(0, "one", BYTES_ARRAY(big), sizeof big));
	CHECK(frame(FRAME_DATA, BYTES_ARRAY(big)));
	CHECK(!file(0, "two", BYTES_ARRAY(big), sizeof big));
	CHECK_INT(e.kind, ERR_LIMIT);
	keep_workload_fini(&w);
}

TEST(the_tenants_memory_limit_holds_within_the_hosts)
{
	struct frame_config c = plain(0);
	c.memory_bytes = 5000;
	begin(7000);
	CHECK(config(&c));
	CHECK_INT(keep_workload_room(&w), 5000);
	keep_workload_fini(&w);
	c.memory_bytes = 0;
	begin(7000);
	CHECK(config(&c));
	CHECK_INT(keep_workload_room(&w), 7000);
	keep_workload_fini(&w);
	begin(0);
	CHECK(config(&c));
	CHECK_INT(keep_workload_room(&w), KEEP_MEMORY_DEFAULT);
	keep_workload_fini(&w);
}

TEST(more_memory_than_the_host_gave_is_refused)
{
	struct frame_config c = plain(0);
	c.memory_bytes = 7001;
	begin(7000);
	CHECK(!config(&c));
	CHECK_INT(e.kind, ERR_LIMIT);
	CHECK_HAS(e.text, "memory: 7001 bytes, the Keep has 7000");
	keep_workload_fini(&w);
}

TEST(files_take_their_share_off_the_memory)
{
	struct frame_config c = plain(1);
	begin(10000);
	CHECK(config(&c));
	CHECK(file(0, "f", BYTES_LIT("hello"), 5));
	CHECK(data("hello"));
	CHECK_INT(keep_workload_room(&w), 9995);
	keep_workload_fini(&w);
	/* A writable mount may grow: its share is set aside. */
	c = plain(2);
	begin(10000);
	CHECK(config(&c));
	CHECK_INT(keep_workload_room(&w), 5000);
	keep_workload_fini(&w);
	c.file_bytes = 1000;
	begin(10000);
	CHECK(config(&c));
	CHECK_INT(keep_workload_room(&w), 9000);
	keep_workload_fini(&w);
}

TEST(an_unused_workload_ends_in_peace)
{
	begin(0);
	keep_workload_fini(&w);
	keep_workload_fini(&w);
}
