#include "CPostgreSQLLoader.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

static struct keyvigil_pq functions;
static bool is_loaded;

#define LOAD(name) \
    functions.name = (__typeof__(&PQ##name))dlsym(library, "PQ" #name); \
    if (!functions.name) return;

static void load(void) {
    // Never unloaded. RTLD_LOCAL: its symbols, and those of its dependencies, are not visible to other code.
    void *library = dlopen("libpq.so.5", RTLD_NOW | RTLD_LOCAL);
    if (!library) return;
    KEYVIGIL_PQ_FUNCTIONS(LOAD)
    is_loaded = true;
}

const struct keyvigil_pq *keyvigil_pq_load(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    return is_loaded ? &functions : NULL;
}
