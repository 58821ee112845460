/* SPDX-License-Identifier: Apache-2.0 */
/* Every row of the index gives the verdict that it expects, at its date. */
#include "helpers/vectors.h"

#include "attest/cert.h"
#include "attest/intel.h"
#include "attest/measure_sgx.h"
#include "attest/measure_tdx.h"
#include "attest/ovmf.h"
#include "codec/hex.h"
#include "codec/pem.h"
#include "crypto/hash.h"
#include "helpers/launch.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "../test.h"

enum { COLUMNS = 12, MAX_FILES = 8, LINE = 8192 };
enum {
	FILE_NAME = 0,
	FAMILY = 1,
	WHAT = 3,
	EXPECTED = 8,
	COLLATERAL = 9,
	DATE = 10,
	VERIFIED = 11
};

static size_t split(char *text, char by, char **out, size_t max)
{
	size_t n = 0;
	for (char *p = text; p && n < max; n++) {
		out[n] = p;
		p = strchr(p, by);
		if (p)
			*p++ = '\0';
	}
	return n;
}

static bool ends_in(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);
	return n >= m && strcmp(s + n - m, end) == 0;
}

/* The day after the first date in the text, so that both ends lie around. */
static int64_t date_of(const char *text)
{
	struct tm tm = { 0 };
	while (*text && (*text < '0' || *text > '9'))
		text++;
	CHECK(sscanf(text, "%d-%d-%d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday) ==
		3);
	tm.tm_year -= 1900;
	tm.tm_mon--;
	return timegm(&tm) + 86400;
}

/* What the index says in words, as the checks that must fail. */
static void expected_of(const char *text, struct buf *out)
{
	static const struct {
		const char *words, *check;
	} t[] = {
		{ "FAIL chain", "chain " },
		{ "TCB ext", "certified tcb " },
		{ "chip id", "chip " },
		{ "report signature", "signature " },
		{ "VMPL must be 0", "vmpl " },
		{ "FAIL policy: debug", "debug " },
	};
	buf_clear(out);
	if (!strncmp(text, "valid", 5))
		return;
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		if (strstr(text, t[i].words))
			CHECK(buf_str(out, t[i].check));
	CHECK(out->len);
}

static void judge_snp(char **row, size_t *judged)
{
	static struct attest_verdict v;
	char *files[MAX_FILES];
	const char *use[MAX_FILES] = { 0 };
	size_t n = split(row[COLLATERAL], ';', files, MAX_FILES), used = 0;
	bool crl = false;
	for (size_t i = 0; i < n; i++) {
		if (!ends_in(files[i], ".der") ||
			ends_in(files[i], "csr.der") ||
			ends_in(files[i], "spki.der"))
			continue;
		crl |= ends_in(files[i], ".crl.der");
		use[used++] = files[i];
	}
	struct attest_bundle b = { 0 };
	vectors_bundle(&b, row[FILE_NAME], use);
	struct attest_policy *p = vectors_snp_policy(&b,
		crl ? "require_alias_check = false" :
		      "require_alias_check = false\ncrl = \"optional\"\n"
		      "csp_ids = [\"CN=cc-us-east-2.amazonaws.com\"]");
	struct attest_input in = { .evidence = buf_bytes(&b.evidence),
		.endorsements = buf_bytes(&b.endorsements),
		.now = date_of(row[DATE]),
		.binding = b.binding };
	auto_buf want = { 0 }, got = { 0 };
	CHECK(attest_verify(&in, p, &v, NULL));
	vectors_failed(&v, &got);
	expected_of(row[EXPECTED], &want);
	if (strcmp(buf_cstr(&got), buf_cstr(&want)) != 0) {
		auto_buf text = { 0 };
		attest_print_text(&v, &text);
		fail_msg("%s: failed \"%s\", expected \"%s\"\n%s",
			row[FILE_NAME], buf_cstr(&got), buf_cstr(&want),
			buf_cstr(&text));
	}
	CHECK(v.accepted == (want.len == 0));
	CHECK(v.expires > in.now);
	attest_policy_free(p);
	attest_bundle_fini(&b);
	++*judged;
}

/* "... => converged OutOfDate", "TCB status ('OutOfDate', ..."; "" when the
 * row says nothing of it. */
static void status_of(const char *text, char out[64])
{
	const char *at = strstr(text, "converged ");
	out[0] = '\0';
	if (at)
		sscanf(at, "converged %63[A-Za-z_]", out);
	else if ((at = strstr(text, "TCB status ('")))
		sscanf(at, "TCB status ('%63[A-Za-z_]", out);
}

static void files_of(char *text, char paths[VECTORS_SET][128],
	const char *files[VECTORS_SET + 1])
{
	char *names[MAX_FILES];
	size_t used = 0;
	if (ends_in(text, "/")) {
		vectors_set(text, paths, files);
		return;
	}
	size_t n = strcmp(text, "-") ? split(text, ';', names, MAX_FILES) : 0;
	for (size_t i = 0; i < n; i++)
		if (!ends_in(names[i], ".der"))
			files[used++] = names[i];
	files[used] = NULL;
}

/* What must fail, in the order of the checks. */
static void quote_expected(const char *says, const char *status, bool set,
	bool identity, struct buf *out)
{
	buf_clear(out);
	if (!set)
		CHECK(buf_str(out, "endorsements revocation "));
	if (!identity)
		CHECK(buf_str(out, "qe identity "));
	if (!set)
		CHECK(buf_str(out, "tcb info tcb status "));
	else if (strcmp(status, "UpToDate") != 0)
		CHECK(buf_str(out, "tcb status "));
	if (strstr(says, "FAIL debug") || strstr(says, "SGX-DEBUG"))
		CHECK(buf_str(out, "debug "));
}

static void judge_quote(char **row, size_t *judged)
{
	static struct attest_verdict v;
	static char paths[VECTORS_SET][128];
	const char *files[MAX_FILES + 1];
	char status[64];
	files_of(row[COLLATERAL], paths, files);
	bool set = files[0], identity = false;
	for (size_t i = 0; files[i]; i++)
		identity |= ends_in(files[i], "qe_identity.json");
	struct attest_bundle b = { 0 };
	if (set) {
		vectors_bundle(&b, row[FILE_NAME], files);
	} else {
		CHECK(vectors_read(row[FILE_NAME], &b.evidence));
		b.binding = ATTEST_BIND_NOTHING;
	}
	struct attest_policy *p = vectors_quote_policy(&b,
		strcmp(row[FAMILY], "tdx") ? "" :
					     "allow_sept_ve = true\n"
					     "allow_service_td = true");
	struct attest_input in = { .evidence = buf_bytes(&b.evidence),
		.endorsements = buf_bytes(&b.endorsements),
		.now = date_of(set ? row[DATE] : "2025-06-01"),
		.binding = b.binding,
		.padded = true };
	auto_buf want = { 0 }, got = { 0 }, text = { 0 };
	CHECK(attest_verify(&in, p, &v, NULL));
	vectors_failed(&v, &got);
	attest_print_text(&v, &text);
	status_of(row[EXPECTED], status);
	const char *failed = buf_cstr(&got), *says = row[EXPECTED];
	quote_expected(says, status, set, identity, &want);
	if (strstr(says, "strict-order"))
		CHECK(strstr(failed, "chain ") && !v.accepted);
	else if (strstr(says, "unsupported cert data type"))
		CHECK(strstr(failed, "evidence format ") && !v.accepted);
	else if (strcmp(failed, buf_cstr(&want)) ||
		strcmp(v.tcb_status, status))
		fail_msg("%s: status \"%s\" failed \"%s\", expected \"%s\" "
			 "\"%s\"\n%s",
			row[FILE_NAME], v.tcb_status, failed, status,
			buf_cstr(&want), buf_cstr(&text));
	attest_policy_free(p);
	attest_bundle_fini(&b);
	++*judged;
}

/* --- the other rows ------------------------------------------------------ */

static struct bytes read_into(const char *name, struct buf *b)
{
	if (!vectors_read(name, b))
		fail_msg("no %s", name);
	return buf_bytes(b);
}

static void check_hash(const char *says, const char *label, struct bytes of)
{
	uint8_t hash[32];
	char hex[65];
	const char *at = strstr(says, label);
	CHECK(crypto_digest(CRYPTO_SHA256, of, hash, NULL));
	hex_encode(BYTES_ARRAY(hash), hex);
	CHECK(at && !strncmp(at + strlen(label), hex, 64));
}

/* A root or intermediate: dates, digests, who signed it. */
static void judge_root(char **row, size_t *judged)
{
	char issuer[64];
	struct attest_cert c, up;
	auto_buf der = { 0 }, up_der = { 0 };
	int64_t date = date_of(row[DATE]);
	CHECK(attest_cert_parse(read_into(row[FILE_NAME], &der), &c, NULL));
	CHECK(c.from <= date && date <= c.to && c.ca);
	check_hash(row[VERIFIED], "sha256(der)=", buf_bytes(&der));
	check_hash(row[VERIFIED], "sha256(spki)=", c.spki);
	const char *product = strchr(row[FILE_NAME], '_');
	snprintf(issuer, sizeof issuer, "open/roots/ark%s", product);
	bool self = strstr(row[VERIFIED], "self-sig");
	CHECK(attest_cert_parse(read_into(self ? row[FILE_NAME] : issuer,
					&up_der),
		&up, NULL));
	CHECK(attest_cert_signed_by(&c, &up, NULL, NULL));
	++*judged;
}

static void judge_crl(char **row, size_t *judged)
{
	struct attest_cert issuer;
	struct attest_crl l;
	auto_buf der = { 0 }, up = { 0 };
	int64_t date = date_of(row[DATE]);
	bool genoa = strstr(row[WHAT], "0x20001");
	CHECK(attest_crl_parse(read_into(row[FILE_NAME], &der), &l, NULL));
	CHECK(attest_cert_parse(read_into(row[COLLATERAL], &up), &issuer,
		NULL));
	CHECK(attest_crl_signed_by(&l, &issuer, NULL, NULL));
	CHECK(l.from <= date && date <= l.to);
	CHECK(attest_crl_has(&l, BYTES_LIT("\x02\x00\x01")) == genoa);
	++*judged;
}

/* The report's host data is the policy's digest. */
static void judge_host_data(char **row, size_t *judged)
{
	uint8_t hash[32];
	auto_buf text = { 0 }, policy = { 0 }, report = { 0 };
	struct bytes b = read_into(row[FILE_NAME], &text);
	while (b.len && b.ptr[b.len - 1] <= ' ')
		b.len--;
	CHECK(base64_decode(b, &policy, NULL));
	CHECK(crypto_digest(CRYPTO_SHA256, buf_bytes(&policy), hash, NULL));
	CHECK_MEM(hash, read_into(row[COLLATERAL], &report).ptr + 0xc0, 32);
	++*judged;
}

static void judge_firmware(char **row, size_t *judged)
{
	struct attest_ovmf o;
	auto_buf image = { 0 };
	CHECK(attest_ovmf_parse(read_into(row[FILE_NAME], &image), &o, NULL));
	++*judged;
}

static void judge_launches(char **row, size_t *judged)
{
	CHECK_INT(launch_check_all(row[FILE_NAME]), 10);
	++*judged;
}

static void judge_id_block(char **row, size_t *judged)
{
	struct attest_snp_id_block b;
	uint8_t again[SNP_ID_BLOCK_BYTES];
	auto_buf raw = { 0 };
	json_t *o = launch_json(row[FILE_NAME]);
	CHECK(base64_decode(bytes_str(launch_text(o, "id_block_b64")), &raw,
		NULL));
	CHECK(attest_snp_id_block_parse(buf_bytes(&raw), &b, NULL));
	attest_snp_id_block_encode(&b, again);
	CHECK_MEM(again, raw.ptr, sizeof again);
	json_decref(o);
	++*judged;
}

static void judge_id_auth(char **row, size_t *judged)
{
	struct attest_snp_id_auth a;
	auto_buf page = { 0 };
	CHECK(attest_snp_id_auth_check(read_into(row[FILE_NAME], &page),
		BYTES_NONE, &a, NULL));
	++*judged;
}

/* Both documents of a set: signed, current, of the kind it is in. */
static void judge_set(char **row, size_t *judged)
{
	char path[128];
	auto_buf crl = { 0 };
	bool tdx = strstr(row[FILE_NAME], "/tdx-");
	const struct {
		const char *chain, *document, *member, *id;
		uint64_t version;
	} t[] = {
		{ "tcb_signing_chain.pem", "tcb_info.json", "tcbInfo",
			tdx ? "TDX" : "SGX", 3 },
		{ "qe_identity_signing_chain.pem", "qe_identity.json",
			"enclaveIdentity", tdx ? "TD_QE" : "QE", 2 },
	};
	snprintf(path, sizeof path, "%sroot_ca.crl", row[FILE_NAME]);
	read_into(path, &crl);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		auto_buf chain = { 0 }, document = { 0 };
		struct intel_terms terms = { .now = date_of(row[DATE]),
			.expires = INT64_MAX };
		struct intel_signed s = { .root_crl = buf_bytes(&crl),
			.member = t[i].member,
			.id = t[i].id,
			.version = t[i].version };
		struct err e = { 0 };
		json_t *o;
		memcpy(terms.root, attest_intel_root, 32);
		snprintf(path, sizeof path, "%s%s", row[FILE_NAME], t[i].chain);
		s.chain = read_into(path, &chain);
		snprintf(path, sizeof path, "%s%s", row[FILE_NAME],
			t[i].document);
		s.document = read_into(path, &document);
		if (!attest_collateral_open(&s, &terms, &o, &e))
			fail_msg("%s: %s", path, e.text);
		json_decref(o);
	}
	++*judged;
}

static void judge_log(char **row, size_t *judged)
{
	uint8_t rtmr[4][48];
	struct attest_quote q;
	auto_buf log = { 0 }, quote = { 0 };
	CHECK(attest_ccel_replay(read_into(row[FILE_NAME], &log), NULL, NULL,
		rtmr, NULL));
	CHECK(attest_quote_parse(read_into(row[COLLATERAL], &quote), &q, NULL));
	CHECK_MEM(rtmr, q.body.ptr + 328, sizeof rtmr);
	++*judged;
}

static void judge_sigstruct(char **row, size_t *judged)
{
	struct attest_sigstruct s;
	uint8_t mrenclave[32];
	char hex[65];
	auto_buf sig = { 0 }, sgxs = { 0 };
	CHECK(attest_sigstruct_check(read_into(row[FILE_NAME], &sig), &s,
		NULL));
	CHECK(attest_sgx_stream(read_into(row[COLLATERAL], &sgxs), NULL, NULL,
		mrenclave, NULL));
	CHECK_MEM(mrenclave, s.mrenclave, 32);
	hex_encode(BYTES_ARRAY(mrenclave), hex);
	CHECK_HAS(row[EXPECTED], hex);
	hex_encode(BYTES_ARRAY(s.mrsigner), hex);
	CHECK_HAS(row[EXPECTED], hex);
	++*judged;
}

/* Interoperable RA-TLS: all but what these rows have no files for. */
static void judge_certificate(char **row, size_t *judged)
{
	static struct attest_verdict v;
	struct attest_bundle b;
	struct err e = { 0 };
	auto_buf file = { 0 }, got = { 0 };
	if (!attest_bundle_read(read_into(row[FILE_NAME], &file), &b, &e))
		fail_msg("%s: %s", row[FILE_NAME], e.text);
	CHECK(b.binding == ATTEST_BIND_CLAIMS);
	CHECK(attest_bundle_endorse(&b, NULL, 0, 0, &e));
	struct attest_policy *p = vectors_quote_policy(&b, "");
	struct attest_input in = attest_bundle_input(&b);
	in.now = date_of("2023-06-01");
	CHECK(attest_verify(&in, p, &v, NULL));
	vectors_failed(&v, &got);
	CHECK_STR(buf_cstr(&got),
		"revocation qe identity tcb info tcb status debug ");
	attest_policy_free(p);
	attest_bundle_fini(&b);
	++*judged;
}

static void judge_pck(char **row, size_t *judged)
{
	struct attest_cert c;
	struct intel_pck pck;
	char hex[13];
	auto_buf pem = { 0 }, der = { 0 };
	struct reader r = { .in = read_into(row[FILE_NAME], &pem) };
	CHECK(pem_next(&r, "CERTIFICATE", &der, NULL));
	CHECK(attest_cert_parse(buf_bytes(&der), &c, NULL));
	CHECK(attest_pck_read(&c, &pck, NULL));
	hex_encode(BYTES_ARRAY(pck.fmspc), hex);
	CHECK_HAS(row[EXPECTED], hex);
	int64_t date = date_of(row[DATE]);
	CHECK(c.from <= date && date <= c.to);
	++*judged;
}

static void put_hex(struct buf *b, struct bytes v)
{
	char hex[129];
	hex_encode(v, hex);
	CHECK(buf_str(b, hex));
}

/* A policy for a monitor's evidence: trusts the key as a software root. */
static struct attest_policy *monitor_policy(const char *table, struct bytes key,
	struct bytes measurement, struct bytes monitor, const char *more)
{
	struct attest_policy *p;
	struct err e = { 0 };
	uint8_t hash[32];
	auto_buf t = { 0 };
	CHECK(crypto_digest(CRYPTO_SHA256, key, hash, NULL));
	CHECK(buf_str(&t, "software = [\""));
	put_hex(&t, BYTES_ARRAY(hash));
	CHECK(buf_fmt(&t, "\"]\n[%s]\n%smeasurements = [\"", table, more));
	put_hex(&t, measurement);
	CHECK(buf_str(&t, "\"]\nmonitors = [\""));
	put_hex(&t, monitor);
	CHECK(buf_str(&t, "\"]\n"));
	if (!attest_policy_parse(buf_bytes(&t), "p", NULL, 0, &p, &e))
		fail_msg("%s", e.text);
	return p;
}

static void judge_monitor(char **row, size_t *judged, struct attest_policy *p,
	struct bytes evidence, const char *want)
{
	static struct attest_verdict v;
	auto_buf got = { 0 };
	struct attest_input in = { .evidence = evidence,
		.now = date_of("2026-01-01"),
		.binding = ATTEST_BIND_NOTHING };
	CHECK(attest_verify(&in, p, &v, NULL));
	vectors_failed(&v, &got);
	if (strcmp(buf_cstr(&got), want) != 0)
		fail_msg("%s: failed \"%s\", expected \"%s\"", row[FILE_NAME],
			buf_cstr(&got), want);
	CHECK(!v.confidential); /* a test key is a software root at best */
	attest_policy_free(p);
	++*judged;
}

static void judge_keystone(char **row, size_t *judged)
{
	auto_buf raw = { 0 };
	struct bytes b = read_into(row[FILE_NAME], &raw);
	bool bad = !strncmp(row[EXPECTED], "FAIL bounds", 11);
	judge_monitor(row, judged,
		monitor_policy("keystone", bytes_of(b.ptr + 1320, 32),
			bytes_of(b.ptr, 64), bytes_of(b.ptr + 1160, 64),
			"allow_guessable_monitor_keys = true\n"),
		b,
		bad ? "evidence format vendor root chain monitor monitor key "
		      "signature debug technology measurement report_data "
		      "claims key binding nonce owner " :
		      "");
}

/* The published key can't be trusted as a device's. */
static void judge_test_key(char **row, size_t *judged)
{
	struct attest_policy *p;
	struct err e = { 0 };
	auto_buf raw = { 0 }, t = { 0 };
	CHECK(buf_str(&t, "[keystone]\ndevice_keys = [\""));
	put_hex(&t, read_into(row[FILE_NAME], &raw));
	CHECK(buf_str(&t, "\"]\n"));
	CHECK(!attest_policy_parse(buf_bytes(&t), "p", NULL, 0, &p, &e));
	CHECK_HAS(e.text, "published test key");
	++*judged;
}

static void judge_sanctum(char **row, size_t *judged)
{
	auto_buf raw = { 0 };
	struct bytes b = read_into(row[FILE_NAME], &raw);
	judge_monitor(row, judged,
		monitor_policy("sanctum", bytes_of(b.ptr + 128, 32),
			bytes_of(b.ptr + 160, 64), bytes_of(b.ptr + 64, 64),
			""),
		b, "");
}

/* --- the index ----------------------------------------------------------- */

static const struct kind {
	const char *family, *end;
	void (*judge)(char **row, size_t *judged);
	size_t least;
} kinds[] = {
	{ "roots", ".der", judge_root, 10 },
	{ "snp", ".crl.der", judge_crl, 2 },
	{ "snp", ".report.bin", judge_snp, 13 },
	{ "snp", ".policy.b64", judge_host_data, 1 },
	{ "snp", "_suffix.bin", judge_firmware, 2 },
	{ "snp", "expected.json", judge_launches, 1 },
	{ "snp", "id_block.json", judge_id_block, 1 },
	{ "snp", "id_auth.bin", judge_id_auth, 1 },
	{ "sgx", "/", judge_set, 1 },
	{ "tdx", "/", judge_set, 6 },
	{ "tdx", ".quote.bin", judge_quote, 13 },
	{ "tdx", ".ccel_data.bin", judge_log, 1 },
	{ "sgx", ".quote.bin", judge_quote, 6 },
	{ "sgx", ".sigstruct.bin", judge_sigstruct, 1 },
	{ "sgx", ".cert.pem", judge_certificate, 2 },
	{ "sgx", "pck-processor.pem", judge_pck, 1 },
	{ "keystone", "public_key.bin", judge_test_key, 1 },
	{ "keystone", ".report.bin", judge_keystone, 3 },
	{ "sanctum", ".bin", judge_sanctum, 1 },
};

static void judge_row(char **row, size_t judged[ARRAY_LEN(kinds)])
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (!strcmp(row[FAMILY], kinds[i].family) &&
			ends_in(row[FILE_NAME], kinds[i].end)) {
			kinds[i].judge(row, &judged[i]);
			return;
		}
	fail_msg("nobody judges %s", row[FILE_NAME]);
}

TEST(every_row_of_the_index_gets_its_verdict)
{
	auto_buf index = { 0 };
	size_t judged[ARRAY_LEN(kinds)] = { 0 };
	bool head = true;
	if (!vectors_read("INDEX.tsv", &index))
		SKIP_TEST("no vectors: DONJON_SHARED is absent");
	CHECK(buf_u8(&index, 0));
	for (char *line = (char *)index.ptr; line && *line; head = false) {
		char *next = strchr(line, '\n'), *row[COLUMNS];
		if (next)
			*next++ = '\0';
		CHECK_INT(split(line, '\t', row, COLUMNS), COLUMNS);
		if (!head)
			judge_row(row, judged);
		line = next;
	}
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (judged[i] < kinds[i].least)
			fail_msg("%zu rows of %s *%s, at least %zu expected",
				judged[i], kinds[i].family, kinds[i].end,
				kinds[i].least);
}

/* An Enarx Keep's request carries the row's evidence, bound to its key. */
static void judge_request(const char *request, const char *evidence,
	int64_t now, bool snp, const char *want)
{
	static struct attest_verdict v;
	struct attest_bundle b;
	struct err e = { 0 };
	auto_buf file = { 0 }, alone = { 0 }, got = { 0 };
	if (!attest_bundle_read(read_into(request, &file), &b, &e))
		fail_msg("%s: %s", request, e.text);
	CHECK(bytes_equal(buf_bytes(&b.evidence), read_into(evidence, &alone)));
	struct attest_policy *p = snp ?
		vectors_snp_policy(&b, "require_alias_check = false") :
		vectors_quote_policy(&b, "");
	struct attest_input in = attest_bundle_input(&b);
	in.now = now;
	CHECK(attest_verify(&in, p, &v, NULL));
	vectors_failed(&v, &got);
	CHECK_STR(buf_cstr(&got), want);
	/* Bound to that key and no other. */
	b.spki.ptr[b.spki.len - 1] ^= 1;
	CHECK(attest_verify(&in, p, &v, NULL));
	vectors_failed(&v, &got);
	CHECK_HAS(buf_cstr(&got), "report_data ");
	attest_policy_free(p);
	attest_bundle_fini(&b);
}

TEST(requests_of_enarx_carry_evidence_bound_to_their_keys)
{
	auto_buf probe = { 0 };
	if (!vectors_read("INDEX.tsv", &probe))
		SKIP_TEST("no vectors: DONJON_SHARED is absent");
	judge_request("open/snp/steward-milan-v2-authorkey.csr.der",
		"open/snp/steward-milan-v2-authorkey.report.bin",
		date_of("2022-10-17"), true, "");
	judge_request("open/sgx/steward-icx-xeon.csr.der",
		"open/sgx/steward-icx-xeon.quote.bin", date_of("2023-01-27"),
		false, "qe identity tcb status ");
}

TEST(keystone_monitors_with_a_key_that_can_be_guessed_are_refused)
{
	static const struct {
		const char *file, *want;
	} t[] = {
		{ "open/keystone/derived-valid.report.bin", "monitor key " },
		{ "open/keystone/derived-valid-sizeofbug-fixed.report.bin",
			"" },
	};
	auto_buf probe = { 0 };
	if (!vectors_read("INDEX.tsv", &probe))
		SKIP_TEST("no vectors: DONJON_SHARED is absent");
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		char name[96], *row[] = { name };
		size_t judged = 0;
		auto_buf raw = { 0 };
		struct bytes b = read_into(t[i].file, &raw);
		snprintf(name, sizeof name, "%s", t[i].file);
		judge_monitor(row, &judged,
			monitor_policy("keystone", bytes_of(b.ptr + 1320, 32),
				bytes_of(b.ptr, 64), bytes_of(b.ptr + 1160, 64),
				""),
			b, t[i].want);
	}
}
