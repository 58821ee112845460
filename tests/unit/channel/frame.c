/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/frame.h"

#include <stdio.h>
#include <stdlib.h>

#include "../test.h"

/* --- heads -------------------------------------------------------------- */

TEST(a_head_comes_back_for_every_type_and_length_it_may_have)
{
	for (unsigned type = 1; type < FRAME_TYPE_COUNT; type++)
		for (size_t len = 0; len <= FRAME_MAX_PAYLOAD; len++) {
			uint8_t raw[FRAME_HEAD];
			unsigned t = 0;
			size_t n = 0;
			frame_head_put(raw, type, len);
			if (!frame_head_parse(BYTES_ARRAY(raw), &t, &n, NULL))
				continue;
			CHECK_INT(t, type);
			CHECK_INT(n, len);
		}
}

TEST(a_head_that_is_cut_or_longer_is_refused)
{
	static const uint8_t raw[] = { 7, 0, 0, 0, 0, 0, 0, 0, 0 };
	unsigned t;
	size_t n;
	struct err e;
	for (size_t i = 0; i < sizeof raw + 1; i++)
		CHECK(frame_head_parse(bytes_of(raw, i), &t, &n, &e) ==
			(i == FRAME_HEAD));
}

static const struct {
	unsigned type;
	size_t min, max;
} lengths[] = {
	{ FRAME_HELLO, 16, 16 },
	{ FRAME_CONFIG, 1, 0x20000 },
	{ FRAME_MODULE, 40, 40 },
	{ FRAME_FILE, 59, 4154 },
	{ FRAME_DATA, 1, 0x20000 },
	{ FRAME_TIME, 8, 8 },
	{ FRAME_START, 0, 0 },
	{ FRAME_STDIN, 0, 0x20000 },
	{ FRAME_STDOUT, 0, 0x20000 },
	{ FRAME_STDERR, 0, 0x20000 },
	{ FRAME_CREDIT, 4, 4 },
	{ FRAME_SIGNAL, 4, 4 },
	{ FRAME_EXIT, 50, 1073 },
	{ FRAME_ERROR, 1, 252 },
	{ FRAME_STATUS, 32, 32 },
	{ FRAME_LOGS, 8, 8 },
	{ FRAME_RESULTS_END, 0, 0 },
	{ FRAME_PACKAGE, 44, 44 },
	{ FRAME_RECEIPT, 6, 4096 },
	{ FRAME_TRUST, 44, 44 },
};

static bool head_ok(unsigned type, size_t len)
{
	uint8_t raw[FRAME_HEAD];
	unsigned t;
	size_t n;
	struct err e;
	frame_head_put(raw, type, len);
	return frame_head_parse(BYTES_ARRAY(raw), &t, &n, &e);
}

TEST(each_type_has_its_bounds_of_length)
{
	CHECK_INT(ARRAY_LEN(lengths), FRAME_TYPE_COUNT - 1);
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		unsigned t = lengths[i].type;
		CHECK(head_ok(t, lengths[i].min));
		CHECK(head_ok(t, lengths[i].max));
		CHECK(!head_ok(t, lengths[i].max + 1));
		CHECK(!head_ok(t, UINT32_MAX));
		if (lengths[i].min)
			CHECK(!head_ok(t, lengths[i].min - 1));
	}
	CHECK(!head_ok(0, 0));
	CHECK(!head_ok(FRAME_TYPE_COUNT, 0));
	CHECK(!head_ok(255, 0));
}

TEST(a_reserved_bit_anywhere_is_refused)
{
	for (size_t byte = 1; byte < 4; byte++)
		for (unsigned bit = 0; bit < 8; bit++) {
			uint8_t raw[FRAME_HEAD];
			unsigned t;
			size_t n;
			struct err e;
			frame_head_put(raw, FRAME_START, 0);
			raw[byte] = (uint8_t)(1u << bit);
			CHECK(!frame_head_parse(BYTES_ARRAY(raw), &t, &n, &e));
			CHECK_STR(e.text, "frame START: reserved bits set");
		}
}

/* --- conversations ------------------------------------------------------ */

/*
 * A word is a frame: side, type, and a number that becomes its payload:
 * HELLO's role, FILE's and MODULE's size, bytes of DATA and STDIN, CREDIT.
 */
struct word {
	char side; /* 'c' or 'k'; 0 ends the list */
	unsigned type;
	uint32_t n;
};

static uint8_t payload_space[FRAME_MAX_PAYLOAD];

static struct bytes payload_of(struct word w)
{
	static const uint8_t hash[32];
	struct buf b = { 0 };
	size_t n = w.n;
	switch (w.type) {
	case FRAME_HELLO:
		frame_hello_encode(w.n, &b);
		break;
	case FRAME_FILE:
		buf_u64le(&b, 0);
		buf_u64le(&b, 0);
		buf_u64le(&b, w.n);
		buf_put(&b, BYTES_ARRAY(hash));
		buf_u16le(&b, 1);
		buf_u8(&b, 'f');
		break;
	case FRAME_PACKAGE:
		buf_u32le(&b, FRAME_PART_TOML);
		FALLTHROUGH;
	case FRAME_MODULE:
	case FRAME_TRUST:
		buf_u64le(&b, w.n);
		buf_put(&b, BYTES_ARRAY(hash));
		if (w.type == FRAME_TRUST)
			buf_u32le(&b, 0);
		break;
	case FRAME_CREDIT:
	case FRAME_SIGNAL:
		buf_u32le(&b, w.n);
		break;
	case FRAME_DATA:
	case FRAME_STDIN:
	case FRAME_STDOUT:
	case FRAME_STDERR:
		return bytes_of(payload_space, n);
	default:
		for (size_t i = 0; i < ARRAY_LEN(lengths); i++)
			if (lengths[i].type == w.type)
				return bytes_of(payload_space, lengths[i].min);
		break;
	}
	CHECK(b.len <= sizeof payload_space && b.ptr);
	memcpy(payload_space, b.ptr, b.len);
	n = b.len;
	buf_fini(&b);
	return bytes_of(payload_space, n);
}

static bool step(struct frame_talk *t, struct word w, struct err *e)
{
	return frame_step(t,
		w.side == 'c' ? FRAME_FROM_CLIENT : FRAME_FROM_KEEP, w.type,
		payload_of(w), e);
}

enum {
	DEPLOY = FRAME_ROLE_DEPLOY,
	ATTACH = FRAME_ROLE_ATTACH,
	LOGS = FRAME_ROLE_LOGS,
	STOP = FRAME_ROLE_STOP,
	ASK = FRAME_ROLE_STATUS
};

static const struct word legal[][40] = {
	/* In the order that a patient client keeps. */
	{ { 'c', FRAME_HELLO, DEPLOY }, { 'k', FRAME_HELLO, 0 },
		{ 'c', FRAME_CONFIG, 0 }, { 'c', FRAME_TIME, 0 },
		{ 'c', FRAME_FILE, 10 }, { 'c', FRAME_DATA, 4 },
		{ 'c', FRAME_DATA, 6 }, { 'c', FRAME_FILE, 0 },
		{ 'c', FRAME_MODULE, 8 }, { 'c', FRAME_DATA, 8 },
		{ 'c', FRAME_START, 0 }, { 'k', FRAME_START, 0 },
		{ 'k', FRAME_CREDIT, 100 }, { 'c', FRAME_STDIN, 60 },
		{ 'k', FRAME_STDOUT, 5 }, { 'k', FRAME_STDERR, 5 },
		{ 'c', FRAME_STDIN, 40 }, { 'k', FRAME_CREDIT, 1 },
		{ 'c', FRAME_STDIN, 0 }, { 'c', FRAME_SIGNAL, 15 },
		{ 'k', FRAME_STDOUT, 0 }, { 'k', FRAME_EXIT, 0 } },
	/* All in one go, before the Keep said a word. */
	{ { 'c', FRAME_HELLO, DEPLOY }, { 'c', FRAME_TIME, 0 },
		{ 'c', FRAME_CONFIG, 0 }, { 'c', FRAME_MODULE, 1 },
		{ 'c', FRAME_DATA, 1 }, { 'c', FRAME_FILE, 1 },
		{ 'c', FRAME_DATA, 1 }, { 'c', FRAME_START, 0 },
		{ 'c', FRAME_SIGNAL, 2 }, { 'k', FRAME_HELLO, 0 },
		{ 'k', FRAME_START, 0 }, { 'k', FRAME_EXIT, 0 } },
	/* Refused as a workload. */
	{ { 'c', FRAME_HELLO, DEPLOY }, { 'k', FRAME_HELLO, 0 },
		{ 'c', FRAME_CONFIG, 0 }, { 'c', FRAME_MODULE, 0 },
		{ 'c', FRAME_START, 0 }, { 'k', FRAME_EXIT, 0 } },
	/* Results; what the client said crosses them. */
	{ { 'c', FRAME_HELLO, DEPLOY }, { 'k', FRAME_HELLO, 0 },
		{ 'c', FRAME_CONFIG, 0 }, { 'c', FRAME_MODULE, 0 },
		{ 'c', FRAME_START, 0 }, { 'k', FRAME_START, 0 },
		{ 'k', FRAME_CREDIT, 9 }, { 'k', FRAME_FILE, 7 },
		{ 'c', FRAME_STDIN, 4 }, { 'k', FRAME_DATA, 7 },
		{ 'k', FRAME_FILE, 0 }, { 'k', FRAME_FILE, 3 },
		{ 'k', FRAME_DATA, 2 }, { 'c', FRAME_SIGNAL, 2 },
		{ 'k', FRAME_DATA, 1 }, { 'k', FRAME_RESULTS_END, 0 },
		{ 'c', FRAME_STDIN, 5 }, { 'k', FRAME_EXIT, 0 },
		{ 'c', FRAME_STDIN, 0 }, { 'c', FRAME_SIGNAL, 15 } },
	/* Writable mounts without any file. */
	{ { 'c', FRAME_HELLO, DEPLOY }, { 'k', FRAME_HELLO, 0 },
		{ 'c', FRAME_CONFIG, 0 }, { 'c', FRAME_MODULE, 0 },
		{ 'c', FRAME_START, 0 }, { 'k', FRAME_START, 0 },
		{ 'k', FRAME_RESULTS_END, 0 }, { 'k', FRAME_EXIT, 0 } },
	/* With a receipt: behind the output, behind the results. */
	{ { 'c', FRAME_HELLO, DEPLOY }, { 'k', FRAME_HELLO, 0 },
		{ 'c', FRAME_CONFIG, 0 }, { 'c', FRAME_PACKAGE, 3 },
		{ 'c', FRAME_DATA, 3 }, { 'c', FRAME_PACKAGE, 0 },
		{ 'c', FRAME_MODULE, 0 }, { 'c', FRAME_START, 0 },
		{ 'k', FRAME_START, 0 }, { 'k', FRAME_STDOUT, 1 },
		{ 'k', FRAME_RECEIPT, 0 }, { 'k', FRAME_EXIT, 0 } },
	{ { 'c', FRAME_HELLO, DEPLOY }, { 'k', FRAME_HELLO, 0 },
		{ 'c', FRAME_CONFIG, 0 }, { 'c', FRAME_MODULE, 0 },
		{ 'c', FRAME_START, 0 }, { 'k', FRAME_START, 0 },
		{ 'k', FRAME_FILE, 1 }, { 'k', FRAME_DATA, 1 },
		{ 'k', FRAME_RESULTS_END, 0 }, { 'k', FRAME_RECEIPT, 0 },
		{ 'k', FRAME_EXIT, 0 } },
	{ { 'c', FRAME_HELLO, ATTACH }, { 'k', FRAME_HELLO, 0 },
		{ 'k', FRAME_STATUS, 0 }, { 'k', FRAME_STDOUT, 9 },
		{ 'k', FRAME_CREDIT, 5 }, { 'c', FRAME_STDIN, 5 },
		{ 'c', FRAME_SIGNAL, 100 }, { 'k', FRAME_STDERR, 1 } },
	{ { 'c', FRAME_HELLO, ATTACH }, { 'k', FRAME_HELLO, 0 },
		{ 'k', FRAME_STATUS, 0 }, { 'k', FRAME_FILE, 1 },
		{ 'c', FRAME_STDIN, 0 }, { 'k', FRAME_DATA, 1 },
		{ 'k', FRAME_RESULTS_END, 0 }, { 'k', FRAME_EXIT, 0 } },
	{ { 'c', FRAME_HELLO, LOGS }, { 'k', FRAME_HELLO, 0 },
		{ 'k', FRAME_STATUS, 0 }, { 'c', FRAME_LOGS, 0 },
		{ 'k', FRAME_STDOUT, 9 }, { 'k', FRAME_STDERR, 9 },
		{ 'k', FRAME_EXIT, 0 } },
	{ { 'c', FRAME_HELLO, LOGS }, { 'c', FRAME_LOGS, 0 },
		{ 'k', FRAME_HELLO, 0 }, { 'k', FRAME_STATUS, 0 },
		{ 'k', FRAME_EXIT, 0 } },
	{ { 'c', FRAME_HELLO, STOP }, { 'k', FRAME_HELLO, 0 },
		{ 'k', FRAME_STATUS, 0 }, { 'k', FRAME_RECEIPT, 0 },
		{ 'k', FRAME_EXIT, 0 } },
	{ { 'c', FRAME_HELLO, STOP }, { 'k', FRAME_HELLO, 0 },
		{ 'k', FRAME_STATUS, 0 }, { 'k', FRAME_EXIT, 0 } },
	{ { 'c', FRAME_HELLO, ASK }, { 'k', FRAME_HELLO, 0 },
		{ 'k', FRAME_STATUS, 0 } },
	/* ERROR at any time. */
	{ { 'k', FRAME_ERROR, 0 } },
	{ { 'c', FRAME_ERROR, 0 } },
	{ { 'c', FRAME_HELLO, STOP }, { 'k', FRAME_ERROR, 0 } },
};

TEST(every_legal_conversation_is_accepted_and_moves_on)
{
	for (size_t i = 0; i < ARRAY_LEN(legal); i++) {
		struct frame_talk t = { 0 };
		struct err e;
		for (const struct word *w = legal[i]; w->side; w++)
			if (!step(&t, *w, &e))
				fail_msg("conversation %zu, word %zu: %s", i,
					(size_t)(w - legal[i]), e.text);
	}
}

TEST(error_is_legal_from_both_after_each_word_and_ends_it)
{
	for (size_t i = 0; i < ARRAY_LEN(legal); i++) {
		struct frame_talk t = { 0 };
		struct err e;
		bool keep_over = false;
		for (const struct word *w = legal[i]; w->side; w++) {
			CHECK(step(&t, *w, &e));
			if (w->type == FRAME_ERROR)
				break;
			if (w->type == FRAME_EXIT)
				keep_over = true;
			if (w->type == FRAME_STATUS && legal[i]->n == ASK)
				keep_over = true;
			for (int side = 0; side < 2; side++) {
				struct frame_talk u = t;
				struct word err = { side ? 'c' : 'k',
					FRAME_ERROR, 0 };
				bool ok = step(&u, err, &e);
				CHECK(ok == (side || !keep_over));
				if (!ok)
					continue;
				CHECK(frame_talk_over(&u));
				CHECK(!step(&u, err, &e));
				CHECK_HAS(e.text, "client over, Keep over");
			}
		}
	}
}

/* --- every other pair is refused ---------------------------------------- */

/*
 * The table of docs/protocol.md once more, as a judge: written from the
 * document's words, not from frame.c.
 */
struct judge {
	int role;
	bool k_hello, config, time, module, start, k_start, status, eof, logs;
	uint64_t c_due, k_due, credit;
	bool results, done, receipt, over, c_over;
};

static bool client_may(const struct judge *j, struct word w)
{
	bool stdio = (j->role == DEPLOY && j->start) || j->role == ATTACH;
	bool loading = j->role == DEPLOY && !j->start && !j->c_due;
	switch (w.type) {
	case FRAME_HELLO:
		return !j->role && w.n >= DEPLOY && w.n <= ASK;
	case FRAME_CONFIG:
		return loading && !j->config;
	case FRAME_TIME:
		return loading && !j->time;
	case FRAME_FILE:
	case FRAME_PACKAGE:
		return loading && j->config;
	case FRAME_MODULE:
		return loading && j->config && !j->module;
	case FRAME_TRUST:
		return loading && j->config;
	case FRAME_DATA:
		return j->c_due && w.n >= 1 && w.n <= j->c_due;
	case FRAME_START:
		return loading && j->module;
	case FRAME_STDIN:
		return stdio && (j->k_start || j->status) && !j->eof &&
			w.n <= j->credit;
	case FRAME_SIGNAL:
		return stdio && (j->start || j->status);
	case FRAME_LOGS:
		return j->role == LOGS && !j->logs;
	case FRAME_ERROR:
		return true;
	default:
		return false;
	}
}

static bool keep_may(const struct judge *j, struct word w)
{
	bool runs = j->k_start || (j->status && j->role == ATTACH);
	bool speaks = runs && !j->k_due && !j->done;
	bool logs = j->status && j->role == LOGS && j->logs;
	bool greeted = j->k_hello && !j->k_start && !j->status;
	switch (w.type) {
	case FRAME_HELLO:
		return j->role && !j->k_hello && w.n == FRAME_ROLE_KEEP;
	case FRAME_START:
		return greeted && j->start;
	case FRAME_STATUS:
		return greeted && j->role != DEPLOY;
	case FRAME_STDOUT:
	case FRAME_STDERR:
		return (speaks && !j->results) || logs;
	case FRAME_CREDIT:
		return speaks && !j->results && w.n;
	case FRAME_FILE:
		return speaks;
	case FRAME_DATA:
		return j->k_due && w.n >= 1 && w.n <= j->k_due;
	case FRAME_RESULTS_END:
		return speaks;
	case FRAME_RECEIPT:
		return ((speaks && !j->results) || j->done ||
			       (j->status && j->role == STOP)) &&
			!j->receipt;
	case FRAME_EXIT:
		return (greeted && j->start) || (speaks && !j->results) ||
			j->done || logs || (j->status && j->role == STOP);
	case FRAME_ERROR:
		return true;
	default:
		return false;
	}
}

static void client_said(struct judge *j, struct word w)
{
	j->role = w.type == FRAME_HELLO ? (int)w.n : j->role;
	j->config |= w.type == FRAME_CONFIG;
	j->time |= w.type == FRAME_TIME;
	j->module |= w.type == FRAME_MODULE;
	j->start |= w.type == FRAME_START;
	j->logs |= w.type == FRAME_LOGS;
	j->c_over |= w.type == FRAME_ERROR;
	if (w.type == FRAME_FILE || w.type == FRAME_MODULE ||
		w.type == FRAME_TRUST || w.type == FRAME_PACKAGE)
		j->c_due = w.n;
	if (w.type == FRAME_DATA)
		j->c_due -= w.n;
	if (w.type == FRAME_STDIN) {
		j->credit -= w.n;
		j->eof |= w.n == 0;
	}
}

static void keep_said(struct judge *j, struct word w)
{
	j->k_hello |= w.type == FRAME_HELLO;
	j->k_start |= w.type == FRAME_START;
	j->status |= w.type == FRAME_STATUS;
	j->done |= w.type == FRAME_RESULTS_END || w.type == FRAME_RECEIPT;
	j->receipt |= w.type == FRAME_RECEIPT;
	j->results |= w.type == FRAME_FILE || w.type == FRAME_RESULTS_END;
	j->over |= w.type == FRAME_EXIT ||
		(w.type == FRAME_STATUS && j->role == ASK);
	j->c_over |= w.type == FRAME_ERROR;
	if (w.type == FRAME_FILE)
		j->k_due = w.n;
	if (w.type == FRAME_DATA)
		j->k_due -= w.n;
	if (w.type == FRAME_CREDIT)
		j->credit += w.n;
}

static bool judge_allows(const struct judge *j, struct word w)
{
	if (j->c_over)
		return false;
	if (w.side == 'c')
		return client_may(j, w);
	return !j->over && keep_may(j, w);
}

static void check_word(const struct judge *j, const struct frame_talk *t,
	struct word w)
{
	struct frame_talk u = *t;
	struct err e = { 0 };
	bool want = judge_allows(j, w);
	bool ok = step(&u, w, &e);
	if (ok != want)
		fail_msg("%c %s %u: %s, the document says %s (%s)", w.side,
			frame_type_name(w.type), w.n, ok ? "taken" : "refused",
			want ? "legal" : "illegal", e.text);
	if (ok)
		return;
	/* Nothing moved, and the frame is named. */
	CHECK_MEM(&u, t, sizeof u);
	CHECK_INT(e.kind, ERR_INPUT);
	CHECK_HAS(e.text, frame_type_name(w.type));
}

/* Every frame with every number that matters, from both sides. */
static void check_all(const struct judge *j, const struct frame_talk *t)
{
	static const uint32_t ns[] = { 0, 1, 2, 3, 4, 5, 6, 7, 60, 100 };
	for (int side = 0; side < 2; side++)
		for (unsigned type = 0; type <= FRAME_TYPE_COUNT; type++) {
			char c = side ? 'c' : 'k';
			if (type == 0 || type == FRAME_TYPE_COUNT) {
				struct frame_talk u = *t;
				CHECK(!frame_step(&u, (enum frame_side)side,
					type, BYTES_NONE, NULL));
				continue;
			}
			for (size_t i = 0; i < ARRAY_LEN(ns); i++)
				check_word(j, t,
					(struct word){ c, type, ns[i] });
		}
}

TEST(in_every_state_of_every_conversation_exactly_the_legal_is_accepted)
{
	for (size_t i = 0; i < ARRAY_LEN(legal); i++) {
		struct frame_talk t = { 0 };
		struct judge j = { 0 };
		struct err e;
		check_all(&j, &t);
		for (const struct word *w = legal[i]; w->side; w++) {
			CHECK(step(&t, *w, &e));
			if (w->side == 'c')
				client_said(&j, *w);
			else
				keep_said(&j, *w);
			CHECK_INT(t.credit, j.credit);
			check_all(&j, &t);
		}
	}
}

TEST(random_conversations_are_judged_alike)
{
	uint32_t seed = 7;
	size_t longest = 0;
	for (int run = 0; run < 3000; run++) {
		struct frame_talk t = { 0 };
		struct judge j = { 0 };
		size_t taken = 0;
		for (int i = 0; i < 300; i++) {
			seed = seed * 1664525u + 1013904223u;
			struct word w = { seed >> 31 ? 'c' : 'k',
				(seed >> 8) % (FRAME_TYPE_COUNT - 1) + 1,
				(seed >> 16) % 5 };
			/* Errors end it: let them be rare. */
			if (w.type == FRAME_ERROR && i < 250)
				continue;
			check_word(&j, &t, w);
			if (!judge_allows(&j, w))
				continue;
			CHECK(step(&t, w, NULL));
			taken++;
			if (w.side == 'c')
				client_said(&j, w);
			else
				keep_said(&j, w);
		}
		longest = taken > longest ? taken : longest;
	}
	CHECK(longest > 20);
}

/* --- accounts ----------------------------------------------------------- */

static void talk_to_running(struct frame_talk *t)
{
	static const struct word words[] = { { 'c', FRAME_HELLO, ATTACH },
		{ 'k', FRAME_HELLO, 0 }, { 'k', FRAME_STATUS, 0 } };
	struct err e;
	*t = (struct frame_talk){ 0 };
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		CHECK(step(t, words[i], &e));
}

TEST(credit_adds_up_and_an_overrun_is_refused_by_name)
{
	struct frame_talk t;
	struct err e = { 0 };
	talk_to_running(&t);
	CHECK(!step(&t, (struct word){ 'c', FRAME_STDIN, 1 }, &e));
	CHECK_STR(e.text, "frame STDIN: 1 bytes, credit is 0");
	CHECK(step(&t, (struct word){ 'k', FRAME_CREDIT, UINT32_MAX }, &e));
	CHECK(step(&t, (struct word){ 'k', FRAME_CREDIT, UINT32_MAX }, &e));
	CHECK(t.credit == 2 * (uint64_t)UINT32_MAX);
	CHECK(step(&t, (struct word){ 'c', FRAME_STDIN, 1000 }, &e));
	CHECK(t.credit == 2 * (uint64_t)UINT32_MAX - 1000);
	t.credit = UINT64_MAX - 5;
	CHECK(!step(&t, (struct word){ 'k', FRAME_CREDIT, 6 }, &e));
	CHECK_STR(e.text, "frame CREDIT: amount");
	CHECK(!step(&t, (struct word){ 'k', FRAME_CREDIT, 0 }, &e));
	CHECK(step(&t, (struct word){ 'k', FRAME_CREDIT, 5 }, &e));
}

TEST(data_beyond_its_object_is_refused_by_name)
{
	struct frame_talk t;
	struct err e = { 0 };
	talk_to_running(&t);
	CHECK(step(&t, (struct word){ 'k', FRAME_FILE, 10 }, &e));
	CHECK_INT(t.data_left, 10);
	CHECK(!step(&t, (struct word){ 'k', FRAME_DATA, 11 }, &e));
	CHECK_STR(e.text, "frame DATA: 11 bytes, only 10 due");
	CHECK(step(&t, (struct word){ 'k', FRAME_DATA, 10 }, &e));
	CHECK(!step(&t, (struct word){ 'k', FRAME_DATA, 1 }, &e));
	CHECK_HAS(e.text, "DATA from the Keep is illegal now");
}

TEST(a_hello_of_another_version_or_role_is_refused)
{
	static const struct {
		uint32_t version, role;
		uint64_t reserved;
		const char *says;
	} cases[] = {
		{ 2, 1, 0, "peer speaks version 2, we speak 1" },
		{ 0, 1, 0, "peer speaks version 0" },
		{ 1, FRAME_ROLE_COUNT, 0, "unknown role 6" },
		{ 1, UINT32_MAX, 0, "unknown role" },
		{ 1, 1, 1, "reserved" },
		{ 1, 1, 1ull << 63, "reserved" },
		{ 1, 0, 0, "HELLO from the client is illegal now" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct frame_talk t = { 0 };
		struct err e = { 0 };
		auto_buf b = { 0 };
		buf_u32le(&b, cases[i].version);
		buf_u32le(&b, cases[i].role);
		buf_u64le(&b, cases[i].reserved);
		CHECK(!frame_step(&t, FRAME_FROM_CLIENT, FRAME_HELLO,
			buf_bytes(&b), &e));
		CHECK_HAS(e.text, cases[i].says);
		CHECK_INT(t.state, 0);
	}
}

TEST(every_type_has_a_name)
{
	for (unsigned t = 1; t < FRAME_TYPE_COUNT; t++)
		CHECK(strlen(frame_type_name(t)) > 3);
	CHECK_STR(frame_type_name(0), "?");
	CHECK_STR(frame_type_name(FRAME_TYPE_COUNT), "?");
	CHECK_STR(frame_type_name(UINT32_MAX), "?");
}
