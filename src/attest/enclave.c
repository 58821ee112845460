/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/enclave.h"

#include <endian.h>

#include "base/fmt.h"
#include "base/reader.h"

enum { TEXT = sizeof((struct attest_check *)NULL)->observed, OWNER = 32 };

/* An owner's key hash with zeros behind, in a field the host can't change;
 * whatever else stands there is no owner and so is compared whole. */
static struct bytes owner_of(struct bytes field)
{
	return bytes_all_zero(bytes_from(field, OWNER)) ?
		bytes_of(field.ptr, OWNER) :
		field;
}

static void check_sgx_attributes(struct attest_case *c, uint64_t flags,
	const struct sgx_report *body)
{
	const uint64_t must = SGX_FLAG_INIT | SGX_FLAG_MODE64BIT;
	const char *why = NULL;
	if ((flags & must) != must)
		why = "not a 64-bit enclave that was initialised";
	else if (flags & ~SGX_FLAGS_KNOWN)
		why = "unknown bits";
	else if (flags & SGX_FLAG_PROVISIONKEY &&
		!c->policy->sgx.allow_provision_key)
		why = "may use the provisioning key";
	else if (!bytes_all_zero(BYTES_ARRAY(body->reserved_014)) ||
		!bytes_all_zero(BYTES_ARRAY(body->reserved_060)) ||
		!bytes_all_zero(BYTES_ARRAY(body->reserved_0a0)) ||
		!bytes_all_zero(BYTES_ARRAY(body->reserved_106)))
		why = "reserved bytes are not 0";
	struct attest_check *k = attest_check(c->out, "attributes", !why);
	fmt(k->observed, TEXT, "0x%llx%s%s", (unsigned long long)flags,
		why ? ": " : "", why ? why : "");
	fmt(k->required, TEXT, "initialised, 64-bit, nothing unknown");
}

static void check_sgx_signer(struct attest_case *c,
	const struct sgx_report *body)
{
	const struct attest_sgx_rules *r = &c->policy->sgx;
	unsigned product = le16toh(body->isvprodid);
	unsigned svn = le16toh(body->isvsvn);
	if (r->signers.count) {
		struct bytes signer = BYTES_ARRAY(body->mrsigner);
		struct attest_check *k = attest_check(c->out, "signer",
			attest_digests_has(&r->signers, signer));
		attest_check_hex(k->observed, signer);
		attest_check_list(k->required, &r->signers);
	} else {
		attest_check_skip(c->out, "signer", "the policy names none");
	}
	bool ok = svn >= r->minimum_svn &&
		(!r->product_named || product == r->product_id);
	struct attest_check *k = attest_check(c->out, "product", ok);
	fmt(k->observed, TEXT, "product %u, svn %u", product, svn);
	if (r->product_named)
		fmt(k->required, TEXT, "product %u, svn at least %u",
			r->product_id, r->minimum_svn);
	else
		fmt(k->required, TEXT, "svn at least %u", r->minimum_svn);
}

bool attest_enclave_sgx(struct attest_case *c, const struct sgx_report *body,
	struct err *e)
{
	struct reader r = { .in = BYTES_ARRAY(body->attributes) };
	uint64_t flags = reader_u64le(&r);
	struct attest_facts f = {
		.tech = ATTEST_TECH_SGX,
		.debug = flags & SGX_FLAG_DEBUG,
		.vouched = c->policy->sgx.signers.count,
		.measurement = BYTES_ARRAY(body->mrenclave),
		.report_data = BYTES_ARRAY(body->report_data),
		.owner = owner_of(BYTES_ARRAY(body->configid)),
	};
	check_sgx_attributes(c, flags, body);
	attest_check_identity(c, &f);
	check_sgx_signer(c, body);
	c->out->confidential = !f.debug;
	return attest_check_binding(c, &f, e);
}

static void check_td_attributes(struct attest_case *c,
	const struct tdx_report *td, uint64_t bits)
{
	const struct attest_tdx_rules *r = &c->policy->tdx;
	const char *why = NULL;
	if (bits & ~TDX_ATTR_KNOWN || (bits & TDX_ATTR_TUD & ~TDX_ATTR_DEBUG))
		why = "unknown bits";
	else if (bits & TDX_ATTR_MIGRATABLE && !r->allow_service_td)
		why = "may be migrated";
	else if (!bytes_all_zero(BYTES_ARRAY(td->mrservicetd)) &&
		!r->allow_service_td)
		why = "a service TD is bound to it";
	else if (bits & TDX_ATTR_PERFMON && !r->allow_perfmon)
		why = "has performance counters";
	else if (!(bits & TDX_ATTR_SEPT_VE_OFF) && !r->allow_sept_ve)
		why = "pages may be taken away unseen";
	struct attest_check *k = attest_check(c->out, "attributes", !why);
	fmt(k->observed, TEXT, "0x%llx%s%s", (unsigned long long)bits,
		why ? ": " : "", why ? why : "");
	fmt(k->required, TEXT,
		"SEPT_VE_DISABLE, no migration, nothing unknown, unless the "
		"policy says otherwise");
}

static void check_register(struct attest_case *c, const char *name,
	struct bytes value, const struct attest_digests *want)
{
	if (!want->count)
		return;
	struct attest_check *k =
		attest_check(c->out, name, attest_digests_has(want, value));
	attest_check_hex(k->observed, value);
	attest_check_list(k->required, want);
}

bool attest_enclave_tdx(struct attest_case *c, const struct tdx_report *td,
	struct err *e)
{
	static const char *const rtmr[] = { "rtmr0", "rtmr1", "rtmr2",
		"rtmr3" };
	const struct attest_tdx_rules *r = &c->policy->tdx;
	uint64_t bits = le64toh(td->td_attributes);
	struct attest_facts f = {
		.tech = ATTEST_TECH_TDX,
		.debug = bits & TDX_ATTR_DEBUG,
		.measurement = BYTES_ARRAY(td->mrtd),
		.report_data = BYTES_ARRAY(td->report_data),
		.owner = owner_of(BYTES_ARRAY(td->mrconfigid)),
	};
	check_td_attributes(c, td, bits);
	attest_check_identity(c, &f);
	for (size_t i = 0; i < ARRAY_LEN(rtmr); i++)
		check_register(c, rtmr[i], BYTES_ARRAY(td->rtmr[i]),
			&r->rtmr[i]);
	check_register(c, "mrseam", BYTES_ARRAY(td->mrseam), &r->mrseam);
	check_register(c, "mrconfigid", BYTES_ARRAY(td->mrconfigid),
		&r->mrconfigid);
	check_register(c, "mrowner", BYTES_ARRAY(td->mrowner), &r->mrowner);
	check_register(c, "mrownerconfig", BYTES_ARRAY(td->mrownerconfig),
		&r->mrownerconfig);
	c->out->confidential = !f.debug;
	return attest_check_binding(c, &f, e);
}
