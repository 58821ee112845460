/* SPDX-License-Identifier: Apache-2.0 */
#include "hal/hal.h"

#include "hal/hal_priv.h"

static const struct hal_tech *const techs[] = { &hal_snp, &hal_tdx, &hal_sgx,
	&hal_sanctum, &hal_kvm, &hal_process, NULL };

const struct hal_tech *const *hal_techs(void)
{
	return techs;
}

/* A technology whose probe fails is one that is not there. */
static bool available(const struct hal_tech *t, const struct hal_config *cfg,
	struct err *e)
{
	struct hal_probe p = { 0 };
	if (!t->probe(cfg, &p, e))
		return err_wrap(e, "%s", t->name);
	if (!p.available)
		return err_fail(e, ERR_HOST, "%s: not available: %s", t->name,
			p.missing[0] ? p.missing : p.detail);
	return true;
}

static bool find_auto(const struct hal_config *cfg, const struct hal_tech **out,
	struct err *e)
{
	const struct hal_tech *best = NULL;
	struct err why = { 0 };
	for (size_t i = 0; techs[i]; i++)
		if ((!best || techs[i]->rank > best->rank) &&
			available(techs[i], cfg, &why))
			best = techs[i];
	if (!best)
		return err_fail(e, ERR_HOST, "no technology: %s", why.text);
	*out = best;
	return true;
}

bool hal_find(const char *name, const struct hal_config *cfg,
	const struct hal_tech **out, struct err *e)
{
	if (!strcmp(name, "auto"))
		return find_auto(cfg, out, e);
	for (size_t i = 0; techs[i]; i++) {
		if (strcmp(name, techs[i]->name) != 0)
			continue;
		if (!available(techs[i], cfg, e))
			return false;
		*out = techs[i];
		return true;
	}
	return err_fail(e, ERR_INPUT, "technology '%s' unknown", name);
}
