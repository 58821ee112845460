/* SPDX-License-Identifier: Apache-2.0 */
#include "td.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm_para.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../test.h"
#include "base/cleanup.h"
#include "run.h"

enum { MOST_CPUIDS = 256, PINS = 24 };

static int ask(struct td *t, int handle, unsigned long request, void *arg)
{
	return device_ioctl(t->d, handle, request, arg);
}

static int op(struct td *t, int handle, uint32_t id, uint32_t flags, void *data)
{
	struct spec_kvm_tdx_cmd c = { .id = id,
		.flags = flags,
		.data = (uintptr_t)data };
	int n = ask(t, handle, KVM_MEMORY_ENCRYPT_OP, &c);
	t->hw_error = c.hw_error;
	return n;
}

int td_vm_op(struct td *t, uint32_t id, uint32_t flags, void *data)
{
	return op(t, t->vm, id, flags, data);
}

int td_cpu_op(struct td *t, uint32_t id, uint32_t flags, void *data)
{
	return op(t, t->cpu, id, flags, data);
}

int td_enable(struct td *t, uint32_t cap, uint64_t arg)
{
	struct kvm_enable_cap c = { .cap = cap, .args[0] = arg };
	return ask(t, t->vm, KVM_ENABLE_CAP, &c);
}

int td_region(struct td *t, uint32_t slot, uint64_t gpa, uint64_t bytes,
	uint8_t *at, int memfd, uint64_t memfd_at)
{
	struct spec_kvm_region2 g = { .slot = slot,
		.flags = memfd >= 0 ? SPEC_KVM_MEM_GUEST_MEMFD : 0,
		.guest_phys_addr = gpa,
		.memory_size = bytes,
		.userspace_addr = (uintptr_t)at,
		.guest_memfd = memfd >= 0 ? (uint32_t)memfd : 0,
		.guest_memfd_offset = memfd_at };
	return ask(t, t->vm, SPEC_KVM_SET_USER_MEMORY_REGION2, &g);
}

int td_attributes(struct td *t, uint64_t gpa, uint64_t bytes, bool is_private)
{
	struct spec_kvm_attributes a = { .address = gpa,
		.size = bytes,
		.attributes = is_private ? SPEC_KVM_ATTRIBUTE_PRIVATE : 0 };
	return ask(t, t->vm, SPEC_KVM_SET_MEMORY_ATTRIBUTES, &a);
}

static int make_memfd(struct td *t, uint64_t bytes)
{
	struct spec_kvm_guest_memfd g = { .size = bytes };
	return ask(t, t->vm, SPEC_KVM_CREATE_GUEST_MEMFD, &g);
}

static void load(struct td *t)
{
	static char path[4096];
	run_path(path, "tests/guests/td");
	t->image = aligned_alloc(PAGE_BYTES, VM_IMAGE_MAX_BYTES);
	CHECK(t->image != NULL);
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0);
	ssize_t n = read(fd, t->image, VM_IMAGE_MAX_BYTES);
	CHECK(n > 0 && n % PAGE_BYTES == 0);
	t->image_bytes = (size_t)n;
	memcpy(&t->head, t->image, sizeof t->head);
	CHECK_INT(t->head.magic, VM_IMAGE_MAGIC);
	CHECK(t->head.reset != 0);
}

static void open_device(struct td *t)
{
	static char images[4096];
	struct err e = { 0 };
	run_path(images, "keep");
	const struct soft_config c = { .image_dir = images,
		.root_path = t->root };
	if (!soft_device_probe(images, &e))
		SKIP_TEST(e.text);
	CHECK(soft_device_new(&c, &t->d, &e));
}

void td_open(struct td *t)
{
	*t = (struct td){ .root = "/tmp/donjon-td-XXXXXX",
		.attributes = TDX_ATTR_SEPT_VE_OFF,
		.xfam = 7,
		.cpu = -1 };
	CHECK(mkdtemp(t->root) != NULL);
	memcpy(t->root + strlen(t->root), "/root.pem", 10);
	open_device(t);
	t->kvm = t->d->ops->open(t->d, "/dev/kvm");
	t->vm = ask(t, t->kvm, KVM_CREATE_VM,
		(void *)(uintptr_t)SPEC_KVM_TDX_VM);
	CHECK(t->vm > 0);
	t->memfd = make_memfd(t, TD_RAM_BYTES);
	t->reset_memfd = make_memfd(t, PAGE_BYTES);
	t->window = t->d->ops->memory(t->d, VM_WINDOW_BYTES);
	t->ram = t->d->ops->memory(t->d, TD_RAM_BYTES);
	t->reset = t->d->ops->memory(t->d, PAGE_BYTES);
	CHECK(t->memfd > 0 && t->reset_memfd > 0 && t->window && t->ram &&
		t->reset);
	CHECK_INT(td_region(t, 0, VM_WINDOW_GPA, VM_WINDOW_BYTES, t->window, -1,
			  0),
		0);
	CHECK_INT(td_region(t, 1, VM_RAM_GPA, TD_RAM_BYTES, t->ram, t->memfd,
			  0),
		0);
	CHECK_INT(td_region(t, 2, VM_RESET_GPA, PAGE_BYTES, t->reset,
			  t->reset_memfd, 0),
		0);
	CHECK_INT(td_attributes(t, VM_RAM_GPA, TD_RAM_BYTES, true), 0);
	CHECK_INT(td_attributes(t, VM_RESET_GPA, PAGE_BYTES, true), 0);
	load(t);
}

void td_close(struct td *t)
{
	free(t->image);
	if (t->run)
		t->d->ops->unmap(t->d, t->run, t->run_bytes);
	t->d->ops->close(t->d, t->cpu);
	t->d->ops->memory_free(t->d, t->ram, TD_RAM_BYTES);
	t->d->ops->memory_free(t->d, t->window, VM_WINDOW_BYTES);
	t->d->ops->memory_free(t->d, t->reset, PAGE_BYTES);
	t->d->ops->free(t->d);
	unlink(t->root);
	*strrchr(t->root, '/') = '\0';
	rmdir(t->root);
}

int td_init(struct td *t)
{
	struct {
		struct spec_kvm_tdx_init i;
		struct kvm_cpuid_entry2 gpaw;
	} *v = calloc(1, sizeof *v);
	CHECK(v != NULL);
	v->i.attributes = t->attributes;
	v->i.xfam = t->xfam;
	memset(v->i.mrconfigid, t->owner, sizeof v->i.mrconfigid);
	v->i.cpuid.nent = 1;
	v->gpaw = (struct kvm_cpuid_entry2){ .function = 0x80000008,
		.eax = 48 << 16 };
	int n = td_vm_op(t, SPEC_KVM_TDX_INIT_VM, 0, v);
	free(v);
	return n;
}

int td_add_cpu(struct td *t)
{
	struct kvm_cpuid2 *c = calloc(1,
		sizeof *c + MOST_CPUIDS * sizeof(struct kvm_cpuid_entry2));
	t->cpu = ask(t, t->vm, KVM_CREATE_VCPU, NULL);
	if (t->cpu < 0) {
		free(c);
		return t->cpu;
	}
	t->run_bytes = (size_t)ask(t, t->kvm, KVM_GET_VCPU_MMAP_SIZE, NULL);
	t->run = t->d->ops->map(t->d, t->cpu, t->run_bytes);
	CHECK(t->run && c);
	c->nent = MOST_CPUIDS;
	CHECK_INT(ask(t, t->kvm, KVM_GET_SUPPORTED_CPUID, c), 0);
	CHECK_INT(ask(t, t->cpu, KVM_SET_CPUID2, c), 0);
	free(c);
	return td_cpu_op(t, SPEC_KVM_TDX_INIT_VCPU, 0, NULL);
}

int td_add(struct td *t, uint64_t gpa, const uint8_t *from, size_t bytes,
	bool measured)
{
	struct spec_kvm_tdx_region g = { .source_addr = (uintptr_t)from,
		.gpa = gpa,
		.nr_pages = bytes / PAGE_BYTES };
	return td_cpu_op(t, SPEC_KVM_TDX_INIT_MEM_REGION,
		measured ? SPEC_KVM_TDX_MEASURE : 0, &g);
}

int td_finalize(struct td *t)
{
	return td_vm_op(t, SPEC_KVM_TDX_FINALIZE_VM, 0, NULL);
}

void td_prepare(struct td *t, enum td_do what, uint64_t number)
{
	uint8_t *page = aligned_alloc(PAGE_BYTES, PAGE_BYTES);
	const struct td_ask a = { what, number };
	memcpy(t->window + GUEST_ASK_AT, &a, sizeof a);
	CHECK_INT(td_enable(t, KVM_CAP_SPLIT_IRQCHIP, PINS), 0);
	CHECK_INT(td_enable(t, KVM_CAP_EXIT_HYPERCALL,
			  1 << KVM_HC_MAP_GPA_RANGE),
		0);
	CHECK_INT(td_init(t), 0);
	CHECK_INT(td_add_cpu(t), 0);
	CHECK_INT(td_add(t, VM_RAM_GPA, t->image, t->image_bytes, true), 0);
	CHECK_INT(td_add(t, VM_RESET_GPA, t->image + t->head.reset, PAGE_BYTES,
			  true),
		0);
	memset(page, 0x11, PAGE_BYTES);
	CHECK_INT(td_add(t, GUEST_PAGES_GPA, page, PAGE_BYTES, false), 0);
	free(page);
}

void td_launch(struct td *t, enum td_do what, uint64_t number)
{
	td_prepare(t, what, number);
	CHECK_INT(td_finalize(t), 0);
}

int td_enter(struct td *t)
{
	return t->d->ops->enter(t->d, t->cpu, t->run);
}

uint32_t td_event(struct td *t)
{
	uint32_t value;
	CHECK_INT(td_enter(t), 0);
	CHECK_INT(t->run->exit_reason, KVM_EXIT_IO);
	CHECK_INT(t->run->io.direction, KVM_EXIT_IO_OUT);
	CHECK_INT(t->run->io.port, VM_PORT);
	memcpy(&value, (uint8_t *)t->run + t->run->io.data_offset, 4);
	return value;
}

void td_to_end(struct td *t)
{
	CHECK_INT(td_event(t), GUEST_END_EVENT);
	CHECK(td_result(t)->magic == GUEST_MARK);
}

const struct guest_result *td_result(const struct td *t)
{
	return (const void *)(t->window + GUEST_RESULT_AT);
}
