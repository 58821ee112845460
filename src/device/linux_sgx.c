/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Enclaves: /dev/sgx_enclave's memory, and the way in through the kernel's
 * vDSO, which alone knows how to come out of an exception.
 */
#include <asm/sgx.h>
#include <cpuid.h>
#include <elf.h>
#include <errno.h>
#include <linux/futex.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "device/linux_priv.h"

enum { EEXIT = 4 };

int linux_enclave_map(struct device *d, int handle, uint64_t at, size_t len,
	int prot)
{
	void *want = (void *)(uintptr_t)at;
	(void)d;
	void *p = handle < 0 ?
		mmap(want, len, PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE |
				MAP_FIXED_NOREPLACE,
			-1, 0) :
		mmap(want, len, prot, MAP_SHARED | MAP_FIXED, handle, 0);
	if (p == MAP_FAILED)
		return -errno;
	/* Older kernels take the address for a hint. */
	if (p == want)
		return 0;
	munmap(p, len);
	return -EEXIST;
}

int linux_enclave_protect(struct device *d, uint64_t at, size_t len, int prot)
{
	(void)d;
	return mprotect((void *)(uintptr_t)at, len, prot) == 0 ? 0 : -errno;
}

/* The kernel adds a page at the first access from wherever that comes (its
 * sgx_vma_fault), and reads from outside find all ones.  The kernel's own
 * access is no signal when there is no page to be had. */
void linux_enclave_touch(struct device *d, uint64_t at, size_t len)
{
	const struct timespec none = { 0 };
	(void)d;
	for (size_t i = 0; i < len; i += PAGE_BYTES)
		if (syscall(SYS_futex, (void *)(uintptr_t)(at + i),
			    FUTEX_WAIT_PRIVATE, 0, &none, NULL, 0) != 0 &&
			errno == EFAULT)
			return;
}

void linux_enclave_unmap(struct device *d, uint64_t at, size_t len)
{
	(void)d;
	munmap((void *)(uintptr_t)at, len);
}

/* Without its pages it faults, and does not get back in. */
void linux_enclave_stop(struct device *d, uint64_t at, size_t len)
{
	(void)d;
	mprotect((void *)(uintptr_t)at, len, PROT_NONE);
}

int linux_cpuid(struct device *d, uint32_t leaf, uint32_t sub, uint32_t out[4])
{
	(void)d;
	__cpuid_count(leaf, sub, out[0], out[1], out[2], out[3]);
	return 0;
}

/* --- the vDSO --------------------------------------------------------------
 */

/* What its dynamic section leads to. */
struct vdso {
	const uint8_t *base;
	intptr_t slide;
	const Elf64_Sym *symbols;
	const char *strings;
	const uint32_t *hash; /* DT_HASH: its second word counts symbols */
};

static void read_dynamic(struct vdso *v, const Elf64_Dyn *at)
{
	for (; at->d_tag != DT_NULL; at++) {
		const void *p =
			(const void *)((intptr_t)at->d_un.d_ptr + v->slide);
		if (at->d_tag == DT_SYMTAB)
			v->symbols = p;
		else if (at->d_tag == DT_STRTAB)
			v->strings = p;
		else if (at->d_tag == DT_HASH)
			v->hash = p;
	}
}

static bool open_vdso(struct vdso *v)
{
	const Elf64_Dyn *dynamic = NULL;
	*v = (struct vdso){ .base = (const uint8_t *)getauxval(
				    AT_SYSINFO_EHDR) };
	if (!v->base)
		return false;
	const Elf64_Ehdr *h = (const void *)v->base;
	const Elf64_Phdr *p = (const void *)(v->base + h->e_phoff);
	for (size_t i = 0; i < h->e_phnum; i++) {
		if (p[i].p_type == PT_LOAD)
			v->slide = (intptr_t)v->base -
				(intptr_t)(p[i].p_vaddr - p[i].p_offset);
		else if (p[i].p_type == PT_DYNAMIC)
			dynamic = (const void *)(v->base + p[i].p_offset);
	}
	if (dynamic)
		read_dynamic(v, dynamic);
	return v->symbols && v->strings && v->hash;
}

static vdso_sgx_enter_enclave_t find_enter(void)
{
	struct vdso v;
	if (!open_vdso(&v))
		return NULL;
	for (uint32_t i = 0; i < v.hash[1]; i++) {
		const Elf64_Sym *s = &v.symbols[i];
		if (s->st_shndx != SHN_UNDEF &&
			!strcmp(v.strings + s->st_name,
				"__vdso_sgx_enter_enclave"))
			return (vdso_sgx_enter_enclave_t)((intptr_t)
								  s->st_value +
				v.slide);
	}
	return NULL;
}

/* The only place where the registers that an enclave leaves with are seen. */
static int on_exit(long rdi, long rsi, long rdx, long rsp, long r8, long r9,
	struct sgx_enclave_run *run)
{
	struct device_enclave *x = (void *)(uintptr_t)run->user_data;
	(void)rsp;
	(void)r9;
	if (run->function == EEXIT) {
		x->rdi = (uint64_t)rdi;
		x->rsi = (uint64_t)rsi;
		x->rdx = (uint64_t)rdx;
		x->r8 = (uint64_t)r8;
	}
	return 0;
}

int linux_enclave_enter(struct device *d, int handle, struct device_enclave *x)
{
	vdso_sgx_enter_enclave_t enter = find_enter();
	struct sgx_enclave_run run = { .tcs = x->tcs,
		.user_handler = (uintptr_t)on_exit,
		.user_data = (uintptr_t)x };
	(void)d;
	(void)handle;
	if (!enter)
		return -ENOSYS;
	int n = enter(x->rdi, x->rsi, x->rdx, x->function, x->r8, 0, &run);
	x->function = run.function;
	x->vector = run.exception_vector;
	x->error = run.exception_error_code;
	x->address = run.exception_addr;
	return n;
}
