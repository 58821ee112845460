/* SPDX-License-Identifier: Apache-2.0 */
/* Where things lie: the tenant's own files (XDG base directories), and the
 * other parts of this installation, found from where this program runs. */
#ifndef CLIENT_PATHS_H
#define CLIENT_PATHS_H

#include "base/err.h"

enum { CLIENT_PATH_MAX = 1024 };

/* $XDG_CONFIG_HOME/donjon/owner.pem: the tenant's key. */
MUST_USE bool client_path_owner(char out[CLIENT_PATH_MAX], struct err *e);
/* $XDG_STATE_HOME/donjon/keeps: what is known of running Keeps. */
MUST_USE bool client_path_keeps(char out[CLIENT_PATH_MAX], struct err *e);
/* $XDG_CACHE_HOME/donjon/collateral: what vendors' services said. */
MUST_USE bool client_path_collateral(char out[CLIENT_PATH_MAX], struct err *e);
/* The Keep images: `given`, or ../keep or ../lib/donjon/keep from here. */
MUST_USE bool client_path_images(const char *given, char out[CLIENT_PATH_MAX],
	struct err *e);
/* A program of ours beside this one. */
MUST_USE bool client_path_program(const char *name, char out[CLIENT_PATH_MAX],
	struct err *e);

/* Makes a directory and those above it, mode 0700. */
MUST_USE bool client_path_make(const char *directory, struct err *e);

#endif
