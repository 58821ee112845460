/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the technologies that run exec in a virtual machine share: images,
 * the one processor and its thread, and the confinement of the loader.
 */
#ifndef HAL_VM_PRIV_H
#define HAL_VM_PRIV_H

#include <pthread.h>

#include "abi/vm.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "device/device.h"
#include "hal/hal.h"

/* --- images (vm_image.c) -------------------------------------------------- */

struct vm_images {
	struct vm_image_head head; /* as in the file */
	size_t exec_at, exec_bytes;
	size_t end; /* of both, in whole pages */
};

/*
 * Reads <image_dir>/<tech>/shim and .../exec into ram, each where abi/vm.h
 * says; bytes behind them stay as they are.  Refuses a shim of another
 * technology or version.
 */
MUST_USE bool vm_images_load(const char *image_dir, const struct hal_tech *tech,
	uint8_t *ram, size_t ram_bytes, struct vm_images *out, struct err *e);
/* One file, <image_dir>/<tech>/<name>, into at most `max` bytes. */
MUST_USE bool vm_image_read(const char *image_dir, const struct hal_tech *tech,
	const char *name, uint8_t *to, size_t max, size_t *len, struct err *e);
/* Another Keep: one that a debugger may look into, and no verifier takes for
 * this release's.  Before it is measured. */
void vm_images_debug(struct vm_images *v, uint8_t *ram);
/* Tells the shim what its head must say about this load. */
void vm_images_fill(const struct vm_images *v, uint32_t c_bit, uint8_t *ram);

/*
 * Technology `kvm`: SHA-384 over both files, each behind its length as 64
 * bits, little-endian; the shim first.  In two halves, because exec's pages
 * are hashed while the Keep starts: nobody writes there any more.
 */
struct crypto_hash;
MUST_USE bool vm_measure_shim(const uint8_t *ram, const struct vm_images *v,
	struct crypto_hash **h, struct err *e);
/* h is freed. */
MUST_USE bool vm_measure_exec(const uint8_t *ram, const struct vm_images *v,
	struct crypto_hash *h, uint8_t out[48], struct err *e);
/* Both halves, of the files. */
MUST_USE bool vm_measure_files(const char *image_dir,
	const struct hal_tech *tech, uint8_t out[48], struct err *e);

/* --- the processor (vm_cpu.c) ----------------------------------------------
 */

enum vm_turn {
	VM_TURN_AGAIN, /* enter again */
	VM_TURN_BELL,  /* the Keep asks */
	VM_TURN_GONE,  /* it will not run again; `why` says how */
};

struct vm_cpu;

/* Of an exit that no technology expects. */
const char *vm_exit_name(uint32_t reason);

/* What the processor's exit means; called by its thread. */
typedef enum vm_turn vm_on_exit(void *ctx, struct vm_cpu *c);

/* Enters, instead of KVM_RUN; makes that return, now and from now on. */
typedef enum vm_turn vm_enter(void *ctx, struct vm_cpu *c);
typedef void vm_stop(void *ctx, struct vm_cpu *c);

struct vm_cpu {
	struct device *device;
	int vm, handle;
	void *run; /* struct kvm_run */
	size_t run_bytes;
	struct vm_report *report; /* in the window */
	vm_on_exit *on_exit;	  /* asked about what vm_cpu.c doesn't know */
	vm_enter *enter;	  /* NULL: KVM's */
	vm_stop *stop;		  /* the same */
	vm_on_exit *on_release;	  /* of RAM that nobody needs; or NULL */
	void *ctx;

	int bell; /* eventfd */
	bool started;
	pthread_t thread;
	int go;	   /* eventfd: the host has answered */
	bool quit; /* atomic */
	/* Atomic: the thread gives up its capabilities when it next stands
	 * still; it has. */
	bool confine, confined;
	bool gone;     /* written by the thread before it rings the bell */
	bool reported; /* by the Keep itself */
	char why[128];
};

/* Old Intel processors want memory of the guest's: some that it has not. */
void vm_keep_clear(struct device *d, int vm);
/* Makes processor 0 of a virtual machine; accepts all-zero at _fini. */
MUST_USE bool vm_cpu_init(struct vm_cpu *c, struct device *d, int vm,
	struct err *e);
/* No processor of KVM's: its bells alone. */
MUST_USE bool vm_cpu_init_bells(struct vm_cpu *c, struct device *d,
	struct err *e);
/* What one of abi/vm.h's events means. */
enum vm_turn vm_cpu_event(struct vm_cpu *c, uint32_t event);
/* In the state that abi/vm.h and docs/shim.md say. */
MUST_USE bool vm_cpu_reset(struct vm_cpu *c, const struct vm_image_head *head,
	uint32_t c_bit, struct err *e);
/* Its thread, which enters at once. */
MUST_USE bool vm_cpu_start(struct vm_cpu *c, struct err *e);
void vm_cpu_fini(struct vm_cpu *c);

/* hal.h's take and resume. */
MUST_USE bool vm_cpu_take(struct vm_cpu *c, bool *gone, char why[128],
	struct err *e);
MUST_USE bool vm_cpu_resume(struct vm_cpu *c, struct err *e);

/* --- hal.h's functions (vm_serve.c) -----------------------------------------
 *
 * For every `struct hal_keep` that begins with this, filled in before its
 * thread starts.
 */
struct vm_served {
	struct vm_cpu *cpu;
	uint8_t *window;
};
int vm_bell(const struct hal_keep *k);
struct gate_area *vm_area(struct hal_keep *k);
bool vm_take(struct hal_keep *k, bool *gone, char why[128], struct err *e);
bool vm_resume(struct hal_keep *k, struct err *e);

/* --- whose machines (vm_device.c) ------------------------------------------
 */

/* Who plays a technology where its hardware is not. */
struct soft_config;
struct vm_soft {
	bool (*probe)(const char *image_dir, struct err *e);
	bool (*make)(const struct soft_config *c, struct device **out,
		struct err *e);
};
extern const struct vm_soft vm_soft_pc, vm_soft_power, vm_soft_sanctum;

/* Of cfg->platform.  A process of the device's is that user's, with change. */
MUST_USE bool vm_device_new(const struct vm_soft *soft,
	const struct hal_config *cfg, uid_t uid, bool change,
	struct device **out, struct err *e);

typedef bool vm_probe_real(const struct hal_config *cfg, struct err *e);

/* This machine's own before the software platform's, and the images.  Fills in
 * all but the detail. */
void vm_device_probe(const struct vm_soft *soft, const struct hal_config *cfg,
	const struct hal_tech *t, vm_probe_real *real, struct hal_probe *p);

/* --- a machine (vm_machine.c) ----------------------------------------------
 */

struct kvm_cpuid2;
struct kvm_cpuid_entry2;

struct vm_machine {
	struct device *device;
	int kvm, vm;
	uint8_t *window, *ram; /* ram: what the machine starts with */
	size_t ram_bytes;
	struct vm_images images;
	struct kvm_cpuid2 *cpuid; /* what the processor is told that it is */
	struct vm_cpu cpu;
	uid_t uid; /* whose the loader will be */
	bool change_id;
};

/* /dev/kvm, of a version that we know. */
MUST_USE bool vm_open_kvm(struct device *d, int *kvm, struct err *e);
/* A machine of that type, and memory for it; `soft` plays it where the
 * hardware is not. */
MUST_USE bool vm_machine_open(struct vm_machine *m, const struct vm_soft *soft,
	const struct hal_config *cfg, unsigned long type, struct err *e);
MUST_USE bool vm_machine_map(struct vm_machine *m, uint32_t slot, uint64_t gpa,
	void *at, size_t bytes, struct err *e);
/* What the kernel supports; once. */
MUST_USE bool vm_machine_read_cpuid(struct vm_machine *m, struct err *e);
/* Its processor, and what the kernel supports, for changes before _set_cpu. */
MUST_USE bool vm_machine_add_cpu(struct vm_machine *m, struct err *e);
/* NULL: it has no such leaf. */
struct kvm_cpuid_entry2 *vm_machine_leaf(struct vm_machine *m, uint32_t leaf);
/* The processor's first state, and the window as it starts. */
void vm_window_fill(uint8_t *window, const struct hal_config *cfg,
	enum gate_tee tee, size_t ram_bytes, int khz);
/* What it is told of itself, and the window; not its state. */
MUST_USE bool vm_machine_tell_cpu(struct vm_machine *m,
	const struct hal_config *cfg, enum gate_tee tee, struct err *e);
MUST_USE bool vm_machine_set_cpu(struct vm_machine *m,
	const struct hal_config *cfg, enum gate_tee tee, uint32_t c_bit,
	struct err *e);
/* What lies at so many bytes of RAM may go, if it is the shim's to say so of
 * them: whole blocks behind the images.  Else false. */
MUST_USE bool vm_machine_may_drop(const struct vm_machine *m, uint64_t gpa,
	uint64_t bytes);
void vm_machine_fini(struct vm_machine *m);

/* --- memory that only the guest has (vm_private.c) --------------------------
 */

struct vm_region {
	uint32_t slot;
	uint64_t gpa;
	uint8_t *at; /* the host's half */
	size_t bytes;
	int memfd; /* the guest's, or -1: all of it is the host's */
	uint64_t memfd_at;
};

/* A guest_memfd. */
MUST_USE bool vm_private_make(struct vm_machine *m, size_t bytes, int *memfd,
	struct err *e);
/* Private from the start, where it can be. */
MUST_USE bool vm_private_map(struct vm_machine *m, const struct vm_region *g,
	struct err *e);
/* The guest's changes of state come to vm_private_change. */
MUST_USE bool vm_private_hypercalls(struct vm_machine *m, struct err *e);
enum vm_turn vm_private_change(struct vm_machine *m, int memfd);
/* That, or an exit from which such a guest does not come back. */
enum vm_turn vm_private_exit(struct vm_machine *m, int memfd, struct vm_cpu *c);
/* The loader, which may do that and no more. */
MUST_USE bool vm_private_confine(struct vm_machine *m, struct err *e);

/* --- what its operator put there (vm_file.c) ---------------------------------
 */

/* The path of a file beside the software root's key; its one line, or what
 * stands for it where there is none. */
void vm_beside_root(const struct hal_config *cfg, const char *name, char *out,
	size_t size);
void vm_named_beside_root(const struct hal_config *cfg, const char *name,
	const char *otherwise, char *out, size_t size);
/* All of it, appended; what is not there adds nothing. */
MUST_USE bool vm_file_beside_root(const struct hal_config *cfg,
	const char *name, size_t most, struct buf *out, struct err *e);
/* The same of a file that its operator replaces while Keeps start: whoever does
 * takes its lock for himself (flock), as Linux asks of the certificates of
 * KVM_EXIT_SNP_REQ_CERTS.  *lock: ours, shared, until it is closed; unchanged
 * if there is no file. */
MUST_USE bool vm_file_lock(const struct hal_config *cfg, const char *name,
	size_t most, struct buf *out, int *lock, struct err *e);

/* --- the probe (vm_probe.c) ------------------------------------------------
 */

/* Runs a few instructions of long-mode code and times them, unless somebody
 * has. */
MUST_USE bool vm_probe(const struct hal_config *cfg, struct device *d, int kvm,
	struct err *e);
/* Of what KVM is made here: kvm_amd, kvm_intel, or what else there is of that
 * name in /sys/module. */
void vm_probe_module(const char *folder, char out[64]);
/* "Y" or "1" in a module's parameter file. */
bool vm_probe_parameter(const char *path, bool *there);

/* --- the loader (vm_confine.c) ----------------------------------------------
 */

/* As process.c does, and KVM_RUN; `requests` beside it, 0 at their end. */
MUST_USE bool vm_confine(struct vm_cpu *c, uid_t uid, bool change,
	const unsigned long *requests, struct err *e);

#endif
