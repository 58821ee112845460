/* SPDX-License-Identifier: Apache-2.0 */
#include "lies.h"

#include <errno.h>
#include <linux/kvm.h>
#include <unistd.h>

#include "abi/sanctum_driver.h"
#include "base/fmt.h"
#include "soft/device.h"
#include "soft/sanctum.h"
#include "spec/kvm.h"
#include "spec/snp_guest.h"
#include "spec/svm.h"

const char *const lie_names[LIES] = { "none", "event at an instruction",
	"event soon", "#VC for CPUID", "interrupts all the time", "gate reply",
	"race", "GHCB", "GHCB MSR", "CPUID page", "hints", "level", "memory",
	"certificates", "page states", "registers after a call", "quote",
	"what is launched" };

bool lies_has(const char *tech, enum lie kind)
{
	switch (kind) {
	case LIE_STORM:
		return strcmp(tech, "pef") != 0; /* nobody interrupts there */
	case LIE_NONE:
	case LIE_REPLY:
	case LIE_RACE:
	case LIE_HINTS:
		return true;
	case LIE_MEMORY:
		return strcmp(tech, "sanctum") != 0;
	case LIE_STATE:
		return !strcmp(tech, "snp") || !strcmp(tech, "tdx");
	case LIE_CALL:
	case LIE_DOMAIN:
		return !strcmp(tech, "tdx") || !strcmp(tech, "pef");
	case LIE_QUOTE:
		return !strcmp(tech, "tdx");
	default:
		return !strcmp(tech, "snp");
	}
}

static struct lies *current;

/* splitmix64 (Steele, Lea, Flood 2014). */
uint64_t lies_random(struct lies *l, uint64_t below)
{
	uint64_t z = l->state += 0x9e3779b97f4a7c15;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	z ^= z >> 31;
	return below ? z % below : z;
}

uint64_t lies_some(struct lies *l, unsigned bits)
{
	uint64_t n = lies_random(l, bits + 1);
	return lies_random(l, 0) & (n < 64 ? (1ull << n) - 1 : ~0ull);
}

void lies_spoil(struct lies *l, void *at, size_t n)
{
	uint8_t *p = at;
	size_t i = lies_random(l, n);
	TELL(l, "byte %zu of %zu", i, n);
	p[i] ^= (uint8_t)(1 + lies_random(l, 255));
}

/* --- events ------------------------------------------------------------- */

static uint64_t any_event(struct lies *l)
{
	static const uint8_t favourites[] = { 0x80, 14, 29, 13, 8, 1, 2, 20 };
	uint64_t vector = lies_random(l, 2) ?
		favourites[lies_random(l, sizeof favourites)] :
		lies_random(l, 256);
	static const uint64_t types[] = { 0, SVM_EVENT_NMI, SVM_EVENT_EXCEPTION,
		SVM_EVENT_EXCEPTION, 4u << 8 };
	uint64_t type = types[lies_random(l, ARRAY_LEN(types))];
	static const uint32_t codes[] = { SVM_EXIT_CPUID, SVM_EXIT_MSR,
		SVM_EXIT_IOIO, SVM_EXIT_VMMCALL, SNP_VC_NOT_VALIDATED, 0, 4,
		6 };
	uint64_t event = vector | type | SVM_EVENT_VALID;
	if (lies_random(l, 2))
		event |= SVM_EVENT_HAS_ERROR |
			(uint64_t)codes[lies_random(l, ARRAY_LEN(codes))] << 32;
	return event;
}

static uint64_t harmless_event(struct lies *l)
{
	if (l->tdx)
		return SVM_EVENT_NMI | 2 | SVM_EVENT_VALID;
	uint64_t vector = 32 + lies_random(l, 224);
	return lies_random(l, 4) ? vector | SVM_EVENT_VALID :
				   SVM_EVENT_NMI | 2 | SVM_EVENT_VALID;
}

static void inject(struct lies *l, uint64_t event, uint32_t after)
{
	struct err e;
	TELL(l, "event 0x%llx after %u instructions, bell %u",
		(unsigned long long)event, after, l->bells);
	/* A guest that is gone hears nothing. */
	(void)!soft_device_inject(l->device, event, after, &e);
}

static void inject_at(struct lies *l)
{
	enum { MOST_BITS = 12 };
	inject(l, any_event(l), 1 + (uint32_t)lies_some(l, MOST_BITS));
}

/* WeSee (Schlueter, Sridhara, Bertschi, Shinde 2024): what exec has in its
 * registers would be taken for an instruction's. */
static void inject_vc(struct lies *l)
{
	enum { LEAST = 100, MOST = 8000 };
	inject(l,
		29 | SVM_EVENT_EXCEPTION | SVM_EVENT_HAS_ERROR |
			SVM_EVENT_VALID | (uint64_t)SVM_EXIT_CPUID << 32,
		LEAST + (uint32_t)lies_random(l, MOST));
}

/* --- the thread that does not wait for the guest ------------------------- */

static bool stops(struct lies *l)
{
	return __atomic_load_n(&l->stop, __ATOMIC_SEQ_CST);
}

/* Everything shared but the report, which is for people. */
static void race(struct lies *l)
{
	static const struct {
		uint32_t at, bytes;
	} parts[] = { { VM_HINTS_AT, sizeof(struct vm_hints) },
		{ VM_AREA_AT + offsetof(struct gate_area, reply),
			sizeof(struct gate_reply) },
		{ VM_AREA_AT + offsetof(struct gate_area, request),
			sizeof(struct gate_request) },
		{ VM_AREA_AT + offsetof(struct gate_area, boot),
			sizeof(struct gate_boot) },
		{ VM_AREA_AT + offsetof(struct gate_area, data), 6000 },
		{ VM_GHCB_AT + 0x390, 0x60 }, { VM_GHCB_AT, PAGE_BYTES },
		{ VM_MESSAGE_AT, PAGE_BYTES } };
	size_t n = lies_random(l, ARRAY_LEN(parts));
	volatile uint8_t *p = l->window + parts[n].at;
	size_t i = lies_random(l, parts[n].bytes);
	uint8_t was = p[i];
	TELL(l, "window 0x%x", parts[n].at);
	p[i] = (uint8_t)lies_random(l, 256);
	/* There and back: what was checked is not what is used. */
	if (lies_random(l, 2))
		p[i] = was;
}

/* All that a host of an enclave's can bring to its processor. */
static void interrupt(struct lies *l)
{
	TELL(l, "interrupts");
	soft_sanctum_interrupt(l->device);
}

static void *mischief(void *arg)
{
	struct lies *l = arg;
	if (l->kind == LIE_EVENT_SOON) {
		usleep((useconds_t)lies_some(l, 16));
		inject(l, any_event(l), 0);
		return NULL;
	}
	unsigned pause = (unsigned)lies_some(l, 14);
	while (!stops(l)) {
		if (l->kind == LIE_STORM && l->sanctum)
			interrupt(l);
		else if (l->kind == LIE_STORM)
			inject(l, harmless_event(l), 0);
		else
			race(l);
		usleep(l->kind == LIE_STORM ? 1000 : pause);
	}
	return NULL;
}

static void start_mischief(struct lies *l)
{
	if (!l->running)
		l->running = !pthread_create(&l->thread, NULL, mischief, l);
}

/* --- where the loader meets the kernel ------------------------------------ */

static void lie_hints(struct lies *l)
{
	struct vm_hints *h = (void *)(l->window + VM_HINTS_AT);
	struct gate_area *a = (void *)(l->window + VM_AREA_AT);
	switch (lies_random(l, 6)) {
	case 0:
		h->ram_bytes = lies_some(l, 64);
		TELL(l, "RAM of 0x%llx", (unsigned long long)h->ram_bytes);
		break;
	case 1:
		h->ram_bytes +=
			(lies_some(l, 20) - lies_some(l, 20)) * VM_IMAGE_ALIGN;
		TELL(l, "RAM of 0x%llx", (unsigned long long)h->ram_bytes);
		break;
	case 2:
		h->tsc_khz = (uint32_t)lies_some(l, 32);
		TELL(l, "%u kHz", h->tsc_khz);
		break;
	case 3:
		h->real_ns = lies_some(l, 64);
		TELL(l, "hour %llu", (unsigned long long)h->real_ns);
		break;
	case 4:
		lies_spoil(l, h, sizeof *h);
		break;
	default:
		lies_spoil(l, &a->boot, sizeof a->boot);
	}
}

void lies_at_finish(struct lies *l)
{
	if (l->kind == LIE_HINTS)
		lie_hints(l);
	if (l->kind == LIE_EVENT_AT && l->at == 0)
		inject_at(l);
	if (l->kind == LIE_RACE || (l->kind == LIE_EVENT_SOON && l->at == 0))
		start_mischief(l);
}

/* A change that the guest asked for, on its way to the kernel. */
static int lie_state(struct lies *l, struct device *d, int handle,
	struct spec_kvm_attributes *a)
{
	const unsigned long request = SPEC_KVM_SET_MEMORY_ATTRIBUTES;
	struct spec_kvm_attributes other = *a;
	bool private = a->attributes;
	/* From some change on: all, those to private, those to shared. */
	if (l->states <= l->at % 4 || (l->at / 4 % 3 == 1 && !private) ||
		(l->at / 4 % 3 == 2 && private))
		return l->real->ioctl(d, handle, request, a);
	switch (lies_random(l, 4)) {
	case 0:
		TELL(l, "not made %s", private ? "private" : "shared");
		return 0;
	case 1:
		TELL(l, "refused");
		return -ENOMEM;
	case 2:
		other.size = (1 + lies_some(l, 8)) * PAGE_BYTES;
		if (other.size > a->size)
			other.size = a->size;
		TELL(l, "only 0x%llx", (unsigned long long)other.size);
		break;
	default:
		other.attributes ^= SPEC_KVM_ATTRIBUTE_PRIVATE;
		TELL(l, "the other way");
	}
	return l->real->ioctl(d, handle, request, &other);
}

static int spy_ioctl(struct device *d, int handle, unsigned long request,
	void *arg)
{
	struct lies *l = current;
	struct spec_kvm_sev_cmd *c = arg;
	bool op = request == KVM_MEMORY_ENCRYPT_OP && arg;
	/* Both kinds of command begin with these. */
	void *data = op ? (void *)(uintptr_t)c->data : NULL;
	int n = 0;
	if (op && l->tdx)
		l->at_end = lies_tdx_before(l, c->id, data, l->vm);
	else if (op && !lies_snp_before(l, c->id, data, &n))
		return n;
	if (request == SPEC_KVM_SET_MEMORY_ATTRIBUTES && l->runs) {
		l->states++;
		if (l->kind == LIE_STATE)
			return lie_state(l, d, handle, arg);
	}
	n = l->real->ioctl(d, handle, request, arg);
	if (request == KVM_CREATE_VM) {
		l->vm = n;
		l->tdx = (uintptr_t)arg == SPEC_KVM_TDX_VM;
	}
	if (request == SPEC_KVM_CREATE_GUEST_MEMFD && l->memfd < 0)
		l->memfd = n;
	if (op && n >= 0 &&
		(l->tdx ? l->at_end : c->id == SPEC_KVM_SNP_FINISH)) {
		l->runs = true;
		lies_at_finish(l);
	}
	return n;
}

static int spy_enter(struct device *d, int vcpu, void *run)
{
	struct lies *l = current;
	const struct kvm_run *r = run;
	void *exit = (uint8_t *)run + SPEC_KVM_RUN_UNION;
	if (l->wanted && l->tdx)
		lies_tdx_answer(l, exit);
	else if (l->wanted)
		lies_snp_answer(l, exit);
	l->wanted = false;
	int n = l->real->enter(d, vcpu, run);
	if (n == 0)
		l->wanted = l->tdx ?
			lies_tdx_question(l, r->exit_reason, exit) :
			lies_snp_question(l, r->exit_reason, exit);
	return n;
}

static void *spy_memory(struct device *d, size_t len)
{
	struct lies *l = current;
	void *p = l->real->memory(d, len);
	if (len == VM_WINDOW_BYTES) {
		l->window = p;
	} else if (len > PAGE_BYTES) {
		l->ram = p;
		l->ram_bytes = len;
	}
	return p;
}

void lies_spy(struct lies *l, struct device *d, struct device_ops *spy)
{
	l->device = d;
	l->real = d->ops;
	*spy = *d->ops;
	spy->memory = spy_memory;
	d->ops = spy;
}

/* --- the linker's doors (--wrap) -------------------------------------------
 */

bool __real_soft_device_new(const struct soft_config *c, struct device **out,
	struct err *e);
bool __wrap_soft_device_new(const struct soft_config *c, struct device **out,
	struct err *e);
bool __wrap_soft_device_new(const struct soft_config *c, struct device **out,
	struct err *e)
{
	static struct device_ops spy;
	if (!__real_soft_device_new(c, out, e))
		return false;
	lies_spy(current, *out, &spy);
	spy.ioctl = spy_ioctl;
	spy.enter = spy_enter;
	lies_snp_device(current);
	lies_tdx_device(current);
	return true;
}

/* A security monitor's driver: its loader tells hints before it first enters.
 */
static int spy_driver(struct device *d, int handle, unsigned long request,
	void *arg)
{
	struct lies *l = current;
	if (request == SANCTUM_IOC_RUN && !l->runs) {
		l->runs = true;
		lies_at_finish(l);
	}
	return l->real->ioctl(d, handle, request, arg);
}

bool __real_soft_sanctum_new(const struct soft_config *c, struct device **out,
	struct err *e);
bool __wrap_soft_sanctum_new(const struct soft_config *c, struct device **out,
	struct err *e);
bool __wrap_soft_sanctum_new(const struct soft_config *c, struct device **out,
	struct err *e)
{
	static struct device_ops spy;
	if (!__real_soft_sanctum_new(c, out, e))
		return false;
	lies_spy(current, *out, &spy);
	current->sanctum = true;
	spy.ioctl = spy_driver;
	return true;
}

/* It looks at whose device it is. */
bool __real_soft_device_endorsements(struct device *d, struct buf *out,
	struct err *e);
bool __wrap_soft_device_endorsements(struct device *d, struct buf *out,
	struct err *e);
bool __wrap_soft_device_endorsements(struct device *d, struct buf *out,
	struct err *e)
{
	const struct device_ops *ops = d->ops;
	d->ops = current->real;
	bool ok = __real_soft_device_endorsements(d, out, e);
	d->ops = ops;
	return ok;
}

/* --- at the gate ------------------------------------------------------------
 */

static void lie_reply(struct lies *l, struct gate_area *a)
{
	struct gate_reply *r = &a->reply;
	switch (lies_random(l, 8)) {
	case 0:
		r->seq = (uint32_t)lies_some(l, 32);
		TELL(l, "bell %u: sequence %u", l->bells, r->seq);
		break;
	case 1:
		r->error = (uint32_t)lies_some(l, 32);
		TELL(l, "bell %u: error %u", l->bells, r->error);
		break;
	case 2:
		r->ret0 = lies_some(l, 64);
		TELL(l, "bell %u: result %llu", l->bells,
			(unsigned long long)r->ret0);
		break;
	case 3:
		r->data_len = (uint32_t)lies_some(l, 32);
		TELL(l, "bell %u: length %u", l->bells, r->data_len);
		break;
	case 4:
		lies_spoil(l, r, sizeof *r);
		break;
	case 5:
		lies_spoil(l, a->data, 64);
		break;
	case 6:
		lies_spoil(l, l->window + VM_MESSAGE_AT, PAGE_BYTES);
		break;
	default:
		for (size_t i = 0; i < sizeof *r; i++)
			((uint8_t *)r)[i] = (uint8_t)lies_random(l, 256);
		TELL(l, "bell %u: all bytes", l->bells);
	}
}

static void set_private(struct lies *l, uint64_t gpa, uint64_t bytes, bool is)
{
	struct spec_kvm_attributes a = { .address = gpa,
		.size = bytes,
		.attributes = is ? SPEC_KVM_ATTRIBUTE_PRIVATE : 0 };
	l->real->ioctl(l->device, l->vm, SPEC_KVM_SET_MEMORY_ATTRIBUTES, &a);
}

static void put_elsewhere(struct lies *l, uint64_t shift)
{
	struct spec_kvm_region2 r = { .slot = 1,
		.flags = SPEC_KVM_MEM_GUEST_MEMFD,
		.guest_phys_addr = VM_RAM_GPA,
		.memory_size = l->ram_bytes - shift,
		.userspace_addr = (uintptr_t)l->ram,
		.guest_memfd = (uint32_t)l->memfd,
		.guest_memfd_offset = shift };
	l->real->ioctl(l->device, l->vm, SPEC_KVM_SET_USER_MEMORY_REGION2, &r);
}

static void lie_memory(struct lies *l)
{
	/* Images and what is used of the heap are at its begin. */
	uint64_t pages = 1 + lies_some(l, 9);
	uint64_t first = lies_random(l, (24 << 20) / PAGE_BYTES);
	uint64_t gpa = VM_RAM_GPA + first * PAGE_BYTES;
	switch (lies_random(l, 4)) {
	case 0:
		TELL(l, "bell %u: 0x%llx and %llu pages shared", l->bells,
			(unsigned long long)gpa, (unsigned long long)pages);
		set_private(l, gpa, pages * PAGE_BYTES, false);
		if (lies_random(l, 2))
			set_private(l, gpa, pages * PAGE_BYTES, true);
		break;
	case 1:
		TELL(l, "bell %u: 0x%llx and %llu pages replaced", l->bells,
			(unsigned long long)gpa, (unsigned long long)pages);
		l->real->discard(l->device, l->memfd, first * PAGE_BYTES,
			pages * PAGE_BYTES);
		break;
	case 2:
		TELL(l, "bell %u: the window private", l->bells);
		set_private(l, VM_WINDOW_GPA + VM_AREA_AT, PAGE_BYTES * pages,
			true);
		break;
	default:
		TELL(l, "bell %u: RAM %llu pages elsewhere", l->bells,
			(unsigned long long)pages);
		put_elsewhere(l, pages * PAGE_BYTES);
	}
}

void lies_at_bell(struct lies *l, struct gate_area *area)
{
	bool now = ++l->bells == l->at;
	if (now && l->kind == LIE_EVENT_AT)
		inject_at(l);
	/* Before a shim has its tables, any event ends it. */
	if ((now && l->kind == LIE_EVENT_SOON) || l->kind == LIE_STORM)
		start_mischief(l);
	if (now && l->kind == LIE_VC)
		inject_vc(l);
	if (now && l->kind == LIE_REPLY)
		lie_reply(l, area);
	if (now && l->kind == LIE_MEMORY && l->pef)
		lies_pef_memory(l);
	else if (now && l->kind == LIE_MEMORY)
		lie_memory(l);
}

void lies_begin(struct lies *l, uint64_t seed, enum lie kind)
{
	enum { BELLS = 20 };
	*l = (struct lies){ .kind = kind,
		.state = seed,
		.vm = -1,
		.memfd = -1 };
	/* Bells from 1 on; of events, the launch is 0. */
	l->at = (unsigned)lies_random(l, BELLS);
	if (kind == LIE_REPLY || kind == LIE_MEMORY || kind == LIE_VC)
		l->at++;
	current = l;
	lies_pef_begin(l);
}

void lies_end(struct lies *l)
{
	__atomic_store_n(&l->stop, true, __ATOMIC_SEQ_CST);
	if (l->running)
		pthread_join(l->thread, NULL);
	l->running = false;
}
