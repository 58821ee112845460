/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest's memory, as its processor sees it: through its page tables, the
 * nested ones' rules, and the RMP or the secure EPT.
 */
#ifndef MONITOR_X86_64_GUEST_H
#define MONITOR_X86_64_GUEST_H

#include "monitor/x86_64/monitor.h"

enum guest_turn {
	GUEST_FINE,
	GUEST_PAGE_FAULT,    /* its own tables map nothing there */
	GUEST_NOT_VALIDATED, /* SNP; TDX: not accepted */
	GUEST_HOST_FAULT,    /* the host has to do something first */
	GUEST_NOWHERE,	     /* no memory slot */
};

/*
 * Where a guest-physical address (with its C-bit, or shared bit) is; rights:
 * RMP_....  Does what a kernel does at a first access: private pages become the
 * guest's.
 */
enum guest_turn guest_resolve(struct monitor *m, uint64_t gpa, uint8_t rights,
	uint64_t *hpa);
/* What the guest's tables say; no right is checked but presence. */
enum guest_turn guest_walk(struct monitor *m, uint64_t va, uint64_t *gpa);
enum guest_turn guest_read(struct monitor *m, uint64_t va, void *to, size_t n);
enum guest_turn guest_write(struct monitor *m, uint64_t va, const void *from,
	size_t n);

/* Of the host: shall this page be private? */
bool guest_is_private(const struct monitor *m, uint64_t gpa);
void guest_set_private(struct monitor *m, uint64_t gpa, bool is_private);

#endif
