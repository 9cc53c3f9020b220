// SPDX-License-Identifier: GPL-2.0
/*
 * The family of generic netlink, what all its lists share, and the list of
 * counters.
 *
 * Layer: L3.
 */
#include <linux/module.h>

#include "mib.h"
#include "net.h"
#include "netlink.h"
#include "netlink_gen.h"

/**
 * tern_nl_begin - begin a message of a list
 * @skb: the list
 * @cb: of the dump
 * @object: receives what tern_nl_end() needs
 * @cmd: TERN_CMD_*
 * @attr: TERN_A_*, the nest that the object's attributes go into
 *
 * Return: 0 or -EMSGSIZE.
 */
int tern_nl_begin(struct sk_buff *skb, struct netlink_callback *cb,
		  struct tern_nl_object *object, u8 cmd, int attr)
{
	object->header = genlmsg_put(skb, NETLINK_CB(cb->skb).portid,
				     cb->nlh->nlmsg_seq, &tern_nl_family,
				     NLM_F_MULTI, cmd);
	if (!object->header)
		return -EMSGSIZE;
	object->nest = nla_nest_start(skb, attr);
	if (object->nest)
		return 0;
	genlmsg_cancel(skb, object->header);
	return -EMSGSIZE;
}

/**
 * tern_nl_end - end a message that was begun
 * @skb: the list
 * @object: the message
 * @err: 0, or the message is taken back
 *
 * Return: @err.
 */
int tern_nl_end(struct sk_buff *skb, struct tern_nl_object *object, int err)
{
	if (err) {
		genlmsg_cancel(skb, object->header);
		return err;
	}
	nla_nest_end(skb, object->nest);
	genlmsg_end(skb, object->header);
	return 0;
}

/* What a dump returns: it goes on while it has put something into @skb. */
int tern_nl_dumped(const struct sk_buff *skb, int err)
{
	return skb->len ? skb->len : err;
}

struct tern_net *tern_nl_net(struct netlink_callback *cb)
{
	return tern_net(sock_net(cb->skb->sk));
}

u64 tern_nl_ms_since(u64 us)
{
	return div_u64(tern_us_since(us), 1000);
}

/**
 * tern_nl_batch_add - offer an object to a batch, which keeps the lowest
 * @batch: the batch
 * @object: the object, with a reference that becomes the batch's
 * @cmp: the order
 *
 * Return: an object whose reference the caller has to drop, or NULL.  It is
 * @object when that is there already or comes after a full batch.
 */
void *tern_nl_batch_add(struct tern_nl_batch *batch, void *object,
			tern_nl_cmp_t cmp)
{
	void *surplus = NULL;
	unsigned int i;

	for (i = batch->count; i; i--) {
		int order = cmp(batch->object[i - 1], object);

		if (!order)
			return object;
		if (order < 0)
			break;
	}
	if (i == TERN_NL_BATCH)
		return object;
	if (batch->count == TERN_NL_BATCH)
		surplus = batch->object[--batch->count];
	memmove(&batch->object[i + 1], &batch->object[i],
		(batch->count - i) * sizeof(batch->object[0]));
	batch->object[i] = object;
	batch->count++;
	return surplus;
}

static int put_stat(struct sk_buff *skb, struct netlink_callback *cb,
		    const struct tern_net *tn, unsigned int i)
{
	struct tern_nl_object object;
	int err;

	err = tern_nl_begin(skb, cb, &object, TERN_CMD_STAT_GET, TERN_A_STAT);
	if (err)
		return err;
	if (nla_put_string(skb, TERN_A_STAT_NAME, tern_mib_names[i]) ||
	    nla_put_u64_64bit(skb, TERN_A_STAT_VALUE,
			      tern_mib_sum(tn->mib, i), TERN_A_STAT_PAD))
		err = -EMSGSIZE;
	return tern_nl_end(skb, &object, err);
}

int tern_nl_stat_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct tern_net *tn = tern_nl_net(cb);
	int err = 0;

	while (!err && cb->args[0] < __TERN_MIB_MAX) {
		err = put_stat(skb, cb, tn, cb->args[0]);
		if (!err)
			cb->args[0]++;
	}
	return tern_nl_dumped(skb, err);
}

struct genl_family tern_nl_family __ro_after_init = {
	.name		= TERN_FAMILY_NAME,
	.version	= TERN_FAMILY_VERSION,
	.maxattr	= ARRAY_SIZE(tern_main_nl_policy) - 1,
	.policy		= tern_main_nl_policy,
	.netnsok	= true,
	.parallel_ops	= true,
	.module		= THIS_MODULE,
	.small_ops	= tern_nl_ops,
	.n_small_ops	= ARRAY_SIZE(tern_nl_ops),
	.resv_start_op	= __TERN_CMD_MAX,
};

MODULE_ALIAS_GENL_FAMILY(TERN_FAMILY_NAME);

int __init tern_netlink_init(void)
{
	return genl_register_family(&tern_nl_family);
}

void tern_netlink_exit(void)
{
	genl_unregister_family(&tern_nl_family);
}
