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

// Maps `length` bytes of zeros for reading and writing: of a new file in `folder`, which has no name, which nobody else can
// reach, whose space is reserved, and which is gone with the mapping; or of memory if `folder` is NULL. Returns NULL with
// errno, EOPNOTSUPP for file systems on which space cannot be reserved for good, or that are memory themselves.
void *keyvigil_map_scratch(const char *folder, size_t length);

// Moves such memory into such a file: the same content at the same address. Nobody may write there meanwhile. Returns 0, or -1
// with errno; it is where it was then.
int keyvigil_move_scratch(void *start, size_t length, const char *folder);

// Makes such memory longer, maybe at another address: mremap(2). Nobody may use it meanwhile. Returns NULL with errno; it is as
// it was then.
void *keyvigil_grow_scratch(void *start, size_t length, size_t wanted);

// Takes it down.
void keyvigil_unmap_scratch(void *start, size_t length);
