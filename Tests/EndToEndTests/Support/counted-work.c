// Counts what the thread of a socket does for each request, as a library that is loaded before others (LD_PRELOAD, ld.so(8)):
// the calls of SQLite and libgcrypt, and the instructions of SQLite's machine. For each answer a line of KEYVIGIL_COUNTED:
//
//   sqlite=CALLS instructions=NUMBER gcrypt=CALLS hashed=BYTES waits=CALLS
//
// waits are the calls of ppoll(2) between the request and its answer. The line is there before the client has the answer.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static __thread struct {
    int looked, counts, asked;
    unsigned long sqlite, instructions, gcrypt, hashed, waits;
} here;

static int is_counted(void) {
    if (!here.looked) {
        char name[16] = "";
        prctl(PR_GET_NAME, name);
        here.looked = 1;
        here.counts = !strcmp(name, "kv-verify");
    }
    return here.counts;
}

// The next one of the same name: the library's own.
#define NEXT(name) \
    static __typeof__(name) *next; \
    if (!next) next = (__typeof__(next))dlsym(RTLD_NEXT, #name)

static void begin(ssize_t received) {
    if (received <= 0 || !is_counted() || here.asked) return;
    here.sqlite = here.instructions = here.gcrypt = here.hashed = here.waits = 0;
    here.asked = 1;
}

static void end(void) {
    if (!is_counted() || !here.asked) return;
    char line[200];
    int length = snprintf(
        line, sizeof line, "sqlite=%lu instructions=%lu gcrypt=%lu hashed=%lu waits=%lu\n", here.sqlite, here.instructions,
        here.gcrypt, here.hashed, here.waits);
    here.asked = 0;
    int file = open(getenv("KEYVIGIL_COUNTED"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (file < 0 || write(file, line, (size_t)length) != length) abort();
    close(file);
}

ssize_t recv(int socket, void *buffer, size_t size, int flags) {
    NEXT(recv);
    ssize_t received = next(socket, buffer, size, flags);
    begin(received);
    return received;
}

ssize_t send(int socket, const void *buffer, size_t size, int flags) {
    NEXT(send);
    end();
    return next(socket, buffer, size, flags);
}

ssize_t sendmsg(int socket, const struct msghdr *message, int flags) {
    NEXT(sendmsg);
    end();
    return next(socket, message, flags);
}

int ppoll(struct pollfd *polled, nfds_t count, const struct timespec *limit, const sigset_t *signals) {
    NEXT(ppoll);
    if (is_counted()) here.waits++;
    return next(polled, count, limit, signals);
}

// Without their headers, which the tests do not need otherwise.
typedef struct sqlite3_stmt sqlite3_stmt;
int sqlite3_stmt_status(sqlite3_stmt *, int, int);
enum { VM_STEP = 4 };

#define COUNTED(library, type, name, parameters, arguments) \
    type name parameters; \
    type name parameters { \
        NEXT(name); \
        if (is_counted()) here.library++; \
        return next arguments; \
    }

// Not sqlite3_prepare_v3(): a connection of the pool that another service has used first has its statements still to prepare.
COUNTED(sqlite, int, sqlite3_step, (sqlite3_stmt *statement), (statement))
COUNTED(sqlite, int, sqlite3_bind_null, (sqlite3_stmt *statement, int index), (statement, index))
COUNTED(sqlite, int, sqlite3_bind_int64, (sqlite3_stmt *statement, int index, long long value), (statement, index, value))
COUNTED(sqlite, int, sqlite3_bind_text,
    (sqlite3_stmt *statement, int index, const char *text, int size, void (*end)(void *)), (statement, index, text, size, end))
COUNTED(sqlite, int, sqlite3_bind_blob,
    (sqlite3_stmt *statement, int index, const void *blob, int size, void (*end)(void *)), (statement, index, blob, size, end))
COUNTED(sqlite, int, sqlite3_column_type, (sqlite3_stmt *statement, int column), (statement, column))
COUNTED(gcrypt, unsigned char *, gcry_md_read, (void *handle, int algorithm), (handle, algorithm))
COUNTED(gcrypt, void, gcry_md_reset, (void *handle), (handle))
COUNTED(gcrypt, void, gcry_md_hash_buffer, (int algorithm, void *digest, const void *buffer, size_t size),
    (algorithm, digest, buffer, size))

int sqlite3_reset(sqlite3_stmt *statement);
int sqlite3_reset(sqlite3_stmt *statement) {
    NEXT(sqlite3_reset);
    if (is_counted()) {
        here.sqlite++;
        here.instructions += (unsigned long)sqlite3_stmt_status(statement, VM_STEP, 1);
    }
    return next(statement);
}

void gcry_md_write(void *handle, const void *buffer, size_t size);
void gcry_md_write(void *handle, const void *buffer, size_t size) {
    NEXT(gcry_md_write);
    if (is_counted()) {
        here.gcrypt++;
        here.hashed += size;
    }
    next(handle, buffer, size);
}
