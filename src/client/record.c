/* SPDX-License-Identifier: Apache-2.0 */
#include "client/record.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/fmt.h"
#include "codec/hex.h"
#include "codec/json.h"
#include "repository/repository.h"

enum { MAX_FILE = 64 << 10, MAX_RECORDS = 4096, SHORTEST = 4, ID = 32 };

static bool is_id(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!(s[i] >= '0' && s[i] <= '9') &&
			!(s[i] >= 'a' && s[i] <= 'f'))
			return false;
	return true;
}

bool client_record_path(const char *id, const char *suffix,
	char out[CLIENT_PATH_MAX], struct err *e)
{
	char dir[CLIENT_PATH_MAX];
	if (!client_path_keeps(dir, e))
		return false;
	size_t want = strlen(dir) + 1 + strlen(id) + strlen(suffix);
	if (fmt(out, CLIENT_PATH_MAX, "%s/%s%s", dir, id, suffix) != want)
		return err_fail(e, ERR_INPUT, "path too long: %s", dir);
	return true;
}

static bool encode(const struct client_record *r, struct buf *out,
	struct err *e)
{
	char spki[65];
	hex_encode(BYTES_ARRAY(r->spki_hash), spki);
	json_t *o = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:b,s:I}", "id",
		r->id, "tee", r->tee, "host", r->host, "host_ca", r->host_ca,
		"token_file", r->token_file, "program", r->program,
		"measurement", r->measurement, "spki_hash", spki, "software",
		(int)r->software, "created", (json_int_t)r->created);
	if (r->exited &&
		json_object_set_new(o, "status", json_integer(r->status))) {
		json_decref(o);
		o = NULL;
	}
	bool ok = o ? json_print(o, out, e) :
		      err_fail(e, ERR_INPUT, "not UTF-8, or no memory");
	json_decref(o);
	return ok && (buf_str(out, "\n") || err_fail(e, ERR_LIMIT, "memory"));
}

bool client_record_save(const struct client_record *r, struct err *e)
{
	char dir[CLIENT_PATH_MAX], path[CLIENT_PATH_MAX];
	auto_buf text = { 0 };
	if (!client_path_keeps(dir, e) || !client_path_make(dir, e) ||
		!client_record_path(r->id, ".json", path, e) ||
		!encode(r, &text, e))
		return false;
	return file_replace(path, 0600, buf_bytes(&text)) ||
		err_fail(e, ERR_HOST, "%s: %s", path, strerror(errno));
}

static bool copy(const json_t *o, const char *key, char *out, size_t size,
	struct err *e)
{
	const char *s = "";
	if (!json_member_str_opt(o, key, size - 1, &s, e))
		return false;
	fmt(out, size, "%s", s);
	return true;
}

static bool decode(const json_t *o, struct client_record *r, struct err *e)
{
	uint64_t status = 0;
	r->exited = json_object_get(o, "status");
	bool ok = json_member_u64_opt(o, "status", 0, UINT8_MAX, &status, e);
	r->status = (uint8_t)status;
	return ok && copy(o, "id", r->id, sizeof r->id, e) &&
		copy(o, "tee", r->tee, sizeof r->tee, e) &&
		copy(o, "host", r->host, sizeof r->host, e) &&
		copy(o, "host_ca", r->host_ca, sizeof r->host_ca, e) &&
		copy(o, "token_file", r->token_file, sizeof r->token_file, e) &&
		copy(o, "program", r->program, sizeof r->program, e) &&
		copy(o, "measurement", r->measurement, sizeof r->measurement,
			e) &&
		json_member_hex(o, "spki_hash", r->spki_hash,
			sizeof r->spki_hash, e) &&
		json_member_bool_opt(o, "software", &r->software, e) &&
		json_member_u64_opt(o, "created", 0, INT64_MAX, &r->created, e);
}

static bool load(const char *id, struct client_record *out, struct err *e)
{
	char path[CLIENT_PATH_MAX];
	auto_buf text = { 0 };
	struct client_record r = { 0 };
	json_t *o;
	if (!client_record_path(id, ".json", path, e) ||
		!repository_read_file(path, MAX_FILE, &text, e))
		return false;
	if (!json_parse(buf_bytes(&text), MAX_FILE, &o, e))
		return err_wrap(e, "%s", path);
	bool ok = decode(o, &r, e);
	json_decref(o);
	if (!ok)
		return err_wrap(e, "%s", path);
	if (strcmp(r.id, id) != 0)
		return err_fail(e, ERR_INPUT, "%s: of another Keep", path);
	*out = r;
	return true;
}

/* An entry's id, if it is a record's name: 32 digits and ".json". */
static bool entry_id(const struct dirent *d, char id[ID + 1])
{
	if (strlen(d->d_name) != ID + 5 || !is_id(d->d_name, ID) ||
		strcmp(d->d_name + ID, ".json") != 0)
		return false;
	memcpy(id, d->d_name, ID);
	id[ID] = '\0';
	return true;
}

/* The one id that begins so; how many there are. */
static size_t complete(const char *prefix, char id[ID + 1])
{
	char dir[CLIENT_PATH_MAX], one[ID + 1];
	size_t found = 0;
	DIR *d = client_path_keeps(dir, NULL) ? opendir(dir) : NULL;
	if (!d)
		return 0;
	for (const struct dirent *n; (n = readdir(d));)
		if (entry_id(n, one) && !strncmp(one, prefix, strlen(prefix))) {
			memcpy(id, one, sizeof one);
			found++;
		}
	closedir(d);
	return found;
}

bool client_record_find(const char *id, struct client_record *out,
	struct err *e)
{
	char whole[ID + 1];
	size_t len = strlen(id);
	if (len < SHORTEST || len > ID || !is_id(id, len))
		return err_fail(e, ERR_INPUT,
			"%s: want a Keep's id, or its first digits (see "
			"donjon ps)",
			id);
	size_t found = complete(id, whole);
	if (!found)
		return err_fail(e, ERR_INPUT,
			"%s: no such Keep of yours is known on this machine",
			id);
	if (found > 1)
		return err_fail(e, ERR_INPUT, "%s: %zu Keeps begin so", id,
			found);
	return load(whole, out, e);
}

void client_record_exit(const char *id, uint8_t status)
{
	struct client_record r;
	if (!client_record_find(id, &r, NULL) || strcmp(r.id, id) != 0)
		return;
	r.exited = true;
	r.status = status;
	if (!client_record_save(&r, NULL))
		return; /* it is asked again, as long as it is there */
}

void client_record_forget(const char *id)
{
	static const char *const suffixes[] = { ".json", ".receipt" };
	char path[CLIENT_PATH_MAX];
	for (size_t i = 0; is_id(id, strlen(id)) && i < ARRAY_LEN(suffixes);
		i++)
		if (client_record_path(id, suffixes[i], path, NULL))
			unlink(path);
}

static int by_age(const void *a, const void *b)
{
	const struct client_record *x = a, *y = b;
	return (x->created > y->created) - (x->created < y->created);
}

static bool read_list(DIR *d, struct client_record **out, size_t *count,
	struct err *e)
{
	char id[ID + 1];
	struct client_record *list = NULL;
	size_t n = 0;
	for (const struct dirent *entry; (entry = readdir(d));) {
		struct client_record r;
		if (n == MAX_RECORDS || !entry_id(entry, id) ||
			!load(id, &r, NULL))
			continue;
		struct client_record *p = realloc(list, (n + 1) * sizeof *p);
		if (!p) {
			free(list);
			return err_fail(e, ERR_LIMIT, "no memory");
		}
		list = p;
		list[n++] = r;
	}
	if (n)
		qsort(list, n, sizeof *list, by_age);
	*out = list;
	*count = n;
	return true;
}

bool client_record_list(struct client_record **out, size_t *count,
	struct err *e)
{
	char dir[CLIENT_PATH_MAX];
	*out = NULL;
	*count = 0;
	if (!client_path_keeps(dir, e))
		return false;
	DIR *d = opendir(dir);
	if (!d && errno == ENOENT)
		return true;
	if (!d)
		return err_fail(e, ERR_HOST, "%s: %s", dir, strerror(errno));
	bool ok = read_list(d, out, count, e);
	closedir(d);
	return ok;
}
