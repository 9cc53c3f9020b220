// SPDX-License-Identifier: GPL-2.0
/*
 * Loading and unloading.
 *
 * Layer: L3.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/inetdevice.h>
#include <linux/module.h>
#include <linux/net.h>
#include <linux/tern.h>
#include <net/addrconf.h>
#include <net/net_namespace.h>

#include "af_tern.h"
#include "bearer.h"
#include "net.h"
#include "netlink.h"
#include "node.h"
#include "pressure.h"
#include "timer.h"

static int family = AF_TERN;
module_param(family, int, 0444);
MODULE_PARM_DESC(family, "address family number of the sockets (default 18)");

static const struct tern_net_ops net_ops = {
	.call_timer	= tern_timer_call,
	.peer_timer	= tern_timer_peer,
	.service_timer	= tern_timer_service,
};

static int __net_init main_net_init(struct net *net)
{
	return tern_node_init(tern_net(net), net, &net_ops);
}

static void __net_exit main_net_exit(struct net *net)
{
	tern_node_exit(tern_net(net));
}

static struct pernet_operations main_net_ops = {
	.init	= main_net_init,
	.exit	= main_net_exit,
	.id	= &tern_net_id,
	.size	= sizeof(struct tern_net),
};

/* Which destinations are the node itself may be different now. */
static void addresses_changed(struct net *net)
{
	struct tern_net *tn = tern_net(net);

	WRITE_ONCE(tn->addr_gen, (READ_ONCE(tn->addr_gen) + 1) ?: 1);
}

static int inet_event(struct notifier_block *nb, unsigned long event, void *ptr)
{
	struct in_ifaddr *ifa = ptr;

	addresses_changed(dev_net(ifa->ifa_dev->dev));
	return NOTIFY_DONE;
}

static int inet6_event(struct notifier_block *nb, unsigned long event,
		       void *ptr)
{
	struct inet6_ifaddr *ifa = ptr;

	addresses_changed(dev_net(ifa->idev->dev));
	return NOTIFY_DONE;
}

static struct notifier_block inet_notifier = { .notifier_call = inet_event };
static struct notifier_block inet6_notifier = { .notifier_call = inet6_event };

static int __init tern_init(void)
{
	int err;

	if (family <= AF_UNSPEC || family >= AF_MAX) {
		pr_err("family=%d is not a number between 1 and %d\n", family,
		       AF_MAX - 1);
		return -EINVAL;
	}
	tern_bearer_local_init();
	err = register_pernet_subsys(&main_net_ops);
	if (err)
		return err;
	err = register_inetaddr_notifier(&inet_notifier);
	if (err)
		goto err_pernet;
	err = register_inet6addr_notifier(&inet6_notifier);
	if (err)
		goto err_inet;
	err = tern_pressure_init();
	if (err)
		goto err_inet6;
	err = tern_netlink_init();
	if (err)
		goto err_pressure;
	err = tern_family_register(family);
	if (err)
		goto err_netlink;
	return 0;

err_netlink:
	if (err == -EBUSY)
		pr_err("address family %d is taken, choose another one by family=\n",
		       family);
	tern_netlink_exit();
err_pressure:
	tern_pressure_exit();
err_inet6:
	unregister_inet6addr_notifier(&inet6_notifier);
err_inet:
	unregister_inetaddr_notifier(&inet_notifier);
err_pernet:
	unregister_pernet_subsys(&main_net_ops);
	rcu_barrier();
	return err;
}

static void __exit tern_exit(void)
{
	tern_family_unregister(family);
	tern_netlink_exit();
	tern_pressure_exit();
	unregister_inet6addr_notifier(&inet6_notifier);
	unregister_inetaddr_notifier(&inet_notifier);
	unregister_pernet_subsys(&main_net_ops);
	/* Associations, routes and peers that wait to be freed. */
	rcu_barrier();
}

module_init(tern_init);
module_exit(tern_exit);

MODULE_AUTHOR("The Tern developers");
MODULE_DESCRIPTION("Remote procedure calls and message queues as a socket family");
MODULE_LICENSE("GPL");
MODULE_ALIAS_NETPROTO(AF_TERN);
