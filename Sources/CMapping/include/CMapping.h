// Files that are mapped for reading although others may cut them short meanwhile: mmap(2) answers that, and an error of
// the disk, with SIGBUS. Bytes leave such a mapping by one function only, which returns an error then.
#pragma once
#include <stddef.h>
#include <stdint.h>

// Maps the first `length` bytes of an open file. Returns NULL with errno.
void *keyvigil_map(int descriptor, size_t length);

// Copies `count` bytes from `from`, in a mapping, to `to`. Returns 0, or -1 if not all of them can be read; what `to` has
// then is undefined. The caller has checked that the range is part of the mapping.
int keyvigil_copy_mapped(void *to, const void *from, size_t count);

// Takes a mapping down.
void keyvigil_unmap(void *mapping, size_t length);
