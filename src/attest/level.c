/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The status of an Intel platform: the first level of the TCB info that it
 * reaches, converged with those of the TDX module and the quoting enclave as
 * Intel's own verifier does (SGX-TDX-DCAP-QuoteVerificationLibrary,
 * TcbLevelCheck, TdxModuleCheck, TDRelaunchCheck).
 */
#include "attest/intel.h"
#include "attest/time.h"

#include <endian.h>

#include "base/fmt.h"
#include "codec/hex.h"

static const char *const status_names[INTEL_STATUSES] = {
	[INTEL_UP_TO_DATE] = "UpToDate",
	[INTEL_SW_HARDENING] = "SWHardeningNeeded",
	[INTEL_CONFIGURATION] = "ConfigurationNeeded",
	[INTEL_CONFIGURATION_SW_HARDENING] =
		"ConfigurationAndSWHardeningNeeded",
	[INTEL_OUT_OF_DATE] = "OutOfDate",
	[INTEL_OUT_OF_DATE_CONFIGURATION] = "OutOfDateConfigurationNeeded",
	[INTEL_TD_RELAUNCH] = "TDRelaunchAdvised",
	[INTEL_TD_RELAUNCH_CONFIGURATION] =
		"TDRelaunchAdvisedConfigurationNeeded",
	[INTEL_REVOKED] = "Revoked",
	[INTEL_NOT_SUPPORTED] = "TCB_NOT_SUPPORTED",
};

const char *attest_status_name(enum intel_status s)
{
	return s < INTEL_STATUSES ? status_names[s] : "unknown";
}

enum intel_status attest_status_find(const char *name)
{
	unsigned s = 0;
	while (s < INTEL_STATUSES && strcmp(status_names[s], name) != 0)
		s++;
	return (enum intel_status)s;
}

static bool read_status(const json_t *level, enum intel_status *out,
	struct err *e)
{
	const char *text;
	if (!json_member_str(level, "tcbStatus", 64, &text, e))
		return false;
	*out = attest_status_find(text);
	/* Those that only a verifier makes are none of a document. */
	if (*out == INTEL_STATUSES || *out == INTEL_NOT_SUPPORTED ||
		*out == INTEL_TD_RELAUNCH ||
		*out == INTEL_TD_RELAUNCH_CONFIGURATION)
		return err_fail(e, ERR_INPUT, "unknown status of a level");
	return true;
}

static bool read_components(const json_t *tcb, const char *key,
	uint8_t out[INTEL_COMPONENTS], struct err *e)
{
	const json_t *list = json_object_get(tcb, key);
	if (json_array_size(list) != INTEL_COMPONENTS)
		return err_fail(e, ERR_INPUT, "%s: not 16", key);
	for (size_t i = 0; i < INTEL_COMPONENTS; i++) {
		uint64_t svn;
		if (!json_member_u64(json_array_get(list, i), "svn", 0,
			    UINT8_MAX, &svn, e))
			return err_wrap(e, "%s", key);
		out[i] = (uint8_t)svn;
	}
	return true;
}

static bool at_least(const uint8_t *have, const uint8_t *need, size_t from)
{
	for (size_t i = from; i < INTEL_COMPONENTS; i++)
		if (have[i] < need[i])
			return false;
	return true;
}

/* Whether a platform reaches a level.  A TD whose module has a version of
 * its own (tee_tcb_svn[1]) leaves the first two to the module's identity. */
static bool reaches(const json_t *level, const struct intel_pck *pck,
	const struct tdx_report *td, bool *yes, struct err *e)
{
	uint8_t sgx[INTEL_COMPONENTS], tdx[INTEL_COMPONENTS];
	uint64_t pcesvn;
	const json_t *tcb = json_object_get(level, "tcb");
	if (!read_components(tcb, "sgxtcbcomponents", sgx, e) ||
		!json_member_u64(tcb, "pcesvn", 0, UINT16_MAX, &pcesvn, e))
		return false;
	*yes = at_least(pck->components, sgx, 0) && pck->pcesvn >= pcesvn;
	if (!td)
		return true;
	if (!read_components(tcb, "tdxtcbcomponents", tdx, e))
		return false;
	*yes = *yes &&
		at_least(td->tee_tcb_svn, tdx, td->tee_tcb_svn[1] ? 2 : 0);
	return true;
}

static bool allows(const struct attest_names *allowed, const char *id)
{
	for (size_t i = 0; i < allowed->count; i++)
		if (strcmp(allowed->ptr[i], id) == 0)
			return true;
	return false;
}

/* Whether it stands among those with commas between. */
static bool listed(const char *list, const char *id)
{
	size_t n = strlen(id);
	for (const char *p = list; *p; p += strcspn(p, ","), p += *p == ',')
		if (!strncmp(p, id, n) && (p[n] == ',' || !p[n]))
			return true;
	return false;
}

/* Those of platform, module and quoting enclave together, each once. */
static bool add_advisory(const char *id, const struct attest_names *allowed,
	struct intel_level *l, struct err *e)
{
	size_t at = strlen(l->advisories);
	for (size_t k = 0; id && id[k]; k++)
		if (id[k] <= ' ' || id[k] > '~' || id[k] == ',')
			id = NULL;
	if (!id || !*id)
		return err_fail(e, ERR_INPUT, "advisoryIDs: no text");
	if (listed(l->advisories, id))
		return true;
	l->advisory_count++;
	l->advisories_allowed += allows(allowed, id);
	fmt(l->advisories + at, sizeof l->advisories - at, "%s%s",
		at ? "," : "", id);
	return true;
}

static bool read_advisories(const json_t *level,
	const struct attest_names *allowed, struct intel_level *l,
	struct err *e)
{
	const json_t *list = json_object_get(level, "advisoryIDs");
	if (list && !json_is_array(list))
		return err_fail(e, ERR_INPUT, "advisoryIDs: not an array");
	for (size_t i = 0; i < json_array_size(list); i++)
		if (!add_advisory(json_string_value(json_array_get(list, i)),
			    allowed, l, e))
			return false;
	return true;
}

/* "TDX_01" of tee_tcb_svn[1]; NULL when there is none. */
static const json_t *module_identity(const json_t *info, uint8_t version)
{
	char id[8];
	const json_t *list = json_object_get(info, "tdxModuleIdentities");
	fmt(id, sizeof id, "TDX_%02X", version);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *m = json_array_get(list, i);
		const char *text = json_string_value(json_object_get(m, "id"));
		if (text && strcmp(text, id) == 0)
			return m;
	}
	return NULL;
}

/* The first level of an enclave's or a module's identity. */
static bool isv_status(const json_t *identity, uint64_t isvsvn,
	const struct attest_names *allowed, struct intel_level *l,
	enum intel_status *out, struct err *e)
{
	const json_t *list = json_object_get(identity, "tcbLevels");
	*out = INTEL_NOT_SUPPORTED;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *level = json_array_get(list, i);
		const json_t *tcb = json_object_get(level, "tcb");
		uint64_t least;
		if (!json_member_u64(tcb, "isvsvn", 0, UINT16_MAX, &least, e))
			return false;
		if (isvsvn >= least)
			return read_status(level, out, e) &&
				read_advisories(level, allowed, l, e);
	}
	return true;
}

static enum intel_status converge(enum intel_status s, enum intel_status with)
{
	if (s == INTEL_NOT_SUPPORTED || with == INTEL_NOT_SUPPORTED)
		return INTEL_NOT_SUPPORTED;
	if (s == INTEL_REVOKED || with == INTEL_REVOKED)
		return INTEL_REVOKED;
	if (with == INTEL_UP_TO_DATE)
		return s;
	/* Whatever else an identity says is no better than out of date. */
	switch (s) {
	case INTEL_CONFIGURATION:
	case INTEL_CONFIGURATION_SW_HARDENING:
	case INTEL_OUT_OF_DATE_CONFIGURATION:
	case INTEL_TD_RELAUNCH_CONFIGURATION:
		return INTEL_OUT_OF_DATE_CONFIGURATION;
	default:
		return INTEL_OUT_OF_DATE;
	}
}

static bool newest_svn(const json_t *info, const json_t *identity,
	uint64_t *isvsvn, uint8_t components[INTEL_COMPONENTS], struct err *e)
{
	const json_t *module =
		json_array_get(json_object_get(identity, "tcbLevels"), 0);
	const json_t *level =
		json_array_get(json_object_get(info, "tcbLevels"), 0);
	return json_member_u64(json_object_get(module, "tcb"), "isvsvn", 0,
		       UINT16_MAX, isvsvn, e) &&
		read_components(json_object_get(level, "tcb"),
			"tdxtcbcomponents", components, e);
}

/* A module that was updated under a running TD: it need only start again. */
static bool relaunch(const json_t *info, const struct tdx_report *td,
	struct intel_level *l, struct err *e)
{
	uint8_t newest[INTEL_COMPONENTS];
	uint64_t isvsvn;
	const uint8_t *svn = td->tee_tcb_svn_2;
	const json_t *identity = module_identity(info, svn[1]);
	bool late = l->all == INTEL_OUT_OF_DATE ||
		l->all == INTEL_OUT_OF_DATE_CONFIGURATION;
	if (!late || l->module != INTEL_OUT_OF_DATE ||
		l->platform > INTEL_CONFIGURATION_SW_HARDENING || !identity)
		return true;
	if (!newest_svn(info, identity, &isvsvn, newest, e))
		return false;
	if (svn[0] >= isvsvn && svn[2] >= newest[2])
		l->all = l->all == INTEL_OUT_OF_DATE ?
			INTEL_TD_RELAUNCH :
			INTEL_TD_RELAUNCH_CONFIGURATION;
	return true;
}

static bool module_level(const json_t *info, const struct tdx_report *td,
	bool td15, const struct attest_names *allowed, struct intel_level *l,
	struct err *e)
{
	l->all = l->platform;
	if (!td || !td->tee_tcb_svn[1])
		return true;
	const json_t *identity = module_identity(info, td->tee_tcb_svn[1]);
	if (!identity)
		return err_fail(e, ERR_DENIED, "no identity of TDX module %u",
			td->tee_tcb_svn[1]);
	if (!isv_status(identity, td->tee_tcb_svn[0], allowed, l, &l->module,
		    e))
		return false;
	l->all = converge(l->all, l->module);
	return !td15 || relaunch(info, td, l, e);
}

bool attest_level_find(const json_t *tcb_info, const struct intel_pck *pck,
	const struct tdx_report *td, bool td15,
	const struct attest_names *allowed, struct intel_level *l,
	struct err *e)
{
	const json_t *list = json_object_get(tcb_info, "tcbLevels");
	/* What the quoting enclave has stays. */
	l->platform = INTEL_NOT_SUPPORTED;
	l->module = INTEL_UP_TO_DATE;
	l->date = 0;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *level = json_array_get(list, i);
		bool yes;
		if (!reaches(level, pck, td, &yes, e))
			return false;
		if (!yes)
			continue;
		const char *date =
			json_string_value(json_object_get(level, "tcbDate"));
		if (!read_status(level, &l->platform, e) ||
			!read_advisories(level, allowed, l, e))
			return false;
		if (date && !attest_time_parse(date, &l->date))
			return err_fail(e, ERR_INPUT, "tcbDate: no date");
		break;
	}
	if (!module_level(tcb_info, td, td15, allowed, l, e))
		return false;
	l->all = converge(l->all, l->qe);
	return true;
}

/* Bytes under a mask. */
static bool masked_equal(const uint8_t *have, const uint8_t *want,
	const uint8_t *mask, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((have[i] & mask[i]) != (want[i] & mask[i]))
			return false;
	return true;
}

/* miscselect stands as the digits of a number, the highest byte first. */
static bool misc_ok(const json_t *o, uint32_t have, struct err *e)
{
	uint8_t want[4], mask[4], raw[4];
	if (!json_member_hex(o, "miscselect", want, 4, e) ||
		!json_member_hex(o, "miscselectMask", mask, 4, e))
		return false;
	for (size_t i = 0; i < 4; i++)
		raw[i] = (uint8_t)(have >> (24 - 8 * i));
	return masked_equal(raw, want, mask, 4) ||
		err_fail(e, ERR_DENIED, "enclave has another miscselect");
}

bool attest_level_qe(const json_t *identity, const struct sgx_report *qe,
	const struct attest_names *allowed, struct intel_level *l,
	struct err *e)
{
	uint8_t want[16], mask[16], signer[32];
	uint64_t product;
	if (!json_member_hex(identity, "mrsigner", signer, 32, e) ||
		!json_member_hex(identity, "attributes", want, 16, e) ||
		!json_member_hex(identity, "attributesMask", mask, 16, e) ||
		!json_member_u64(identity, "isvprodid", 0, UINT16_MAX, &product,
			e) ||
		!misc_ok(identity, le32toh(qe->miscselect), e))
		return false;
	if (memcmp(signer, qe->mrsigner, sizeof signer) != 0)
		return err_fail(e, ERR_DENIED, "enclave of another signer");
	if (product != le16toh(qe->isvprodid))
		return err_fail(e, ERR_DENIED, "enclave of another product");
	if (!masked_equal(qe->attributes, want, mask, sizeof want))
		return err_fail(e, ERR_DENIED, "enclave with other attributes");
	return isv_status(identity, le16toh(qe->isvsvn), allowed, l, &l->qe, e);
}

bool attest_level_module(const json_t *tcb_info, const struct tdx_report *td,
	struct err *e)
{
	uint8_t signer[48], want[8], mask[8];
	const json_t *module = td->tee_tcb_svn[1] ?
		module_identity(tcb_info, td->tee_tcb_svn[1]) :
		json_object_get(tcb_info, "tdxModule");
	if (!module)
		return err_fail(e, ERR_DENIED, "no identity of TDX module %u",
			td->tee_tcb_svn[1]);
	if (!json_member_hex(module, "mrsigner", signer, sizeof signer, e) ||
		!json_member_hex(module, "attributes", want, sizeof want, e) ||
		!json_member_hex(module, "attributesMask", mask, sizeof mask,
			e))
		return false;
	if (memcmp(signer, td->mrsignerseam, sizeof signer) != 0)
		return err_fail(e, ERR_DENIED, "module of another signer");
	return masked_equal(td->seamattributes, want, mask, sizeof want) ||
		err_fail(e, ERR_DENIED, "module with other attributes");
}
