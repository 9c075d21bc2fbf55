// The Linux headers that Swift's Glibc module lacks, and the calls that Swift cannot make: variadic functions, mutable
// globals of C, and GNU extensions. The headers are included without _GNU_SOURCE, because Swift imports its own copy of
// them that way and the two must agree; functions in CLinux.c wrap the extensions.
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/timex.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

// The environment of the process: environ(7).
char **keyvigil_environ(void);

// The C library's description of an error number, or NULL: strerrordesc_np, strerror(3).
const char *keyvigil_error_text(int number);

// The name of a signal without "SIG", or NULL: sigabbrev_np, strsignal(3).
const char *keyvigil_signal_name(int number);

// Creates anonymous memory with a descriptor: memfd_create(2), close-on-exec, sealable. Returns -1 with errno.
int keyvigil_make_memory(const char *name);

// Makes a spawned program close all descriptors from the given one on: posix_spawn_file_actions_addclosefrom_np,
// posix_spawn(3). Returns 0 or the error number.
int keyvigil_close_from(posix_spawn_file_actions_t *actions, int first);

// Seals such memory against all changes: fcntl(2), F_ADD_SEALS. Returns 0, or -1 with errno.
int keyvigil_seal_memory(int descriptor);

// Passes one descriptor in an empty datagram: unix(7), SCM_RIGHTS. Returns 0 or the error number.
int keyvigil_send_descriptor(int socket, int passed, const struct sockaddr *address, socklen_t length);

// Sets the name of the calling thread, at most 15 bytes: pthread_setname_np(3).
void keyvigil_name_this_thread(const char *name);

// Sets or clears PR_SET_DUMPABLE: prctl(2). Returns 0, or -1 with errno.
int keyvigil_set_dumpable(int dumpable);

// Sets RLIMIT_CORE, soft and hard, to zero: setrlimit(2). Returns 0, or -1 with errno.
int keyvigil_forbid_core_dumps(void);

// PR_GET_DUMPABLE: prctl(2). Returns 0, 1 or 2, or -1 with errno.
int keyvigil_dumpable(void);

// Reads entries of an open directory, as struct linux_dirent64: getdents64(2). Returns the bytes written, 0 at the end, or
// -1 with errno.
ssize_t keyvigil_read_directory(int descriptor, void *buffer, size_t size);

// Whether reads on the descriptor's file system are short only at the end of a file or before a block that cannot be
// read: 1 for file systems that are known to behave so (ext2 to ext4, XFS, Btrfs, tmpfs; fstatfs(2)), otherwise 0.
int keyvigil_reads_blocks(int descriptor);

// Whether a path is on a file system of processes: proc(5), statfs(2).
int keyvigil_shows_processes(const char *path);

// Whether inotify reports every change below a path: 1 for file systems that only this kernel changes (statfs(2)),
// otherwise 0.
int keyvigil_tells_changes(const char *path);

// Opens an entry of a directory: openat(2). Sets *may_be_mount to whether the entry may be a mount point (openat2(2),
// RESOLVE_NO_XDEV). Returns the descriptor, or -1 with errno.
int keyvigil_open_entry(int directory, const char *name, int flags, int *may_be_mount);

// Copies the extended attributes of an open file to another, such as access control lists and security labels: xattr(7).
// Returns 0 or the error number. File systems without such attributes have none.
int keyvigil_copy_attributes(int from, int to);

// What keeps a name from being replaced, symlinks not followed: KEYVIGIL_IMMUTABLE and KEYVIGIL_APPEND_ONLY, as chattr(1) sets
// them, KEYVIGIL_MOUNT_ROOT where something is mounted there; 0 where nothing of that is so, or it cannot be looked at: statx(2).
int keyvigil_fixtures(const char *path);
#define KEYVIGIL_IMMUTABLE 1
#define KEYVIGIL_APPEND_ONLY 2
#define KEYVIGIL_MOUNT_ROOT 4

// Maps each allocation of a megabyte or more by itself (mallopt(3), M_MMAP_THRESHOLD), so that it is returned to the system
// when it is freed. malloc_trim(3) does not return what is free at the end of another thread's arena.
void keyvigil_map_large_memory(void);

// Returns free memory to the system: malloc_trim(3).
void keyvigil_return_free_memory(void);

// Gives back what a process does not need that has done its work and waits: free memory (malloc_trim(3)), and the pages
// of code and constants that it read for that (madvise(2), MADV_DONTNEED; they come back by themselves).
void keyvigil_return_memory(void);

// Zeroes memory from malloc(3), its whole allocation, and frees it. NULL is allowed.
void keyvigil_free_zeroed(void *memory);

// The day on which this file was compiled, in days since 1970-01-01, from __DATE__, which honours SOURCE_DATE_EPOCH.
long keyvigil_build_day(void);

// What a thread may do with files is decided by these: credentials(7).
struct keyvigil_files_user {
    uid_t user;
    gid_t group;
    int other_count;
    gid_t *others; // from malloc(3)
};

// Makes the calling thread, and no other, use files as a user with one group: setfsuid(2), setfsgid(2), setgroups(2). What
// root may do with the files of others ends with it: capabilities(7). Returns 0 and sets *before, or -1 with errno; then
// nothing has changed.
int keyvigil_use_files_as(uid_t user, gid_t group, struct keyvigil_files_user *before);

// Adds groups to those of the thread, between keyvigil_use_files_as and what takes it back. Returns 0, or -1 with errno.
int keyvigil_add_groups(int count, const gid_t *groups);

// Takes back what keyvigil_use_files_as has done. Returns 0, or -1 where that failed.
int keyvigil_use_files_as_before(struct keyvigil_files_user *before);

// Opens a file for reading, close-on-exec. What is there is looked at before it is opened, since opening a pipe waits and
// opening a device may act, and again afterwards. A pipe is opened where it is allowed; one without a writer is at its end.
// Returns the descriptor, or -1 with errno: EISDIR for a directory, ELOOP for a symlink that is not followed, EINVAL for
// anything else that is no regular file.
int keyvigil_open_input(const char *path, int follows_symlinks, int allows_pipes);

// How many columns of a terminal a character takes, whatever the locale of the process: wcwidth(3).
int keyvigil_display_columns(uint32_t character);

// Opens a new file without a name in a folder, for reading and writing: open(2), O_TMPFILE. Returns the descriptor, or -1 with
// errno.
int keyvigil_open_nameless(const char *folder);

// Waits for descriptors with a limit in nanoseconds: ppoll(2), without a change of the signal mask. NULL: without a limit.
int keyvigil_poll(struct pollfd *polled, nfds_t count, const struct timespec *limit);
