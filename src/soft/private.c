/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guest_memfds and attributes of memory: what an SNP guest and a trust domain
 * have of a kernel in common (Documentation/virt/kvm/api.rst).
 */
#include <errno.h>

#include "soft/device_priv.h"

enum { LARGE = 2 << 20 };

bool soft_has_private(const struct soft_device *s)
{
	return s->kind == MONITOR_SNP || s->kind == MONITOR_TDX;
}

int soft_private_create(struct soft_device *s,
	const struct spec_kvm_guest_memfd *g)
{
	struct soft_private *n = &s->private;
	uint64_t sum;
	if (!soft_has_private(s) || s->machine.pid || g->flags || !g->size ||
		g->size % PAGE_BYTES)
		return -EINVAL;
	for (size_t i = 0; i < SOFT_MEMFDS; i++) {
		if (n->memfds[i].bytes)
			continue;
		/* The next one begins at a large page's boundary. */
		if (__builtin_add_overflow(n->bytes, g->size, &sum) ||
			sum > INT64_MAX - LARGE)
			return -EINVAL;
		n->memfds[i].bytes = g->size;
		n->memfds[i].at = n->bytes;
		n->bytes = (sum + LARGE - 1) & ~(uint64_t)(LARGE - 1);
		return SOFT_HANDLE_MEMFD + (int)i;
	}
	return -EMFILE;
}

static int set_attributes(struct soft_device *s,
	const struct spec_kvm_attributes *a)
{
	return soft_kvm_call(s, MONITOR_ATTRIBUTES,
		(uint64_t[4]){ a->address, a->size, a->attributes != 0 });
}

int soft_private_attributes(struct soft_device *s,
	const struct spec_kvm_attributes *a)
{
	struct soft_private *n = &s->private;
	uint64_t end;
	if (!soft_has_private(s) || a->flags || !a->size ||
		(a->attributes & ~SPEC_KVM_ATTRIBUTE_PRIVATE) ||
		(a->address | a->size) % PAGE_BYTES ||
		__builtin_add_overflow(a->address, a->size, &end))
		return -EINVAL;
	if (s->begun)
		return end > s->machine.box->gpa_end ? -EINVAL :
						       set_attributes(s, a);
	if (n->early_count == SOFT_EARLY)
		return -ENOMEM;
	n->early[n->early_count++] = *a;
	return 0;
}

int soft_private_begin(struct soft_device *s)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < s->private.early_count; i++)
		r = set_attributes(s, &s->private.early[i]);
	return r;
}

/* fallocate(PUNCH_HOLE): what was there is nobody's, and zero. */
int soft_private_discard(struct soft_device *s, int handle, uint64_t at,
	uint64_t len)
{
	const struct soft_private *n = &s->private;
	const struct monitor_slot *slots = s->machine.box->slots;
	size_t f = (size_t)(handle - SOFT_HANDLE_MEMFD);
	if (handle < SOFT_HANDLE_MEMFD || f >= SOFT_MEMFDS ||
		(at | len) % PAGE_BYTES || len > n->memfds[f].bytes ||
		at > n->memfds[f].bytes - len)
		return -EINVAL;
	at += n->memfds[f].at;
	for (size_t i = 0; s->begun && i < MONITOR_SLOTS; i++) {
		uint64_t first = n->slots[i].at;
		uint64_t from = at > first ? at : first;
		uint64_t last = first + slots[i].bytes;
		uint64_t to = at + len < last ? at + len : last;
		if (!n->slots[i].has || from >= to)
			continue;
		int r = soft_kvm_call(s, MONITOR_DISCARD,
			(uint64_t[4]){ slots[i].gpa + (from - first),
				to - from });
		if (r < 0)
			return r;
	}
	return 0;
}
