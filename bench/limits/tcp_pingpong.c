/* The raw limit of a round trip between computers, in the clear: one message to and fro over TCP
   on this one's loopback.

   tcp_pingpong COUNT BYTES: two processes, blocking reads and writes, TCP_NODELAY at both ends.
   Prints p50 and p99 in microseconds. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "wire.h"

static void leave_at_once(int connection) {
    int on = 1;
    require(setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0, "nodelay");
}

int main(int count_of_arguments, char **arguments) {
    require(count_of_arguments == 3, "usage: tcp_pingpong COUNT BYTES");
    long count = atol(arguments[1]), bytes = atol(arguments[2]), warm = count / 10;
    char *message = calloc(1, bytes);
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof where;
    int listening = socket(AF_INET, SOCK_STREAM, 0);
    require(bind(listening, (struct sockaddr *)&where, length) == 0, "bind");
    require(listen(listening, 1) == 0, "listen");
    require(getsockname(listening, (struct sockaddr *)&where, &length) == 0, "getsockname");
    pid_t child = fork();
    require(child >= 0, "fork");
    if (child == 0) {
        int end = accept(listening, NULL, NULL);
        require(end >= 0, "accept");
        leave_at_once(end);
        while (read_whole(end, message, bytes)) write_whole(end, message, bytes);
        _exit(0);
    }
    int end = socket(AF_INET, SOCK_STREAM, 0);
    require(connect(end, (struct sockaddr *)&where, sizeof where) == 0, "connect");
    leave_at_once(end);
    int64_t *took = malloc(count * sizeof *took);
    for (long number = -warm; number < count; number++) {
        int64_t begin = now_ns();
        write_whole(end, message, bytes);
        require(read_whole(end, message, bytes), "read");
        if (number >= 0) took[number] = now_ns() - begin;
    }
    close(end);
    waitpid(child, NULL, 0);
    qsort(took, count, sizeof *took, by_size);
    printf("{\"p50_us\": %.2f, \"p99_us\": %.2f}\n", percentile_us(took, count, 0.5),
           percentile_us(took, count, 0.99));
    return 0;
}
