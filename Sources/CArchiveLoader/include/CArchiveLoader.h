#pragma once
#include <archive.h>
#include <archive_entry.h>
#include <stdbool.h>

// libarchive, loaded when the first archive is read: linked, it and its dependencies would cost a process that reads
// none about three megabytes. Each function is the one of the same name without the prefix, and may be called only
// after keyvigil_archive_load has returned true.

/// Loads the library once. Returns false, in this call and all later ones, if it is not installed or lacks a function.
bool keyvigil_archive_load(void);

struct archive *_Nullable keyvigil_archive_read_new(void);
int keyvigil_archive_read_support_format_zip(struct archive *_Nonnull);
int keyvigil_archive_read_support_format_tar(struct archive *_Nonnull);
int keyvigil_archive_read_support_format_7zip(struct archive *_Nonnull);
int keyvigil_archive_read_support_format_rar(struct archive *_Nonnull);
int keyvigil_archive_read_support_format_rar5(struct archive *_Nonnull);
int keyvigil_archive_read_support_format_cab(struct archive *_Nonnull);
int keyvigil_archive_read_support_format_iso9660(struct archive *_Nonnull);
int keyvigil_archive_read_support_format_xar(struct archive *_Nonnull);
int keyvigil_archive_read_support_format_ar(struct archive *_Nonnull);
int keyvigil_archive_read_support_format_cpio(struct archive *_Nonnull);
int keyvigil_archive_read_support_filter_compress(struct archive *_Nonnull);
int keyvigil_archive_read_support_filter_lzma(struct archive *_Nonnull);
int keyvigil_archive_read_support_filter_lzip(struct archive *_Nonnull);
int keyvigil_archive_read_support_filter_lz4(struct archive *_Nonnull);
int keyvigil_archive_read_support_filter_rpm(struct archive *_Nonnull);
int keyvigil_archive_read_support_filter_uu(struct archive *_Nonnull);
int keyvigil_archive_read_set_options(struct archive *_Nonnull, const char *_Nonnull);
int keyvigil_archive_read_has_encrypted_entries(struct archive *_Nonnull);
const char *_Nullable keyvigil_archive_entry_symlink(struct archive_entry *_Nonnull);
const char *_Nullable keyvigil_archive_entry_hardlink(struct archive_entry *_Nonnull);
int keyvigil_archive_read_support_format_raw(struct archive *_Nonnull);
int keyvigil_archive_read_support_filter_gzip(struct archive *_Nonnull);
int keyvigil_archive_read_support_filter_bzip2(struct archive *_Nonnull);
int keyvigil_archive_read_support_filter_xz(struct archive *_Nonnull);
int keyvigil_archive_read_support_filter_zstd(struct archive *_Nonnull);
int keyvigil_archive_read_open_memory(struct archive *_Nonnull, const void *_Nullable, size_t);
int keyvigil_archive_read_set_read_callback(struct archive *_Nonnull, archive_read_callback *_Nonnull);
int keyvigil_archive_read_set_skip_callback(struct archive *_Nonnull, archive_skip_callback *_Nonnull);
int keyvigil_archive_read_set_seek_callback(struct archive *_Nonnull, archive_seek_callback *_Nonnull);
int keyvigil_archive_read_set_callback_data(struct archive *_Nonnull, void *_Nullable);
int keyvigil_archive_read_open1(struct archive *_Nonnull);
int keyvigil_archive_read_next_header(struct archive *_Nonnull, struct archive_entry *_Nullable *_Nonnull);
ssize_t keyvigil_archive_read_data(struct archive *_Nonnull, void *_Nullable, size_t);
int keyvigil_archive_read_close(struct archive *_Nonnull);
int keyvigil_archive_read_free(struct archive *_Nonnull);
unsigned int keyvigil_archive_entry_filetype(struct archive_entry *_Nonnull);
int keyvigil_archive_entry_is_data_encrypted(struct archive_entry *_Nonnull);
const char *_Nullable keyvigil_archive_entry_pathname(struct archive_entry *_Nonnull);
const char *_Nullable keyvigil_archive_entry_pathname_utf8(struct archive_entry *_Nonnull);
