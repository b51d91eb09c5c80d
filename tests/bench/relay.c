/* A plain relay, to hold the plane against: epoll, recvmmsg, a new header, sendmmsg; no audio is looked at.
 *
 * relay TICK_MS LEGS DESCRIPTOR...
 *
 * The descriptors are bound UDP sockets; leg n is heard and spoken to at the one at n modulo their number,
 * and its partner is n xor 1. Standard input has the port of each leg, all on 127.0.0.1, one a line. Every
 * further line is answered: packets relayed, datagrams that found a full buffer, µs of user and of kernel
 * CPU so far. It ends with its input. With a TICK_MS of 0 it wakes up for each packet, else every so often.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH 512
#define SLOT 512
#define MOST 64
#define MEMINFO 55

struct side {
    int fd;
    char slots[BATCH][SLOT];
    struct sockaddr_in from[BATCH];
    struct iovec in_iov[BATCH];
    struct mmsghdr in[BATCH];
    struct iovec out_iov[MOST * BATCH];
    struct mmsghdr out[MOST * BATCH];
    int waiting;
};

static struct side *sides[MOST];
static int side_count, legs;
static int leg_at[65536];
static struct sockaddr_in *addresses;
static unsigned long relayed;

static void open_side(int fd) {
    struct side *side = calloc(1, sizeof *side);
    side->fd = fd;
    for (int row = 0; row < BATCH; row++) {
        side->in_iov[row] = (struct iovec){side->slots[row], SLOT};
        side->in[row].msg_hdr.msg_iov = &side->in_iov[row];
        side->in[row].msg_hdr.msg_iovlen = 1;
        side->in[row].msg_hdr.msg_name = &side->from[row];
    }
    sides[side_count++] = side;
}

static void pass_on(struct side *side, int row) {
    int leg = leg_at[ntohs(side->from[row].sin_port)] - 1;
    if (leg < 0 || side->in[row].msg_len < 12)
        return;
    int partner = leg ^ 1;
    unsigned char *packet = (unsigned char *)side->slots[row];
    uint16_t sequence;
    uint32_t timestamp, ssrc = htonl((uint32_t)partner + 1);
    memcpy(&sequence, packet + 2, 2);
    memcpy(&timestamp, packet + 4, 4);
    sequence = htons(ntohs(sequence) + 5);
    timestamp = htonl(ntohl(timestamp) + 160);
    memcpy(packet + 2, &sequence, 2);
    memcpy(packet + 4, &timestamp, 4);
    memcpy(packet + 8, &ssrc, 4);
    struct side *other = sides[partner % side_count];
    int at = other->waiting++;
    other->out_iov[at] = (struct iovec){packet, side->in[row].msg_len};
    other->out[at].msg_hdr = (struct msghdr){
        .msg_name = &addresses[partner],
        .msg_namelen = sizeof addresses[partner],
        .msg_iov = &other->out_iov[at],
        .msg_iovlen = 1,
    };
}

static void hear(struct side *side) {
    for (int row = 0; row < BATCH; row++)
        side->in[row].msg_hdr.msg_namelen = sizeof side->from[row];
    int came = recvmmsg(side->fd, side->in, BATCH, MSG_DONTWAIT, NULL);
    for (int row = 0; row < came; row++)
        pass_on(side, row);
}

static void say(void) {
    for (int n = 0; n < side_count; n++) {
        struct side *side = sides[n];
        int gone = 0;
        while (gone < side->waiting) {
            int sent = sendmmsg(side->fd, side->out + gone, side->waiting - gone, MSG_DONTWAIT);
            if (sent <= 0)
                break;
            gone += sent;
        }
        relayed += gone;
        side->waiting = 0;
    }
}

static void tell(void) {
    unsigned long dropped = 0;
    struct rusage used;
    for (int n = 0; n < side_count; n++) {
        uint32_t counters[9] = {0};
        socklen_t size = sizeof counters;
        getsockopt(sides[n]->fd, SOL_SOCKET, MEMINFO, counters, &size);
        dropped += counters[8];
    }
    getrusage(RUSAGE_SELF, &used);
    printf("%lu %lu %ld %ld\n", relayed, dropped,
           used.ru_utime.tv_sec * 1000000L + used.ru_utime.tv_usec,
           used.ru_stime.tv_sec * 1000000L + used.ru_stime.tv_usec);
    fflush(stdout);
}

static int asked(void) {
    char line[64];
    ssize_t size = read(0, line, sizeof line);
    for (ssize_t at = 0; at < size; at++)
        if (line[at] == '\n')
            tell();
    return size > 0;
}

static void wait_for_tick(struct timespec *due, long tick_ns) {
    struct timespec now;
    due->tv_nsec += tick_ns;
    if (due->tv_nsec >= 1000000000L) {
        due->tv_nsec -= 1000000000L;
        due->tv_sec++;
    }
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (now.tv_sec > due->tv_sec || (now.tv_sec == due->tv_sec && now.tv_nsec > due->tv_nsec))
        *due = now;
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, due, NULL);
}

static void read_ports(void) {
    /* Without a buffer of its own: what comes after is read with read(2). */
    setvbuf(stdin, NULL, _IONBF, 0);
    for (int leg = 0; leg < legs; leg++) {
        int port;
        if (scanf("%d", &port) != 1 || port < 1 || port > 65535)
            exit(2);
        leg_at[port] = leg + 1;
        addresses[leg].sin_family = AF_INET;
        addresses[leg].sin_port = htons(port);
        addresses[leg].sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    }
}

int main(int count, char **arguments) {
    if (count < 4 || count - 3 > MOST)
        return 2;
    long tick_ns = atol(arguments[1]) * 1000000L;
    legs = atoi(arguments[2]);
    addresses = calloc(legs, sizeof *addresses);
    int poll = epoll_create1(0);
    struct epoll_event ready[MOST + 1];
    for (int n = 3; n < count; n++) {
        open_side(atoi(arguments[n]));
        struct epoll_event wanted = {.events = EPOLLIN, .data.ptr = sides[n - 3]};
        epoll_ctl(poll, EPOLL_CTL_ADD, sides[n - 3]->fd, &wanted);
    }
    read_ports();
    struct epoll_event input = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(poll, EPOLL_CTL_ADD, 0, &input);
    struct timespec due;
    clock_gettime(CLOCK_MONOTONIC, &due);
    for (;;) {
        if (tick_ns)
            wait_for_tick(&due, tick_ns);
        int number = epoll_wait(poll, ready, MOST + 1, tick_ns ? 0 : -1);
        for (int n = 0; n < number; n++)
            if (ready[n].data.ptr)
                hear(ready[n].data.ptr);
            else if (!asked())
                return 0;
        say();
    }
}
