// When the upstream was away: whoever restarts it says so, by SIGUSR1 before and by SIGUSR2 once it answers again.
#pragma once
#include <stdbool.h>
#include <stdint.h>

// Begins to listen for the signals.
void outage_watch(void);

// Whether the upstream was away at any time since then. Right for what is judged as soon as it ends: whatever was under
// way in an earlier outage, and in none later, has been judged.
bool outage_since(uint64_t begun_ns);
