/* SPDX-License-Identifier: Apache-2.0 */
#include "client/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "../test.h"
#include "helpers/folder.h"

static const char *const one = "0123456789abcdef0123456789abcdef";
static const char *const two = "0123ffffffffffffffffffffffffffff";

static void save(const char *id, uint64_t created)
{
	struct err e = { 0 };
	struct client_record r = { .spki_hash = { 1, 2, 3 },
		.created = created };
	snprintf(r.id, sizeof r.id, "%s", id);
	snprintf(r.host, sizeof r.host, "https://host:7443");
	snprintf(r.program, sizeof r.program, "x.wasm");
	CHECK(client_record_save(&r, &e));
}

TEST(record_comes_back_as_it_was)
{
	struct folder f;
	struct client_record r;
	struct stat st;
	struct err e = { 0 };
	char path[128];
	folder_make(&f);
	setenv("XDG_STATE_HOME", f.path, 1);
	save(one, 7);
	CHECK(client_record_find(one, &r, &e));
	CHECK_STR(r.id, one);
	CHECK_STR(r.host, "https://host:7443");
	CHECK_STR(r.program, "x.wasm");
	CHECK_INT(r.spki_hash[2], 3);
	CHECK_INT(r.created, 7);
	snprintf(path, sizeof path, "donjon/keeps/%s.json", one);
	CHECK(!stat(folder_at(&f, path), &st));
	CHECK_INT(st.st_mode & 07777, 0600);
	CHECK(!stat(folder_at(&f, "donjon/keeps"), &st));
	CHECK_INT(st.st_mode & 07777, 0700);
	folder_remove(&f);
}

TEST(record_remembers_how_the_program_ended)
{
	struct folder f;
	struct client_record r;
	struct err e = { 0 };
	folder_make(&f);
	setenv("XDG_STATE_HOME", f.path, 1);
	save(one, 7);
	CHECK(client_record_find(one, &r, &e));
	CHECK(!r.exited);
	client_record_exit(one, 0);
	CHECK(client_record_find(one, &r, &e));
	CHECK(r.exited);
	CHECK_INT(r.status, 0);
	client_record_exit(one, 143);
	CHECK(client_record_find(one, &r, &e));
	CHECK_INT(r.status, 143);
	CHECK_INT(r.created, 7);
	CHECK_STR(r.program, "x.wasm");
	/* Of a Keep that is forgotten it makes no new record. */
	client_record_exit(two, 1);
	CHECK(!client_record_find(two, &r, &e));
	/* Nor by a part of its id. */
	client_record_exit("0123", 1);
	CHECK(client_record_find(one, &r, &e));
	CHECK_INT(r.status, 143);
	folder_remove(&f);
}

TEST(record_is_found_by_its_first_digits_when_they_are_its_alone)
{
	struct folder f;
	struct client_record r;
	struct err e = { 0 };
	folder_make(&f);
	setenv("XDG_STATE_HOME", f.path, 1);
	CHECK(!client_record_find(one, &r, &e));
	CHECK_INT(e.kind, ERR_INPUT);
	save(one, 2);
	CHECK(client_record_find("0123", &r, &e));
	save(two, 1);
	CHECK(!client_record_find("0123", &r, &e));
	CHECK_HAS(e.text, "2 Keeps");
	CHECK(client_record_find("0123f", &r, &e));
	CHECK_STR(r.id, two);
	client_record_forget(two);
	CHECK(!client_record_find(two, &r, &e));
	CHECK(client_record_find("0123", &r, &e));
	folder_remove(&f);
}

TEST(record_names_are_ids_and_nothing_else)
{
	static const char *const bad[] = { "", "012", "../../../etc/passwd",
		"0123456789ABCDEF", "zzzz", "0123456789abcdef0123456789abcdef0",
		"01234/5678" };
	struct client_record r;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct err e = { 0 };
		print_message("%s\n", bad[i]);
		CHECK(!client_record_find(bad[i], &r, &e));
		CHECK_HAS(e.text, "id");
	}
}

TEST(record_list_is_by_age_and_leaves_out_damage)
{
	struct folder f;
	struct client_record *list;
	size_t count;
	struct err e = { 0 };
	folder_make(&f);
	setenv("XDG_STATE_HOME", f.path, 1);
	CHECK(client_record_list(&list, &count, &e));
	CHECK_INT(count, 0);
	save(one, 9);
	save(two, 8);
	folder_write(&f, "donjon/keeps/0000000000000000000000000000aaaa.json",
		"{");
	folder_write(&f, "donjon/keeps/README", "x");
	CHECK(client_record_list(&list, &count, &e));
	CHECK_INT(count, 2);
	CHECK_STR(list[0].id, two);
	CHECK_STR(list[1].id, one);
	free(list);
	folder_remove(&f);
}
