// SPDX-License-Identifier: GPL-2.0
/* Numbers, times, sizes and addresses from text and to text. */
#include "text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define V4_PREFIX_LENGTH	96

#define HOUR_MS		3600000

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit time_units[] = {
	{ "", 1 }, { "ms", 1 }, { "s", 1000 }, { "m", 60000 },
	{ "min", 60000 }, { "h", HOUR_MS }, { NULL, 0 },
};

static const struct unit byte_units[] = {
	{ "", 1 }, { "K", 1 << 10 }, { "M", 1 << 20 }, { "G", 1 << 30 },
	{ NULL, 0 },
};

bool text_number(const char *text, uint64_t max, uint64_t *number)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*number = strtoull(text, &end, 10);
	return !errno && !*end && *number <= max;
}

/* A decimal fraction with a unit that makes a whole number of at most @max. */
static bool text_scaled(const char *text, const struct unit *unit,
			uint64_t max, uint64_t *number)
{
	uint64_t whole, part = 0, scale = 1;
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	whole = strtoull(text, &end, 10);
	if (errno)
		return false;
	if (*end == '.') {
		const char *digit = end + 1;

		for (; *digit >= '0' && *digit <= '9'; digit++) {
			part = part * 10 + (uint64_t)(*digit - '0');
			scale *= 10;
			if (scale > 1000000)
				return false;
		}
		if (scale == 1)
			return false;
		end = (char *)digit;
	}
	while (unit->name && strcmp(end, unit->name))
		unit++;
	if (!unit->name || whole > max / unit->factor ||
	    part * unit->factor % scale)
		return false;
	*number = whole * unit->factor + part * unit->factor / scale;
	return *number <= max;
}

bool text_time(const char *text, uint32_t *ms)
{
	uint64_t number;

	if (!text_scaled(text, time_units, UINT32_MAX, &number))
		return false;
	*ms = (uint32_t)number;
	return true;
}

bool text_bytes(const char *text, uint64_t *bytes)
{
	return text_scaled(text, byte_units, UINT64_MAX, bytes);
}

bool text_address(const char *text, uint8_t address[TEXT_ADDRESS_LEN])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (inet_pton(AF_INET6, text, address) == 1)
		return true;
	memcpy(address, mapped, sizeof(mapped));
	return inet_pton(AF_INET, text, address + sizeof(mapped)) == 1;
}

static bool is_v4(const uint8_t address[TEXT_ADDRESS_LEN])
{
	return IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)address);
}

static bool has_bits_beyond(const uint8_t address[TEXT_ADDRESS_LEN],
			    unsigned int length)
{
	for (unsigned int bit = length; bit < 128; bit++)
		if (address[bit / 8] & (0x80 >> bit % 8))
			return true;
	return false;
}

bool text_prefix(const char *text, uint8_t address[TEXT_ADDRESS_LEN],
		 uint8_t *length)
{
	const char *slash = strchrnul(text, '/');
	char host[INET6_ADDRSTRLEN];
	unsigned int first;
	uint64_t bits;

	if ((size_t)(slash - text) >= sizeof(host))
		return false;
	memcpy(host, text, (size_t)(slash - text));
	host[slash - text] = '\0';
	if (!text_address(host, address))
		return false;
	/* A mapped address that was written as IPv6 has an IPv6 length. */
	first = strchr(host, ':') ? 0 : V4_PREFIX_LENGTH;
	bits = 128 - first;
	if (*slash && !text_number(slash + 1, bits, &bits))
		return false;
	*length = (uint8_t)(first + bits);
	return !has_bits_beyond(address, *length);
}

/* @number thousandths, without zeroes at the end of the fraction. */
static void text_thousandths(unsigned long long number, const char *unit,
			     char text[TEXT_MAX])
{
	unsigned int part = number % 1000;
	int digits = 3;

	for (; digits && part % 10 == 0; digits--)
		part /= 10;
	if (digits)
		snprintf(text, TEXT_MAX, "%llu.%0*u%s", number / 1000,
			 digits, part, unit);
	else
		snprintf(text, TEXT_MAX, "%llu%s", number / 1000, unit);
}

void text_from_ms(unsigned long long ms, char text[TEXT_MAX])
{
	if (ms < 1000)
		snprintf(text, TEXT_MAX, "%llums", ms);
	else if (ms % HOUR_MS == 0)
		snprintf(text, TEXT_MAX, "%lluh", ms / HOUR_MS);
	else
		text_thousandths(ms, "s", text);
}

void text_from_us(unsigned long long us, char text[TEXT_MAX])
{
	if (us < 1000)
		snprintf(text, TEXT_MAX, "%lluus", us);
	else if (us < 1000000)
		text_thousandths(us, "ms", text);
	else
		text_from_ms(us / 1000, text);
}

void text_from_bytes(unsigned long long bytes, char text[TEXT_MAX])
{
	const struct unit *unit = byte_units;

	while (bytes && unit[1].name && bytes % unit[1].factor == 0)
		unit++;
	snprintf(text, TEXT_MAX, "%llu%s", (unsigned long long)(bytes / unit->factor),
		 unit->name);
}

void text_from_address(const uint8_t address[TEXT_ADDRESS_LEN],
		       char text[TEXT_MAX])
{
	if (is_v4(address))
		inet_ntop(AF_INET, address + 12, text, TEXT_MAX);
	else
		inet_ntop(AF_INET6, address, text, TEXT_MAX);
}

void text_from_prefix(const uint8_t address[TEXT_ADDRESS_LEN], uint8_t length,
		      char text[TEXT_MAX])
{
	size_t end;

	if (is_v4(address) && length >= V4_PREFIX_LENGTH) {
		text_from_address(address, text);
		length -= V4_PREFIX_LENGTH;
	} else {
		inet_ntop(AF_INET6, address, text, TEXT_MAX);
	}
	end = strlen(text);
	snprintf(text + end, TEXT_MAX - end, "/%u", length);
}
