/* SPDX-License-Identifier: Apache-2.0 */
#include "keep/confine.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "abi/gate.h"

/* The rights of code; where there is no compiler, some that nobody asks for. */
#if defined(__x86_64__)
#define NATIVE AUDIT_ARCH_X86_64
#define CODE   (PROT_READ | PROT_EXEC)
#elif defined(__riscv) && __riscv_xlen == 64
#define NATIVE AUDIT_ARCH_RISCV64
#define CODE   PROT_NONE
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
#define NATIVE AUDIT_ARCH_PPC64LE
#define CODE   PROT_NONE
#else
#error "no system-call list for this architecture"
#endif

/* clang-format off */
#define LOAD(field) \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define KILL  BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define FAIL(errnum) \
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (errnum))
/* Each spells "when it is the call, then ...; else skip it". */
#define IS(call, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (call), 0, (skip))
#define PERMIT(call) IS(call, 1), ALLOW
/* Of a 64-bit argument the low half; little-endian. */
#define LOAD_ARG(i) LOAD(args[i])

static const struct sock_filter filter[] = {
	LOAD(arch),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE, 1, 0),
	KILL,
	LOAD(nr),

	/* The bell. */
	IS(SYS_read, 4),
	LOAD_ARG(0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, GATE_BELL_FD, 0, 1),
	ALLOW,
	KILL,
	IS(SYS_write, 4),
	LOAD_ARG(0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, GATE_BELL_FD, 0, 1),
	ALLOW,
	KILL,

	/* Memory, executable only where nothing can write (compiled code); of
	 * files only the gate's area. */
	IS(SYS_mmap, 9),
	LOAD_ARG(2),
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1),
	KILL,
	LOAD_ARG(3),
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, MAP_ANONYMOUS, 2, 0),
	LOAD_ARG(4),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, GATE_AREA_FD, 0, 1),
	ALLOW,
	KILL,
	IS(SYS_mprotect, 5),
	LOAD_ARG(2),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, CODE, 2, 0),
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1),
	KILL,
	ALLOW,
	PERMIT(SYS_munmap),
	PERMIT(SYS_mremap),
	PERMIT(SYS_madvise),
	PERMIT(SYS_brk),

	/* Time (the vDSO asks the kernel for some clocks), randomness. */
	PERMIT(SYS_clock_gettime),
	PERMIT(SYS_getrandom),
	PERMIT(SYS_getpid), /* the random generator's fork detection */

	PERMIT(SYS_futex),
	PERMIT(SYS_rt_sigreturn),
	PERMIT(SYS_exit),
	PERMIT(SYS_exit_group),
	IS(SYS_sysinfo, 1), /* qsort asks, and does without */
	FAIL(ENOSYS),
	KILL,
};
/* clang-format on */

/* The sanitizers' own code needs more calls than a Keep may have. */
#if defined(__SANITIZE_ADDRESS__)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

bool keep_confine(struct err *e)
{
	const struct rlimit none = { 0, 0 };
	struct sock_fprog program = {
		.len = ARRAY_LEN(filter),
		.filter = (struct sock_filter *)(uintptr_t)filter,
	};
	if (setrlimit(RLIMIT_CORE, &none))
		return err_fail(e, ERR_HOST, "confine: core limit: errno %d",
			errno);
	if (SANITIZED)
		return true;
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		return err_fail(e, ERR_HOST, "confine: dumpable: errno %d",
			errno);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return err_fail(e, ERR_HOST, "confine: privileges: errno %d",
			errno);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0))
		return err_fail(e, ERR_HOST, "confine: filter: errno %d",
			errno);
	return true;
}
