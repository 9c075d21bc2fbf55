#include "CMicrohttpdLoader.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>

#define FUNCTIONS(F) \
    F(MHD_start_daemon) \
    F(MHD_run) \
    F(MHD_get_timeout) \
    F(MHD_get_daemon_info) \
    F(MHD_get_connection_info) \
    F(MHD_get_connection_values_n) \
    F(MHD_suspend_connection) \
    F(MHD_resume_connection) \
    F(MHD_create_response_from_buffer) \
    F(MHD_create_response_from_fd) \
    F(MHD_add_response_header) \
    F(MHD_queue_response) \
    F(MHD_destroy_response)

// The compiler checks the type of each pointer against libmicrohttpd's declaration.
#define POINTER(name) static __typeof__(&name) loaded_##name;
#define LOAD(name) \
    loaded_##name = (__typeof__(&name))dlsym(library, #name); \
    if (!loaded_##name) return;

FUNCTIONS(POINTER)

static bool is_loaded;

static void load(void) {
    // Never unloaded. RTLD_LOCAL: its symbols, and those of its dependencies, are not visible to other code.
    void *library = dlopen("libmicrohttpd.so.12", RTLD_NOW | RTLD_LOCAL);
    if (!library) return;
    FUNCTIONS(LOAD)
    is_loaded = true;
}

bool keyvigil_http_load(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    return is_loaded;
}

static enum MHD_Result request(
    void *of, struct MHD_Connection *connection, const char *path, const char *method, const char *version, const char *data,
    size_t *size, void **state) {
    (void)version;
    const struct keyvigil_http_callbacks *callbacks = of;
    return callbacks->request(callbacks->context, connection, path, method, (char *)data, size, state) ? MHD_YES : MHD_NO;
}

static void notify(
    void *of, struct MHD_Connection *connection, void **state, enum MHD_ConnectionNotificationCode code) {
    const struct keyvigil_http_callbacks *callbacks = of;
    callbacks->connection(callbacks->context, connection, state, code == MHD_CONNECTION_NOTIFY_STARTED);
}

static void completed(
    void *of, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode code) {
    (void)connection, (void)code;
    const struct keyvigil_http_callbacks *callbacks = of;
    callbacks->completed(callbacks->context, state);
}

struct MHD_Daemon *keyvigil_http_start(
    int socket, unsigned connections, size_t memory, struct keyvigil_http_callbacks callbacks) {
    // Used as long as the daemon lives: until the process ends.
    struct keyvigil_http_callbacks *kept = malloc(sizeof callbacks);
    if (!kept) return NULL;
    *kept = callbacks;
    return loaded_MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, request, kept,
        MHD_OPTION_LISTEN_SOCKET, socket,
        MHD_OPTION_CONNECTION_LIMIT, connections,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, memory,
        // What is not as in the standard is refused.
        MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_NOTIFY_CONNECTION, notify, kept,
        MHD_OPTION_NOTIFY_COMPLETED, completed, kept,
        // keyvigild ignores SIGPIPE.
        MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
        MHD_OPTION_END);
}

int keyvigil_http_descriptor(struct MHD_Daemon *daemon) {
    return loaded_MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

bool keyvigil_http_is_pending(struct MHD_Daemon *daemon) {
    MHD_UNSIGNED_LONG_LONG milliseconds;
    return loaded_MHD_get_timeout(daemon, &milliseconds) == MHD_YES && milliseconds == 0;
}

void keyvigil_http_run(struct MHD_Daemon *daemon) { loaded_MHD_run(daemon); }

void *keyvigil_http_state(struct MHD_Connection *connection) {
    return loaded_MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

int keyvigil_http_socket(struct MHD_Connection *connection) {
    return loaded_MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

struct visit {
    keyvigil_http_visitor body;
    void *context;
};

static enum MHD_Result visit(
    void *of, enum MHD_ValueKind kind, const char *name, size_t name_size, const char *value, size_t value_size) {
    (void)kind;
    const struct visit *visit = of;
    visit->body(visit->context, name, name_size, (char *)value, value ? value_size : 0);
    return MHD_YES;
}

void keyvigil_http_headers(struct MHD_Connection *connection, keyvigil_http_visitor body, void *context) {
    struct visit all = {body, context};
    loaded_MHD_get_connection_values_n(connection, MHD_HEADER_KIND, visit, &all);
}

void keyvigil_http_arguments(struct MHD_Connection *connection, keyvigil_http_visitor body, void *context) {
    struct visit all = {body, context};
    loaded_MHD_get_connection_values_n(connection, MHD_GET_ARGUMENT_KIND, visit, &all);
}

void keyvigil_http_suspend(struct MHD_Connection *connection) { loaded_MHD_suspend_connection(connection); }
void keyvigil_http_resume(struct MHD_Connection *connection) { loaded_MHD_resume_connection(connection); }

struct MHD_Response *keyvigil_http_response(size_t size, const void *bytes) {
    return loaded_MHD_create_response_from_buffer(size, (void *)bytes, MHD_RESPMEM_MUST_COPY);
}

struct MHD_Response *keyvigil_http_file_response(size_t size, int file) {
    return loaded_MHD_create_response_from_fd(size, file);
}

void keyvigil_http_add_header(struct MHD_Response *response, const char *name, const char *value) {
    loaded_MHD_add_response_header(response, name, value);
}

bool keyvigil_http_answer(struct MHD_Connection *connection, unsigned status, struct MHD_Response *response) {
    enum MHD_Result result = loaded_MHD_queue_response(connection, status, response);
    loaded_MHD_destroy_response(response);
    return result == MHD_YES;
}
