/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What POWER9's ultravisor and KVM-HV refuse, the software platform refuses:
 * each test boots a guest of ours and looks at what came of it.
 */
#include "soft/power.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../test.h"
#include "abi/pef.h"
#include "base/fmt.h"
#include "crypto/key.h"
#include "esm/fdt.h"
#include "guest/pef.h"
#include "soft/power_priv.h"
#include "spec/kvm.h"
#include "spec/papr.h"
#include "spec/pef.h"

enum {
	RAM = 16 << 20,
	INITRD = 0x200000,
	RTAS_AT = 0x400000,
	BLOB_AT = 0x410000,
	TREE_AT = 0x420000,
	MOST = 24,
};

static const uint8_t rtas[] = PEF_RTAS_CODE;
static const char initrd[] = "what exec would be";

/* What a hypervisor, or whoever made the blob, does wrong. */
enum wrong {
	NOTHING,
	KERNEL,
	INITRD_CHANGED,
	RTAS_CHANGED,
	ARGS,
	OTHER_MACHINE,
	BLOB_CHANGED,
	NO_TREE,
	NO_CAPABILITY,
	NO_ESM, /* the guest does not even ask */
};

/* One machine for all: what makes its key takes a while. */
static char dir[64], root[96];

struct svm {
	struct device *d;
	struct soft_power *s;
	int vm, cpu;
	struct kvm_run *run;
	uint8_t *ram, *wide;
	size_t kernel_bytes;
	uint8_t scalar[32];
	uint64_t told[MOST];
	size_t count;
};

static int ask(struct svm *m, int handle, unsigned long request, void *arg)
{
	return device_ioctl(m->d, handle, request, arg);
}

static void images_dir(char out[256])
{
	ssize_t n = readlink("/proc/self/exe", out, 240);
	CHECK(n > 0);
	out[n] = '\0';
	*strstr(out, "/tests/unit/") = '\0';
}

static void load_guest(struct svm *m)
{
	char out[256], path[300];
	images_dir(out);
	fmt(path, sizeof path, "%s/tests/guests/pef", out);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		SKIP_TEST("no guest of POWER's (make keep-ppc64le)");
	ssize_t n = read(fd, m->ram, INITRD);
	close(fd);
	CHECK(n > 0);
	m->kernel_bytes = (size_t)n;
}

static void put_tree(struct svm *m, size_t blob, enum wrong w)
{
	struct fdt_out o = { 0 };
	auto_buf tree = { .len = 0 };
	const char *args = w == ARGS ? "debug" : "";
	fdt_begin(&o, "");
	fdt_begin(&o, "rtas");
	fdt_property_u64(&o, "linux,rtas-base", RTAS_AT);
	fdt_property_u32(&o, "slof,rtas-size", sizeof rtas);
	fdt_end(&o);
	fdt_begin(&o, "chosen");
	fdt_property(&o, "bootargs", bytes_of(args, strlen(args) + 1));
	fdt_property_u64(&o, "linux,initrd-start", INITRD);
	fdt_property_u64(&o, "linux,initrd-end", INITRD + sizeof initrd);
	fdt_property_u64(&o, "linux,esm-blob-start", BLOB_AT);
	fdt_property_u64(&o, "linux,esm-blob-end", BLOB_AT + blob);
	fdt_end(&o);
	fdt_end(&o);
	CHECK(fdt_finish(&o, &tree, NULL));
	if (w != NO_TREE)
		memcpy(m->ram + TREE_AT, tree.ptr, tree.len);
}

/* Sealed before anything is changed, as an owner does. */
static void put_blob(struct svm *m, enum wrong w)
{
	struct crypto_wrap *machine = m->s->tpm, *other = NULL;
	auto_buf blob = { .len = 0 };
	struct esm_digests d;
	if (w == OTHER_MACHINE) {
		CHECK(crypto_wrap_generate(&other, NULL));
		machine = other;
	}
	memset(m->scalar, 0x42, sizeof m->scalar);
	CHECK(esm_digest(BYTES_ARRAY(rtas), bytes_of(m->ram, m->kernel_bytes),
		BYTES_ARRAY(initrd), BYTES_NONE, &d, NULL));
	CHECK(esm_seal(machine, &d, PEF_KEY_FILE, BYTES_ARRAY(m->scalar), &blob,
		NULL));
	crypto_wrap_free(other);
	memcpy(m->ram + BLOB_AT, blob.ptr, blob.len);
	put_tree(m, blob.len, w);
	m->ram[w == BLOB_CHANGED ? BLOB_AT + blob.len / 2 : RAM - 1] ^= 1;
	m->ram[w == KERNEL ? m->kernel_bytes - 1 : RAM - 1] ^= 1;
	m->ram[w == INITRD_CHANGED ? INITRD : RAM - 1] ^= 1;
	m->ram[w == RTAS_CHANGED ? RTAS_AT : RAM - 1] ^= 1;
}

static int map(struct svm *m, uint32_t slot, uint64_t gpa, void *at,
	size_t bytes)
{
	struct kvm_userspace_memory_region r = { .slot = slot,
		.guest_phys_addr = gpa,
		.memory_size = bytes,
		.userspace_addr = (uintptr_t)at };
	return ask(m, m->vm, KVM_SET_USER_MEMORY_REGION, &r);
}

static void remove_dir(void)
{
	static const char *const names[] = { "root.pem", "pef-machine.pem",
		"pef-machine.pub" };
	char path[128];
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		fmt(path, sizeof path, "%s/%s", dir, names[i]);
		unlink(path);
	}
	rmdir(dir);
}

static void make_dir(void)
{
	if (dir[0])
		return;
	fmt(dir, sizeof dir, "/tmp/donjon-power-XXXXXX");
	CHECK(mkdtemp(dir) != NULL);
	fmt(root, sizeof root, "%s/root.pem", dir);
	atexit(remove_dir);
}

static void open_device(struct svm *m)
{
	static char images[300];
	char out[256];
	struct err e = { 0 };
	images_dir(out);
	fmt(images, sizeof images, "%s/keep", out);
	*m = (struct svm){ 0 };
	if (!soft_power_probe(images, &e))
		SKIP_TEST(e.text);
	make_dir();
	const struct soft_config c = { .image_dir = images, .root_path = root };
	if (!soft_power_new(&c, &m->d, &e))
		fail_msg("%s", e.text);
	m->s = (struct soft_power *)(void *)m->d;
}

static void svm_open(struct svm *m, enum pef_guest what, enum wrong w)
{
	struct kvm_enable_cap secure = { .cap = SPEC_KVM_CAP_PPC_SECURE_GUEST,
		.args = { 1 } };
	struct kvm_enable_cap papr = { .cap = SPEC_KVM_CAP_PPC_PAPR,
		.args = { 1 } };
	struct spec_kvm_ppc_regs r = { .pc = 0x10000,
		.msr = 1ull << 63 | 1 << 12 | 1 };
	open_device(m);
	int kvm = m->d->ops->open(m->d, "/dev/kvm");
	m->vm = ask(m, kvm, KVM_CREATE_VM, (void *)SPEC_KVM_VM_PPC_HV);
	CHECK(m->vm > 0);
	m->ram = m->d->ops->memory(m->d, RAM);
	m->wide = m->d->ops->memory(m->d, UV_PAGE_BYTES);
	load_guest(m);
	memcpy(m->ram + INITRD, initrd, sizeof initrd);
	memcpy(m->ram + RTAS_AT, rtas, sizeof rtas);
	put_blob(m, w);
	if (w != NO_CAPABILITY)
		CHECK_INT(ask(m, m->vm, KVM_ENABLE_CAP, &secure), 0);
	CHECK_INT(map(m, 0, 0, m->ram, RAM), 0);
	CHECK_INT(map(m, 1, PEF_GUEST_WIDE, m->wide, UV_PAGE_BYTES), 0);
	m->cpu = ask(m, m->vm, KVM_CREATE_VCPU, NULL);
	CHECK(m->cpu > 0);
	m->run = m->d->ops->map(m->d, m->cpu, 2 * sizeof *m->run);
	r.gpr[3] = TREE_AT;
	r.gpr[4] = what;
	r.gpr[5] = w != NO_ESM;
	CHECK_INT(ask(m, m->cpu, KVM_ENABLE_CAP, &papr), 0);
	CHECK_INT(ask(m, m->cpu, SPEC_KVM_PPC_SET_REGS, &r), 0);
}

static void svm_close(struct svm *m)
{
	m->d->ops->unmap(m->d, m->run, 2 * sizeof *m->run);
	m->d->ops->free(m->d);
}

/* Until it tells something: true; or ends, or leaves otherwise. */
static bool next(struct svm *m, uint64_t *value)
{
	struct spec_kvm_hcall h;
	uint8_t *at = (uint8_t *)m->run + SPEC_KVM_RUN_UNION;
	for (;;) {
		if (m->d->ops->enter(m->d, m->cpu, m->run) != 0 ||
			m->run->exit_reason != KVM_EXIT_PAPR_HCALL)
			return false;
		memcpy(&h, at, sizeof h);
		bool told = h.nr == H_PUT_TERM_CHAR;
		h.ret = (uint64_t)(told ? H_SUCCESS : H_FUNCTION);
		memcpy(at, &h, sizeof h);
		*value = h.args[2];
		if (told)
			return *value != PEF_GUEST_DONE;
	}
}

static void tells(struct svm *m, const int64_t *want, size_t n)
{
	uint64_t value;
	for (size_t i = 0; i < n; i++) {
		if (!next(m, &value))
			fail_msg("value %zu: none, exit %u", i,
				m->run->exit_reason);
		if (value != (uint64_t)want[i])
			fail_msg("value %zu: %lld, not %lld", i,
				(long long)value, (long long)want[i]);
	}
}

#define TELLS(m, ...)                                          \
	do {                                                   \
		static const int64_t all_[] = { __VA_ARGS__ }; \
		tells((m), all_, ARRAY_LEN(all_));             \
	} while (0)

static void ends(struct svm *m)
{
	uint64_t value;
	CHECK(!next(m, &value));
	CHECK_INT(m->run->exit_reason, KVM_EXIT_PAPR_HCALL);
}

/* --- becoming secure ---------------------------------------------------- */

TEST(power_a_guest_that_is_what_its_owner_sealed_to_becomes_secure)
{
	struct svm m;
	svm_open(&m, PEF_GUEST_ENTER, NOTHING);
	TELLS(&m, U_SUCCESS);
	ends(&m);
	CHECK_STR(soft_power_refused(m.d), "");
	svm_close(&m);
}

TEST(power_a_guest_that_differs_in_any_part_stays_the_hypervisor_s)
{
	static const struct {
		enum wrong w;
		int64_t result;
		const char *why;
	} cases[] = { { KERNEL, U_PARAMETER, "another kernel" },
		{ INITRD_CHANGED, U_PARAMETER, "another initrd" },
		{ RTAS_CHANGED, U_PARAMETER, "another RTAS" },
		{ ARGS, U_PARAMETER, "another command line" },
		{ OTHER_MACHINE, U_PARAMETER, "for another machine" },
		{ BLOB_CHANGED, U_PARAMETER, "" },
		{ NO_TREE, U_PARAMETER, "device tree: not one" },
		{ NO_CAPABILITY, U_FUNCTION, "" } };
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct svm m;
		/* Nothing of it is anywhere else: it asks, in vain. */
		svm_open(&m, PEF_GUEST_PLAIN, cases[i].w);
		tells(&m, &cases[i].result, 1);
		CHECK_HAS(soft_power_refused(m.d), cases[i].why);
		TELLS(&m, U_INVALID, U_INVALID, U_PARAMETER, 0, U_PARAMETER,
			U_PARAMETER, U_PARAMETER);
		ends(&m);
		svm_close(&m);
	}
}

TEST(power_a_guest_becomes_secure_once)
{
	struct svm m;
	svm_open(&m, PEF_GUEST_TWICE, NOTHING);
	TELLS(&m, U_SUCCESS, U_STATE);
	ends(&m);
	svm_close(&m);
}

/* --- what is asked from inside ------------------------------------------- */

TEST(power_calls_that_are_another_s_or_wrong_are_refused)
{
	struct svm m;
	svm_open(&m, PEF_GUEST_CALLS, NOTHING);
	TELLS(&m, U_SUCCESS, U_PERMISSION, U_PERMISSION, U_PERMISSION,
		U_PERMISSION, U_FUNCTION, H_FUNCTION, H_FUNCTION, U_PARAMETER,
		U_PARAMETER, U_PARAMETER, U_PARAMETER, U_PARAMETER);
	ends(&m);
	svm_close(&m);
}

static uint64_t *word(struct svm *m, uint64_t gra)
{
	return (uint64_t *)(void *)(m->ram + gra);
}

TEST(power_a_page_is_shared_as_long_as_the_guest_says_and_empty_between)
{
	struct svm m;
	svm_open(&m, PEF_GUEST_SHARE, NOTHING);
	TELLS(&m, U_SUCCESS, U_SUCCESS, 0, 0);
	CHECK_INT(*word(&m, PEF_GUEST_PAGE), 1);
	*word(&m, PEF_GUEST_PAGE) = 2;
	TELLS(&m, 2, U_SUCCESS, 0, 0);
	CHECK_INT(*word(&m, PEF_GUEST_PAGE), 2);
	*word(&m, PEF_GUEST_PAGE) = 3;
	TELLS(&m, (int64_t)PEF_GUEST_MARK, U_SUCCESS, U_SUCCESS, 0);
	CHECK_INT(*word(&m, PEF_GUEST_PAGE + UV_PAGE_BYTES), 0);
	ends(&m);
	svm_close(&m);
}

TEST(power_a_shared_page_is_never_executed)
{
	struct svm m;
	uint64_t value;
	svm_open(&m, PEF_GUEST_RUN, NOTHING);
	TELLS(&m, U_SUCCESS, U_SUCCESS);
	CHECK(!next(&m, &value));
	CHECK_INT(m.run->exit_reason, KVM_EXIT_SHUTDOWN);
	svm_close(&m);
}

TEST(power_a_guest_that_looks_beyond_its_memory_leaves)
{
	struct svm m;
	uint64_t value;
	svm_open(&m, PEF_GUEST_BEYOND, NOTHING);
	TELLS(&m, U_SUCCESS);
	CHECK(!next(&m, &value));
	CHECK_INT(m.run->exit_reason, KVM_EXIT_MMIO);
	CHECK(m.run->mmio.phys_addr == 0x4000000000);
	svm_close(&m);
}

TEST(power_the_owner_s_file_is_read_once_and_by_its_name)
{
	struct svm m;
	svm_open(&m, PEF_GUEST_FILE, NOTHING);
	TELLS(&m, U_SUCCESS, 32, 0x4242424242424242, U_PARAMETER, 0,
		U_PARAMETER);
	ends(&m);
	svm_close(&m);
}

/* --- what a hypervisor does ----------------------------------------------- */

static bool seen(const struct svm *m, uint64_t mark)
{
	const uint8_t *file = (const uint8_t *)m->s->machine.box;
	for (size_t i = 0; i + 8 <= MONITOR_GUEST_AT; i += 8)
		if (!memcmp(file + i, &mark, 8))
			return true;
	for (size_t i = 0; i + 8 <= RAM; i += 8)
		if (!memcmp(m->ram + i, &mark, 8))
			return true;
	return false;
}

TEST(power_nothing_that_the_host_maps_has_a_secure_byte)
{
	struct svm m;
	svm_open(&m, PEF_GUEST_HOLD, NOTHING);
	TELLS(&m, U_SUCCESS, 0);
	CHECK(!seen(&m, PEF_GUEST_MARK));
	CHECK(!seen(&m, 0x4242424242424242));
	TELLS(&m, (int64_t)PEF_GUEST_MARK);
	svm_close(&m);
	/* The search would find it. */
	svm_open(&m, PEF_GUEST_HOLD, NO_ESM);
	TELLS(&m, 0, 0);
	CHECK(seen(&m, PEF_GUEST_MARK));
	svm_close(&m);
}

TEST(power_memory_of_a_secure_guest_is_neither_replaced_nor_moved)
{
	struct svm m;
	svm_open(&m, PEF_GUEST_HOLD, NOTHING);
	TELLS(&m, U_SUCCESS, 0);
	memset(m.ram + PEF_GUEST_PAGE, 0xee, UV_PAGE_BYTES);
	/* The host's half elsewhere: that is its own affair. */
	CHECK_INT(map(&m, 0, 0, m.ram, RAM), 0);
	CHECK_INT(map(&m, 0, 0, m.ram, RAM - UV_PAGE_BYTES), -EINVAL);
	CHECK_INT(map(&m, 1, 0x2000000000, m.wide, UV_PAGE_BYTES), -EINVAL);
	CHECK_INT(map(&m, 2, 0x2000000000, m.wide, UV_PAGE_BYTES), -EINVAL);
	TELLS(&m, (int64_t)PEF_GUEST_MARK);
	ends(&m);
	svm_close(&m);
}

static int set_tables(struct svm *m, uint64_t at)
{
	struct spec_kvm_ppc_mmuv3_cfg c = { .flags = SPEC_KVM_PPC_MMUV3_RADIX,
		.process_table = at };
	return ask(m, m->vm, SPEC_KVM_PPC_CONFIGURE_V3_MMU, &c);
}

TEST(power_a_secure_guest_s_tables_are_those_that_it_asked_for)
{
	struct svm m;
	struct spec_kvm_hcall h;
	svm_open(&m, PEF_GUEST_TABLES, NOTHING);
	TELLS(&m, U_SUCCESS);
	CHECK_INT(m.d->ops->enter(m.d, m.cpu, m.run), 0);
	memcpy(&h, (uint8_t *)m.run + SPEC_KVM_RUN_UNION, sizeof h);
	CHECK_INT(h.nr, H_REGISTER_PROC_TABLE);
	CHECK_INT(h.args[1], PEF_GUEST_TABLE);
	CHECK_INT(set_tables(&m, PEF_GUEST_PAGE), -EINVAL);
	CHECK_INT(set_tables(&m, PEF_GUEST_TABLE), 0);
	CHECK_INT(set_tables(&m, 0), -EINVAL);
	svm_close(&m);
}

TEST(power_registers_are_set_before_the_guest_runs_and_never_after)
{
	struct spec_kvm_ppc_regs r = { .pc = 0x10000 };
	struct svm m;
	svm_open(&m, PEF_GUEST_ENTER, NOTHING);
	TELLS(&m, U_SUCCESS);
	CHECK_INT(ask(&m, m.cpu, SPEC_KVM_PPC_SET_REGS, &r), -EINVAL);
	CHECK_INT(ask(&m, m.vm, KVM_CREATE_VCPU, NULL), -EINVAL);
	CHECK_INT(ask(&m, m.vm, KVM_CREATE_VCPU, (void *)1), -EINVAL);
	svm_close(&m);
}

static void *kick(void *arg)
{
	struct svm *m = arg;
	usleep(20000);
	m->d->ops->kick(m->d, m->cpu, m->run);
	return NULL;
}

TEST(power_a_kick_ends_the_run_whatever_the_guest_does)
{
	struct svm m;
	pthread_t t;
	svm_open(&m, PEF_GUEST_SPIN, NOTHING);
	TELLS(&m, U_SUCCESS);
	CHECK_INT(pthread_create(&t, NULL, kick, &m), 0);
	CHECK_INT(m.d->ops->enter(m.d, m.cpu, m.run), -EINTR);
	CHECK_INT(m.d->ops->enter(m.d, m.cpu, m.run), -EINTR);
	pthread_join(t, NULL);
	/* The owner's key went through the host's half, and is gone from it. */
	CHECK(!seen(&m, 0x4242424242424242));
	svm_close(&m);
}
