/* SPDX-License-Identifier: Apache-2.0 */
/* The status of a platform, converged as Intel's library does it. */
#include <endian.h>
#include <stdio.h>

#include "attest/intel.h"

#include "../test.h"

/* Platform and PCE of the PCK certificate. */
static const struct intel_pck pck = { .pcesvn = 11,
	.components = { 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5 } };

static void put_components(struct buf *b, const char *key, unsigned first,
	unsigned rest)
{
	buf_fmt(b, ",\"%s\":[", key);
	for (unsigned i = 0; i < 16; i++)
		buf_fmt(b, "%s{\"svn\":%u}", i ? "," : "", i ? rest : first);
	buf_str(b, "]");
}

/* A level of TCB info; tdx: of its first component, the rest are 2. */
static void put_level(struct buf *b, unsigned pcesvn, unsigned sgx,
	unsigned tdx, const char *status, const char *advisories)
{
	buf_fmt(b, "%s{\"tcb\":{\"pcesvn\":%u",
		b->ptr[b->len - 1] == '[' ? "" : ",", pcesvn);
	put_components(b, "sgxtcbcomponents", sgx, 5);
	put_components(b, "tdxtcbcomponents", tdx, 2);
	buf_fmt(b, "},\"tcbStatus\":\"%s\",\"advisoryIDs\":[%s]}", status,
		advisories);
}

static json_t *parsed(struct buf *b)
{
	json_t *o;
	struct err e = { 0 };
	if (!json_parse(buf_bytes(b), 1 << 20, &o, &e))
		fail_msg("%s: %s", e.text, buf_cstr(b));
	return o;
}

/* One level for all, and a module's identity of one. */
static json_t *info(const char *platform, const char *module)
{
	auto_buf b = { 0 };
	buf_str(&b, "{\"tcbLevels\":[");
	put_level(&b, 11, 5, 3, platform, "\"INTEL-SA-1\",\"INTEL-SA-2\"");
	CHECK(buf_fmt(&b,
		"],\"tdxModuleIdentities\":[{\"id\":\"TDX_01\",\"tcbLevels\":[{"
		"\"tcb\":{\"isvsvn\":4},\"tcbStatus\":\"%s\","
		"\"advisoryIDs\":[\"INTEL-SA-2\",\"INTEL-SA-3\"]}]}]}",
		module));
	return parsed(&b);
}

static struct intel_level found(const json_t *o, const struct tdx_report *td,
	enum intel_status qe, const struct attest_names *allowed)
{
	static const struct attest_names none = { 0 };
	struct intel_level l = { .qe = qe };
	struct err e = { 0 };
	if (!attest_level_find(o, &pck, td, false, allowed ? allowed : &none,
		    &l, &e))
		fail_msg("%s", e.text);
	return l;
}

static const char *sgx_status(const char *platform, enum intel_status qe)
{
	json_t *o = info(platform, "UpToDate");
	struct intel_level l = found(o, NULL, qe, NULL);
	json_decref(o);
	return attest_status_name(l.all);
}

TEST(statuses_of_platform_and_quoting_enclave_converge)
{
	static const struct {
		const char *platform;
		enum intel_status qe;
		const char *all;
	} t[] = {
		{ "UpToDate", INTEL_UP_TO_DATE, "UpToDate" },
		{ "SWHardeningNeeded", INTEL_UP_TO_DATE, "SWHardeningNeeded" },
		{ "UpToDate", INTEL_OUT_OF_DATE, "OutOfDate" },
		{ "SWHardeningNeeded", INTEL_OUT_OF_DATE, "OutOfDate" },
		{ "ConfigurationNeeded", INTEL_OUT_OF_DATE,
			"OutOfDateConfigurationNeeded" },
		{ "ConfigurationAndSWHardeningNeeded", INTEL_OUT_OF_DATE,
			"OutOfDateConfigurationNeeded" },
		{ "OutOfDate", INTEL_UP_TO_DATE, "OutOfDate" },
		{ "OutOfDate", INTEL_OUT_OF_DATE, "OutOfDate" },
		{ "Revoked", INTEL_UP_TO_DATE, "Revoked" },
		{ "UpToDate", INTEL_REVOKED, "Revoked" },
		{ "Revoked", INTEL_OUT_OF_DATE, "Revoked" },
		{ "UpToDate", INTEL_NOT_SUPPORTED, "TCB_NOT_SUPPORTED" },
	};
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		CHECK_STR(sgx_status(t[i].platform, t[i].qe), t[i].all);
}

TEST(the_first_level_that_is_reached_counts)
{
	static const struct {
		unsigned pcesvn, sgx;
		const char *status;
	} want[] = {
		{ 12, 5, "OutOfDate" }, /* the PCE is too old for the first */
		{ 11, 6, "OutOfDate" }, /* one component is */
		{ 11, 5, "UpToDate" },
		{ 0, 0, "UpToDate" },
	};
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		auto_buf b = { 0 };
		buf_str(&b, "{\"tcbLevels\":[");
		put_level(&b, want[i].pcesvn, want[i].sgx, 3, "UpToDate", "");
		put_level(&b, 11, 5, 3, "OutOfDate", "");
		put_level(&b, 1, 1, 1, "Revoked", "");
		CHECK(buf_str(&b, "]}"));
		json_t *o = parsed(&b);
		struct intel_level l = found(o, NULL, INTEL_UP_TO_DATE, NULL);
		CHECK_STR(attest_status_name(l.all), want[i].status);
		json_decref(o);
	}
	auto_buf none = { 0 };
	CHECK(buf_str(&none, "{\"tcbLevels\":[]}"));
	json_t *o = parsed(&none);
	struct intel_level l = found(o, NULL, INTEL_UP_TO_DATE, NULL);
	CHECK_STR(attest_status_name(l.all), "TCB_NOT_SUPPORTED");
	json_decref(o);
}

TEST(modules_with_a_version_are_judged_by_their_identity)
{
	static const struct {
		uint8_t svn[3]; /* of the module: minor, major; then the rest */
		const char *module, *all;
	} t[] = {
		{ { 4, 1, 2 }, "UpToDate", "UpToDate" },
		{ { 4, 1, 2 }, "OutOfDate", "OutOfDate" },
		{ { 4, 1, 2 }, "Revoked", "Revoked" },
		/* Below all levels of the identity. */
		{ { 3, 1, 2 }, "UpToDate", "TCB_NOT_SUPPORTED" },
		/* A component that is not the module's own. */
		{ { 4, 1, 1 }, "UpToDate", "TCB_NOT_SUPPORTED" },
		/* Without a version all sixteen count. */
		{ { 2, 0, 2 }, "UpToDate", "TCB_NOT_SUPPORTED" },
	};
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct tdx_report td;
		memset(&td, 2, sizeof td);
		memcpy(td.tee_tcb_svn, t[i].svn, sizeof t[i].svn);
		json_t *o = info("UpToDate", t[i].module);
		struct intel_level l = found(o, &td, INTEL_UP_TO_DATE, NULL);
		CHECK_STR(attest_status_name(l.all), t[i].all);
		json_decref(o);
	}
}

TEST(advisories_are_those_of_platform_module_and_enclave_each_once)
{
	static char one[] = "INTEL-SA-1", two[] = "INTEL-SA-2",
		    three[] = "INTEL-SA-3";
	char *list[] = { one, two, three };
	const struct attest_names some = { list, 2 }, all = { list, 3 };
	struct tdx_report td;
	memset(&td, 2, sizeof td);
	memcpy(td.tee_tcb_svn, "\x04\x01", 2);
	json_t *o = info("OutOfDate", "OutOfDate");
	struct intel_level l = found(o, &td, INTEL_UP_TO_DATE, &some);
	CHECK_STR(l.advisories, "INTEL-SA-1,INTEL-SA-2,INTEL-SA-3");
	CHECK_INT(l.advisory_count, 3);
	CHECK_INT(l.advisories_allowed, 2); /* the module's is not */
	l = found(o, &td, INTEL_UP_TO_DATE, &all);
	CHECK_INT(l.advisories_allowed, 3);
	json_decref(o);
}

TEST(quoting_enclaves_bring_their_status_and_advisories)
{
	static const struct attest_names none = { 0 };
	struct sgx_report qe = { .isvprodid = htole16(1),
		.isvsvn = htole16(6) };
	struct intel_level l = { 0 };
	struct err e = { 0 };
	auto_buf b = { 0 };
	CHECK(buf_fmt(&b,
		"{\"mrsigner\":\"%064d\",\"attributes\":\"%032d\","
		"\"attributesMask\":\"%032d\",\"miscselect\":\"00000000\","
		"\"miscselectMask\":\"FFFFFFFF\",\"isvprodid\":1,"
		"\"tcbLevels\":[{\"tcb\":{\"isvsvn\":8},\"tcbStatus\":"
		"\"UpToDate\"},{\"tcb\":{\"isvsvn\":6},\"tcbStatus\":"
		"\"OutOfDate\",\"advisoryIDs\":[\"INTEL-SA-9\"]}]}",
		0, 0, 0));
	json_t *identity = parsed(&b);
	CHECK(attest_level_qe(identity, &qe, &none, &l, &e));
	CHECK_STR(attest_status_name(l.qe), "OutOfDate");
	CHECK_STR(l.advisories, "INTEL-SA-9");
	json_t *o = info("UpToDate", "UpToDate");
	CHECK(attest_level_find(o, &pck, NULL, false, &none, &l, &e));
	CHECK_STR(attest_status_name(l.all), "OutOfDate");
	CHECK_STR(l.advisories, "INTEL-SA-9,INTEL-SA-1,INTEL-SA-2");
	json_decref(o);
	qe.isvsvn = htole16(8);
	CHECK(attest_level_qe(identity, &qe, &none, &l, &e));
	CHECK_STR(attest_status_name(l.qe), "UpToDate");
	qe.isvprodid = htole16(2);
	CHECK(!attest_level_qe(identity, &qe, &none, &l, &e));
	CHECK_HAS(e.text, "another product");
	qe.isvprodid = htole16(1);
	qe.miscselect = htole32(1);
	CHECK(!attest_level_qe(identity, &qe, &none, &l, &e));
	qe.miscselect = 0;
	qe.mrsigner[0] = 1;
	CHECK(!attest_level_qe(identity, &qe, &none, &l, &e));
	CHECK_HAS(e.text, "another signer");
	json_decref(identity);
}
