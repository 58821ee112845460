/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What reference values are computed from: descriptions of launches, firmware
 * images, load records, signatures, event logs.  Each is refused or measured.
 */
#include "attest/launch.h"
#include "attest/measure_sanctum.h"
#include "attest/measure_sgx.h"
#include "attest/measure_tdx.h"
#include "attest/ovmf.h"
#include "base/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool read_some(void *ctx, const char *path, struct buf *out,
	struct err *e)
{
	static const uint8_t page[64] = { 1 };
	(void)ctx;
	if (path[0] != 'x')
		return err_fail(e, ERR_INPUT, "no such file");
	return buf_put(out, BYTES_ARRAY(page));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct attest_launch_config cfg = { .read = read_some };
	struct bytes in = bytes_of(data, size);
	struct attest_launch l;
	struct attest_ovmf o;
	struct attest_sigstruct s;
	struct attest_snp_id_auth a;
	struct err e = { 0 };
	uint8_t digest[32], rtmr[4][48];
	/* Sizes are numbers in the text: keep what they cost small. */
	if (size < 512 &&
		!memchr(data ? data : (const uint8_t *)"", 'z', size) &&
		attest_launch_measure(in, "f", &cfg, &l, &e)) {
		auto_buf text = { 0 };
		must(attest_launch_print(&l, true, &text) && text.len);
	}
	if (attest_ovmf_parse(in, &o, &e))
		must(o.sections <= ATTEST_OVMF_SECTIONS);
	if (!attest_sgx_stream(in, NULL, NULL, digest, &e))
		must(e.kind != ERR_NONE);
	must(!attest_sigstruct_check(in, &s, &e) ||
		size == ATTEST_SIGSTRUCT_BYTES);
	must(!attest_snp_id_auth_check(in, BYTES_NONE, &a, &e) || size == 4096);
	/* Images, of which heads say what is where. */
	static uint8_t image[2 * PAGE_BYTES];
	uint8_t enclave[64], monitor[64];
	memcpy(image, in.ptr ? in.ptr : image, size_min(size, sizeof image));
	if (size &&
		!attest_measure_sanctum(BYTES_ARRAY(image), in, in, NULL,
			enclave, monitor, &e))
		must(e.kind != ERR_NONE);
	if (!attest_ccel_replay(in, NULL, NULL, rtmr, &e))
		must(e.kind != ERR_NONE);
	return 0;
}
