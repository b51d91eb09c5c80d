/* Phones that talk: each leg sends 172 bytes of RTP every 20 ms from a socket of its own, and reads what comes.
 *
 * blaster LEGS DESCRIPTOR...
 *
 * The descriptors are bound UDP sockets of 127.0.0.1, one a leg. Standard input has the port that each leg
 * sends to, one a line. Every further line is answered: packets sent, packets that came, and of the delay from
 * phone to phone the median, the 99th percentile and the worst, in microseconds. It ends with its input. A
 * fiftieth of the legs sends at each millisecond, so that no two groups send at the same moment.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define GROUPS 20
#define SIZE 172
#define BUCKETS 20000
#define BUCKET_US 50
#define EVENTS 512

static int legs, *sockets;
static struct sockaddr_in *targets;
static unsigned long sent, came, delays[BUCKETS];
static uint64_t worst;

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void say(int leg, uint32_t turn) {
    unsigned char packet[SIZE];
    uint64_t when = now_ns();
    uint32_t stamp = htonl(turn * 160), source = htonl((uint32_t)leg + 1);
    uint16_t sequence = htons((uint16_t)turn);
    packet[0] = 0x80;
    packet[1] = 8;
    memcpy(packet + 2, &sequence, 2);
    memcpy(packet + 4, &stamp, 4);
    memcpy(packet + 8, &source, 4);
    memcpy(packet + 12, "cf", 2);
    memcpy(packet + 14, &when, 8);
    for (int at = 22; at < SIZE; at++)
        packet[at] = (unsigned char)(0xd0 + (at * 7 + leg) % 8);
    if (sendto(sockets[leg], packet, SIZE, 0, (struct sockaddr *)&targets[leg], sizeof *targets) == SIZE)
        sent++;
}

static void hear(int leg) {
    unsigned char packet[512];
    ssize_t size;
    while ((size = recv(sockets[leg], packet, sizeof packet, MSG_DONTWAIT)) > 0) {
        /* A word of ours, such as a greeting, bears no mark. */
        if (size < 22 || memcmp(packet + 12, "cf", 2))
            continue;
        uint64_t when, late;
        memcpy(&when, packet + 14, 8);
        late = (now_ns() - when) / 1000;
        came++;
        delays[late / BUCKET_US < BUCKETS ? late / BUCKET_US : BUCKETS - 1]++;
        worst = late > worst ? late : worst;
    }
}

static unsigned long percentile(double share) {
    unsigned long seen = 0, wanted = (unsigned long)(share * (double)came);
    for (int bucket = 0; bucket < BUCKETS; bucket++)
        if ((seen += delays[bucket]) > wanted)
            return (unsigned long)bucket * BUCKET_US;
    return 0;
}

int main(int count, char **arguments) {
    legs = atoi(arguments[1]);
    if (count != legs + 2)
        return 2;
    sockets = calloc((size_t)legs, sizeof *sockets);
    targets = calloc((size_t)legs, sizeof *targets);
    int hearing = epoll_create1(0);
    char line[64];
    for (int leg = 0; leg < legs; leg++) {
        sockets[leg] = atoi(arguments[leg + 2]);
        if (!fgets(line, sizeof line, stdin))
            return 2;
        targets[leg].sin_family = AF_INET;
        targets[leg].sin_port = htons((uint16_t)atoi(line));
        targets[leg].sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        struct epoll_event wanted = {.events = EPOLLIN, .data.fd = leg};
        epoll_ctl(hearing, EPOLL_CTL_ADD, sockets[leg], &wanted);
    }
    struct epoll_event events[EVENTS];
    struct pollfd asked = {.fd = STDIN_FILENO, .events = POLLIN};
    uint64_t step = 0, due = now_ns();
    setvbuf(stdin, NULL, _IONBF, 0);
    for (;;) {
        for (int leg = (int)(step % GROUPS); leg < legs; leg += GROUPS)
            say(leg, (uint32_t)(step / GROUPS));
        step++;
        due += 20000000u / GROUPS;
        do {
            int64_t left = ((int64_t)due - (int64_t)now_ns()) / 1000000;
            int found = epoll_wait(hearing, events, EVENTS, left > 0 ? (int)left : 0);
            for (int event = 0; event < found; event++)
                hear(events[event].data.fd);
        } while (now_ns() < due);
        if (step % GROUPS == 0 && poll(&asked, 1, 0) > 0) {
            if (!fgets(line, sizeof line, stdin))
                return 0;
            printf("%lu %lu %lu %lu %lu\n", sent, came, percentile(0.5), percentile(0.99), (unsigned long)worst);
            fflush(stdout);
        }
    }
}
