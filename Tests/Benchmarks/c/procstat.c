#include "procstat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

watched watched_from(const char *list) {
    watched w = {.count = 0};
    while (*list && w.count < MAX_WATCHED) {
        char *end;
        w.pids[w.count++] = (int)strtol(list, &end, 10);
        list = *end == ',' ? end + 1 : "";
    }
    return w;
}

// Reads a small file of /proc; returns "" when the process is gone.
static const char *read_proc(int pid, const char *name) {
    static char text[4096];
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
    text[0] = 0;
    FILE *file = fopen(path, "r");
    if (!file)
        return text;
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    return text;
}

double cpu_seconds(const watched *w) {
    unsigned long ticks = 0;
    for (int i = 0; i < w->count; i++) {
        // The name in brackets may hold anything, so the fields are counted from its end.
        const char *after_name = strrchr(read_proc(w->pids[i], "stat"), ')');
        unsigned long user, system;
        if (after_name &&
            sscanf(after_name + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) == 2)
            ticks += user + system;
    }
    return (double)ticks / (double)sysconf(_SC_CLK_TCK);
}

long resident_kb(const watched *w) {
    long total = 0;
    for (int i = 0; i < w->count; i++) {
        const char *line = strstr(read_proc(w->pids[i], "status"), "\nVmRSS:");
        total += line ? atol(line + sizeof "\nVmRSS:" - 1) : 0;
    }
    return total;
}

double own_cpu_seconds(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}
