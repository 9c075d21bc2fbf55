#include "CBlocks.h"

uint64_t keyvigil_visible_bits_slowly(const void *bytes, bool *has_zero) {
    const unsigned char *byte = bytes;
    uint64_t bits = 0;
    for (int i = 0; i < 64; i++) {
        if (byte[i] >= '+' && byte[i] <= 0x7f) bits |= UINT64_C(1) << i;
        if (byte[i] == 0) *has_zero = true;
    }
    return bits;
}

uint64_t keyvigil_mark_bits_slowly(const void *bytes) {
    const unsigned char *byte = bytes;
    uint64_t bits = 0;
    for (int i = 0; i < 64; i++) {
        if (byte[i] == '=' || byte[i] == '\\') bits |= UINT64_C(1) << i;
    }
    return bits;
}

// The bits of the 64 bytes at `at`, or of those up to the end.
static inline uint64_t visible_at(const unsigned char *bytes, size_t count, size_t at, bool *has_zero) {
    const size_t block = at < count - 64 ? at : count - 64;
    return keyvigil_visible_bits(bytes + block, has_zero) >> (at - block);
}

bool keyvigil_next_run(
    const void *memory, size_t count, size_t end, size_t shortest, size_t *start, size_t *stop, bool *has_zero) {
    const unsigned char *bytes = memory;
    size_t at = *start;
    // Of the block before, and whether its last eight bytes are of a run.
    uint64_t before = 0, full_before = 0;
    while (at < end) {
        // A run of 23 bytes has 16 from a multiple of eight on. A bit for each eight bytes, whether all of them are of a run, and
        // whether the eight before are, too. Most blocks have no such 16.
        uint64_t bits = 0, full = 0, both = 0;
        while (at < end) {
            bits = visible_at(bytes, count, at, has_zero);
            full = bits & bits >> 1;
            full &= full >> 2;
            full &= full >> 4;
            full &= UINT64_C(0x0101010101010101);
            both = full & (full << 8 | full_before);
            if (__builtin_expect(both != 0, 0)) break;
            full_before = full >> 56;
            before = bits;
            at += 64;
        }
        if (both == 0) return false;
        full_before = full >> 56;
        size_t next = at + 64;
        uint64_t last = bits;
        while (both != 0) {
            const int index = __builtin_ctzll(both);
            const uint64_t others = ~bits & ((UINT64_C(1) << index) - 1);
            size_t first = at;
            if (others != 0) first += 64 - (size_t)__builtin_clzll(others);
            else if (~before != 0) first -= (size_t)__builtin_clzll(~before);
            if (first >= end) return false;
            uint64_t behind = ~bits & UINT64_MAX << index;
            size_t over = at;
            if (behind != 0) {
                over += (size_t)__builtin_ctzll(behind);
                both &= UINT64_MAX << (over - at);
            } else {
                // It goes on in the next blocks.
                both = 0;
                do {
                    over += 64;
                    behind = over < end ? ~visible_at(bytes, count, over, has_zero) : 1;
                } while (behind == 0);
                over += (size_t)__builtin_ctzll(behind);
                next = over;
                last = full_before = 0;
            }
            if (over > end) over = end;
            if (over - first >= shortest) {
                *start = first;
                *stop = over;
                return true;
            }
        }
        before = last;
        at = next;
    }
    return false;
}
