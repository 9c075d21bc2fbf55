// Files that are mapped for reading although others may cut them short meanwhile: mmap(2) answers that, and an error of
// the disk, with SIGBUS. Bytes leave such a mapping by one function only, which returns an error then.
#pragma once
#include <stddef.h>

struct keyvigil_mapping;

// Maps the first `length` bytes of an open file. Returns NULL with errno.
struct keyvigil_mapping *keyvigil_map(int descriptor, size_t length);

// Copies `count` bytes from `offset` on to `to`. Returns 0, or -1 if they cannot be read, or if any byte of the mapping could
// not be read before; what `to` has then is undefined. The caller has checked that the range is part of the mapping. Any
// number of threads may copy at once.
int keyvigil_copy_mapped(struct keyvigil_mapping *mapping, size_t offset, void *to, size_t count);

// Takes a mapping down, from which nobody copies any more.
void keyvigil_unmap(struct keyvigil_mapping *mapping);
