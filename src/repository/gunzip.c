/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#include "base/file.h"
#include "repository/package.h"

enum { BLOCK = 64 << 10, GZIP_ONLY = 16 + MAX_WBITS };

/* What is packed tighter than anybody's files is a bomb. */
#define RATIO_MAX   100
#define ALWAYS_FINE (UINT64_C(64) << 20)

struct gunzip {
	z_stream z;
	const struct repository_source *in;
	uint64_t at, size, max;
	int out;
	uint8_t *from, *to;
};

static bool refill(struct gunzip *g, struct err *e)
{
	uint64_t left = g->in->size - g->at;
	size_t n = left < BLOCK ? (size_t)left : BLOCK;
	if (g->z.avail_in)
		return true;
	if (!n)
		return err_fail(e, ERR_INPUT, "gzip: cut short");
	if (!repository_source_read(g->in, g->at, g->from, n, e))
		return false;
	g->at += n;
	g->z.next_in = g->from;
	g->z.avail_in = (uInt)n;
	return true;
}

/* One block out; *end: that was all. */
static bool step(struct gunzip *g, bool *end, struct err *e)
{
	if (!refill(g, e))
		return false;
	g->z.next_out = g->to;
	g->z.avail_out = BLOCK;
	int code = inflate(&g->z, Z_NO_FLUSH);
	if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
		return err_fail(e, ERR_INPUT, "gzip: cannot be unpacked");
	size_t n = BLOCK - g->z.avail_out;
	g->size += n;
	if (g->size > g->max)
		return err_fail(e, ERR_LIMIT,
			"gzip: more than %llu bytes when unpacked",
			(unsigned long long)g->max);
	*end = code == Z_STREAM_END;
	return file_write(g->out, bytes_of(g->to, n)) ||
		err_fail(e, ERR_HOST, "write: %s", strerror(errno));
}

static bool run(struct gunzip *g, struct err *e)
{
	bool end = false;
	while (!end)
		if (!step(g, &end, e))
			return false;
	if (g->z.avail_in || g->at < g->in->size)
		return err_fail(e, ERR_INPUT, "gzip: bytes behind its end");
	return true;
}

static uint64_t limit(uint64_t packed, uint64_t max)
{
	uint64_t fine = packed > max / RATIO_MAX ? max : packed * RATIO_MAX;
	if (fine < ALWAYS_FINE)
		fine = ALWAYS_FINE;
	return fine < max ? fine : max;
}

bool repository_gunzip(const struct repository_source *in, int out,
	uint64_t max, uint64_t *size, struct err *e)
{
	struct gunzip g = { .in = in,
		.out = out,
		.max = limit(in->size, max),
		.from = malloc(BLOCK),
		.to = malloc(BLOCK) };
	bool ok = g.from && g.to && inflateInit2(&g.z, GZIP_ONLY) == Z_OK;
	if (!ok) {
		err_put(e, ERR_LIMIT, "no memory");
	} else {
		ok = run(&g, e);
		inflateEnd(&g.z);
	}
	free(g.from);
	free(g.to);
	*size = g.size;
	return ok;
}
