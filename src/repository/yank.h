/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Yanks: who published a package takes it back without removing it.  The mark
 * is a manifest under the tag sha256-HEX.yank, whose subject is the package
 * and whose annotation dev.donjon.yank says why, or "undone".  Who asks for a
 * tag is refused; who pinned the digest still gets it.
 *
 * A mark is not signed: whoever can write to the repository can set it, as she
 * could remove the tag, and it only ever refuses.  For the same reason its
 * absence proves nothing about a registry that lies.
 */
#ifndef REPOSITORY_YANK_H
#define REPOSITORY_YANK_H

#include "repository/registry.h"

/* The words there are, blanks between; the first is what no word means. */
#define REPOSITORY_YANK_REASONS "mistake broken security superseded"

struct repository_yank {
	bool yanked;
	char reason[16]; /* one of the words, or "" for one of others' */
};

/* The mark of a digest, if there is one. */
MUST_USE bool repository_yank_find(struct repository_registry *g,
	const char *name, const uint8_t digest[32], struct repository_yank *out,
	struct err *e);
/* Refuses when one of the digests is marked. */
MUST_USE bool repository_yank_check(struct repository_registry *g,
	const char *name, const uint8_t (*digests)[32], size_t count,
	struct err *e);
/* The annotation of a mark. */
MUST_USE bool repository_yank_parse(struct bytes manifest,
	const char *content_type, struct repository_yank *out, struct err *e);

/* Sets the mark (reason: one of the words, NULL: the first), or undoes it.
 * *changed: it was not so before. */
MUST_USE bool repository_yank(struct repository *r, const char *reference,
	const char *reason, bool undo, uint8_t digest[32], bool *changed,
	struct err *e);

#endif
