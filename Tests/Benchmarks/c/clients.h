// The clients of the endurance test: connections that are kept and used again, and one request at a time on each.
#pragma once
#include "samples.h"
#include "verdict.h"

struct client_results {
    long started[KIND_COUNT], ended_well[KIND_COUNT], faults[FAULT_COUNT];
    long stale; // asked again, because a kept connection was closed as it was used
    int peak_connections;
    samples latency; // µs, of small requests answered in JSON, from the time they were due
};

extern struct client_results clients_seen;

void clients_start(int port);

// Begins a request on the connection that was used last, or on a new one when all are busy.
void clients_ask(uint64_t number, uint64_t due_ns);

// Serves timers and sockets; waits at most so long for something to happen.
void clients_handle_events(uint64_t wait_ns);

// Concludes requests that have had no whole answer for a minute.
void clients_give_up_overdue(uint64_t now);

// Whether any request is under way.
bool clients_busy(void);

// Closes all connections; what is still under way has timed out.
void clients_close(void);
