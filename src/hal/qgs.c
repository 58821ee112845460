/* SPDX-License-Identifier: Apache-2.0 */
/* Messages: Intel's DCAP, QuoteGeneration/quote_wrapper/qgs_msg_lib,
 * qgs_msg_lib.h; each goes behind its length, which is big-endian. */
#include "hal/qgs.h"

#include <endian.h>
#include <sys/socket.h>

#include <linux/vm_sockets.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/fmt.h"
#include "base/reader.h"
#include "hal/service.h"

enum {
	WAIT_S = 30,
	MAJOR = 1,
	MINOR = 0,
	QUOTE_ASK = 0,
	QUOTE = 1,
	HEAD_BYTES = 16,
	ASK_BYTES = HEAD_BYTES + 8,
	REPORT_BYTES = 1024,
	ANSWER_MAX = QGS_QUOTE_MAX + 4096,
};

/* --- the connection ---------------------------------------------------------
 */

static const struct service qgs = { "quoting service", WAIT_S };

bool qgs_open(const char *where, int *fd, struct err *e)
{
	struct sockaddr_vm vm = { .svm_family = AF_VSOCK };
	char more;
	if (sscanf(where, "vsock:%u:%u%c", &vm.svm_cid, &vm.svm_port, &more) ==
		2)
		return service_dial(&qgs, (const struct sockaddr *)&vm,
			sizeof vm, where, fd, e);
	return service_open(&qgs, where, fd, e);
}

/* --- messages --------------------------------------------------------------
 */

static bool ask(int fd, struct bytes report, struct err *e)
{
	auto_buf out = { 0 };
	const uint32_t len = htobe32(ASK_BYTES + REPORT_BYTES);
	buf_put(&out, bytes_of(&len, sizeof len));
	buf_u16le(&out, MAJOR);
	buf_u16le(&out, MINOR);
	buf_u32le(&out, QUOTE_ASK);
	buf_u32le(&out, ASK_BYTES + REPORT_BYTES);
	buf_u32le(&out, 0);
	buf_u32le(&out, REPORT_BYTES);
	buf_u32le(&out, 0); /* any key */
	buf_put(&out, report);
	if (!buf_ok(&out))
		return err_fail(e, ERR_LIMIT, "quoting service: no memory");
	return service_send(&qgs, fd, buf_bytes(&out), e);
}

bool qgs_answer_parse(struct bytes in, struct bytes *quote, struct err *e)
{
	struct reader r = { .in = in };
	uint16_t major = reader_u16le(&r);
	reader_u16le(&r);
	uint32_t type = reader_u32le(&r), size = reader_u32le(&r);
	uint32_t error = reader_u32le(&r);
	if (r.failed || major != MAJOR || type != QUOTE || size != in.len)
		return err_fail(e, ERR_HOST,
			"quoting service: another answer, of %zu bytes",
			in.len);
	if (error)
		return err_fail(e, ERR_HOST, "quoting service: error 0x%x",
			error);
	uint32_t id_bytes = reader_u32le(&r), bytes = reader_u32le(&r);
	reader_take(&r, id_bytes);
	struct bytes q = reader_take(&r, bytes);
	if (!reader_done(&r) || !q.len || q.len > QGS_QUOTE_MAX)
		return err_fail(e, ERR_HOST,
			"quoting service: a quote of %u bytes", bytes);
	*quote = q;
	return true;
}

bool qgs_quote(int fd, struct bytes report, struct buf *quote, struct err *e)
{
	auto_buf in = { 0 };
	uint32_t len = 0;
	struct bytes q;
	if (report.len != REPORT_BYTES)
		return err_fail(e, ERR_INPUT, "quoting service: no report");
	if (!ask(fd, report, e) ||
		!service_recv(&qgs, fd, (uint8_t *)&len, sizeof len, e))
		return false;
	len = be32toh(len);
	if (len == 0 || len > ANSWER_MAX)
		return err_fail(e, ERR_HOST,
			"quoting service: an answer of %u bytes", len);
	uint8_t *to = buf_reserve(&in, len);
	if (!to)
		return err_fail(e, ERR_LIMIT, "quoting service: no memory");
	if (!service_recv(&qgs, fd, to, len, e) ||
		!qgs_answer_parse(bytes_of(to, len), &q, e))
		return false;
	return buf_put(quote, q) ||
		err_fail(e, ERR_LIMIT, "quoting service: no memory");
}
