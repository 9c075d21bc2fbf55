// A wall clock for one booted system, as a library that is loaded before others (/etc/ld.so.preload, ld.so(8)): the machine's,
// and the seconds in OFFSET. The kernel says nothing of its synchronisation, as in a container, so that what systemd-timesyncd
// leaves in /run decides.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#ifndef OFFSET
#define OFFSET "/usr/share/keyvigil-test-clock"
#endif

static long offset(void) {
    int error = errno, file = open(OFFSET, O_RDONLY | O_CLOEXEC);
    char text[24] = "";
    if (file >= 0) {
        if (read(file, text, sizeof text - 1) < 0) text[0] = 0;
        close(file);
    }
    errno = error;
    return atol(text);
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    if (syscall(SYS_clock_gettime, clock, time) != 0) return -1;
    if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) time->tv_sec += offset();
    return 0;
}

int gettimeofday(struct timeval *restrict shown, void *restrict zone) {
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    shown->tv_sec = now.tv_sec;
    shown->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *copy) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (copy) *copy = now.tv_sec;
    return now.tv_sec;
}

int adjtimex(struct timex *state) {
    (void)state;
    errno = EPERM;
    return -1;
}

// The kernel's timers go by its own clock.
static _Atomic(char) goes_by_the_wall[1024];

int timerfd_create(int clock, int flags) {
    int file = syscall(SYS_timerfd_create, clock, flags);
    if (file >= 0 && file < (int)sizeof goes_by_the_wall) goes_by_the_wall[file] = clock == CLOCK_REALTIME;
    return file;
}

int timerfd_settime(int file, int flags, const struct itimerspec *setting, struct itimerspec *former) {
    struct itimerspec shifted = *setting;
    // 0 ends it, and one that is far away is only to notice that the clock is set.
    int is_near = setting->it_value.tv_sec > 0 && setting->it_value.tv_sec < 1L << 40;
    if (is_near && flags & TFD_TIMER_ABSTIME && file < (int)sizeof goes_by_the_wall && goes_by_the_wall[file])
        shifted.it_value.tv_sec -= offset();
    return syscall(SYS_timerfd_settime, file, flags, &shifted, former);
}
