/* SPDX-License-Identifier: Apache-2.0 */
/* Payloads: encoders, and parsers for hostile bytes. */
#include "channel/frame.h"

bool frame_hello_encode(enum frame_role role, struct buf *out)
{
	buf_u32le(out, FRAME_VERSION);
	buf_u32le(out, role);
	buf_u64le(out, 0);
	return buf_ok(out);
}

bool frame_hello_parse(struct bytes in, enum frame_role *role, struct err *e)
{
	struct reader r = { .in = in };
	uint32_t version = reader_u32le(&r);
	uint32_t said = reader_u32le(&r);
	uint64_t reserved = reader_u64le(&r);
	if (!reader_done(&r))
		return err_fail(e, ERR_INPUT, "frame HELLO: length %zu",
			in.len);
	if (version != FRAME_VERSION)
		return err_fail(e, ERR_INPUT,
			"frame HELLO: peer speaks version %u, we speak %u",
			version, FRAME_VERSION);
	if (said >= FRAME_ROLE_COUNT)
		return err_fail(e, ERR_INPUT, "frame HELLO: unknown role %u",
			said);
	if (reserved)
		return err_fail(e, ERR_INPUT, "frame HELLO: reserved bits set");
	*role = (enum frame_role)said;
	return true;
}

/* --- FILE, MODULE ------------------------------------------------------- */

static bool has_nul(struct bytes s)
{
	return s.len && memchr(s.ptr, 0, s.len);
}

static bool component_ok(struct bytes s)
{
	return s.len && !bytes_equal(s, BYTES_LIT(".")) &&
		!bytes_equal(s, BYTES_LIT(".."));
}

/* Whoever unpacks it below a folder stays below it. */
static bool path_ok(struct bytes p)
{
	if (!p.len || p.len > FRAME_MAX_PATH || has_nul(p))
		return false;
	while (true) {
		const uint8_t *slash = memchr(p.ptr, '/', p.len);
		size_t n = slash ? (size_t)(slash - p.ptr) : p.len;
		if (!component_ok(bytes_of(p.ptr, n)))
			return false;
		if (!slash)
			return true;
		p = bytes_from(p, n + 1);
	}
}

bool frame_file_encode(const struct frame_file *f, struct buf *out)
{
	if (!path_ok(f->path) || f->mount >= FRAME_MAX_MOUNTS ||
		(f->directory && (f->size || f->secret)))
		return false;
	buf_u32le(out, f->mount);
	buf_u32le(out,
		(f->directory ? FRAME_MODE_DIRECTORY : 0) |
			(f->secret ? FRAME_MODE_SECRET : 0));
	buf_u64le(out, f->mtime_ns);
	buf_u64le(out, f->size);
	buf_put(out, BYTES_ARRAY(f->sha256));
	buf_u16le(out, (uint16_t)f->path.len);
	buf_put(out, f->path);
	return buf_ok(out);
}

bool frame_file_parse(struct bytes in, struct frame_file *out, struct err *e)
{
	struct reader r = { .in = in };
	struct frame_file f = { .mount = reader_u32le(&r) };
	uint32_t mode = reader_u32le(&r);
	f.mtime_ns = reader_u64le(&r);
	f.size = reader_u64le(&r);
	reader_copy(&r, f.sha256, sizeof f.sha256);
	f.path = reader_take(&r, reader_u16le(&r));
	f.directory = mode & FRAME_MODE_DIRECTORY;
	f.secret = mode & FRAME_MODE_SECRET;
	if (!reader_done(&r))
		return err_fail(e, ERR_INPUT, "frame FILE: length %zu", in.len);
	if (f.mount >= FRAME_MAX_MOUNTS)
		return err_fail(e, ERR_INPUT, "frame FILE: mount %u", f.mount);
	if (mode & ~(FRAME_MODE_DIRECTORY | FRAME_MODE_SECRET) ||
		(f.directory && f.secret))
		return err_fail(e, ERR_INPUT, "frame FILE: mode 0x%x", mode);
	if (f.directory && f.size)
		return err_fail(e, ERR_INPUT,
			"frame FILE: directory with a size");
	if (!path_ok(f.path))
		return err_fail(e, ERR_INPUT, "frame FILE: path");
	*out = f;
	return true;
}

bool frame_module_encode(const struct frame_module *m, struct buf *out)
{
	buf_u64le(out, m->size);
	buf_put(out, BYTES_ARRAY(m->sha256));
	return buf_ok(out);
}

bool frame_module_parse(struct bytes in, struct frame_module *out,
	struct err *e)
{
	struct reader r = { .in = in };
	struct frame_module m = { .size = reader_u64le(&r) };
	reader_copy(&r, m.sha256, sizeof m.sha256);
	if (!reader_done(&r))
		return err_fail(e, ERR_INPUT, "frame MODULE: length %zu",
			in.len);
	*out = m;
	return true;
}

bool frame_trust_encode(const struct frame_trust *t, struct buf *out)
{
	if (t->size > FRAME_MAX_TRUST || t->profile >= FRAME_MAX_PROFILES)
		return false;
	buf_u64le(out, t->size);
	buf_put(out, BYTES_ARRAY(t->sha256));
	buf_u32le(out, t->profile);
	return buf_ok(out);
}

bool frame_trust_parse(struct bytes in, struct frame_trust *out, struct err *e)
{
	struct reader r = { .in = in };
	struct frame_trust t = { .size = reader_u64le(&r) };
	reader_copy(&r, t.sha256, sizeof t.sha256);
	t.profile = reader_u32le(&r);
	if (!reader_done(&r))
		return err_fail(e, ERR_INPUT, "frame TRUST: length %zu",
			in.len);
	if (t.size > FRAME_MAX_TRUST)
		return err_fail(e, ERR_LIMIT, "frame TRUST: %llu bytes",
			(unsigned long long)t.size);
	if (t.profile >= FRAME_MAX_PROFILES)
		return err_fail(e, ERR_INPUT, "frame TRUST: profile %u",
			t.profile);
	*out = t;
	return true;
}

bool frame_package_encode(const struct frame_package *p, struct buf *out)
{
	buf_u32le(out, p->part);
	buf_u64le(out, p->size);
	buf_put(out, BYTES_ARRAY(p->sha256));
	return buf_ok(out);
}

bool frame_package_parse(struct bytes in, struct frame_package *out,
	struct err *e)
{
	struct reader r = { .in = in };
	struct frame_package p = { .part = reader_u32le(&r) };
	p.size = reader_u64le(&r);
	reader_copy(&r, p.sha256, sizeof p.sha256);
	if (!reader_done(&r))
		return err_fail(e, ERR_INPUT, "frame PACKAGE: length %zu",
			in.len);
	if (p.part < FRAME_PART_MANIFEST || p.part > FRAME_PART_POLICY)
		return err_fail(e, ERR_INPUT, "frame PACKAGE: part %u", p.part);
	if (p.size > FRAME_PART_MAX)
		return err_fail(e, ERR_LIMIT, "frame PACKAGE: %llu bytes",
			(unsigned long long)p.size);
	*out = p;
	return true;
}

bool frame_receipt_encode(const struct frame_receipt *r, struct buf *out)
{
	if (r->statement.len > UINT16_MAX || r->signature.len > UINT16_MAX)
		return false;
	buf_u16le(out, (uint16_t)r->statement.len);
	buf_put(out, r->statement);
	buf_u16le(out, (uint16_t)r->signature.len);
	buf_put(out, r->signature);
	return buf_ok(out);
}

bool frame_receipt_parse(struct bytes in, struct frame_receipt *out,
	struct err *e)
{
	struct reader r = { .in = in };
	struct frame_receipt x;
	x.statement = reader_take(&r, reader_u16le(&r));
	x.signature = reader_take(&r, reader_u16le(&r));
	if (!reader_done(&r))
		return err_fail(e, ERR_INPUT, "frame RECEIPT: length %zu",
			in.len);
	*out = x;
	return true;
}

/* --- EXIT, STATUS, ERROR ------------------------------------------------ */

/* People read it on a terminal: nothing there may move a cursor. */
static void copy_text(char *to, struct bytes from, bool lines)
{
	for (size_t i = 0; i < from.len; i++) {
		uint8_t c = from.ptr[i];
		bool fine = (c >= 0x20 && c < 0x7f) ||
			(lines && (c == '\n' || c == '\t'));
		to[i] = fine ? (char)c : '?';
	}
	to[from.len] = 0;
}

bool frame_exit_encode(const struct frame_exit *x, struct buf *out)
{
	size_t n = strnlen(x->text, FRAME_EXIT_TEXT_MAX);
	buf_u32le(out, x->status);
	buf_u32le(out, x->end);
	buf_u64le(out, x->run_ns);
	buf_u64le(out, x->memory_peak);
	buf_u64le(out, x->stdin_bytes);
	buf_u64le(out, x->stdout_bytes);
	buf_u64le(out, x->stderr_bytes);
	buf_u16le(out, (uint16_t)n);
	buf_put(out, bytes_of(x->text, n));
	return buf_ok(out);
}

bool frame_exit_parse(struct bytes in, struct frame_exit *out, struct err *e)
{
	struct reader r = { .in = in };
	struct frame_exit x = { .status = reader_u32le(&r) };
	x.end = reader_u32le(&r);
	x.run_ns = reader_u64le(&r);
	x.memory_peak = reader_u64le(&r);
	x.stdin_bytes = reader_u64le(&r);
	x.stdout_bytes = reader_u64le(&r);
	x.stderr_bytes = reader_u64le(&r);
	struct bytes text = reader_take(&r, reader_u16le(&r));
	if (!reader_done(&r))
		return err_fail(e, ERR_INPUT, "frame EXIT: length %zu", in.len);
	if (x.end >= FRAME_END_COUNT)
		return err_fail(e, ERR_INPUT, "frame EXIT: end %u", x.end);
	if (text.len > FRAME_EXIT_TEXT_MAX)
		return err_fail(e, ERR_INPUT, "frame EXIT: text of %zu bytes",
			text.len);
	copy_text(x.text, text, true);
	*out = x;
	return true;
}

bool frame_status_encode(const struct frame_status *s, struct buf *out)
{
	buf_u32le(out, s->state);
	buf_u32le(out, s->status);
	buf_u64le(out, s->run_ns);
	buf_u64le(out, s->log_first);
	buf_u64le(out, s->log_end);
	return buf_ok(out);
}

bool frame_status_parse(struct bytes in, struct frame_status *out,
	struct err *e)
{
	struct reader r = { .in = in };
	struct frame_status s = { .state = reader_u32le(&r) };
	s.status = reader_u32le(&r);
	s.run_ns = reader_u64le(&r);
	s.log_first = reader_u64le(&r);
	s.log_end = reader_u64le(&r);
	if (!reader_done(&r))
		return err_fail(e, ERR_INPUT, "frame STATUS: length %zu",
			in.len);
	if (s.state > FRAME_RUN_ENDED)
		return err_fail(e, ERR_INPUT, "frame STATUS: state %u",
			s.state);
	if (s.log_first > s.log_end)
		return err_fail(e, ERR_INPUT, "frame STATUS: log offsets");
	*out = s;
	return true;
}

bool frame_error_encode(enum err_kind kind, const char *text, struct buf *out)
{
	if (kind <= ERR_NONE || kind > ERR_LIMIT)
		kind = ERR_HOST;
	buf_u8(out, (uint8_t)kind);
	buf_put(out, bytes_of(text, strnlen(text, FRAME_ERROR_TEXT_MAX)));
	return buf_ok(out);
}

bool frame_error_parse(struct bytes in, struct err *what, struct err *e)
{
	struct reader r = { .in = in };
	unsigned kind = reader_u8(&r);
	struct bytes text = reader_take(&r, reader_left(&r));
	if (!reader_done(&r) || text.len > FRAME_ERROR_TEXT_MAX)
		return err_fail(e, ERR_INPUT, "frame ERROR: length %zu",
			in.len);
	if (kind == ERR_NONE || kind > ERR_LIMIT)
		return err_fail(e, ERR_INPUT, "frame ERROR: kind %u", kind);
	struct err w = { .kind = (enum err_kind)kind };
	copy_text(w.text, text, false);
	*what = w;
	return true;
}
