#define _GNU_SOURCE 1
#include "CLinux.h"

#include <dirent.h>
#include <link.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <locale.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <wchar.h>

char **keyvigil_environ(void) { return environ; }

const char *keyvigil_error_text(int number) { return strerrordesc_np(number); }

const char *keyvigil_signal_name(int number) { return sigabbrev_np(number); }

int keyvigil_close_from(posix_spawn_file_actions_t *actions, int first) {
    return posix_spawn_file_actions_addclosefrom_np(actions, first);
}

ssize_t keyvigil_read_directory(int descriptor, void *buffer, size_t size) {
    return getdents64(descriptor, buffer, size);
}

int keyvigil_reads_blocks(int descriptor) {
    struct statfs system;
    if (fstatfs(descriptor, &system) != 0) return 0;
    switch (system.f_type) {
    case EXT4_SUPER_MAGIC:
    case XFS_SUPER_MAGIC:
    case BTRFS_SUPER_MAGIC:
    case TMPFS_MAGIC: return 1;
    default: return 0;
    }
}

int keyvigil_tells_changes(const char *path) {
    struct statfs system;
    if (statfs(path, &system) != 0) return 0;
    switch ((unsigned)system.f_type) {
    case EXT4_SUPER_MAGIC: // also ext2 and ext3
    case XFS_SUPER_MAGIC:
    case BTRFS_SUPER_MAGIC:
    case TMPFS_MAGIC:
    case RAMFS_MAGIC:
    case OVERLAYFS_SUPER_MAGIC:
    case F2FS_SUPER_MAGIC:
    case REISERFS_SUPER_MAGIC:
    case NILFS_SUPER_MAGIC:
    case MSDOS_SUPER_MAGIC:
    case EXFAT_SUPER_MAGIC:
    case ISOFS_SUPER_MAGIC:
    case SQUASHFS_MAGIC:
    case EROFS_SUPER_MAGIC_V1:
    case ECRYPTFS_SUPER_MAGIC:
    case SYSFS_MAGIC:
    case DEVPTS_SUPER_MAGIC:
    case 0x2FC12FC1: // ZFS
    case 0xCA451A4E: // bcachefs
    case 0x3153464A: // JFS
    case 0x7366746E: // NTFS3
    case 0x24051905: // UBIFS
        return 1;
    default: return 0;
    }
}

int keyvigil_open_entry(int directory, const char *name, int flags, int *may_be_mount) {
    struct open_how how = {.flags = (unsigned)flags, .resolve = RESOLVE_NO_XDEV};
    long opened = syscall(SYS_openat2, directory, name, &how, sizeof(how));
    *may_be_mount = opened < 0;
    // An older kernel or a seccomp filter may not allow openat2.
    return opened < 0 ? openat(directory, name, flags) : (int)opened;
}

int keyvigil_make_memory(const char *name) { return memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING); }

int keyvigil_seal_memory(int descriptor) {
    return fcntl(descriptor, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
}

int keyvigil_send_descriptor(int socket, int passed, const struct sockaddr *address, socklen_t length) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct msghdr message = {
        .msg_name = (void *)address,
        .msg_namelen = length,
        .msg_control = &control,
        .msg_controllen = sizeof(control.space),
    };
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &passed, sizeof(int));
    return sendmsg(socket, &message, MSG_NOSIGNAL) < 0 ? errno : 0;
}

void keyvigil_name_this_thread(const char *name) { pthread_setname_np(pthread_self(), name); }

int keyvigil_set_dumpable(int dumpable) { return prctl(PR_SET_DUMPABLE, dumpable, 0, 0, 0); }

int keyvigil_forbid_core_dumps(void) {
    struct rlimit none = {0, 0};
    return setrlimit(RLIMIT_CORE, &none);
}

int keyvigil_dumpable(void) { return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0); }

// Code and constants are never written to, so nothing is lost: a page that is needed again comes back from the page cache.
static int return_constants(struct dl_phdr_info *object, size_t size, void *unused) {
    (void)size;
    (void)unused;
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    for (int index = 0; index < object->dlpi_phnum; index++) {
        const ElfW(Phdr) *part = &object->dlpi_phdr[index];
        if (part->p_type != PT_LOAD || (part->p_flags & PF_W)) continue;
        // Whole pages within the part only.
        uintptr_t start = (object->dlpi_addr + part->p_vaddr + page - 1) & ~(page - 1);
        uintptr_t end = (object->dlpi_addr + part->p_vaddr + part->p_memsz) & ~(page - 1);
        if (start < end) madvise((void *)start, end - start, MADV_DONTNEED);
    }
    return 0;
}

void keyvigil_map_large_memory(void) { mallopt(M_MMAP_THRESHOLD, 1 << 20); }

void keyvigil_return_free_memory(void) { malloc_trim(0); }

void keyvigil_return_memory(void) {
    keyvigil_return_free_memory();
    dl_iterate_phdr(return_constants, NULL);
}

void keyvigil_free_zeroed(void *memory) {
    if (memory == NULL) return;
    explicit_bzero(memory, malloc_usable_size(memory));
    free(memory);
}

long keyvigil_build_day(void) {
    // "Nov 28 2026"; days before the tenth are padded with a space.
    static const char date[] = __DATE__;
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct tm day = {0};
    char month[4] = {date[0], date[1], date[2], 0};
    const char *found = strstr(months, month);
    day.tm_mon = found ? (int)(found - months) / 3 : 0;
    day.tm_mday = (date[4] == ' ' ? 0 : date[4] - '0') * 10 + date[5] - '0';
    day.tm_year = (date[7] - '0') * 1000 + (date[8] - '0') * 100 + (date[9] - '0') * 10 + date[10] - '0' - 1900;
    return (long)(timegm(&day) / 86400);
}

// glibc's setgroups() changes all threads; the system call changes the one that calls.
static int set_groups_of_thread(int count, const gid_t *groups) {
    return (int)syscall(SYS_setgroups, (size_t)count, groups);
}

// Both calls return the value before, whether they change it or not; (uid_t)-1 is never taken.
static int use_files(uid_t user, gid_t group) {
    setfsgid(group);
    setfsuid(user);
    return (uid_t)setfsuid((uid_t)-1) == user && (gid_t)setfsgid((gid_t)-1) == group ? 0 : -1;
}

int keyvigil_use_files_as(uid_t user, gid_t group, struct keyvigil_files_user *before) {
    before->user = (uid_t)setfsuid((uid_t)-1);
    before->group = (gid_t)setfsgid((gid_t)-1);
    before->others = NULL;
    before->other_count = -1;
    // Within itself.
    if (before->user == user && before->group == group) return 0;
    before->other_count = getgroups(0, NULL);
    if (before->other_count < 0) return -1;
    if (before->other_count > 0) {
        before->others = malloc(sizeof(gid_t) * (size_t)before->other_count);
        if (before->others == NULL) return -1;
        before->other_count = getgroups(before->other_count, before->others);
    }
    if (before->other_count >= 0 && set_groups_of_thread(0, NULL) == 0) {
        if (use_files(user, group) == 0) return 0;
        use_files(before->user, before->group);
        set_groups_of_thread(before->other_count, before->others);
        errno = EPERM;
    }
    free(before->others);
    return -1;
}

int keyvigil_add_groups(int count, const gid_t *groups) { return set_groups_of_thread(count, groups); }

int keyvigil_use_files_as_before(struct keyvigil_files_user *before) {
    if (before->other_count < 0) return 0;
    int result = use_files(before->user, before->group);
    if (set_groups_of_thread(before->other_count, before->others) != 0) result = -1;
    free(before->others);
    return result;
}

static int require_input(const struct stat *status, int allows_pipes) {
    if (S_ISREG(status->st_mode) || (allows_pipes && S_ISFIFO(status->st_mode))) return 0;
    errno = S_ISDIR(status->st_mode) ? EISDIR : S_ISLNK(status->st_mode) ? ELOOP : EINVAL;
    return -1;
}

int keyvigil_open_input(const char *path, int follows_symlinks, int allows_pipes) {
    struct stat status;
    if (fstatat(AT_FDCWD, path, &status, follows_symlinks ? 0 : AT_SYMLINK_NOFOLLOW) != 0) return -1;
    if (require_input(&status, allows_pipes) != 0) return -1;
    int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY;
    int file = open(path, flags | O_NONBLOCK | (follows_symlinks ? 0 : O_NOFOLLOW));
    if (file < 0) return -1;
    if (fstat(file, &status) == 0 && require_input(&status, allows_pipes) == 0 && fcntl(file, F_SETFL, flags) == 0) {
        return file;
    }
    int error = errno;
    close(file);
    errno = error;
    return -1;
}

static locale_t unicode;
static pthread_once_t unicode_made = PTHREAD_ONCE_INIT;

static void make_unicode(void) { unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0); }

int keyvigil_display_columns(uint32_t character) {
    pthread_once(&unicode_made, make_unicode);
    if (unicode == (locale_t)0) return 1;
    locale_t before = uselocale(unicode);
    int columns = wcwidth((wchar_t)character);
    uselocale(before);
    return columns < 0 ? 0 : columns;
}

int keyvigil_copy_attributes(int from, int to) {
    char names[64 << 10];
    char value[64 << 10];
    ssize_t length = flistxattr(from, names, sizeof names);
    if (length < 0) return errno == ENOTSUP ? 0 : errno;
    for (ssize_t at = 0; at < length; at += (ssize_t)strlen(names + at) + 1) {
        ssize_t size = fgetxattr(from, names + at, value, sizeof value);
        if (size < 0) return errno;
        if (fsetxattr(to, names + at, value, (size_t)size, 0) != 0) return errno;
    }
    return 0;
}

int keyvigil_fixtures(const char *path) {
    struct statx status;
    if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, 0, &status) != 0) return 0;
    return (status.stx_attributes & STATX_ATTR_IMMUTABLE ? KEYVIGIL_IMMUTABLE : 0)
        | (status.stx_attributes & STATX_ATTR_APPEND ? KEYVIGIL_APPEND_ONLY : 0)
        | (status.stx_attributes & STATX_ATTR_MOUNT_ROOT ? KEYVIGIL_MOUNT_ROOT : 0);
}

int keyvigil_open_nameless(const char *folder) {
    return open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

int keyvigil_poll(struct pollfd *polled, nfds_t count, const struct timespec *limit) {
    return ppoll(polled, count, limit, NULL);
}

int keyvigil_shows_processes(const char *path) {
    struct statfs system;
    return statfs(path, &system) == 0 && system.f_type == 0x9fa0; // PROC_SUPER_MAGIC
}
