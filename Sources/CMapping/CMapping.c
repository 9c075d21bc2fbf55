#define _GNU_SOURCE 1
#include "CMapping.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

// Where this thread copies from right now, and how to get out of it. The handler runs on the thread that touched the page,
// so nothing here is shared.
struct copying {
    const char *start, *end;
    sigjmp_buf out;
};
static _Thread_local struct copying *volatile current;

static struct sigaction previous;

static void lost_page(int number, siginfo_t *info, void *context) {
    (void)context;
    struct copying *copying = current;
    const char *address = info->si_addr;
    // A page is lost as a whole, so the address may be any of what is copied; a SIGBUS that was sent has no address.
    if (info->si_code > 0 && copying != NULL && address >= copying->start && address < copying->end) {
        // Nothing lies between here and the copy but memcpy, which holds nothing.
        siglongjmp(copying->out, 1);
    }
    // Not one of ours: what was to happen without us happens when the instruction runs again, or the signal comes again.
    sigaction(number, &previous, NULL);
    if (info->si_code <= 0) raise(number);
}

static void install(void) {
    struct sigaction action = {.sa_sigaction = lost_page, .sa_flags = SA_SIGINFO | SA_NODEFER};
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, &previous);
}

void *keyvigil_map(int descriptor, size_t length) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, install);
    void *mapping = mmap(NULL, length, PROT_READ, MAP_PRIVATE, descriptor, 0);
    return mapping == MAP_FAILED ? NULL : mapping;
}

int keyvigil_copy_mapped(void *to, const void *from, size_t count) {
    struct copying copying = {.start = from, .end = (const char *)from + count};
    // The mask is not saved: the handler blocks no signal (SA_NODEFER).
    if (sigsetjmp(copying.out, 0) != 0) {
        current = NULL;
        return -1;
    }
    current = &copying;
    // The compiler must not move the copy out from between.
    atomic_signal_fence(memory_order_seq_cst);
    memcpy(to, from, count);
    atomic_signal_fence(memory_order_seq_cst);
    current = NULL;
    return 0;
}

void keyvigil_unmap(void *mapping, size_t length) { munmap(mapping, length); }
