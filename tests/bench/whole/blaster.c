/* Phones that talk: each leg sends 172 bytes of RTP every 20 ms from a socket of its own, and reads what comes.
 *
 * blaster LEGS DESCRIPTOR...
 *
 * The descriptors are bound UDP sockets of 127.0.0.1, one a leg. Standard input has the port that each leg
 * sends to, one a line. Then each line is an order:
 *
 *   (empty)  is answered: packets sent, packets that came, and of the delay from phone to phone the median, the
 *            99th percentile and the worst, in microseconds
 *   1 LEG    the leg presses the key 1 (RFC 4733, payload type 101) instead of talking for 160 ms
 *   w        is answered: the words that legs have heard begin since the last such order, each `LEG:MS`. A word
 *            is sound of nobody's mark after a second and a half without any.
 *
 * It ends with its input. A twentieth of the legs sends at each millisecond, so that no two groups send at the
 * same moment.
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
#define KEY_PACKETS 8
#define KEY_LASTS 5
#define APART_NS 1500000000u
#define FAINT 0x20
#define WORDS 100000

static int legs, *sockets;
static struct sockaddr_in *targets;
static unsigned long sent, came, delays[BUCKETS];
static uint64_t worst;

/* By the leg: packets of a key that are still to be sent, and when sound came last. */
static int *keys;
static uint32_t *pressed_at;
static uint64_t *sounded;
static struct { int leg; uint64_t at; } words[WORDS];
static int told;

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void head(unsigned char *packet, int leg, uint32_t turn, uint32_t began, unsigned char type) {
    uint32_t stamp = htonl(began * 160), source = htonl((uint32_t)leg + 1);
    uint16_t sequence = htons((uint16_t)turn);
    packet[0] = 0x80;
    packet[1] = type;
    memcpy(packet + 2, &sequence, 2);
    memcpy(packet + 4, &stamp, 4);
    memcpy(packet + 8, &source, 4);
}

/* One packet of the key 1; the last three tell its end. */
static void press(int leg, uint32_t turn) {
    unsigned char packet[16];
    int number = KEY_PACKETS - keys[leg]--;
    if (number == 0)
        pressed_at[leg] = turn;
    head(packet, leg, turn, pressed_at[leg], number ? 101 : 101 | 0x80);
    uint16_t lasts = htons((uint16_t)(160 * (number < KEY_LASTS ? number + 1 : KEY_LASTS)));
    packet[12] = 1;
    packet[13] = number < KEY_LASTS ? 10 : 10 | 0x80;
    memcpy(packet + 14, &lasts, 2);
    sendto(sockets[leg], packet, sizeof packet, 0, (struct sockaddr *)&targets[leg], sizeof *targets);
}

static void say(int leg, uint32_t turn) {
    unsigned char packet[SIZE];
    uint64_t when = now_ns();
    head(packet, leg, turn, turn, 8);
    memcpy(packet + 12, "cf", 2);
    memcpy(packet + 14, &when, 8);
    for (int at = 22; at < SIZE; at++)
        packet[at] = (unsigned char)(0xd0 + (at * 7 + leg) % 8);
    if (sendto(sockets[leg], packet, SIZE, 0, (struct sockaddr *)&targets[leg], sizeof *targets) == SIZE)
        sent++;
}

/* A word of the product's, such as a greeting, bears no mark. */
static void listen_to(int leg, const unsigned char *packet, ssize_t size) {
    int sounds = 0;
    for (ssize_t at = 12; at < size; at++)
        sounds += ((packet[at] ^ 0x55) & 0x7f) > FAINT;
    if (sounds < 8)
        return;
    uint64_t now = now_ns();
    if (now - sounded[leg] > APART_NS && told < WORDS) {
        words[told].leg = leg;
        words[told++].at = now;
    }
    sounded[leg] = now;
}

static void hear(int leg) {
    unsigned char packet[512];
    ssize_t size;
    while ((size = recv(sockets[leg], packet, sizeof packet, MSG_DONTWAIT)) > 0) {
        if (size < 22 || memcmp(packet + 12, "cf", 2)) {
            listen_to(leg, packet, size);
            continue;
        }
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

static void obey(const char *order) {
    if (*order == '1') {
        int leg = atoi(order + 1);
        if (leg >= 0 && leg < legs && !keys[leg])
            keys[leg] = KEY_PACKETS;
        return;
    }
    if (*order == 'w') {
        for (int word = 0; word < told; word++)
            printf("%d:%lu ", words[word].leg, (unsigned long)(words[word].at / 1000000));
        told = 0;
        printf("\n");
    } else
        printf("%lu %lu %lu %lu %lu\n", sent, came, percentile(0.5), percentile(0.99), (unsigned long)worst);
    fflush(stdout);
}

int main(int count, char **arguments) {
    legs = atoi(arguments[1]);
    if (count != legs + 2)
        return 2;
    sockets = calloc((size_t)legs, sizeof *sockets);
    targets = calloc((size_t)legs, sizeof *targets);
    keys = calloc((size_t)legs, sizeof *keys);
    pressed_at = calloc((size_t)legs, sizeof *pressed_at);
    sounded = calloc((size_t)legs, sizeof *sounded);
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
            (keys[leg] ? press : say)(leg, (uint32_t)(step / GROUPS));
        step++;
        due += 20000000u / GROUPS;
        do {
            int64_t left = ((int64_t)due - (int64_t)now_ns()) / 1000000;
            int found = epoll_wait(hearing, events, EVENTS, left > 0 ? (int)left : 0);
            for (int event = 0; event < found; event++)
                hear(events[event].data.fd);
        } while (now_ns() < due);
        while (step % GROUPS == 0 && poll(&asked, 1, 0) > 0) {
            if (!fgets(line, sizeof line, stdin))
                return 0;
            obey(line);
        }
    }
}
