/* SPDX-License-Identifier: Apache-2.0 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "base/fmt.h"
#include "crypto/hash.h"
#include "hal/image.h"
#include "hal/vm_priv.h"

/* More than both images of any release. */
#define IMAGES_MAX (64u << 20)

bool vm_image_read(const char *image_dir, const struct hal_tech *tech,
	const char *name, uint8_t *to, size_t max, size_t *len, struct err *e)
{
	uint64_t bytes;
	auto_fd fd = -1;
	if (!image_open(image_dir, tech->name, name, max, &fd, &bytes, e))
		return false;
	for (*len = 0; *len < bytes;) {
		ssize_t n = read(fd, to + *len, bytes - *len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_fail(e, ERR_HOST, "read %s/%s/%s: %s",
				image_dir, tech->name, name,
				n ? strerror(errno) : "it shrank");
		*len += (size_t)n;
	}
	return true;
}

static bool is_page(uint32_t at, size_t len)
{
	return at % PAGE_BYTES == 0 && at < len;
}

static bool head_check(const struct vm_image_head *h, size_t len,
	const struct hal_tech *tech, struct err *e)
{
	if (h->magic != VM_IMAGE_MAGIC || h->version != VM_IMAGE_VERSION)
		return err_fail(e, ERR_HOST, "shim: not an image of version %u",
			VM_IMAGE_VERSION);
	if (h->tee != tech->tee)
		return err_fail(e, ERR_HOST, "shim: made for technology %u",
			h->tee);
	bool inside = h->bytes == len && len % PAGE_BYTES == 0 &&
		h->entry - VM_SHIM_VA < len && is_page(h->tables[0], len) &&
		is_page(h->tables[1], len) && is_page(h->tables[2], len) &&
		is_page(h->secrets, len) && is_page(h->cpuid, len) &&
		is_page(h->reset, len) && !h->reserved_3c && !h->c_bit &&
		!h->exec_bytes && !h->debug;
	return inside || err_fail(e, ERR_HOST, "shim: its head is no head");
}

static size_t page_up(size_t n)
{
	return (n + PAGE_BYTES - 1) & ~(size_t)(PAGE_BYTES - 1);
}

bool vm_images_load(const char *image_dir, const struct hal_tech *tech,
	uint8_t *ram, size_t ram_bytes, struct vm_images *out, struct err *e)
{
	struct vm_images v = { 0 };
	size_t len, max = size_min(ram_bytes, VM_IMAGE_MAX_BYTES);
	if (!vm_image_read(image_dir, tech, "shim", ram, max, &len, e))
		return false;
	if (len < sizeof v.head)
		return err_fail(e, ERR_HOST, "shim: %zu bytes", len);
	memcpy(&v.head, ram, sizeof v.head);
	if (!head_check(&v.head, len, tech, e))
		return false;
	v.exec_at = VM_IMAGE_ALIGN;
	max = ram_bytes - size_min(ram_bytes, v.exec_at);
	if (!vm_image_read(image_dir, tech, "exec", ram + v.exec_at,
		    size_min(max, IMAGES_MAX), &v.exec_bytes, e))
		return false;
	if (!image_exec_check(bytes_of(ram + v.exec_at, v.exec_bytes),
		    v.exec_bytes, tech->images.machine, e))
		return err_wrap(e, "exec");
	v.end = v.exec_at + page_up(v.exec_bytes);
	*out = v;
	return true;
}

/* Tables hold one entry each that points to private memory. */
static void mark_table(uint8_t *table, uint32_t c_bit)
{
	for (size_t i = 0; i < PAGE_BYTES; i += 8) {
		uint64_t entry;
		memcpy(&entry, table + i, sizeof entry);
		if (entry)
			entry |= 1ull << c_bit;
		memcpy(table + i, &entry, sizeof entry);
	}
}

void vm_images_debug(struct vm_images *v, uint8_t *ram)
{
	v->head.debug = 1;
	memcpy(ram, &v->head, sizeof v->head);
}

void vm_images_fill(const struct vm_images *v, uint32_t c_bit, uint8_t *ram)
{
	struct vm_image_head h = v->head;
	h.c_bit = c_bit;
	h.exec_bytes = (uint32_t)v->exec_bytes;
	memcpy(ram, &h, sizeof h);
	for (size_t i = 0; c_bit && i < ARRAY_LEN(h.tables); i++)
		mark_table(ram + h.tables[i], c_bit);
}

static bool add_sized(struct crypto_hash *h, struct bytes b, struct err *e)
{
	uint64_t len = htole64(b.len);
	return crypto_hash_add(h, bytes_of(&len, sizeof len), e) &&
		crypto_hash_add(h, b, e);
}

bool vm_measure_shim(const uint8_t *ram, const struct vm_images *v,
	struct crypto_hash **h, struct err *e)
{
	if (!crypto_hash_new(CRYPTO_SHA384, h, e))
		return false;
	if (add_sized(*h, bytes_of(ram, v->head.bytes), e))
		return true;
	crypto_hash_free(*h);
	*h = NULL;
	return false;
}

bool vm_measure_exec(const uint8_t *ram, const struct vm_images *v,
	struct crypto_hash *h, uint8_t out[48], struct err *e)
{
	bool ok = add_sized(h, bytes_of(ram + v->exec_at, v->exec_bytes), e) &&
		crypto_hash_end(h, out, e);
	crypto_hash_free(h);
	return ok;
}

bool vm_measure_files(const char *image_dir, const struct hal_tech *tech,
	uint8_t out[48], struct err *e)
{
	size_t len = VM_IMAGE_MAX_BYTES + IMAGES_MAX;
	struct vm_images v;
	struct crypto_hash *h = NULL;
	uint8_t *at = mmap(NULL, len, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (at == MAP_FAILED)
		return err_fail(e, ERR_LIMIT, "measure: no memory");
	bool ok = vm_images_load(image_dir, tech, at, len, &v, e) &&
		vm_measure_shim(at, &v, &h, e) &&
		vm_measure_exec(at, &v, h, out, e);
	munmap(at, len);
	return ok;
}
