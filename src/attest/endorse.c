/* SPDX-License-Identifier: Apache-2.0 */
/* Vendors' files, in any order, as the endorsements that a verifier reads. */
#include <stdlib.h>

#include "attest/bundle.h"
#include "attest/cert.h"
#include "attest/check.h"
#include "attest/intel.h"
#include "attest/snp.h"
#include "attest/time.h"
#include "attest/vendor.h"
#include "base/cleanup.h"
#include "codec/cbor.h"
#include "codec/hex.h"
#include "codec/pem.h"
#include "spec/snp.h"

enum {
	MAX_CERTS = 256,
	MAX_LISTS = 64,
	MAX_DOCUMENTS = 64,
	MAX_OWNED = 512,
	MAX_SNP_LISTS = 4,
};

/* Files taken apart.  Spans are of the files, or of `owned`. */
struct pile {
	struct attest_cert cert[MAX_CERTS];
	struct attest_crl crl[MAX_LISTS];
	struct bytes cert_der[MAX_CERTS], crl_der[MAX_LISTS];
	struct bytes document[MAX_DOCUMENTS];
	struct bytes key; /* a public key alone */
	size_t certs, crls, documents;
	struct buf owned[MAX_OWNED];
	size_t owned_count;
	int64_t now;
};

static void pile_free(struct pile **pp)
{
	struct pile *p = *pp;
	for (size_t i = 0; p && i < p->owned_count; i++)
		buf_fini(&p->owned[i]);
	free(p);
}

/* Room for one more piece that is no span of a file; NULL: too many. */
static struct buf *own(struct pile *p)
{
	return p->owned_count < MAX_OWNED ? &p->owned[p->owned_count++] : NULL;
}

static bool is_spki(struct bytes b)
{
	return b.len == 91 && b.ptr[0] == 0x30 && b.ptr[1] == 0x59;
}

static bool add_der(struct pile *p, struct bytes der)
{
	if (p->certs < MAX_CERTS &&
		attest_cert_parse(der, &p->cert[p->certs], NULL)) {
		p->cert_der[p->certs++] = der;
		return true;
	}
	if (p->crls < MAX_LISTS &&
		attest_crl_parse(der, &p->crl[p->crls], NULL)) {
		p->crl_der[p->crls++] = der;
		return true;
	}
	if (is_spki(der)) {
		p->key = der;
		return true;
	}
	return false;
}

static bool is_document(struct bytes file)
{
	struct bytes value;
	return json_span(file, "tcbInfo", &value) ||
		json_span(file, "enclaveIdentity", &value);
}

/* Every block of a PEM file; true when one of them was of use. */
static bool add_pem(struct pile *p, struct bytes file)
{
	static const char *const labels[] = { "CERTIFICATE", "X509 CRL",
		"PUBLIC KEY" };
	struct reader r = { .in = file };
	bool used = false;
	for (bool more = true; more && !pem_done(&r);) {
		more = false;
		for (size_t i = 0; i < ARRAY_LEN(labels) && !more; i++) {
			if (!pem_next_is(&r, labels[i]))
				continue;
			struct buf *der = own(p);
			more = der && pem_next(&r, labels[i], der, NULL);
			used |= more && add_der(p, buf_bytes(der));
		}
	}
	return used;
}

/* A list as hexadecimal digits: so the service of Intel sends some. */
static bool add_hex(struct pile *p, struct bytes file)
{
	while (file.len && file.ptr[file.len - 1] <= ' ')
		file.len--;
	if (file.len < 64 || file.len % 2 || !strchr("3", file.ptr[0]))
		return false;
	struct buf *der = own(p);
	uint8_t *to = der ? buf_reserve(der, file.len / 2) : NULL;
	if (!to || !hex_decode(file, to, file.len / 2, NULL))
		return false;
	buf_commit(der, file.len / 2);
	return add_der(p, buf_bytes(der));
}

static bool pile_add(struct pile *p, struct bytes file)
{
	if (file.len && file.ptr[0] == 0x30 && add_der(p, file))
		return true;
	if (is_document(file)) {
		if (p->documents < MAX_DOCUMENTS)
			p->document[p->documents++] = file;
		return true;
	}
	return add_pem(p, file) || add_hex(p, file);
}

bool attest_bundle_is_endorsement(struct bytes file)
{
	__attribute__((cleanup(pile_free))) struct pile *p =
		calloc(1, sizeof *p);
	return p && pile_add(p, file);
}

/* The better of two that would do otherwise: the current, then the newer. */
static bool better(const struct pile *p, int64_t from, int64_t to,
	int64_t old_from, int64_t old_to)
{
	bool now = from <= p->now && p->now <= to;
	bool old = old_from <= p->now && p->now <= old_to;
	return now != old ? now : from > old_from;
}

/* --- AMD ---------------------------------------------------------------- */

static bool add_vendor_certs(struct pile *p)
{
	for (size_t i = 0; i < attest_vendor_cert_count; i++) {
		struct buf *der = own(p);
		if (!der ||
			!base64_decode(bytes_str(attest_vendor_certs[i].base64),
				der, NULL))
			return false;
		add_der(p, buf_bytes(der));
	}
	return true;
}

/* How well a leaf fits a report: its chip, its TCB. */
static unsigned leaf_score(const struct attest_cert *leaf,
	const struct snp_report *report)
{
	bool chip, tcb;
	attest_snp_leaf_fits(leaf, report, &chip, &tcb);
	return 2u * chip + tcb;
}

static size_t find_leaf(const struct pile *p, const struct snp_report *v)
{
	size_t best = p->certs;
	for (size_t i = 0; i < p->certs; i++) {
		const struct attest_cert *c = &p->cert[i];
		struct bytes cn = attest_cert_cn(c->subject);
		if (c->ca || cn.len < 4 || memcmp(cn.ptr, "SEV-", 4) != 0)
			continue;
		if (best == p->certs) {
			best = i;
			continue;
		}
		unsigned old = leaf_score(&p->cert[best], v);
		unsigned new = leaf_score(c, v);
		if (new > old ||
			(new ==
				old &&better(p, c->from, c->to,
					p->cert[best].from, p->cert[best].to)))
			best = i;
	}
	return best;
}

/* Who issued it: by name, and by its signature if several have the name. */
static size_t find_issuer(const struct pile *p, size_t of)
{
	size_t best = p->certs;
	for (size_t i = 0; of < p->certs && i < p->certs; i++)
		if (p->cert[i].ca &&
			bytes_equal(p->cert[i].subject, p->cert[of].issuer) &&
			(best == p->certs ||
				attest_cert_signed_by(&p->cert[of], &p->cert[i],
					NULL, NULL)))
			best = i;
	return best;
}

/* Lists of an issuer, the best first; at most `max`. */
static size_t find_lists(const struct pile *p, struct bytes issuer, size_t *out,
	size_t max)
{
	size_t n = 0;
	for (size_t i = 0; i < p->crls; i++) {
		const struct attest_crl *l = &p->crl[i];
		if (!bytes_equal(l->issuer, issuer))
			continue;
		size_t at = n < max ? n++ : max;
		for (; at && at <= n; at--) {
			const struct attest_crl *o = &p->crl[out[at - 1]];
			if (!better(p, l->from, l->to, o->from, o->to))
				break;
			if (at < max)
				out[at] = out[at - 1];
		}
		if (at < max)
			out[at] = i;
	}
	return n;
}

static bool endorse_snp(struct pile *p, struct bytes evidence, struct buf *out,
	struct err *e)
{
	struct snp_report v = { 0 };
	size_t chain[3], list[MAX_SNP_LISTS], lists = 0;
	memcpy(&v, evidence.ptr, size_min(evidence.len, sizeof v));
	if (!add_vendor_certs(p))
		return err_fail(e, ERR_LIMIT, "out of memory");
	chain[0] = find_leaf(p, &v);
	chain[1] = find_issuer(p, chain[0]);
	chain[2] = find_issuer(p, chain[1]);
	cbor_put_head(out, CBOR_ARRAY, 2);
	cbor_put_head(out, CBOR_ARRAY, 3);
	for (size_t i = 0; i < 3; i++) {
		if (chain[i] == p->certs)
			return err_fail(e, ERR_INPUT,
				"no certificate of the %s",
				i == 0	       ? "chip" :
					i == 1 ? "intermediate" :
						 "root");
		cbor_put_bytes(out, p->cert_der[chain[i]]);
	}
	lists = find_lists(p, p->cert[chain[2]].subject, list, MAX_SNP_LISTS);
	cbor_put_head(out, CBOR_ARRAY, lists);
	for (size_t i = 0; i < lists; i++)
		cbor_put_bytes(out, p->crl_der[list[i]]);
	return buf_ok(out) || err_fail(e, ERR_LIMIT, "out of memory");
}

/* What the bundle had before. */
static void reuse_snp(struct pile *p, struct bytes old)
{
	struct reader r = { .in = old };
	if (cbor_head(&r, CBOR_ARRAY) != 2)
		return;
	for (unsigned part = 0; part < 2; part++) {
		uint64_t n = cbor_head(&r, CBOR_ARRAY);
		for (uint64_t i = 0; i < n && !r.failed; i++)
			add_der(p, cbor_bytes(&r));
	}
}

/* --- Intel -------------------------------------------------------------- */

/* In the order of the endorsements. */
enum {
	PCK_ISSUERS,
	ROOT_CRL,
	PCK_CRL,
	TCB_CHAIN,
	TCB_INFO,
	QE_CHAIN,
	QE_IDENTITY,
	SET_PARTS
};

static void put_pem(struct buf *out, struct bytes der)
{
	pem_put(out, "CERTIFICATE", der);
}

/* The key that signs documents and its root, as text. */
static bool signer_chain(struct pile *p, struct bytes *out, struct err *e)
{
	size_t best = p->certs;
	for (size_t i = 0; i < p->certs; i++) {
		const struct attest_cert *c = &p->cert[i];
		if (!bytes_equal(attest_cert_cn(c->subject),
			    BYTES_LIT("Intel SGX TCB Signing")))
			continue;
		if (best == p->certs ||
			better(p, c->from, c->to, p->cert[best].from,
				p->cert[best].to))
			best = i;
	}
	size_t root = find_issuer(p, best);
	if (root == p->certs)
		return true; /* the verifier will say what is missing */
	struct buf *text = own(p);
	if (!text)
		return err_fail(e, ERR_LIMIT, "too many files");
	put_pem(text, p->cert_der[best]);
	put_pem(text, p->cert_der[root]);
	*out = buf_bytes(text);
	return buf_ok(text) || err_fail(e, ERR_LIMIT, "out of memory");
}

/* How well a document fits: of this kind and platform, and current. */
static unsigned document_score(const struct pile *p, struct bytes document,
	const char *member, const char *id, const struct intel_pck *pck)
{
	struct bytes object;
	const char *text, *from_text, *to_text;
	uint8_t fmspc[6];
	int64_t from, to;
	json_t *o;
	unsigned score = 0;
	if (!json_span(document, member, &object) ||
		!json_parse(object, ATTEST_BUNDLE_MAX, &o, NULL))
		return 0;
	bool fits =
		json_member_str(o, "id", 16, &text, NULL) && !strcmp(text, id);
	if (fits && pck && json_object_get(o, "fmspc"))
		fits = json_member_hex(o, "fmspc", fmspc, 6, NULL) &&
			!memcmp(fmspc, pck->fmspc, 6);
	bool now = json_member_str(o, "issueDate", 32, &from_text, NULL) &&
		json_member_str(o, "nextUpdate", 32, &to_text, NULL) &&
		attest_time_parse(from_text, &from) &&
		attest_time_parse(to_text, &to) && from <= p->now &&
		p->now <= to;
	score = 1u + 2u * now + 4u * fits;
	json_decref(o);
	return score;
}

static struct bytes find_document(const struct pile *p, const char *member,
	const char *id, const struct intel_pck *pck)
{
	unsigned best = 0;
	struct bytes found = BYTES_NONE;
	for (size_t i = 0; i < p->documents; i++) {
		unsigned s = document_score(p, p->document[i], member, id, pck);
		if (s > best) {
			best = s;
			found = p->document[i];
		}
	}
	return found;
}

static bool fill_set(struct pile *p, const struct attest_quote *q,
	const struct intel_chain *chain, struct bytes set[SET_PARTS],
	struct err *e)
{
	struct intel_pck pck;
	size_t at;
	bool known = attest_pck_read(&chain->cert[0], &pck, NULL);
	if (find_lists(p, chain->cert[2].subject, &at, 1))
		set[ROOT_CRL] = p->crl_der[at];
	if (find_lists(p, chain->cert[1].subject, &at, 1))
		set[PCK_CRL] = p->crl_der[at];
	if (!signer_chain(p, &set[TCB_CHAIN], e))
		return false;
	set[QE_CHAIN] = set[TCB_CHAIN];
	set[TCB_INFO] = find_document(p, "tcbInfo", q->tdx ? "TDX" : "SGX",
		known ? &pck : NULL);
	set[QE_IDENTITY] = find_document(p, "enclaveIdentity",
		q->tdx ? "TD_QE" : "QE", NULL);
	return true;
}

static bool endorse_intel(struct pile *p, struct bytes evidence,
	struct buf *out, struct err *e)
{
	struct bytes set[SET_PARTS] = { 0 };
	struct intel_chain chain;
	struct attest_quote q;
	if (!attest_quote_parse(evidence, &q, e) ||
		!attest_chain_read(q.pck_chain, 3, &chain, e))
		return false;
	bool ok = fill_set(p, &q, &chain, set, e);
	attest_chain_fini(&chain);
	if (!ok)
		return false;
	cbor_put_head(out, CBOR_ARRAY, SET_PARTS + 1);
	cbor_put_uint(out, 3);
	for (size_t i = 0; i < SET_PARTS; i++)
		cbor_put_bytes(out, set[i]);
	return buf_ok(out) || err_fail(e, ERR_LIMIT, "out of memory");
}

static void reuse_intel(struct pile *p, struct bytes old)
{
	struct intel_collateral c;
	if (!attest_collateral_split(old, &c, NULL))
		return;
	const struct bytes parts[] = { c.root_crl, c.pck_crl, c.tcb_chain,
		c.tcb_info, c.qe_chain, c.qe_identity };
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		pile_add(p, parts[i]);
}

/* --- any ---------------------------------------------------------------- */

static bool endorse(struct pile *p, struct attest_bundle *b, struct buf *out,
	struct err *e)
{
	struct bytes evidence = buf_bytes(&b->evidence);
	struct bytes old = buf_bytes(&b->endorsements);
	if (attest_quote_is(evidence)) {
		reuse_intel(p, old);
		return endorse_intel(p, evidence, out, e);
	}
	if (attest_snp_is(evidence)) {
		reuse_snp(p, old);
		return endorse_snp(p, evidence, out, e);
	}
	return buf_put(out, p->key.len ? p->key : old) ||
		err_fail(e, ERR_LIMIT, "out of memory");
}

bool attest_bundle_endorse(struct attest_bundle *b, const struct bytes *files,
	size_t count, int64_t now, struct err *e)
{
	auto_buf out = { 0 };
	__attribute__((cleanup(pile_free))) struct pile *p =
		calloc(1, sizeof *p);
	if (!p)
		return err_fail(e, ERR_LIMIT, "endorsements: out of memory");
	p->now = now;
	for (size_t i = 0; i < count; i++)
		if (!pile_add(p, files[i]))
			return err_fail(e, ERR_INPUT,
				"endorsements: file %zu is neither "
				"certificate, revocation list nor signed "
				"document, or there are too many",
				i + 1);
	if (!endorse(p, b, &out, e))
		return err_wrap(e, "endorsements");
	buf_fini(&b->endorsements);
	b->endorsements = out;
	out = (struct buf){ 0 };
	return true;
}
