// Load generator: sends one request over and over on a number of connections and prints what it measured as JSON.
//
//   loadgen -p PORT -b BODY [-c CONNECTIONS] [-d SECONDS] [-w WARM-UP SECONDS] [-r RATE] [-s RAMP MS] [-t] [-P PID,PID]
//
// Without -r the loop is closed: each connection sends its next request when it has its answer. With -r it is open:
// requests are due at a constant rate, whoever is idle takes the next, and latency counts from the time it was due, so
// that a stall of the proxy is seen by all requests that should have been sent meanwhile. -s opens the connections over
// that time. -t reads the mock's time stamps and measures the delay of each event. -P names the proxy's processes.
#define _GNU_SOURCE
#include <errno.h>
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
#include "marks.h"
#include "procstat.h"
#include "response.h"
#include "samples.h"

#define RSS_PERIOD (100 * NS_PER_MS)

typedef struct {
    int fd;
    bool busy, wants_write;
    size_t sent;
    uint64_t due;
    mark_reader stamps;
    response response;
} connection;

static struct {
    int port, connections, ramp_ms;
    double seconds, warm_up, rate;
    const char *body;
    bool stamps;
    watched proxy;
} options = {.connections = 64, .seconds = 4, .warm_up = 1};

static struct {
    samples latency, delay; // µs
    uint64_t answers, errors, reconnects, payload;
    bool on;
} measured;

static int epoll;
static char *request_bytes;
static size_t request_length;
static connection *connections, **idle;
static int opened, idle_count;
static uint64_t first_due, started; // of the open loop: request n is due at first_due + n / rate
static uint64_t read_at;            // when the bytes at hand were received

static void send_rest(connection *c);

static void connect_to_proxy(connection *c) {
    c->fd = dial(options.port, 0);
    c->wants_write = true;
    if (c->fd < 0) {
        perror("loadgen: connect");
        exit(1);
    }
    watch(epoll, c->fd, c, true, true);
}

static void start_request(connection *c, uint64_t due) {
    c->busy = true;
    c->sent = c->stamps.carried = 0;
    c->due = due;
    response_start(&c->response);
    send_rest(c);
}

// The connection is gone: opens a new one, and sends again what had no answer. The time goes on counting.
static void reconnect(connection *c) {
    close(c->fd);
    measured.reconnects++;
    connect_to_proxy(c);
    c->sent = c->stamps.carried = 0;
    response_start(&c->response);
}

static void broken(connection *c) {
    if (c->busy)
        measured.errors += measured.on;
    reconnect(c);
}

static void send_rest(connection *c) {
    while (c->busy && c->sent < request_length) {
        ssize_t sent = send(c->fd, request_bytes + c->sent, request_length - c->sent, MSG_NOSIGNAL);
        if (sent < 0 && (errno == EAGAIN || errno == ENOTCONN)) {
            if (!c->wants_write)
                watch(epoll, c->fd, c, false, true);
            c->wants_write = true;
            return;
        }
        if (sent < 0) {
            broken(c);
            return;
        }
        c->sent += (size_t)sent;
    }
    if (c->wants_write)
        watch(epoll, c->fd, c, false, false);
    c->wants_write = false;
}

static uint64_t due_of(uint64_t number) {
    return first_due + (uint64_t)((double)number * 1e9 / options.rate);
}

static void take_next(connection *c) {
    uint64_t now = now_ns();
    if (!options.rate) {
        start_request(c, now);
    } else if (due_of(started) <= now) {
        start_request(c, due_of(started++));
    } else {
        c->busy = false;
        idle[idle_count++] = c;
    }
}

static void answered(connection *c) {
    if (measured.on) {
        measured.answers++;
        measured.errors += c->response.status != 200;
        measured.payload += c->response.body_bytes;
        samples_add(&measured.latency, (double)(read_at - c->due) / 1e3);
    }
    c->busy = false;
    if (c->response.close)
        reconnect(c);
    take_next(c);
}

static void stamp_found(void *context, const char *digits) {
    (void)context;
    char text[21] = {0};
    memcpy(text, digits, 20);
    uint64_t sent_at = strtoull(text, NULL, 10) - STAMP_BASE;
    if (sent_at && measured.on)
        samples_add(&measured.delay, (double)(int64_t)(read_at - sent_at) / 1e3);
}

static void payload(void *context, const char *bytes, size_t count) {
    static const mark_kind stamp = {.mark = "\"ts\":", .value_length = 20, .found = stamp_found};
    connection *c = context;
    if (options.stamps)
        marks_read(&c->stamps, &stamp, bytes, count, c);
}

static void readable(connection *c) {
    static char buffer[1 << 17];
    ssize_t count = recv(c->fd, buffer, sizeof buffer, 0);
    if (count < 0 && errno == EAGAIN)
        return;
    read_at = now_ns();
    if (!c->busy) { // an idle connection was closed, or the proxy sends without being asked
        reconnect(c);
        return;
    }
    if (count <= 0)
        response_closed(&c->response);
    else
        response_feed(&c->response, buffer, (size_t)count, payload, c);
    if (c->response.state == RESPONSE_COMPLETE)
        answered(c);
    else if (count <= 0 || c->response.state == RESPONSE_BROKEN)
        broken(c);
}

static void open_due(uint64_t begun, uint64_t now) {
    int wanted = options.connections;
    if (options.ramp_ms && now < begun + (uint64_t)options.ramp_ms * NS_PER_MS)
        wanted = (int)((now - begun) * (uint64_t)options.connections / ((uint64_t)options.ramp_ms * NS_PER_MS)) + 1;
    while (opened < wanted) {
        connection *c = &connections[opened++];
        connect_to_proxy(c);
        if (options.rate)
            idle[idle_count++] = c;
        else
            start_request(c, now_ns());
    }
}

static uint64_t sleep_ns(uint64_t now, uint64_t end) {
    uint64_t wait = opened < options.connections ? NS_PER_MS : 20 * NS_PER_MS;
    if (options.rate && idle_count)
        wait = due_of(started) > now && due_of(started) - now < wait ? due_of(started) - now : wait;
    return end > now && end - now < wait ? end - now : wait;
}

static void run_until(uint64_t end, uint64_t begun, long *peak_kb) {
    struct epoll_event events[512];
    uint64_t next_rss = 0;
    for (uint64_t now; (now = now_ns()) < end;) {
        open_due(begun, now);
        if (now >= next_rss) {
            long resident = resident_kb(&options.proxy);
            *peak_kb = resident > *peak_kb ? resident : *peak_kb;
            next_rss = now + RSS_PERIOD;
        }
        while (options.rate && idle_count && due_of(started) <= now)
            start_request(idle[--idle_count], due_of(started)), started++;
        uint64_t wait = sleep_ns(now_ns(), end);
        struct timespec limit = {0, (long)wait};
        int ready = epoll_pwait2(epoll, events, 512, &limit, NULL);
        for (int i = 0; i < ready; i++) {
            connection *c = events[i].data.ptr;
            if ((events[i].events & EPOLLOUT) && c->wants_write)
                send_rest(c);
            if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
                readable(c);
        }
    }
}

static void read_request(void) {
    FILE *file = fopen(options.body, "r");
    if (!file) {
        perror("loadgen: body");
        exit(1);
    }
    fseek(file, 0, SEEK_END);
    size_t size = (size_t)ftell(file);
    rewind(file);
    request_bytes = malloc(size + 512);
    request_length = (size_t)sprintf(request_bytes,
                                     "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
                                     "User-Agent: loadgen/1\r\n"
                                     "Authorization: Bearer sk-benchmark-only-0123456789abcdef\r\n"
                                     "Accept: application/json\r\nContent-Type: application/json\r\n"
                                     "Content-Length: %zu\r\n\r\n",
                                     options.port, size);
    request_length += fread(request_bytes + request_length, 1, size, file);
    fclose(file);
}

static void read_options(int count, char **arguments) {
    for (int option; (option = getopt(count, arguments, "p:b:c:d:w:r:s:tP:")) != -1;)
        switch (option) {
        case 'p': options.port = atoi(optarg); break;
        case 'b': options.body = optarg; break;
        case 'c': options.connections = atoi(optarg); break;
        case 'd': options.seconds = atof(optarg); break;
        case 'w': options.warm_up = atof(optarg); break;
        case 'r': options.rate = atof(optarg); break;
        case 's': options.ramp_ms = atoi(optarg); break;
        case 't': options.stamps = true; break;
        case 'P': options.proxy = watched_from(optarg); break;
        default: exit(64);
        }
    if (!options.port || !options.body) {
        fprintf(stderr, "loadgen: -p and -b are needed\n");
        exit(64);
    }
}

static void print_results(double seconds, double proxy_cpu, double own_cpu, long peak_kb) {
    printf("{\"seconds\":%.3f,\"answers\":%lu,\"errors\":%lu,\"reconnects\":%lu,\"rps\":%.1f,\"body_bytes\":%.0f,",
           seconds, measured.answers, measured.errors, measured.reconnects, (double)measured.answers / seconds,
           measured.answers ? (double)measured.payload / (double)measured.answers : 0);
    printf("\"events\":%zu,\"proxy_cpu_s\":%.2f,\"loadgen_cpu_s\":%.2f,\"rss_peak_kb\":%ld,\"latency_us\":",
           measured.delay.count, proxy_cpu, own_cpu, peak_kb);
    samples_print(&measured.latency);
    printf(",\"delay_us\":");
    samples_print(&measured.delay);
    printf("}\n");
}

int main(int count, char **arguments) {
    signal(SIGPIPE, SIG_IGN);
    read_options(count, arguments);
    read_request();
    epoll = epoll_create1(EPOLL_CLOEXEC);
    connections = calloc((size_t)options.connections, sizeof *connections);
    idle = calloc((size_t)options.connections, sizeof *idle);
    long peak_kb = 0;
    uint64_t begun = now_ns(), warm = begun + (uint64_t)(options.warm_up * 1e9);
    first_due = begun + 200 * NS_PER_MS;

    run_until(warm, begun, &peak_kb);
    double proxy_cpu = cpu_seconds(&options.proxy), own_cpu = own_cpu_seconds();
    uint64_t from = now_ns();
    measured.on = true;
    run_until(warm + (uint64_t)(options.seconds * 1e9), begun, &peak_kb);
    double seconds = (double)(now_ns() - from) / 1e9;

    print_results(seconds, cpu_seconds(&options.proxy) - proxy_cpu, own_cpu_seconds() - own_cpu, peak_kb);
    return 0;
}
