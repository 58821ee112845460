/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../test.h"
#include "abi/vm.h"
#include "base/fmt.h"
#include "hal/vm_priv.h"

/* --- a kernel whose processor takes so long ---------------------------------
 */

static useconds_t takes_us;
static uint32_t exits_by;
static unsigned runs;

static int fake_ioctl(UNUSED struct device *d, UNUSED int handle,
	unsigned long request, UNUSED void *arg)
{
	return request == KVM_GET_VCPU_MMAP_SIZE ? (int)sizeof(struct kvm_run) :
						   1;
}

static void *fake_map(UNUSED struct device *d, UNUSED int handle, size_t len)
{
	return calloc(1, len);
}

static void fake_unmap(UNUSED struct device *d, void *at, UNUSED size_t len)
{
	free(at);
}

static void *fake_memory(UNUSED struct device *d, size_t len)
{
	return calloc(1, len);
}

static int fake_enter(UNUSED struct device *d, UNUSED int vcpu, void *run)
{
	struct kvm_run *r = run;
	runs++;
	usleep(takes_us);
	r->exit_reason = exits_by;
	r->io.port = VM_PORT;
	return 0;
}

static void fake_close(UNUSED struct device *d, UNUSED int handle)
{
}

static const struct device_ops fake_ops = { .ioctl = fake_ioctl,
	.map = fake_map,
	.unmap = fake_unmap,
	.memory = fake_memory,
	.memory_free = fake_unmap,
	.enter = fake_enter,
	.close = fake_close };

static bool probe(struct hal_notes *notes, struct err *e)
{
	struct device d = { .ops = &fake_ops };
	const struct hal_config cfg = { .notes = notes };
	runs = 0;
	return vm_probe(&cfg, &d, 1, e);
}

/* ---------------------------------------------------------------------------
 */

TEST(a_kvm_that_interprets_is_refused_by_its_name_and_speed)
{
	struct hal_notes notes = { 0 };
	struct err e = { 0 };
	char module[64], begin[96];
	vm_probe_module("/sys/module", module);
	fmt(begin, sizeof begin, "the kernel's KVM is %s, and runs code at ",
		module);
	takes_us = 20000;
	exits_by = KVM_EXIT_IO;
	CHECK(!probe(&notes, &e));
	CHECK_INT(e.kind, ERR_HOST);
	CHECK_MEM(e.text, begin, strlen(begin));
	CHECK(strstr(e.text, "million instructions a second") != NULL);
	CHECK(strstr(e.text, "kvm_amd or kvm_intel is needed") != NULL);
	/* Not every Keep waits for the same answer. */
	CHECK_INT(runs, 3);
	struct err again = { 0 };
	CHECK(!probe(&notes, &again));
	CHECK_INT(runs, 0);
	CHECK_STR(again.text, e.text);
}

TEST(a_kvm_that_knows_no_long_mode_is_refused)
{
	struct err e = { 0 };
	takes_us = 0;
	exits_by = KVM_EXIT_INTERNAL_ERROR;
	CHECK(!probe(NULL, &e));
	CHECK_STR(e.text, "long mode: exit 17");
}

TEST(the_module_is_the_vendor_s_if_it_is_there)
{
	static const char *const names[] = { "kvm", "kvmgt", "kvm_pvm",
		"kvm_amd" };
	char folder[] = "/tmp/donjon-module-XXXXXX", path[64], module[64];
	CHECK(mkdtemp(folder) != NULL);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		vm_probe_module(folder, module);
		CHECK_STR(module, i < 3 ? "an unknown module" : "kvm_pvm");
		fmt(path, sizeof path, "%s/%s", folder, names[i]);
		CHECK_INT(mkdir(path, 0700), 0);
	}
	vm_probe_module(folder, module);
	CHECK_STR(module, "kvm_amd");
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		fmt(path, sizeof path, "%s/%s", folder, names[i]);
		rmdir(path);
	}
	rmdir(folder);
}
