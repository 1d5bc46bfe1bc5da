// Open-loop load of mixed requests, good and bad, whose answers are all checked; prints what it found as JSON.
//
//   endurance -p PORT -d SECONDS [-r REQUESTS A SECOND] [-n FIRST]
//
// Requests begin at a constant rate whatever the proxy does. They are numbered from FIRST, and their nonces made
// from the numbers, so that a later run against the same proxy does not take an answer to an earlier one for its
// own. SIGUSR1 says that the upstream goes away, SIGUSR2 that it is back. outbound.h has the kinds of requests,
// verdict.h what counts as a fault.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "clients.h"
#include "clock.h"
#include "outage.h"

#define DRAIN (20 * NS_PER_S) // for what is still under way when the time is up

static struct {
    int port;
    double seconds, rate;
    uint64_t first_number;
} options = {.seconds = 60, .rate = 500};

// Runs until `end`; starts requests before `last_start`. Returns early when nothing is under way any more.
static void run(uint64_t begun, uint64_t last_start, uint64_t end) {
    uint64_t number = 0, next_check = begun;
    for (uint64_t now; (now = now_ns()) < end && (now < last_start || clients_busy());) {
        uint64_t due;
        while ((due = begun + (uint64_t)((double)number * 1e9 / options.rate)) <= now && due < last_start)
            clients_ask(options.first_number + number++, due);
        if (now >= next_check) {
            clients_give_up_overdue(now);
            next_check = now + NS_PER_S;
        }
        uint64_t idle_ns = due > now && due < last_start ? due - now : 10 * NS_PER_MS;
        clients_handle_events(idle_ns < 10 * NS_PER_MS ? idle_ns : 10 * NS_PER_MS);
    }
    clients_close();
}

static void print_results(double seconds) {
    printf("{\"seconds\":%.1f,\"peak_connections\":%d,\"stale\":%ld,\"hit_by_outage\":%ld,\"kinds\":{", seconds,
           clients_seen.peak_connections, clients_seen.stale, clients_seen.faults[HIT_BY_OUTAGE]);
    for (int i = 0; i < KIND_COUNT; i++)
        printf("%s\"%s\":{\"started\":%ld,\"as_expected\":%ld}", i ? "," : "", kinds[i].name,
               clients_seen.started[i], clients_seen.ended_well[i]);
    printf("},\"faults\":{");
    for (int i = HIT_BY_OUTAGE + 1; i < FAULT_COUNT; i++)
        printf("%s\"%s\":%ld", i > HIT_BY_OUTAGE + 1 ? "," : "", fault_names[i], clients_seen.faults[i]);
    printf("},\"latency_us\":");
    samples_print(&clients_seen.latency);
    printf("}\n");
}

int main(int count, char **arguments) {
    signal(SIGPIPE, SIG_IGN);
    outage_watch();
    for (int option; (option = getopt(count, arguments, "p:d:r:n:")) != -1;)
        switch (option) {
        case 'p': options.port = atoi(optarg); break;
        case 'd': options.seconds = atof(optarg); break;
        case 'r': options.rate = atof(optarg); break;
        case 'n': options.first_number = strtoull(optarg, NULL, 10); break;
        default: return 64;
        }
    if (!options.port || options.rate <= 0) {
        fprintf(stderr, "endurance: -p is needed, and -r above 0\n");
        return 64;
    }
    clients_start(options.port);
    uint64_t begun = now_ns(), last_start = begun + (uint64_t)(options.seconds * 1e9);
    run(begun, last_start, last_start + DRAIN);
    print_results((double)(now_ns() - begun) / 1e9);
    return 0;
}
