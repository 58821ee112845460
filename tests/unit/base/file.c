/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "../test.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/fmt.h"

struct place {
	char folder[32], path[64];
};

static void begin(struct place *p)
{
	*p = (struct place){ .folder = "/tmp/unit-file-XXXXXX" };
	CHECK(mkdtemp(p->folder));
	fmt(p->path, sizeof p->path, "%s/text", p->folder);
}

/* Nothing else may be left in the folder. */
static void end(struct place *p)
{
	(void)unlink(p->path);
	CHECK_INT(rmdir(p->folder), 0);
}

static void holds(const struct place *p, const char *text, mode_t mode)
{
	char is[64] = "";
	struct stat st;
	auto_fd fd = open(p->path, O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0 && !fstat(fd, &st));
	CHECK_INT(st.st_mode & 07777, mode);
	CHECK(read(fd, is, sizeof is - 1) >= 0);
	CHECK_STR(is, text);
}

TEST(a_file_is_made_and_replaced_with_its_mode)
{
	struct place p;
	begin(&p);
	CHECK(file_replace(p.path, 0640, BYTES_LIT("first, and longer")));
	holds(&p, "first, and longer", 0640);
	CHECK(file_replace(p.path, 0600, BYTES_LIT("second")));
	holds(&p, "second", 0600);
	end(&p);
}

TEST(a_file_in_parts_is_in_its_place_when_it_is_whole)
{
	struct place p;
	char made[80], text[16];
	begin(&p);
	CHECK(file_replace(p.path, 0600, BYTES_LIT("before")));
	auto_fd fd = file_begin(p.path, made, sizeof made);
	CHECK(fd >= 0);
	CHECK_HAS(made, "/.text.");
	CHECK(file_write(fd, BYTES_LIT("in ")));
	holds(&p, "before", 0600);
	CHECK(file_write(fd, BYTES_LIT("parts")));
	CHECK(file_end(fd, made, true, 0644, p.path));
	holds(&p, "in parts", 0644);
	/* One that broke off leaves what was there, and why. */
	auto_fd other = file_begin(p.path, made, sizeof made);
	CHECK(other >= 0);
	errno = ENOSPC;
	CHECK(!file_end(other, made, false, 0644, p.path));
	CHECK_INT(errno, ENOSPC);
	holds(&p, "in parts", 0644);
	CHECK_INT(file_begin(p.path, text, sizeof text), -1);
	CHECK_INT(errno, ENAMETOOLONG);
	end(&p);
}

TEST(what_is_not_whole_replaces_nothing)
{
	struct place p;
	struct rlimit was;
	begin(&p);
	CHECK(file_replace(p.path, 0600, BYTES_LIT("here")));
	CHECK(!getrlimit(RLIMIT_FSIZE, &was));
	CHECK(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	const struct rlimit few = { 4, was.rlim_max };
	CHECK(!setrlimit(RLIMIT_FSIZE, &few));
	bool ok = file_replace(p.path, 0600, BYTES_LIT("much longer"));
	int why = errno;
	CHECK(!setrlimit(RLIMIT_FSIZE, &was));
	CHECK(!ok);
	CHECK_INT(why, EFBIG);
	holds(&p, "here", 0600);
	end(&p);
}

TEST(a_folder_that_is_not_there_and_a_name_too_long_are_said)
{
	static char name[5000];
	memset(name, 'x', sizeof name - 1);
	CHECK(!file_replace("/tmp/no such folder/x", 0600, BYTES_LIT("x")));
	CHECK_INT(errno, ENOENT);
	CHECK(!file_replace(name, 0600, BYTES_LIT("x")));
	CHECK_INT(errno, ENAMETOOLONG);
}
