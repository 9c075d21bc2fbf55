#pragma once
#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>

// libmicrohttpd, loaded when the first client connects: linked, it and its dependencies would cost a process that serves none
// about three megabytes. The functions may be called only after keyvigil_http_load has returned true, and, but for
// keyvigil_http_start, with what that returned.

/// Loads the library once. Returns false, in this call and all later ones, if it is not installed or lacks a function.
bool keyvigil_http_load(void);

/// What is called back, on the thread that calls keyvigil_http_run, with `context`.
struct keyvigil_http_callbacks {
    /// First for the headers, with *state NULL; then for each part of the body; then with *size 0, where the answer is due or the
    /// connection is suspended. Returns false to close the connection.
    bool (*_Nonnull request)(
        void *_Nonnull context, struct MHD_Connection *_Nonnull connection, const char *_Nonnull path,
        const char *_Nonnull method, char *_Nullable data, size_t *_Nonnull size, void *_Nullable *_Nonnull state);
    /// A connection begins or ends.
    void (*_Nonnull connection)(
        void *_Nonnull context, struct MHD_Connection *_Nonnull connection, void *_Nullable *_Nonnull state, bool begins);
    /// A request is answered, or its connection ends.
    void (*_Nonnull completed)(void *_Nonnull context, void *_Nullable *_Nonnull state);
    void *_Nonnull context;
};

/// Begins to serve a listening socket, on the thread that calls keyvigil_http_run.
///
/// - connections: no more are accepted at once.
/// - memory: of a connection, in bytes: request line, headers and a part of the body.
struct MHD_Daemon *_Nullable keyvigil_http_start(
    int socket, unsigned connections, size_t memory, struct keyvigil_http_callbacks callbacks);

/// The epoll descriptor that is readable when keyvigil_http_run has something to do.
int keyvigil_http_descriptor(struct MHD_Daemon *_Nonnull);
/// Whether there is something to do at once, whatever the descriptor says.
bool keyvigil_http_is_pending(struct MHD_Daemon *_Nonnull);
/// Does what can be done without waiting.
void keyvigil_http_run(struct MHD_Daemon *_Nonnull);

/// What the connection callback has stored in its state.
void *_Nullable keyvigil_http_state(struct MHD_Connection *_Nonnull);
/// The descriptor of a connection.
int keyvigil_http_socket(struct MHD_Connection *_Nonnull);
/// Gets a name and a value, which may be NULL.
typedef void (*keyvigil_http_visitor)(
    void *_Nullable context, const char *_Nonnull name, size_t name_size, char *_Nullable value, size_t value_size);
/// Calls `body` with the headers, or the arguments of the query, in their order. The memory is the connection's; it may be
/// overwritten.
void keyvigil_http_headers(struct MHD_Connection *_Nonnull, keyvigil_http_visitor _Nonnull body, void *_Nullable context);
void keyvigil_http_arguments(struct MHD_Connection *_Nonnull, keyvigil_http_visitor _Nonnull body, void *_Nullable context);
void keyvigil_http_suspend(struct MHD_Connection *_Nonnull);
void keyvigil_http_resume(struct MHD_Connection *_Nonnull);

/// An answer with a copy of some bytes as its body, or NULL.
struct MHD_Response *_Nullable keyvigil_http_response(size_t size, const void *_Nullable bytes);
/// An answer with the content of a file as its body, or NULL. The file is closed with it.
struct MHD_Response *_Nullable keyvigil_http_file_response(size_t size, int file);
void keyvigil_http_add_header(struct MHD_Response *_Nonnull, const char *_Nonnull name, const char *_Nonnull value);
/// Answers the request and ends the answer, whatever is returned: false if the connection is to be closed.
bool keyvigil_http_answer(struct MHD_Connection *_Nonnull, unsigned status, struct MHD_Response *_Nonnull);
