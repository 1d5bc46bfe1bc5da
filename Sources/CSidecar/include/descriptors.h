#pragma once

#include <stddef.h>
#include <sys/types.h>

/// How many descriptors one message may carry.
#define SIDECAR_MOST_DESCRIPTORS 8

/// Sends one message, and descriptors with it (unix(7), SCM_RIGHTS).
///
/// - `socket`: a connected Unix socket of kind SOCK_SEQPACKET.
/// - Returns: 0, or what `errno` was; EINVAL for more than SIDECAR_MOST_DESCRIPTORS.
int sidecar_send_descriptors(
    int socket, const void *bytes, size_t count, const int *descriptors, size_t descriptor_count);

/// Receives one message whole, with the descriptors that came with it; they are the caller's to close, and no program
/// that is executed inherits them.
///
/// - `descriptors`: has room for SIDECAR_MOST_DESCRIPTORS.
/// - `descriptor_count`: how many came; 0 when the call fails.
/// - Returns: the length of the message, 0 at the end, or -1 with `errno`; EMSGSIZE when either did not fit, and
///   nothing of it is kept then.
ssize_t sidecar_receive_descriptors(
    int socket, void *bytes, size_t capacity, int *descriptors, size_t *descriptor_count);

/// Who made the other end of a connected Unix socket (unix(7), SO_PEERCRED).
///
/// - Returns: 0, or what `errno` was.
int sidecar_peer(int socket, uid_t *user, pid_t *process);

/// Accepts a connection whose descriptor no program inherits that is executed.
///
/// - Returns: the descriptor, or -1 with `errno`.
int sidecar_accept(int listener);
