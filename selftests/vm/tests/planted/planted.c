// SPDX-License-Identifier: GPL-2.0
/*
 * Bugs on purpose, one for each check of the debug kernels, to see that the
 * check finds it and that the machine notices: insmod planted.ko bug=NAME.
 * OPTIMIZER_HIDE_VAR keeps the compiler from seeing, and removing, a bug.
 */
#include <linux/delay.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rculist.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/workqueue.h>

static char *bug = "none";
module_param(bug, charp, 0444);
MODULE_PARM_DESC(bug, "name of the bug");

struct object {
	int values[4];
	struct list_head node;
	struct timer_list timer;
	struct work_struct work;
	struct rcu_head rcu;
};

static DEFINE_MUTEX(first);
static DEFINE_MUTEX(second);
static DEFINE_SPINLOCK(spin);
static LIST_HEAD(objects);

static void bug_use_after_free(void)
{
	struct object *object = kmalloc(sizeof(*object), GFP_KERNEL);

	kfree(object);
	OPTIMIZER_HIDE_VAR(object);
	WRITE_ONCE(object->values[1], 1);
}

static void bug_out_of_bounds(void)
{
	char *text = kmalloc(13, GFP_KERNEL);

	OPTIMIZER_HIDE_VAR(text);
	text[13] = 1;
	kfree(text);
}

static void bug_double_free(void)
{
	struct object *object = kmalloc(sizeof(*object), GFP_KERNEL);

	kfree(object);
	OPTIMIZER_HIDE_VAR(object);
	kfree(object);
}

static void bug_null(void)
{
	struct object *object = NULL;

	OPTIMIZER_HIDE_VAR(object);
	WRITE_ONCE(object->values[0], 1);
}

static void bug_lock_order(void)
{
	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);

	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
}

static void spin_timer(struct timer_list *timer)
{
	spin_lock(&spin);
	spin_unlock(&spin);
}

static void bug_lock_softirq(void)
{
	struct timer_list timer;

	spin_lock(&spin);
	spin_unlock(&spin);
	timer_setup_on_stack(&timer, spin_timer, 0);
	mod_timer(&timer, jiffies);
	msleep(100);
	timer_delete_sync(&timer);
	destroy_timer_on_stack(&timer);
}

static void bug_lock_left(void)
{
	struct mutex *lock = kmalloc(sizeof(*lock), GFP_KERNEL);

	mutex_init(lock);
	mutex_lock(lock);
	kfree(lock);
}

static void bug_sleep(void)
{
	spin_lock(&spin);
	kfree(kmalloc(16, GFP_KERNEL));
	spin_unlock(&spin);
}

static void bug_rcu(void)
{
	struct object *object;

	list_for_each_entry_rcu(object, &objects, node)
		WRITE_ONCE(object->values[0], 1);
}

static void bug_refcount(void)
{
	refcount_t count = REFCOUNT_INIT(0);

	refcount_inc(&count);
}

static void bug_shift(void)
{
	int bits = 40;

	OPTIMIZER_HIDE_VAR(bits);
	pr_info("%d\n", 1 << bits);
}

static void bug_index(void)
{
	static int array[4];
	int index = 5;

	OPTIMIZER_HIDE_VAR(index);
	pr_info("%d\n", array[index]);
}

static void nothing(struct timer_list *timer)
{
}

static void no_work(struct work_struct *work)
{
}

static void bug_timer(void)
{
	struct object *object = kzalloc(sizeof(*object), GFP_KERNEL);

	timer_setup(&object->timer, nothing, 0);
	mod_timer(&object->timer, jiffies + 1000 * HZ);
	kfree(object);
}

static void bug_work(void)
{
	struct object *object = kzalloc(sizeof(*object), GFP_KERNEL);
	unsigned long flags;

	INIT_WORK(&object->work, no_work);
	/* it cannot run before it is freed */
	local_irq_save(flags);
	schedule_work(&object->work);
	kfree(object);
	local_irq_restore(flags);
}

static void free_object(struct rcu_head *rcu)
{
	kfree(container_of(rcu, struct object, rcu));
}

static void bug_rcu_head(void)
{
	struct object *object = kzalloc(sizeof(*object), GFP_KERNEL);

	/* not called between both */
	rcu_read_lock();
	call_rcu(&object->rcu, free_object);
	call_rcu(&object->rcu, free_object);
	rcu_read_unlock();
}

static void bug_list(void)
{
	static struct object object;

	list_add(&object.node, &objects);
	list_add(&object.node, &objects);
}

static void bug_leak(void)
{
	int i;

	for (i = 0; i < 10; i++)
		memset(kmalloc(777, GFP_KERNEL), i, 777);
}

static void bug_warn(void)
{
	WARN(1, "planted\n");
}

static void bug_panic(void)
{
	panic("planted");
}

static void bug_hang(void)
{
	preempt_disable();
	for (;;)
		cpu_relax();
}

static void bug_stay(void)
{
	__module_get(THIS_MODULE);
}

static const struct {
	const char *name;
	void (*run)(void);
} bugs[] = {
	{ "use-after-free", bug_use_after_free },
	{ "out-of-bounds", bug_out_of_bounds },
	{ "double-free", bug_double_free },
	{ "null", bug_null },
	{ "lock-order", bug_lock_order },
	{ "lock-softirq", bug_lock_softirq },
	{ "lock-left", bug_lock_left },
	{ "sleep", bug_sleep },
	{ "rcu", bug_rcu },
	{ "refcount", bug_refcount },
	{ "shift", bug_shift },
	{ "index", bug_index },
	{ "timer", bug_timer },
	{ "work", bug_work },
	{ "rcu-head", bug_rcu_head },
	{ "list", bug_list },
	{ "leak", bug_leak },
	{ "warn", bug_warn },
	{ "panic", bug_panic },
	{ "hang", bug_hang },
	{ "stay", bug_stay },
};

static int __init planted_init(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(bugs); i++) {
		if (!strcmp(bug, bugs[i].name)) {
			bugs[i].run();
			return 0;
		}
	}
	return strcmp(bug, "none") ? -EINVAL : 0;
}

static void __exit planted_exit(void)
{
}

module_init(planted_init);
module_exit(planted_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Bugs on purpose");
