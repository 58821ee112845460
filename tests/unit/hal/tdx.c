/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../test.h"
#include "base/fmt.h"
#include "hal/tdx_priv.h"
#include "helpers/vm.h"
#include "soft/device.h"
#include "spec/kvm.h"

/* --- what is missing -------------------------------------------------------
 */

struct host {
	struct device device;
	int kvm, types, vm, result; /* of what is opened and asked */
	uint64_t attributes, xfam;
	uint32_t entries;
};

static int host_open(struct device *d, const char *path)
{
	(void)path;
	return ((const struct host *)(const void *)d)->kvm;
}

static int host_ioctl(struct device *d, int handle, unsigned long request,
	void *arg)
{
	const struct host *h = (const void *)d;
	const struct spec_kvm_tdx_cmd *c = arg;
	if (request == KVM_GET_API_VERSION)
		return KVM_API_VERSION;
	if (request == KVM_CHECK_EXTENSION)
		return (uintptr_t)arg == SPEC_KVM_CAP_VM_TYPES ? h->types : 1;
	if (request == KVM_CREATE_VM)
		return h->vm;
	CHECK_INT(handle, h->vm);
	CHECK(request == KVM_MEMORY_ENCRYPT_OP);
	CHECK_INT(c->id, SPEC_KVM_TDX_CAPABILITIES);
	struct spec_kvm_tdx_capabilities *p = (void *)(uintptr_t)c->data;
	p->supported_attrs = h->attributes;
	p->supported_xfam = h->xfam;
	p->cpuid.nent = h->entries;
	return h->result;
}

static void host_close(struct device *d, int handle)
{
	(void)d;
	(void)handle;
}

static const struct device_ops host_ops = { .open = host_open,
	.ioctl = host_ioctl,
	.close = host_close };

static const struct host good = { .device.ops = &host_ops,
	.kvm = 10,
	.types = 1 | 1 << SPEC_KVM_TDX_VM,
	.vm = 11,
	.attributes = TDX_ATTR_SEPT_VE_OFF,
	.xfam = 0xe7,
	.entries = 5 };

/* A folder with a software root and the name of a quoting service. */
struct folder {
	char dir[64], root[96], socket[96], named[96];
	int fd;
	struct hal_config cfg;
};

static void folder_open(struct folder *f)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	FILE *out;
	*f = (struct folder){ .dir = "/tmp/donjon-tdx-XXXXXX" };
	CHECK(mkdtemp(f->dir) != NULL);
	fmt(f->root, sizeof f->root, "%s/root.pem", f->dir);
	fmt(f->socket, sizeof f->socket, "%s/qgs", f->dir);
	fmt(f->named, sizeof f->named, "%s/tdx-quoting", f->dir);
	out = fopen(f->named, "w");
	CHECK(out && fprintf(out, "%s\n", f->socket) > 0);
	fclose(out);
	memcpy(at.sun_path, f->socket, strlen(f->socket));
	f->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK_INT(bind(f->fd, (struct sockaddr *)&at, sizeof at), 0);
	CHECK_INT(listen(f->fd, 4), 0);
	f->cfg.root_path = f->root;
}

static void folder_close(struct folder *f)
{
	close(f->fd);
	unlink(f->socket);
	unlink(f->named);
	CHECK_INT(rmdir(f->dir), 0);
}

TEST(tdx_a_host_that_has_all_tells_what_its_domains_have)
{
	struct host h = good;
	struct folder f;
	char detail[96] = "";
	struct err e = { 0 };
	folder_open(&f);
	if (!tdx_probe_host(&f.cfg, &h.device, detail, &e))
		fail_msg("%s", e.text);
	CHECK_STR(detail, "attributes 0x10000000, state 0xe7");
	folder_close(&f);
}

static void lacks(const struct hal_config *cfg, const struct host *h,
	const char *what, const char *mend)
{
	struct host copy = *h;
	char detail[96] = "";
	struct err e = { 0 };
	CHECK(!tdx_probe_host(cfg, &copy.device, detail, &e));
	CHECK_INT(e.kind, ERR_HOST);
	CHECK_HAS(e.text, what);
	CHECK_HAS(e.text, mend);
}

TEST(tdx_what_a_host_lacks_is_named_with_its_mend)
{
	struct host h = good;
	struct folder f;
	folder_open(&f);
	h.kvm = -ENOENT;
	lacks(&f.cfg, &h, "no /dev/kvm", "kvm_intel");
	h = good;
	h.types = 1;
	lacks(&f.cfg, &h, "", "");
	h = good;
	h.vm = -EBUSY;
	lacks(&f.cfg, &h, "KVM makes no trust domain", "key IDs");
	h = good;
	h.result = -ENOTTY;
	lacks(&f.cfg, &h, "KVM_TDX_CAPABILITIES", "");
	h = good;
	h.attributes = 0;
	lacks(&f.cfg, &h, "the TDX module can't do without #VE", "");
	h = good;
	h.xfam = 3;
	lacks(&f.cfg, &h, "has no AVX", "");
	h = good;
	h.entries = 100000;
	lacks(&f.cfg, &h, "the TDX module", "");
	unlink(f.socket);
	lacks(&f.cfg, &good, "install and start qgsd of tdx-qgs",
		"quoting service at");
	folder_close(&f);
}

/* --- a Keep -----------------------------------------------------------------
 */

TEST(tdx_keep_lives_on_memory_time_and_randomness)
{
	place_ends("tdx", GUEST_LIVE, "exit status 0");
}

TEST(tdx_keep_finds_the_walls_of_its_shim)
{
	place_ends("tdx", GUEST_WALLS, "exit status 0");
}

TEST(tdx_keep_may_use_all_memory_that_was_promised)
{
	place_ends("tdx", GUEST_FULL, "exit status 0");
}

TEST(tdx_says_how_a_keep_died)
{
	place_deaths("tdx");
}

TEST(tdx_keep_ends_when_it_is_told_to_whatever_it_does)
{
	struct place p;
	place_open(&p, "tdx", GUEST_SPIN);
	p.tech->destroy(place_launch(&p));
	place_close(&p);
}

/* --- what a kernel is told --------------------------------------------------
 */

static const struct device_ops *real;
static struct spec_kvm_tdx_init told;
static uint64_t spoil_attributes, spoil_capabilities;
static bool add_processor;
static uint64_t shared_bytes, private_bytes, gone_bytes;

static void second_processor(struct device *d, int vm)
{
	struct spec_kvm_tdx_cmd c = { .id = SPEC_KVM_TDX_INIT_VCPU };
	int other = real->ioctl(d, vm, KVM_CREATE_VCPU, (void *)1);
	CHECK(other > 0);
	CHECK_INT(real->ioctl(d, other, KVM_MEMORY_ENCRYPT_OP, &c), 0);
}

static int spy_ioctl(struct device *d, int handle, unsigned long request,
	void *arg)
{
	struct spec_kvm_tdx_cmd *c = arg;
	const struct spec_kvm_attributes *a = arg;
	bool op = request == KVM_MEMORY_ENCRYPT_OP;
	void *data = op ? (void *)(uintptr_t)c->data : NULL;
	if (op && c->id == SPEC_KVM_TDX_INIT_VM) {
		memcpy(&told, data, sizeof told);
		((struct spec_kvm_tdx_init *)data)->attributes ^=
			spoil_attributes;
	}
	if (op && c->id == SPEC_KVM_TDX_FINALIZE_VM && add_processor)
		second_processor(d, handle);
	if (request == SPEC_KVM_SET_MEMORY_ATTRIBUTES)
		*(a->attributes ? &private_bytes : &shared_bytes) += a->size;
	int n = real->ioctl(d, handle, request, arg);
	if (op && c->id == SPEC_KVM_TDX_CAPABILITIES && n == 0)
		((struct spec_kvm_tdx_capabilities *)data)->supported_attrs &=
			~spoil_capabilities;
	return n;
}

static int spy_discard(struct device *d, int handle, uint64_t at, uint64_t len)
{
	gone_bytes += len;
	return real->discard(d, handle, at, len);
}

static const struct device_ops *spy(const struct device_ops *ops)
{
	static struct device_ops mine;
	real = ops;
	mine = *ops;
	mine.ioctl = spy_ioctl;
	mine.discard = spy_discard;
	return &mine;
}

static void launch_ends(struct place *p, char why[128])
{
	place_spy = spy;
	struct hal_keep *k = place_launch(p);
	place_spy = NULL;
	CHECK(!place_took(p, k, why));
	p->tech->destroy(k);
}

static void open_soft(struct place *p, enum guest what)
{
	spoil_attributes = spoil_capabilities = 0;
	shared_bytes = private_bytes = gone_bytes = 0;
	add_processor = false;
	place_open(p, "tdx", what);
	if (p->cfg.platform != HAL_SOFTWARE)
		SKIP_TEST("this machine's own TDX is no test's to spoil");
}

TEST(tdx_the_owner_s_key_is_in_mrconfigid)
{
	static const uint8_t none[16];
	struct place p;
	char why[128] = "";
	open_soft(&p, GUEST_QUIT);
	launch_ends(&p, why);
	CHECK_STR(why, "exit status 7");
	CHECK_MEM(told.mrconfigid, p.cfg.boot.owner_key_hash, 32);
	CHECK_MEM(told.mrconfigid + 32, none, 16);
	CHECK(told.attributes == TDX_ATTR_SEPT_VE_OFF);
	CHECK_INT(told.xfam & 7, 7);
	place_close(&p);
}

TEST(tdx_a_debug_keep_s_domain_is_one_where_the_kernel_has_that)
{
	struct place p;
	char why[128] = "";
	open_soft(&p, GUEST_QUIT);
	p.cfg.debug = true;
	launch_ends(&p, why);
	CHECK_STR(why, "exit status 7");
	CHECK(told.attributes == (TDX_ATTR_SEPT_VE_OFF | TDX_ATTR_DEBUG));
	/* As upstream kernels. */
	spoil_capabilities = TDX_ATTR_DEBUG;
	launch_ends(&p, why);
	CHECK_STR(why, "exit status 7");
	CHECK(told.attributes == TDX_ATTR_SEPT_VE_OFF);
	place_close(&p);
}

TEST(tdx_a_domain_with_other_attributes_ends_at_its_start)
{
	static const struct {
		uint64_t attributes;
		const char *why;
	} cases[] = {
		{ TDX_ATTR_DEBUG, "ended at its start, reason 0x12" },
		{ TDX_ATTR_SEPT_VE_OFF, "ended at its start, reason 0x12" },
	};
	struct place p;
	char why[128] = "";
	open_soft(&p, GUEST_QUIT);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		spoil_attributes = cases[i].attributes;
		launch_ends(&p, why);
		CHECK_STR(why, cases[i].why);
	}
	place_close(&p);
}

TEST(tdx_a_domain_with_two_processors_ends_at_its_start)
{
	struct place p;
	char why[128] = "";
	open_soft(&p, GUEST_QUIT);
	add_processor = true;
	launch_ends(&p, why);
	CHECK_STR(why, "ended at its start, reason 0x13");
	place_close(&p);
}

TEST(tdx_keep_gives_back_memory_that_it_needs_no_more)
{
	struct place p;
	char why[128] = "";
	open_soft(&p, GUEST_FULL);
	launch_ends(&p, why);
	CHECK_STR(why, "exit status 0");
	/* Of 64 MiB, all but some; at the launch, all was made private. */
	CHECK(shared_bytes >= 40u << 20);
	CHECK(gone_bytes == shared_bytes);
	CHECK(private_bytes >= 128u << 20);
	place_close(&p);
}

/* RAM goes around the page in which the processor starts. */
TEST(tdx_keep_of_four_gib_leaves_its_first_page_alone)
{
	struct place p;
	char why[128] = "";
	open_soft(&p, GUEST_LIVE);
	p.cfg.boot.memory_bytes = 4ull << 30;
	launch_ends(&p, why);
	CHECK_STR(why, "exit status 0");
	place_close(&p);
}

/* --- a host with a quoting service ------------------------------------------
 */

enum { QUOTE_BYTES = 3000, SERVICE_ASK = 4 + 24 + 1024 };

static struct place quoted;

/* The kernel's part is the software platform's; the rest is as on hardware. */
static bool kernel(struct device **out, struct err *e)
{
	const struct soft_config c = { .image_dir = quoted.images,
		.root_path = quoted.root };
	return soft_device_new(&c, out, e);
}

struct service {
	int fd;
	bool answers;
	uint8_t report[1024];
	pthread_t thread;
};

static void put32(uint8_t *at, uint32_t v)
{
	for (size_t i = 0; i < 4; i++)
		at[i] = (uint8_t)(v >> 8 * i);
}

static void *serve(void *arg)
{
	static uint8_t out[4 + 24 + QUOTE_BYTES];
	struct service *s = arg;
	uint8_t in[SERVICE_ASK];
	int fd = accept(s->fd, NULL, NULL);
	CHECK(fd >= 0);
	if (recv(fd, in, sizeof in, MSG_WAITALL) == sizeof in && s->answers) {
		memcpy(s->report, in + 28, sizeof s->report);
		memset(out, 0x51, sizeof out);
		put32(out, 0);
		out[2] = (sizeof out - 4) >> 8;
		out[3] = (sizeof out - 4) & 0xff;
		put32(out + 4, 1);
		put32(out + 8, 1);
		put32(out + 12, sizeof out - 4);
		put32(out + 16, 0);
		put32(out + 20, 0);
		put32(out + 24, QUOTE_BYTES);
		(void)!send(fd, out, sizeof out, MSG_NOSIGNAL);
	}
	close(fd);
	return NULL;
}

/* What the Keep's request came to. */
static bool evidence_of(struct hal_keep *k, struct buf *quote,
	struct buf *endorsements, struct err *e)
{
	struct gate_area *a = quoted.tech->area(k);
	static uint8_t copy[1024];
	char why[128] = "";
	CHECK(place_took(&quoted, k, why));
	CHECK_INT(a->request.op, GATE_EVIDENCE);
	CHECK_INT(a->request.data_len, sizeof copy);
	memcpy(copy, a->data, sizeof copy);
	return quoted.tech->evidence(k, BYTES_ARRAY(copy), quote, endorsements,
		e);
}

static void write_file(const char *path, const char *text)
{
	FILE *out = fopen(path, "w");
	CHECK(out && fputs(text, out) >= 0);
	fclose(out);
}

static bool quote_by(bool answers, struct service *s, struct buf *quote,
	struct buf *endorsements, struct err *e)
{
	char named[96], collateral[96], path[96], why[128] = "";
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	open_soft(&quoted, GUEST_QUOTE);
	fmt(path, sizeof path, "%s/qgs", quoted.dir);
	fmt(named, sizeof named, "%s/tdx-quoting", quoted.dir);
	fmt(collateral, sizeof collateral, "%s/tdx-endorsements", quoted.dir);
	write_file(named, path);
	write_file(collateral, "collateral");
	memcpy(at.sun_path, path, strlen(path));
	*s = (struct service){ .answers = answers };
	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK_INT(bind(s->fd, (struct sockaddr *)&at, sizeof at), 0);
	CHECK_INT(listen(s->fd, 1), 0);
	CHECK_INT(pthread_create(&s->thread, NULL, serve, s), 0);
	quoted.cfg.platform = HAL_HARDWARE;
	place_linux = kernel;
	struct hal_keep *k = place_launch(&quoted);
	place_linux = NULL;
	bool ok = evidence_of(k, quote, endorsements, e);
	quoted.tech->area(k)->reply.error = ok ? GATE_OK : GATE_FAILED;
	CHECK(quoted.tech->resume(k, e));
	CHECK(!place_took(&quoted, k, why));
	CHECK_STR(why, ok ? "exit status 0" : "exit status 8");
	quoted.tech->destroy(k);
	pthread_join(s->thread, NULL);
	close(s->fd);
	unlink(path);
	unlink(named);
	unlink(collateral);
	place_close(&quoted);
	return ok;
}

TEST(tdx_a_host_s_quoting_service_quotes_what_the_module_reported)
{
	struct buf quote = { 0 }, endorsements = { 0 };
	struct tdx_report_struct r;
	struct service s;
	struct err e = { 0 };
	CHECK(quote_by(true, &s, &quote, &endorsements, &e));
	CHECK_INT(quote.len, QUOTE_BYTES);
	CHECK_INT(quote.ptr[QUOTE_BYTES - 1], 0x51);
	CHECK_INT(endorsements.len, strlen("collateral"));
	memcpy(&r, s.report, sizeof r);
	CHECK_INT(r.head.type, TDX_REPORT_TYPE);
	CHECK_INT(r.head.report_data[63], 0x42);
	CHECK_INT(r.info.mrconfigid[0], 0x5a);
	buf_fini(&quote);
	buf_fini(&endorsements);
}

TEST(tdx_a_quoting_service_that_hangs_up_gives_no_evidence)
{
	struct buf quote = { 0 }, endorsements = { 0 };
	struct service s;
	struct err e = { 0 };
	CHECK(!quote_by(false, &s, &quote, &endorsements, &e));
	CHECK_HAS(e.text, "no quote");
	CHECK_INT(quote.len + endorsements.len, 0);
	buf_fini(&quote);
	buf_fini(&endorsements);
}
