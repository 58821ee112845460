/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/kvm.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/fmt.h"
#include "hal/process_priv.h"
#include "hal/vm_priv.h"
#include "spec/kvm.h"

void vm_keep_clear(struct device *d, int vm)
{
	uint64_t map = VM_WINDOW_GPA - 4 * PAGE_BYTES;
	unsigned long tss = VM_WINDOW_GPA - 3 * PAGE_BYTES;
	/* Other processors refuse, rightly. */
	device_ioctl(d, vm, KVM_SET_IDENTITY_MAP_ADDR, &map);
	device_ioctl(d, vm, KVM_SET_TSS_ADDR, (void *)tss);
}

bool vm_cpu_init_bells(struct vm_cpu *c, struct device *d, struct err *e)
{
	c->handle = c->bell = c->go = -1;
	c->device = d;
	c->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	c->go = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (c->bell < 0 || c->go < 0)
		return err_fail(e, ERR_HOST, "bell: %s", strerror(errno));
	return true;
}

bool vm_cpu_init(struct vm_cpu *c, struct device *d, int vm, struct err *e)
{
	c->vm = vm;
	if (!vm_cpu_init_bells(c, d, e))
		return false;
	c->handle = device_ioctl(d, vm, KVM_CREATE_VCPU, NULL);
	if (c->handle < 0)
		return err_fail(e, ERR_HOST, "create processor: %s",
			strerror(-c->handle));
	c->run = d->ops->map(d, c->handle, c->run_bytes);
	if (!c->run)
		return err_fail(e, ERR_HOST, "map processor: %s",
			strerror(errno));
	return true;
}

static struct kvm_segment segment(uint16_t selector, uint8_t type, bool code)
{
	return (struct kvm_segment){
		.limit = ~0u,
		.selector = selector,
		.type = type,
		.present = 1,
		.s = 1,
		.g = 1,
		.l = code,
		.db = !code,
	};
}

/* AMD64 manual, volume 2, §14.1: what is not set here keeps its reset value. */
static void long_mode(struct kvm_sregs *s, const struct vm_image_head *head,
	uint32_t c_bit)
{
	s->cs = segment(0x08, 11, true);
	s->ds = s->es = s->fs = s->gs = s->ss = segment(0x10, 3, false);
	s->tr = (struct kvm_segment){ .limit = 0xffff,
		.type = 11,
		.present = 1 };
	s->ldt = (struct kvm_segment){ .unusable = 1 };
	s->gdt = s->idt = (struct kvm_dtable){ 0 };
	s->cr0 = 0x80010033; /* PE MP ET NE WP PG */
	s->cr3 = (VM_RAM_GPA + head->tables[0]) | (c_bit ? 1ull << c_bit : 0);
	s->cr4 = 0x60;	 /* PAE MCE: KVM adds the latter for SNP */
	s->efer = 0xd01; /* SCE LME LMA NXE */
}

bool vm_cpu_reset(struct vm_cpu *c, const struct vm_image_head *head,
	uint32_t c_bit, struct err *e)
{
	struct kvm_regs r = { .rip = head->entry, .rflags = 2 };
	struct kvm_sregs s;
	int n = device_ioctl(c->device, c->handle, KVM_GET_SREGS, &s);
	if (n < 0)
		return err_fail(e, ERR_HOST, "KVM_GET_SREGS: %s", strerror(-n));
	long_mode(&s, head, c_bit);
	n = device_ioctl(c->device, c->handle, KVM_SET_SREGS, &s);
	if (n < 0)
		return err_fail(e, ERR_HOST, "KVM_SET_SREGS: %s", strerror(-n));
	n = device_ioctl(c->device, c->handle, KVM_SET_REGS, &r);
	if (n < 0)
		return err_fail(e, ERR_HOST, "KVM_SET_REGS: %s", strerror(-n));
	return true;
}

/* --- the thread ------------------------------------------------------------
 */

/* A Keep's words are shown to people: nothing but printable characters. */
static enum vm_turn gone_by_report(struct vm_cpu *c, bool crash)
{
	struct vm_report r;
	c->reported = true;
	memcpy(&r, c->report, sizeof r);
	if (!crash) {
		fmt(c->why, sizeof c->why, "exit status %u", r.status);
		return VM_TURN_GONE;
	}
	size_t n = size_min(r.text_len, sizeof r.text);
	for (size_t i = 0; i < n; i++)
		if (r.text[i] < ' ' || r.text[i] > '~')
			r.text[i] = '?';
	fmt(c->why, sizeof c->why, "%.*s", (int)n, r.text);
	return VM_TURN_GONE;
}

enum vm_turn vm_cpu_event(struct vm_cpu *c, uint32_t event)
{
	switch (event) {
	case VM_EVENT_BELL:
		return VM_TURN_BELL;
	case VM_EVENT_EXIT:
	case VM_EVENT_CRASH:
		return gone_by_report(c, event == VM_EVENT_CRASH);
	case VM_EVENT_RELEASE:
		if (c->on_release)
			return c->on_release(c->ctx, c);
		break;
	default:
		break;
	}
	fmt(c->why, sizeof c->why, "unknown event %u", event);
	return VM_TURN_GONE;
}

const char *vm_exit_name(uint32_t reason)
{
	switch (reason) {
	case KVM_EXIT_HLT:
		return "halted";
	case KVM_EXIT_SHUTDOWN:
		return "triple fault";
	case KVM_EXIT_MMIO:
		return "access outside its memory";
	case KVM_EXIT_FAIL_ENTRY:
		return "the processor refused its state";
	case KVM_EXIT_INTERNAL_ERROR:
		return "the kernel could not emulate an instruction";
	default:
		return "unexpected exit";
	}
}

static enum vm_turn on_exit(struct vm_cpu *c)
{
	const struct kvm_run *r = c->run;
	if (r->exit_reason == KVM_EXIT_IO &&
		r->io.direction == KVM_EXIT_IO_OUT && r->io.size == 4 &&
		r->io.count == 1 && r->io.port == VM_PORT) {
		uint32_t event;
		memcpy(&event, (const uint8_t *)r + r->io.data_offset,
			sizeof event);
		return vm_cpu_event(c, event);
	}
	if (c->on_exit)
		return c->on_exit(c->ctx, c);
	fmt(c->why, sizeof c->why, "%s (%u)", vm_exit_name(r->exit_reason),
		r->exit_reason);
	return VM_TURN_GONE;
}

static bool quits(struct vm_cpu *c)
{
	return __atomic_load_n(&c->quit, __ATOMIC_SEQ_CST);
}

static enum vm_turn enter(struct vm_cpu *c)
{
	int n = c->device->ops->enter(c->device, c->handle, c->run);
	if (n == 0)
		return on_exit(c);
	if (n == -EINTR || n == -EAGAIN)
		return VM_TURN_AGAIN;
	/* The one exit that is an error, too. */
	if (n == -EFAULT && c->on_exit &&
		((struct kvm_run *)c->run)->exit_reason ==
			SPEC_KVM_EXIT_MEMORY_FAULT)
		return c->on_exit(c->ctx, c);
	fmt(c->why, sizeof c->why, "KVM_RUN: %s", strerror(-n));
	return VM_TURN_GONE;
}

/* Users change for all threads at once, capabilities for each alone. */
static enum vm_turn confined(struct vm_cpu *c)
{
	struct err e = { 0 };
	if (!__atomic_load_n(&c->confine, __ATOMIC_SEQ_CST) || c->confined)
		return VM_TURN_AGAIN;
	c->confined = process_drop_caps(&e);
	if (c->confined)
		return VM_TURN_AGAIN;
	fmt(c->why, sizeof c->why, "%.*s", 120, e.text);
	return VM_TURN_GONE;
}

/* False: the device's process has ended meanwhile. */
static bool wait_go(struct vm_cpu *c)
{
	const struct device_ops *ops = c->device->ops;
	struct pollfd fds[] = { { c->go, POLLIN, 0 },
		{ ops->ended ? ops->ended(c->device) : -1, 0, 0 } };
	eventfd_t count;
	while (eventfd_read(c->go, &count) != 0) {
		if (poll(fds, ARRAY_LEN(fds), -1) > 0 && !fds[0].revents)
			return false;
	}
	return true;
}

static enum vm_turn died(struct vm_cpu *c)
{
	fmt(c->why, sizeof c->why, "its processor's process ended");
	return VM_TURN_GONE;
}

/* A run that failed because the device's process has ended. */
static bool was_cut(const struct vm_cpu *c)
{
	const struct device_ops *ops = c->device->ops;
	struct pollfd p = { ops->ended ? ops->ended(c->device) : -1, 0, 0 };
	return !c->reported && poll(&p, 1, 0) == 1;
}

static enum vm_turn enter_once(struct vm_cpu *c)
{
	enum vm_turn turn = c->enter ? c->enter(c->ctx, c) : enter(c);
	return turn == VM_TURN_GONE && was_cut(c) ? died(c) : turn;
}

static void *run(void *arg)
{
	struct vm_cpu *c = arg;
	enum vm_turn turn = VM_TURN_AGAIN;
	while (!quits(c)) {
		if (turn == VM_TURN_AGAIN)
			turn = enter_once(c);
		if (turn == VM_TURN_AGAIN)
			continue;
		c->gone = turn == VM_TURN_GONE;
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		eventfd_write(c->bell, 1);
		if (c->gone)
			break;
		turn = wait_go(c) ? confined(c) : died(c);
	}
	return NULL;
}

bool vm_cpu_start(struct vm_cpu *c, struct err *e)
{
	int n = pthread_create(&c->thread, NULL, run, c);
	if (n)
		return err_fail(e, ERR_HOST, "thread: %s", strerror(n));
	c->started = true;
	return true;
}

void vm_cpu_fini(struct vm_cpu *c)
{
	if (!c->device)
		return;
	if (c->started) {
		__atomic_store_n(&c->quit, true, __ATOMIC_SEQ_CST);
		if (c->stop)
			c->stop(c->ctx, c);
		else
			c->device->ops->kick(c->device, c->handle, c->run);
		eventfd_write(c->go, 1);
		pthread_join(c->thread, NULL);
	}
	c->device->ops->unmap(c->device, c->run, c->run_bytes);
	c->device->ops->close(c->device, c->handle);
	if (c->bell >= 0)
		close(c->bell);
	if (c->go >= 0)
		close(c->go);
	*c = (struct vm_cpu){ .handle = -1, .bell = -1, .go = -1 };
}

/* --- serving ---------------------------------------------------------------
 */

bool vm_cpu_take(struct vm_cpu *c, bool *gone, char why[128], struct err *e)
{
	eventfd_t count;
	if (eventfd_read(c->bell, &count) != 0)
		return err_fail(e, ERR_HOST, "bell: %s", strerror(errno));
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	*gone = c->gone;
	if (c->gone)
		memcpy(why, c->why, sizeof c->why);
	return true;
}

bool vm_cpu_resume(struct vm_cpu *c, struct err *e)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (eventfd_write(c->go, 1) != 0)
		return err_fail(e, ERR_HOST, "resume: %s", strerror(errno));
	return true;
}
