#define _GNU_SOURCE 1
#include "CMapping.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

struct keyvigil_mapping {
    const char *start;
    size_t length;
    // Set before a page is replaced and checked after each copy, so that a copy from a replaced page is detected.
    atomic_int is_lost;
};

// The mapping from which this thread is copying. The handler runs on the thread that accessed the page.
static _Thread_local struct keyvigil_mapping *volatile current;

static struct sigaction previous;
static uintptr_t page_size;

static void lost_page(int number, siginfo_t *info, void *context) {
    (void)context;
    struct keyvigil_mapping *mapping = current;
    uintptr_t address = (uintptr_t)info->si_addr;
    // A SIGBUS sent by a process has no address.
    if (info->si_code > 0 && mapping != NULL && address - (uintptr_t)mapping->start < mapping->length) {
        atomic_store(&mapping->is_lost, 1);
        // The copy continues with zeros, and its result is discarded. A direct system call, because mmap(3) is not
        // async-signal-safe.
        void *page = (void *)(address & ~(page_size - 1));
        long replaced = syscall(
            SYS_mmap, page, page_size, PROT_READ, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0L);
        if ((void *)replaced == page) return;
    }
    // Not caused by a mapping of ours: restore the previous handler, which runs when the instruction or the signal is
    // repeated.
    sigaction(number, &previous, NULL);
    if (info->si_code <= 0) raise(number);
}

static void install(void) {
    page_size = (uintptr_t)sysconf(_SC_PAGESIZE);
    struct sigaction action = {.sa_sigaction = lost_page, .sa_flags = SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, &previous);
}

struct keyvigil_mapping *keyvigil_map(int descriptor, size_t length) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, install);
    struct keyvigil_mapping *mapping = calloc(1, sizeof(*mapping));
    if (mapping == NULL) return NULL;
    void *start = mmap(NULL, length, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (start == MAP_FAILED) {
        free(mapping);
        return NULL;
    }
    mapping->start = start;
    mapping->length = length;
    return mapping;
}

int keyvigil_copy_mapped(struct keyvigil_mapping *mapping, size_t offset, void *to, size_t count) {
    if (atomic_load(&mapping->is_lost)) return -1;
    current = mapping;
    // The compiler must not move the copy across these fences.
    atomic_signal_fence(memory_order_seq_cst);
    memcpy(to, mapping->start + offset, count);
    atomic_signal_fence(memory_order_seq_cst);
    current = NULL;
    // The load below must not move before the copy.
    atomic_thread_fence(memory_order_acquire);
    return atomic_load(&mapping->is_lost) ? -1 : 0;
}

void keyvigil_unmap(struct keyvigil_mapping *mapping) {
    munmap((void *)mapping->start, mapping->length);
    free(mapping);
}
