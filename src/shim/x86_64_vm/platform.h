/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a virtual machine's technology gives to the rest of the shim: one
 * folder beside this one fills it in.  All else is the same for all of them.
 */
#ifndef SHIM_X86_64_VM_PLATFORM_H
#define SHIM_X86_64_VM_PLATFORM_H

#include "abi/vm.h"
#include "arch/x86_64/cpu.h"
#include "shim/x86_64_vm/traps.h"

/* First of all, on the first tables: only the image may be touched. */
void platform_init(const struct vm_image_head *head);
/* When the shim's own tables are there. */
void platform_ready(void);
/* Of guest-physical addresses: this bit says that a page is the host's; 0:
 * none does. */
uint64_t platform_shared_bit(void);
/* A guest-physical address in whose 2 MiB there is no RAM; 0: there is none.
 */
uint64_t platform_hole(void);
/* What the processor can; checked, where the host could lie. */
struct cpu_id platform_cpuid(uint32_t leaf, uint32_t sub);
/* Makes guest-physical pages usable (numbers; `to` excluded); again: they were
 * released. */
bool platform_accept(uint64_t from, uint64_t to, bool again);
/* Whole blocks (2 MiB) go back to the host: nobody needs what is in them. */
void platform_release(uint64_t from, uint64_t to);
/* Tells the loader; returns when it lets the Keep run on. */
void platform_event(enum vm_event event);
/* What exec is told; once, and what is secret in it is then no more here. */
void platform_shim(struct gate_shim *out);
/* A system call that is the technology's own; false: it is not. */
bool platform_call(uint64_t number, const uint64_t args[6], int64_t *result);
/* An exception that is the technology's own; false: it is not. */
bool platform_trap(struct trap *t);

#endif
