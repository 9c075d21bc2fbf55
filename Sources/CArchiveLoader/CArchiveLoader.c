#include "CArchiveLoader.h"

#include <dlfcn.h>
#include <pthread.h>

// For each function: its return type, its name, its parameters, and its arguments.
#define FUNCTIONS(F) \
    F(struct archive *, archive_read_new, (void), ()) \
    F(int, archive_read_support_format_zip, (struct archive *a), (a)) \
    F(int, archive_read_support_format_tar, (struct archive *a), (a)) \
    F(int, archive_read_support_format_7zip, (struct archive *a), (a)) \
    F(int, archive_read_support_format_rar, (struct archive *a), (a)) \
    F(int, archive_read_support_format_rar5, (struct archive *a), (a)) \
    F(int, archive_read_support_format_cab, (struct archive *a), (a)) \
    F(int, archive_read_support_format_iso9660, (struct archive *a), (a)) \
    F(int, archive_read_support_format_xar, (struct archive *a), (a)) \
    F(int, archive_read_support_format_ar, (struct archive *a), (a)) \
    F(int, archive_read_support_format_cpio, (struct archive *a), (a)) \
    F(int, archive_read_support_filter_compress, (struct archive *a), (a)) \
    F(int, archive_read_support_filter_lzma, (struct archive *a), (a)) \
    F(int, archive_read_support_filter_lzip, (struct archive *a), (a)) \
    F(int, archive_read_support_filter_lz4, (struct archive *a), (a)) \
    F(int, archive_read_support_filter_rpm, (struct archive *a), (a)) \
    F(int, archive_read_support_filter_uu, (struct archive *a), (a)) \
    F(int, archive_read_set_options, (struct archive *a, const char *o), (a, o)) \
    F(int, archive_read_has_encrypted_entries, (struct archive *a), (a)) \
    F(const char *, archive_entry_symlink, (struct archive_entry *e), (e)) \
    F(const char *, archive_entry_hardlink, (struct archive_entry *e), (e)) \
    F(int, archive_read_support_format_raw, (struct archive *a), (a)) \
    F(int, archive_read_support_filter_gzip, (struct archive *a), (a)) \
    F(int, archive_read_support_filter_bzip2, (struct archive *a), (a)) \
    F(int, archive_read_support_filter_xz, (struct archive *a), (a)) \
    F(int, archive_read_support_filter_zstd, (struct archive *a), (a)) \
    F(int, archive_read_open_memory, (struct archive *a, const void *b, size_t n), (a, b, n)) \
    F(int, archive_read_set_read_callback, (struct archive *a, archive_read_callback *c), (a, c)) \
    F(int, archive_read_set_skip_callback, (struct archive *a, archive_skip_callback *c), (a, c)) \
    F(int, archive_read_set_seek_callback, (struct archive *a, archive_seek_callback *c), (a, c)) \
    F(int, archive_read_set_callback_data, (struct archive *a, void *d), (a, d)) \
    F(int, archive_read_open1, (struct archive *a), (a)) \
    F(int, archive_read_next_header, (struct archive *a, struct archive_entry **e), (a, e)) \
    F(ssize_t, archive_read_data, (struct archive *a, void *b, size_t n), (a, b, n)) \
    F(int, archive_read_close, (struct archive *a), (a)) \
    F(int, archive_read_free, (struct archive *a), (a)) \
    F(unsigned int, archive_entry_filetype, (struct archive_entry *e), (e)) \
    F(int, archive_entry_is_data_encrypted, (struct archive_entry *e), (e)) \
    F(const char *, archive_entry_pathname, (struct archive_entry *e), (e)) \
    F(const char *, archive_entry_pathname_utf8, (struct archive_entry *e), (e))

// The compiler checks the type of each pointer against libarchive's declaration.
#define POINTER(result, name, parameters, arguments) static __typeof__(&name) loaded_##name;
#define CALL(result, name, parameters, arguments) \
    result keyvigil_##name parameters { return loaded_##name arguments; }
#define LOAD(result, name, parameters, arguments) \
    loaded_##name = (__typeof__(&name))dlsym(library, #name); \
    if (!loaded_##name) return;

FUNCTIONS(POINTER)
FUNCTIONS(CALL)

static bool is_loaded;

static void load(void) {
    // Never unloaded. RTLD_LOCAL: its symbols, and those of its dependencies, are not visible to other code.
    void *library = dlopen("libarchive.so.13", RTLD_NOW | RTLD_LOCAL);
    if (!library) return;
    FUNCTIONS(LOAD)
    is_loaded = true;
}

bool keyvigil_archive_load(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    return is_loaded;
}
