/* What the C baselines share: time, percentiles, and reading and writing whole messages. */
#ifndef WIRE_H
#define WIRE_H

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define MESSAGE_BYTES 200

static inline void require(int is_fine, const char *what) {
    if (!is_fine) {
        perror(what);
        exit(1);
    }
}

static inline int64_t now_ns(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec * 1000000000LL + at.tv_nsec;
}

static inline int by_size(const void *left, const void *right) {
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

/* The value below which a `share` of the sorted values lies, in microseconds. */
static inline double percentile_us(const int64_t *sorted, long count, double share) {
    if (count == 0) return 0;
    long at = (long)(count * share);
    return sorted[at < count ? at : count - 1] / 1e3;
}

static inline void write_whole(int descriptor, const char *from, long bytes) {
    while (bytes > 0) {
        long done = write(descriptor, from, bytes);
        if (done < 0 && (errno == EAGAIN || errno == EINTR)) continue;
        require(done > 0, "write");
        from += done;
        bytes -= done;
    }
}

/* Returns 0 when the other end has gone. */
static inline int read_whole(int descriptor, char *into, long bytes) {
    while (bytes > 0) {
        long done = read(descriptor, into, bytes);
        if (done <= 0) return 0;
        into += done;
        bytes -= done;
    }
    return 1;
}

#endif
