/* SPDX-License-Identifier: Apache-2.0 */
#include "hal/process_priv.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/fsuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NOBODY 65534u

/* Ids from 0x70000000 on are used by nobody (systemd, "Users, Groups, UIDs
 * and GIDs"); a process id is below 2^22. */
#define FIRST_ID 0x70000000u

/* Asks the kernel: is it mapped here, and are we allowed? */
static bool may_become(uid_t id)
{
	uid_t before = geteuid();
	setfsuid(id);
	bool may = (uid_t)setfsuid((uid_t)-1) == id;
	setfsuid(before);
	return may;
}

void process_pick_user(uid_t *uid, bool *change)
{
	const uid_t wanted[] = { FIRST_ID + (uid_t)getpid(), NOBODY };
	*uid = geteuid();
	*change = false;
	for (size_t i = 0; i < ARRAY_LEN(wanted) && geteuid() == 0; i++)
		if (may_become(wanted[i])) {
			*uid = wanted[i];
			*change = true;
			return;
		}
}

bool process_become(uid_t id, struct err *e)
{
	if (setgroups(0, NULL) != 0 || setresgid(id, id, id) != 0 ||
		setresuid(id, id, id) != 0)
		return err_fail(e, ERR_HOST, "user %u: %s", id,
			strerror(errno));
	return true;
}

bool process_drop_caps(struct err *e)
{
	struct __user_cap_header_struct h = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct none[2] = { 0 };
	if (syscall(SYS_capset, &h, none) != 0)
		return err_fail(e, ERR_HOST, "capset: %s", strerror(errno));
	return true;
}
