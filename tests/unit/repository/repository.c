/* SPDX-License-Identifier: Apache-2.0 */
#include "repository/repository.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

#include "../test.h"

#define WASM "\0asm\1\0\0\0"

static struct repository *r;
static struct repository_package p;
static struct err e;
static char folder[40];

static void begin(void)
{
	const struct repository_config cfg = { .cancel_fd = -1 };
	memcpy(folder, "/tmp/unit-repository-XXXXXX", 28);
	CHECK(mkdtemp(folder) != NULL);
	CHECK(!setenv("XDG_CACHE_HOME", folder, 1));
	CHECK(repository_open(&cfg, &r, &e));
}

static void end(void)
{
	char command[128];
	repository_close(r);
	snprintf(command, sizeof command, "rm -rf %s", folder);
	CHECK(system(command) == 0);
}

static const char *at(const char *name)
{
	static char path[2][256];
	static unsigned n;
	n ^= 1;
	snprintf(path[n], sizeof path[n], "%s/%s", folder, name);
	return path[n];
}

static void put(const char *name, struct bytes contents)
{
	char path[256];
	snprintf(path, sizeof path, "%s", at(name));
	for (char *s = path + strlen(folder) + 1; (s = strchr(s, '/')); s++) {
		*s = '\0';
		CHECK(!mkdir(path, 0755) || errno == EEXIST);
		*s = '/';
	}
	auto_fd fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	CHECK(fd >= 0);
	CHECK(write(fd, contents.ptr, contents.len) == (ssize_t)contents.len);
}

static bool get(const char *name)
{
	e = (struct err){ 0 };
	return repository_get(r, at(name), NULL, &p, &e);
}

static void must_get(const char *name, uint8_t digest[32])
{
	if (!get(name))
		fail_msg("%s", e.text);
	memcpy(digest, p.digest, 32);
}

static void refuses(const char *name, const char *why)
{
	if (get(name))
		fail_msg("%s was taken", name);
	CHECK_HAS(e.text, why);
}

static void make_package(const char *name)
{
	char path[128];
	static const char toml[] = "[[mounts]]\nhost = \"data\"\n"
				   "guest = \"/d\"\n";
	snprintf(path, sizeof path, "%s/main.wasm", name);
	put(path, BYTES_LIT(WASM));
	snprintf(path, sizeof path, "%s/Donjon.toml", name);
	put(path, bytes_str(toml));
	snprintf(path, sizeof path, "%s/data/sub/x", name);
	put(path, BYTES_LIT("hello"));
	snprintf(path, sizeof path, "%s/data/a", name);
	put(path, BYTES_LIT(""));
	snprintf(path, sizeof path, "%s/target/junk", name);
	put(path, BYTES_LIT("not in the package"));
}

static void run(const char *format)
{
	char command[512];
	snprintf(command, sizeof command, "cd %s && %s", folder, format);
	CHECK(system(command) == 0);
}

/* --- plain files -------------------------------------------------------------
 */

TEST(file_without_an_end_is_bounded)
{
	auto_buf out = { 0 };
	CHECK(!repository_read_file("/dev/zero", 1000, &out, &e));
	CHECK_INT(e.kind, ERR_LIMIT);
}

TEST(file_is_read_up_to_its_limit_and_not_beyond)
{
	auto_buf out = { 0 };
	begin();
	put("f", BYTES_LIT("0123456789"));
	CHECK(repository_read_file(at("f"), 10, &out, &e));
	CHECK_INT(out.len, 10);
	CHECK(!repository_read_file(at("f"), 9, &out, &e));
	CHECK_INT(e.kind, ERR_LIMIT);
	end();
}

TEST(name_is_the_last_component)
{
	static const struct {
		const char *ref, *name;
	} cases[] = { { "x.wasm", "x.wasm" }, { "/a/b/x.wasm", "x.wasm" },
		{ "https://h/a/x.wasm?v=1", "x.wasm" },
		{ "https://h/a/x.wasm@sha256:00", "x.wasm" },
		{ "https://h/a/", "a" }, { "a#b", "a#b" }, { "a@b", "a@b" },
		{ "oci://h:5000/a/b:1", "b" },
		{ "oci://h:5000/b@sha256:00", "b" },
		{ "oci://h/b:1@sha256:00", "b" } };
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct bytes b = repository_name(cases[i].ref);
		print_message("%s\n", cases[i].ref);
		CHECK(bytes_equal(b, bytes_str(cases[i].name)));
	}
}

/* --- packages
 * ------------------------------------------------------------------ */

TEST(a_module_alone_is_a_package)
{
	uint8_t digest[32];
	auto_buf module = { 0 };
	begin();
	put("app.wasm", BYTES_LIT(WASM));
	must_get("app.wasm", digest);
	CHECK_INT(p.toml, -1);
	CHECK_STR(p.blobs[p.module].title, "app.wasm");
	CHECK(repository_package_module(&p, &module, &e));
	CHECK(bytes_equal(buf_bytes(&module), BYTES_LIT(WASM)));
	repository_package_fini(&p);
	end();
}

TEST(the_same_contents_give_the_same_digest_in_whatever_form)
{
	uint8_t a[32], b[32];
	begin();
	make_package("one");
	must_get("one", a);
	CHECK_INT(p.file_count, 4);
	CHECK_STR(p.files[0].path, "data");
	CHECK_STR(p.files[3].path, "data/sub/x");
	repository_package_fini(&p);
	/* Another folder, made in another order, with other times. */
	run("mkdir two two/data two/data/sub && "
	    "cp one/data/sub/x two/data/sub && cp one/data/a two/data && "
	    "cp one/Donjon.toml one/main.wasm two && "
	    "touch -d 2001-01-01 two/data/a && chmod 600 two/main.wasm");
	must_get("two", b);
	repository_package_fini(&p);
	CHECK_MEM(a, b, 32);
	run("tar -C one -cf one.tar . && tar -C two -czf two.tgz "
	    "main.wasm Donjon.toml data/sub/x data/a");
	must_get("one.tar", b);
	repository_package_fini(&p);
	CHECK_MEM(a, b, 32);
	must_get("two.tgz", b);
	repository_package_fini(&p);
	CHECK_MEM(a, b, 32);
	put("two/data/a", BYTES_LIT("x"));
	must_get("two", b);
	repository_package_fini(&p);
	CHECK(memcmp(a, b, 32) != 0);
	end();
}

TEST(what_is_exported_is_the_same_package_again)
{
	uint8_t a[32], b[32];
	begin();
	make_package("one");
	must_get("one", a);
	CHECK(repository_export(r, &p, at("x.tar"), &e));
	CHECK(repository_export(r, &p, at("y.tar"), &e));
	CHECK(repository_export(r, &p, at("folder"), &e));
	CHECK(!repository_export(r, &p, at("folder"), &e));
	CHECK_HAS(e.text, "is there already");
	repository_package_fini(&p);
	run("cmp x.tar y.tar");
	must_get("x.tar", b);
	repository_package_fini(&p);
	CHECK_MEM(a, b, 32);
	must_get("folder", b);
	repository_package_fini(&p);
	CHECK_MEM(a, b, 32);
	run("mkdir l && tar -C l -xf x.tar");
	must_get("l", b);
	repository_package_fini(&p);
	CHECK_MEM(a, b, 32);
	end();
}

TEST(a_layout_whose_blob_was_changed_is_refused)
{
	uint8_t a[32];
	begin();
	make_package("one");
	must_get("one", a);
	CHECK(repository_export(r, &p, at("x.tar"), &e));
	repository_package_fini(&p);
	run("mkdir l && tar -C l -xf x.tar && "
	    "f=$(find l/blobs -type f -size -9c) && chmod u+w $f && "
	    "printf '\\0asn\\1\\0\\0\\0' > $f");
	refuses("l", "another digest");
	run("f=$(find l/blobs -type f -size -9c) && printf '\\0asm' > $f");
	refuses("l", "bytes, want 8");
	end();
}

TEST(what_is_missing_or_there_twice_is_named)
{
	begin();
	put("a/x.txt", BYTES_LIT("x"));
	refuses("a", "no Donjon.toml");
	put("a/Enarx.toml", BYTES_LIT(""));
	refuses("a", "no module");
	put("a/one.wasm", BYTES_LIT(WASM));
	CHECK(get("a"));
	CHECK_STR(p.blobs[p.toml].title, "Enarx.toml");
	repository_package_fini(&p);
	put("a/two.wasm", BYTES_LIT(WASM));
	refuses("a", "2 modules");
	put("a/Donjon.toml", BYTES_LIT("module = \"two.wasm\"\n"));
	refuses("a", "both a Donjon.toml and an Enarx.toml");
	CHECK(!unlink(at("a/Enarx.toml")));
	CHECK(get("a"));
	CHECK_STR(p.blobs[p.module].title, "two.wasm");
	repository_package_fini(&p);
	put("a/Donjon.toml", BYTES_LIT("module = \"../two.wasm\"\n"));
	refuses("a", "below the package");
	put("a/Donjon.toml",
		BYTES_LIT("module = \"two.wasm\"\n[[mounts]]\n"
			  "host = \"none\"\nguest = \"/n\"\n"));
	refuses("a", "none");
	put("a/Donjon.toml",
		BYTES_LIT("module = \"two.wasm\"\n[[mounts]]\n"
			  "host = \"/etc\"\nguest = \"/n\"\n"));
	refuses("a", "below the package");
	end();
}

TEST(links_in_the_data_are_refused)
{
	begin();
	make_package("one");
	CHECK(!symlink("/etc/passwd", at("one/data/link")));
	refuses("one", "symbolic link");
	CHECK(!unlink(at("one/data/link")));
	CHECK(!mkfifo(at("one/data/pipe"), 0600));
	refuses("one", "neither");
	end();
}

TEST(what_is_no_package_at_all_is_named)
{
	begin();
	put("text", BYTES_LIT("hello"));
	refuses("text", "not a wasm module");
	put("empty", BYTES_NONE);
	refuses("empty", "not a wasm module");
	refuses("nowhere.wasm", "No such file");
	put("x.tgz", BYTES_LIT("\x1f\x8b\x08 and then nothing of the kind"));
	refuses("x.tgz", "gzip");
	end();
}

TEST(annotations_are_sorted_and_change_the_digest)
{
	static const char *const one[] = { "b=2", "a=1" };
	static const char *const two[] = { "a=1", "b=2" };
	struct repository_options o = { .annotations = one,
		.annotation_count = 2 };
	uint8_t a[32], plain[32];
	begin();
	put("app.wasm", BYTES_LIT(WASM));
	must_get("app.wasm", plain);
	repository_package_fini(&p);
	CHECK(repository_get(r, at("app.wasm"), &o, &p, &e));
	memcpy(a, p.digest, 32);
	repository_package_fini(&p);
	o.annotations = two;
	CHECK(repository_get(r, at("app.wasm"), &o, &p, &e));
	CHECK_MEM(a, p.digest, 32);
	CHECK(memcmp(a, plain, 32) != 0);
	CHECK_HAS(buf_cstr(&p.manifest), "\"annotations\":{\"a\":\"1\"");
	repository_package_fini(&p);
	end();
}

TEST(locations_that_are_none_are_refused_by_name)
{
	static const char *const refs[] = { "oci://r/A:1", "ftp://h/x",
		"file://h/x", "http://h.example/x" };
	begin();
	for (size_t i = 0; i < ARRAY_LEN(refs); i++) {
		CHECK(!repository_get(r, refs[i], NULL, &p, &e));
		CHECK(e.kind == ERR_INPUT || e.kind == ERR_DENIED);
	}
	CHECK_HAS(e.text, "plain http");
	end();
}
