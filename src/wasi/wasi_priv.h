/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of src/wasi share.  A call is a function of one
 * `struct wasi_call` that returns an errno.  It first checks everything the
 * program gave (descriptor, flags, every pointer), then acts.
 */
#ifndef WASI_WASI_PRIV_H
#define WASI_WASI_PRIV_H

#include "base/buf.h"
#include "wasi/errno.h"
#include "wasi/layout.h"
#include "wasi/wasi.h"

enum wasi_kind { WASI_STREAM, WASI_NULL, WASI_DIR, WASI_FILE };

struct wasi_fd {
	enum wasi_kind kind;
	uint16_t flags; /* FDFLAG_* */
	uint64_t base, inheriting;
	bool read_only;		   /* changes below it are ROFS */
	struct wasi_stream stream; /* WASI_STREAM */
	struct buf peeked;	   /* read from the stream, not yet by them */
	struct vfs_node *node;	   /* WASI_DIR, WASI_FILE: with a reference */
	uint64_t pos;
	char *preopen; /* its guest path, or NULL */
	bool first;    /* the program started with it */
	/* Sockets. */
	struct wasi_address local, peer; /* as far as they are known */
	bool six;			 /* addresses are shown as IPv6 */
	uint64_t recv_ns, send_ns; /* how long a call waits; 0: for ever */
};

/* "a\0b\0": as args_get lays them out. */
struct wasi_strings {
	char *text;
	uint32_t len, count;
};

struct wasi {
	const struct wasi_host *host;
	struct vfs *vfs;
	const struct wasi_net *net;
	struct wasi_strings args, env;
	struct wasi_fd **fds; /* NULL: free */
	uint32_t fd_count, max_fds;
	uint32_t last_preopen; /* highest of those it started with */
	struct wasm_import *imports;
	struct wasi_bound *bound;
	size_t import_count;
};

struct wasi_call {
	struct wasi *w;
	struct wasm_caller *caller;
	const uint64_t *arg;
	bool old; /* called as wasi_unstable */
	/* The program does not go on after this call, or the call is made
	 * again, after others' turns. */
	bool ended;
};

/* Every function and its type, in the order of the specification. */
#define WASI_CALLS(X)                           \
	X(args_get, "ii:i")                     \
	X(args_sizes_get, "ii:i")               \
	X(environ_get, "ii:i")                  \
	X(environ_sizes_get, "ii:i")            \
	X(clock_res_get, "ii:i")                \
	X(clock_time_get, "iIi:i")              \
	X(fd_advise, "iIIi:i")                  \
	X(fd_allocate, "iII:i")                 \
	X(fd_close, "i:i")                      \
	X(fd_datasync, "i:i")                   \
	X(fd_fdstat_get, "ii:i")                \
	X(fd_fdstat_set_flags, "ii:i")          \
	X(fd_fdstat_set_rights, "iII:i")        \
	X(fd_filestat_get, "ii:i")              \
	X(fd_filestat_set_size, "iI:i")         \
	X(fd_filestat_set_times, "iIIi:i")      \
	X(fd_pread, "iiiIi:i")                  \
	X(fd_prestat_get, "ii:i")               \
	X(fd_prestat_dir_name, "iii:i")         \
	X(fd_pwrite, "iiiIi:i")                 \
	X(fd_read, "iiii:i")                    \
	X(fd_readdir, "iiiIi:i")                \
	X(fd_renumber, "ii:i")                  \
	X(fd_seek, "iIii:i")                    \
	X(fd_sync, "i:i")                       \
	X(fd_tell, "ii:i")                      \
	X(fd_write, "iiii:i")                   \
	X(path_create_directory, "iii:i")       \
	X(path_filestat_get, "iiiii:i")         \
	X(path_filestat_set_times, "iiiiIIi:i") \
	X(path_link, "iiiiiii:i")               \
	X(path_open, "iiiiiIIii:i")             \
	X(path_readlink, "iiiiii:i")            \
	X(path_remove_directory, "iii:i")       \
	X(path_rename, "iiiiii:i")              \
	X(path_symlink, "iiiii:i")              \
	X(path_unlink_file, "iii:i")            \
	X(poll_oneoff, "iiii:i")                \
	X(proc_exit, "i:")                      \
	X(proc_raise, "i:i")                    \
	X(sched_yield, ":i")                    \
	X(random_get, "ii:i")                   \
	X(sock_accept, "iii:i")                 \
	X(sock_recv, "iiiiii:i")                \
	X(sock_send, "iiiii:i")                 \
	X(sock_shutdown, "ii:i")

#define WASI_DECLARE(name, sig) int wasi_##name(struct wasi_call *k);
WASI_CALLS(WASI_DECLARE)

struct wasi_func {
	const char *name, *sig;
	int (*run)(struct wasi_call *k);
};

/* Run-time sockets: what is the same everywhere, then as WasmEdge and as WAMR
 * have them.  An empty name ends each. */
extern const struct wasi_func wasi_socket_funcs[], wasi_edge_funcs[],
	wasi_wamr_funcs[];
/* Of the module "wasi": threads. */
extern const struct wasi_func wasi_thread_funcs[];

static inline uint32_t arg32(const struct wasi_call *k, size_t i)
{
	return (uint32_t)k->arg[i];
}

/* --- guest.c: the program's memory -------------------------------------- */

/* A checked view; NULL: FAULT.  Any address will do for no bytes. */
uint8_t *wasi_view(struct wasi_call *k, uint64_t at, uint64_t len);
/* A path: FAULT, NOENT (empty), NAMETOOLONG, INVAL (NUL), ILSEQ (UTF-8). */
int wasi_path_text(struct wasi_call *k, uint32_t at, uint32_t len,
	struct bytes *out);
/* A text that ends with NUL: FAULT, NAMETOOLONG. */
int wasi_text(struct wasi_call *k, uint32_t at, size_t max, struct bytes *out);

/*
 * A list of buffers, all checked at the start and each again when its turn
 * comes (a read may have changed the list that lies in the same memory).
 */
struct wasi_iovs {
	struct wasi_call *k;
	uint32_t at, left;
	size_t room; /* what may still be moved: at most WASI_MOVE_MAX */
};
#define WASI_MOVE_MAX 0x7ffff000u
int wasi_iovs_get(struct wasi_call *k, uint32_t at, uint32_t count,
	struct wasi_iovs *out);
/* The next buffer that is not empty; false at the end. */
bool wasi_iovs_next(struct wasi_iovs *v, uint8_t **ptr, size_t *len);

/* --- fdtable.c ---------------------------------------------------------- */

/* BADF; NOTCAPABLE when a right is missing (BADF for read and write, as
 * POSIX has it). */
int wasi_fd_get(struct wasi_call *k, uint32_t fd, uint64_t rights,
	struct wasi_fd **out);
/* A directory: BADF, NOTDIR, NOTCAPABLE. */
int wasi_fd_dir(struct wasi_call *k, uint32_t fd, uint64_t rights,
	struct wasi_fd **out);
int wasi_fd_rights(const struct wasi_fd *f, uint64_t rights);
/* The lowest free number, with an all-zero descriptor that is not in the
 * table yet: wasi_fd_set puts it there, wasi_fd_free drops it. */
int wasi_fd_new(struct wasi *w, uint32_t *fd, struct wasi_fd **out);
void wasi_fd_set(struct wasi *w, uint32_t fd, struct wasi_fd *f);
void wasi_fd_free(struct wasi *w, struct wasi_fd *f);
unsigned wasi_fd_type(const struct wasi_fd *f);

/* --- stream.c ----------------------------------------------------------- */

/*
 * Waits for the host; CANCELED and k->ended when it says stop.  With other
 * threads the same at once: they go on, and the call is made again from its
 * beginning.  What it must not forget is in wasm_caller_kept.
 */
int wasi_wait(struct wasi_call *k, uint64_t deadline);
/* The same within a limit (0: none) from the first time on, which is kept:
 * AGAIN when it is over. */
int wasi_wait_within(struct wasi_call *k, uint64_t limit_ns);
/* One read or write of a stream; waits unless it is non-blocking. */
int wasi_stream_read(struct wasi_call *k, struct wasi_fd *f, uint8_t *to,
	size_t *n);
int wasi_stream_write(struct wasi_call *k, struct wasi_fd *f,
	const uint8_t *from, size_t *n);
/* Whole lists: what a read(2) or write(2) of a stream does. */
int wasi_stream_readv(struct wasi_call *k, struct wasi_fd *f,
	struct wasi_iovs *v, bool all, size_t *done);
int wasi_stream_writev(struct wasi_call *k, struct wasi_fd *f,
	struct wasi_iovs *v, size_t *done);
unsigned wasi_stream_ready(const struct wasi_fd *f);

/* --- sock.c ------------------------------------------------------------- */

/* A descriptor that is a socket: BADF, NOTSOCK, NOTCAPABLE. */
int wasi_socket_get(struct wasi_call *k, uint32_t fd, uint64_t right,
	struct wasi_fd **out);
/* What sock_accept does, and the parts of sock_recv and sock_send that move
 * bytes. */
int wasi_socket_accept(struct wasi_call *k, uint32_t fd, uint32_t flags,
	uint32_t at);
int wasi_socket_recv(struct wasi_call *k, struct wasi_fd *f,
	struct wasi_iovs *v, uint32_t flags, size_t *done);
/* Sends what arguments 1 and 2 name; how much it was goes to `count`. */
int wasi_socket_send_args(struct wasi_call *k, struct wasi_fd *f,
	uint32_t flags, uint32_t count);

/* --- socket.c: run-time sockets ----------------------------------------- */

/* Writes the descriptor to `at`. */
int wasi_socket_open(struct wasi_call *k, bool six, uint32_t at);
int wasi_socket_bind(struct wasi_fd *f, const struct wasi_address *a);
int wasi_socket_listen(struct wasi_call *k, struct wasi_fd *f);
int wasi_socket_connect(struct wasi_call *k, struct wasi_fd *f,
	const struct wasi_address *a);
/* SO_ERROR: what became of a connection that was not waited for. */
int wasi_socket_error(const struct wasi_fd *f);
/* Waits.  *n: room in, addresses out; all of them with `port`. */
enum { WASI_ADDRESSES = 16 };
int wasi_socket_resolve(struct wasi_call *k, struct bytes name,
	struct bytes service, struct wasi_address out[WASI_ADDRESSES],
	size_t *n);
bool wasi_address_is_v4(const struct wasi_address *a);
/* From 4 or 16 bytes. */
void wasi_address_set(struct wasi_address *a, struct bytes ip, uint32_t port);
/* The bytes that a program sees: 4 or 16 of them. */
struct bytes wasi_address_ip(const struct wasi_address *a, bool six);

/* --- stat.c ------------------------------------------------------------- */

int wasi_put_filestat(struct wasi_call *k, uint32_t at, struct vfs_node *n,
	const struct wasi_fd *f);
int wasi_set_times(struct wasi_call *k, struct vfs_node *n, uint64_t atim,
	uint64_t mtim, uint32_t flags);

/* --- path.c ------------------------------------------------------------- */

enum { WASI_NAME_MAX = 255, WASI_PATH_MAX = 4096, WASI_LINKS_MAX = 40 };

enum wasi_walk {
	WASI_NOFOLLOW, /* the last component may be a link (slash: followed) */
	WASI_FOLLOW,
	WASI_NAME, /* for changing the name: a last link is never followed */
};

/* Where a path leads.  node NULL: dir has no such name.  name_len 0: the
 * path ends in a directory itself ("." or ".."); node is that one. */
struct wasi_path {
	struct vfs_node *dir, *node; /* with references */
	size_t name_len;
	bool slash; /* a slash at the end */
	enum vfs_type type;
	uint8_t name[WASI_NAME_MAX];
};

/* Never leads out of base: `..` there and absolute paths or links: PERM. */
int wasi_path_walk(struct wasi *w, struct vfs_node *base, struct bytes path,
	enum wasi_walk how, struct wasi_path *out);
void wasi_path_fini(struct wasi *w, struct wasi_path *p);

static inline struct bytes wasi_path_name(const struct wasi_path *p)
{
	return bytes_of(p->name, p->name_len);
}

#endif
