/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is this KVM one that runs code?  Some machines have a /dev/kvm that
 * interprets it, thousands of times slower than a processor would; a Keep
 * there would be no use to anybody.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fmt.h"
#include "hal/vm_priv.h"

/* 40,000 instructions: 10 us on a processor; 5 ms is 8 million a second. */
#define LOOPS	20000u
#define MOST_NS 5000000
#define TRIES	3

enum { TABLES = 0, CODE = 3 * PAGE_BYTES, BYTES = 0x200000 };

/* mov $LOOPS, %ecx; 1: dec %ecx; jnz 1b; mov $VM_PORT, %dx; out %eax, %dx */
static const uint8_t code[] = { 0xb9, LOOPS & 0xff, LOOPS >> 8, 0, 0, 0xff,
	0xc9, 0x75, 0xfc, 0x66, 0xba, VM_PORT & 0xff, VM_PORT >> 8, 0xef };

static int64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Maps VM_SHIM_VA to the memory's begin, writable: a large page. */
static void put_tables(uint8_t *m)
{
	const uint64_t gpa = VM_RAM_GPA;
	const struct {
		size_t at;
		uint64_t entry;
	} entries[] = { { 511 * 8, (gpa + PAGE_BYTES) | 3 },
		{ PAGE_BYTES + 510 * 8, (gpa + 2 * PAGE_BYTES) | 3 },
		{ 2 * PAGE_BYTES, gpa | 0x83 } };
	for (size_t i = 0; i < ARRAY_LEN(entries); i++)
		memcpy(m + TABLES + entries[i].at, &entries[i].entry, 8);
	memcpy(m + CODE, code, sizeof code);
}

static bool run_once(struct vm_cpu *c, int64_t *ns, struct err *e)
{
	const struct vm_image_head head = { .entry = VM_SHIM_VA + CODE };
	const struct kvm_run *r = c->run;
	if (!vm_cpu_reset(c, &head, 0, e))
		return false;
	int64_t begin = now_ns();
	int n = c->device->ops->enter(c->device, c->handle, c->run);
	*ns = now_ns() - begin;
	if (n < 0)
		return err_fail(e, ERR_HOST, "KVM_RUN: %s", strerror(-n));
	if (r->exit_reason != KVM_EXIT_IO || r->io.port != VM_PORT)
		return err_fail(e, ERR_HOST, "long mode: exit %u",
			r->exit_reason);
	return true;
}

void vm_probe_module(const char *folder, char out[64])
{
	bool ours = false;
	DIR *d = opendir(folder);
	fmt(out, 64, "an unknown module");
	for (struct dirent *f; d && !ours && (f = readdir(d));) {
		/* A processor's vendor, or whoever plays one. */
		ours = !strcmp(f->d_name, "kvm_amd") ||
			!strcmp(f->d_name, "kvm_intel");
		if (!strncmp(f->d_name, "kvm_", 4))
			fmt(out, 64, "%.*s", 63, f->d_name);
	}
	if (d)
		closedir(d);
}

bool vm_probe_parameter(const char *path, bool *there)
{
	char c = 0;
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	*there = fd >= 0 && read(fd, &c, 1) == 1;
	return c == 'Y' || c == '1';
}

static bool too_slow(int64_t ns, struct err *e)
{
	char module[64];
	/* Tenths of a million. */
	long long rate = 20000ll * LOOPS / ns;
	vm_probe_module("/sys/module", module);
	return err_fail(e, ERR_HOST,
		"the kernel's KVM is %s, and runs code at %lld.%lld million "
		"instructions a second, which is no processor: kvm_amd or "
		"kvm_intel is needed",
		module, rate / 10, rate % 10);
}

static bool run_fast(struct vm_cpu *c, struct err *e)
{
	int64_t best = INT64_MAX;
	for (int i = 0; i < TRIES && best > MOST_NS; i++) {
		int64_t ns;
		if (!run_once(c, &ns, e))
			return false;
		best = ns < best ? ns : best;
	}
	return best <= MOST_NS || too_slow(best, e);
}

static bool in_machine(struct device *d, int vm, uint8_t *m, size_t run_bytes,
	struct err *e)
{
	struct vm_cpu c = { .run_bytes = run_bytes,
		.bell = -1,
		.handle = -1,
		.go = -1 };
	struct kvm_userspace_memory_region r = {
		.guest_phys_addr = VM_RAM_GPA,
		.memory_size = BYTES,
		.userspace_addr = (uintptr_t)m,
	};
	put_tables(m);
	vm_keep_clear(d, vm);
	int n = device_ioctl(d, vm, KVM_SET_USER_MEMORY_REGION, &r);
	bool ok = n < 0 ? err_fail(e, ERR_HOST, "memory: %s", strerror(-n)) :
			  vm_cpu_init(&c, d, vm, e) && run_fast(&c, e);
	vm_cpu_fini(&c);
	return ok;
}

static bool runs_code(struct device *d, int kvm, struct err *e)
{
	int run_bytes = device_ioctl(d, kvm, KVM_GET_VCPU_MMAP_SIZE, NULL);
	int vm = device_ioctl(d, kvm, KVM_CREATE_VM, NULL);
	void *m = d->ops->memory(d, BYTES);
	bool ok = false;
	if (run_bytes < 0 || vm < 0 || !m)
		err_put(e, ERR_HOST, "create machine: %s",
			strerror(vm < 0 ? -vm : ENOMEM));
	else
		ok = in_machine(d, vm, m, (size_t)run_bytes, e);
	d->ops->close(d, vm);
	d->ops->memory_free(d, m, BYTES);
	return ok;
}

/* It takes milliseconds, and its result does not change. */
bool vm_probe(const struct hal_config *cfg, struct device *d, int kvm,
	struct err *e)
{
	struct hal_notes *n = cfg->notes;
	if (cfg->probed || (n && n->kvm == HAL_RUNS))
		return true;
	if (n && n->kvm == HAL_RUNS_NOT)
		return err_fail(e, ERR_HOST, "%s", n->kvm_why);
	bool ok = runs_code(d, kvm, e);
	if (n) {
		n->kvm = ok ? HAL_RUNS : HAL_RUNS_NOT;
		fmt(n->kvm_why, sizeof n->kvm_why, "%.*s", 190,
			ok ? "" : e->text);
	}
	return ok;
}
