/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Numbers, times, sizes and addresses from text and to text.  What is printed
 * can be read back.
 */
#ifndef TERN_TEXT_H
#define TERN_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TEXT_ADDRESS_LEN	16

/* Longest text of anything below, with its end. */
#define TEXT_MAX		64

/* A decimal number of at most @max. */
bool text_number(const char *text, uint64_t max, uint64_t *number);
/* A time in ms, or with a unit: ms, s, m or min, h; at most UINT32_MAX ms. */
bool text_time(const char *text, uint32_t *ms);
/* A number of bytes, or with a unit: K, M, G (powers of 1024). */
bool text_bytes(const char *text, uint64_t *bytes);
/* IPv6, or IPv4 that becomes v4-mapped. */
bool text_address(const char *text, uint8_t address[TEXT_ADDRESS_LEN]);
/* ADDRESS[/LENGTH] without bits beyond the length, which counts 128 bits. */
bool text_prefix(const char *text, uint8_t address[TEXT_ADDRESS_LEN],
		 uint8_t *length);

void text_from_ms(unsigned long long ms, char text[TEXT_MAX]);
void text_from_us(unsigned long long us, char text[TEXT_MAX]);
void text_from_bytes(unsigned long long bytes, char text[TEXT_MAX]);
void text_from_address(const uint8_t address[TEXT_ADDRESS_LEN],
		       char text[TEXT_MAX]);
void text_from_prefix(const uint8_t address[TEXT_ADDRESS_LEN], uint8_t length,
		      char text[TEXT_MAX]);

#endif
