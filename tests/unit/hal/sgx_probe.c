/* SPDX-License-Identifier: Apache-2.0 */
/* What `platform info` says of machines that lack one thing each. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../test.h"
#include "base/cleanup.h"
#include "base/fmt.h"
#include "hal/sgx_priv.h"

/* A machine, and what its kernel says. */
struct machine {
	struct device device;
	uint32_t f7b, f7c;	/* leaf 7 */
	uint32_t s0a, s0b, s0d; /* leaf 0x12, 0 */
	uint32_t s1a;		/* leaf 0x12, 1 */
	uint32_t epc_mib;
	int enclave, provision; /* of open */
	int restrict_;		/* of the ioctl */
};

static const struct machine complete = {
	.f7b = 1 << 2,
	.f7c = 1 << 30,
	.s0a = 3,
	.s0b = 1,
	.s0d = 36 << 8,
	.s1a = 1 << 7,
	.epc_mib = 1024,
	.enclave = 5,
	.provision = 6,
	.restrict_ = -EINVAL,
};

static int fake_cpuid(struct device *d, uint32_t leaf, uint32_t sub,
	uint32_t r[4])
{
	const struct machine *m = (void *)d;
	memset(r, 0, 4 * sizeof *r);
	if (leaf == 7) {
		r[1] = m->f7b;
		r[2] = m->f7c;
	} else if (leaf == 0xd) {
		r[0] = 0xe7;
	} else if (leaf == 0x12 && sub == 0) {
		r[0] = m->s0a;
		r[1] = m->s0b;
		r[3] = m->s0d;
	} else if (leaf == 0x12 && sub == 1) {
		r[0] = m->s1a;
		r[2] = 0xe7;
	} else if (leaf == 0x12 && sub == 2 && m->epc_mib) {
		r[0] = 1 | 0x80000000u;
		r[2] = 1 | m->epc_mib << 20;
	}
	return 0;
}

static int fake_open(struct device *d, const char *path)
{
	const struct machine *m = (void *)d;
	return strcmp(path, "/dev/sgx_provision") ? m->enclave : m->provision;
}

static int fake_ioctl(struct device *d, int handle, unsigned long request,
	void *arg)
{
	const struct machine *m = (void *)d;
	(void)request;
	(void)arg;
	return handle == m->enclave ? m->restrict_ : -EBADF;
}

static void fake_close(struct device *d, int handle)
{
	(void)d;
	CHECK(handle >= 0);
}

static struct machine with(struct machine m)
{
	static const struct device_ops ops = { .cpuid = fake_cpuid,
		.open = fake_open,
		.ioctl = fake_ioctl,
		.close = fake_close };
	m.device.ops = &ops;
	return m;
}

/* A folder of ours, with a service's socket that is named beside the root. */
struct nest {
	char dir[64], root[96], named[96], socket[96];
	int fd;
};

static void open_nest(struct nest *n, bool listening)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	fmt(n->dir, sizeof n->dir, "/tmp/donjon-probe-XXXXXX");
	CHECK(mkdtemp(n->dir));
	fmt(n->root, sizeof n->root, "%s/root.pem", n->dir);
	fmt(n->named, sizeof n->named, "%s/sgx-quoting", n->dir);
	fmt(n->socket, sizeof n->socket, "%s/quoting", n->dir);
	FILE *f = fopen(n->named, "w");
	CHECK(f);
	fprintf(f, "%s\n", n->socket);
	fclose(f);
	n->fd = socket(AF_UNIX, SOCK_STREAM, 0);
	memcpy(a.sun_path, n->socket, strlen(n->socket));
	CHECK_INT(bind(n->fd, (void *)&a, sizeof a), 0);
	if (listening)
		CHECK_INT(listen(n->fd, 4), 0);
}

static void close_nest(struct nest *n)
{
	close(n->fd);
	unlink(n->socket);
	unlink(n->named);
	CHECK_INT(rmdir(n->dir), 0);
}

TEST(sgx_probe_names_what_is_missing_and_its_mend)
{
	static const struct {
		size_t at;
		uint32_t to;
		const char *what, *mend;
	} rows[] = {
#define ROW(field, ...) { offsetof(struct machine, field), __VA_ARGS__ }
		ROW(f7b, 0, "has no SGX, or the BIOS hides it", "enable SGX"),
		ROW(s0a, 0, "switched off", "enable it in the BIOS"),
		ROW(epc_mib, 0, "no enclave memory", "give some to the EPC"),
		ROW(f7c, 0, "flexible launch control", "unlocked"),
		ROW(s0d, 31 << 8, "enclaves of 2^31 bytes", "2^36 needed"),
		ROW(enclave, (uint32_t)-ENOENT, "no /dev/sgx_enclave",
			"Linux 5.11"),
		ROW(enclave, (uint32_t)-EACCES, "Permission denied",
			"group sgx"),
#undef ROW
	};
	struct nest n;
	struct err e = { 0 };
	open_nest(&n, true);
	const struct hal_config cfg = { .root_path = n.root };
	struct machine m = with(complete);
	if (!sgx_probe_host(&cfg, &m.device, &e))
		fail_msg("%s", e.text);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		m = with(complete);
		memcpy((uint8_t *)&m + rows[i].at, &rows[i].to, 4);
		CHECK(!sgx_probe_host(&cfg, &m.device, &e));
		CHECK_HAS(e.text, rows[i].what);
		CHECK_HAS(e.text, rows[i].mend);
	}
	close_nest(&n);
}

TEST(sgx_probe_wants_a_quoting_service_that_answers)
{
	struct nest n;
	struct err e = { 0 };
	struct machine m = with(complete);
	open_nest(&n, false);
	const struct hal_config cfg = { .root_path = n.root };
	CHECK(!sgx_probe_host(&cfg, &m.device, &e));
	CHECK_HAS(e.text, n.socket);
	CHECK_HAS(e.text, "sgx-aesm-service");
	close_nest(&n);
}

TEST(sgx_probe_wants_the_provisioning_file_for_the_machine_s_own_service)
{
	struct err e = { 0 };
	const struct hal_config cfg = { .root_path = "/nowhere/root.pem" };
	struct machine m = with(complete);
	m.provision = -ENOENT;
	CHECK(!sgx_probe_host(&cfg, &m.device, &e));
	CHECK_HAS(e.text, "/dev/sgx_provision");
	CHECK_HAS(e.text, "sgx_prv");
	/* It is there, for somebody else: that is as it should be. */
	m.provision = -EACCES;
	e.text[0] = '\0';
	if (!sgx_probe_host(&cfg, &m.device, &e))
		CHECK_HAS(e.text, "no quoting service at " AESM_SOCKET);
}

TEST(sgx_is_described_by_its_memory_and_how_to_get_more_of_it)
{
	char text[200] = "";
	struct machine m = with(complete);
	sgx_describe(&m.device, text, sizeof text);
	CHECK_STR(text,
		"enclave of Intel SGX, 1024 MiB of EPC, owner in "
		"CONFIGID; memory grows, programs are compiled");
	m.s0a = 1;
	sgx_describe(&m.device, text, sizeof text);
	CHECK_HAS(text, "programs are interpreted: the processor has no SGX2");
	m = with(complete);
	m.restrict_ = -ENOTTY;
	sgx_describe(&m.device, text, sizeof text);
	CHECK_HAS(text, "programs are interpreted: Linux 6.0 would");
	m.epc_mib = 93;
	m.s1a = 0;
	sgx_describe(&m.device, text, sizeof text);
	CHECK_HAS(text, "93 MiB of EPC (will be paged: the BIOS may give");
	CHECK(!strstr(text, "CONFIGID"));
	text[0] = '\0';
	m.enclave = -ENOENT;
	sgx_describe(&m.device, text, sizeof text);
	CHECK_STR(text, "");
}
