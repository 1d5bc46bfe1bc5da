// Sockets on loopback.
#pragma once
#include <stdbool.h>

// A listening, non-blocking socket; ends the process when the port is taken.
int listen_on(int port);

// A non-blocking socket whose connection is under way, or -1.
int dial(int port, int receive_buffer_bytes);

// (Un)registers interest in writability beside the interest in reading.
void watch(int epoll, int fd, void *owner, bool add, bool writable);
