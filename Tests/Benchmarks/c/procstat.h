// What the kernel says about the processes of the proxy under test.
#pragma once

#define MAX_WATCHED 64

typedef struct {
    int pids[MAX_WATCHED];
    int count;
} watched;

// Reads a list such as "12,13".
watched watched_from(const char *list);

// CPU seconds used so far, in user and system mode together.
double cpu_seconds(const watched *w);

// The same of this process.
double own_cpu_seconds(void);

// Resident memory, the processes added up.
long resident_kb(const watched *w);
