/* SPDX-License-Identifier: Apache-2.0 */
#include "launch.h"

#include <stdio.h>

#include "attest/ovmf.h"
#include "codec/hex.h"
#include "codec/json.h"

#include "../../test.h"
#include "vectors.h"

#define DIR "open/snp/measure/"

json_t *launch_json(const char *name)
{
	auto_buf text = { 0 };
	json_t *o = NULL;
	if (!vectors_read(name, &text))
		return NULL;
	CHECK(json_parse(buf_bytes(&text), 1 << 20, &o, NULL));
	return o;
}

static uint64_t number(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);
	return json_is_integer(v) ? (uint64_t)json_integer_value(v) : 0;
}

const char *launch_text(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static void launch(const json_t *o)
{
	char name[128], hex[97];
	uint8_t seed[48];
	auto_buf image = { 0 };
	const char *vmm = launch_text(o, "vmm");
	struct attest_snp_launch l = { 0 };
	struct attest_ovmf_launch x = { .has_kernel = launch_text(o, "kernel"),
		.append = launch_text(o, "append") };
	struct err e = { 0 };
	snprintf(name, sizeof name, DIR "%s", launch_text(o, "ovmf"));
	CHECK(vectors_read(name, &image));
	x.image = buf_bytes(&image);
	x.vcpus = (struct attest_snp_vcpus){
		.count = (unsigned)number(o, "vcpus"),
		.vmm = !strcmp(vmm, "QEMU") ? ATTEST_VMM_QEMU :
			!strcmp(vmm, "ec2") ? ATTEST_VMM_EC2 :
					      ATTEST_VMM_GCE,
		.cpu_signature = (uint32_t)number(o, "vcpu_sig"),
		.sev_features = number(o, "guest_features"),
	};
	if (launch_text(o, "ovmf_hash")) {
		CHECK(hex_decode(bytes_str(launch_text(o, "ovmf_hash")), seed,
			48, NULL));
		x.seed = seed;
	}
	if (!attest_ovmf_launch(&x, &l, &e))
		fail_msg("%s: %s", launch_text(o, "name"), e.text);
	hex_encode(BYTES_ARRAY(l.digest), hex);
	if (strcmp(hex, launch_text(o, "expected_launch_digest")) != 0)
		fail_msg("%s: %s, expected %s", launch_text(o, "name"), hex,
			launch_text(o, "expected_launch_digest"));
}

size_t launch_check_all(const char *name)
{
	json_t *list = launch_json(name);
	size_t n = json_array_size(list);
	for (size_t i = 0; i < n; i++)
		launch(json_array_get(list, i));
	json_decref(list);
	return n;
}
