/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Page tables: exec's pages, and memory as the shim sees it.  The same for all
 * ISAs whose shim is more privileged than exec; what an ISA gives stands below:
 * how an entry is written, where its own tables are, and how its processor
 * forgets.  A table has 512 entries of 8 bytes, a page 4 KiB or 2 MiB.
 *
 * Memory is named by its offset from the begin.  The shim sees it at one place,
 * never executable; nothing that is executable is writable under any address.
 */
#ifndef SHIM_COMMON_PAGING_H
#define SHIM_COMMON_PAGING_H

#include "base/bytes.h"
#include "shim/common/frames.h"
#include "shim/common/space.h"

struct paging {
	/* The ISA's, before paging_init. */
	uint8_t *ram;	     /* memory's begin, where the shim sees it */
	uint64_t physical;   /* its address, as entries want it */
	uint64_t window;     /* that of the window, which is the host's */
	uint64_t *exec;	     /* the first table of exec's addresses */
	uint64_t *ram_table; /* an entry for each GiB of memory */
	uint64_t *first_gib; /* the table of the first of them */
	uint64_t ram_max;    /* so much memory `ram_table` has room for */
	uint64_t exec_at;    /* exec's file */
	uint64_t exec_bytes;
	/* The rest is paging.c's. */
	uint64_t free_at; /* behind the images */
	struct frames frames;
};

/* exec's file can be read; nobody writes to it. */
void paging_init(struct paging *p);
/* Memory up to `end` is there, and free behind the images.  ops: of its frames;
 * NULL: all may be touched.  Both end the Keep by name. */
void paging_add_ram(struct paging *p, uint64_t end,
	const struct frames_ops *ops);

/* --- exec's pages ------------------------------------------------------- */

extern const struct space_ops paging_space_ops; /* ctx: struct paging */

/* exec's file, where it was measured. */
struct bytes paging_file(const struct paging *p);
/* Maps a page of it, `offset` (whole pages) from its begin.  False: there is no
 * memory for tables. */
MUST_USE bool paging_map_file(struct paging *p, uint64_t va, uint64_t offset,
	uint8_t prot);
/* A zeroed page for va, where the shim sees it; NULL: there is no memory. */
void *paging_map_new(struct paging *p, uint64_t va, uint8_t prot);
/* The byte at va, where the shim sees it, with the rest of its page behind it;
 * NULL: exec may not read, or write, it, or it is the host's, too. */
void *paging_find(struct paging *p, uint64_t va, bool write);
/* Is anything there? */
bool paging_has(struct paging *p, uint64_t va);
/* May exec use it so (enum space_prot, one of them)? */
bool paging_allows(struct paging *p, uint64_t va, uint8_t want);

/* --- the shim's own entries --------------------------------------------- */

/* Leads to a table of the shim's. */
uint64_t paging_link(uint64_t physical);
/* A page of the shim's: of 4 KiB, or of 2 MiB. */
uint64_t paging_page(uint64_t physical, uint8_t prot, bool large);

/* The image's parts (shim.ld): code, constants, and what can be written. */
struct paging_image {
	const uint8_t *start, *text_end, *rodata_end, *end;
};

/* All of it, which is less than 2 MiB. */
void paging_map_image(uint64_t *table, const struct paging_image *image,
	uint64_t physical);

/* --- what an ISA gives -------------------------------------------------- */

/* An entry, as bits of a number. */
struct paging_format {
	uint8_t shift;	     /* physical addresses are moved down by that */
	uint64_t address;    /* their bits, moved */
	uint8_t top;	     /* bits of va below those of the first table */
	uint64_t user_end;   /* exec's addresses end here */
	uint64_t link;	     /* leads to a table of the shim's */
	uint64_t exec_link;  /* leads to one of exec's */
	uint64_t page;	     /* in each page's: no fault for what was used */
	uint64_t large;	     /* in that of one of 2 MiB, too */
	uint64_t shim, exec; /* whose page it is */
	/* Rights: `read` is in each that is present. */
	uint64_t read, write, execute, no_execute;
	/* Ours, of pages that are never freed: exec's file, the window. */
	uint64_t file, window;
};
extern const struct paging_format paging_format;

/* Of those bits, what stands in memory; and the other way around. */
__attribute__((const)) uint64_t paging_word(uint64_t bits);

/* What is known of exec's pages from `start` on is forgotten, page by page. */
void paging_forget(uint64_t start, uint64_t end);
/* What is known of all of exec's pages and tables; new entries are seen from
 * then on, the shim's, too. */
void paging_forget_all(void);

#endif
