/* SPDX-License-Identifier: Apache-2.0 */
/* What the readers of Donjon.toml share. */
#ifndef CLIENT_CONFIG_PRIV_H
#define CLIENT_CONFIG_PRIV_H

#include "client/network_priv.h"
#include "codec/toml.h"

/* What is read into, and where the text comes from. */
struct config {
	struct client_workload *w;
	const char *folder; /* "" or with a '/' at its end */
	bool packaged;	    /* it came with a package: a stranger wrote it */
};

/* config_files.c, config_network.c */
bool config_files(const struct config *c, struct toml_node *n, struct err *e);
bool config_tls(const struct config *c, struct toml_node *n, struct err *e);
bool config_network(const struct config *c, struct toml_node *n, struct err *e);
/* A table of its own in place of [tls]. */
bool config_profile(const struct config *c, struct toml_node *n,
	struct client_tls *t, struct err *e);

/* Puts the node's place before an error of client/workload.h. */
bool config_at(const struct toml_node *n, bool ok, struct err *e);
/* NULL: the table has no such key. */
MUST_USE bool config_text(struct toml_node *table, const char *key,
	const char **out, struct err *e);
/* Unchanged when there is no such key. */
MUST_USE bool config_flag(struct toml_node *table, const char *key, bool *out,
	struct err *e);
MUST_USE bool config_copy(const char *text, char **to, struct err *e);
/* From the file's folder on. */
MUST_USE bool config_path(const struct config *c, const char *text, char **to,
	struct err *e);
/* Nothing of the tenant's machine is for a package to name. */
MUST_USE bool config_not_packaged(const struct config *c,
	const struct toml_node *n, struct err *e);

#endif
