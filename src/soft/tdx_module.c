/* SPDX-License-Identifier: Apache-2.0 */
#include "soft/tdx_module.h"

#include <endian.h>
#include <stdlib.h>

#include "crypto/hash.h"
#include "crypto/mac.h"

enum { KEY_BYTES = 32, VERSION_NO_SERVICE = 0 };

/* TDX_LIFECYCLE_STATE_INCORRECT */
#define STATE_WRONG 0xc000060700000000ull
/* What the module makes of a failure of its own. */
#define NO_MEMORY 0x8000020300000000ull

struct tdx_module {
	uint8_t key[KEY_BYTES];	  /* the processor's */
	struct crypto_hash *mrtd; /* until it is final */
	struct tdx_tcb_info tcb;
	struct tdx_info info;
};

bool tdx_module_new(const struct tdx_module_init *i, struct tdx_module **out,
	struct err *e)
{
	struct tdx_module *m = calloc(1, sizeof *m);
	if (!m)
		return err_fail(e, ERR_LIMIT, "TDX module: no memory");
	m->info.attributes = htole64(i->attributes);
	m->info.xfam = htole64(i->xfam);
	memcpy(m->info.mrconfigid, i->mrconfigid, sizeof m->info.mrconfigid);
	memcpy(m->info.mrowner, i->mrowner, sizeof m->info.mrowner);
	memcpy(m->info.mrownerconfig, i->mrownerconfig,
		sizeof m->info.mrownerconfig);
	/* Its signer and version are none (soft/quoting.c), its parts valid. */
	memset(m->tcb.valid, 0xff, sizeof m->tcb.valid);
	memset(m->tcb.mrseam, 0xd0, sizeof m->tcb.mrseam);
	if (!crypto_random(m->key, sizeof m->key, e) ||
		!crypto_hash_new(CRYPTO_SHA384, &m->mrtd, e)) {
		tdx_module_free(m);
		return err_wrap(e, "TDX module");
	}
	*out = m;
	return true;
}

void tdx_module_free(struct tdx_module *m)
{
	if (!m)
		return;
	crypto_hash_free(m->mrtd);
	crypto_zero(m, sizeof *m);
	free(m);
}

/* --- measuring ---------------------------------------------------------- */

static uint64_t measure(struct tdx_module *m, const char *name, uint64_t gpa,
	struct bytes contents)
{
	struct tdx_measured r = { .gpa = htole64(gpa) };
	struct err e;
	if (!m->mrtd)
		return STATE_WRONG;
	memcpy(r.name, name, strlen(name));
	return crypto_hash_add(m->mrtd, bytes_of(&r, sizeof r), &e) &&
			crypto_hash_add(m->mrtd, contents, &e) ?
		TDX_SUCCESS :
		NO_MEMORY;
}

uint64_t tdx_module_add(struct tdx_module *m, uint64_t gpa)
{
	if (gpa % PAGE_BYTES)
		return TDX_OPERAND_INVALID | TDX_OPERAND_RCX;
	return measure(m, "MEM.PAGE.ADD", gpa, BYTES_NONE);
}

uint64_t tdx_module_extend(struct tdx_module *m, uint64_t gpa,
	const uint8_t chunk[TDX_CHUNK_BYTES])
{
	if (gpa % TDX_CHUNK_BYTES)
		return TDX_OPERAND_INVALID | TDX_OPERAND_RCX;
	return measure(m, "MR.EXTEND", gpa, bytes_of(chunk, TDX_CHUNK_BYTES));
}

uint64_t tdx_module_finalize(struct tdx_module *m)
{
	struct err e;
	if (!m->mrtd)
		return STATE_WRONG;
	bool ok = crypto_hash_end(m->mrtd, m->info.mrtd, &e);
	crypto_hash_free(m->mrtd);
	m->mrtd = NULL;
	return ok ? TDX_SUCCESS : NO_MEMORY;
}

bool tdx_module_extend_rtmr(struct tdx_module *m, unsigned index,
	const uint8_t digest[48], struct err *e)
{
	uint8_t both[96];
	memcpy(both, m->info.rtmr[index], 48);
	memcpy(both + 48, digest, 48);
	return crypto_digest(CRYPTO_SHA384, BYTES_ARRAY(both),
		m->info.rtmr[index], e);
}

/* --- reports ------------------------------------------------------------ */

static bool mac_of(const struct tdx_module *m, const struct tdx_report_mac *h,
	uint8_t out[32], struct err *e)
{
	return crypto_hmac(bytes_of(m->key, sizeof m->key),
		bytes_of(h, offsetof(struct tdx_report_mac, mac)), out, e);
}

static bool hash_parts(const struct tdx_tcb_info *tcb,
	const struct tdx_info *info, struct tdx_report_mac *h, struct err *e)
{
	return crypto_digest(CRYPTO_SHA384, bytes_of(tcb, sizeof *tcb),
		       h->tee_tcb_info_hash, e) &&
		crypto_digest(CRYPTO_SHA384, bytes_of(info, sizeof *info),
			h->tee_info_hash, e);
}

bool tdx_module_report(const struct tdx_module *m, const uint8_t data[64],
	struct tdx_report_struct *out, struct err *e)
{
	struct tdx_report_struct r = { .tcb = m->tcb, .info = m->info };
	r.head.type = TDX_REPORT_TYPE;
	r.head.version = VERSION_NO_SERVICE;
	memset(r.head.cpusvn, 1, sizeof r.head.cpusvn);
	memcpy(r.head.report_data, data, sizeof r.head.report_data);
	if (!hash_parts(&r.tcb, &r.info, &r.head, e) ||
		!mac_of(m, &r.head, r.head.mac, e))
		return err_wrap(e, "TDX module");
	*out = r;
	return true;
}

static void put_body(const struct tdx_report_struct *r, struct tdx_report *out)
{
	*out = (struct tdx_report){ .td_attributes = r->info.attributes,
		.xfam = r->info.xfam };
	memcpy(out->tee_tcb_svn, r->tcb.tee_tcb_svn, sizeof out->tee_tcb_svn);
	memcpy(out->mrseam, r->tcb.mrseam, sizeof out->mrseam);
	memcpy(out->mrsignerseam, r->tcb.mrsignerseam,
		sizeof out->mrsignerseam);
	memcpy(out->seamattributes, r->tcb.seamattributes,
		sizeof out->seamattributes);
	memcpy(out->mrtd, r->info.mrtd, sizeof out->mrtd);
	memcpy(out->mrconfigid, r->info.mrconfigid, sizeof out->mrconfigid);
	memcpy(out->mrowner, r->info.mrowner, sizeof out->mrowner);
	memcpy(out->mrownerconfig, r->info.mrownerconfig,
		sizeof out->mrownerconfig);
	memcpy(out->rtmr, r->info.rtmr, sizeof out->rtmr);
	memcpy(out->report_data, r->head.report_data, sizeof out->report_data);
}

bool tdx_module_open(const struct tdx_module *m, struct bytes report,
	struct tdx_report *out, struct err *e)
{
	struct tdx_report_struct r;
	struct tdx_report_mac want;
	uint8_t mac[32];
	if (report.len != sizeof r)
		return err_fail(e, ERR_DENIED, "report: %zu bytes", report.len);
	memcpy(&r, report.ptr, sizeof r);
	want = r.head;
	if (!mac_of(m, &r.head, mac, e) ||
		!hash_parts(&r.tcb, &r.info, &want, e))
		return false;
	if (!crypto_equal(BYTES_ARRAY(mac), BYTES_ARRAY(r.head.mac)) ||
		memcmp(&want, &r.head, sizeof want) != 0)
		return err_fail(e, ERR_DENIED, "report: not of this processor");
	put_body(&r, out);
	return true;
}
