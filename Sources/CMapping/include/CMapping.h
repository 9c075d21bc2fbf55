// Files that are mapped for reading although other processes may truncate them. A truncated file or a disk error raises
// SIGBUS (mmap(2)). Only one function copies bytes out of such a mapping, and it returns an error in this case.
#pragma once
#include <stddef.h>

struct keyvigil_mapping;

// Maps the first `length` bytes of an open file. Returns NULL with errno.
struct keyvigil_mapping *keyvigil_map(int descriptor, size_t length);

// Copies `count` bytes from `offset` to `to`. Returns 0, or -1 if they cannot be read or an earlier read of the mapping
// has failed; then the content of `to` is undefined. The caller must check that the range is part of the mapping. Any
// number of threads may copy at once.
int keyvigil_copy_mapped(struct keyvigil_mapping *mapping, size_t offset, void *to, size_t count);

// Removes a mapping, from which no thread may copy any more.
void keyvigil_unmap(struct keyvigil_mapping *mapping);

// Maps `length` bytes of zeros for reading and writing: from a new unnamed file in `folder`, which no other process can
// open, whose space is reserved and which is removed with the mapping; or from memory if `folder` is NULL. Returns NULL
// with errno, which is EOPNOTSUPP for file systems in memory and those on which space cannot be reserved permanently.
void *keyvigil_map_scratch(const char *folder, size_t length);

// Moves such memory to such a file, with the same content at the same address. No thread may write to it meanwhile.
// Returns 0, or -1 with errno, and then it is unchanged.
int keyvigil_move_scratch(void *start, size_t length, const char *folder);

// Extends such memory, possibly at another address: mremap(2). No thread may use it meanwhile. Returns NULL with errno,
// and then it is unchanged.
void *keyvigil_grow_scratch(void *start, size_t length, size_t wanted);

// Removes such a mapping.
void keyvigil_unmap_scratch(void *start, size_t length);
