/* SPDX-License-Identifier: Apache-2.0 */
/* The enclave's thread: enters, and does what the shim asks for when it
 * leaves (abi/enclave.h). */
#include <asm/sgx.h>
#include <errno.h>
#include <sys/mman.h>

#include "base/fmt.h"
#include "hal/sgx_priv.h"

static enum vm_turn gone(struct vm_cpu *c, const char *what, int n)
{
	fmt(c->why, sizeof c->why, "%s: %s", what, strerror(n < 0 ? -n : n));
	return VM_TURN_GONE;
}

/* --- what only the kernel can do to a page ----------------------------------
 */

/* Inside the range, whole pages. */
static bool range_ok(const struct device_enclave *x)
{
	uint64_t at = x->rsi - ENCLAVE_BASE;
	return (at | x->rdx) % PAGE_BYTES == 0 && x->rdx &&
		x->rdx <= ENCLAVE_BYTES && at <= ENCLAVE_BYTES - x->rdx;
}

/* The kernel may stop half-way, and says how far it came. */
static int restrict_pages(struct sgx_machine *m, struct device_enclave *x)
{
	int n = 0;
	for (uint64_t done = 0; n >= 0 && done < x->rdx;) {
		struct sgx_enclave_restrict_permissions a = {
			.offset = x->rsi - ENCLAVE_BASE + done,
			.length = x->rdx - done,
			.permissions = x->r8 & SGX_PAGE_RIGHTS,
		};
		n = device_ioctl(m->device, m->handle,
			SGX_IOC_ENCLAVE_RESTRICT_PERMISSIONS, &a);
		done += a.count;
		if (n == -EAGAIN || (n == -EINTR && a.count))
			n = 0;
	}
	return n;
}

/* The kernel's tables have to allow what the enclave shall run. */
static int protect_pages(struct sgx_machine *m, const struct device_enclave *x)
{
	uint64_t after = x->r8 >> 8;
	int prot = PROT_READ | (after & SGX_PAGE_X ? PROT_EXEC : PROT_WRITE);
	return m->device->ops->enclave_protect(m->device, x->rsi, x->rdx, prot);
}

static int retype_pages(struct sgx_machine *m, struct device_enclave *x)
{
	int n = 0;
	for (uint64_t done = 0; n >= 0 && done < x->rdx;) {
		struct sgx_enclave_modify_types a = {
			.offset = x->rsi - ENCLAVE_BASE + done,
			.length = x->rdx - done,
			.page_type = x->r8,
		};
		n = device_ioctl(m->device, m->handle,
			SGX_IOC_ENCLAVE_MODIFY_TYPES, &a);
		done += a.count;
		if (n == -EAGAIN || (n == -EINTR && a.count))
			n = 0;
	}
	return n;
}

static int remove_pages(struct sgx_machine *m, struct device_enclave *x)
{
	int n = 0;
	for (uint64_t done = 0; n >= 0 && done < x->rdx;) {
		struct sgx_enclave_remove_pages a = {
			.offset = x->rsi - ENCLAVE_BASE + done,
			.length = x->rdx - done,
		};
		n = device_ioctl(m->device, m->handle,
			SGX_IOC_ENCLAVE_REMOVE_PAGES, &a);
		done += a.count;
		if (n == -EAGAIN || (n == -EINTR && a.count))
			n = 0;
	}
	return n;
}

/* What is not there yet when it is needed is added then: no failure. */
static int add_pages(struct sgx_machine *m, const struct device_enclave *x)
{
	const struct device_ops *ops = m->device->ops;
	int prot = (x->r8 & SGX_PAGE_R ? PROT_READ : 0) |
		(x->r8 & SGX_PAGE_W ? PROT_WRITE : 0) |
		(x->r8 & SGX_PAGE_X ? PROT_EXEC : 0);
	int n = ops->enclave_protect(m->device, x->rsi, x->rdx, prot);
	if (n == 0)
		ops->enclave_touch(m->device, x->rsi, x->rdx);
	return n;
}

enum vm_turn sgx_serve_pages(struct sgx_machine *m, struct vm_cpu *c,
	struct device_enclave *x)
{
	int n = -EINVAL;
	if (!range_ok(x))
		return gone(c, "pages outside the enclave", n);
	if (x->rdi == ENCLAVE_RESTRICT)
		n = restrict_pages(m, x) < 0 ? -EIO : protect_pages(m, x);
	else if (x->rdi == ENCLAVE_RETYPE)
		n = retype_pages(m, x);
	else if (x->rdi == ENCLAVE_ADD)
		n = add_pages(m, x);
	else
		n = remove_pages(m, x);
	m->function = SGX_EENTER;
	return n < 0 ? gone(c, "change of pages", n) : VM_TURN_AGAIN;
}

/* --- turns ------------------------------------------------------------------
 */

static enum vm_turn on_leave(struct sgx_machine *m, struct vm_cpu *c,
	struct device_enclave *x)
{
	m->function = SGX_EENTER;
	switch (x->rdi) {
	case ENCLAVE_RESUME:
		m->function = SGX_ERESUME;
		return VM_TURN_AGAIN;
	case ENCLAVE_RESTRICT:
	case ENCLAVE_RETYPE:
	case ENCLAVE_REMOVE:
	case ENCLAVE_ADD:
		return sgx_serve_pages(m, c, x);
	case ENCLAVE_BELL:
	case ENCLAVE_EXIT:
	case ENCLAVE_CRASH:
		return vm_cpu_event(c, (uint32_t)x->rdi);
	default:
		fmt(c->why, sizeof c->why, "left for reason %llu",
			(unsigned long long)x->rdi);
		return VM_TURN_GONE;
	}
}

/* exec's exception is the shim's to handle: it is entered anew.  The shim's
 * own can't be: there is no frame left for it. */
static enum vm_turn on_exception(struct sgx_machine *m, struct vm_cpu *c,
	const struct device_enclave *x)
{
	if (x->function == SGX_ERESUME) {
		m->vector = x->vector;
		m->address = x->address;
		m->function = SGX_EENTER;
		return VM_TURN_AGAIN;
	}
	fmt(c->why, sizeof c->why,
		"exception %u, error 0x%x, at its entry, after %u in 0x%llx",
		x->vector, x->error, m->vector,
		(unsigned long long)(m->address - ENCLAVE_BASE));
	return VM_TURN_GONE;
}

enum vm_turn sgx_enter(void *ctx, struct vm_cpu *c)
{
	struct sgx_machine *m = ctx;
	struct device_enclave x = { .tcs = m->tcs,
		.function = m->function,
		.rdi = (uintptr_t)m->window };
	uint64_t ticks = __builtin_ia32_rdtsc();
	memcpy(m->window + ENCLAVE_TICKS_AT, &ticks, sizeof ticks);
	int n = m->device->ops->enclave_enter(m->device, m->handle, &x);
	if (n == -EINTR)
		return VM_TURN_AGAIN;
	if (n < 0)
		return gone(c, "enter enclave", n);
	return x.function == SGX_EEXIT ? on_leave(m, c, &x) :
					 on_exception(m, c, &x);
}

void sgx_stop(void *ctx, struct vm_cpu *c)
{
	struct sgx_machine *m = ctx;
	(void)c;
	m->device->ops->enclave_stop(m->device, ENCLAVE_BASE, ENCLAVE_BYTES);
}
