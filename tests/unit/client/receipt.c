/* SPDX-License-Identifier: Apache-2.0 */
#include "client/receipt.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../test.h"
#include "client/record.h"
#include "helpers/folder.h"

static const char *const keep = "0123456789abcdef0123456789abcdef";
static const uint8_t module[32] = { 1, 2, 3 };
static struct err e;

static struct client_receipt_due due(void)
{
	return (struct client_receipt_due){ .claims = BYTES_LIT("claims"),
		.evidence = BYTES_LIT("evidence"),
		.endorsements = BYTES_LIT("endorsements"),
		.certificate = BYTES_LIT("certificate"),
		.parts = { BYTES_LIT("manifest"), BYTES_NONE,
			BYTES_LIT("policy") },
		.module = module };
}

/* A record, as its note wants one beside it. */
static void begin(struct folder *f)
{
	struct client_record r = { .created = 1 };
	folder_make(f);
	setenv("XDG_STATE_HOME", f->path, 1);
	snprintf(r.id, sizeof r.id, "%s", keep);
	CHECK(client_record_save(&r, &e));
}

TEST(receipt_is_expected_where_it_was_noted)
{
	struct folder f;
	struct client_receipt_due d = due();
	char file[CLIENT_PATH_MAX], path[CLIENT_PATH_MAX];
	struct stat st;
	bool noted;
	begin(&f);
	CHECK(client_receipt_expect(keep, NULL, file, &noted, &e));
	CHECK(!noted);
	snprintf(path, sizeof path, "%s/r.json", f.path);
	CHECK(client_receipt_note(keep, &d, path, &e));
	CHECK(client_receipt_expect(keep, NULL, file, &noted, &e));
	CHECK(noted);
	CHECK_STR(file, path);
	CHECK(client_record_path(keep, ".receipt", file, &e));
	CHECK(!stat(file, &st));
	CHECK_INT(st.st_mode & 0777, 0600);
	client_record_forget(keep);
	CHECK(stat(file, &st) != 0);
	folder_remove(&f);
}

TEST(receipt_of_a_relative_path_is_expected_from_anywhere)
{
	struct folder f;
	struct client_receipt_due d = due();
	char file[CLIENT_PATH_MAX], cwd[CLIENT_PATH_MAX - 8],
		want[CLIENT_PATH_MAX];
	bool noted;
	begin(&f);
	CHECK(getcwd(cwd, sizeof cwd) != NULL);
	snprintf(want, sizeof want, "%s/r.json", cwd);
	CHECK(client_receipt_note(keep, &d, "r.json", &e));
	CHECK(!chdir("/"));
	CHECK(client_receipt_expect(keep, NULL, file, &noted, &e));
	CHECK_STR(file, want);
	CHECK(!chdir(cwd));
	folder_remove(&f);
}

TEST(receipt_that_cannot_be_had_or_written_is_refused_beforehand)
{
	struct folder f;
	struct client_receipt_due d = due();
	char file[CLIENT_PATH_MAX], path[CLIENT_PATH_MAX];
	bool noted;
	begin(&f);
	snprintf(path, sizeof path, "%s/r.json", f.path);
	CHECK(!client_receipt_expect(keep, path, file, &noted, &e));
	CHECK_HAS(e.text, "--receipt");
	CHECK(client_receipt_note(keep, &d, path, &e));
	CHECK(!client_receipt_expect(keep, "/no/such/folder/r", file, &noted,
		&e));
	CHECK_INT(e.kind, ERR_INPUT);
	folder_remove(&f);
}

TEST(receipt_that_is_none_is_not_written)
{
	struct folder f;
	struct client_receipt_due d = due();
	struct client_outcome o = { .exited = true };
	char path[CLIENT_PATH_MAX];
	struct stat st;
	begin(&f);
	snprintf(path, sizeof path, "%s/r.json", f.path);
	CHECK(!client_receipt_write(&d, &o, path, &e));
	CHECK_HAS(e.text, "gave none");
	CHECK(!client_receipt_collect(keep, &o, path, &e));
	CHECK_HAS(e.text, "nothing is noted");
	CHECK(buf_str(&o.receipt, "no receipt at all"));
	CHECK(client_receipt_note(keep, &d, path, &e));
	CHECK(!client_receipt_collect(keep, &o, path, &e));
	CHECK(stat(path, &st) != 0);
	buf_fini(&o.receipt);
	folder_remove(&f);
}

TEST(receipt_note_that_is_damaged_is_named)
{
	static const char *const texts[] = { "", "{}", "[]",
		"{\"file\":\"relative\"}", "{\"file\":\"/r\",\"keep\":{}}" };
	struct folder f;
	char file[CLIENT_PATH_MAX], note[CLIENT_PATH_MAX];
	bool noted;
	begin(&f);
	CHECK(client_record_path(keep, ".receipt", note, &e));
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		FILE *out = fopen(note, "w");
		CHECK(out != NULL);
		fputs(texts[i], out);
		fclose(out);
		CHECK(!client_receipt_expect(keep, NULL, file, &noted, &e));
		CHECK_HAS(e.text, ".receipt");
	}
	folder_remove(&f);
}
