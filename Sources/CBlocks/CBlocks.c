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

uint64_t keyvigil_token_bits_slowly(const void *bytes) {
    const unsigned char *byte = bytes;
    uint64_t bits = 0;
    for (int i = 0; i < 64; i++) {
        const unsigned char b = byte[i];
        if ((b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') || (b >= '0' && b <= '9') || b == '_' || b == '-' || b == '.')
            bits |= UINT64_C(1) << i;
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
