/* SPDX-License-Identifier: Apache-2.0 */
/* A processor whose device fails, and what is said of it. */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "../test.h"
#include "base/cleanup.h"
#include "hal/vm_priv.h"

struct fake {
	struct device device;
	int ended;
};

static int fake_enter(struct device *d UNUSED, int handle UNUSED,
	void *run UNUSED)
{
	return -EIO;
}

static int fake_ended(struct device *d)
{
	return ((struct fake *)(void *)d)->ended;
}

static void fake_kick(struct device *d UNUSED, int handle UNUSED,
	void *run UNUSED)
{
}

static void fake_unmap(struct device *d UNUSED, void *at UNUSED,
	size_t len UNUSED)
{
}

static void fake_close(struct device *d UNUSED, int handle UNUSED)
{
}

static const struct device_ops fake_ops = { .enter = fake_enter,
	.ended = fake_ended,
	.kick = fake_kick,
	.unmap = fake_unmap,
	.close = fake_close };

static enum vm_turn says_so_first(void *ctx UNUSED, struct vm_cpu *c)
{
	return vm_cpu_event(c, VM_EVENT_EXIT);
}

/* alive: the device's process is. */
static void run(bool alive, vm_enter *enter, char why[128])
{
	struct vm_report report = { .status = 7 };
	struct err e = { 0 };
	bool gone = false;
	int pair[2];
	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	auto_fd theirs = pair[1];
	struct fake f = { { &fake_ops }, pair[0] };
	struct vm_cpu c = { .report = &report, .enter = enter };
	if (!alive)
		close(fd_move(&theirs));
	CHECK(vm_cpu_init_bells(&c, &f.device, &e));
	CHECK(vm_cpu_start(&c, &e));
	struct pollfd p = { .fd = c.bell, .events = POLLIN };
	CHECK_INT(poll(&p, 1, -1), 1);
	CHECK(vm_cpu_take(&c, &gone, why, &e));
	CHECK(gone);
	vm_cpu_fini(&c);
	close(pair[0]);
}

TEST(vm_cpu_tells_a_device_that_ended_from_one_that_fails)
{
	char why[128];
	run(true, NULL, why);
	CHECK_STR(why, "KVM_RUN: Input/output error");
	run(false, NULL, why);
	CHECK_STR(why, "its processor's process ended");
}

TEST(vm_cpu_believes_a_keep_that_said_how_it_ended)
{
	char why[128];
	run(false, says_so_first, why);
	CHECK_STR(why, "exit status 7");
}
