/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one full verification costs, per family, offline: `make bench-attest`.
 * Arguments: a folder like DONJON_SHARED/vectors, and how often (300).  Times
 * are what one core computes (of the thread's own clock, so that a busy machine
 * changes little): the median, and the least.  What was verified before is not
 * remembered, but in the third column.
 */
#include <endian.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "attest/bundle.h"
#include "attest/time.h"
#include "base/must.h"
#include "crypto/key.h"
#include "spec/pef.h"

enum { MAX_FILES = 8, RUNS = 300 };

static size_t runs = RUNS;

static atomic_ulong allocations, allocated;

/* Everybody's, OpenSSL's too: glibc lets a program have its own. */
void *__libc_malloc(size_t n);
void *malloc(size_t n)
{
	allocations++;
	allocated += n;
	return __libc_malloc(n);
}

static const struct {
	const char *name, *evidence, *time, *policy;
	const char *files[MAX_FILES];
} cases[] = {
	{ "SNP (VCEK, list)", "open/snp/steward-milan-v2-authorkey.report.bin",
		"2022-10-17",
		"[snp]\nrequire_alias_check = false\n"
		"minimum_tcb = { milan = {} }\n",
		{ "open/snp/steward-milan-v2-authorkey.vcek.der",
			"open/roots/ark_milan.crl.der" } },
	{ "SNP (Turin)", "open/snp/ms-turin-v5.report.bin", "2026-03-01",
		"[snp]\ncrl = \"optional\"\n",
		{ "open/snp/ms-turin-v5.vcek.der" } },
	{ "TDX (v4)", "open/tdx/phala-v4-uptodate.quote.bin", "2025-06-25", "",
		{ "open/collateral/tdx-b0c06f000000-2025-06/root_ca.crl",
			"open/collateral/tdx-b0c06f000000-2025-06/pck.crl",
			"open/collateral/tdx-b0c06f000000-2025-06/"
			"tcb_signing_chain.pem",
			"open/collateral/tdx-b0c06f000000-2025-06/"
			"tcb_info.json",
			"open/collateral/tdx-b0c06f000000-2025-06/"
			"qe_identity.json" } },
	{ "SGX (v3)", "open/sgx/phala-v3-processor.quote.bin", "2025-06-25", "",
		{ "open/collateral/sgx-00a067110000-2025-06/root_ca.crl",
			"open/collateral/sgx-00a067110000-2025-06/pck.crl",
			"open/collateral/sgx-00a067110000-2025-06/"
			"tcb_signing_chain.pem",
			"open/collateral/sgx-00a067110000-2025-06/"
			"tcb_info.json",
			"open/collateral/sgx-00a067110000-2025-06/"
			"qe_identity.json" } },
	{ "Keystone", "open/keystone/derived-valid-sizeofbug-fixed.report.bin",
		"2026-01-01", "", { 0 } },
	{ "Sanctum", "open/sanctum/derived-valid.bin", "2026-01-01", "",
		{ 0 } },
};

static struct buf slurp(const char *root, const char *name)
{
	struct buf b = { 0 };
	auto_buf path = { 0 };
	must(buf_fmt(&path, "%s/%s", root, name));
	FILE *f = fopen(buf_cstr(&path), "rb");
	if (!f) {
		perror(buf_cstr(&path));
		exit(1);
	}
	uint8_t *to = buf_reserve(&b, 1 << 20);
	must(to);
	buf_commit(&b, fread(to, 1, 1 << 20, f));
	fclose(f);
	return b;
}

static double now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* The median; *least: of all. */
static double timed(const struct attest_input *in,
	const struct attest_policy *p, struct attest_verdict *v, double *least)
{
	static double us[RUNS];
	for (size_t i = 0; i < runs; i++) {
		double begin = now_us();
		must(attest_verify(in, p, v, NULL));
		us[i] = now_us() - begin;
	}
	qsort(us, runs, sizeof us[0], by_value);
	*least = us[0];
	return us[runs / 2];
}

/* A line of the table. */
static void measure(const char *name, struct attest_input *in,
	const struct attest_policy *p)
{
	static struct attest_verdict v;
	static struct attest_seen seen;
	double least, ignored, cold = timed(in, p, &v, &least);
	allocations = allocated = 0;
	must(attest_verify(in, p, &v, NULL));
	unsigned long count = allocations, bytes = allocated;
	memset(&seen, 0, sizeof seen);
	in->seen = &seen;
	double warm = timed(in, p, &v, &ignored);
	printf("%-18s %8.2f ms %8.2f ms %8.2f ms %8lu %10lu  %zu\n", name,
		cold / 1e3, least / 1e3, warm / 1e3, count, bytes, v.count);
}

/* A sealed key is its owner's own, so this one is made here. */
static void run_pef(void)
{
	struct pef_evidence v = { .version = htole32(PEF_VERSION) };
	struct crypto_key *key;
	struct attest_policy *p;
	auto_buf spki = { 0 }, sig = { 0 };
	memcpy(v.magic, PEF_MAGIC, sizeof v.magic);
	must(crypto_key_generate(CRYPTO_P256, &key, NULL));
	must(crypto_key_spki(key, &spki, NULL));
	must(crypto_key_fingerprint(key, v.key, NULL));
	must(crypto_sign(key, bytes_of(&v, PEF_SIGNED_BYTES), &sig, NULL));
	memcpy(v.signature, sig.ptr, sizeof v.signature);
	must(attest_policy_default(NULL, 0, &p, NULL));
	struct attest_input in = { .evidence = bytes_of(&v, sizeof v),
		.endorsements = buf_bytes(&spki),
		.binding = ATTEST_BIND_NOTHING };
	measure("PEF", &in, p);
	attest_policy_free(p);
	crypto_key_free(key);
}

static void run(const char *root, size_t at)
{
	struct attest_bundle b;
	struct attest_policy *p;
	struct buf raw[MAX_FILES] = { 0 };
	struct bytes files[MAX_FILES];
	int64_t when;
	size_t n = 0;
	auto_buf evidence = slurp(root, cases[at].evidence);
	must(attest_time_parse(cases[at].time, &when));
	when += 86400 / 2;
	must(attest_bundle_read(buf_bytes(&evidence), &b, NULL));
	for (; n < MAX_FILES && cases[at].files[n]; n++) {
		raw[n] = slurp(root, cases[at].files[n]);
		files[n] = buf_bytes(&raw[n]);
	}
	must(attest_bundle_endorse(&b, files, n, when, NULL));
	must(attest_policy_parse(bytes_str(cases[at].policy), "p", NULL, 0, &p,
		NULL));
	struct attest_input in = attest_bundle_input(&b);
	in.now = when;
	in.padded = true;
	measure(cases[at].name, &in, p);
	attest_policy_free(p);
	attest_bundle_fini(&b);
	for (size_t i = 0; i < n; i++)
		buf_fini(&raw[i]);
}

int main(int argc, char **argv)
{
	if (argc == 3)
		runs = (size_t)strtoul(argv[2], NULL, 10);
	if (argc < 2 || argc > 3 || !runs || runs > RUNS) {
		fprintf(stderr, "usage: %s VECTORS [TIMES]\n", argv[0]);
		return 2;
	}
	printf("%-18s %11s %11s %11s %8s %10s  checks\n", "family", "full",
		"least", "seen before", "mallocs", "bytes");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		run(argv[1], i);
	run_pef();
	return 0;
}
