/* SPDX-License-Identifier: Apache-2.0 */
#include "hal/aesm.h"

#include <endian.h>

#include "aesm.pb-c.h"
#include "base/cleanup.h"
#include "base/fmt.h"
#include "hal/service.h"

enum {
	TIMEOUT_US = 10000000, /* the daemon's own */
	WAIT_S = 20,
	ANSWER_MAX = 128 << 10,
	KEYS_MAX = 16,
	/* sgx_ql_att_key_id_t: the algorithm; its number of ECDSA P-256. */
	ALGORITHM_AT = 154,
	ECDSA_P256 = 2,
	TARGET_BYTES = 512,
	REPORT_BYTES = 432,
};

/* --- messages --------------------------------------------------------------
 */

static const struct service aesm = { "AESM", WAIT_S };

static bool put(int fd, const Aesm__Request *r, struct err *e)
{
	auto_buf out = { .len = 0 };
	size_t n = aesm__request__get_packed_size(r);
	uint8_t *to = buf_reserve(&out, n);
	uint32_t len = htole32((uint32_t)n);
	if (!to)
		return err_fail(e, ERR_LIMIT, "AESM: no memory");
	aesm__request__pack(r, to);
	return service_send(&aesm, fd, bytes_of(&len, sizeof len), e) &&
		service_send(&aesm, fd, bytes_of(to, n), e);
}

/* The caller frees it. */
static bool take(int fd, Aesm__Response **out, struct err *e)
{
	auto_buf in = { .len = 0 };
	uint32_t len = 0;
	if (!service_recv(&aesm, fd, (uint8_t *)&len, sizeof len, e))
		return false;
	len = le32toh(len);
	if (len == 0 || len > ANSWER_MAX)
		return err_fail(e, ERR_HOST, "AESM: an answer of %u bytes",
			len);
	uint8_t *to = buf_reserve(&in, len);
	if (!to)
		return err_fail(e, ERR_LIMIT, "AESM: no memory");
	if (!service_recv(&aesm, fd, to, len, e))
		return false;
	*out = aesm__response__unpack(NULL, len, to);
	return *out || err_fail(e, ERR_HOST, "AESM: an answer that is none");
}

static bool ask(const char *path, const Aesm__Request *r, Aesm__Response **out,
	struct err *e)
{
	auto_fd fd = -1;
	return service_open(&aesm, path, &fd, e) && put(fd, r, e) &&
		take(fd, out, e);
}

/* aesm_error.h, as far as somebody can do something about it. */
static const char *reason(uint32_t error)
{
	switch (error) {
	case 12:
	case 13:
		return ": it can't reach the certificates' service (PCCS)";
	case 16:
	case 44:
		return ": the platform has no PCK certificate: register it";
	case 28:
		return ": it has no enclave memory left";
	case 38:
	case 42:
		return ": install libsgx-quote-ex and restart aesmd";
	default:
		return "";
	}
}

/* there: it answered what it was asked. */
static bool judge(const char *what, bool there, uint32_t error, struct err *e)
{
	if (!there)
		return err_fail(e, ERR_HOST, "AESM: %s: another answer", what);
	return error == 0 ||
		err_fail(e, ERR_HOST, "AESM: %s: error %u%s", what, error,
			reason(error));
}

/* --- which key -------------------------------------------------------------
 */

static bool count_keys(const char *path, uint32_t *count, struct err *e)
{
	Aesm__Request r = AESM__REQUEST__INIT;
	Aesm__Request__KeyCount q = AESM__REQUEST__KEY_COUNT__INIT;
	Aesm__Response *a;
	q.has_timeout = true;
	q.timeout = TIMEOUT_US;
	r.key_count = &q;
	if (!ask(path, &r, &a, e))
		return false;
	bool ok = judge("keys", a->key_count,
		a->key_count ? a->key_count->error : 0, e);
	*count = ok ? a->key_count->count : 0;
	aesm__response__free_unpacked(a, NULL);
	if (ok && (*count == 0 || *count > KEYS_MAX))
		return err_fail(e, ERR_HOST, "AESM: %u keys", *count);
	return ok;
}

static bool pick(const ProtobufCBinaryData *ids, uint32_t count,
	uint8_t out[AESM_KEY_ID_BYTES], struct err *e)
{
	if (ids->len != (size_t)count * AESM_KEY_ID_BYTES)
		return err_fail(e, ERR_HOST, "AESM: %zu bytes for %u keys",
			ids->len, count);
	for (uint32_t i = 0; i < count; i++) {
		const uint8_t *id = ids->data + (size_t)i * AESM_KEY_ID_BYTES;
		uint32_t algorithm;
		memcpy(&algorithm, id + ALGORITHM_AT, sizeof algorithm);
		if (le32toh(algorithm) != ECDSA_P256)
			continue;
		memcpy(out, id, AESM_KEY_ID_BYTES);
		return true;
	}
	return err_fail(e, ERR_HOST,
		"AESM: no ECDSA key: install libsgx-aesm-ecdsa-plugin and "
		"libsgx-aesm-quote-ex-plugin");
}

static bool choose_key(const char *path, struct aesm *m, struct err *e)
{
	Aesm__Request r = AESM__REQUEST__INIT;
	Aesm__Request__Keys q = AESM__REQUEST__KEYS__INIT;
	Aesm__Response *a;
	uint32_t count;
	if (!count_keys(path, &count, e))
		return false;
	q.buffer = count * AESM_KEY_ID_BYTES;
	q.has_timeout = true;
	q.timeout = TIMEOUT_US;
	r.keys = &q;
	if (!ask(path, &r, &a, e))
		return false;
	bool ok = judge("keys", a->keys, a->keys ? a->keys->error : 0, e) &&
		pick(&a->keys->ids, count, m->key_id, e);
	aesm__response__free_unpacked(a, NULL);
	return ok;
}

/* --- the target, the quote ---------------------------------------------------
 */

/* bytes: of the key's digest, which has to be asked for first. */
static bool init_quote(const char *path, struct aesm *m, uint64_t *bytes,
	uint8_t target[TARGET_BYTES], struct err *e)
{
	Aesm__Request r = AESM__REQUEST__INIT;
	Aesm__Request__InitQuote q = AESM__REQUEST__INIT_QUOTE__INIT;
	Aesm__Response *a;
	q.has_key_id = q.has_timeout = true;
	q.key_id = (ProtobufCBinaryData){ sizeof m->key_id, m->key_id };
	q.timeout = TIMEOUT_US;
	q.with_key = target != NULL;
	q.has_buffer = target != NULL;
	q.buffer = *bytes;
	r.init_quote = &q;
	if (!ask(path, &r, &a, e))
		return false;
	const Aesm__Response__InitQuote *s = a->init_quote;
	bool ok = judge("target", s, s ? s->error : 0, e);
	if (ok && target && s->target.len != TARGET_BYTES)
		ok = err_fail(e, ERR_HOST, "AESM: a target of %zu bytes",
			s->target.len);
	if (ok && target)
		memcpy(target, s->target.data, TARGET_BYTES);
	*bytes = ok ? s->key_bytes : 0;
	aesm__response__free_unpacked(a, NULL);
	return ok;
}

static bool size_quote(const char *path, struct aesm *m, struct err *e)
{
	Aesm__Request r = AESM__REQUEST__INIT;
	Aesm__Request__QuoteSize q = AESM__REQUEST__QUOTE_SIZE__INIT;
	Aesm__Response *a;
	q.has_key_id = q.has_timeout = true;
	q.key_id = (ProtobufCBinaryData){ sizeof m->key_id, m->key_id };
	q.timeout = TIMEOUT_US;
	r.quote_size = &q;
	if (!ask(path, &r, &a, e))
		return false;
	const Aesm__Response__QuoteSize *s = a->quote_size;
	bool ok = judge("quote's size", s, s ? s->error : 0, e);
	m->quote_bytes = ok ? s->bytes : 0;
	aesm__response__free_unpacked(a, NULL);
	if (ok && (m->quote_bytes == 0 || m->quote_bytes > AESM_QUOTE_MAX))
		return err_fail(e, ERR_HOST, "AESM: a quote of %u bytes",
			m->quote_bytes);
	return ok;
}

bool aesm_probe(const char *path, struct err *e)
{
	auto_fd fd = -1;
	return service_open(&aesm, path, &fd, e);
}

bool aesm_open(const char *path, struct aesm *a, uint8_t target[512],
	struct err *e)
{
	struct aesm m = { .quote = -1 };
	uint64_t bytes = 0;
	if (!choose_key(path, &m, e) || !init_quote(path, &m, &bytes, NULL, e))
		return false;
	if (bytes > ANSWER_MAX)
		return err_fail(e, ERR_HOST, "AESM: a key of %llu bytes",
			(unsigned long long)bytes);
	if (!init_quote(path, &m, &bytes, target, e) ||
		!size_quote(path, &m, e) ||
		!service_open(&aesm, path, &m.quote, e))
		return false;
	*a = m;
	return true;
}

bool aesm_quote(struct aesm *m, struct bytes report, struct buf *quote,
	struct err *e)
{
	Aesm__Request r = AESM__REQUEST__INIT;
	Aesm__Request__Quote q = AESM__REQUEST__QUOTE__INIT;
	Aesm__Response *a;
	uint8_t copy[REPORT_BYTES];
	auto_fd fd = fd_move(&m->quote);
	if (fd < 0 || report.len != sizeof copy)
		return err_fail(e, ERR_INPUT, "AESM: no report, or a second");
	memcpy(copy, report.ptr, sizeof copy);
	q.report = (ProtobufCBinaryData){ sizeof copy, copy };
	q.has_key_id = q.has_timeout = true;
	q.key_id = (ProtobufCBinaryData){ sizeof m->key_id, m->key_id };
	q.timeout = TIMEOUT_US;
	q.buffer = m->quote_bytes;
	r.quote = &q;
	if (!put(fd, &r, e) || !take(fd, &a, e))
		return false;
	const Aesm__Response__Quote *s = a->quote;
	bool ok = judge("quote", s, s ? s->error : 0, e);
	if (ok && (s->quote.len == 0 || s->quote.len > m->quote_bytes))
		ok = err_fail(e, ERR_HOST, "AESM: a quote of %zu bytes of %u",
			s->quote.len, m->quote_bytes);
	ok = ok &&
		(buf_put(quote, bytes_of(s->quote.data, s->quote.len)) ||
			err_fail(e, ERR_LIMIT, "AESM: no memory"));
	aesm__response__free_unpacked(a, NULL);
	return ok;
}

void aesm_close(struct aesm *a)
{
	cleanup_fd(&a->quote);
}
