/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hardware abstraction layer: what donjon-keep needs of a TEE.  One file
 * for each technology fills one `struct hal_tech`; nothing else may name a
 * technology.  The host half only: nothing here is trusted by the Keep.
 *
 * A launched Keep asks through its gate area (abi/gate.h).  `bell` becomes
 * readable when a request waits or the Keep is gone; hal_keep_take says
 * which; hal_keep_resume lets the Keep run on after the reply was filled in.
 */
#ifndef HAL_HAL_H
#define HAL_HAL_H

#include <sys/types.h>

#include "abi/gate.h"
#include "base/buf.h"
#include "base/err.h"

struct hal_keep; /* a running Keep; its technology's own */

/* What a technology finds on this machine. */
struct hal_probe {
	bool available;	   /* a Keep can be launched */
	bool confidential; /* the host can't look inside */
	bool software;	   /* evidence ends in the software root */
	bool emulated;	   /* it is the software platform's */
	char detail[192];  /* what is present, for people */
	/* What is missing and how to get it; of what is emulated, why it is. */
	char missing[256];
};

/* A technology's images: <image_dir>/NAME/exec, and shim beside it. */
struct hal_images {
	const char *make; /* what builds them */
	unsigned machine; /* exec's: EM_*; EM_NONE: any */
	/* How the shim's file begins, and where it says how long it is; 0:
	 * there is no shim. */
	uint32_t magic, version, bytes_at;
};

enum hal_found { HAL_MISSING, HAL_DAMAGED, HAL_WHOLE };

/* What running code told a probe, so that it need not be run again.  The
 * caller's; all-zero: nothing yet. */
struct hal_notes {
	enum { HAL_UNTRIED, HAL_RUNS, HAL_RUNS_NOT } kvm;
	char kvm_why[192]; /* it does not */
};

/* Whose virtual machines and TEEs: this machine's or the software platform's;
 * any: its own, where it has them. */
enum hal_platform { HAL_ANY, HAL_HARDWARE, HAL_SOFTWARE };

struct hal_config {
	enum hal_platform platform; /* launch: not HAL_ANY, if there are both */
	const char *image_dir;	    /* out/keep or <prefix>/lib/donjon/keep */
	const char *root_path;	    /* the software root's key file */
	struct gate_boot boot;	    /* nonce, owner, limits; tee is filled in */
	bool debug;
	/* The software platform's, with debug: where gdb will find the
	 * processor, a Unix socket; or NULL. */
	const char *gdb_path;
	bool probed;		 /* somebody else's notes said HAL_RUNS */
	struct hal_notes *notes; /* may be NULL */
};

struct hal_tech {
	const char *name; /* "process" */
	enum gate_tee tee;
	unsigned rank; /* `auto` takes the highest available */
	struct hal_images images;
	bool (*probe)(const struct hal_config *cfg, struct hal_probe *out,
		struct err *e);
	/* The reference value of the images in image_dir; *len out. */
	bool (*measure)(const struct hal_config *cfg, uint8_t out[64],
		size_t *len, struct err *e);
	/* Measured pages = shim + exec, nothing of the tenant's. */
	bool (*launch)(const struct hal_config *cfg, struct hal_keep **out,
		struct err *e);
	/* Confines the calling process to what serving that Keep needs
	 * (seccomp).  Called once, after launch. */
	bool (*confine)(struct hal_keep *k, struct err *e);
	int (*bell)(const struct hal_keep *k);
	struct gate_area *(*area)(struct hal_keep *k);
	/* *gone: the Keep has ended or died; `why` then says how. */
	bool (*take)(struct hal_keep *k, bool *gone, char why[128],
		struct err *e);
	bool (*resume)(struct hal_keep *k, struct err *e);
	/* Serves GATE_EVIDENCE; request as abi/gate.h defines it. */
	bool (*evidence)(struct hal_keep *k, struct bytes request,
		struct buf *evidence, struct buf *endorsements, struct err *e);
	/* Ends it if it runs, frees everything; accepts NULL. */
	void (*destroy)(struct hal_keep *k);
};

/* The closed list, strongest first, NULL at its end. */
const struct hal_tech *const *hal_techs(void);
/* By name; "auto": the strongest available.  ERR_INPUT: unknown name;
 * ERR_HOST: not available here, with what is missing. */
MUST_USE bool hal_find(const char *name, const struct hal_config *cfg,
	const struct hal_tech **out, struct err *e);

/* Are its images there, and what they say that they are?  `why` names the file
 * that is not.  Their measurement is for verifiers to judge. */
enum hal_found hal_images_look(const struct hal_config *cfg,
	const struct hal_tech *t, struct err *why);

/* For a process that looks names up for a Keep's loader: it gives up who it
 * is, and then, once its threads run, all system calls but those it needs. */
MUST_USE bool hal_names_become(struct err *e);
MUST_USE bool hal_names_confine(struct err *e);

/* The fingerprint of this host's software root: what a policy names.  Makes
 * the key on first use. */
MUST_USE bool hal_root_fingerprint(const char *root_path, uint8_t out[32],
	struct err *e);

#endif
