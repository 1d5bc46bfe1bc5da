#define _GNU_SOURCE
#include "clients.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "listen.h"
#include "outage.h"
#include "timers.h"

#define MAX_CONNECTIONS 16000
#define TIMEOUT (60 * NS_PER_S)
#define SLOW_PERIOD (10 * NS_PER_MS)
#define SLOW_BYTES 16384
#define LINGER (30 * NS_PER_MS)         // how long some clients stay after half a request
#define EVENTS_BEFORE_LEAVING 3
#define SHOWN_FAULTS 20

typedef struct {
    int fd, place;    // place: in `live`
    int idle_place;   // in `idle`; -1 when busy
    bool wants_write, used_before;
    int kind;
    uint64_t number, due;
    outbound sent_request;
    size_t sent;
    response response;
    observation observation;
    timer timer;      // of slow readers and of those who linger
} connection;

struct client_results clients_seen;

static int epoll, proxy_port, live_count, idle_count, busy_count;
static connection *live[MAX_CONNECTIONS], *idle[MAX_CONNECTIONS];
static timers pending;

static void send_rest(connection *c);

static void leave_idle(connection *c) {
    if (c->idle_place < 0)
        return;
    idle[c->idle_place] = idle[--idle_count];
    idle[c->idle_place]->idle_place = c->idle_place;
    c->idle_place = -1;
}

static void drop(connection *c) {
    leave_idle(c);
    timers_cancel(&pending, &c->timer);
    live[c->place] = live[--live_count];
    live[c->place]->place = c->place;
    close(c->fd);
    free(c);
}

// Closes by a reset, as a client does that is killed with data unread.
static void drop_by_reset(connection *c) {
    struct linger at_once = {.l_onoff = 1};
    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    drop(c);
}

static connection *open_connection(bool slow) {
    int fd = live_count < MAX_CONNECTIONS ? dial(proxy_port, slow ? SLOW_BYTES : 0) : -1;
    if (fd < 0)
        return NULL;
    connection *c = calloc(1, sizeof *c);
    if (!c)
        abort();
    c->fd = fd;
    c->idle_place = -1;
    c->timer.owner = c;
    c->wants_write = true;
    c->place = live_count;
    live[live_count++] = c;
    if (live_count > clients_seen.peak_connections)
        clients_seen.peak_connections = live_count;
    watch(epoll, fd, c, true, true);
    return c;
}

static void tally(int kind, uint64_t number, fault found) {
    clients_seen.ended_well[kind] += found == AS_EXPECTED;
    if (clients_seen.faults[found]++ < SHOWN_FAULTS && found > HIT_BY_OUTAGE)
        fprintf(stderr, "request %lu (%s): %s\n", (unsigned long)number, kinds[kind].name, fault_names[found]);
}

// The exchange is over, with this result; the connection is not necessarily.
static void conclude(connection *c, fault found) {
    bool excused = outage_since(c->due) && fits_outage(found, &c->response);
    tally(c->kind, c->number, excused ? HIT_BY_OUTAGE : found);
    free(c->sent_request.bytes);
    c->sent_request.bytes = NULL;
    busy_count--;
}

static void start_on(connection *c, int kind, uint64_t number, uint64_t due) {
    c->kind = kind;
    c->number = number;
    c->due = due;
    c->sent = 0;
    c->sent_request = outbound_for(&kinds[kind], number, proxy_port);
    response_start(&c->response);
    observe_start(&c->observation, &c->sent_request);
    busy_count++;
    send_rest(c);
}

void clients_ask(uint64_t number, uint64_t due) {
    int kind = kind_of(number);
    clients_seen.started[kind]++;
    connection *c = idle_count && !kinds[kind].slow ? idle[idle_count - 1] : open_connection(kinds[kind].slow);
    if (!c) {
        tally(kind, number, NO_CONNECTION);
        return;
    }
    leave_idle(c);
    start_on(c, kind, number, due);
}

// A kept connection may be closed by the proxy just as it is used again: clients then ask once more on a fresh one.
static void retry_on_fresh(connection *c) {
    int kind = c->kind;
    uint64_t number = c->number, due = c->due;
    clients_seen.stale++;
    free(c->sent_request.bytes);
    busy_count--;
    drop(c);
    connection *fresh = open_connection(kinds[kind].slow);
    if (fresh)
        start_on(fresh, kind, number, due);
    else
        tally(kind, number, NO_CONNECTION);
}

static void answer_ended(connection *c) {
    fault found = judge(&kinds[c->kind], &c->response, &c->observation);
    bool reusable = c->response.state == RESPONSE_COMPLETE && !c->response.close && !kinds[c->kind].slow &&
                    c->sent == c->sent_request.length;
    if (kinds[c->kind].ending == ENDS_WHOLE && !kinds[c->kind].events && kinds[c->kind].body_bytes < 10000)
        samples_add(&clients_seen.latency, (double)(now_ns() - c->due) / 1e3);
    conclude(c, found);
    if (!reusable) {
        drop(c);
        return;
    }
    c->used_before = true;
    c->idle_place = idle_count;
    idle[idle_count++] = c;
}

static void leave(connection *c) {
    conclude(c, judge(&kinds[c->kind], &c->response, &c->observation));
    if (c->number % 2)
        drop_by_reset(c);
    else
        drop(c);
}

static void connection_closed(connection *c) {
    bool unanswered = c->response.state == RESPONSE_HEAD && c->response.head_length == 0;
    if (!c->sent_request.bytes) {
        drop(c);
    } else if (unanswered && c->used_before) {
        retry_on_fresh(c);
    } else if (unanswered && kinds[c->kind].ending == ENDS_WHOLE) {
        conclude(c, CONNECTION_LOST);
        drop(c);
    } else {
        response_closed(&c->response);
        answer_ended(c);
    }
}

static void request_sent(connection *c) {
    if (c->wants_write)
        watch(epoll, c->fd, c, false, false);
    c->wants_write = false;
    if (kinds[c->kind].slow) { // from here on it is read by its timer only
        epoll_ctl(epoll, EPOLL_CTL_DEL, c->fd, NULL);
        timers_arm(&pending, &c->timer, now_ns() + SLOW_PERIOD);
    } else if (kinds[c->kind].ending == ENDS_LEFT_REQUEST) {
        if (c->number % 4 < 2)
            leave(c);
        else
            timers_arm(&pending, &c->timer, now_ns() + LINGER);
    }
}

static size_t bytes_to_send(const connection *c) {
    const outbound *all = &c->sent_request;
    bool half = kinds[c->kind].ending == ENDS_LEFT_REQUEST;
    return half ? all->head_length + (all->length - all->head_length) / 2 : all->length;
}

static void send_rest(connection *c) {
    size_t end = bytes_to_send(c);
    while (c->sent < end) {
        ssize_t sent = send(c->fd, c->sent_request.bytes + c->sent, end - c->sent, MSG_NOSIGNAL);
        if (sent < 0 && (errno == EAGAIN || errno == ENOTCONN)) {
            if (!c->wants_write)
                watch(epoll, c->fd, c, false, true);
            c->wants_write = true;
            return;
        }
        if (sent < 0) {
            connection_closed(c);
            return;
        }
        c->sent += (size_t)sent;
    }
    request_sent(c);
}

// Reads once. Returns whether the connection is still there and its answer still under way.
static bool read_some(connection *c, size_t limit) {
    static char buffer[1 << 16];
    ssize_t count = recv(c->fd, buffer, limit < sizeof buffer ? limit : sizeof buffer, 0);
    if (count < 0 && errno == EAGAIN)
        return true;
    if (count <= 0 || !c->sent_request.bytes) {
        if (count > 0) // bytes that nobody asked for
            tally(c->kind, c->number, FOREIGN_NONCE);
        connection_closed(c);
        return false;
    }
    size_t used = response_feed(&c->response, buffer, (size_t)count, observe, &c->observation);
    if (used < (size_t)count && c->response.state == RESPONSE_COMPLETE) { // likewise
        c->observation.foreign++;
        c->response.close = true;
    }
    if (c->response.state >= RESPONSE_COMPLETE) {
        answer_ended(c);
        return false;
    }
    if (kinds[c->kind].ending == ENDS_LEFT_ANSWER && c->observation.events >= EVENTS_BEFORE_LEAVING) {
        leave(c);
        return false;
    }
    return true;
}

static void timer_fired(connection *c) {
    if (!kinds[c->kind].slow)
        leave(c);
    else if (read_some(c, SLOW_BYTES))
        timers_arm(&pending, &c->timer, now_ns() + SLOW_PERIOD);
}

void clients_give_up_overdue(uint64_t now) {
    for (int i = live_count - 1; i >= 0; i--)
        if (live[i]->sent_request.bytes && live[i]->due + TIMEOUT < now) {
            conclude(live[i], TIMED_OUT);
            drop(live[i]);
        }
}

void clients_handle_events(uint64_t wait_ns) {
    struct epoll_event events[256];
    uint64_t now = now_ns();
    for (timer *t; (t = timers_pop_due(&pending, now));)
        timer_fired(t->owner);
    struct timespec limit = {0, (long)timers_wait_ns(&pending, now, wait_ns)};
    int ready = epoll_pwait2(epoll, events, 256, &limit, NULL);
    for (int i = 0; i < ready; i++) {
        connection *c = events[i].data.ptr;
        if (events[i].events & EPOLLOUT) { // reading comes with the next round: sending may have ended the connection
            if (c->sent_request.bytes)
                send_rest(c);
        } else if (!kinds[c->kind].slow || !c->sent_request.bytes) {
            read_some(c, SIZE_MAX);
        }
    }
}

bool clients_busy(void) {
    return busy_count > 0;
}

void clients_close(void) {
    for (int i = live_count - 1; i >= 0; i--) {
        if (live[i]->sent_request.bytes)
            conclude(live[i], TIMED_OUT);
        drop(live[i]);
    }
}

void clients_start(int port) {
    proxy_port = port;
    epoll = epoll_create1(EPOLL_CLOEXEC);
}
