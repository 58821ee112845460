/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/launch.h"

#include <stdio.h>

#include "attest/measure_monitor.h"
#include "attest/measure_sgx.h"
#include "attest/measure_snp.h"
#include "attest/measure_tdx.h"
#include "codec/hex.h"
#include "codec/pem.h"
#include "crypto/key.h"

#include "../test.h"
#include "helpers/vectors.h"

enum { PAGE = 4096, FILES = 4 };

/* Files that descriptions name. */
static struct {
	const char *name;
	struct buf data;
} files[FILES];

static bool read_named(void *ctx, const char *path, struct buf *out,
	struct err *e)
{
	(void)ctx;
	for (size_t i = 0; i < FILES; i++)
		if (files[i].name && !strcmp(files[i].name, path))
			return buf_put(out, buf_bytes(&files[i].data));
	return err_fail(e, ERR_INPUT, "%s: No such file", path);
}

static void file_put(const char *name, struct bytes data)
{
	size_t i = 0;
	while (i < FILES && files[i].name && strcmp(files[i].name, name) != 0)
		i++;
	CHECK(i < FILES);
	files[i].name = name;
	buf_clear(&files[i].data);
	CHECK(buf_put(&files[i].data, data));
}

static void files_fini(void)
{
	for (size_t i = 0; i < FILES; i++) {
		buf_fini(&files[i].data);
		files[i].name = NULL;
	}
}

static bool measures(const char *toml, struct attest_launch *l,
	struct buf *trace, struct err *e)
{
	const struct attest_launch_config cfg = { .read = read_named,
		.trace = trace };
	return attest_launch_measure(bytes_str(toml), "l.toml", &cfg, l, e);
}

static void measured(const char *toml, struct attest_launch *l,
	struct buf *trace)
{
	struct err e = { 0 };
	if (!measures(toml, l, trace, &e))
		fail_msg("%s", e.text);
}

static size_t lines(struct buf *b)
{
	size_t n = 0;
	for (const char *p = buf_cstr(b); (p = strchr(p, '\n')); p++)
		n++;
	return n;
}

/* Every kind of page, and three vCPUs. */
static const char snp_pages[] =
	"[snp]\nvcpus = 3\nap_eip = \"0xfffff000\"\n"
	"cpu_signature = 0x800f12\nsev_features = 0x21\n"
	"[[snp.page]]\ntype = \"normal\"\n"
	"gpa = 0x1000\nfile = \"code\"\n"
	"[[snp.page]]\ntype = \"zero\"\ngpa = 0x10000\n"
	"size = 0x2000\n"
	"[[snp.page]]\ntype = \"unmeasured\"\n"
	"gpa = 0x20000\n"
	"[[snp.page]]\ntype = \"secrets\"\n"
	"gpa = 0x21000\n"
	"[[snp.page]]\ntype = \"cpuid\"\n"
	"gpa = 0x22000\n";

static void snp_by_hand(struct attest_snp_launch *s, const uint8_t *code)
{
	const struct attest_snp_vcpus v = { .count = 3,
		.ap_eip = 0xfffff000,
		.cpu_signature = 0x800f12,
		.sev_features = 0x21 };
	static const struct {
		enum attest_snp_page type;
		uint64_t gpa;
	} t[] = {
		{ ATTEST_SNP_ZERO, 0x10000 },
		{ ATTEST_SNP_ZERO, 0x11000 },
		{ ATTEST_SNP_UNMEASURED, 0x20000 },
		{ ATTEST_SNP_SECRETS, 0x21000 },
		{ ATTEST_SNP_CPUID, 0x22000 },
	};
	for (uint64_t i = 0; i < 2; i++)
		CHECK(attest_snp_launch_page(s, ATTEST_SNP_NORMAL,
			0x1000 + i * PAGE, bytes_of(code + i * PAGE, PAGE),
			NULL));
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		CHECK(attest_snp_launch_page(s, t[i].type, t[i].gpa, BYTES_NONE,
			NULL));
	CHECK(attest_snp_launch_vcpus(s, &v, NULL));
}

TEST(snp_launches_are_pages_and_then_each_vcpu)
{
	static uint8_t code[2 * PAGE] = { 1 };
	struct attest_snp_launch s = { 0 };
	struct attest_launch l;
	auto_buf trace = { 0 }, json = { 0 };
	char hex[97];
	memset(code + PAGE, 2, 100);
	file_put("code", bytes_of(code, PAGE + 100));
	measured(snp_pages, &l, &trace);
	snp_by_hand(&s, code);
	CHECK_STR(l.technology, "snp");
	CHECK_INT(l.len, 48);
	CHECK_MEM(l.measurement, s.digest, 48);
	CHECK_INT(lines(&trace), 7 + 3);
	CHECK_HAS(buf_cstr(&trace), "normal     0x000000002000  ");
	CHECK_HAS(buf_cstr(&trace), "vmsa       0xfffffffff000  ");
	hex_encode(BYTES_ARRAY(s.digest), hex);
	CHECK(attest_launch_print(&l, true, &json));
	CHECK_HAS(buf_cstr(&json), hex);
	/* Each page's line ends in the digest behind it: the last one's. */
	CHECK_HAS(buf_cstr(&trace), hex);
	files_fini();
}

TEST(snp_id_blocks_of_a_launch_must_be_of_that_launch)
{
	static const char toml[] = "[snp]\nid_block = \"block\"\n"
				   "id_auth = \"auth\"\n[[snp.page]]\n"
				   "type = \"zero\"\ngpa = 0x1000\n";
	struct attest_snp_launch s = { 0 };
	struct attest_snp_id_block b = { .policy = 0x30000 };
	uint8_t block[SNP_ID_BLOCK_BYTES], digest[48];
	struct crypto_key *key = NULL;
	struct attest_launch l;
	struct err e = { 0 };
	auto_buf auth = { 0 }, spki = { 0 };
	CHECK(attest_snp_launch_page(&s, ATTEST_SNP_ZERO, 0x1000, BYTES_NONE,
		NULL));
	memcpy(b.digest, s.digest, sizeof b.digest);
	CHECK(crypto_key_generate(CRYPTO_P384, &key, NULL));
	for (unsigned wrong = 0; wrong < 2; wrong++) {
		b.digest[0] ^= (uint8_t)wrong;
		attest_snp_id_block_encode(&b, block);
		buf_clear(&auth);
		CHECK(attest_snp_id_auth_make(block, key, key, &auth, NULL));
		file_put("block", BYTES_ARRAY(block));
		file_put("auth", buf_bytes(&auth));
		CHECK(measures(toml, &l, NULL, &e) == !wrong);
	}
	CHECK_INT(e.kind, ERR_DENIED);
	CHECK_HAS(e.text, "another launch digest");
	CHECK(crypto_key_spki(key, &spki, NULL));
	CHECK(attest_snp_key_digest(buf_bytes(&spki), digest, NULL));
	CHECK_INT(l.signer_len, 48);
	CHECK_MEM(l.signer, digest, 48);
	block[0] ^= 1; /* not what was signed */
	file_put("block", BYTES_ARRAY(block));
	CHECK(!measures(toml, &l, NULL, &e));
	crypto_key_free(key);
	files_fini();
}

TEST(snp_signing_keys_are_printed_as_reports_have_them)
{
	static const char toml[] = "[snp]\nsigning_key = \"key\"\n"
				   "[[snp.page]]\ntype = \"zero\"\n"
				   "gpa = 0x1000\n";
	static const enum crypto_curve curves[] = { CRYPTO_P384, CRYPTO_P256 };
	for (size_t i = 0; i < ARRAY_LEN(curves); i++) {
		struct crypto_key *key = NULL;
		struct attest_launch l;
		struct err e = { 0 };
		uint8_t digest[48];
		auto_buf spki = { 0 }, pem = { 0 };
		CHECK(crypto_key_generate(curves[i], &key, NULL));
		CHECK(crypto_key_spki(key, &spki, NULL));
		CHECK(pem_put(&pem, "PUBLIC KEY", buf_bytes(&spki)));
		file_put("key", buf_bytes(&pem));
		if (curves[i] == CRYPTO_P384) {
			measured(toml, &l, NULL);
			CHECK(attest_snp_key_digest(buf_bytes(&spki), digest,
				NULL));
			CHECK_INT(l.signer_len, 48);
			CHECK_MEM(l.signer, digest, 48);
		} else {
			CHECK(!measures(toml, &l, NULL, &e));
			CHECK_HAS(e.text, "l.toml:2:");
			CHECK_HAS(e.text, "not one public key of P-384");
		}
		crypto_key_free(key);
	}
	files_fini();
}

TEST(sgx_launches_are_streams_or_pages)
{
	static const uint8_t page[PAGE] = { 9 };
	static const char toml[] =
		"[sgx]\nsize = 0x10000\nssa_frame_size = 2\n"
		"[[sgx.page]]\noffset = 0\nflags = 0x205\nfile = \"code\"\n"
		"[[sgx.page]]\noffset = 0x1000\nflags = 0x100\n"
		"measured = false\nsize = 0x2000\n";
	struct attest_sgx_build *b;
	struct attest_launch l;
	uint8_t want[32];
	static const uint8_t zeros[PAGE];
	auto_buf trace = { 0 };
	file_put("code", BYTES_ARRAY(page));
	measured(toml, &l, &trace);
	CHECK(attest_sgx_create(2, 0x10000, &b, NULL) &&
		attest_sgx_add(b, 0, 0x205, BYTES_ARRAY(page), true, NULL) &&
		attest_sgx_add(b, 0x1000, 0x100, BYTES_ARRAY(zeros), false,
			NULL) &&
		attest_sgx_add(b, 0x2000, 0x100, BYTES_ARRAY(zeros), false,
			NULL) &&
		attest_sgx_end(b, want, NULL));
	attest_sgx_free(b);
	CHECK_INT(l.len, 32);
	CHECK_MEM(l.measurement, want, 32);
	CHECK_INT(lines(&trace), 3);
	files_fini();
}

TEST(sigstructs_of_a_launch_must_be_of_that_enclave)
{
	static const char toml[] = "[sgx]\nsgxs = \"s\"\nsigstruct = \"sig\"\n";
	struct attest_launch l;
	struct attest_sigstruct s;
	struct err e = { 0 };
	auto_buf sgxs = { 0 }, sig = { 0 };
	if (!vectors_read("open/sgx/fortanix-test-enclave.sgxs", &sgxs) ||
		!vectors_read("open/sgx/fortanix-test-enclave.sigstruct.bin",
			&sig))
		SKIP_TEST("no vectors: DONJON_SHARED is absent");
	file_put("s", buf_bytes(&sgxs));
	file_put("sig", buf_bytes(&sig));
	measured(toml, &l, NULL);
	CHECK(attest_sigstruct_check(buf_bytes(&sig), &s, NULL));
	CHECK_INT(l.signer_len, 32);
	CHECK_MEM(l.signer, s.mrsigner, 32);
	sgxs.ptr[sgxs.len - 1] ^= 1;
	file_put("s", buf_bytes(&sgxs));
	CHECK(!measures(toml, &l, NULL, &e));
	CHECK_INT(e.kind, ERR_DENIED);
	CHECK_HAS(e.text, "another enclave");
	files_fini();
}

TEST(tdx_launches_are_pages_in_either_order)
{
	static const uint8_t page[PAGE] = { 3 };
	static const char pages[] = "[[tdx.page]]\ngpa = 0x1000\n"
				    "file = \"code\"\nsize = 0x2000\n"
				    "[[tdx.page]]\ngpa = 0x9000\n"
				    "measured = false\n";
	char toml[256];
	struct attest_launch l;
	struct attest_td_build *b;
	static const uint8_t zeros[PAGE];
	uint8_t want[48];
	file_put("code", BYTES_ARRAY(page));
	for (unsigned two = 0; two < 2; two++) {
		snprintf(toml, sizeof toml, "[tdx]\ntwo_pass = %s\n%s",
			two ? "true" : "false", pages);
		measured(toml, &l, NULL);
		CHECK(attest_td_create(&b, NULL));
		CHECK(attest_td_add(b, 0x1000, NULL));
		if (two)
			CHECK(attest_td_add(b, 0x2000, NULL));
		CHECK(attest_td_extend(b, 0x1000, BYTES_ARRAY(page), NULL));
		if (!two)
			CHECK(attest_td_add(b, 0x2000, NULL));
		CHECK(attest_td_extend(b, 0x2000, BYTES_ARRAY(zeros), NULL) &&
			attest_td_add(b, 0x9000, NULL) &&
			attest_td_end(b, want, NULL));
		attest_td_free(b);
		CHECK_MEM(l.measurement, want, 48);
	}
	files_fini();
}

TEST(event_logs_of_a_launch_give_the_registers)
{
	struct attest_launch l;
	auto_buf log = { 0 }, quote = { 0 }, trace = { 0 }, text = { 0 };
	char hex[97];
	if (!vectors_read("open/tdx/google-cos113-v4.ccel_data.bin", &log) ||
		!vectors_read("open/tdx/google-cos113-v4.quote.bin", &quote))
		SKIP_TEST("no vectors: DONJON_SHARED is absent");
	file_put("log", buf_bytes(&log));
	measured("[tdx]\nccel = \"log\"\n", &l, &trace);
	CHECK(l.has_rtmr && l.len == 0);
	CHECK_MEM(l.rtmr, quote.ptr + 48 + 328, sizeof l.rtmr);
	CHECK_INT(lines(&trace), 43);
	CHECK(attest_launch_print(&l, false, &text));
	hex_encode(bytes_of(quote.ptr + 48 + 328 + 3 * 48, 48), hex);
	CHECK_HAS(buf_cstr(&text), "rtmr3 ");
	CHECK_HAS(buf_cstr(&text), hex);
	files_fini();
}

TEST(monitors_and_their_enclaves_are_measured)
{
	struct attest_launch l;
	struct attest_sanctum_build *b;
	uint8_t want[64], monitor[64];
	static const uint8_t page[PAGE] = "code";
	auto_buf text = { 0 }, trace = { 0 };
	file_put("m", BYTES_LIT("monitor"));
	file_put("code", BYTES_LIT("code"));
	measured("[keystone]\nmonitor = \"m\"\nloader = \"code\"\n"
		 "runtime = \"m\"\neapp = \"code\"\n",
		&l, &trace);
	CHECK(attest_keystone_monitor(BYTES_LIT("monitor"), monitor, NULL));
	CHECK(attest_keystone_enclave(BYTES_LIT("code"), BYTES_LIT("monitor"),
		BYTES_LIT("code"), want, NULL));
	CHECK_INT(l.len, 64);
	CHECK_MEM(l.measurement, want, 64);
	CHECK(l.has_monitor);
	CHECK_MEM(l.monitor, monitor, 64);
	CHECK(attest_launch_print(&l, true, &text));
	CHECK_HAS(buf_cstr(&text), "{\"keystone\":\"");
	CHECK_HAS(buf_cstr(&text), ",\"monitor\":\"");
	measured("[sanctum]\nev_base = 0x1000\nev_mask = 0xfff\nmailboxes = 1\n"
		 "debug = true\nhandler = \"m\"\n"
		 "[[sanctum.table]]\naddress = 0x2000\nlevel = 2\nacl = 1\n"
		 "[[sanctum.page]]\naddress = 0x4000\nacl = 15\n"
		 "file = \"code\"\n"
		 "[[sanctum.thread]]\npc = 1\nsp = 2\ntimer_limit = 3\n",
		&l, &trace);
	CHECK(attest_sanctum_create(0x1000, 0xfff, 1, true, &b, NULL) &&
		attest_sanctum_handler(b, BYTES_LIT("monitor"), NULL) &&
		attest_sanctum_table(b, 0x2000, 2, 1, NULL) &&
		attest_sanctum_page(b, 0x4000, 15, BYTES_ARRAY(page), NULL) &&
		attest_sanctum_thread(b, 1, 2, 3, NULL) &&
		attest_sanctum_end(b, want, NULL));
	attest_sanctum_free(b);
	CHECK_MEM(l.measurement, want, 64);
	CHECK_HAS(buf_cstr(&trace), "thread     0x000000000001  0x2");
	files_fini();
}

TEST(descriptions_that_are_none_are_refused_with_their_place)
{
	static const struct {
		const char *toml, *says;
	} t[] = {
		{ "", "expected one table" },
		{ "[snp]\n[sgx]\n", "expected one table" },
		{ "[arm]\n", "l.toml:1:2: arm: nothing of that name" },
		{ "[snp]\n", "neither ovmf nor page" },
		{ "[snp]\novmf = \"none\"\n", "l.toml:2:" },
		{ "[snp]\novmf = \"x\"\nextra = 1\n", "are no image" },
		{ "[snp]\npage = 1\n", "l.toml:2:" },
		{ "[[snp.page]]\ngpa = 0\n", "no type" },
		{ "[[snp.page]]\ntype = \"zero\"\n", "no gpa" },
		{ "[[snp.page]]\ntype = \"none\"\ngpa = 0\n",
			"expected normal, vmsa" },
		{ "[[snp.page]]\ntype = \"zero\"\ngpa = 1\n", "no page" },
		{ "[[snp.page]]\ntype = \"zero\"\ngpa = 0\nwhat = 1\n",
			"what: nothing of that name" },
		{ "[[snp.page]]\ntype = \"normal\"\ngpa = 0\nfile = \"x\"\n"
		  "offset = 99\n",
			"offset beyond the file" },
		{ "[snp]\nvcpus = 9999\n[[snp.page]]\ntype = \"zero\"\n"
		  "gpa = 0\n",
			"vCPUs out of range" },
		{ "[snp]\nvmm = \"xen\"\nvcpus = 1\n[[snp.page]]\n"
		  "type = \"zero\"\ngpa = 0\n",
			"expected qemu, ec2 or gce" },
		{ "[sgx]\n", "no size" },
		{ "[sgx]\nsize = 12345\n", "enclave: size" },
		{ "[sgx]\nsize = 0x4000\n[[sgx.page]]\noffset = 0x4000\n",
			"a page at 0x4000" },
		{ "[tdx]\n", "neither page nor ccel" },
		{ "[[tdx.page]]\ngpa = 1\n", "l.toml:1:" },
		{ "[[tdx.page]]\ngpa = 0\nsize = \"0x8000000000000000\"\n",
			"too large" },
		{ "[keystone]\n", "neither eapp nor monitor" },
		{ "[sanctum]\nev_base = 0\n", "no ev_mask" },
		{ "[sanctum]\nev_base = 0\nev_mask = 0\n", "one handler" },
		{ "[sanctum]\nev_base = 0\nev_mask = 0\nhandler = \"x\"\n",
			"no page" },
	};
	struct attest_launch l = { .len = 7 };
	file_put("x", BYTES_LIT("x"));
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct err e = { 0 };
		if (measures(t[i].toml, &l, NULL, &e))
			fail_msg("accepted: %s", t[i].toml);
		CHECK_HAS(e.text, t[i].says);
	}
	CHECK_INT(l.len, 7);
	files_fini();
}
