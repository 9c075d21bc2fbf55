#include "CFuzzer.h"

__attribute__((weak)) int LLVMFuzzerRunDriver(int *argc, char ***argv, fuzzer_callback callback);

int fuzzer_is_here(void) { return LLVMFuzzerRunDriver != NULL; }

int fuzzer_run(int argc, char **argv, fuzzer_callback callback) {
    return LLVMFuzzerRunDriver(&argc, &argv, callback);
}

// libFuzzer's own main, which the linker takes in but nothing calls, wants it.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    (void)data;
    (void)size;
    return 0;
}
