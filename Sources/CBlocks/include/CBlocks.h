// What vector instructions say of 64 bytes at once: Swift's SIMD types have no operation that makes bits of lanes.
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

// A bit for each of the 64 bytes at `bytes`, of any alignment, the lowest for the first: whether it is at least '+' and at
// most 0x7f. Sets `*has_zero` if one of them is zero.
static inline uint64_t keyvigil_visible_bits(const void *bytes, bool *has_zero);

// The same for letters, digits, '_', '-' and '.'.
static inline uint64_t keyvigil_token_bits(const void *bytes);

// The same for '=' and the backslash.
static inline uint64_t keyvigil_mark_bits(const void *bytes);

// One byte after the other: what other processors do, and what the test compares with.
uint64_t keyvigil_visible_bits_slowly(const void *bytes, bool *has_zero);
uint64_t keyvigil_token_bits_slowly(const void *bytes);
uint64_t keyvigil_mark_bits_slowly(const void *bytes);

#if defined(__SSE2__)

typedef signed char keyvigil_lanes __attribute__((vector_size(16)));

static inline uint64_t keyvigil_bits_of(keyvigil_lanes lanes) {
    return (uint64_t)(uint16_t)__builtin_ia32_pmovmskb128(lanes);
}

static inline uint64_t keyvigil_visible_bits(const void *bytes, bool *has_zero) {
    keyvigil_lanes part[4];
    memcpy(part, bytes, sizeof part);
    uint64_t bits = 0;
    // Bytes above 0x7f are negative.
    for (int i = 0; i < 4; i++) bits |= keyvigil_bits_of((keyvigil_lanes)(part[i] >= '+')) << (16 * i);
    const keyvigil_lanes zeros = (part[0] == 0) | (part[1] == 0) | (part[2] == 0) | (part[3] == 0);
    if (keyvigil_bits_of(zeros) != 0) *has_zero = true;
    return bits;
}

static inline uint64_t keyvigil_token_bits(const void *bytes) {
    keyvigil_lanes part[4];
    memcpy(part, bytes, sizeof part);
    uint64_t bits = 0;
    for (int i = 0; i < 4; i++) {
        const keyvigil_lanes byte = part[i], lower = byte | 0x20;
        const keyvigil_lanes found = ((lower >= 'a') & (lower <= 'z')) | ((byte >= '-') & (byte <= '9') & (byte != '/')) | (byte == '_');
        bits |= keyvigil_bits_of(found) << (16 * i);
    }
    return bits;
}

static inline uint64_t keyvigil_mark_bits(const void *bytes) {
    keyvigil_lanes part[4];
    memcpy(part, bytes, sizeof part);
    uint64_t bits = 0;
    for (int i = 0; i < 4; i++) {
        const keyvigil_lanes byte = part[i];
        const keyvigil_lanes found = (byte == '=') | (byte == '\\');
        bits |= keyvigil_bits_of(found) << (16 * i);
    }
    return bits;
}

#else

static inline uint64_t keyvigil_visible_bits(const void *bytes, bool *has_zero) {
    return keyvigil_visible_bits_slowly(bytes, has_zero);
}

static inline uint64_t keyvigil_token_bits(const void *bytes) { return keyvigil_token_bits_slowly(bytes); }

static inline uint64_t keyvigil_mark_bits(const void *bytes) { return keyvigil_mark_bits_slowly(bytes); }

#endif
