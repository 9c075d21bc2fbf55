// What Swift's Glibc module leaves out of Linux's headers, and the few calls that Swift cannot make: variadic ones,
// C's mutable globals, and GNU extensions. The headers are read without _GNU_SOURCE, because Swift reads its own
// copy of them that way and the two must agree; the extensions stand behind functions in CLinux.c.
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
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

// The process's environment: environ(7).
char **keyvigil_environ(void);

// The C library's words for an error number, or NULL: strerrordesc_np, strerror(3).
const char *keyvigil_error_text(int number);

// A signal's name without "SIG", or NULL: sigabbrev_np, strsignal(3).
const char *keyvigil_signal_name(int number);

// Makes anonymous memory with a descriptor: memfd_create(2), close-on-exec, sealable. Returns -1 with errno.
int keyvigil_make_memory(const char *name);

// Closes all descriptors from the given one on in a program that is about to start: posix_spawn_file_actions_addclosefrom_np,
// posix_spawn(3). Returns 0 or the error number.
int keyvigil_close_from(posix_spawn_file_actions_t *actions, int first);

// Seals such memory against every change: fcntl(2), F_ADD_SEALS. Returns 0, or -1 with errno.
int keyvigil_seal_memory(int descriptor);

// Passes one descriptor in an empty datagram: unix(7), SCM_RIGHTS. Returns 0 or the error number.
int keyvigil_send_descriptor(int socket, int passed, const struct sockaddr *address, socklen_t length);

// Gives the calling thread a name of at most 15 bytes: pthread_setname_np(3).
void keyvigil_name_this_thread(const char *name);

// Sets or clears PR_SET_DUMPABLE: prctl(2). Returns 0, or -1 with errno.
int keyvigil_set_dumpable(int dumpable);

// Lowers RLIMIT_CORE, soft and hard, to zero: setrlimit(2). Returns 0, or -1 with errno.
int keyvigil_forbid_core_dumps(void);

// PR_GET_DUMPABLE: prctl(2). Returns 0, 1 or 2, or -1 with errno.
int keyvigil_dumpable(void);

// Reads entries of an open directory, as struct linux_dirent64: getdents64(2). Returns the bytes written, 0 at the end, or
// -1 with errno.
ssize_t keyvigil_read_directory(int descriptor, void *buffer, size_t size);

// Whether reads of files on the descriptor's file system are short only at a file's end, or where a block cannot be read:
// 1 for those that are known to be so (ext2 to ext4, XFS, Btrfs, tmpfs; fstatfs(2)), else 0.
int keyvigil_reads_blocks(int descriptor);

// Whether the kernel tells of every change below a path: 1 for file systems whose changes are all made by this kernel
// (statfs(2)), else 0.
int keyvigil_tells_changes(const char *path);

// Opens an entry of a directory: openat(2). Tells whether the entry may be a mount point (openat2(2), RESOLVE_NO_XDEV).
// Returns the descriptor, or -1 with errno.
int keyvigil_open_entry(int directory, const char *name, int flags, int *may_be_mount);

// Gives free memory back to the system: malloc_trim(3).
void keyvigil_return_free_memory(void);

// Gives back what a process does not need that has done its work and waits: free memory (malloc_trim(3)), and the pages
// of code and constants that it read for that (madvise(2), MADV_DONTNEED; they come back by themselves).
void keyvigil_return_memory(void);

// Overwrites memory from malloc(3), all of what was allocated, and frees it; NULL is fine.
void keyvigil_free_zeroed(void *memory);

// The day on which this file was compiled, as the number of days since 1970-01-01, by the compiler's __DATE__, which
// honours SOURCE_DATE_EPOCH.
long keyvigil_build_day(void);
