// SPDX-License-Identifier: GPL-2.0
/*
 * A plugin of QEMU that counts the instructions which a guest of one processor
 * executes between two marks of ternbench, see clock.h, by the address of the block
 * that they are in. It then writes lines of
 *
 *    calls COUNT        marks of calls
 *    user COUNT         instructions of all programs
 *    ADDRESS COUNT      instructions of a block of the kernel
 *
 * into the file that its argument "out" names.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugin.h"

#define BUCKETS		65536

/* At an address; there may be several in time, and in several programs. */
struct block {
	struct block	*next;
	uint64_t	address;
	uint64_t	count;
};

int qemu_plugin_version = 1;

static struct block *buckets[BUCKETS];
static uint64_t user, calls;
static const char *path;
static enum { BEFORE, BETWEEN, AFTER } when;

static struct block *block_at(uint64_t address)
{
	struct block **at = &buckets[(address ^ address >> 16) % BUCKETS];

	for (; *at; at = &(*at)->next)
		if ((*at)->address == address)
			return *at;
	*at = calloc(1, sizeof(**at));
	if (!*at)
		abort();
	(*at)->address = address;
	return *at;
}

static void begin(void)
{
	struct block *block;

	user = 0;
	calls = 0;
	for (size_t i = 0; i < BUCKETS; i++)
		for (block = buckets[i]; block; block = block->next)
			block->count = 0;
}

static void end(void)
{
	FILE *file = fopen(path, "w");
	const struct block *block;

	if (!file)
		abort();
	fprintf(file, "calls %" PRIu64 "\nuser %" PRIu64 "\n", calls, user);
	for (size_t i = 0; i < BUCKETS; i++)
		for (block = buckets[i]; block; block = block->next)
			if (block->count)
				fprintf(file, "%016" PRIx64 " %" PRIu64 "\n",
					block->address, block->count);
	fclose(file);
}

static void mark(unsigned int cpu, void *data)
{
	(void)cpu;
	(void)data;
	if (when == BEFORE)
		begin();
	else if (when == BETWEEN)
		end();
	if (when != AFTER)
		when++;
}

static void count_call(unsigned int cpu, void *data)
{
	(void)cpu;
	(void)data;
	calls++;
}

static bool is(const struct qemu_plugin_insn *insn, const char *code)
{
	return qemu_plugin_insn_size(insn) == strlen(code) &&
	       !memcmp(qemu_plugin_insn_data(insn), code, strlen(code));
}

static void translated(uint64_t id, struct qemu_plugin_tb *tb)
{
	uint64_t address = qemu_plugin_tb_vaddr(tb), *counter = &user;
	size_t n = qemu_plugin_tb_n_insns(tb);
	struct qemu_plugin_insn *insn;

	(void)id;
	if ((int64_t)address < 0)
		counter = &block_at(address)->count;
	qemu_plugin_register_vcpu_tb_exec_inline(tb, PLUGIN_ADD_U64, counter, n);
	for (size_t i = 0; i < n; i++) {
		insn = qemu_plugin_tb_get_insn(tb, i);
		if (is(insn, "\x66\x87\xdb"))		/* xchg %bx, %bx */
			qemu_plugin_register_vcpu_insn_exec_cb(insn, mark,
							       PLUGIN_NO_REGS, NULL);
		else if (is(insn, "\x66\x87\xc9"))	/* xchg %cx, %cx */
			qemu_plugin_register_vcpu_insn_exec_cb(insn, count_call,
							       PLUGIN_NO_REGS, NULL);
	}
}

int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
	(void)info;
	if (argc != 1 || strncmp(argv[0], "out=", 4))
		return 1;
	path = strdup(argv[0] + 4);
	if (!path)
		return 1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
