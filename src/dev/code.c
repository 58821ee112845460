/* SPDX-License-Identifier: Apache-2.0 */
/* Machine code for people: disassembled, or named for perf. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "dev/dev.h"

/* --- disassembly ------------------------------------------------------------
 */

static bool write_code(struct bytes code, char *path)
{
	auto_fd fd = mkstemp(path);
	size_t at = 0;
	while (fd >= 0 && at < code.len) {
		ssize_t n = write(fd, code.ptr + at, code.len - at);
		if (n <= 0)
			return false;
		at += (size_t)n;
	}
	return fd >= 0;
}

/* A line of objdump's: "  40:\t48 89 c8 \tmov    rax,rcx". */
static void keep_line(struct dev_code *d, const char *text, uint32_t base)
{
	char *end;
	uint64_t at = strtoull(text, &end, 16);
	size_t len = strcspn(text, "\n");
	if (end == text || *end != ':' || at < base ||
		at - base >= d->func.len || d->lines[at - base])
		return;
	d->lines[at - base] = strndup(text, len);
}

static void disassemble(struct dev_code *d, uint32_t base)
{
	char path[] = "/tmp/donjon-wasm.XXXXXX", command[160], line[256];
	bool written = write_code(d->func, path);
	snprintf(command, sizeof command,
		"exec objdump -D -b binary -m i386:x86-64 -M intel "
		"--adjust-vma=%" PRIu32 " %s 2>/dev/null",
		base, path);
	FILE *f = written ? popen(command, "re") : NULL;
	while (f && fgets(line, sizeof line, f))
		keep_line(d, line, base);
	if (f)
		pclose(f);
	if (written)
		unlink(path);
}

static void forget(struct dev_code *d)
{
	for (size_t k = 0; d->lines && k < d->func.len; k++)
		free(d->lines[k]);
	free(d->lines);
	d->lines = NULL;
	d->func = BYTES_NONE;
}

static void put_bytes(struct bytes code, uint32_t base, uint32_t from,
	uint32_t to)
{
	while (from < to) {
		fprintf(stderr, "%8x:\t", base + from);
		for (int k = 0; k < 16 && from < to; k++)
			fprintf(stderr, "%02x ", code.ptr[from++]);
		fprintf(stderr, "\n");
	}
}

static void put_code(void *ctx, struct bytes func, uint32_t base, uint32_t from,
	uint32_t to)
{
	struct dev_code *d = ctx;
	if (d->func.ptr != func.ptr || d->func.len != func.len || !from) {
		forget(d);
		d->lines = calloc(func.len + 1, sizeof *d->lines);
		d->func = func;
		if (d->lines)
			disassemble(d, base);
	}
	/* Where there is no disassembler, or it lost its way. */
	if (!d->lines || !d->lines[from]) {
		put_bytes(func, base, from, to);
		return;
	}
	for (; from < to; from++)
		if (d->lines[from])
			fprintf(stderr, "%s\n", d->lines[from]);
}

static void put_line(void *ctx UNUSED, const char *text)
{
	fprintf(stderr, "%s\n", text);
}

/* --- names for perf
 * -----------------------------------------------------------
 */

static void name_code(void *ctx, const struct wasm_module *m, uint32_t func,
	const void *at, size_t len)
{
	struct dev_code *d = ctx;
	char name[128] = "donjon stubs";
	if (func != UINT32_MAX)
		wasm_module_func_name(m, func, name, sizeof name);
	name[strcspn(name, "\r\n")] = 0;
	fprintf(d->map, "%" PRIxPTR " %zx %s\n", (uintptr_t)at, len, name);
	fflush(d->map);
}

bool dev_code_init(struct dev_code *d, uint32_t dump, bool perf, struct err *e)
{
	char path[64];
	*d = (struct dev_code){ .watch = { .dump = dump,
					.text = put_line,
					.code = put_code,
					.ctx = d } };
	if (!perf)
		return true;
	/* Where perf looks for it, when it reports. */
	snprintf(path, sizeof path, "/tmp/perf-%ld.map", (long)getpid());
	d->map = fopen(path, "wex");
	d->watch.made = name_code;
	return d->map || err_fail(e, ERR_HOST, "%s can't be made", path);
}

void dev_code_fini(struct dev_code *d)
{
	forget(d);
	if (d->map)
		fclose(d->map);
	d->map = NULL;
}
