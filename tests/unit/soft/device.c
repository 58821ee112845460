/* SPDX-License-Identifier: Apache-2.0 */
/* The software platform's machine: plain guests, its process, its memory. */
#include "soft/device_priv.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../test.h"
#include "helpers/run.h"

#define GP GUEST_EXCEPTION(13, 0)
#define UD GUEST_EXCEPTION(6, 0)

static pid_t pid_of(const struct run *r)
{
	return r->d->ops->child(r->d);
}

static bool is_alive(pid_t pid)
{
	return kill(pid, 0) == 0;
}

TEST(device_a_plain_guest_runs_and_talks_through_ports)
{
	const uint32_t in = 0x600df00d;
	struct run r;
	run_open(&r, false);
	run_launch(&r, GUEST_PLAIN, 0);
	CHECK_INT(run_enter(&r), 0);
	CHECK_INT(r.run->exit_reason, KVM_EXIT_IO);
	CHECK_INT(r.run->io.direction, KVM_EXIT_IO_OUT);
	CHECK_INT(r.run->io.port, VM_PORT);
	CHECK_INT(*((uint8_t *)r.run + r.run->io.data_offset), 0x42);
	CHECK_INT(run_enter(&r), 0);
	CHECK_INT(r.run->io.direction, KVM_EXIT_IO_IN);
	memcpy((uint8_t *)r.run + r.run->io.data_offset, &in, sizeof in);
	run_to_end(&r);
	const struct guest_result *got = run_result(&r);
	CHECK_INT(got->values[0], 0); /* CPUID */
	CHECK(got->values[1] != 0);   /* a guest's */
	CHECK_INT(got->values[2], 0); /* no SVM */
	CHECK(got->values[3] == GP);  /* unknown MSR */
	CHECK(got->values[4] == UD);  /* VMLOAD */
	CHECK(got->values[5] == UD);  /* UD2 */
	CHECK(got->values[6] >> 63);  /* its own page fault */
	CHECK_INT(got->values[7], in);
	run_close(&r);
}

TEST(device_an_access_outside_memory_is_mmio)
{
	struct run r;
	run_open(&r, false);
	run_launch(&r, GUEST_NOWHERE, 0);
	CHECK_INT(run_enter(&r), 0);
	CHECK_INT(r.run->exit_reason, KVM_EXIT_MMIO);
	run_close(&r);
}

TEST(device_a_triple_fault_is_a_shutdown)
{
	struct run r;
	run_open(&r, false);
	run_launch(&r, GUEST_TRIPLE, 0);
	CHECK_INT(run_enter(&r), 0);
	CHECK_INT(r.run->exit_reason, KVM_EXIT_SHUTDOWN);
	run_close(&r);
}

TEST(device_a_state_that_is_none_is_refused)
{
	struct kvm_sregs s = { .cr0 = 0x20000001 }; /* NW without CD */
	struct run r;
	run_open(&r, false);
	run_launch(&r, GUEST_PLAIN, 0);
	CHECK_INT(device_ioctl(r.d, r.cpu, KVM_SET_SREGS, &s), 0);
	int n = run_enter(&r);
	CHECK(n == 0);
	CHECK_INT(r.run->exit_reason, KVM_EXIT_FAIL_ENTRY);
	run_close(&r);
}

static void *kick_soon(void *arg)
{
	struct run *r = arg;
	/* Until it runs; a kick before that is as good. */
	usleep(20000);
	r->d->ops->kick(r->d, r->cpu, r->run);
	return NULL;
}

TEST(device_a_kick_stops_a_guest_that_asks_for_nothing)
{
	struct run r;
	pthread_t t;
	run_open(&r, false);
	run_launch(&r, GUEST_LONG, 1);
	CHECK_INT(pthread_create(&t, NULL, kick_soon, &r), 0);
	CHECK_INT(run_enter(&r), -EINTR);
	CHECK_INT(run_enter(&r), -EINTR);
	pthread_join(t, NULL);
	run_close(&r);
}

TEST(device_a_guest_that_waits_costs_no_processor)
{
	struct run r;
	char path[64];
	unsigned long before[2], after[2];
	run_open(&r, false);
	run_launch(&r, GUEST_PLAIN, 0);
	CHECK_INT(run_enter(&r), 0);
	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid_of(&r));
	for (int i = 0; i < 2; i++) {
		unsigned long *t = i ? after : before;
		FILE *f = fopen(path, "r");
		CHECK(f != NULL);
		CHECK_INT(fscanf(f,
				  "%*d %*s %*c %*d %*d %*d %*d %*d %*u %*u %*u "
				  "%*u %*u %lu %lu",
				  &t[0], &t[1]),
			2);
		fclose(f);
		usleep(i ? 0 : 300000);
	}
	/* In ticks of 10 ms: it may have been on its way to sleep. */
	CHECK(after[0] + after[1] - before[0] - before[1] <= 10);
	run_close(&r);
}

/* --- its process -------------------------------------------------------- */

TEST(device_ends_its_process)
{
	struct run r;
	run_open(&r, false);
	pid_t pid = pid_of(&r);
	CHECK(is_alive(pid));
	run_close(&r);
	CHECK(!is_alive(pid));
}

TEST(device_survives_the_end_of_its_process)
{
	struct run r;
	run_open(&r, false);
	run_launch(&r, GUEST_LONG, 1);
	CHECK_INT(kill(pid_of(&r), SIGKILL), 0);
	CHECK_INT(run_enter(&r), -EIO);
	CHECK_INT(run_enter(&r), -EIO);
	run_close(&r);
}

TEST(device_s_process_ends_with_its_owner)
{
	int pipes[2];
	pid_t pid = 0;
	CHECK_INT(pipe(pipes), 0);
	pid_t child = fork();
	if (child == 0) {
		struct run r;
		run_open(&r, false);
		run_launch(&r, GUEST_LONG, 1);
		pid = pid_of(&r);
		_exit(write(pipes[1], &pid, sizeof pid) != sizeof pid);
	}
	CHECK_INT(read(pipes[0], &pid, sizeof pid), sizeof pid);
	CHECK_INT(waitpid(child, NULL, 0), child);
	/* A dead one that nobody has reaped yet still has a number. */
	char path[64], state = 'R';
	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	for (int i = 0; i < 500 && state != 'Z'; i++) {
		FILE *f = fopen(path, "r");
		if (!f)
			break;
		CHECK_INT(fscanf(f, "%*d %*s %c", &state), 1);
		fclose(f);
		usleep(10000);
	}
	CHECK(state == 'Z' || access(path, F_OK) != 0);
	close(pipes[0]);
	close(pipes[1]);
}

TEST(device_says_what_it_lacks)
{
	struct err e = { 0 };
	struct device *d = NULL;
	const struct soft_config c = { .image_dir = "/nowhere" };
	CHECK(!soft_device_probe("/nowhere", &e));
	CHECK_HAS(e.text, "no monitor at /nowhere/software/monitor");
	CHECK(!soft_device_new(&c, &d, &e));
	CHECK_HAS(e.text, "/nowhere/software/monitor");
	CHECK(d == NULL);
}

/* --- what it is asked --------------------------------------------------- */

TEST(device_refuses_what_a_kernel_refuses)
{
	struct run r;
	uint8_t foreign[1];
	run_open(&r, false);
	CHECK_INT(r.d->ops->open(r.d, "/dev/null"), -ENOENT);
	CHECK_INT(device_ioctl(r.d, 99, KVM_GET_API_VERSION, NULL), -EBADF);
	CHECK_INT(device_ioctl(r.d, r.kvm, 0x1234, NULL), -EINVAL);
	CHECK_INT(device_ioctl(r.d, r.vm, 0x1234, NULL), -ENOTTY);
	CHECK_INT(device_ioctl(r.d, r.cpu, 0x1234, NULL), -ENOTTY);
	CHECK_INT(device_ioctl(r.d, r.kvm, KVM_CREATE_VM, NULL), -EINVAL);
	CHECK_INT(device_ioctl(r.d, r.vm, KVM_CREATE_VCPU, NULL), -EINVAL);
	CHECK_INT(device_ioctl(r.d, r.vm, KVM_MEMORY_ENCRYPT_OP, NULL),
		-ENOTTY);
	/* Not a page, not ours, over another. */
	CHECK_INT(run_region(&r, 2, 0x10000001, PAGE_BYTES, r.ram, 0), -EINVAL);
	CHECK_INT(run_region(&r, 2, 0x10000000, PAGE_BYTES, NULL, 0), -EFAULT);
	CHECK_INT(run_region(&r, 2, 0x10000000, PAGE_BYTES,
			  foreign - (uintptr_t)foreign % PAGE_BYTES, 0),
		-EFAULT);
	CHECK_INT(run_region(&r, 2, VM_RAM_GPA, PAGE_BYTES, r.ram, 0), -EINVAL);
	CHECK_INT(run_region(&r, 99, 0x10000000, PAGE_BYTES, r.ram, 0),
		-EINVAL);
	/* Too late for memory of its own. */
	CHECK(r.d->ops->memory(r.d, PAGE_BYTES) == NULL);
	run_close(&r);
}

TEST(device_a_slot_may_change_under_a_guest)
{
	struct run r;
	run_open(&r, false);
	run_launch(&r, GUEST_PLAIN, 0);
	CHECK_INT(run_enter(&r), 0);
	CHECK_INT(run_region(&r, 1, VM_RAM_GPA, RUN_RAM_BYTES, r.ram, 0), 0);
	CHECK_INT(run_region(&r, 1, VM_RAM_GPA + RUN_RAM_BYTES, PAGE_BYTES,
			  r.ram, 0),
		0);
	/* Its code is gone. */
	CHECK_INT(run_enter(&r), 0);
	CHECK(r.run->exit_reason == KVM_EXIT_MMIO ||
		r.run->exit_reason == KVM_EXIT_SHUTDOWN);
	run_close(&r);
}

TEST(device_knows_the_counter_s_speed)
{
	struct run r;
	run_open(&r, false);
	int khz = device_ioctl(r.d, r.cpu, KVM_GET_TSC_KHZ, NULL);
	CHECK(khz > 100000 && khz < 20000000);
	usleep(50000);
	int again = device_ioctl(r.d, r.cpu, KVM_GET_TSC_KHZ, NULL);
	CHECK(abs(again - khz) < khz / 200);
	run_close(&r);
}
