#pragma once
#include <gcrypt.h>
#include <stddef.h>

// Prepares libgcrypt, whose functions for that are variadic: once, before another of its functions is called. Contexts that
// are opened with GCRY_MD_FLAG_SECURE then lie in memory of the given size, and more of it as needed, that is locked as far
// as RLIMIT_MEMLOCK allows (mlock(2)) and zeroed when it is freed. What another library of the process has set up stays.
// Returns 0, or -1 where the library is older than this header needs.
static inline int keyvigil_prepare_gcrypt(size_t locked) {
    if (gcry_control(GCRYCTL_INITIALIZATION_FINISHED_P)) return 0;
    if (!gcry_check_version("1.8.0")) return -1;
    // Memory that cannot be locked is no reason to print on standard error; it is zeroed all the same.
    gcry_control(GCRYCTL_DISABLE_SECMEM_WARN);
    gcry_control(GCRYCTL_AUTO_EXPAND_SECMEM, 16384, 0);
    gcry_control(GCRYCTL_INIT_SECMEM, (unsigned int)locked, 0);
    gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
    return 0;
}
