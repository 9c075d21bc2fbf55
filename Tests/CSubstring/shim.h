#pragma once
#include <stddef.h>
// An extension of GNU, which <string.h> declares with _GNU_SOURCE alone; Swift imports it without.
void *memmem(const void *haystack, size_t haystack_length, const void *needle, size_t needle_length);
