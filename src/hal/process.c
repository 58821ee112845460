/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Technology `process`: exec as a confined child of the loader, on any Linux.
 * It keeps a Keep from its host's files and network, not the host from the
 * Keep: evidence is signed by the software root and says so.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/fmt.h"
#include "crypto/hash.h"
#include "hal/hal_priv.h"
#include "hal/process_priv.h"
#include "hal/sandbox_priv.h"
#include "soft/root.h"

enum { REPORT_DATA_BYTES = 64 };

struct hal_keep {
	struct process_child child;
	int bell;
	struct gate_area *area;
	struct soft_root *root;
	struct soft_facts facts; /* all but the report data */
};

static bool process_probe(const struct hal_config *cfg, struct hal_probe *out,
	UNUSED struct err *e)
{
	struct hal_probe p = { .software = true };
	struct err why = { 0 };
	p.available = hal_images_look(cfg, &hal_process, &why) == HAL_WHOLE;
	fmt(p.detail, sizeof p.detail,
		"own process with seccomp, limits and namespaces; no isolation "
		"from the host");
	if (!p.available)
		fmt(p.missing, sizeof p.missing, "%s", why.text);
	*out = p;
	return true;
}

static bool process_measure(const struct hal_config *cfg, uint8_t out[64],
	size_t *len, struct err *e)
{
	auto_fd image = -1;
	*len = CRYPTO_SHA384_BYTES;
	return process_image_load(cfg->image_dir, &image, e) &&
		process_image_measure(image, out, e);
}

/* --- launch --------------------------------------------------------------- */

/* The gate's area: its size is fixed for both sides, so that neither can
 * pull memory away under the other. */
static bool make_area(struct hal_keep *k, const struct hal_config *cfg, int *fd,
	struct err *e)
{
	auto_fd area =
		memfd_create("donjon-gate", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (area < 0 || ftruncate(area, GATE_AREA_BYTES) != 0 ||
		fcntl(area, F_ADD_SEALS,
			F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
		return err_fail(e, ERR_HOST, "gate area: %s", strerror(errno));
	void *p = mmap(NULL, GATE_AREA_BYTES, PROT_READ | PROT_WRITE,
		MAP_SHARED, area, 0);
	if (p == MAP_FAILED)
		return err_fail(e, ERR_HOST, "map gate area: %s",
			strerror(errno));
	k->area = p;
	k->area->magic = GATE_MAGIC;
	k->area->version = GATE_VERSION;
	k->area->boot = cfg->boot;
	k->area->boot.version = 1;
	k->area->boot.tee = GATE_TEE_PROCESS;
	*fd = fd_move(&area);
	return true;
}

static bool start(struct hal_keep *k, const struct hal_config *cfg, int image,
	struct err *e)
{
	int pair[2];
	auto_fd area = -1;
	if (!make_area(k, cfg, &area, e))
		return false;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return err_fail(e, ERR_HOST, "bell: %s", strerror(errno));
	k->bell = pair[0];
	auto_fd bell = pair[1];
	struct process_spawn s = {
		.image = image,
		.bell = bell,
		.area = area,
		.memory_bytes = cfg->boot.memory_bytes,
		.debug = cfg->debug,
	};
	return process_spawn(&s, &k->child, e);
}

/* The child starts on one processor while its image, which nobody can change
 * any more, is hashed on another. */
static bool launch(struct hal_keep *k, const struct hal_config *cfg,
	struct err *e)
{
	auto_fd image = -1;
	k->facts.tee = GATE_TEE_PROCESS;
	k->facts.debug = cfg->debug;
	memcpy(k->facts.owner_key_hash, cfg->boot.owner_key_hash,
		sizeof k->facts.owner_key_hash);
	return process_image_load(cfg->image_dir, &image, e) &&
		start(k, cfg, image, e) &&
		process_image_measure(image, k->facts.measurement, e) &&
		soft_root_open(cfg->root_path, &k->root, e) &&
		process_spawned(&k->child, e);
}

static void process_destroy(struct hal_keep *k)
{
	if (!k)
		return;
	process_reap(&k->child, NULL);
	cleanup_fd(&k->child.report);
	cleanup_fd(&k->bell);
	if (k->area)
		munmap(k->area, GATE_AREA_BYTES);
	soft_root_close(k->root);
	free(k);
}

static bool process_launch(const struct hal_config *cfg, struct hal_keep **out,
	struct err *e)
{
	struct hal_keep *k = calloc(1, sizeof *k);
	if (!k)
		return err_fail(e, ERR_LIMIT, "launch process: no memory");
	k->bell = k->child.report = -1;
	if (!launch(k, cfg, e)) {
		process_destroy(k);
		return err_wrap(e, "launch process");
	}
	*out = k;
	return true;
}

/* --- serving -------------------------------------------------------------- */

/* What serving a Keep needs: bytes over descriptors that are there. */
static const int loader_calls[] = { SCMP_SYS(read), SCMP_SYS(write),
	SCMP_SYS(recvfrom), SCMP_SYS(sendto), SCMP_SYS(recvmsg),
	SCMP_SYS(sendmsg), SCMP_SYS(shutdown), SCMP_SYS(close), SCMP_SYS(fcntl),
	SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(getsockopt),
	SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(brk), SCMP_SYS(mmap),
	SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
	SCMP_SYS(mprotect), SCMP_SYS(futex), SCMP_SYS(getrandom),
	SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(getpid),
	SCMP_SYS(gettid), SCMP_SYS(wait4), SCMP_SYS(waitid),
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(tgkill), SCMP_SYS(exit),
	SCMP_SYS(exit_group), SCMP_SYS(restart_syscall) };

static bool process_confine(struct hal_keep *k, struct err *e)
{
	struct sandbox_rule rules[SANDBOX_NET_RULES + 1] = {
		{ SCMP_SYS(kill), 0, (uint64_t)k->child.pid },
	};
	memcpy(rules + 1, sandbox_net, sizeof sandbox_net);
	if (k->child.change_id && !process_become(k->child.uid, e))
		return false;
	if (!process_drop_caps(e))
		return false;
	if (HAL_SANITIZED)
		return true;
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return err_fail(e, ERR_HOST, "prctl: %s", strerror(errno));
	return sandbox_load(loader_calls, ARRAY_LEN(loader_calls), rules,
		ARRAY_LEN(rules), e);
}

static int process_bell(const struct hal_keep *k)
{
	return k->bell;
}

static struct gate_area *process_area(struct hal_keep *k)
{
	return k->area;
}

static void say_why(int status, char why[128])
{
	if (WIFSIGNALED(status)) {
		const char *name = sigabbrev_np(WTERMSIG(status));
		fmt(why, 128, "killed by signal %d (SIG%s)", WTERMSIG(status),
			name ? name : "?");
	} else {
		fmt(why, 128, "exit status %d", WEXITSTATUS(status));
	}
}

static bool process_take(struct hal_keep *k, bool *gone, char why[128],
	struct err *e)
{
	char byte;
	ssize_t n;
	do
		n = recv(k->bell, &byte, 1, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno != ECONNRESET)
		return err_fail(e, ERR_HOST, "bell: %s", strerror(errno));
	*gone = n != 1;
	if (*gone) {
		int status = 0;
		process_reap(&k->child, &status);
		say_why(status, why);
	}
	/* What the Keep wrote before it rang is seen from here on. */
	atomic_thread_fence(memory_order_acquire);
	return true;
}

/* The Keep that died meanwhile is found at its bell, not here. */
static bool process_resume(struct hal_keep *k, struct err *e)
{
	atomic_thread_fence(memory_order_release);
	ssize_t n;
	do
		n = send(k->bell, "", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n != 1 && errno != EPIPE && errno != ECONNRESET)
		return err_fail(e, ERR_HOST, "bell: %s", strerror(errno));
	return true;
}

static bool process_evidence(struct hal_keep *k, struct bytes request,
	struct buf *evidence, struct buf *endorsements, struct err *e)
{
	return soft_root_evidence(k->root, &k->facts, request, evidence,
		endorsements, e);
}

const struct hal_tech hal_process = {
	.name = "process",
	.tee = GATE_TEE_PROCESS,
	.rank = 1,
	/* Whatever Linux runs here: it may have an interpreter for others. */
	.images = { .make = "make", .machine = EM_NONE },
	.probe = process_probe,
	.measure = process_measure,
	.launch = process_launch,
	.confine = process_confine,
	.bell = process_bell,
	.area = process_area,
	.take = process_take,
	.resume = process_resume,
	.evidence = process_evidence,
	.destroy = process_destroy,
};
