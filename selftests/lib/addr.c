// SPDX-License-Identifier: GPL-2.0
/*
 * Addresses from text, to text and from numbers.
 *
 * Test: mode=host
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <tern.h>

#include "kselftest_harness.h"

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

/* The index of the loopback device in every network namespace. */
#define LO	1

#define V4(a, b, c, d)	{ [10] = 0xff, 0xff, a, b, c, d }
#define LABEL_64	"0123456789abcdef0123456789abcdef" \
			"0123456789abcdef0123456789abcdef"

struct good {
	const char	*text;
	const char	*formatted;	/* NULL: the same */
	uint8_t		addr[16];
	uint16_t	port;
	uint32_t	scope_id;
	uint32_t	service;
	uint32_t	version;
};

static const struct good good[] = {
	{ "any/4000.1", NULL, { 0 }, 0, 0, 4000, 1 },
	{ "any/4000", "any/4000.1", { 0 }, 0, 0, 4000, 1 },
	{ "any/4000.0", NULL, { 0 }, 0, 0, 4000, 0 },
	{ "any/0", "any/0.0", { 0 }, 0, 0, 0, 0 },
	{ "any/0.1", NULL, { 0 }, 0, 0, 0, 1 },
	{ "any/4294967295.4294967295", NULL, { 0 }, 0, 0,
	  UINT32_MAX, UINT32_MAX },
	{ "any/0x20000001.0x10", "any/536870913.16", { 0 }, 0, 0,
	  0x20000001, 16 },
	{ "any/0XfF", "any/255.1", { 0 }, 0, 0, 255, 1 },
	{ "any/010", "any/10.1", { 0 }, 0, 0, 10, 1 },
	{ "any/portmapper", "any/100000.1", { 0 }, 0, 0, 100000, 1 },
	{ "any/portmapper.4", "any/100000.4", { 0 }, 0, 0, 100000, 4 },
	{ "::/5.1", "any/5.1", { 0 }, 0, 0, 5, 1 },
	{ "[::]/5.1", "any/5.1", { 0 }, 0, 0, 5, 1 },
	{ "10.1.2.3/5.1", NULL, V4(10, 1, 2, 3), 0, 0, 5, 1 },
	{ "10.1.2.3:18018/5.1", NULL, V4(10, 1, 2, 3), 18018, 0, 5, 1 },
	{ "255.255.255.255:65535/5.1", NULL, V4(255, 255, 255, 255), 65535, 0,
	  5, 1 },
	{ "10.1.2.3:1/0.0", NULL, V4(10, 1, 2, 3), 1, 0, 0, 0 },
	{ "::ffff:10.1.2.3/5.1", "10.1.2.3/5.1", V4(10, 1, 2, 3), 0, 0, 5, 1 },
	{ "[::ffff:10.1.2.3]:7/5.1", "10.1.2.3:7/5.1", V4(10, 1, 2, 3), 7, 0,
	  5, 1 },
	{ "::1/5.1", "[::1]/5.1", { [15] = 1 }, 0, 0, 5, 1 },
	{ "[::1]/5.1", NULL, { [15] = 1 }, 0, 0, 5, 1 },
	{ "[::1]:7/5.1", NULL, { [15] = 1 }, 7, 0, 5, 1 },
	{ "[2001:DB8::A]:7/5.1", "[2001:db8::a]:7/5.1",
	  { 0x20, 1, 0x0d, 0xb8, [15] = 10 }, 7, 0, 5, 1 },
	{ "2001:db8:1:2:3:4:5:6/5.1", "[2001:db8:1:2:3:4:5:6]/5.1",
	  { 0x20, 1, 0x0d, 0xb8, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6 }, 0, 0,
	  5, 1 },
	{ "fe80::1%lo/5.1", "[fe80::1%lo]/5.1",
	  { 0xfe, 0x80, [15] = 1 }, 0, LO, 5, 1 },
	{ "[fe80::1%lo]:7/5.1", NULL, { 0xfe, 0x80, [15] = 1 }, 7, LO, 5, 1 },
	{ "[fe80::1%1]:7/5.1", "[fe80::1%lo]:7/5.1",
	  { 0xfe, 0x80, [15] = 1 }, 7, LO, 5, 1 },
	{ "[fe80::1%2000000000]/5.1", NULL, { 0xfe, 0x80, [15] = 1 }, 0,
	  2000000000, 5, 1 },
};

struct bad {
	const char	*text;
	int		error;
};

static const struct bad bad[] = {
	{ "", EINVAL },
	{ "/", EINVAL },
	{ "any", EINVAL },
	{ "any/", EINVAL },
	{ "/5", EINVAL },
	{ "any/5/6", EINVAL },
	{ "any//5", EINVAL },
	/* services */
	{ "any/5.", EINVAL },
	{ "any/.5", EINVAL },
	{ "any/5.1.2", EINVAL },
	{ "any/5x", EINVAL },
	{ "any/5.1x", EINVAL },
	{ "any/5.x", EINVAL },
	{ "any/0x", EINVAL },
	{ "any/0xg", EINVAL },
	{ "any/0x0x5", EINVAL },
	{ "any/5 ", EINVAL },
	{ "any/5. 1", EINVAL },
	{ "any/5.-1", EINVAL },
	{ "any/5.+1", EINVAL },
	{ "any/4294967296", ERANGE },
	{ "any/5.4294967296", ERANGE },
	{ "any/0x100000000", ERANGE },
	{ "any/99999999999999999999999999", ERANGE },
	{ "any/ 5", ENOENT },
	{ "any/-5", ENOENT },
	{ "any/no-such-program", ENOENT },
	{ "any/no-such-program.1", ENOENT },
	{ "any/portmapper.", ENOENT },
	{ "any/portmapper.x", ENOENT },
	{ "any/portmapper.1x", EINVAL },
	/* ports */
	{ "10.1.2.3:/5", EINVAL },
	{ "10.1.2.3:0/5", EINVAL },
	{ "10.1.2.3:x/5", EINVAL },
	{ "10.1.2.3:-1/5", EINVAL },
	{ "10.1.2.3:65536/5", ERANGE },
	{ "[::1]:/5", EINVAL },
	{ "[::1]:0/5", EINVAL },
	{ "any:7/5", EINVAL },
	{ "[::]:7/5", EINVAL },
	{ ":7/5", EINVAL },
	/* hosts */
	{ "[/5", EINVAL },
	{ "[]/5", EINVAL },
	{ "[::1/5", EINVAL },
	{ "::1]/5", EINVAL },
	{ "[::1]x/5", EINVAL },
	{ "[any]/5", EINVAL },
	{ "[10.1.2.3]/5", EINVAL },
	{ "0.0.0.0/5", EINVAL },
	{ "10.1/5", EINVAL },
	{ "10.1.2.3.4/5", EINVAL },
	{ "10.1.2.256/5", EINVAL },
	{ "167838211/5", EINVAL },
	{ "0x0a010203/5", EINVAL },
	{ "1::2::3/5", EINVAL },
	{ "::g/5", EINVAL },
	{ "12345::1/5", EINVAL },
	{ "::1%lo/5", EINVAL },
	{ "fe80::1/5", ENODEV },
	{ "[fe80::1]:7/5", ENODEV },
	{ "fe80::1%/5", ENODEV },
	{ "fe80::1%0/5", ENODEV },
	{ "fe80::1%no-such-device/5", ENODEV },
	/* too long for a label, so that no name server is asked */
	{ LABEL_64 "/5", ENXIO },
	{ "a..b/5", ENXIO },
};

static void expected(const struct good *row, struct sockaddr_tern *addr)
{
	memset(addr, 0, sizeof(*addr));
	addr->st_family = tern_family();
	addr->st_port = htons(row->port);
	addr->st_scope_id = row->scope_id;
	memcpy(addr->st_addr, row->addr, sizeof(addr->st_addr));
	addr->st_service = row->service;
	addr->st_version = row->version;
}

TEST(parse)
{
	struct sockaddr_tern addr, want;
	size_t i;

	for (i = 0; i < ARRAY_LEN(good); i++) {
		expected(&good[i], &want);
		memset(&addr, 0xaa, sizeof(addr));
		EXPECT_EQ(0, tern_addr_parse(good[i].text, &addr)) {
			TH_LOG("%s", good[i].text);
		}
		EXPECT_EQ(0, memcmp(&want, &addr, sizeof(addr))) {
			TH_LOG("%s", good[i].text);
		}
	}
}

TEST(format)
{
	char text[TERN_ADDR_TEXT_SIZE];
	struct sockaddr_tern addr;
	const char *want;
	size_t i;

	for (i = 0; i < ARRAY_LEN(good); i++) {
		want = good[i].formatted ?: good[i].text;
		expected(&good[i], &addr);
		EXPECT_EQ((int)strlen(want),
			  tern_addr_format(&addr, text, sizeof(text)));
		EXPECT_STREQ(want, text);
	}
}

TEST(format_parses_to_the_same)
{
	char text[TERN_ADDR_TEXT_SIZE];
	struct sockaddr_tern addr, again;
	size_t i;

	for (i = 0; i < ARRAY_LEN(good); i++) {
		expected(&good[i], &addr);
		ASSERT_LT(0, tern_addr_format(&addr, text, sizeof(text)));
		EXPECT_EQ(0, tern_addr_parse(text, &again));
		EXPECT_EQ(0, memcmp(&addr, &again, sizeof(addr))) {
			TH_LOG("%s", text);
		}
	}
}

TEST(format_size)
{
	struct sockaddr_tern addr;
	char text[TERN_ADDR_TEXT_SIZE];
	int len;

	memset(&addr, 0xff, sizeof(addr));
	addr.st_addr[0] = 0xfe;
	addr.st_addr[1] = 0x80;
	len = tern_addr_format(&addr, text, sizeof(text));
	ASSERT_LT(0, len);
	EXPECT_EQ(len, tern_addr_format(&addr, text, len + 1));
	EXPECT_EQ(-ENOSPC, tern_addr_format(&addr, text, len));
	EXPECT_EQ(-ENOSPC, tern_addr_format(&addr, NULL, 0));
}

TEST(mistakes)
{
	struct sockaddr_tern addr, untouched;
	size_t i;

	memset(&untouched, 0xaa, sizeof(untouched));
	addr = untouched;
	for (i = 0; i < ARRAY_LEN(bad); i++) {
		EXPECT_EQ(-bad[i].error, tern_addr_parse(bad[i].text, &addr)) {
			TH_LOG("\"%s\"", bad[i].text);
		}
		EXPECT_EQ(0, memcmp(&untouched, &addr, sizeof(addr))) {
			TH_LOG("\"%s\"", bad[i].text);
		}
	}
}

TEST(very_long)
{
	struct sockaddr_tern addr;
	char text[5000];

	memset(text, '1', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	memcpy(text, "any/", 4);
	EXPECT_EQ(-EINVAL, tern_addr_parse(text, &addr));
	text[1200] = '\0';
	EXPECT_EQ(-ERANGE, tern_addr_parse(text, &addr));
}

TEST(host_name)
{
	struct sockaddr_tern addr;

	ASSERT_EQ(0, tern_addr_parse("localhost:7/5.2", &addr));
	EXPECT_EQ(htons(7), addr.st_port);
	EXPECT_EQ(5, addr.st_service);
	EXPECT_EQ(2, addr.st_version);
	/* 127.0.0.1 or ::1, as /etc/hosts says */
	EXPECT_EQ(1, addr.st_addr[15]);
}

TEST(set)
{
	struct sockaddr_in in = {
		.sin_family = AF_INET,
		.sin_port = htons(7),
		.sin_addr.s_addr = htonl(0x0a010203),
	};
	struct sockaddr_in6 in6 = {
		.sin6_family = AF_INET6,
		.sin6_port = htons(8),
		.sin6_addr = IN6ADDR_LOOPBACK_INIT,
		.sin6_scope_id = 3,
	};
	struct sockaddr other = { .sa_family = AF_UNIX };
	char text[TERN_ADDR_TEXT_SIZE];
	struct sockaddr_tern addr;

	ASSERT_EQ(0, tern_addr_set(&addr, NULL, 5, 2));
	tern_addr_format(&addr, text, sizeof(text));
	EXPECT_STREQ("any/5.2", text);
	EXPECT_EQ(tern_family(), addr.st_family);

	ASSERT_EQ(0, tern_addr_set(&addr, (struct sockaddr *)&in, 5, 2));
	tern_addr_format(&addr, text, sizeof(text));
	EXPECT_STREQ("10.1.2.3:7/5.2", text);

	ASSERT_EQ(0, tern_addr_set(&addr, (struct sockaddr *)&in6, 5, 2));
	tern_addr_format(&addr, text, sizeof(text));
	EXPECT_STREQ("[::1]:8/5.2", text);

	EXPECT_EQ(-EAFNOSUPPORT, tern_addr_set(&addr, &other, 5, 2));
}

TEST_HARNESS_MAIN
