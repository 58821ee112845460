/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec's first act: it gives up what it will never need.  No core dumps, no
 * other process of its user looks into it, and a seccomp filter that leaves
 * memory, time, randomness, its bell and its end.  Anything else kills it:
 * a program that breaks out of the engine finds no system to talk to.
 */
#ifndef KEEP_CONFINE_H
#define KEEP_CONFINE_H

#include "base/err.h"

MUST_USE bool keep_confine(struct err *e);

#endif
