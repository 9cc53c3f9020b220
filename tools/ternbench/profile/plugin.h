/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What insn.c uses of QEMU's interface to plugins, version 1, whose own header is
 * in no package.
 */
#ifndef PROFILE_PLUGIN_H
#define PROFILE_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#define EXPORTED	__attribute__((visibility("default")))

/* To add to a counter, and to call without the registers. */
enum { PLUGIN_ADD_U64 = 0, PLUGIN_NO_REGS = 0 };

struct qemu_plugin_tb;
struct qemu_plugin_insn;

typedef void plugin_translated(uint64_t id, struct qemu_plugin_tb *block);
typedef void plugin_executed(unsigned int cpu, void *data);

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *block);
struct qemu_plugin_insn *
qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *block, size_t index);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, plugin_translated *call);
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *block,
					      int op, void *counter, uint64_t by);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    plugin_executed *call, int registers,
					    void *data);

/* What QEMU looks for in a plugin. */
EXPORTED extern int qemu_plugin_version;
EXPORTED int qemu_plugin_install(uint64_t id, const void *info, int argc,
				 char **argv);

#endif
