/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever the reader accepts, the writer writes again byte for byte. */
#include "codec/cbor.h"

#include "base/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void copy_item(struct reader *r, struct buf *out)
{
	static const enum cbor_major heads[] = { CBOR_UINT, CBOR_ARRAY,
		CBOR_MAP, CBOR_TAG };
	for (size_t i = 0; i < ARRAY_LEN(heads); i++)
		if (cbor_next_is(r, heads[i])) {
			cbor_put_head(out, heads[i], cbor_head(r, heads[i]));
			return;
		}
	if (cbor_next_is(r, CBOR_BYTES)) {
		cbor_put_bytes(out, cbor_bytes(r));
		return;
	}
	struct bytes t = cbor_text(r);
	cbor_put_head(out, CBOR_TEXT, t.len);
	buf_put(out, t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader skip = { .in = bytes_of(data, size) };
	cbor_skip(&skip);
	if (skip.failed)
		return 0;
	auto_buf out = { 0 };
	struct reader r = { .in = bytes_of(data, skip.at) };
	while (reader_left(&r))
		copy_item(&r, &out);
	must(reader_done(&r) && buf_ok(&out));
	must(bytes_equal(r.in, buf_bytes(&out)));
	return 0;
}
