/* The raw limit of the whole path: the system calls that Tandem makes for an order, and no more.

   pipeline FOLDER closed|paced AMOUNT SECONDS whole|bare joined|single

   A coordinator, 8 workers and (whole) an exchange are processes on Unix sockets and epoll. An
   order is decided, written into a preallocated journal and synced (fdatasync) with all that came
   in the same round, sent to its worker and from there to the exchange, which writes its own
   journal without a sync and answers with two reports; they come back the same way, are made
   durable, and acknowledged. In a bare pipeline the workers answer themselves. Joined: everything
   for one connection in one round is one write, as on Tandem's links; single: each message is.

   closed: AMOUNT orders are always on their way; paced: AMOUNT orders a second. Prints orders a
   second, and how long after its decision a worker holds an order, p50 and p99 in microseconds. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include "wire.h"

#define WORKERS 8
#define CAPACITY 65536
#define SAMPLES 4000000
#define JOURNAL_BYTES (64L << 20)

enum kind { ORDER, ACCEPTED, FILLED, ACKNOWLEDGED };

struct message {
    uint32_t kind;
    uint32_t worker;
    int64_t decided_ns;
    int64_t held_ns;
    char rest[MESSAGE_BYTES - 24];
};

/* One end of a connection: what was read and not yet taken, and what waits to be written. */
struct end {
    int descriptor;
    long got;
    long waiting;
    char in[CAPACITY];
    struct message out[CAPACITY / MESSAGE_BYTES];
};

struct journal {
    int descriptor;
    long offset;
    long waiting;
    struct message records[4 * CAPACITY / MESSAGE_BYTES];
};

typedef void (*taker)(struct end *from, struct message *message);

static struct end to_worker[WORKERS], to_coordinator, to_exchange, to_session[WORKERS];
static struct journal journal;
static int is_whole, is_joined;

static void flush(struct end *end) {
    if (end->waiting == 0) return;
    write_whole(end->descriptor, (char *)end->out, end->waiting * MESSAGE_BYTES);
    end->waiting = 0;
}

static void send_on(struct end *end, const struct message *message) {
    end->out[end->waiting++] = *message;
    if (!is_joined || end->waiting == (long)(CAPACITY / MESSAGE_BYTES)) flush(end);
}

/* Reads once and hands on every whole message; returns 0 when the other end has gone. */
static int take(struct end *end, taker on_message) {
    long done = read(end->descriptor, end->in + end->got, CAPACITY - end->got);
    if (done <= 0) return done < 0 && errno == EAGAIN;
    end->got += done;
    long at = 0;
    for (; end->got - at >= MESSAGE_BYTES; at += MESSAGE_BYTES) {
        struct message message;
        memcpy(&message, end->in + at, sizeof message);
        on_message(end, &message);
    }
    memmove(end->in, end->in + at, end->got - at);
    end->got -= at;
    return 1;
}

static void watch(int epoll, struct end *end, int descriptor) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = end};
    end->descriptor = descriptor;
    fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK);
    require(epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0, "epoll_ctl");
}

static void open_journal(const char *folder, const char *name) {
    static char zeros[1 << 20];
    char path[4096];
    snprintf(path, sizeof path, "%s/%s-%d", folder, name, (int)getpid());
    journal.descriptor = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
    require(journal.descriptor >= 0, path);
    unlink(path);
    for (long at = 0; at < JOURNAL_BYTES; at += sizeof zeros) {
        write_whole(journal.descriptor, zeros, sizeof zeros);
    }
    require(fsync(journal.descriptor) == 0, "fsync");
}

static void record(const struct message *message) {
    journal.records[journal.waiting++] = *message;
}

static void commit(int is_synced) {
    long bytes = journal.waiting * MESSAGE_BYTES;
    if (bytes == 0) return;
    if (journal.offset + bytes > JOURNAL_BYTES) journal.offset = 0;
    require(pwrite(journal.descriptor, journal.records, bytes, journal.offset) == bytes, "pwrite");
    if (is_synced) require(fdatasync(journal.descriptor) == 0, "fdatasync");
    journal.offset += bytes;
    journal.waiting = 0;
}

static void answer(struct end *end, struct message *message) {
    message->kind = ACCEPTED;
    send_on(end, message);
    message->kind = FILLED;
    send_on(end, message);
}

/* -- the exchange */

static void on_request(struct end *from, struct message *message) {
    record(message);
    answer(from, message);
}

static void run_exchange(const char *folder, int sessions[WORKERS][2]) {
    int epoll = epoll_create1(0);
    open_journal(folder, "exchange");
    for (int one = 0; one < WORKERS; one++) watch(epoll, &to_session[one], sessions[one][1]);
    for (;;) {
        struct epoll_event events[WORKERS];
        int count = epoll_wait(epoll, events, WORKERS, -1);
        for (int at = 0; at < count; at++) {
            if (!take(events[at].data.ptr, on_request)) _exit(0);
        }
        commit(0);
        for (int one = 0; one < WORKERS; one++) flush(&to_session[one]);
    }
}

/* -- a worker */

static void on_words(struct end *from, struct message *message) {
    if (from == &to_exchange) {
        send_on(&to_coordinator, message);
    } else if (message->kind == ORDER) {
        message->held_ns = now_ns();
        if (is_whole) {
            send_on(&to_exchange, message);
        } else {
            answer(&to_coordinator, message);
        }
    }
}

static void run_worker(int coordinator, int exchange) {
    int epoll = epoll_create1(0);
    watch(epoll, &to_coordinator, coordinator);
    if (is_whole) watch(epoll, &to_exchange, exchange);
    for (;;) {
        struct epoll_event events[2];
        int count = epoll_wait(epoll, events, 2, -1);
        for (int at = 0; at < count; at++) {
            if (!take(events[at].data.ptr, on_words)) _exit(0);
        }
        flush(&to_coordinator);
        if (is_whole) flush(&to_exchange);
    }
}

/* -- the coordinator */

static int64_t *held;
static long ended, decided, wanted, wave;
static int has_news[WORKERS];
static struct message wave_of[CAPACITY];

static void decide(void) {
    struct message order = {.kind = ORDER, .worker = decided++ % WORKERS, .decided_ns = now_ns()};
    wave_of[wave++] = order;
    record(&order);
}

static void on_report(struct end *from, struct message *message) {
    (void)from;
    record(message);
    has_news[message->worker] = 1;
    if (message->kind != FILLED) return;
    if (ended < SAMPLES) held[ended] = message->held_ns - message->decided_ns;
    ended++;
    wanted++;
}

static void perform(void) {
    commit(1);
    for (long at = 0; at < wave; at++) send_on(&to_worker[wave_of[at].worker], &wave_of[at]);
    wave = 0;
    for (int one = 0; one < WORKERS; one++) {
        struct message acknowledged = {.kind = ACKNOWLEDGED, .worker = one};
        if (has_news[one]) send_on(&to_worker[one], &acknowledged);
        has_news[one] = 0;
        flush(&to_worker[one]);
    }
}

static int pace(int epoll, long rate) {
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    struct timespec every = {.tv_sec = rate == 1, .tv_nsec = rate == 1 ? 0 : 1000000000L / rate};
    struct itimerspec spec = {.it_interval = every, .it_value = every};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    require(timer >= 0 && timerfd_settime(timer, 0, &spec, NULL) == 0, "timerfd");
    require(epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &event) == 0, "epoll_ctl");
    return timer;
}

static void run_coordinator(int links[WORKERS][2], long amount, double seconds, int is_paced) {
    int epoll = epoll_create1(0), timer = -1;
    for (int one = 0; one < WORKERS; one++) watch(epoll, &to_worker[one], links[one][0]);
    if (is_paced) timer = pace(epoll, amount);
    wanted = is_paced ? 0 : amount;
    int64_t begin = now_ns(), end = begin + (int64_t)(seconds * 1e9);
    while (now_ns() < end) {
        struct epoll_event events[WORKERS + 1];
        int count = epoll_wait(epoll, events, WORKERS + 1, wanted ? 0 : 100);
        long already = wanted; /* what ended in this round is durable only after it */
        for (int at = 0; at < count; at++) {
            uint64_t ticks = 0;
            if (events[at].data.ptr != NULL) {
                require(take(events[at].data.ptr, on_report), "a worker has gone");
            } else if (read(timer, &ticks, sizeof ticks) == sizeof ticks) {
                while (ticks-- > 0) decide();
            }
        }
        if (is_paced) {
            wanted = 0;
        } else {
            for (; already > 0; already--, wanted--) decide();
        }
        perform();
    }
    double took = (now_ns() - begin) / 1e9;
    long samples = ended < SAMPLES ? ended : SAMPLES;
    qsort(held, samples, sizeof *held, by_size);
    printf("{\"orders_per_second\": %.0f, \"p50_us\": %.1f, \"p99_us\": %.1f}\n", ended / took,
           percentile_us(held, samples, 0.5), percentile_us(held, samples, 0.99));
}

int main(int count, char **arguments) {
    require(count == 7, "usage: pipeline FOLDER closed|paced AMOUNT SECONDS whole|bare joined|single");
    int links[WORKERS][2], sessions[WORKERS][2];
    is_whole = strcmp(arguments[5], "whole") == 0;
    is_joined = strcmp(arguments[6], "joined") == 0;
    for (int one = 0; one < WORKERS; one++) {
        require(socketpair(AF_UNIX, SOCK_STREAM, 0, links[one]) == 0, "socketpair");
        require(socketpair(AF_UNIX, SOCK_STREAM, 0, sessions[one]) == 0, "socketpair");
    }
    pid_t children[WORKERS + 1];
    for (int one = 0; one <= WORKERS; one++) {
        children[one] = fork();
        require(children[one] >= 0, "fork");
        if (children[one] > 0) continue;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (one < WORKERS) run_worker(links[one][1], sessions[one][0]);
        run_exchange(arguments[1], sessions);
    }
    held = malloc(SAMPLES * sizeof *held);
    open_journal(arguments[1], "coordinator");
    usleep(300000); /* the exchange writes its zeros meanwhile */
    run_coordinator(links, atol(arguments[3]), atof(arguments[4]),
                    strcmp(arguments[2], "paced") == 0);
    for (int one = 0; one <= WORKERS; one++) kill(children[one], SIGKILL);
    return 0;
}
