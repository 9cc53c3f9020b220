// SPDX-License-Identifier: GPL-2.0
/*
 * Test: none
 *
 * A wire that does what no honest network does: it passes frames between two
 * interfaces, and sends some packets of Tern again, damaged, or forged.
 *
 *   replay INTERFACE INTERFACE [RULE]...
 *
 *   repeat TYPE US,...   send packets of this type again so much later
 *   damage TYPE PERCENT  send copies with wrong bits before the packets
 *   forge N              send so many forged packets, made from what passes
 *   save TYPE FILE       write packets of this type to a file
 *   send FILE            send what was saved to the second interface, at once
 *
 * TYPE is the number in the packet. All UDP checksums are right, and so is the
 * check in the forged packets, so that only Tern can find out. Ends by SIGTERM,
 * once everything is sent again that was to be; then it prints what it did.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../crc32c.h"

#define PORT		18018
#define FRAME_MAX	2048
#define REPEATS_MAX	8
#define TYPES		16
#define HEAD		44	/* of a packet that belongs to a call */
#define STALE		5	/* type of a packet */
#define CHECK_FROM	8	/* what the check of a packet covers */

struct frame {
	struct frame	*next;
	uint64_t	at_us;
	int		to;
	size_t		len;
	unsigned char	data[FRAME_MAX];
};

/* Where the parts of a frame are; udp is 0 when it is not of Tern. */
struct parts {
	size_t	ip;
	size_t	udp;
	size_t	packet;
	size_t	len;		/* of the packet */
};

static int sockets[2];
static struct frame *later;
static atomic_bool stopping;

static unsigned int repeats[TYPES];
static uint64_t repeat_us[TYPES][REPEATS_MAX];
static unsigned int damage_percent[TYPES];
static FILE *save_file[TYPES];
static unsigned long to_forge;

static unsigned long passed, repeated, damaged, forged, sent, saved;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000ULL + now.tv_nsec / 1000;
}

static uint64_t random64(void)
{
	static uint64_t state = 0x9e3779b97f4a7c15ULL;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static unsigned int get16(const unsigned char *p)
{
	return p[0] << 8 | p[1];
}

static void put16(unsigned char *p, unsigned int value)
{
	p[0] = value >> 8;
	p[1] = value;
}

static uint32_t sum16(uint32_t sum, const unsigned char *p, size_t len)
{
	for (; len > 1; p += 2, len -= 2)
		sum += get16(p);
	return len ? sum + (p[0] << 8) : sum;
}

static unsigned int fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

static struct parts parse(const struct frame *f)
{
	struct parts p = { .ip = ETH_HLEN };
	const unsigned char *ip = f->data + ETH_HLEN;
	size_t udp = 0;

	if (f->len < ETH_HLEN + 28)
		return p;
	if (get16(f->data + 12) == ETH_P_IP && ip[9] == IPPROTO_UDP &&
	    !(get16(ip + 6) & 0x3fff))
		udp = ETH_HLEN + (ip[0] & 15) * 4;
	else if (get16(f->data + 12) == ETH_P_IPV6 && ip[6] == IPPROTO_UDP)
		udp = ETH_HLEN + 40;
	if (!udp || f->len < udp + 10 ||
	    get16(f->data + udp + 2) != PORT || f->len > FRAME_MAX)
		return p;
	p.udp = udp;
	p.packet = udp + 8;
	p.len = f->len - p.packet;
	return p;
}

static unsigned int type_of(const struct frame *f)
{
	struct parts p = parse(f);

	return p.udp && f->data[p.packet + 1] < TYPES ?
	       f->data[p.packet + 1] : 0;
}

/* Lengths and checksums, after the packet was changed or cut. */
static void seal(struct frame *f, const struct parts *p)
{
	unsigned char *ip = f->data + p->ip, *udp = f->data + p->udp;
	size_t len = f->len - p->udp;
	uint32_t sum = IPPROTO_UDP + len;

	put16(udp + 4, len);
	put16(udp + 6, 0);
	if (get16(f->data + 12) == ETH_P_IP) {
		put16(ip + 2, f->len - p->ip);
		put16(ip + 10, 0);
		put16(ip + 10, fold(sum16(0, ip, p->udp - p->ip)));
		sum = sum16(sum, ip + 12, 8);
	} else {
		put16(ip + 4, len);
		sum = sum16(sum, ip + 8, 32);
	}
	put16(udp + 6, fold(sum16(sum, udp, len)) ?: 0xffff);
}

/* The check of a packet: CRC32C, begun with its first four bytes. */
static void set_check(unsigned char *packet, size_t len)
{
	uint32_t seed = (uint32_t)get16(packet) << 16 | get16(packet + 2);
	uint32_t crc = crc32c(seed, packet + CHECK_FROM, len - CHECK_FROM);

	put16(packet + 4, crc >> 16);
	put16(packet + 6, crc);
}

static void transmit(const struct frame *f)
{
	if (send(sockets[f->to], f->data, f->len, 0) < 0 &&
	    errno != ENOBUFS && errno != ENETDOWN && errno != EMSGSIZE)
		die("send");
}

static void transmit_later(const struct frame *f, uint64_t us)
{
	struct frame **at = &later, *copy = malloc(sizeof(*copy));

	if (!copy)
		die("malloc");
	*copy = *f;
	copy->at_us = now_us() + us;
	while (*at && (*at)->at_us <= copy->at_us)
		at = &(*at)->next;
	copy->next = *at;
	*at = copy;
}

static void damage(const struct frame *f, const struct parts *p)
{
	struct frame bad = *f;
	unsigned int flips = 1 + random64() % 3;

	/* what is behind version and type */
	while (flips--)
		bad.data[p->packet + 2 + random64() % (p->len - 2)] ^=
			1 << random64() % 8;
	seal(&bad, p);
	transmit(&bad);
	damaged++;
}

/* Packets that no node has sent; none that a node could have sent. */
static void forge(const struct frame *f, const struct parts *p)
{
	struct frame bad = *f;
	unsigned char *packet = bad.data + p->packet;
	static const unsigned char types[] = { 0, 100, 101, 127, 255 };

	/* Its wrong id, which answers a forged one, might become the right one. */
	if (packet[1] == STALE)
		return;
	switch (random64() % 10) {
	case 0:		/* garbage */
		bad.len = p->packet + random64() % 200;
		for (size_t i = p->packet; i < bad.len; i++)
			bad.data[i] = random64();
		break;
	case 1:		/* garbage that looks right at first */
		bad.len = p->packet + 28 + random64() % 100;
		for (size_t i = p->packet; i < bad.len; i++)
			bad.data[i] = random64();
		packet[0] = 1;
		packet[1] = random64() % 12;
		put16(packet + 2, 0);
		break;
	case 2:		/* another association of the receiver */
		packet[12 + random64() % 8] ^= 1 << random64() % 8;
		break;
	case 3:		/* another association of the sender */
		packet[20 + random64() % 8] ^= 1 << random64() % 8;
		break;
	case 4:		/* another version */
		packet[0] = random64() % 2 ? 0 : 2 + random64() % 254;
		break;
	case 5:		/* no such type */
		packet[1] = types[random64() % sizeof(types)];
		break;
	case 6:		/* a reserved flag */
		packet[2] |= 1 << random64() % 8;
		break;
	case 7:		/* cut off */
		bad.len = p->packet + random64() % p->len;
		break;
	case 8:		/* too long */
		bad.len += 1 + random64() % 16;
		break;
	case 9:		/* a slot that does not exist */
		if (p->len < HEAD || packet[1] < 6)
			return;
		put16(packet + 36, 0xffff);
		break;
	}
	if (bad.len >= p->packet + CHECK_FROM)
		set_check(packet, bad.len - p->packet);
	seal(&bad, p);
	transmit(&bad);
	forged++;
}

static void save(const struct frame *f, FILE *file)
{
	uint32_t len = f->len;

	if (fwrite(&len, sizeof(len), 1, file) != 1 ||
	    fwrite(f->data, len, 1, file) != 1)
		die("save");
	saved++;
}

static void pass(struct frame *f)
{
	struct parts p = parse(f);
	unsigned int type = type_of(f);

	if (p.udp)
		seal(f, &p);
	if (type) {
		if (random64() % 100 < damage_percent[type])
			damage(f, &p);
		if (save_file[type])
			save(f, save_file[type]);
	}
	transmit(f);
	passed++;
	if (!type)
		return;
	if (forged < to_forge)
		forge(f, &p);
	for (unsigned int i = 0; i < repeats[type] && !stopping; i++)
		transmit_later(f, repeat_us[type][i]);
}

static void receive(int from)
{
	struct frame f = { .to = !from };
	ssize_t len = recv(sockets[from], f.data, sizeof(f.data), MSG_DONTWAIT);

	if (len < 0 && errno != EAGAIN && errno != ENETDOWN)
		die("receive");
	if (len <= 0)
		return;
	f.len = len;
	pass(&f);
}

static int open_interface(const char *name)
{
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = if_nametoindex(name),
	};
	int one = 1, size = 4 << 20;
	int fd = socket(AF_PACKET, SOCK_RAW, 0);

	if (fd < 0 || !address.sll_ifindex ||
	    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)))
		die(name);
	return fd;
}

static void send_saved(const char *name)
{
	FILE *file = fopen(name, "r");
	struct frame f = { .to = 1 };
	uint32_t len;

	if (!file)
		die(name);
	while (fread(&len, sizeof(len), 1, file) == 1) {
		if (len > FRAME_MAX || fread(f.data, len, 1, file) != 1)
			die(name);
		f.len = len;
		transmit(&f);
		sent++;
	}
	fclose(file);
}

static unsigned int number(const char *text, unsigned int limit)
{
	unsigned long value = strtoul(text, NULL, 10);

	if (value >= limit) {
		fprintf(stderr, "replay: %s\n", text);
		exit(2);
	}
	return value;
}

static int rule(char **words, int count)
{
	unsigned int type;

	if (count >= 2 && !strcmp(words[0], "forge")) {
		to_forge = number(words[1], 1000000);
		return 2;
	}
	if (count >= 2 && !strcmp(words[0], "send")) {
		send_saved(words[1]);
		return 2;
	}
	if (count < 3)
		return 0;
	type = number(words[1], TYPES);
	if (!strcmp(words[0], "repeat")) {
		char *word = strtok(words[2], ",");

		for (; word && repeats[type] < REPEATS_MAX; word = strtok(NULL, ","))
			repeat_us[type][repeats[type]++] = number(word, 1000000000);
	} else if (!strcmp(words[0], "damage")) {
		damage_percent[type] = number(words[2], 101);
	} else if (!strcmp(words[0], "save")) {
		save_file[type] = fopen(words[2], "w");
		if (!save_file[type])
			die(words[2]);
	} else {
		return 0;
	}
	return 3;
}

static void stop(int signal_number)
{
	(void)signal_number;
	stopping = true;
}

static void transmit_due(void)
{
	while (later && later->at_us <= now_us()) {
		struct frame *f = later;

		later = f->next;
		transmit(f);
		repeated++;
		free(f);
	}
}

static void run(void)
{
	struct pollfd polls[2] = {
		{ .fd = sockets[0], .events = POLLIN },
		{ .fd = sockets[1], .events = POLLIN },
	};

	while (!stopping || later) {
		uint64_t now = now_us();
		int ms = 50;

		/* less than a millisecond: spin */
		if (later)
			ms = later->at_us > now + 1000 ? 1 : 0;
		if (poll(polls, 2, ms) < 0 && errno != EINTR)
			die("poll");
		for (int i = 0; i < 2; i++)
			if (polls[i].revents)
				receive(i);
		transmit_due();
	}
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = stop };
	int i, used;

	if (argc < 3) {
		fprintf(stderr, "replay INTERFACE INTERFACE [RULE]...\n");
		return 2;
	}
	sigaction(SIGTERM, &action, NULL);
	for (i = 0; i < 2; i++)
		sockets[i] = open_interface(argv[1 + i]);
	for (i = 3; i < argc; i += used) {
		used = rule(argv + i, argc - i);
		if (!used) {
			fprintf(stderr, "replay: not understood: %s\n", argv[i]);
			return 2;
		}
	}
	run();
	for (i = 0; i < TYPES; i++)
		if (save_file[i] && fclose(save_file[i]))
			die("save");
	printf("passed %lu repeated %lu damaged %lu forged %lu sent %lu saved %lu\n",
	       passed, repeated, damaged, forged, sent, saved);
	return 0;
}
