/* The raw limit of a round trip: one 200-byte message to and fro on a Unix socket.

   pingpong COUNT: two processes, blocking reads and writes. Prints p50 and p99 in microseconds. */
#include <sys/socket.h>
#include <sys/wait.h>

#include "wire.h"

int main(int count_of_arguments, char **arguments) {
    require(count_of_arguments == 2, "usage: pingpong COUNT");
    long count = atol(arguments[1]), warm = count / 10;
    int ends[2];
    char message[MESSAGE_BYTES] = {0};
    require(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "socketpair");
    pid_t child = fork();
    require(child >= 0, "fork");
    if (child == 0) {
        close(ends[0]);
        while (read_whole(ends[1], message, sizeof message)) {
            write_whole(ends[1], message, sizeof message);
        }
        _exit(0);
    }
    close(ends[1]);
    int64_t *took = malloc(count * sizeof *took);
    for (long number = -warm; number < count; number++) {
        int64_t begin = now_ns();
        write_whole(ends[0], message, sizeof message);
        require(read_whole(ends[0], message, sizeof message), "read");
        if (number >= 0) took[number] = now_ns() - begin;
    }
    close(ends[0]);
    waitpid(child, NULL, 0);
    qsort(took, count, sizeof *took, by_size);
    printf("{\"p50_us\": %.2f, \"p99_us\": %.2f}\n", percentile_us(took, count, 0.5),
           percentile_us(took, count, 0.99));
    return 0;
}
