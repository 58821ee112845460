/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/vet.h"

#include "../test.h"
#include "helpers/vectors.h"

#define SET "open/collateral/tdx-b0c06f000000-2025-06/"
#define ISSUERS \
	"open/collateral/tdx-b0c06f000000-2026-08/pck_crl_issuer_chain.pem"

static const struct {
	const char *file, *chain, *name;
} good[] = {
	{ "open/roots/ark_milan.crl.der", NULL, "amd-milan.crl" },
	{ "open/roots/ark_genoa.crl.der", NULL, "amd-genoa.crl" },
	{ SET "root_ca.crl", NULL, "intel-root.crl" },
	{ SET "pck.crl", ISSUERS, "intel-pck-platform.crl" },
	{ ISSUERS, NULL, "intel-pck-platform.pem" },
	{ SET "tcb_signing_chain.pem", NULL, "intel-tcb-signing.pem" },
	{ SET "tcb_info.json", SET "tcb_signing_chain.pem",
		"intel-tdx-b0c06f000000.json" },
	{ SET "qe_identity.json", SET "tcb_signing_chain.pem",
		"intel-tdx-qe.json" },
};

static bool vet(struct buf *file, const struct buf *chain, char *name)
{
	struct attest_vetted v;
	if (!attest_vet(buf_bytes(file), buf_bytes(chain), &v, NULL))
		return false;
	CHECK(v.from < v.to && v.what);
	memcpy(name, v.name, sizeof v.name);
	attest_vetted_fini(&v);
	return true;
}

TEST(what_vendors_signed_gets_a_name_and_no_bit_of_it_may_differ)
{
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		char name[ATTEST_VET_NAME];
		auto_buf file = { 0 }, chain = { 0 };
		if (!vectors_read(good[i].file, &file))
			SKIP_TEST("no vectors: DONJON_SHARED is absent");
		if (good[i].chain)
			CHECK(vectors_read(good[i].chain, &chain));
		CHECK(vet(&file, &chain, name));
		CHECK_STR(name, good[i].name);
		bool pem = file.ptr[0] == '-', json = file.ptr[0] == '{';
		for (size_t at = 0; at < file.len; at += pem ? 41 : 17) {
			/* Text has blanks and cases that mean nothing. */
			uint8_t bit = json || pem ? 1 : 0x20;
			file.ptr[at] ^= bit;
			if (vet(&file, &chain, name))
				CHECK(pem || json);
			file.ptr[at] ^= bit;
		}
		file.len /= 2;
		CHECK(!vet(&file, &chain, name));
	}
}

TEST(what_is_wanted_is_found_again_by_its_name)
{
	struct attest_wanted w;
	CHECK(attest_wanted_again("intel-tdx-b0c06f000000.json", &w));
	CHECK_STR(w.path, "/tdx/certification/v4/tcb?fmspc=b0c06f000000");
	CHECK(attest_wanted_again("amd-turin.crl", &w));
	CHECK_STR(w.path, "/vcek/v1/Turin/crl");
	CHECK(w.service == ATTEST_KDS);
	CHECK(attest_wanted_again("intel-root.crl", &w) && w.elsewhere);
	static const char *const none[] = { "", "x", "intel-tdx-.json",
		"intel-abc-b0c06f000000.json", "intel-sgx-B0C06F000000.json",
		"amd-naples.crl", "intel-tdx-../../../etc.json",
		"intel-tcb-signing.pem" };
	for (size_t i = 0; i < ARRAY_LEN(none); i++)
		CHECK(!attest_wanted_again(none[i], &w));
}

TEST(evidence_wants_what_its_verifier_needs)
{
	static struct attest_wanted w[ATTEST_WANTED_MAX];
	struct attest_bundle b = { 0 };
	size_t n;
	struct err e = { 0 };
	auto_buf report = { 0 };
	if (!vectors_read("open/snp/ms-turin-v5.report.bin", &report))
		SKIP_TEST("no vectors: DONJON_SHARED is absent");
	CHECK(attest_bundle_read(buf_bytes(&report), &b, &e));
	CHECK(attest_wanted(&b, w, &n, &e));
	CHECK_INT(n, 2);
	CHECK_STR(w[1].path,
		"/vcek/v1/Turin/59790fb1c39f35c1?fmcSPL=01&blSPL=01&teeSPL=01"
		"&snpSPL=04&ucodeSPL=81");
	attest_bundle_fini(&b);
}
