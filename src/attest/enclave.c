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
	struct bytes signer = BYTES_ARRAY(body->mrsigner);
	if (attest_digests_has(&r->deny_signers, signer)) {
		struct attest_check *k = attest_check(c->out, "signer", false);
		attest_check_hex(k->observed, signer);
		fmt(k->required, TEXT, "one that the policy does not deny");
	} else if (r->signers.count) {
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

/* What only some policies ask for. */
static void check_sgx_rest(struct attest_case *c, uint64_t flags, uint64_t xfrm,
	const struct sgx_report *body)
{
	const struct attest_sgx_rules *r = &c->policy->sgx;
	unsigned svn = le16toh(body->configsvn);
	attest_check_mask(c, "attribute bits", flags, &r->attributes);
	attest_check_mask(c, "xfrm", xfrm, &r->xfrm);
	attest_check_mask(c, "miscselect", le32toh(body->miscselect),
		&r->miscselect);
	attest_check_one_of(c, "config id", BYTES_ARRAY(body->configid),
		&r->config_ids);
	attest_check_one_of(c, "extended product id",
		BYTES_ARRAY(body->isvextprodid), &r->extended_product_ids);
	attest_check_one_of(c, "family id", BYTES_ARRAY(body->isvfamilyid),
		&r->family_ids);
	if (!r->minimum_config_svn)
		return;
	struct attest_check *k = attest_check(c->out, "config svn",
		svn >= r->minimum_config_svn);
	fmt(k->observed, TEXT, "%u", svn);
	fmt(k->required, TEXT, "at least %u", r->minimum_config_svn);
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
	check_sgx_rest(c, flags, reader_u64le(&r), body);
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

/* Each part of the module's TCB, when the policy has a floor. */
static void check_tee_tcb(struct attest_case *c, const struct tdx_report *td)
{
	const uint8_t *least = c->policy->tdx.minimum_tcb_svn;
	size_t n = sizeof td->tee_tcb_svn;
	bool ok = true;
	if (bytes_all_zero(bytes_of(least, n)))
		return;
	for (size_t i = 0; i < n; i++)
		ok = ok && td->tee_tcb_svn[i] >= least[i];
	struct attest_check *k = attest_check(c->out, "tee tcb svn", ok);
	attest_check_hex(k->observed, bytes_of(td->tee_tcb_svn, n));
	attest_check_hex(k->required, bytes_of(least, n));
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
		attest_check_one_of(c, rtmr[i], BYTES_ARRAY(td->rtmr[i]),
			&r->rtmr[i]);
	attest_check_one_of(c, "mrseam", BYTES_ARRAY(td->mrseam), &r->mrseam);
	attest_check_one_of(c, "mrconfigid", BYTES_ARRAY(td->mrconfigid),
		&r->mrconfigid);
	attest_check_one_of(c, "mrowner", BYTES_ARRAY(td->mrowner),
		&r->mrowner);
	attest_check_one_of(c, "mrownerconfig", BYTES_ARRAY(td->mrownerconfig),
		&r->mrownerconfig);
	attest_check_one_of(c, "mrservicetd", BYTES_ARRAY(td->mrservicetd),
		&r->mrservicetd);
	attest_check_mask(c, "attribute bits", bits, &r->attributes);
	attest_check_mask(c, "xfam", le64toh(td->xfam), &r->xfam);
	check_tee_tcb(c, td);
	c->out->confidential = !f.debug;
	return attest_check_binding(c, &f, e);
}
