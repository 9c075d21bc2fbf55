#define _GNU_SOURCE 1
#include "CMapping.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef XFS_SUPER_MAGIC
#define XFS_SUPER_MAGIC 0x58465342
#endif

// An unnamed file, which no other process can open.
static int open_nameless(const char *folder) {
    int descriptor = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
    if (descriptor >= 0 || (errno != EOPNOTSUPP && errno != EISDIR)) return descriptor;
    // The file system does not support O_TMPFILE: unlink the file before anything is written to it.
    char path[4096];
    static const char name[] = "/.keyvigil-XXXXXX";
    size_t length = strlen(folder);
    if (length + sizeof(name) > sizeof(path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(path, folder, length);
    memcpy(path + length, name, sizeof(name));
    descriptor = mkostemp(path, O_CLOEXEC);
    if (descriptor >= 0) unlink(path);
    return descriptor;
}

// Disk space that is left for other programs, above all for the store, in bytes.
static const uint64_t left_for_others = 256 << 20;

// Whether there is enough space, and space that is reserved on this file system stays reserved when it is written
// repeatedly. Otherwise a page that cannot be written would kill the process.
static int is_good_for(int descriptor, size_t length) {
    struct statfs system;
    if (fstatfs(descriptor, &system) != 0) return 0;
    if ((uint64_t)system.f_bavail * (uint64_t)system.f_bsize < length + left_for_others) {
        errno = ENOSPC;
        return 0;
    }
    switch ((unsigned long)system.f_type) {
    case EXT4_SUPER_MAGIC:
    case XFS_SUPER_MAGIC:
    case OVERLAYFS_SUPER_MAGIC:
        return 1;
    case BTRFS_SUPER_MAGIC: {
        // Written in place instead of copied on write.
        int flags = FS_NOCOW_FL;
        return ioctl(descriptor, FS_IOC_SETFLAGS, &flags) == 0;
    }
    default:
        // A file system in memory (tmpfs), or an unknown one.
        errno = EOPNOTSUPP;
        return 0;
    }
}

static int open_reserved(const char *folder, size_t length) {
    // Exceeding the limit raises SIGXFSZ, which kills the process.
    struct rlimit most;
    if (getrlimit(RLIMIT_FSIZE, &most) == 0 && most.rlim_cur < length) {
        errno = EFBIG;
        return -1;
    }
    int descriptor = open_nameless(folder);
    if (descriptor < 0) return -1;
    int failure = is_good_for(descriptor, length) ? 0 : errno;
    while (failure == 0 && fallocate(descriptor, 0, 0, (off_t)length) != 0) {
        if (errno != EINTR) failure = errno;
    }
    if (failure == 0) return descriptor;
    close(descriptor);
    errno = failure;
    return -1;
}

// Closes the descriptor, since the mapping keeps the file, and preserves errno.
static void close_quietly(int descriptor) {
    int failure = errno;
    if (descriptor >= 0) close(descriptor);
    errno = failure;
}

void *keyvigil_map_scratch(const char *folder, size_t length) {
    int descriptor = -1;
    if (folder != NULL && (descriptor = open_reserved(folder, length)) < 0) return NULL;
    int flags = folder != NULL ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS;
    void *start = mmap(NULL, length, PROT_READ | PROT_WRITE, flags, descriptor, 0);
    close_quietly(descriptor);
    return start == MAP_FAILED ? NULL : start;
}

int keyvigil_move_scratch(void *start, size_t length, const char *folder) {
    int descriptor = open_reserved(folder, length);
    if (descriptor < 0) return -1;
    size_t done = 0;
    while (done < length) {
        ssize_t written = pwrite(descriptor, (const char *)start + done, length - done, (off_t)done);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) {
            if (written == 0) errno = EIO;
            close_quietly(descriptor);
            return -1;
        }
        done += (size_t)written;
    }
    void *moved = mmap(start, length, PROT_READ | PROT_WRITE, MAP_FIXED | MAP_SHARED, descriptor, 0);
    close_quietly(descriptor);
    return moved == MAP_FAILED ? -1 : 0;
}

void *keyvigil_grow_scratch(void *start, size_t length, size_t wanted) {
    void *moved = mremap(start, length, wanted, MREMAP_MAYMOVE);
    return moved == MAP_FAILED ? NULL : moved;
}

void keyvigil_unmap_scratch(void *start, size_t length) { munmap(start, length); }
