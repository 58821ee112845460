/* SPDX-License-Identifier: Apache-2.0 */
/* The software platform's kernel: what stands behind its handles. */
#ifndef SOFT_DEVICE_PRIV_H
#define SOFT_DEVICE_PRIV_H

#include "soft/device.h"
#include "soft/machine.h"
#include "soft/psp.h"
#include "soft/tdx_module.h"
#include "spec/ghcb.h"
#include "spec/kvm.h"
#include "spec/sgx_enclave.h"
#include "spec/svm.h"

enum { SOFT_MEMFDS = 4, SOFT_EARLY = 32 };

/* What SEV_INIT2 may ask for, as Linux 6.11. */
#define SOFT_VMSA_FEATURES SVM_FEATURE_DEBUG_SWAP

/* QEMU's `pc` has RAM below this, and the rest from 4 GiB on. */
#define SOFT_LOW_RAM_END 0xc0000000ull
#define SOFT_HIGH_RAM	 0x100000000ull

enum soft_handle {
	SOFT_HANDLE_KVM = 1,
	SOFT_HANDLE_SEV,
	SOFT_HANDLE_VM,
	SOFT_HANDLE_CPU,
	SOFT_HANDLE_MEMFD, /* and the next ones */
	SOFT_HANDLE_OTHER = 40,
	SOFT_HANDLE_SGX = 64,
	SOFT_HANDLE_PROVISION,
};

/* A pair of clocks, read together: tells how fast one of them is. */
struct soft_clock {
	uint64_t tsc;
	int64_t ns;
};

/* What the guest's VMGEXIT waits for. */
enum soft_pending {
	SOFT_PENDING_NONE,
	SOFT_PENDING_IN,	 /* a port's value */
	SOFT_PENDING_OUT,	 /* nothing but the next entry */
	SOFT_PENDING_STATE_MSR,	 /* a page state change by the MSR */
	SOFT_PENDING_STATE_PAGE, /* the same by the GHCB */
	SOFT_PENDING_CERTS,
};

/* A second processor, of a host that makes one: it is measured as KVM does, and
 * never runs. */
struct soft_other {
	bool there, late; /* late: after the launch */
	struct kvm_sregs sregs;
	struct kvm_regs regs;
};

/* Memory that only the guest has: SNP, TDX. */
struct soft_private {
	bool hypercalls; /* userspace takes part in page state changes */
	/* Sizes of the guest_memfds, and where in private RAM they begin. */
	struct {
		uint64_t bytes, at;
	} memfds[SOFT_MEMFDS];
	uint64_t bytes;
	/* Which of them a slot has, and from where on. */
	struct {
		bool has;
		uint64_t at;
	} slots[MONITOR_SLOTS];
	/* Attributes that were set before there was a monitor. */
	struct spec_kvm_attributes early[SOFT_EARLY];
	size_t early_count;
};

/* The kernel's half of an SNP guest. */
struct soft_snp {
	bool active;   /* INIT2 was there */
	bool launched; /* LAUNCH_FINISH was */
	bool certs;
	uint64_t vmsa_features;
	uint8_t level;	 /* VMPL; not 0: a hostile kernel's */
	struct psp *psp; /* from LAUNCH_START on */
	/* VMGEXIT. */
	uint64_t msr;
	uint64_t registered; /* the GHCB's page; all ones: none */
	enum soft_pending pending;
	uint16_t state_entry, state_entries; /* in flight */
};

/* What a domain's TDG.VP.VMCALL waits for. */
enum soft_td_pending {
	SOFT_TD_NONE,
	SOFT_TD_OUT,
	SOFT_TD_IN,
	SOFT_TD_MAP,
	SOFT_TD_USER, /* KVM_EXIT_TDX */
};

/* The kernel's half of a trust domain. */
struct soft_tdx {
	bool irqchip;		    /* split */
	bool active, cpu, runnable; /* INIT_VM, INIT_VCPU, FINALIZE_VM */
	bool dead;
	uint64_t attributes;
	struct tdx_module *module; /* from INIT_VM on */
	uint64_t rcx;		   /* the processor's, at its start */
	/* What the module answers to CPUID. */
	struct monitor_cpuid cpuid[MONITOR_CPUIDS];
	uint32_t cpuid_count;
	enum soft_td_pending pending;
	uint64_t map_next, map_end; /* MapGPA, with the shared bit */
	struct soft_root *root;
	struct soft_quoting *quoting;
};

/* The kernel's and the processor's half of an enclave. */
struct soft_sgx {
	uint64_t epc_bytes; /* as many as there may be */
	bool created, initialised, provision;
	bool tell_all; /* a test wants to know of interrupts */
	uint64_t tcs;  /* atomic: a thread is inside; 0: none */
	/* What a test wants to be in registers at an entry, but for those that
	 * struct device_enclave has; NULL: zeros. */
	const struct monitor_state *outside;
	const uint8_t *vectors; /* MONITOR_VECTOR_BYTES */
	struct sgx_secs secs;
	uint8_t isvextprodid[16], isvfamilyid[16];
	struct crypto_hash *hash;      /* MRENCLAVE so far */
	uint8_t secret[16], keyid[32]; /* the processor's */
	bool has_secret;
	struct soft_root *root;
	struct soft_quoting *quoting;
	uint64_t entries, exits;
};

struct soft_device {
	struct device device;
	struct soft_machine machine;
	char *root_path; /* owned, or NULL */
	int image;
	int gdb; /* a listening socket, or -1 */
	uid_t uid;
	bool change_id;
	struct soft_clock begin;
	/* The one virtual machine and its processor. */
	bool has_vm, has_cpu;
	struct kvm_sregs sregs;
	struct kvm_regs regs;
	struct soft_other other;
	bool state_changed; /* the monitor has not seen it yet */
	bool begun;	    /* it knows the guest */
	struct monitor_cpuid cpuid[MONITOR_CPUIDS]; /* the guest's */
	uint32_t cpuid_count;
	bool broken;		 /* it failed: no run is any good */
	soft_scribble *scribble; /* a test's */
	soft_scribble_call *scribble_call;
	void *scribble_ctx;
	enum monitor_guest kind; /* of the virtual machine */
	struct soft_private private;
	/* What the processor can, which firmware knows. */
	struct monitor_cpuid real[MONITOR_CPUIDS];
	uint32_t real_count;
	struct soft_snp snp;
	struct soft_sgx sgx;
	struct soft_tdx tdx;
};

/* --- kvm.c: results as ioctl(2), with -errno ---------------------------- */

/* -EIO, for good. */
int soft_failed(struct soft_device *s);
int soft_kvm_system(struct soft_device *s, unsigned long request, void *arg);
int soft_kvm_machine(struct soft_device *s, unsigned long request, void *arg);
int soft_kvm_enter(struct soft_device *s, struct kvm_run *run);
int soft_kvm_enter_other(struct soft_device *s, struct kvm_run *run);
int soft_kvm_call(struct soft_device *s, enum monitor_op op,
	const uint64_t args[4]);
/* The monitor learns of the guest, before anything is done to it. */
int soft_kvm_begin(struct soft_device *s);
/* A plain exit, as struct kvm_run has it. */
int soft_kvm_tell(const struct monitor_exit *x, struct kvm_run *run);
int soft_kvm_tell_fault(const struct monitor_exit *x, struct kvm_run *run);
enum { SOFT_IO_DATA_AT = sizeof(struct kvm_run) - 8 };
/* What a processor's file maps. */
enum {
	SOFT_RUN_BYTES = (sizeof(struct kvm_run) + PAGE_BYTES - 1) /
		PAGE_BYTES * PAGE_BYTES
};

/* The processor's CPUID is in s->real: QEMU runs from here on. */
int soft_kvm_know(struct soft_device *s);
void soft_kvm_put_entry(const struct monitor_cpuid *from,
	struct kvm_cpuid_entry2 *to);

/* --- kvm_cpu.c ---------------------------------------------------------- */

int soft_kvm_cpu(struct soft_device *s, unsigned long request, void *arg);
int soft_kvm_other(struct soft_device *s, unsigned long request, void *arg);
/* The registers that were set, and what a reset gives. */
void soft_kvm_put_state(const struct kvm_sregs *g, const struct kvm_regs *r,
	struct monitor_state *out);
void soft_kvm_clock_start(struct soft_device *s);
int soft_kvm_tsc_khz(const struct soft_device *s);
/* False: that leaf is not in the table. */
bool soft_kvm_cpuid(const struct monitor_cpuid *table, uint32_t count,
	uint32_t leaf, uint32_t sub, struct monitor_cpuid *out);

/* --- private.c ---------------------------------------------------------- */

/* Guests of its kind have private memory. */
bool soft_has_private(const struct soft_device *s);
int soft_private_create(struct soft_device *s,
	const struct spec_kvm_guest_memfd *g);
int soft_private_attributes(struct soft_device *s,
	const struct spec_kvm_attributes *a);
/* The monitor listens now. */
int soft_private_begin(struct soft_device *s);
int soft_private_discard(struct soft_device *s, int handle, uint64_t at,
	uint64_t len);

/* --- snp.c -------------------------------------------------------------- */

/* Of /dev/sev. */
int soft_snp_firmware(unsigned long request, void *arg);
int soft_snp_encrypt_op(struct soft_device *s, struct spec_kvm_sev_cmd *cmd);
void soft_snp_fini(struct soft_snp *n);

/* --- tdx.c -------------------------------------------------------------- */

/* KVM_MEMORY_ENCRYPT_OP of the machine, of its processor. */
int soft_tdx_vm_op(struct soft_device *s, struct spec_kvm_tdx_cmd *cmd);
int soft_tdx_cpu_op(struct soft_device *s, struct spec_kvm_tdx_cmd *cmd);
/* Of a second one, which never runs. */
int soft_tdx_other_op(struct soft_device *s, struct spec_kvm_tdx_cmd *cmd);
int soft_tdx_split_irqchip(struct soft_device *s,
	const struct kvm_enable_cap *c);
/* 0, or why not. */
int soft_tdx_may_add_cpu(const struct soft_device *s);
int soft_tdx_enter(struct soft_device *s, struct kvm_run *run);
/* Of a report, as soft_device_quote. */
MUST_USE bool soft_tdx_quote_ready(struct soft_device *s, struct err *e);
MUST_USE bool soft_tdx_quote(struct soft_device *s, struct bytes report,
	struct buf *quote, struct buf *endorsements, struct err *e);
void soft_tdx_fini(struct soft_tdx *n);

/* --- tdx_cpuid.c -------------------------------------------------------- */

enum { SOFT_TD_CONFIGURABLE = 3 };

/* Bits of leaves that a host may choose. */
size_t soft_td_cpuid_configurable(
	struct monitor_cpuid out[SOFT_TD_CONFIGURABLE]);
/* What the module answers, in s->tdx; false: it refuses the host's choice. */
MUST_USE bool soft_td_cpuid_make(struct soft_device *s,
	const struct spec_kvm_tdx_init *i);
int soft_td_cpuid_list(const struct soft_device *s, struct kvm_cpuid2 *out);

/* --- sgx.c, sgx_init.c, sgx_keys.c -------------------------------------- */

int soft_sgx_ioctl(struct soft_device *s, unsigned long request, void *arg);
int soft_sgx_enter(struct soft_device *s, struct device_enclave *x);
int soft_sgx_cpuid(struct soft_device *s, uint32_t leaf, uint32_t sub,
	uint32_t out[4]);
void soft_sgx_fini(struct soft_sgx *n);
/* EINIT: what it makes of a SIGSTRUCT for that SECS and measurement. */
enum sgx_error soft_sgx_launch(const struct sgx_sigstruct *g,
	const uint8_t mrenclave[32], struct soft_sgx *n);
/* EREPORT and EGETKEY for the enclave in n; false: no memory. */
MUST_USE bool soft_sgx_report(struct soft_sgx *n,
	const struct sgx_targetinfo *target, const uint8_t data[64],
	struct sgx_report_mac *out, struct err *e);
MUST_USE bool soft_sgx_key(struct soft_sgx *n, const struct sgx_keyrequest *r,
	uint8_t out[16], enum sgx_error *result, struct err *e);
/* The MAC of a report for that target. */
MUST_USE bool soft_sgx_mac(const struct soft_sgx *n,
	const struct sgx_targetinfo *target, const struct sgx_report_mac *r,
	uint8_t out[16], struct err *e);

enum soft_turn { SOFT_GUEST, SOFT_HOST, SOFT_DEAD };

/* --- tdvmcall.c: TDG.VP.VMCALL ------------------------------------------ */

/* What the domain asks, in the box's state: SOFT_HOST: run says what. */
enum soft_turn soft_tdvmcall_exit(struct soft_device *s, struct kvm_run *run);
/* Userspace's answer, in run. */
enum soft_turn soft_tdvmcall_answer(struct soft_device *s, struct kvm_run *run);
/* What a hostile host does to an answer. */
void soft_tdvmcall_scribble(struct soft_device *s);

/* --- ghcb.c: VMGEXIT ---------------------------------------------------- */

/* What the guest asks by its GHCB: SOFT_HOST: run says what. */
enum soft_turn soft_ghcb_exit(struct soft_device *s, struct kvm_run *run);
/* Userspace's answer, in run. */
enum soft_turn soft_ghcb_answer(struct soft_device *s, struct kvm_run *run);
/* What a hostile host does to an answer. */
void soft_ghcb_scribble(struct soft_device *s);

#endif
