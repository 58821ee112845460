/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a processor with SGX, its driver and its quoting enclave refuse, the
 * software platform refuses: each test has an enclave of ours try it.
 */
#include <asm/sgx.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../test.h"
#include "crypto/mac.h"
#include "helpers/robot.h"
#include "soft/device_priv.h"

#define AT(offset) ((uint64_t)ROBOT_BASE + (offset))
#define REG	   SGX_PAGE_TYPE(SGX_PT_REG)

enum { UD = 6, GP = 13, PF = 14 };

static const uint8_t zeros[PAGE_BYTES];

/* In the data page: SECINFOs, each at a multiple of 64. */
static uint64_t info_at(size_t i)
{
	return AT(ROBOT_DATA_AT) + i * sizeof(struct sgx_secinfo);
}

static void put_info(struct robot *r, size_t i, uint64_t flags)
{
	const struct sgx_secinfo s = { .flags = flags };
	memcpy(r->data + i * sizeof s, &s, sizeof s);
}

/* An enclave whose data page is as the test wants it. */
static void launch(struct robot *r, void (*fill)(struct robot *r))
{
	uint8_t m[32];
	robot_open(r);
	if (fill)
		fill(r);
	CHECK_INT(robot_create(r), 0);
	robot_add_all(r);
	robot_measure(r, m);
	robot_sign(r, m);
	CHECK_INT(robot_init(r), 0);
}

/* --- in and out ------------------------------------------------------------
 */

TEST(sgx_an_enclave_is_entered_and_left)
{
	static struct robot r;
	launch(&r, NULL);
	CHECK_INT(robot_ask(&r, ROBOT_NOTHING, 0, 0, 0), 0);
	/* Both ways through memory that is the host's. */
	uint64_t window = (uintptr_t)r.window;
	memcpy(r.window + 64, "\1\2\3\4\5\6\7\10", 8);
	CHECK(robot_ask(&r, ROBOT_READ, window + 64, 0, 0) ==
		0x0807060504030201);
	robot_ask(&r, ROBOT_WRITE, window + 72, 0x1122334455667788, 0);
	uint64_t seen;
	memcpy(&seen, r.window + 72, sizeof seen);
	CHECK(seen == 0x1122334455667788);
	robot_close(&r);
}

TEST(sgx_eenter_wants_a_tcs_that_is_free_and_aligned)
{
	static struct robot r;
	launch(&r, NULL);
	static const struct {
		uint64_t tcs;
		uint32_t function;
		unsigned vector;
	} rows[] = {
		{ AT(ROBOT_TCS_AT) + 8, SGX_EENTER, GP },
		{ AT(ROBOT_DATA_AT), SGX_EENTER, PF },
		{ AT(ROBOT_FREE_AT), SGX_EENTER, PF },
		{ AT(ROBOT_BYTES), SGX_EENTER, PF },
		/* No frame to resume from. */
		{ AT(ROBOT_TCS_AT), SGX_ERESUME, GP },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct device_enclave x = { .tcs = rows[i].tcs,
			.function = rows[i].function };
		CHECK_INT(r.d->ops->enclave_enter(r.d, r.handle, &x), 0);
		CHECK_INT(x.function, rows[i].function);
		CHECK_INT(x.vector, rows[i].vector);
	}
	CHECK_INT(robot_ask(&r, ROBOT_NOTHING, 0, 0, 0), 0);
	robot_close(&r);
}

static void *spin(void *arg)
{
	static struct robot second;
	struct robot *r = arg;
	second = *r;
	(void)robot_enter(&second, SGX_EENTER, ROBOT_SPIN, 1 << 24, 0, 0);
	r->x = second.x;
	return NULL;
}

static bool is_inside(const struct robot *r)
{
	const struct soft_device *s = (const void *)r->d;
	return __atomic_load_n(&s->sgx.tcs, __ATOMIC_SEQ_CST) != 0;
}

TEST(sgx_eenter_on_a_busy_tcs_is_gp)
{
	static struct robot r;
	pthread_t t;
	launch(&r, NULL);
	CHECK_INT(pthread_create(&t, NULL, spin, &r), 0);
	while (!is_inside(&r))
		usleep(100);
	static const uint32_t functions[] = { SGX_EENTER, SGX_ERESUME };
	for (size_t i = 0; i < ARRAY_LEN(functions); i++) {
		struct device_enclave x = { .tcs = AT(ROBOT_TCS_AT),
			.function = functions[i] };
		CHECK_INT(r.d->ops->enclave_enter(r.d, r.handle, &x), 0);
		CHECK_INT(x.function, functions[i]);
		CHECK_INT(x.vector, GP);
	}
	CHECK(is_inside(&r));
	/* Who is inside notices nothing. */
	CHECK_INT(pthread_join(t, NULL), 0);
	CHECK_INT(r.x.function, SGX_EEXIT);
	CHECK_INT(robot_ask(&r, ROBOT_NOTHING, 0, 0, 0), 0);
	robot_close(&r);
}

TEST(sgx_each_exception_takes_a_frame_until_none_is_left)
{
	static struct robot r;
	launch(&r, NULL);
	CHECK_INT(robot_enter(&r, SGX_EENTER, ROBOT_SYSCALL, 0, 0, 0), 0);
	CHECK_INT(r.x.function, SGX_ERESUME);
	CHECK_INT(r.x.vector, UD);
	/* The handler is interrupted: both frames are in use. */
	CHECK_INT(soft_kvm_call((struct soft_device *)(void *)r.d,
			  MONITOR_SGX_INTERRUPT, (uint64_t[4]){ 1 }),
		0);
	((struct soft_device *)(void *)r.d)->sgx.tell_all = true;
	CHECK_INT(robot_enter(&r, SGX_EENTER, ROBOT_NOTHING, 0, 0, 0), 0);
	CHECK_INT(r.x.function, SGX_ERESUME);
	CHECK_INT(robot_enter(&r, SGX_EENTER, ROBOT_NOTHING, 0, 0, 0), 0);
	CHECK_INT(r.x.function, SGX_EENTER);
	CHECK_INT(r.x.vector, GP);
	/* And back, one after the other. */
	CHECK_INT(robot_enter(&r, SGX_ERESUME, 0, 0, 0, 0), 0);
	CHECK_INT(r.x.function, SGX_EEXIT);
	CHECK_INT(robot_enter(&r, SGX_ERESUME, 0, 0, 0, 0), 0);
	CHECK_INT(r.x.rdi, ROBOT_BACK);
	robot_close(&r);
}

TEST(sgx_what_an_enclave_may_not_do_is_ud_or_gp)
{
	static struct robot r;
	launch(&r, NULL);
	robot_fails(&r, ROBOT_SYSCALL, 0, 0, 0, UD, NULL);
	robot_fails(&r, ROBOT_CPUID, 0, 0, 0, UD, NULL);
	robot_fails(&r, ROBOT_HLT, 0, 0, 0, GP, NULL);
	/* EENTER and ERESUME are for outside; so is code. */
	robot_fails(&r, ROBOT_ENCLU, SGX_EENTER, AT(ROBOT_TCS_AT), 0, GP, NULL);
	robot_fails(&r, ROBOT_ENCLU, 77, 0, 0, GP, NULL);
	robot_fails(&r, ROBOT_JUMP, (uintptr_t)r.window, 0, 0, PF, NULL);
	robot_close(&r);
}

TEST(sgx_an_interrupt_saves_all_and_tells_nothing)
{
	static struct robot r;
	launch(&r, NULL);
	CHECK_INT(soft_kvm_call((struct soft_device *)(void *)r.d,
			  MONITOR_SGX_INTERRUPT, (uint64_t[4]){ 1 }),
		0);
	((struct soft_device *)(void *)r.d)->sgx.tell_all = true;
	CHECK_INT(robot_enter(&r, SGX_EENTER, ROBOT_READ, AT(ROBOT_OUT_AT), 0,
			  0),
		0);
	CHECK_INT(r.x.function, SGX_ERESUME);
	CHECK_INT(r.x.vector, MONITOR_NO_VECTOR);
	const struct monitor_state *s =
		&((struct soft_device *)(void *)r.d)->machine.box->state;
	CHECK(bytes_all_zero(bytes_of(s, sizeof *s)));
	/* A handler finds no exception. */
	robot_ask(&r, ROBOT_NOTHING, 0, 0, 0);
	CHECK_INT(r.x.rdi, 0);
	robot_close(&r);
}

/* --- pages -----------------------------------------------------------------
 */

TEST(sgx_the_epcm_s_rights_hold)
{
	static struct robot r;
	uint64_t at = 0;
	launch(&r, NULL);
	CHECK_INT(robot_fails(&r, ROBOT_WRITE, AT(ROBOT_CONST_AT) + 8, 1, 0, PF,
			  &at),
		SGX_PF_SGX | 7);
	CHECK(at == AT(ROBOT_CONST_AT) + 8);
	CHECK_INT(robot_fails(&r, ROBOT_WRITE, AT(ROBOT_CODE_AT), 1, 0, PF,
			  &at),
		SGX_PF_SGX | 7);
	CHECK_INT(robot_fails(&r, ROBOT_JUMP, AT(ROBOT_DATA_AT), 0, 0, PF, &at),
		SGX_PF_SGX | 0x15);
	/* A TCS is nobody's to look at. */
	CHECK_INT(robot_fails(&r, ROBOT_READ, AT(ROBOT_TCS_AT), 0, 0, PF, &at),
		SGX_PF_SGX | 5);
	robot_close(&r);
}

TEST(sgx_nothing_is_added_after_einit_or_over_another_page)
{
	static struct robot r;
	uint8_t m[32];
	robot_open(&r);
	CHECK_INT(robot_create(&r), 0);
	CHECK_INT(robot_create(&r), -EINVAL);
	robot_add_all(&r);
	CHECK_INT(robot_add(&r, ROBOT_DATA_AT, REG | SGX_PAGE_R, zeros, true),
		-EINVAL);
	robot_measure(&r, m);
	robot_sign(&r, m);
	CHECK_INT(robot_init(&r), 0);
	CHECK_INT(robot_add(&r, ROBOT_FREE_AT, REG | SGX_PAGE_R, zeros, true),
		-EINVAL);
	CHECK_INT(robot_init(&r), -EINVAL);
	robot_close(&r);
}

TEST(sgx_eadd_wants_a_page_that_there_can_be)
{
	static struct robot r;
	static struct sgx_tcs bad = { .ossa = ROBOT_SSA_AT,
		.nssa = 2,
		.fslimit = 0xfff,
		.gslimit = 0xfff };
	static uint8_t page[PAGE_BYTES];
	robot_open(&r);
	CHECK_INT(robot_create(&r), 0);
	static const struct {
		uint64_t offset, flags;
	} rows[] = {
		{ ROBOT_FREE_AT + 8, REG | SGX_PAGE_R },
		{ ROBOT_BYTES, REG | SGX_PAGE_R },
		{ ROBOT_FREE_AT, REG | SGX_PAGE_W },
		{ ROBOT_FREE_AT, REG | SGX_PAGE_R | SGX_PAGE_PENDING },
		{ ROBOT_FREE_AT, SGX_PAGE_TYPE(SGX_PT_TRIM) },
		{ ROBOT_FREE_AT, SGX_PAGE_TYPE(SGX_PT_VA) },
		{ ROBOT_FREE_AT, SGX_PAGE_TYPE(SGX_PT_SECS) },
		{ ROBOT_FREE_AT, SGX_PAGE_TYPE(SGX_PT_TCS) | SGX_PAGE_R },
		{ ROBOT_FREE_AT, REG | SGX_PAGE_R | 1ull << 40 },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		CHECK_INT(robot_add(&r, rows[i].offset, rows[i].flags, zeros,
				  true),
			-EINVAL);
	/* A TCS that would begin half-way. */
	bad.cssa = 1;
	memcpy(page, &bad, sizeof page);
	CHECK_INT(robot_add(&r, ROBOT_TCS_AT, SGX_PAGE_TYPE(SGX_PT_TCS), page,
			  true),
		-EINVAL);
	robot_close(&r);
}

static void accept_infos(struct robot *r)
{
	put_info(r, 0, REG | SGX_PAGE_R | SGX_PAGE_W | SGX_PAGE_PENDING);
	put_info(r, 1, REG | SGX_PAGE_R | SGX_PAGE_PENDING);
	put_info(r, 2, REG | SGX_PAGE_R | SGX_PAGE_W);
	put_info(r, 3, REG | SGX_PAGE_W | SGX_PAGE_PENDING);
	put_info(r, 4, REG | SGX_PAGE_R | SGX_PAGE_PR);
	put_info(r, 5, SGX_PAGE_TYPE(SGX_PT_TRIM) | SGX_PAGE_MODIFIED);
	put_info(r, 6, REG | SGX_PAGE_R | SGX_PAGE_W | SGX_PAGE_X);
	put_info(r, 7, REG | SGX_PAGE_R | SGX_PAGE_X);
	put_info(r, 8, REG | SGX_PAGE_R | SGX_PAGE_PENDING | 1ull << 33);
}

static uint64_t accept(struct robot *r, size_t info, uint64_t at)
{
	return robot_ask(r, ROBOT_ENCLU, SGX_EACCEPT, info_at(info), at);
}

TEST(sgx_a_page_that_comes_later_is_pending_until_accepted)
{
	static struct robot r;
	uint64_t at = 0, page = AT(ROBOT_FREE_AT);
	launch(&r, accept_infos);
	CHECK_INT(robot_fails(&r, ROBOT_READ, page + 16, 0, 0, PF, &at),
		SGX_PF_SGX | 5);
	CHECK(at == page + 16);
	/* EACCEPT of what it is not. */
	CHECK_INT(accept(&r, 1, page), SGX_PAGE_ATTRIBUTES_MISMATCH);
	CHECK_INT(accept(&r, 0, page), SGX_SUCCESS);
	CHECK_INT(robot_ask(&r, ROBOT_READ, page + 16, 0, 0), 0);
	robot_ask(&r, ROBOT_WRITE, page + 16, 0x1234, 0);
	CHECK_INT(robot_ask(&r, ROBOT_READ, page + 16, 0, 0), 0x1234);
	/* A second time it is not pending. */
	CHECK_INT(accept(&r, 0, page), SGX_PAGE_ATTRIBUTES_MISMATCH);
	CHECK_INT(accept(&r, 0, AT(ROBOT_DATA_AT)),
		SGX_PAGE_ATTRIBUTES_MISMATCH);
	robot_close(&r);
}

/* So the kernel adds pages whose addresses the loader touches. */
TEST(sgx_pages_that_the_host_touches_are_there_when_the_enclave_does)
{
	static struct robot r;
	uint8_t m[32];
	uint64_t page = AT(ROBOT_FREE_AT);
	robot_open(&r);
	accept_infos(&r);
	CHECK_INT(robot_create(&r), 0);
	/* None before EINIT. */
	r.d->ops->enclave_touch(r.d, page, PAGE_BYTES);
	robot_add_all(&r);
	robot_measure(&r, m);
	robot_sign(&r, m);
	CHECK_INT(robot_init(&r), 0);
	const struct soft_device *s = (void *)r.d;
	const uint32_t *counts = s->machine.box->counts;
	r.d->ops->enclave_touch(r.d, page, 2 * PAGE_BYTES);
	r.d->ops->enclave_touch(r.d, page, PAGE_BYTES);
	CHECK_INT(counts[MONITOR_COUNT_PAGES], 2);
	CHECK_INT(robot_fails(&r, ROBOT_READ, page, 0, 0, PF, NULL),
		SGX_PF_SGX | 5);
	CHECK_INT(accept(&r, 0, page + PAGE_BYTES), SGX_SUCCESS);
	CHECK_INT(robot_ask(&r, ROBOT_READ, page + PAGE_BYTES, 0, 0), 0);
	CHECK_INT(counts[MONITOR_COUNT_TOUCHED], 0);
	/* One that the enclave touches first. */
	CHECK_INT(accept(&r, 0, page + 2 * PAGE_BYTES), SGX_SUCCESS);
	CHECK_INT(counts[MONITOR_COUNT_TOUCHED], 1);
	robot_close(&r);
}

TEST(sgx_eaccept_wants_operands_that_there_can_be)
{
	static struct robot r;
	launch(&r, accept_infos);
	static const struct {
		uint64_t info, page;
		unsigned vector;
	} rows[] = {
		{ ROBOT_DATA_AT + 8, ROBOT_FREE_AT, GP },
		{ ROBOT_DATA_AT, ROBOT_FREE_AT + 64, GP },
		{ ROBOT_DATA_AT, ROBOT_BYTES, GP },
		{ ROBOT_DATA_AT + 2 * 64, ROBOT_FREE_AT, GP },
		{ ROBOT_DATA_AT + 3 * 64, ROBOT_FREE_AT, GP },
		{ ROBOT_DATA_AT + 8 * 64, ROBOT_FREE_AT, GP },
		{ ROBOT_TCS_AT, ROBOT_FREE_AT, PF },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		robot_fails(&r, ROBOT_ENCLU, SGX_EACCEPT, AT(rows[i].info),
			AT(rows[i].page), rows[i].vector, NULL);
	robot_close(&r);
}

static int restrict_to(struct robot *r, uint64_t offset, uint64_t rights)
{
	struct sgx_enclave_restrict_permissions a = { .offset = offset,
		.length = PAGE_BYTES,
		.permissions = rights };
	return device_ioctl(r->d, r->handle,
		SGX_IOC_ENCLAVE_RESTRICT_PERMISSIONS, &a);
}

static int retype(struct robot *r, uint64_t offset, uint64_t type)
{
	struct sgx_enclave_modify_types a = { .offset = offset,
		.length = PAGE_BYTES,
		.page_type = type };
	return device_ioctl(r->d, r->handle, SGX_IOC_ENCLAVE_MODIFY_TYPES, &a);
}

static int remove_page(struct robot *r, uint64_t offset)
{
	struct sgx_enclave_remove_pages a = { .offset = offset,
		.length = PAGE_BYTES };
	return device_ioctl(r->d, r->handle, SGX_IOC_ENCLAVE_REMOVE_PAGES, &a);
}

TEST(sgx_rights_go_by_emodpr_and_come_by_emodpe)
{
	static struct robot r;
	uint64_t page = AT(ROBOT_FREE_AT);
	launch(&r, accept_infos);
	CHECK_INT(restrict_to(&r, ROBOT_FREE_AT, SGX_PAGE_R), -EFAULT);
	CHECK_INT(accept(&r, 0, page), SGX_SUCCESS);
	CHECK_INT(restrict_to(&r, ROBOT_FREE_AT, SGX_PAGE_W), -EINVAL);
	CHECK_INT(restrict_to(&r, ROBOT_FREE_AT, SGX_PAGE_R), 0);
	CHECK_INT(accept(&r, 4, page), SGX_SUCCESS);
	CHECK_INT(robot_fails(&r, ROBOT_WRITE, page, 1, 0, PF, NULL),
		SGX_PF_SGX | 7);
	CHECK_INT(robot_ask(&r, ROBOT_READ, page, 0, 0), 0);
	robot_ask(&r, ROBOT_ENCLU, SGX_EMODPE, info_at(2), page);
	robot_ask(&r, ROBOT_WRITE, page, 5, 0);
	CHECK_INT(robot_ask(&r, ROBOT_READ, page, 0, 0), 5);
	/* A page that the host restricted by itself shows: nothing waits. */
	CHECK_INT(accept(&r, 4, page), SGX_PAGE_ATTRIBUTES_MISMATCH);
	robot_close(&r);
}

TEST(sgx_a_trimmed_page_is_gone_and_removed_when_the_enclave_agreed)
{
	static struct robot r;
	uint64_t page = AT(ROBOT_FREE_AT);
	launch(&r, accept_infos);
	CHECK_INT(accept(&r, 0, page), SGX_SUCCESS);
	robot_ask(&r, ROBOT_WRITE, page, 0x77, 0);
	CHECK_INT(remove_page(&r, ROBOT_FREE_AT), -EPERM);
	CHECK_INT(retype(&r, ROBOT_FREE_AT, SGX_PT_REG), -EINVAL);
	CHECK_INT(retype(&r, ROBOT_FREE_AT, SGX_PT_TRIM), 0);
	CHECK_INT(robot_fails(&r, ROBOT_READ, page, 0, 0, PF, NULL),
		SGX_PF_SGX | 5);
	CHECK_INT(remove_page(&r, ROBOT_FREE_AT), -EPERM);
	CHECK_INT(accept(&r, 5, page), SGX_SUCCESS);
	CHECK_INT(remove_page(&r, ROBOT_FREE_AT), 0);
	/* What comes there next is another page, and empty. */
	CHECK_INT(accept(&r, 0, page), SGX_SUCCESS);
	CHECK_INT(robot_ask(&r, ROBOT_READ, page, 0, 0), 0);
	robot_close(&r);
}

TEST(sgx_eacceptcopy_brings_contents_and_rights)
{
	static struct robot r;
	uint64_t page = AT(ROBOT_FREE_AT);
	launch(&r, accept_infos);
	robot_ask(&r, ROBOT_WRITE, AT(ROBOT_OUT_AT) + 8, 0x99, 0);
	CHECK_INT(robot_ask(&r, ROBOT_ENCLU, SGX_EACCEPTCOPY, info_at(7), page),
		SGX_SUCCESS);
	CHECK_INT(robot_ask(&r, ROBOT_READ, page + 8, 0, 0), 0x99);
	CHECK_INT(robot_fails(&r, ROBOT_WRITE, page, 1, 0, PF, NULL),
		SGX_PF_SGX | 7);
	CHECK_INT(robot_ask(&r, ROBOT_ENCLU, SGX_EACCEPTCOPY, info_at(7), page),
		SGX_PAGE_ATTRIBUTES_MISMATCH);
	robot_close(&r);
}

TEST(sgx_when_the_page_cache_is_full_there_is_no_page)
{
	static struct robot r;
	struct err e;
	robot_open(&r);
	((struct soft_device *)(void *)r.d)->sgx.epc_bytes = 2 << 20;
	r.secs.size = 16 << 20;
	CHECK_INT(robot_create(&r), 0);
	int n = 0;
	for (uint64_t at = 0; n == 0 && at < r.secs.size; at += PAGE_BYTES)
		n = robot_add(&r, at, REG | SGX_PAGE_R, zeros, false);
	CHECK_INT(n, -EINVAL);
	(void)e;
	robot_close(&r);
}

/* --- EINIT -----------------------------------------------------------------
 */

static int init_with(size_t at, uint8_t with)
{
	static struct robot r;
	uint8_t m[32];
	robot_open(&r);
	CHECK_INT(robot_create(&r), 0);
	robot_add_all(&r);
	robot_measure(&r, m);
	robot_sign(&r, m);
	((uint8_t *)&r.sig)[at] ^= with;
	int n = robot_init(&r);
	if (n < 0)
		CHECK(robot_enter(&r, SGX_EENTER, 0, 0, 0, 0) != 0 ||
			r.x.function == SGX_EENTER);
	robot_close(&r);
	return n;
}

TEST(sgx_einit_judges_every_part_of_a_sigstruct)
{
#define SIG(field) offsetof(struct sgx_sigstruct, field)
	static const struct {
		size_t at;
		uint8_t with;
	} rows[] = {
		{ SIG(header), 1 },
		{ SIG(vendor), 1 },
		{ SIG(date), 0x0f },
		{ SIG(date) + 1, 0xff },
		{ SIG(reserved_02c), 1 },
		{ SIG(modulus), 2 },
		{ SIG(exponent), 1 },
		{ SIG(signature), 1 },
		{ SIG(attributes), 2 },
		{ SIG(attribute_mask), 4 },
		{ SIG(enclavehash), 1 },
		{ SIG(isvprodid), 1 },
		{ SIG(reserved_404), 1 },
		{ SIG(q1), 1 },
		{ SIG(q2), 1 },
	};
	CHECK_INT(init_with(0, 0), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		CHECK_INT(init_with(rows[i].at, rows[i].with), -EPERM);
}

TEST(sgx_einit_wants_the_measurement_and_attributes_that_were_signed)
{
	static struct robot r;
	uint8_t m[32];
	robot_open(&r);
	r.secs.attributes |= SGX_FLAG_DEBUG;
	CHECK_INT(robot_create(&r), 0);
	robot_add_all(&r);
	robot_measure(&r, m);
	robot_sign(&r, m);
	CHECK_INT(robot_init(&r), -EPERM);
	robot_close(&r);

	robot_open(&r);
	CHECK_INT(robot_create(&r), 0);
	robot_add_all(&r);
	robot_measure(&r, m);
	robot_sign(&r, m);
	/* One page more than was signed. */
	CHECK_INT(robot_add(&r, ROBOT_FREE_AT, REG | SGX_PAGE_R, zeros, false),
		0);
	CHECK_INT(robot_init(&r), -EPERM);
	robot_close(&r);
}

TEST(sgx_the_provisioning_key_is_for_who_may_open_it)
{
	static struct robot r;
	uint8_t m[32];
	struct sgx_enclave_provision p = { .fd = 1 };
	robot_open(&r);
	r.secs.attributes |= SGX_FLAG_PROVISIONKEY;
	CHECK_INT(robot_create(&r), 0);
	robot_add_all(&r);
	robot_measure(&r, m);
	robot_sign(&r, m);
	CHECK_INT(robot_init(&r), -EACCES);
	CHECK_INT(device_ioctl(r.d, r.handle, SGX_IOC_ENCLAVE_PROVISION, &p),
		-EINVAL);
	robot_close(&r);
}

TEST(sgx_ecreate_wants_an_enclave_that_there_can_be)
{
	static struct robot r;
	robot_open(&r);
	static struct sgx_secs good;
	good = r.secs;
#define REFUSED(change)                               \
	do {                                          \
		r.secs = good;                        \
		change;                               \
		CHECK_INT(robot_create(&r), -EINVAL); \
	} while (0)
	REFUSED(r.secs.size = PAGE_BYTES);
	REFUSED(r.secs.size += PAGE_BYTES);
	REFUSED(r.secs.base += PAGE_BYTES);
	REFUSED(r.secs.ssa_frame_pages = 0);
	REFUSED(r.secs.attributes = 0);
	REFUSED(r.secs.attributes |= SGX_FLAG_INIT);
	REFUSED(r.secs.xfrm = 1);
	REFUSED(r.secs.xfrm = 1ull << 9 | 3);
	REFUSED(r.secs.miscselect = 2);
	REFUSED(r.secs.reserved_060[3] = 1);
	robot_close(&r);
}

/* --- reports and keys -------------------------------------------------------
 */

static void fill_target(struct robot *r)
{
	struct sgx_targetinfo t;
	struct err e;
	CHECK(soft_device_target(r->d, (uint8_t *)&t, &e));
	memcpy(r->data, &t, sizeof t);
	memset(r->data + 512, 0x5a, 64);
	/* Of another enclave. */
	t.mrenclave[0] ^= 1;
	memcpy(r->data + 1024, &t, sizeof t);
}

static void take_out(struct robot *r, uint64_t from, void *to, size_t n)
{
	for (size_t i = 0; i < n; i += 8) {
		uint64_t v = robot_ask(r, ROBOT_READ, from + i, 0, 0);
		memcpy((uint8_t *)to + i, &v, size_min(8, n - i));
	}
}

TEST(sgx_a_report_for_the_quoting_enclave_is_quoted_and_no_other)
{
	static struct robot r;
	struct sgx_report_mac m;
	struct err e = { 0 };
	uint8_t measured[32];
	auto_buf quote = { .len = 0 }, endorsements = { .len = 0 };
	launch(&r, fill_target);
	robot_ask(&r, ROBOT_ENCLU, SGX_EREPORT, AT(ROBOT_DATA_AT),
		AT(ROBOT_DATA_AT) + 512);
	take_out(&r, AT(ROBOT_OUT_AT), &m, sizeof m);
	robot_measure(&r, measured);
	CHECK_MEM(m.body.mrenclave, measured, 32);
	CHECK_MEM(m.body.configid, r.secs.configid, 64);
	CHECK_INT(m.body.isvsvn, 3);
	CHECK_INT(m.body.report_data[63], 0x5a);
	CHECK(soft_device_quote(r.d, bytes_of(&m, sizeof m), &quote,
		&endorsements, &e));
	CHECK_MEM(quote.ptr + SGX_QUOTE_HEADER_BYTES, &m.body, sizeof m.body);
	/* Any other word in it, or fewer. */
	m.body.report_data[0] ^= 1;
	CHECK(!soft_device_quote(r.d, bytes_of(&m, sizeof m), &quote,
		&endorsements, &e));
	CHECK_HAS(e.text, "somebody else");
	CHECK(!soft_device_quote(r.d, bytes_of(&m, sizeof m - 1), &quote,
		&endorsements, &e));
	/* One for another target. */
	robot_ask(&r, ROBOT_ENCLU, SGX_EREPORT, AT(ROBOT_DATA_AT) + 1024,
		AT(ROBOT_DATA_AT) + 512);
	take_out(&r, AT(ROBOT_OUT_AT), &m, sizeof m);
	CHECK(!soft_device_quote(r.d, bytes_of(&m, sizeof m), &quote,
		&endorsements, &e));
	robot_close(&r);
}

TEST(sgx_ereport_wants_operands_of_its_own_enclave)
{
	static struct robot r;
	launch(&r, fill_target);
	robot_fails(&r, ROBOT_ENCLU, SGX_EREPORT, AT(ROBOT_DATA_AT) + 8,
		AT(ROBOT_DATA_AT) + 512, GP, NULL);
	robot_fails(&r, ROBOT_ENCLU, SGX_EREPORT, AT(ROBOT_DATA_AT),
		AT(ROBOT_DATA_AT) + 520, GP, NULL);
	robot_fails(&r, ROBOT_ENCLU, SGX_EREPORT, (uintptr_t)r.window,
		AT(ROBOT_DATA_AT) + 512, PF, NULL);
	robot_close(&r);
}

static void fill_requests(struct robot *r)
{
	struct sgx_keyrequest k = { .keyname = SGX_KEY_SEAL,
		.keypolicy = SGX_POLICY_MRENCLAVE,
		.isvsvn = 3 };
	memcpy(r->data, &k, sizeof k);
	k.keyid[0] = 1;
	memcpy(r->data + 512, &k, sizeof k);
	k.isvsvn = 4;
	memcpy(r->data + 1024, &k, sizeof k);
	k.keyname = SGX_KEY_PROVISION;
	memcpy(r->data + 1536, &k, sizeof k);
	k.keyname = 9;
	memcpy(r->data + 2048, &k, sizeof k);
}

TEST(sgx_keys_depend_on_what_was_asked_for)
{
	static struct robot r;
	uint8_t a[16], b[16], again[16];
	launch(&r, fill_requests);
	const uint64_t data = AT(ROBOT_DATA_AT), out = AT(ROBOT_OUT_AT);
	CHECK_INT(robot_ask(&r, ROBOT_ENCLU, SGX_EGETKEY, data, out), 0);
	take_out(&r, out, a, 16);
	CHECK_INT(robot_ask(&r, ROBOT_ENCLU, SGX_EGETKEY, data + 512, out), 0);
	take_out(&r, out, b, 16);
	CHECK_INT(robot_ask(&r, ROBOT_ENCLU, SGX_EGETKEY, data, out), 0);
	take_out(&r, out, again, 16);
	CHECK_MEM(a, again, 16);
	CHECK(memcmp(a, b, 16) != 0);
	CHECK_INT(robot_ask(&r, ROBOT_ENCLU, SGX_EGETKEY, data + 1024, out),
		SGX_INVALID_ISVSVN);
	CHECK_INT(robot_ask(&r, ROBOT_ENCLU, SGX_EGETKEY, data + 1536, out),
		SGX_INVALID_ATTRIBUTE);
	CHECK_INT(robot_ask(&r, ROBOT_ENCLU, SGX_EGETKEY, data + 2048, out),
		SGX_INVALID_KEYNAME);
	robot_close(&r);
}

/* --- the host --------------------------------------------------------------
 */

/* How a process ends that touches an address of the enclave's. */
static int touch(uint64_t at, bool write)
{
	int status = 0;
	pid_t child = fork();
	if (child == 0) {
		volatile uint8_t *p = (volatile uint8_t *)(uintptr_t)at;
		signal(SIGSEGV, SIG_DFL);
		if (write)
			*p = 0xaa;
		_exit(write ? 0 : *p);
	}
	CHECK_INT(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

TEST(sgx_a_host_that_writes_or_reads_in_the_range_is_stopped)
{
	static struct robot r;
	launch(&r, NULL);
	robot_ask(&r, ROBOT_WRITE, AT(ROBOT_OUT_AT), 0x55, 0);
	CHECK_INT(r.d->ops->enclave_map(r.d, -1, ROBOT_BASE, ROBOT_BYTES,
			  PROT_NONE),
		0);
	CHECK_INT(r.d->ops->enclave_map(r.d, r.handle, ROBOT_BASE, ROBOT_BYTES,
			  PROT_READ | PROT_WRITE),
		0);
	static const uint64_t places[] = { ROBOT_CODE_AT, ROBOT_TCS_AT,
		ROBOT_SSA_AT, ROBOT_OUT_AT, ROBOT_FREE_AT, ROBOT_BYTES - 1 };
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		CHECK_INT(touch(AT(places[i]), true), SIGSEGV);
		CHECK_INT(touch(AT(places[i]), false), SIGSEGV);
	}
	CHECK_INT(robot_ask(&r, ROBOT_READ, AT(ROBOT_OUT_AT), 0, 0), 0x55);
	r.d->ops->enclave_unmap(r.d, ROBOT_BASE, ROBOT_BYTES);
	robot_close(&r);
}

TEST(sgx_the_host_has_nothing_at_the_enclave_s_addresses)
{
	static struct robot r;
	launch(&r, NULL);
	CHECK_INT(r.d->ops->enclave_map(r.d, -1, ROBOT_BASE, ROBOT_BYTES,
			  PROT_NONE),
		0);
	CHECK(r.d->ops->enclave_map(r.d, -1, ROBOT_BASE, ROBOT_BYTES,
		      PROT_NONE) < 0);
	CHECK_INT(r.d->ops->enclave_map(r.d, r.handle, ROBOT_BASE, PAGE_BYTES,
			  PROT_READ | PROT_WRITE),
		0);
	/* Reading there is a fault, as an abort page would be of no use. */
	unsigned char in;
	CHECK_INT(mincore((void *)ROBOT_BASE, PAGE_BYTES, &in), 0);
	CHECK(mprotect((void *)ROBOT_BASE, PAGE_BYTES, PROT_NONE) == 0);
	r.d->ops->enclave_unmap(r.d, ROBOT_BASE, ROBOT_BYTES);
	robot_close(&r);
}

TEST(sgx_pages_change_only_through_the_driver_and_inside_the_range)
{
	static struct robot r;
	launch(&r, accept_infos);
	CHECK_INT(restrict_to(&r, ROBOT_FREE_AT + 8, SGX_PAGE_R), -EINVAL);
	CHECK_INT(restrict_to(&r, ROBOT_BYTES, SGX_PAGE_R), -EINVAL);
	CHECK_INT(retype(&r, ROBOT_FREE_AT, SGX_PT_TRIM), -EFAULT);
	CHECK_INT(device_ioctl(r.d, r.handle, SGX_IOC_VEPC_REMOVE_ALL, &r),
		-ENOTTY);
	robot_close(&r);
}
