// What vector instructions say of 64 bytes at once: Swift's SIMD types have no operation that makes bits of lanes.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

// A bit for each of the 64 bytes at `bytes`, of any alignment, the lowest for the first: whether it is at least '+' and at
// most 0x7f. Sets `*has_zero` if one of them is zero.
static inline uint64_t keyvigil_visible_bits(const void *bytes, bool *has_zero);

// Finds the first run of at least `shortest` such bytes, 23 or more, from `*start` on and before `end`, where a run is cut; sets
// `*start` and `*stop` to its ends. `count` is at least 64 and `end`.
bool keyvigil_next_run(
    const void *bytes, size_t count, size_t end, size_t shortest, size_t *start, size_t *stop, bool *has_zero);

// A bit for each of the 64 bytes at `bytes`, the lowest for the first: whether it is '=' or the backslash.
static inline uint64_t keyvigil_mark_bits(const void *bytes);

// One byte after the other: what other processors do, and what the test compares with.
uint64_t keyvigil_visible_bits_slowly(const void *bytes, bool *has_zero);
uint64_t keyvigil_mark_bits_slowly(const void *bytes);

#if defined(__SSE2__)

typedef signed char keyvigil_lanes __attribute__((vector_size(16)));

// The smaller ones of the bytes, without sign.
static inline keyvigil_lanes keyvigil_least(keyvigil_lanes a, keyvigil_lanes b) {
    typedef unsigned char lanes __attribute__((vector_size(16)));
    return (keyvigil_lanes)__builtin_elementwise_min((lanes)a, (lanes)b);
}

static inline uint64_t keyvigil_bits_of(keyvigil_lanes lanes) {
    return (uint64_t)(uint16_t)__builtin_ia32_pmovmskb128(lanes);
}

static inline uint64_t keyvigil_visible_bits(const void *bytes, bool *has_zero) {
    keyvigil_lanes part[4];
    memcpy(part, bytes, sizeof part);
    uint64_t bits = 0;
    // Bytes above 0x7f are negative.
    for (int i = 0; i < 4; i++) bits |= keyvigil_bits_of((keyvigil_lanes)(part[i] >= '+')) << (16 * i);
    const keyvigil_lanes least = keyvigil_least(keyvigil_least(part[0], part[1]), keyvigil_least(part[2], part[3]));
    if (keyvigil_bits_of(least == 0) != 0) *has_zero = true;
    return bits;
}

static inline uint64_t keyvigil_mark_bits(const void *bytes) {
    keyvigil_lanes part[4];
    memcpy(part, bytes, sizeof part);
    for (int i = 0; i < 4; i++) part[i] = (part[i] == '=') | (part[i] == '\\');
    // Most blocks have none.
    if (keyvigil_bits_of(part[0] | part[1] | part[2] | part[3]) == 0) return 0;
    uint64_t bits = 0;
    for (int i = 0; i < 4; i++) bits |= keyvigil_bits_of(part[i]) << (16 * i);
    return bits;
}

#else

static inline uint64_t keyvigil_visible_bits(const void *bytes, bool *has_zero) {
    return keyvigil_visible_bits_slowly(bytes, has_zero);
}

static inline uint64_t keyvigil_mark_bits(const void *bytes) { return keyvigil_mark_bits_slowly(bytes); }

#endif
