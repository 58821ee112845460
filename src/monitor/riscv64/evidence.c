/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The key of an enclave, and evidence (spec/sanctum.h).  The enclave's key is
 * made of the monitor's and of what the enclave measured, as MIT's
 * security_monitor makes it (src/api/enclave_init.c), so it is the same at each
 * start of the same enclave, and no other's.  It never leaves the monitor: the
 * enclave says what shall be signed.
 */
#include "base/must.h"
#include "monitor/riscv64/monitor.h"
#include "spec/sanctum.h"

bool evidence_key(const struct sanctum_record *r, struct enclave *v)
{
	uint8_t digest[HASH_BYTES];
	struct hash h;
	hash_init(&h);
	hash_add(&h, r->sm_seed, sizeof r->sm_seed);
	hash_add(&h, v->measurement, sizeof v->measurement);
	hash_end(&h, digest);
	memcpy(v->seed, digest, sizeof v->seed);
	explicit_bzero(digest, sizeof digest);
	if (!ed25519_public(v->seed, v->pk))
		return false;
	hash_init(&h);
	hash_add(&h, v->measurement, sizeof v->measurement);
	hash_add(&h, v->pk, sizeof v->pk);
	hash_end(&h, digest);
	return ed25519_sign(r->sm_seed, r->sm_pk, digest, sizeof digest,
		v->attestation);
}

bool evidence_make(const struct sanctum_record *r, const struct enclave *v,
	const uint8_t data[64], struct sanctum_evidence *out)
{
	enum { LABEL = sizeof SANCTUM_REPORT_LABEL - 1 };
	uint8_t message[LABEL + sizeof out->report_data];
	struct sanctum_evidence e = { 0 };
	memcpy(e.manufacturer_pk, r->manufacturer_pk, KEY_BYTES);
	memcpy(e.device_pk, r->device_pk, KEY_BYTES);
	memcpy(e.sm_measurement, r->sm_measurement, HASH_BYTES);
	memcpy(e.sm_pk, r->sm_pk, KEY_BYTES);
	memcpy(e.enclave_measurement, v->measurement, HASH_BYTES);
	memcpy(e.enclave_pk, v->pk, KEY_BYTES);
	memcpy(e.enclave_attestation, v->attestation, SIGNATURE_BYTES);
	memcpy(e.device_signature, r->device_signature, SIGNATURE_BYTES);
	memcpy(e.sm_signature, r->sm_signature, SIGNATURE_BYTES);
	memcpy(e.report_data, data, sizeof e.report_data);
	memcpy(message, SANCTUM_REPORT_LABEL, LABEL);
	memcpy(message + LABEL, data, sizeof e.report_data);
	if (!ed25519_sign(v->seed, v->pk, message, sizeof message,
		    e.report_signature))
		return false;
	*out = e;
	return true;
}
