/* SPDX-License-Identifier: Apache-2.0 */
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm_para.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../test.h"
#include "base/cleanup.h"

/* Beside the test itself, below the output folder. */
void run_path(char out[4096], const char *below)
{
	char self[2048];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	CHECK(n > 0);
	self[n] = '\0';
	for (int i = 0; i < 4; i++)
		*strrchr(self, '/') = '\0';
	snprintf(out, 4096, "%s/%s", self, below);
}

static size_t load(uint8_t *to, size_t room)
{
	char path[4096];
	run_path(path, "tests/guests/soft");
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0);
	ssize_t n = read(fd, to, room);
	CHECK(n > 0 && n % PAGE_BYTES == 0);
	return (size_t)n;
}

static int ask(struct run *r, int handle, unsigned long request, void *arg)
{
	return device_ioctl(r->d, handle, request, arg);
}

int run_region(struct run *r, uint32_t slot, uint64_t gpa, uint64_t bytes,
	uint8_t *at, uint64_t memfd_at)
{
	struct spec_kvm_region2 g = { .slot = slot,
		.guest_phys_addr = gpa,
		.memory_size = bytes,
		.userspace_addr = (uintptr_t)at };
	if (r->snp && slot == 1) {
		g.flags = SPEC_KVM_MEM_GUEST_MEMFD;
		g.guest_memfd = (uint32_t)r->memfd;
		g.guest_memfd_offset = memfd_at;
	}
	return ask(r, r->vm, SPEC_KVM_SET_USER_MEMORY_REGION2, &g);
}

int run_op(struct run *r, uint32_t id, void *data)
{
	struct spec_kvm_sev_cmd c = { .id = id,
		.data = (uintptr_t)data,
		.sev_fd = (uint32_t)r->sev };
	int n = ask(r, r->vm, KVM_MEMORY_ENCRYPT_OP, &c);
	r->error = c.error;
	return n;
}

static void open_snp(struct run *r)
{
	struct spec_kvm_sev_init init = { .ghcb_version = 2 };
	struct spec_kvm_guest_memfd g = { .size = RUN_RAM_BYTES };
	struct kvm_enable_cap cap = { .cap = KVM_CAP_EXIT_HYPERCALL,
		.args[0] = 1 << KVM_HC_MAP_GPA_RANGE };
	CHECK_INT(run_op(r, SPEC_KVM_SEV_INIT2, &init), 0);
	CHECK_INT(ask(r, r->vm, KVM_ENABLE_CAP, &cap), 0);
	r->memfd = ask(r, r->vm, SPEC_KVM_CREATE_GUEST_MEMFD, &g);
	CHECK(r->memfd > 0);
}

static void set_cpuid(struct run *r)
{
	enum { MOST = 256 };
	struct kvm_cpuid2 *c =
		calloc(1, sizeof *c + MOST * sizeof(struct kvm_cpuid_entry2));
	CHECK(c != NULL);
	c->nent = MOST;
	CHECK_INT(ask(r, r->kvm, KVM_GET_SUPPORTED_CPUID, c), 0);
	CHECK_INT(ask(r, r->cpu, KVM_SET_CPUID2, c), 0);
	free(c);
}

void run_open(struct run *r, bool snp)
{
	char images[4096];
	struct err e = { 0 };
	*r = (struct run){ .snp = snp, .root = "/tmp/donjon-soft-XXXXXX" };
	CHECK(mkdtemp(r->root) != NULL);
	memcpy(r->root + strlen(r->root), "/root.pem", 10);
	run_path(images, "keep");
	const struct soft_config c = { .image_dir = images,
		.root_path = r->root };
	if (!soft_device_probe(images, &e))
		SKIP_TEST(e.text);
	CHECK(soft_device_new(&c, &r->d, &e));
	r->kvm = r->d->ops->open(r->d, "/dev/kvm");
	r->sev = r->d->ops->open(r->d, "/dev/sev");
	r->vm = ask(r, r->kvm, KVM_CREATE_VM,
		(void *)(uintptr_t)(snp ? SPEC_KVM_SNP_VM : 0));
	CHECK(r->vm > 0);
	if (snp)
		open_snp(r);
	r->window = r->d->ops->memory(r->d, VM_WINDOW_BYTES);
	r->ram = r->d->ops->memory(r->d, RUN_RAM_BYTES);
	CHECK(r->window && r->ram);
	CHECK_INT(run_region(r, 0, VM_WINDOW_GPA, VM_WINDOW_BYTES, r->window,
			  0),
		0);
	CHECK_INT(run_region(r, 1, VM_RAM_GPA, RUN_RAM_BYTES, r->ram, 0), 0);
	r->cpu = ask(r, r->vm, KVM_CREATE_VCPU, NULL);
	CHECK(r->cpu > 0);
	r->run_bytes = (size_t)ask(r, r->kvm, KVM_GET_VCPU_MMAP_SIZE, NULL);
	r->run = r->d->ops->map(r->d, r->cpu, r->run_bytes);
	CHECK(r->run != NULL);
	set_cpuid(r);
}

void run_close(struct run *r)
{
	r->d->ops->unmap(r->d, r->run, r->run_bytes);
	r->d->ops->close(r->d, r->cpu);
	r->d->ops->memory_free(r->d, r->ram, RUN_RAM_BYTES);
	r->d->ops->memory_free(r->d, r->window, VM_WINDOW_BYTES);
	r->d->ops->free(r->d);
	unlink(r->root);
	*strrchr(r->root, '/') = '\0';
	rmdir(r->root);
}

int run_attributes(struct run *r, uint64_t gpa, uint64_t bytes, bool is_private)
{
	struct spec_kvm_attributes a = { .address = gpa,
		.size = bytes,
		.attributes = is_private ? SPEC_KVM_ATTRIBUTE_PRIVATE : 0 };
	return ask(r, r->vm, SPEC_KVM_SET_MEMORY_ATTRIBUTES, &a);
}

int run_start(struct run *r, uint64_t policy)
{
	struct spec_kvm_snp_start a = { .policy = policy };
	return run_op(r, SPEC_KVM_SNP_START, &a);
}

int run_update(struct run *r, uint64_t gpa, uint8_t *from, size_t bytes,
	uint8_t type)
{
	struct spec_kvm_snp_update u = { .gfn_start = gpa / PAGE_BYTES,
		.uaddr = (uintptr_t)from,
		.len = bytes,
		.type = type };
	return run_op(r, SPEC_KVM_SNP_UPDATE, &u);
}

int run_finish(struct run *r)
{
	struct spec_kvm_snp_finish f = { .host_data = { 1, 2, 3 } };
	return run_op(r, SPEC_KVM_SNP_FINISH, &f);
}

static struct kvm_segment segment(uint16_t selector, uint8_t type, bool code)
{
	return (struct kvm_segment){ .limit = ~0u,
		.selector = selector,
		.type = type,
		.present = 1,
		.s = 1,
		.g = 1,
		.l = code,
		.db = !code };
}

void run_set(struct run *r, enum guest_do what, uint64_t number)
{
	struct kvm_regs g = { .rip = r->head.entry,
		.rflags = 2,
		.rdi = what,
		.rsi = number };
	struct kvm_sregs s = { .cr0 = 0x80010033, .cr4 = 0x20, .efer = 0xd01 };
	s.cr3 = VM_RAM_GPA + r->head.tables[0];
	s.cr3 |= r->snp ? 1ull << GUEST_C_BIT : 0;
	s.cs = segment(8, 11, true);
	s.ds = s.es = s.fs = s.gs = s.ss = segment(16, 3, false);
	s.tr = (struct kvm_segment){ .limit = 0xffff,
		.type = 11,
		.present = 1 };
	s.ldt.unusable = 1;
	CHECK_INT(ask(r, r->cpu, KVM_SET_SREGS, &s), 0);
	CHECK_INT(ask(r, r->cpu, KVM_SET_REGS, &g), 0);
}

/* The image, with its tables as the processor has to see them. */
static size_t image(struct run *r, uint8_t *to)
{
	size_t n = load(to, VM_IMAGE_MAX_BYTES);
	memcpy(&r->head, to, sizeof r->head);
	CHECK_INT(r->head.magic, VM_IMAGE_MAGIC);
	for (size_t t = 0; r->snp && t < 3; t++)
		for (size_t i = 0; i < 512; i++) {
			uint64_t *e =
				(uint64_t *)(void *)(to + r->head.tables[t]) +
				i;
			*e |= *e ? 1ull << GUEST_C_BIT : 0;
		}
	return n;
}

void run_launch(struct run *r, enum guest_do what, uint64_t number)
{
	if (!r->snp) {
		image(r, r->ram);
		run_set(r, what, number);
		return;
	}
	uint8_t *at = aligned_alloc(PAGE_BYTES, VM_IMAGE_MAX_BYTES);
	CHECK(at != NULL);
	size_t n = image(r, at);
	CHECK_INT(run_attributes(r, VM_RAM_GPA, RUN_RAM_BYTES, true), 0);
	run_set(r, what, number);
	CHECK_INT(run_start(r, RUN_POLICY), 0);
	CHECK_INT(run_update(r, VM_RAM_GPA, at, n, SNP_PAGE_NORMAL), 0);
	memset(at, 0x11, PAGE_BYTES);
	CHECK_INT(run_update(r, GUEST_PAGES_GPA, at, PAGE_BYTES,
			  what == GUEST_SECRETS ? SNP_PAGE_SECRETS :
						  SNP_PAGE_NORMAL),
		0);
	CHECK_INT(run_finish(r), 0);
	free(at);
}

int run_enter(struct run *r)
{
	return r->d->ops->enter(r->d, r->cpu, r->run);
}

void run_to_end(struct run *r)
{
	CHECK_INT(run_enter(r), 0);
	CHECK_INT(r->run->exit_reason, KVM_EXIT_HLT);
	CHECK(run_result(r)->magic == GUEST_MARK);
}

const struct guest_result *run_result(const struct run *r)
{
	return (const void *)(r->window + GUEST_RESULT_AT);
}
