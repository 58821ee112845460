/* SPDX-License-Identifier: Apache-2.0 */
#include "soft/psp_priv.h"

#include <endian.h>
#include <stdlib.h>
#include <time.h>

#include "base/cleanup.h"
#include "crypto/hash.h"

enum { SECRETS_VERSION = 3, ID_VERSION = 1, ALGO_P384 = 1 };

/* Family 19h, model 1, stepping 1: Milan; as CPUID's leaf 1 has it. */
#define FAMILY_MODEL_STEPPING 0x00a00f11u
/* The newest interface that the firmware has, 1.55, and a guest may ask for. */
#define ABI_MAJOR 1u
#define ABI_MINOR 55u

/* --- the chip ----------------------------------------------------------- */

/* As Milan's TCB_VERSION of 2024: boot loader 4, TEE 0, SNP 24, microcode 219.
 */
static const uint8_t tcb[8] = { 4, 0, 0, 0, 0, 0, 24, 219 };

/* One for each software root. */
static bool make_chip(struct psp *p, const struct soft_root *root,
	struct err *e)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	memcpy(p->chip.tcb, tcb, sizeof tcb);
	return crypto_digest(CRYPTO_SHA512, soft_root_spki(root), p->chip.id,
		       e) &&
		crypto_key_generate(CRYPTO_P384, &p->vcek, e) &&
		soft_certs_make(root, &p->chip, p->vcek, now.tv_sec,
			&p->endorsements, e);
}

bool psp_new(const char *root_path, struct psp **out, struct err *e)
{
	struct soft_root *root = NULL;
	struct psp *p = calloc(1, sizeof *p);
	if (!p)
		return err_fail(e, ERR_LIMIT, "firmware: no memory");
	bool ok = soft_root_open(root_path, &root, e) &&
		make_chip(p, root, e) &&
		crypto_random(p->report_id, sizeof p->report_id, e) &&
		crypto_random(p->vmpck[0], sizeof p->vmpck, e);
	soft_root_close(root);
	if (!ok) {
		psp_free(p);
		return err_wrap(e, "firmware");
	}
	psp_set_report(p, 3, 0);
	*out = p;
	return true;
}

void psp_free(struct psp *p)
{
	if (!p)
		return;
	crypto_key_free(p->vcek);
	buf_fini(&p->endorsements);
	crypto_zero(p, sizeof *p);
	free(p);
}

void psp_set_report(struct psp *p, uint32_t version, uint64_t mitigations)
{
	p->report_version = version;
	p->mitigations = mitigations;
}

struct bytes psp_endorsements(const struct psp *p)
{
	return buf_bytes(&p->endorsements);
}

void psp_set_cpuid(struct psp *p, psp_cpuid *f, void *ctx)
{
	p->cpuid = f;
	p->cpuid_ctx = ctx;
}

void psp_version(struct spec_psp_snp_status *s)
{
	s->api_major = ABI_MAJOR;
	s->api_minor = ABI_MINOR;
	s->build = PSP_BUILD;
	memcpy(s->current_tcb, tcb, sizeof tcb);
	memcpy(s->reported_tcb, tcb, sizeof tcb);
}

/* --- launch ------------------------------------------------------------- */

enum snp_status psp_start(struct psp *p, uint64_t policy,
	const uint8_t gosvw[16])
{
	uint32_t major = policy >> 8 & 0xff, minor = policy & 0xff;
	if (p->state != PSP_INIT)
		return SNP_INVALID_GUEST_STATE;
	if (!(policy & SNP_POLICY_ONE) || (policy & ~SNP_POLICY_KNOWN))
		return SNP_INVALID_PARAM;
	if (major > ABI_MAJOR || (major == ABI_MAJOR && minor > ABI_MINOR))
		return SNP_POLICY_FAILURE;
	/* It needs an agent, and there is none. */
	if (policy & SNP_POLICY_MIGRATE_MA)
		return SNP_INVALID_PARAM;
	p->policy = policy;
	memcpy(p->gosvw, gosvw, sizeof p->gosvw);
	p->state = PSP_LAUNCHING;
	return SNP_OK;
}

static void fill_secrets(const struct psp *p, uint8_t page[PAGE_BYTES])
{
	struct snp_secrets s = { .version = htole32(SECRETS_VERSION),
		.family_model_stepping = htole32(FAMILY_MODEL_STEPPING) };
	memcpy(s.gosvw, p->gosvw, sizeof s.gosvw);
	memcpy(s.vmpck, p->vmpck, sizeof s.vmpck);
	memcpy(page, &s, sizeof s);
	crypto_zero(&s, sizeof s);
}

/* Corrects what does not hold: a bit that the processor has not. */
static bool correct(const struct psp *p, struct snp_cpuid_entry *e)
{
	uint32_t real[4] = { 0 };
	uint32_t *said[4] = { &e->eax, &e->ebx, &e->ecx, &e->edx };
	bool ok = true;
	if (!p->cpuid)
		return true;
	if (!p->cpuid(p->cpuid_ctx, e, real))
		memset(real, 0, sizeof real);
	for (unsigned i = 0; i < ARRAY_LEN(real); i++) {
		if (*said[i] == real[i])
			continue;
		*said[i] = real[i];
		ok = false;
	}
	return ok;
}

static enum snp_status check_cpuid(const struct psp *p,
	uint8_t page[PAGE_BYTES])
{
	struct snp_cpuid_page c;
	bool ok = true;
	memcpy(&c, page, sizeof c);
	if (c.count > SNP_CPUID_ENTRIES || c.reserved_04 || c.reserved_08)
		return SNP_INVALID_PARAM;
	for (uint32_t i = 0; i < c.count; i++)
		ok = correct(p, &c.entries[i]) && ok;
	memcpy(page, &c, sizeof c);
	return ok ? SNP_OK : SNP_INVALID_PARAM;
}

/* The digest grows by PAGE_INFO. */
static bool extend(struct psp *p, enum snp_page_type type, uint64_t gpa,
	const uint8_t *page)
{
	struct snp_page_info info = { .length = htole16(sizeof info),
		.page_type = (uint8_t)type,
		.gpa = htole64(gpa) };
	memcpy(info.digest_before, p->digest, sizeof p->digest);
	bool measured = type == SNP_PAGE_NORMAL || type == SNP_PAGE_VMSA;
	if (measured &&
		!crypto_digest(CRYPTO_SHA384, bytes_of(page, PAGE_BYTES),
			info.contents, NULL))
		return false;
	return crypto_digest(CRYPTO_SHA384, bytes_of(&info, sizeof info),
		p->digest, NULL);
}

enum snp_status psp_update(struct psp *p, enum snp_page_type type, uint64_t gpa,
	uint8_t page[PAGE_BYTES])
{
	if (p->state != PSP_LAUNCHING)
		return SNP_INVALID_GUEST_STATE;
	if (gpa % PAGE_BYTES)
		return SNP_INVALID_ADDRESS;
	switch (type) {
	case SNP_PAGE_NORMAL:
	case SNP_PAGE_VMSA:
	case SNP_PAGE_ZERO:
	case SNP_PAGE_UNMEASURED:
		break;
	case SNP_PAGE_SECRETS:
		fill_secrets(p, page);
		break;
	case SNP_PAGE_CPUID:
		if (check_cpuid(p, page) != SNP_OK)
			return SNP_INVALID_PARAM;
		break;
	default:
		return SNP_INVALID_PARAM;
	}
	return extend(p, type, gpa, page) ? SNP_OK : SNP_HARDWARE;
}

/* --- the ID block ------------------------------------------------------- */

static enum snp_status check_id(struct psp *p, const struct snp_id_block *id,
	const struct snp_id_auth *auth, bool has_author)
{
	if (le32toh(id->version) != ID_VERSION ||
		le32toh(auth->id_algo) != ALGO_P384 ||
		(has_author && le32toh(auth->author_algo) != ALGO_P384))
		return SNP_INVALID_PARAM;
	if (!psp_check_signature(&auth->id_key, bytes_of(id, sizeof *id),
		    auth->id_block_signature))
		return SNP_BAD_SIGNATURE;
	if (has_author &&
		!psp_check_signature(&auth->author_key,
			bytes_of(&auth->id_key, sizeof auth->id_key),
			auth->id_key_signature))
		return SNP_BAD_SIGNATURE;
	if (memcmp(id->digest, p->digest, sizeof p->digest) != 0)
		return SNP_BAD_MEASUREMENT;
	return le64toh(id->policy) == p->policy ? SNP_OK : SNP_POLICY_FAILURE;
}

static bool take_id(struct psp *p, const struct snp_id_block *id,
	const struct snp_id_auth *auth, bool has_author)
{
	p->id = *id;
	p->has_id = true;
	p->has_author = has_author;
	return crypto_digest(CRYPTO_SHA384,
		       bytes_of(&auth->id_key, sizeof auth->id_key),
		       p->id_key_digest, NULL) &&
		(!has_author ||
			crypto_digest(CRYPTO_SHA384,
				bytes_of(&auth->author_key,
					sizeof auth->author_key),
				p->author_key_digest, NULL));
}

enum snp_status psp_finish(struct psp *p, const struct snp_id_block *id,
	const struct snp_id_auth *auth, bool has_author,
	const uint8_t host_data[32])
{
	if (p->state != PSP_LAUNCHING)
		return SNP_INVALID_GUEST_STATE;
	if (id) {
		enum snp_status s = check_id(p, id, auth, has_author);
		if (s != SNP_OK)
			return s;
		if (!take_id(p, id, auth, has_author))
			return SNP_HARDWARE;
	}
	memcpy(p->host_data, host_data, sizeof p->host_data);
	p->state = PSP_RUNNING;
	return SNP_OK;
}
