// libFuzzer's driver, as a library (https://llvm.org/docs/LibFuzzer.html#using-libfuzzer-as-a-library). It is there only in
// a build with -sanitize=fuzzer; elsewhere the weak reference is null.
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef int (*fuzzer_callback)(const uint8_t *data, size_t size);

// Whether this build has libFuzzer.
int fuzzer_is_here(void);

// Runs it; 0 when it ends by its own options. It exits the process when it finds something.
int fuzzer_run(int argc, char **argv, fuzzer_callback callback);
