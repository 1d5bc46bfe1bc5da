// Mock OpenAI upstream: mock PORT. One thread.
//
// Answers any path, keeps connections, reads bodies with a length and chunked ones; answers.h has the answers.
// GET /mock/stats tells what it has seen, as JSON; so does its standard output when SIGTERM ends it.
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "answers.h"
#include "clock.h"
#include "listen.h"
#include "timers.h"

typedef struct {
    int fd;
    bool answering, wants_write;
    const char *out; // what is left to send begins at out + sent
    char *owned;     // `out`, when it has to be freed
    size_t out_length, sent;
    script script;
    int next_event;
    timer pace;
    request request;
} connection;

static int epoll;
static timers pending;
static volatile sig_atomic_t ending;
static struct {
    long connections, peak_connections, answering, requests, disagreements, abandoned;
} seen;
static char *plain_burst, *plain_json; // the answers of the benchmark, made once
static size_t plain_burst_length, plain_json_length;

static void drop(connection *c) {
    timers_cancel(&pending, &c->pace);
    seen.connections--;
    seen.answering -= c->answering;
    close(c->fd);
    free(c->owned);
    free(c);
}

static void set_out(connection *c, const char *bytes, size_t length, char *owned) {
    c->out = bytes;
    c->out_length = length;
    c->sent = 0;
    c->owned = owned;
}

// Returns whether the connection goes on.
static bool answered(connection *c) {
    seen.answering--;
    c->answering = false;
    if (c->script.close) {
        drop(c);
        return false;
    }
    request_start(&c->request);
    return true;
}

// Sends what is left. Returns false when the connection is gone.
static bool flush(connection *c) {
    while (c->sent < c->out_length) {
        ssize_t sent = send(c->fd, c->out + c->sent, c->out_length - c->sent, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) {
            if (!c->wants_write)
                watch(epoll, c->fd, c, false, true);
            c->wants_write = true;
            return true;
        }
        if (sent < 0) {
            seen.abandoned++;
            drop(c);
            return false;
        }
        c->sent += (size_t)sent;
    }
    if (c->wants_write)
        watch(epoll, c->fd, c, false, false);
    c->wants_write = false;
    free(c->owned);
    set_out(c, NULL, 0, NULL);
    if (!c->script.period_ms)
        return answered(c);
    if (c->next_event <= c->script.events) // one more than there are events: the end
        timers_arm(&pending, &c->pace, c->pace.due + c->script.period_ms * NS_PER_MS);
    else
        return answered(c);
    return true;
}

static char *copy_of(const char *bytes, size_t length) {
    char *copy = malloc(length);
    if (!copy)
        abort();
    return memcpy(copy, bytes, length);
}

// The next event of a paced answer, or its end.
static void pace(connection *c) {
    static char buffer[EVENT_BYTES];
    if (c->next_event < c->script.events) {
        int length = answer_event(buffer, &c->request, &c->script, c->next_event, now_ns());
        set_out(c, buffer, (size_t)length, NULL);
    } else {
        set_out(c, stream_end, c->script.cut ? 0 : strlen(stream_end), NULL);
    }
    c->next_event++;
    ssize_t sent = c->out_length ? send(c->fd, c->out, c->out_length, MSG_NOSIGNAL) : 0;
    if (sent > 0)
        c->sent = (size_t)sent;
    if (c->sent < c->out_length) // the buffer is used again before the rest can be sent
        c->out = c->owned = copy_of(c->out, c->out_length);
    flush(c);
}

static int write_stats(char out[256], long answering) {
    return snprintf(out, 256,
                    "{\"connections\":%ld,\"peak_connections\":%ld,\"answering\":%ld,\"requests\":%ld,"
                    "\"disagreements\":%ld,\"abandoned\":%ld}",
                    seen.connections, seen.peak_connections, answering, seen.requests, seen.disagreements,
                    seen.abandoned);
}

static bool answer_stats(connection *c) {
    char body[256];
    int size = write_stats(body, seen.answering - 1); // without this answer
    char *out = NULL;
    int length = asprintf(&out, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", size, body);
    set_out(c, out, (size_t)length, out);
    return flush(c);
}

static bool refuse(connection *c) {
    static const char refusal[] = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
    seen.disagreements++;
    set_out(c, refusal, sizeof refusal - 1, NULL);
    return flush(c);
}

static bool start_paced(connection *c) {
    c->next_event = 0;
    c->pace.due = now_ns();
    set_out(c, stream_head, strlen(stream_head), NULL);
    return flush(c);
}

static bool answer(connection *c) {
    c->answering = true;
    seen.answering++;
    c->script = (script){.shape = ANSWER_JSON};
    if (!strncmp(c->request.head, "GET /mock/stats ", 16))
        return answer_stats(c);

    seen.requests++;
    if (!nonces_agree(&c->request))
        return refuse(c);
    c->script = script_of(&c->request);
    bool plain = !c->request.nonce[0] && !c->script.cut && !c->script.close && c->script.events == DEFAULT_EVENTS;
    size_t length;
    if (c->script.shape == ANSWER_JSON) {
        c->script.period_ms = 0;
        char *made = plain ? NULL : answer_json(&c->request, &c->script, &length);
        set_out(c, made ? made : plain_json, made ? length : plain_json_length, made);
        return flush(c);
    }
    if (c->script.period_ms)
        return start_paced(c);
    char *made = plain ? NULL : answer_burst(&c->request, &c->script, &length);
    set_out(c, made ? made : plain_burst, made ? length : plain_burst_length, made);
    return flush(c);
}

// A client that closes or sends on before its answer is complete has left.
static void read_while_answering(connection *c) {
    char byte;
    if (recv(c->fd, &byte, 1, MSG_PEEK) < 0 && errno == EAGAIN)
        return;
    seen.abandoned++;
    drop(c);
}

static void readable(connection *c) {
    static char buffer[1 << 19];
    if (c->answering) {
        read_while_answering(c);
        return;
    }
    ssize_t count = recv(c->fd, buffer, sizeof buffer, 0);
    if (count < 0 && errno == EAGAIN)
        return;
    if (count <= 0) {
        drop(c);
        return;
    }
    bool in_head = c->request.state == REQUEST_HEAD;
    size_t used = request_feed(&c->request, buffer, (size_t)count);
    if (c->request.state == REQUEST_BROKEN || used < (size_t)count) { // pipelined requests are not served
        drop(c);
        return;
    }
    if (in_head && c->request.state != REQUEST_HEAD && c->request.expects_continue)
        send(c->fd, "HTTP/1.1 100 Continue\r\n\r\n", 25, MSG_NOSIGNAL);
    if (c->request.state == REQUEST_COMPLETE)
        answer(c);
}

static void accept_all(int listener) {
    int fd, one = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        connection *c = calloc(1, sizeof *c);
        if (!c)
            abort();
        c->fd = fd;
        c->pace.owner = c;
        request_start(&c->request);
        watch(epoll, fd, c, true, false);
        if (++seen.connections > seen.peak_connections)
            seen.peak_connections = seen.connections;
    }
}

static void make_plain_answers(void) {
    static request none;
    script plain = {.events = DEFAULT_EVENTS};
    plain_burst = answer_burst(&none, &plain, &plain_burst_length);
    plain_json = answer_json(&none, &plain, &plain_json_length);
}

static void serve(struct epoll_event *event, int listener) {
    connection *c = event->data.ptr;
    if (!c) {
        accept_all(listener);
        return;
    }
    if ((event->events & EPOLLOUT) && c->wants_write && (!flush(c) || c->wants_write))
        return;
    if (event->events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        readable(c);
}

static void told_to_end(int signal) {
    (void)signal;
    ending = true;
}

// Handles SIGTERM while it waits only, by the mask that is returned: no signal comes between a look and the wait.
static sigset_t end_on_sigterm(void) {
    struct sigaction action = {.sa_handler = told_to_end};
    sigset_t term, waiting;
    sigaction(SIGTERM, &action, NULL);
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_BLOCK, &term, &waiting);
    sigdelset(&waiting, SIGTERM);
    return waiting;
}

int main(int count, char **arguments) {
    if (count != 2) {
        fprintf(stderr, "usage: mock PORT\n");
        return 64;
    }
    signal(SIGPIPE, SIG_IGN);
    make_plain_answers();
    int listener = listen_on(atoi(arguments[1]));
    epoll = epoll_create1(EPOLL_CLOEXEC);
    watch(epoll, listener, NULL, true, false);
    sigset_t waiting = end_on_sigterm();
    while (!ending) {
        struct epoll_event events[256];
        uint64_t wait = timers_wait_ns(&pending, now_ns(), NS_PER_S);
        struct timespec limit = {(time_t)(wait / NS_PER_S), (long)(wait % NS_PER_S)};
        int ready = epoll_pwait2(epoll, events, 256, &limit, &waiting);
        for (int i = 0; i < ready; i++)
            serve(&events[i], listener);
        uint64_t now = now_ns();
        for (timer *due; (due = timers_pop_due(&pending, now));)
            pace(due->owner);
    }
    char stats[256];
    write_stats(stats, seen.answering);
    puts(stats);
}
