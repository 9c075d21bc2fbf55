// Asks an HTTP server on a Unix socket again and again over connections that are kept, and prints how many answers came, and how
// long they took.
//
//   load SOCKET TARGET CONNECTIONS SECONDS [RATE] < HEADER-LINE
//
// The header comes on standard input, so that no secret is an argument. Without a RATE each connection asks again at once. With
// one, so many questions a second are due, and a time counts from the moment when the question was due.
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { MOST_CONNECTIONS = 256, MOST_ANSWERS = 4000000 };

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static struct connection {
    int socket;
    uint64_t due;
    int busy, filled;
    char buffer[4096];
} connections[MOST_CONNECTIONS];

static float times[MOST_ANSWERS];
static long answers, statuses[600];
static char request[8192];
static size_t length;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static int compare(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static void ask(struct connection *c, uint64_t due) {
    c->due = due;
    c->busy = 1;
    c->filled = 0;
    if (send(c->socket, request, length, MSG_NOSIGNAL) != (ssize_t)length) fail("send");
}

// Whether a whole answer is there. Its body is short and has a length.
static int receive(struct connection *c) {
    ssize_t got = recv(c->socket, c->buffer + c->filled, sizeof c->buffer - 1 - (size_t)c->filled, 0);
    if (got < 0 && errno == EAGAIN) return 0;
    if (got <= 0) fail("recv");
    c->filled += (int)got;
    c->buffer[c->filled] = 0;
    char *end = strstr(c->buffer, "\r\n\r\n");
    if (!end) return 0;
    char *size = strcasestr(c->buffer, "\r\nContent-Length:");
    long body = size && size < end ? atol(size + 17) : 0;
    if (c->buffer + c->filled < end + 4 + body) return 0;
    statuses[atoi(c->buffer + 9) % 600]++;
    if (answers < MOST_ANSWERS) times[answers++] = (float)((double)(now() - c->due) / 1e6);
    c->busy = 0;
    return 1;
}

int main(int count, char **words) {
    if (count < 5) return fprintf(stderr, "usage: load SOCKET TARGET CONNECTIONS SECONDS [RATE]\n"), 2;
    int number = atoi(words[3]);
    double seconds = atof(words[4]), rate = count > 5 ? atof(words[5]) : 0;
    if (number < 1 || number > MOST_CONNECTIONS) return 2;
    char header[4096] = "";
    if (!fgets(header, sizeof header, stdin)) header[0] = 0;
    header[strcspn(header, "\n")] = 0;
    length = (size_t)snprintf(
        request, sizeof request, "GET %s HTTP/1.1\r\nHost: keyvigil\r\n%s%s\r\n", words[2], header, *header ? "\r\n" : "");
    int poll = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < number; i++) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        strncpy(address.sun_path, words[1], sizeof address.sun_path - 1);
        connections[i].socket = socket(AF_UNIX, SOCK_STREAM, 0);
        if (connect(connections[i].socket, (struct sockaddr *)&address, sizeof address)) fail(words[1]);
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};
        epoll_ctl(poll, EPOLL_CTL_ADD, connections[i].socket, &event);
    }
    uint64_t start = now(), end = start + (uint64_t)(seconds * 1e9);
    double step = rate > 0 ? 1e9 / rate : 0, due = (double)start;
    int idle[MOST_CONNECTIONS], idlers = 0;
    for (int i = 0; i < number; i++) {
        if (rate > 0) idle[idlers++] = i;
        else ask(&connections[i], now());
    }
    while (now() < end) {
        for (uint64_t time = now(); rate > 0 && idlers && due <= (double)time; due += step)
            ask(&connections[idle[--idlers]], (uint64_t)due);
        struct epoll_event events[64];
        struct timespec limit = {0, 0};
        if (rate > 0 && idlers && due > (double)now()) limit.tv_nsec = (long)(due - (double)now());
        if (rate <= 0 || !idlers) limit.tv_nsec = 100000000;
        if (limit.tv_nsec < 0) limit.tv_nsec = 0;
        int ready = epoll_pwait2(poll, events, 64, &limit, NULL);
        for (int e = 0; e < ready; e++) {
            int i = (int)events[e].data.u32;
            if (!connections[i].busy || !receive(&connections[i])) continue;
            if (rate > 0) idle[idlers++] = i;
            else ask(&connections[i], now());
        }
    }
    double took = (double)(now() - start) / 1e9;
    qsort(times, (size_t)answers, sizeof *times, compare);
    printf("%.0f answers a second, p50 %.3f ms, p99 %.3f ms, longest %.2f ms;", (double)answers / took,
        (double)times[answers / 2], (double)times[answers * 99 / 100], (double)times[answers ? answers - 1 : 0]);
    for (int i = 0; i < 600; i++)
        if (statuses[i]) printf(" %ld x %d", statuses[i], i);
    printf("\n");
    return 0;
}
