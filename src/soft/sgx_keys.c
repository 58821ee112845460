/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys of the software platform's processor, the reports that they
 * authenticate (SDM, volume 3D, §38.4, EGETKEY and EREPORT), and the quoting
 * enclave that believes them.
 */
#include <time.h>

#include "crypto/hash.h"
#include "crypto/mac.h"
#include "soft/device_priv.h"
#include "soft/quoting.h"

/* What a key depends on (SDM table 38-64), in an order of our own. */
struct dependencies {
	uint16_t keyname, keypolicy, isvprodid, isvsvn;
	uint16_t configsvn;
	uint8_t reserved_0a[6];
	uint64_t attributes, xfrm, attribute_mask, xfrm_mask;
	uint32_t miscselect, miscmask;
	uint8_t cpusvn[16], keyid[32];
	uint8_t mrenclave[32], mrsigner[32];
	uint8_t isvextprodid[16], isvfamilyid[16], configid[64];
};
LAYOUT_SIZE(struct dependencies, 264);

enum { CPUSVN = 1, MAC_BYTES = sizeof(struct sgx_report) };

static bool derive(const struct soft_sgx *n, const struct dependencies *d,
	uint8_t out[16], struct err *e)
{
	return crypto_cmac(n->secret, bytes_of(d, sizeof *d), out, e);
}

/* A processor's secrets last as long as it is there. */
static bool need_secret(struct soft_sgx *n, struct err *e)
{
	if (!n->has_secret)
		n->has_secret = crypto_random(n->secret, sizeof n->secret, e) &&
			crypto_random(n->keyid, sizeof n->keyid, e);
	return n->has_secret;
}

/* --- EREPORT -------------------------------------------------------------- */

bool soft_sgx_mac(const struct soft_sgx *n, const struct sgx_targetinfo *target,
	const struct sgx_report_mac *r, uint8_t out[16], struct err *e)
{
	struct dependencies d = { .keyname = SGX_KEY_REPORT,
		.configsvn = target->configsvn,
		.attributes = target->attributes,
		.xfrm = target->xfrm,
		.miscselect = target->miscselect };
	uint8_t key[16];
	memset(d.cpusvn, CPUSVN, sizeof d.cpusvn);
	memcpy(d.keyid, r->keyid, sizeof d.keyid);
	memcpy(d.mrenclave, target->mrenclave, sizeof d.mrenclave);
	memcpy(d.configid, target->configid, sizeof d.configid);
	return derive(n, &d, key, e) &&
		crypto_cmac(key, bytes_of(r, MAC_BYTES), out, e);
}

bool soft_sgx_report(struct soft_sgx *n, const struct sgx_targetinfo *target,
	const uint8_t data[64], struct sgx_report_mac *out, struct err *e)
{
	const struct sgx_secs *s = &n->secs;
	struct sgx_report_mac r = { .body = { .miscselect = s->miscselect,
					    .isvprodid = s->isvprodid,
					    .isvsvn = s->isvsvn,
					    .configsvn = s->configsvn } };
	if (!need_secret(n, e))
		return false;
	memset(r.body.cpusvn, CPUSVN, sizeof r.body.cpusvn);
	memcpy(r.body.attributes, &s->attributes, 8);
	memcpy(r.body.attributes + 8, &s->xfrm, 8);
	memcpy(r.body.mrenclave, s->mrenclave, sizeof s->mrenclave);
	memcpy(r.body.mrsigner, s->mrsigner, sizeof s->mrsigner);
	memcpy(r.body.configid, s->configid, sizeof s->configid);
	memcpy(r.body.isvextprodid, n->isvextprodid, sizeof n->isvextprodid);
	memcpy(r.body.isvfamilyid, n->isvfamilyid, sizeof n->isvfamilyid);
	memcpy(r.body.report_data, data, sizeof r.body.report_data);
	memcpy(r.keyid, n->keyid, sizeof r.keyid);
	if (!soft_sgx_mac(n, target, &r, r.mac, e))
		return false;
	*out = r;
	return true;
}

/* --- EGETKEY -------------------------------------------------------------- */

static enum sgx_error judge(const struct soft_sgx *n,
	const struct sgx_keyrequest *r)
{
	static const uint8_t ours[16] = { [0 ... 15] = CPUSVN };
	if (r->keyname > SGX_KEY_SEAL)
		return SGX_INVALID_KEYNAME;
	bool provision = r->keyname == SGX_KEY_PROVISION ||
		r->keyname == SGX_KEY_PROVISION_SEAL;
	if (provision && !(n->secs.attributes & SGX_FLAG_PROVISIONKEY))
		return SGX_INVALID_ATTRIBUTE;
	if (r->keyname == SGX_KEY_EINITTOKEN &&
		!(n->secs.attributes & SGX_FLAG_EINITTOKEN))
		return SGX_INVALID_ATTRIBUTE;
	if (r->keyname == SGX_KEY_REPORT)
		return SGX_SUCCESS;
	for (size_t i = 0; i < sizeof ours; i++)
		if (r->cpusvn[i] > ours[i])
			return SGX_INVALID_CPUSVN;
	return r->isvsvn > n->secs.isvsvn ? SGX_INVALID_ISVSVN : SGX_SUCCESS;
}

static void own_report(const struct soft_sgx *n, struct dependencies *d)
{
	const struct sgx_secs *s = &n->secs;
	d->configsvn = s->configsvn;
	d->attributes = s->attributes;
	d->xfrm = s->xfrm;
	d->miscselect = s->miscselect;
	memset(d->cpusvn, CPUSVN, sizeof d->cpusvn);
	memcpy(d->mrenclave, s->mrenclave, sizeof d->mrenclave);
	memcpy(d->configid, s->configid, sizeof d->configid);
}

/* Bits that must differ a key, whoever asks. */
static void others(const struct soft_sgx *n, const struct sgx_keyrequest *r,
	struct dependencies *d)
{
	const struct sgx_secs *s = &n->secs;
	uint64_t mask = r->attribute_mask | SGX_FLAG_INIT | SGX_FLAG_DEBUG;
	d->keypolicy = r->keypolicy;
	d->isvsvn = r->isvsvn;
	d->configsvn = r->configsvn;
	d->attributes = s->attributes & mask;
	d->attribute_mask = mask;
	d->xfrm = s->xfrm & r->xfrm_mask;
	d->xfrm_mask = r->xfrm_mask;
	d->miscselect = s->miscselect & r->miscmask;
	d->miscmask = r->miscmask;
	d->isvprodid = r->keypolicy & SGX_POLICY_NOISVPRODID ? 0 : s->isvprodid;
	memcpy(d->cpusvn, r->cpusvn, sizeof d->cpusvn);
	if (r->keypolicy & SGX_POLICY_MRENCLAVE)
		memcpy(d->mrenclave, s->mrenclave, sizeof d->mrenclave);
	if (r->keypolicy & SGX_POLICY_MRSIGNER || r->keyname != SGX_KEY_SEAL)
		memcpy(d->mrsigner, s->mrsigner, sizeof d->mrsigner);
	if (r->keypolicy & SGX_POLICY_CONFIGID)
		memcpy(d->configid, s->configid, sizeof d->configid);
	if (r->keypolicy & SGX_POLICY_ISVFAMILYID)
		memcpy(d->isvfamilyid, n->isvfamilyid, sizeof d->isvfamilyid);
	if (r->keypolicy & SGX_POLICY_ISVEXTPRODID)
		memcpy(d->isvextprodid, n->isvextprodid,
			sizeof d->isvextprodid);
}

bool soft_sgx_key(struct soft_sgx *n, const struct sgx_keyrequest *r,
	uint8_t out[16], enum sgx_error *result, struct err *e)
{
	struct dependencies d = { .keyname = r->keyname };
	if (!need_secret(n, e))
		return false;
	*result = judge(n, r);
	if (*result != SGX_SUCCESS)
		return true;
	memcpy(d.keyid, r->keyid, sizeof d.keyid);
	if (r->keyname == SGX_KEY_REPORT)
		own_report(n, &d);
	else
		others(n, r, &d);
	return derive(n, &d, out, e);
}

/* --- the quoting enclave ---------------------------------------------------
 */

/* Whom reports are for that shall be quoted. */
static void quoting_target(struct sgx_targetinfo *t)
{
	*t = (struct sgx_targetinfo){ .attributes = SGX_FLAG_INIT |
			SGX_FLAG_MODE64BIT | SGX_FLAG_PROVISIONKEY,
		.xfrm = 3 };
	memset(t->mrenclave, 0xd1, sizeof t->mrenclave);
}

bool soft_device_target(UNUSED struct device *d, uint8_t out[512],
	UNUSED struct err *e)
{
	struct sgx_targetinfo t;
	quoting_target(&t);
	memcpy(out, &t, sizeof t);
	return true;
}

static bool open_quoting(struct soft_device *s, struct err *e)
{
	struct soft_sgx *n = &s->sgx;
	if (n->quoting)
		return true;
	if (!s->root_path)
		return err_fail(e, ERR_HOST, "quote: no software root");
	return (n->root || soft_root_open(s->root_path, &n->root, e)) &&
		soft_quoting_open(n->root, time(NULL), &n->quoting, e);
}

bool soft_device_quote_ready(struct device *d, struct err *e)
{
	struct soft_device *s = (void *)d;
	return s->kind == MONITOR_TDX ? soft_tdx_quote_ready(s, e) :
					open_quoting(s, e);
}

bool soft_device_quote(struct device *d, struct bytes report, struct buf *quote,
	struct buf *endorsements, struct err *e)
{
	struct soft_device *s = (void *)d;
	struct sgx_report_mac r;
	struct sgx_targetinfo target;
	uint8_t mac[16];
	if (s->kind == MONITOR_TDX)
		return soft_tdx_quote(s, report, quote, endorsements, e);
	if (report.len != sizeof r)
		return err_fail(e, ERR_INPUT, "quote: a report of %zu bytes",
			report.len);
	memcpy(&r, report.ptr, sizeof r);
	quoting_target(&target);
	if (!need_secret(&s->sgx, e) ||
		!soft_sgx_mac(&s->sgx, &target, &r, mac, e))
		return false;
	if (!crypto_equal(BYTES_ARRAY(mac), BYTES_ARRAY(r.mac)))
		return err_fail(e, ERR_DENIED,
			"quote: a report for somebody else, or of nobody");
	return open_quoting(s, e) &&
		soft_quoting_sgx(s->sgx.quoting, &r.body, quote, e) &&
		soft_quoting_endorsements(s->sgx.quoting, false, endorsements,
			e);
}
