/* SPDX-License-Identifier: Apache-2.0 */
/* What a policy accepts, in sentences, and a policy to begin with. */
#include "attest/check.h"
#include "attest/snp.h"
#include "attest/time.h"
#include "codec/hex.h"

static void list(struct buf *out, const char *what,
	const struct attest_digests *d)
{
	for (size_t i = 0; i < d->count; i++) {
		char hex[2 * sizeof d->ptr[i].value + 1];
		hex_encode(bytes_of(d->ptr[i].value, d->ptr[i].len), hex);
		buf_fmt(out, "  %s %s\n", what, hex);
	}
}

/* "  It must be one of WHAT:" and the values, when there are some. */
static void one_of(struct buf *out, const char *what,
	const struct attest_digests *d)
{
	if (!d->count)
		return;
	buf_fmt(out, "  Its %s must be %s:\n", what,
		d->count > 1 ? "one of these" : "this");
	list(out, "  ", d);
}

static void none_of(struct buf *out, const char *what,
	const struct attest_digests *d)
{
	if (!d->count)
		return;
	buf_fmt(out, "  Its %s must not be:\n", what);
	list(out, "  ", d);
}

static void bits(struct buf *out, const char *what, const struct attest_mask *m)
{
	if (m->mask)
		buf_fmt(out, "  Its %s must be 0x%llx under the mask 0x%llx.\n",
			what, (unsigned long long)m->value,
			(unsigned long long)m->mask);
}

static void names(struct buf *out, const char *before,
	const struct attest_names *n)
{
	for (size_t i = 0; i < n->count; i++)
		buf_fmt(out, "%s%s", i ? ", " : before, n->ptr[i]);
	if (n->count)
		buf_str(out, ".\n");
}

static void explain_tcb(const struct attest_snp_rules *r, unsigned kind,
	const char *name, struct buf *out)
{
	for (unsigned p = 0; p < SNP_PRODUCTS; p++) {
		const uint8_t *tcb = r->minimum_tcb[kind][p];
		const char *between = "";
		if (!r->products[p] || bytes_all_zero(bytes_of(tcb, 8)))
			continue;
		buf_fmt(out, "  On %s its %s TCB must be at least",
			attest_snp_name((enum attest_snp_product)p), name);
		for (unsigned i = 0; i < SNP_TCB_PARTS; i++) {
			enum snp_tcb_part part = (enum snp_tcb_part)i;
			uint8_t v = attest_snp_tcb((enum attest_snp_product)p,
				tcb, part);
			if (!v)
				continue;
			buf_fmt(out, "%s %s %u", between, attest_snp_part(part),
				v);
			between = ",";
		}
		buf_str(out, ".\n");
	}
}

static void explain_snp_platform(const struct attest_snp_rules *r,
	struct buf *out)
{
	buf_str(out,
		r->allow_no_alias_check ?
			"  Memory need not have been checked for aliases.\n" :
			"  Memory must have been checked for aliases.\n");
	if (r->allow_masked_chip)
		buf_str(out, "  It need not say which chip it is.\n");
	if (r->refuse_smt)
		buf_str(out, "  Sibling threads must be off.\n");
	if (r->single_socket)
		buf_str(out, "  It must be bound to one socket.\n");
	if (r->ciphertext_hiding)
		buf_str(out, "  Ciphertext must be hidden from the host.\n");
	if (r->minimum_firmware)
		buf_fmt(out, "  Its firmware must be at least %u.%u.%u.\n",
			r->minimum_firmware >> 16,
			r->minimum_firmware >> 8 & 255,
			r->minimum_firmware & 255);
	if (r->minimum_abi)
		buf_fmt(out,
			"  Its launch must ask for interface %u.%u or newer.\n",
			r->minimum_abi >> 8, r->minimum_abi & 255);
	if (r->mitigations)
		buf_fmt(out,
			"  It must have been launched with the mitigations "
			"0x%llx.\n",
			(unsigned long long)r->mitigations);
	bits(out, "guest policy", &r->policy);
	bits(out, "platform information", &r->platform);
}

static void explain_snp(const struct attest_policy *p, struct buf *out)
{
	const struct attest_snp_rules *r = &p->snp;
	const char *between = " ";
	buf_str(out, "  Its processor must be");
	for (unsigned i = 0; i < SNP_PRODUCTS; i++)
		if (r->products[i]) {
			buf_fmt(out, "%s%s", between,
				attest_snp_name((enum attest_snp_product)i));
			between = " or ";
		}
	buf_fmt(out, ", genuine by AMD's root.\n  A revocation list %s.\n",
		r->crl_optional ? "may be missing" : "must be there");
	explain_tcb(r, ATTEST_TCB_REPORTED, "reported", out);
	explain_tcb(r, ATTEST_TCB_COMMITTED, "committed", out);
	explain_tcb(r, ATTEST_TCB_LAUNCH, "launch", out);
	explain_snp_platform(r, out);
	buf_fmt(out, "  Its privilege level must be VMPL %u.\n", r->vmpl);
	if (r->minimum_guest_svn)
		buf_fmt(out, "  Its guest SVN must be at least %u.\n",
			r->minimum_guest_svn);
	if (r->csp_ids.count)
		names(out, "  VLEKs are accepted of ", &r->csp_ids);
	else
		buf_str(out, "  No cloud provider's key (VLEK) is accepted.\n");
	one_of(out, "author key", &r->author_keys);
	one_of(out, "ID key", &r->id_keys);
	none_of(out, "author or ID key", &r->deny_keys);
	one_of(out, "chip", &r->chip_ids);
	none_of(out, "chip", &r->deny_chip_ids);
	one_of(out, "host data", &r->host_data);
	one_of(out, "family id", &r->family_ids);
	one_of(out, "image id", &r->image_ids);
}

static void explain_intel(const struct attest_intel_rules *r, struct buf *out)
{
	char date[ATTEST_TIME_TEXT];
	buf_str(out,
		"  Its platform must be genuine by Intel's root, its TCB "
		"UpToDate");
	for (size_t i = 0; i < r->statuses.count; i++)
		buf_fmt(out, " or %s", r->statuses.ptr[i]);
	buf_str(out, ".\n");
	if (r->statuses.count && r->advisories.count)
		names(out, "  Such a TCB may carry ", &r->advisories);
	else if (r->statuses.count)
		buf_str(out, "  Such a TCB may carry no advisory.\n");
	if (r->minimum_evaluation)
		buf_fmt(out,
			"  Its collateral must be of evaluation %u or "
			"later.\n",
			r->minimum_evaluation);
	if (r->minimum_tcb_date) {
		attest_time_print(r->minimum_tcb_date, date);
		buf_fmt(out, "  Its TCB must be of %s or later.\n", date);
	}
	one_of(out, "platform (FMSPC)", &r->fmspcs);
}

static void explain_sgx(const struct attest_policy *p, struct buf *out)
{
	const struct attest_sgx_rules *r = &p->sgx;
	explain_intel(&r->intel, out);
	one_of(out, "signer (MRSIGNER)", &r->signers);
	none_of(out, "signer (MRSIGNER)", &r->deny_signers);
	if (r->product_named)
		buf_fmt(out, "  Its product (ISVPRODID) must be %u.\n",
			r->product_id);
	if (r->minimum_svn)
		buf_fmt(out, "  Its version (ISVSVN) must be at least %u.\n",
			r->minimum_svn);
	if (r->minimum_config_svn)
		buf_fmt(out, "  Its CONFIGSVN must be at least %u.\n",
			r->minimum_config_svn);
	if (r->allow_provision_key)
		buf_str(out, "  It may use the provisioning key.\n");
	one_of(out, "CONFIGID", &r->config_ids);
	one_of(out, "ISVEXTPRODID", &r->extended_product_ids);
	one_of(out, "ISVFAMILYID", &r->family_ids);
	bits(out, "attributes", &r->attributes);
	bits(out, "XFRM", &r->xfrm);
	bits(out, "MISCSELECT", &r->miscselect);
}

static void explain_tdx(const struct attest_policy *p, struct buf *out)
{
	static const char *const rtmr[] = { "RTMR0", "RTMR1", "RTMR2",
		"RTMR3" };
	const struct attest_tdx_rules *r = &p->tdx;
	struct bytes svn = BYTES_ARRAY(r->minimum_tcb_svn);
	explain_intel(&r->intel, out);
	for (size_t i = 0; i < ARRAY_LEN(rtmr); i++)
		one_of(out, rtmr[i], &r->rtmr[i]);
	one_of(out, "MRSEAM", &r->mrseam);
	one_of(out, "MRCONFIGID", &r->mrconfigid);
	one_of(out, "MROWNER", &r->mrowner);
	one_of(out, "MROWNERCONFIG", &r->mrownerconfig);
	one_of(out, "MRSERVICETD", &r->mrservicetd);
	bits(out, "attributes", &r->attributes);
	bits(out, "XFAM", &r->xfam);
	if (!bytes_all_zero(svn)) {
		char hex[33];
		hex_encode(svn, hex);
		buf_fmt(out,
			"  Its TEE_TCB_SVN must be at least %s, byte by "
			"byte.\n",
			hex);
	}
	if (r->allow_sept_ve)
		buf_str(out, "  Pages may be taken away unseen.\n");
	if (r->allow_perfmon)
		buf_str(out, "  It may have performance counters.\n");
	if (r->allow_service_td)
		buf_str(out, "  It may be migrated, by a service TD.\n");
}

static void explain_riscv(const struct attest_riscv_rules *r, struct buf *out)
{
	one_of(out, "manufacturer", &r->manufacturers);
	one_of(out, "device", &r->devices);
	one_of(out, "monitor's key", &r->monitor_keys);
	if (r->monitors.count)
		one_of(out, "monitor", &r->monitors);
	else
		buf_str(out, "  No monitor is named, so none is accepted.\n");
	if (r->allow_guessable_keys)
		buf_str(out,
			"  The monitor's key may be one that anybody can "
			"make.\n");
}

static void explain_tech(const struct attest_policy *p, enum attest_tech t,
	struct buf *out)
{
	const struct attest_rules *r = &p->rules[t];
	const char *name = attest_tech_name(t);
	bool vouched = (t == ATTEST_TECH_SGX && p->sgx.signers.count) ||
		(t == ATTEST_TECH_PEF && (p->pef_keys.count || p->roots.count));
	if (!r->allowed)
		return;
	if (!r->accept.count && !vouched) {
		buf_fmt(out, "%s: not accepted: no measurement is named\n",
			name);
		return;
	}
	buf_fmt(out, "%s: accepted when it %s\n", name,
		r->accept.count ? "measures one of these" :
				  "has a signer that is named");
	list(out, "measurement", &r->accept);
	none_of(out, "measurement", &r->deny);
	if (t == ATTEST_TECH_PROCESS || t == ATTEST_TECH_KVM)
		buf_str(out,
			p->roots.count ?
				"  A software root must have signed it.\n" :
				"  A software root must have signed it, and none "
				"is trusted: so none is accepted.\n");
	if (t == ATTEST_TECH_SNP)
		explain_snp(p, out);
	else if (t == ATTEST_TECH_SGX)
		explain_sgx(p, out);
	else if (t == ATTEST_TECH_TDX)
		explain_tdx(p, out);
	else if (t == ATTEST_TECH_KEYSTONE)
		explain_riscv(&p->keystone, out);
	else if (t == ATTEST_TECH_SANCTUM)
		explain_riscv(&p->sanctum, out);
	else if (t == ATTEST_TECH_PEF && !p->pef_keys.count)
		buf_str(out, "  Its sealed key must be a software root.\n");
	else if (t == ATTEST_TECH_PEF)
		one_of(out, "sealed key", &p->pef_keys);
}

bool attest_policy_explain(const struct attest_policy *p, struct buf *out)
{
	for (unsigned t = 0; t < ATTEST_TECHS; t++)
		explain_tech(p, (enum attest_tech)t, out);
	if (p->roots.count) {
		buf_str(out,
			"Software roots, which anybody who controls the "
			"host can use, are trusted:\n");
		list(out, "root", &p->roots);
	} else {
		buf_str(out, "No software root is trusted.\n");
	}
	if (p->owners.count) {
		buf_str(out, "Keeps must be of one of these owners:\n");
		list(out, "owner", &p->owners);
	}
	if (p->max_collateral_age)
		buf_fmt(out,
			"Revocation lists and signed documents may be %lld "
			"days old.\n",
			(long long)(p->max_collateral_age / 86400));
	buf_str(out,
		p->allow_debug ?
			"Keeps that can be looked into are accepted.\n" :
			"Keeps that can be looked into are refused.\n");
	return buf_ok(out);
}

/* --- a policy to begin with --------------------------------------------- */

static const char head[] =
	"# What this tenant accepts.  Every key: docs/policy.md.\n"
	"# donjon policy explain FILE says in sentences what it comes to.\n"
	"\n"
	"# technologies = [\"snp\", \"tdx\", \"sgx\"]\n"
	"# software = [\"...\"]        # roots of hosts without a TEE, as "
	"donjon platform\n"
	"#                           # info prints them: they hide nothing from "
	"a host\n"
	"# max_collateral_age = 30    # days\n"
	"allow_debug = false\n";

static void sample_lines(struct buf *out, enum attest_tech t)
{
	if (t == ATTEST_TECH_SNP)
		buf_str(out,
			"# products = [\"genoa\", \"turin\"]\n"
			"# minimum_tcb = { genoa = { snp = 23, "
			"microcode = 84 } }\n"
			"# author_keys = [\"...\"]\n");
	else if (t == ATTEST_TECH_SGX || t == ATTEST_TECH_TDX)
		buf_str(out,
			"# tcb_status = [\"SWHardeningNeeded\"]\n"
			"# advisories = [\"INTEL-SA-00615\"]\n"
			"# minimum_evaluation = 17\n");
}

/* Whom to trust is not ours to say: a root that was seen is only shown. */
static void root_line(struct buf *out, const struct attest_verdict *seen)
{
	for (size_t i = 0; i < seen->count; i++)
		if (!strcmp(seen->checks[i].name, "software root"))
			buf_fmt(out,
				"# The software root of the evidence that was "
				"shown:\n# software = [\"%s\"]\n",
				seen->checks[i].observed);
}

bool attest_policy_template(const struct attest_verdict *seen, struct buf *out)
{
	char hex[2 * sizeof seen->measurement + 1];
	enum attest_tech is = ATTEST_TECHS;
	if (seen && seen->measurement_len)
		is = attest_tech_find(seen->technology);
	buf_str(out, head);
	if (seen)
		root_line(out, seen);
	if (is != ATTEST_TECHS) {
		hex_encode(bytes_of(seen->measurement, seen->measurement_len),
			hex);
		buf_fmt(out,
			"\n[%s]\n# of the evidence that was shown\n"
			"measurements = [\"%s\"]\n",
			attest_tech_name(is), hex);
		sample_lines(out, is);
		return buf_ok(out);
	}
	buf_str(out, "\n[process]\nmeasurements = [\"release\"]\n");
	for (unsigned t = ATTEST_TECH_SNP; t <= ATTEST_TECH_SGX; t++) {
		buf_fmt(out, "\n[%s]\n# measurements = [\"release\"]\n",
			attest_tech_name((enum attest_tech)t));
		sample_lines(out, (enum attest_tech)t);
	}
	return buf_ok(out);
}
