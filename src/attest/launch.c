/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/launch_parts.h"

#include <stdlib.h>

#include "attest/measure_sgx.h"
#include "attest/measure_tdx.h"
#include "attest/ovmf.h"
#include "attest/rules.h"
#include "codec/hex.h"
#include "codec/pem.h"
#include "codec/toml.h"

enum { PAGE = 4096, MAX_VCPUS = 1024 };

/* --- SNP ---------------------------------------------------------------- */

static bool read_vmm(struct toml_node *t, enum attest_snp_vmm *out,
	struct err *e)
{
	static const char *const names[] = { "qemu", "ec2", "gce" };
	struct toml_node *n = toml_get(t, "vmm");
	const char *text;
	if (!n)
		return true;
	if (!toml_cstring(n, &text, e))
		return false;
	for (unsigned i = 0; i < ARRAY_LEN(names); i++)
		if (!strcmp(names[i], text)) {
			*out = (enum attest_snp_vmm)i;
			return true;
		}
	return err_fail(e, ERR_INPUT, "%s: expected qemu, ec2 or gce",
		toml_where(n));
}

static bool read_vcpus(struct toml_node *t, struct attest_snp_vcpus *v,
	struct err *e)
{
	uint64_t count = 1, signature = 0, eip = 0, features = 1;
	if (!attest_launch_read_number(t, "vcpus", &count, e) ||
		!attest_launch_read_number(t, "cpu_signature", &signature, e) ||
		!attest_launch_read_number(t, "ap_eip", &eip, e) ||
		!attest_launch_read_number(t, "sev_features", &features, e) ||
		!read_vmm(t, &v->vmm, e))
		return false;
	if (count > MAX_VCPUS || signature > UINT32_MAX || eip > UINT32_MAX)
		return err_fail(e, ERR_INPUT, "%s: vCPUs out of range",
			toml_where(t));
	v->count = (unsigned)count;
	v->cpu_signature = (uint32_t)signature;
	v->ap_eip = (uint32_t)eip;
	v->sev_features = features;
	return true;
}

static bool snp_firmware(const struct launcher *l, struct toml_node *t,
	struct attest_snp_launch *s, struct err *e)
{
	struct attest_ovmf_launch x = { 0 };
	uint8_t seed[48];
	auto_buf image = { 0 }, kernel = { 0 }, initrd = { 0 };
	struct toml_node *hash = toml_get(t, "ovmf_hash");
	struct toml_node *append = toml_get(t, "append");
	struct bytes text;
	if (!attest_launch_read_file(l, toml_get(t, "ovmf"), &image, e) ||
		!attest_launch_read_file_opt(l, t, "kernel", &kernel, e) ||
		!attest_launch_read_file_opt(l, t, "initrd", &initrd, e) ||
		!read_vcpus(t, &x.vcpus, e) ||
		(append && !toml_cstring(append, &x.append, e)))
		return false;
	if (hash && !toml_string(hash, &text, e))
		return false;
	if (hash && !hex_decode(text, seed, sizeof seed, e))
		return err_wrap(e, "%s", toml_where(hash));
	x.seed = hash ? seed : NULL;
	x.image = buf_bytes(&image);
	x.has_kernel = toml_get(t, "kernel") != NULL;
	x.kernel = buf_bytes(&kernel);
	x.initrd = buf_bytes(&initrd);
	return attest_ovmf_launch(&x, s, e) || err_wrap(e, "%s", toml_where(t));
}

static bool snp_page(const struct launcher *l, struct toml_node *t,
	struct attest_snp_launch *s, struct err *e)
{
	uint64_t gpa = 0, size = 0;
	const char *name;
	auto_buf file = { 0 };
	if (!toml_expect(t, TOML_TABLE, e))
		return false;
	struct toml_node *type = toml_get(t, "type");
	if (!type || !toml_cstring(type, &name, e) ||
		!attest_launch_need_number(t, "gpa", &gpa, e) ||
		!attest_launch_read_file_opt(l, t, "file", &file, e))
		return type ?
			false :
			err_fail(e, ERR_INPUT, "%s: no type", toml_where(t));
	enum attest_snp_page kind = attest_snp_page_find(name);
	struct bytes b = buf_bytes(&file);
	if (!kind)
		return err_fail(e, ERR_INPUT,
			"%s: expected normal, vmsa, zero, unmeasured, secrets "
			"or cpuid",
			toml_where(type));
	if (!attest_launch_cut(t, &b, e))
		return false;
	size = b.len ? b.len : PAGE;
	return attest_launch_read_number(t, "size", &size, e) &&
		toml_no_more(t, e) &&
		(attest_snp_launch_range(s, kind, gpa, size, b, e) ||
			err_wrap(e, "%s", toml_where(t)));
}

static bool snp_pages(const struct launcher *l, struct toml_node *t,
	struct attest_snp_launch *s, struct err *e)
{
	struct toml_node *pages = toml_get(t, "page");
	struct attest_snp_vcpus v = { 0 };
	if (!pages)
		return err_fail(e, ERR_INPUT, "%s: neither ovmf nor page",
			toml_where(t));
	if (!toml_expect(pages, TOML_ARRAY, e))
		return false;
	for (size_t i = 0; i < toml_count(pages); i++)
		if (!snp_page(l, toml_at(pages, i), s, e))
			return false;
	/* VMSA pages of one's own stand in the list; else these. */
	if (!toml_get(t, "vcpus"))
		return true;
	return read_vcpus(t, &v, e) && attest_snp_launch_vcpus(s, &v, e);
}

/* The digest that reports have of a key (SubjectPublicKeyInfo, PEM). */
static bool snp_key(const struct launcher *l, struct toml_node *n,
	struct err *e)
{
	auto_buf file = { 0 }, spki = { 0 };
	if (!attest_launch_read_file(l, n, &file, e))
		return false;
	struct reader r = { .in = buf_bytes(&file) };
	if (!pem_next(&r, "PUBLIC KEY", &spki, e) || !pem_done(&r) ||
		!attest_snp_key_digest(buf_bytes(&spki), l->out->signer, e))
		return err_fail(e, ERR_INPUT,
			"%s: not one public key of P-384 in PEM",
			toml_where(n));
	l->out->signer_len = sizeof l->out->signer;
	return true;
}

static bool measure_snp(const struct launcher *l, struct toml_node *t,
	struct err *e)
{
	struct attest_snp_launch s = { 0 };
	auto_buf auth = { 0 }, block = { 0 };
	if (l->cfg->trace) {
		s.page = attest_snp_tell;
		s.ctx = l->cfg->trace;
	}
	if (!(toml_get(t, "ovmf") ? snp_firmware(l, t, &s, e) :
				    snp_pages(l, t, &s, e)) ||
		!attest_launch_read_file_opt(l, t, "id_auth", &auth, e) ||
		!attest_launch_read_file_opt(l, t, "id_block", &block, e))
		return false;
	memcpy(l->out->measurement, s.digest, sizeof s.digest);
	l->out->len = sizeof s.digest;
	struct toml_node *key = toml_get(t, "signing_key");
	if (key && auth.len)
		return err_fail(e, ERR_INPUT,
			"%s: id_auth names the signer already",
			toml_where(key));
	if (key)
		return snp_key(l, key, e);
	if (!auth.len)
		return true;
	struct attest_snp_id_auth a;
	struct attest_snp_id_block b;
	if (!attest_snp_id_auth_check(buf_bytes(&auth), buf_bytes(&block), &a,
		    e))
		return false;
	if (block.len && (!attest_snp_id_block_parse(buf_bytes(&block), &b, e)))
		return false;
	if (block.len && memcmp(b.digest, s.digest, sizeof s.digest) != 0)
		return err_fail(e, ERR_DENIED,
			"id block: of another launch digest");
	memcpy(l->out->signer,
		a.has_author ? a.author_key_digest : a.id_key_digest, 48);
	l->out->signer_len = 48;
	return true;
}

/* --- SGX ---------------------------------------------------------------- */

static bool sgx_page(const struct launcher *l, struct toml_node *t,
	struct attest_sgx_build *b, struct err *e)
{
	uint64_t offset = 0, flags = ATTEST_SGX_REG | ATTEST_SGX_R, size = 0;
	uint8_t page[PAGE];
	bool measured = true;
	auto_buf file = { 0 };
	if (!toml_expect(t, TOML_TABLE, e) ||
		!attest_launch_need_number(t, "offset", &offset, e) ||
		!attest_launch_read_number(t, "flags", &flags, e) ||
		!attest_launch_read_file_opt(l, t, "file", &file, e))
		return false;
	struct toml_node *n = toml_get(t, "measured");
	if (n && !toml_bool(n, &measured, e))
		return false;
	size = file.len ? file.len : PAGE;
	if (!attest_launch_read_number(t, "size", &size, e) ||
		!toml_no_more(t, e))
		return false;
	if (size > (UINT64_C(1) << 32))
		return err_fail(e, ERR_LIMIT, "%s: too large", toml_where(t));
	for (uint64_t at = 0; at < size; at += PAGE) {
		struct bytes part = bytes_from(buf_bytes(&file), (size_t)at);
		memset(page, 0, sizeof page);
		if (part.len)
			memcpy(page, part.ptr, size_min(part.len, PAGE));
		if (!attest_sgx_add(b, offset + at, flags, BYTES_ARRAY(page),
			    measured, e))
			return err_wrap(e, "%s", toml_where(t));
		if (l->cfg->trace)
			attest_sgx_tell(l->cfg->trace,
				measured ? "EADD+" : "EADD", offset + at,
				flags);
	}
	return true;
}

static bool sgx_pages(const struct launcher *l, struct toml_node *t,
	uint8_t mrenclave[32], struct err *e)
{
	uint64_t size = 0, frame = 1;
	struct attest_sgx_build *b;
	struct toml_node *pages = toml_get(t, "page");
	if (!attest_launch_need_number(t, "size", &size, e) ||
		!attest_launch_read_number(t, "ssa_frame_size", &frame, e) ||
		(pages && !toml_expect(pages, TOML_ARRAY, e)) ||
		!attest_sgx_create((uint32_t)size_min((size_t)frame, 1 << 20),
			size, &b, e))
		return false;
	bool ok = true;
	for (size_t i = 0; ok && pages && i < toml_count(pages); i++)
		ok = sgx_page(l, toml_at(pages, i), b, e);
	ok = ok && attest_sgx_end(b, mrenclave, e);
	attest_sgx_free(b);
	return ok;
}

static bool measure_sgx(const struct launcher *l, struct toml_node *t,
	struct err *e)
{
	auto_buf stream = { 0 }, sig = { 0 };
	struct attest_sigstruct s;
	struct toml_node *sgxs = toml_get(t, "sgxs");
	if (!attest_launch_read_file_opt(l, t, "sgxs", &stream, e) ||
		!attest_launch_read_file_opt(l, t, "sigstruct", &sig, e))
		return false;
	if (!(sgxs ? attest_sgx_stream(buf_bytes(&stream),
			     l->cfg->trace ? attest_sgx_tell : NULL,
			     l->cfg->trace, l->out->measurement, e) :
		     sgx_pages(l, t, l->out->measurement, e)))
		return err_wrap(e, "%s", toml_where(t));
	l->out->len = 32;
	if (!sig.len)
		return true;
	if (!attest_sigstruct_check(buf_bytes(&sig), &s, e))
		return false;
	if (memcmp(s.mrenclave, l->out->measurement, 32) != 0)
		return err_fail(e, ERR_DENIED, "sigstruct: of another enclave");
	memcpy(l->out->signer, s.mrsigner, 32);
	l->out->signer_len = 32;
	return true;
}

/* --- TDX ---------------------------------------------------------------- */

static bool td_page(const struct launcher *l, struct toml_node *t,
	struct attest_td_build *b, bool two_pass, struct err *e)
{
	uint64_t gpa = 0, size = 0;
	uint8_t page[PAGE];
	bool measured = true;
	auto_buf file = { 0 };
	if (!toml_expect(t, TOML_TABLE, e) ||
		!attest_launch_need_number(t, "gpa", &gpa, e) ||
		!attest_launch_read_file_opt(l, t, "file", &file, e))
		return false;
	struct toml_node *n = toml_get(t, "measured");
	if (n && !toml_bool(n, &measured, e))
		return false;
	struct bytes in = buf_bytes(&file);
	if (!attest_launch_cut(t, &in, e))
		return false;
	size = in.len ? in.len : PAGE;
	if (!attest_launch_read_number(t, "size", &size, e) ||
		!toml_no_more(t, e))
		return false;
	if (size > (UINT64_C(1) << 32))
		return err_fail(e, ERR_LIMIT, "%s: too large", toml_where(t));
	for (unsigned pass = 0; pass < 2; pass++)
		for (uint64_t at = 0; at < size; at += PAGE) {
			struct bytes part = bytes_from(in, (size_t)at);
			bool add = pass == 0;
			bool extend = measured && pass == (two_pass ? 1 : 0);
			memset(page, 0, sizeof page);
			if (part.len)
				memcpy(page, part.ptr,
					size_min(part.len, PAGE));
			if ((add && !attest_td_add(b, gpa + at, e)) ||
				(extend &&
					!attest_td_extend(b, gpa + at,
						BYTES_ARRAY(page), e)))
				return err_wrap(e, "%s", toml_where(t));
			if (l->cfg->trace && (add || extend))
				buf_fmt(l->cfg->trace, "%-10s 0x%012llx\n",
					add && extend ? "add+extend" :
						add   ? "add" :
							"extend",
					(unsigned long long)(gpa + at));
		}
	return true;
}

static bool td_pages(const struct launcher *l, struct toml_node *t,
	struct toml_node *pages, struct err *e)
{
	struct attest_td_build *b;
	struct toml_node *n = toml_get(t, "two_pass");
	bool two_pass = false, ok = true;
	if ((n && !toml_bool(n, &two_pass, e)) ||
		!toml_expect(pages, TOML_ARRAY, e) || !attest_td_create(&b, e))
		return false;
	for (size_t i = 0; ok && i < toml_count(pages); i++)
		ok = td_page(l, toml_at(pages, i), b, two_pass, e);
	ok = ok && attest_td_end(b, l->out->measurement, e);
	attest_td_free(b);
	l->out->len = 48;
	return ok;
}

static void on_event(void *ctx, unsigned rtmr, uint32_t type,
	const uint8_t digest[48], struct bytes data)
{
	char hex[97];
	hex_encode(bytes_of(digest, 48), hex);
	buf_fmt(ctx, "rtmr%u      0x%08x  %s  %zu bytes\n", rtmr, type, hex,
		data.len);
}

static bool measure_tdx(const struct launcher *l, struct toml_node *t,
	struct err *e)
{
	auto_buf log = { 0 };
	struct toml_node *pages = toml_get(t, "page");
	if (pages && !td_pages(l, t, pages, e))
		return false;
	if (!attest_launch_read_file_opt(l, t, "ccel", &log, e))
		return false;
	if (!pages && !log.len)
		return err_fail(e, ERR_INPUT, "%s: neither page nor ccel",
			toml_where(t));
	l->out->has_rtmr = log.len > 0;
	return !log.len ||
		attest_ccel_replay(buf_bytes(&log),
			l->cfg->trace ? on_event : NULL, l->cfg->trace,
			l->out->rtmr, e);
}

/* --- any ---------------------------------------------------------------- */

static bool measure_document(struct launcher *l, struct toml_node *root,
	struct err *e)
{
	static const struct {
		const char *name;
		bool (*measure)(const struct launcher *, struct toml_node *,
			struct err *);
	} all[] = {
		{ "snp", measure_snp },
		{ "sgx", measure_sgx },
		{ "tdx", measure_tdx },
		{ "keystone", attest_launch_keystone },
		{ "sanctum", attest_launch_sanctum },
	};
	if (toml_count(root) != 1)
		return err_fail(e, ERR_INPUT,
			"%s: expected one table: snp, sgx, tdx, keystone or "
			"sanctum",
			toml_where(root));
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		struct toml_node *t = toml_get(root, all[i].name);
		if (!t)
			continue;
		memcpy(l->out->technology, all[i].name,
			strlen(all[i].name) + 1);
		return toml_expect(t, TOML_TABLE, e) &&
			all[i].measure(l, t, e) && toml_no_more(t, e);
	}
	return toml_no_more(root, e);
}

bool attest_launch_measure(struct bytes toml, const char *file,
	const struct attest_launch_config *cfg, struct attest_launch *out,
	struct err *e)
{
	struct attest_launch value = { 0 };
	struct launcher l = { .cfg = cfg, .out = &value };
	struct toml_doc *doc;
	if (!toml_parse(toml, file, &doc, e))
		return false;
	bool ok = measure_document(&l, toml_root(doc), e);
	toml_free(doc);
	if (ok)
		*out = value;
	return ok;
}

static void put(struct buf *out, bool json, const char *name, struct bytes v)
{
	char hex[129];
	if (!v.len)
		return;
	hex_encode(v, hex);
	if (json)
		buf_fmt(out, "%s\"%s\":\"%s\"",
			out->ptr[out->len - 1] == '{' ? "" : ",", name, hex);
	else
		buf_fmt(out, "%s %s\n", name, hex);
}

bool attest_launch_print(const struct attest_launch *l, bool json,
	struct buf *out)
{
	static const char *const rtmr[] = { "rtmr0", "rtmr1", "rtmr2",
		"rtmr3" };
	if (json)
		buf_str(out, "{");
	if (!buf_ok(out))
		return false;
	put(out, json, l->technology, bytes_of(l->measurement, l->len));
	put(out, json, "signer", bytes_of(l->signer, l->signer_len));
	put(out, json, "monitor",
		bytes_of(l->monitor, l->has_monitor ? 64 : 0));
	for (size_t i = 0; l->has_rtmr && i < ARRAY_LEN(rtmr); i++)
		put(out, json, rtmr[i], BYTES_ARRAY(l->rtmr[i]));
	if (json)
		buf_str(out, "}\n");
	return buf_ok(out);
}
