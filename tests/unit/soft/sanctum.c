/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The security monitor on the software platform's RISC-V machine, tried from
 * below: by an operating system and by enclaves that do what they must not
 * (guest/rv.S).
 */
#include "soft/sanctum.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "abi/sanctum_driver.h"
#include "base/fmt.h"
#include "crypto/ed25519.h"
#include "crypto/hash.h"
#include "guest/rv.h"
#include "spec/sanctum.h"

#include "../test.h"

enum {
	ENCLAVE_BYTES = 0x200000,
	WINDOW_BYTES = PAGE_BYTES,
	PAGE_AT = 0x5000,
	PATIENCE = 20000,
};

/* scause. */
enum { FETCH = 1, ILLEGAL = 2, LOAD = 5, STORE = 7 };

struct machine {
	struct device *d;
	char root[64];
	uint8_t *image;	 /* of guest/rv.S, at RV_AT */
	uint8_t *window; /* of the enclave's */
	uint8_t *tables; /* of the operating system's */
	int handle;
};

static uint64_t physical(const struct machine *m, const void *at)
{
	return RV_AT + (uint64_t)((const uint8_t *)at - m->image);
}

static void open_machine(struct machine *m)
{
	char images[512], path[600];
	struct err e;
	const char *out = getenv("DONJON_OUT");
	fmt(images, sizeof images, "%s/keep", out ? out : "out");
	fmt(path, sizeof path, "%s/tests/guests/rv", out ? out : "out");
	if (!soft_sanctum_probe(images, &e) || access(path, R_OK) != 0)
		SKIP_TEST("no security monitor or no QEMU for it: make "
			  "keep-riscv64; package qemu-system-misc");
	*m = (struct machine){ .root = "/tmp/donjon-rv-XXXXXX" };
	CHECK(mkdtemp(m->root));
	fmt(path, sizeof path, "%s/root.pem", m->root);
	const struct soft_config c = { .image_dir = images, .root_path = path };
	if (!soft_sanctum_new(&c, &m->d, &e))
		fail_msg("%s", e.text);
	const struct device_ops *ops = m->d->ops;
	m->image = ops->memory(m->d, RV_BYTES + 2 * PAGE_BYTES);
	CHECK(m->image);
	m->window = m->image + RV_BYTES;
	m->tables = m->window + PAGE_BYTES;
	fmt(path, sizeof path, "%s/tests/guests/rv", out ? out : "out");
	FILE *f = fopen(path, "rb");
	CHECK(f && fread(m->image, 1, RV_BYTES, f) > RV_ENCLAVE);
	fclose(f);
	m->handle = ops->open(m->d, SANCTUM_DRIVER_PATH);
	CHECK(m->handle >= 0);
}

static void close_machine(struct machine *m)
{
	char path[96];
	fmt(path, sizeof path, "%s/root.pem", m->root);
	m->d->ops->free(m->d);
	unlink(path);
	rmdir(m->root);
}

/* --- an operating system ------------------------------------------------ */

static void boot_system(struct machine *m)
{
	struct err e;
	open_machine(m);
	soft_sanctum_system(m->d, m->image);
	if (!soft_sanctum_start(m->d, 2 * ENCLAVE_BYTES, &e))
		fail_msg("%s", e.text);
}

static struct rv_command *system_does(struct machine *m, uint64_t op,
	const uint64_t a[7])
{
	struct rv_command *c = (void *)(m->image + RV_COMMAND);
	c->op = op;
	memcpy(c->a, a, sizeof c->a);
	c->cause = c->value = c->more = UINT64_MAX;
	__atomic_store_n(&c->asked, c->asked + 1, __ATOMIC_SEQ_CST);
	for (int i = 0; i < PATIENCE; i++) {
		if (__atomic_load_n(&c->done, __ATOMIC_SEQ_CST) == c->asked)
			return c;
		usleep(1000);
	}
	fail_msg("the operating system does not answer");
	return NULL;
}

static uint64_t system_try(struct machine *m, uint64_t op, uint64_t at)
{
	return system_does(m, op, (uint64_t[7]){ at })->cause;
}

static uint64_t system_asks(struct machine *m, const uint64_t a[7],
	uint64_t *value)
{
	struct rv_command *c = system_does(m, RV_ECALL, a);
	CHECK_INT(c->cause, 0);
	if (value)
		*value = c->more;
	return c->value;
}

/* An enclave of the robot's page; `at` of its window's memory. */
static void system_loads(struct machine *m, uint64_t base, uint64_t number)
{
	const uint64_t ev = SANCTUM_EV_BASE;
	const uint64_t calls[][7] = {
		{ SANCTUM_CREATE, base, ENCLAVE_BYTES, ev, SANCTUM_EV_MASK },
		{ SANCTUM_HANDLER, number, base },
		{ SANCTUM_TABLE, number, base + 0x1000, ev, 3, 1 },
		{ SANCTUM_TABLE, number, base + 0x2000, ev, 2, 1 },
		{ SANCTUM_TABLE, number, base + 0x3000, ev, 1, 1 },
		{ SANCTUM_PAGE, number, base + PAGE_AT, ev + PAGE_AT,
			RV_AT + RV_ENCLAVE, 1 | 2 | 8 },
		{ SANCTUM_THREAD, number, ev + PAGE_AT, 0, 0 },
		{ SANCTUM_WINDOW, number, physical(m, m->window),
			WINDOW_BYTES },
		{ SANCTUM_INIT, number },
	};
	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		CHECK_INT(system_asks(m, calls[i], NULL), SANCTUM_OK);
}

static uint64_t system_enters(struct machine *m, uint64_t number)
{
	uint64_t event = 0;
	CHECK_INT(system_asks(m, (uint64_t[7]){ SANCTUM_ENTER, number },
			  &event),
		SANCTUM_OK);
	return event;
}

TEST(sanctum_an_operating_system_reaches_its_memory_and_no_other)
{
	static const uint64_t forbidden[] = {
		SANCTUM_MONITOR_AT, SANCTUM_RECORD_AT,
		SANCTUM_MONITOR_AT + 0x41000, /* the monitor's data */
		SANCTUM_ENCLAVES_AT, SANCTUM_ENCLAVES_AT + ENCLAVE_BYTES,
		0x40000000, /* the doorbell */
		0x30000000, /* PCI */
		0x24000000, /* interrupt files */
		0x0200bff8, /* the timer's registers */
		0x1000,	    /* the reset code */
	};
	struct machine m;
	boot_system(&m);
	CHECK_INT(system_try(&m, RV_LOAD, physical(&m, m.tables)), 0);
	CHECK_INT(system_try(&m, RV_STORE, physical(&m, m.tables)), 0);
	for (size_t i = 0; i < ARRAY_LEN(forbidden); i++) {
		CHECK_INT(system_try(&m, RV_LOAD, forbidden[i]), LOAD);
		CHECK_INT(system_try(&m, RV_STORE, forbidden[i]), STORE);
		CHECK_INT(system_try(&m, RV_JUMP, forbidden[i]), FETCH);
	}
	close_machine(&m);
}

/* Page tables of its own change nothing: what they lead to is checked. */
TEST(sanctum_an_operating_system_s_page_tables_lead_nowhere_else)
{
	struct machine m;
	boot_system(&m);
	uint64_t *root = (void *)m.tables;
	root[16] = (uint64_t)SANCTUM_UNTRUSTED_AT >> 12 << 10 | 0xcf;
	root[2] = (uint64_t)SANCTUM_MONITOR_AT >> 12 << 10 | 0xcf;
	root[3] = (uint64_t)SANCTUM_ENCLAVES_AT >> 12 << 10 | 1;
	CHECK_INT(system_try(&m, RV_SATP,
			  8ull << 60 | physical(&m, m.tables) >> 12),
		0);
	CHECK_INT(system_try(&m, RV_LOAD, RV_AT), 0);
	CHECK_INT(system_try(&m, RV_LOAD, SANCTUM_MONITOR_AT), LOAD);
	CHECK_INT(system_try(&m, RV_STORE, SANCTUM_ENCLAVES_AT), STORE);
	/* Nor is there a table of its own where it reaches nothing. */
	CHECK_INT(system_try(&m, RV_LOAD, 3ull << 30), LOAD);
	close_machine(&m);
}

TEST(sanctum_an_operating_system_has_no_machine_mode)
{
	struct machine m;
	boot_system(&m);
	CHECK_INT(system_try(&m, RV_MCSR, 0), ILLEGAL);
	CHECK_INT(system_try(&m, RV_SEED, 0), ILLEGAL);
	CHECK_INT(system_try(&m, RV_CYCLE, 0), ILLEGAL);
	close_machine(&m);
}

TEST(sanctum_an_operating_system_s_calls_are_its_own)
{
	static const uint64_t others[] = { 0, SANCTUM_LEAVE, SANCTUM_ATTEST,
		SANCTUM_RANDOM, SANCTUM_FAULT, 77 };
	struct machine m;
	boot_system(&m);
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		CHECK_INT(system_asks(&m, (uint64_t[7]){ others[i] }, NULL),
			SANCTUM_UNKNOWN);
	CHECK_INT(system_asks(&m, (uint64_t[7]){ SANCTUM_ENTER, 0 }, NULL),
		SANCTUM_VALUE);
	close_machine(&m);
}

TEST(sanctum_an_operating_system_runs_enclaves_and_sees_nothing_of_them)
{
	struct machine m;
	const uint64_t base = SANCTUM_ENCLAVES_AT;
	boot_system(&m);
	system_loads(&m, base, 0);
	system_loads(&m, base + ENCLAVE_BYTES, 1);
	CHECK_INT(system_enters(&m, 0), 1);
	CHECK_INT(system_try(&m, RV_LOAD, base + PAGE_AT), LOAD);
	CHECK_INT(system_try(&m, RV_STORE, base + PAGE_AT), STORE);
	CHECK_INT(system_enters(&m, 1), 1);
	CHECK_INT(system_try(&m, RV_LOAD, base + PAGE_AT), LOAD);
	/* It is deleted, and another one may have its memory. */
	CHECK_INT(system_asks(&m, (uint64_t[7]){ SANCTUM_DELETE, 0 }, NULL),
		SANCTUM_OK);
	CHECK_INT(system_asks(&m, (uint64_t[7]){ SANCTUM_ENTER, 0 }, NULL),
		SANCTUM_VALUE);
	CHECK_INT(system_try(&m, RV_LOAD, base + PAGE_AT), LOAD);
	system_loads(&m, base, 0);
	CHECK_INT(system_enters(&m, 0), 1);
	close_machine(&m);
}

static struct rv_command *enclave_command(struct machine *m, uint64_t op,
	uint64_t value)
{
	struct rv_command *c = (void *)m->window;
	*c = (struct rv_command){ .op = op,
		.a = { value },
		.cause = UINT64_MAX };
	return c;
}

/* Registers, floating point and S-mode's own: of each its own. */
TEST(sanctum_no_register_passes_between_a_system_and_an_enclave)
{
	struct machine m;
	boot_system(&m);
	system_loads(&m, SANCTUM_ENCLAVES_AT, 0);
	CHECK_INT(system_enters(&m, 0), 1);
	system_try(&m, RV_KEEP, 0x1111);
	enclave_command(&m, RV_SHOW, 0);
	system_enters(&m, 0);
	const struct rv_command *c = (void *)m.window;
	CHECK_INT(c->cause, 0);
	CHECK(c->value != 0x1111 && c->more != 0x1111 && c->third != 0x1111);
	enclave_command(&m, RV_KEEP, 0x2222);
	system_enters(&m, 0);
	c = system_does(&m, RV_SHOW, (uint64_t[7]){ 0 });
	CHECK_INT(c->value, 0x1111);
	CHECK_INT(c->more, 0x1111);
	CHECK_INT(c->third, 0x1111);
	c = enclave_command(&m, RV_SHOW, 0);
	system_enters(&m, 0);
	CHECK_INT(c->value, 0x2222);
	CHECK_INT(c->more, 0x2222);
	CHECK_INT(c->third, 0x2222);
	close_machine(&m);
}

/* An operating system gets its processor back, and the enclave goes on where it
 * was. */
TEST(sanctum_an_enclave_that_never_leaves_is_interrupted_in_time)
{
	struct machine m;
	const uint64_t again[7] = { SANCTUM_ENTER, 0, 20000 };
	const uint64_t last = 1000;
	boot_system(&m);
	system_loads(&m, SANCTUM_ENCLAVES_AT, 0);
	CHECK_INT(system_enters(&m, 0), 1);
	const volatile struct rv_command *c =
		enclave_command(&m, RV_SPIN, last);
	/* How far it came each time is the machine's. */
	for (int i = 0; i < PATIENCE && c->value < last + 5000; i++) {
		uint64_t was = c->value;
		CHECK_INT(system_asks(&m, again, NULL), SANCTUM_INTERRUPTED);
		CHECK(c->value >= was);
	}
	CHECK(c->value >= last + 5000);
	close_machine(&m);
}

/* --- enclaves of a loader's --------------------------------------------- */

#define CALL(n, ...)                                        \
	{                                                   \
		.number = SANCTUM_##n, .a = { __VA_ARGS__ } \
	}

static int calls(struct machine *m, struct sanctum_call *c, uint32_t n)
{
	struct sanctum_calls list = { .calls = (uintptr_t)c, .count = n };
	return device_ioctl(m->d, m->handle, SANCTUM_IOC_CALLS, &list);
}

/* The robot's page as an enclave. */
static void load(struct machine *m)
{
	const uint64_t ev = SANCTUM_EV_BASE;
	struct sanctum_call c[] = {
		CALL(CREATE, 0, ENCLAVE_BYTES, ev, SANCTUM_EV_MASK),
		CALL(HANDLER, 0, 0),
		CALL(TABLE, 0, 0x1000, ev, 3, 1),
		CALL(TABLE, 0, 0x2000, ev, 2, 1),
		CALL(TABLE, 0, 0x3000, ev, 1, 1),
		CALL(PAGE, 0, PAGE_AT, ev + PAGE_AT,
			(uintptr_t)(m->image + RV_ENCLAVE), 1 | 2 | 8),
		CALL(THREAD, 0, ev + PAGE_AT),
		CALL(WINDOW, 0, (uintptr_t)m->window, WINDOW_BYTES),
		CALL(INIT, 0),
	};
	CHECK_INT(calls(m, c, 1), 0);
	CHECK_INT(calls(m, c + 1, ARRAY_LEN(c) - 1), 0);
}

static void enter(struct machine *m)
{
	struct sanctum_run r = { 0 };
	CHECK_INT(device_ioctl(m->d, m->handle, SANCTUM_IOC_RUN, &r), 0);
	CHECK_INT(r.result, SANCTUM_OK);
	CHECK_INT(r.event, 1);
}

static void open_enclave(struct machine *m)
{
	open_machine(m);
	load(m);
	enter(m);
}

static uint64_t enclave_try(struct machine *m, uint64_t op, uint64_t at)
{
	struct rv_command *c = enclave_command(m, op, at);
	enter(m);
	return c->cause;
}

static const struct rv_command *enclave_asks(struct machine *m, uint64_t number,
	uint64_t a, uint64_t b)
{
	struct rv_command *c = enclave_command(m, RV_ECALL, number);
	c->a[1] = a;
	c->a[2] = b;
	enter(m);
	CHECK_INT(c->cause, 0);
	return c;
}

TEST(sanctum_an_enclave_reaches_its_memory_and_its_window_and_no_other)
{
	struct machine m;
	open_enclave(&m);
	const uint64_t base = SANCTUM_ENCLAVES_AT;
	const uint64_t forbidden[] = { SANCTUM_MONITOR_AT, SANCTUM_RECORD_AT,
		base + ENCLAVE_BYTES, physical(&m, m.image),
		physical(&m, m.tables), SANCTUM_UNTRUSTED_AT, 0x40000000,
		0x24000000 };
	CHECK_INT(enclave_try(&m, RV_LOAD, base + ENCLAVE_BYTES - 8), 0);
	CHECK_INT(enclave_try(&m, RV_STORE, base + ENCLAVE_BYTES - 8), 0);
	CHECK_INT(enclave_try(&m, RV_LOAD, physical(&m, m.window)), 0);
	CHECK_INT(enclave_try(&m, RV_JUMP, physical(&m, m.window)), FETCH);
	for (size_t i = 0; i < ARRAY_LEN(forbidden); i++) {
		CHECK_INT(enclave_try(&m, RV_LOAD, forbidden[i]), LOAD);
		CHECK_INT(enclave_try(&m, RV_STORE, forbidden[i]), STORE);
		CHECK_INT(enclave_try(&m, RV_JUMP, forbidden[i]), FETCH);
	}
	CHECK_INT(enclave_try(&m, RV_MCSR, 0), ILLEGAL);
	CHECK_INT(enclave_try(&m, RV_SEED, 0), ILLEGAL);
	CHECK_INT(enclave_try(&m, RV_CYCLE, 0), ILLEGAL);
	close_machine(&m);
}

TEST(sanctum_an_enclave_s_calls_are_its_own_and_judged)
{
	struct machine m;
	open_enclave(&m);
	const uint64_t base = SANCTUM_ENCLAVES_AT;
	for (uint64_t n = 0; n <= SANCTUM_DELETE; n++)
		CHECK_INT(enclave_asks(&m, n, 0, 0)->value, SANCTUM_UNKNOWN);
	const uint64_t wrong[][2] = {
		{ SANCTUM_MONITOR_AT, base },
		{ base, SANCTUM_MONITOR_AT },
		{ base, physical(&m, m.window) },
		{ physical(&m, m.window), base },
		{ base + ENCLAVE_BYTES - 63, base },
		{ base, base + ENCLAVE_BYTES - 575 },
		{ UINT64_MAX - 10, base },
		{ base, UINT64_MAX - 10 },
	};
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		CHECK_INT(enclave_asks(&m, SANCTUM_ATTEST, wrong[i][0],
				  wrong[i][1])
				  ->value,
			SANCTUM_VALUE);
	close_machine(&m);
}

TEST(sanctum_random_words_differ)
{
	struct machine m;
	uint64_t last = 0;
	open_enclave(&m);
	for (int i = 0; i < 9; i++) {
		const struct rv_command *c =
			enclave_asks(&m, SANCTUM_RANDOM, 0, 0);
		CHECK_INT(c->value, SANCTUM_OK);
		CHECK(c->more != last && c->more != 0);
		last = c->more;
	}
	close_machine(&m);
}

static void read_memory(struct machine *m, uint64_t at, void *to, size_t n)
{
	for (size_t i = 0; i < n; i += 8) {
		CHECK_INT(enclave_try(m, RV_LOAD, at + i), 0);
		memcpy((uint8_t *)to + i,
			&((struct rv_command *)(void *)m->window)->value, 8);
	}
}

/* The whole chain, by another Ed25519 than the one that signed it. */
TEST(sanctum_evidence_is_the_monitor_s_and_of_the_image_that_runs)
{
	struct machine m;
	struct sanctum_evidence e;
	uint8_t hash[64], message[sizeof SANCTUM_REPORT_LABEL - 1 + 64];
	open_enclave(&m);
	const uint64_t at = SANCTUM_ENCLAVES_AT + 0x10000;
	CHECK_INT(enclave_asks(&m, SANCTUM_ATTEST, SANCTUM_ENCLAVES_AT, at)
			  ->value,
		SANCTUM_OK);
	read_memory(&m, at, &e, sizeof e);
	CHECK(crypto_ed25519_verify(e.manufacturer_pk, BYTES_ARRAY(e.device_pk),
		e.device_signature, NULL));
	CHECK(crypto_ed25519_verify(e.device_pk, bytes_of(e.sm_measurement, 96),
		e.sm_signature, NULL));
	CHECK(crypto_digest(CRYPTO_SHA512, bytes_of(e.enclave_measurement, 96),
		hash, NULL));
	CHECK(crypto_ed25519_verify(e.sm_pk, BYTES_ARRAY(hash),
		e.enclave_attestation, NULL));
	memcpy(message, SANCTUM_REPORT_LABEL, sizeof message - 64);
	read_memory(&m, SANCTUM_ENCLAVES_AT, message + sizeof message - 64, 64);
	CHECK(crypto_ed25519_verify(e.enclave_pk, BYTES_ARRAY(message),
		e.report_signature, NULL));
	close_machine(&m);
}

TEST(sanctum_an_enclave_whose_handler_gave_up_never_runs_again)
{
	struct machine m;
	struct sanctum_run r = { 0 };
	open_machine(&m);
	memset(m.image + RV_ENCLAVE, 0, 64); /* no instructions */
	load(&m);
	CHECK_INT(device_ioctl(m.d, m.handle, SANCTUM_IOC_RUN, &r), 0);
	CHECK_INT(r.result, SANCTUM_FAULTED);
	size_t len;
	CHECK_HAS(soft_sanctum_log(m.d, &len), "enclave: fault 2 at ");
	CHECK_INT(device_ioctl(m.d, m.handle, SANCTUM_IOC_RUN, &r), 0);
	CHECK_INT(r.result, SANCTUM_STATE);
	close_machine(&m);
}

TEST(sanctum_a_page_is_copied_from_memory_that_is_the_loader_s)
{
	struct machine m;
	open_enclave(&m);
	struct sanctum_call c = CALL(PAGE, 0, PAGE_AT, 0, (uintptr_t)&m, 3);
	CHECK_INT(calls(&m, &c, 1), -EFAULT);
	c.number = SANCTUM_INIT;
	CHECK_INT(calls(&m, &c, 1), -EPERM);
	CHECK_INT(c.result, SANCTUM_STATE);
	close_machine(&m);
}

TEST(sanctum_the_device_does_nothing_before_an_enclave_is_created)
{
	struct machine m;
	struct sanctum_run r = { 0 };
	open_machine(&m);
	struct sanctum_call c = CALL(INIT, 0);
	CHECK_INT(calls(&m, &c, 1), -EINVAL);
	CHECK_INT(calls(&m, &c, 0), -E2BIG);
	CHECK_INT(device_ioctl(m.d, m.handle, SANCTUM_IOC_RUN, &r), -EINVAL);
	CHECK_INT(device_ioctl(m.d, m.handle, 1, NULL), -ENOTTY);
	CHECK_INT(device_ioctl(m.d, 7, SANCTUM_IOC_RUN, &r), -EBADF);
	CHECK_INT(m.d->ops->open(m.d, "/dev/kvm"), -ENOENT);
	close_machine(&m);
}
