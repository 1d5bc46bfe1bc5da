#define _GNU_SOURCE
#include "outage.h"

#include <signal.h>
#include <stdatomic.h>

#include "clock.h"

// Of the last outage; before the first one, nothing began before its end.
static _Atomic uint64_t ended;

static void note(int signal) {
    ended = signal == SIGUSR1 ? UINT64_MAX : now_ns();
}

void outage_watch(void) {
    struct sigaction action = {.sa_handler = note, .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGUSR2, &action, NULL);
}

bool outage_since(uint64_t begun_ns) {
    return begun_ns < ended;
}
