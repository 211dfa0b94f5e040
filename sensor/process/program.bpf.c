/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
//go:build ignore

/*
 * Tells of every program that starts and of every end of such a process. All
 * that is said of one event is read at that moment in the kernel: a container or
 * a parent that is gone a millisecond later is known all the same.
 *
 * An event is a header and packed bytes after it: path, groups, arguments. The
 * reader of these bytes is decode.go.
 */
#include "kernel.h"

char _license[] SEC("license") = "Dual BSD/GPL";

enum { EXEC = 1, EXIT = 2 };
enum { ANCESTORS = 8, GROUPS = 4, NO_GROUP = 255 };
enum { PATH = 1024, NAME = 128, NAMES = 10, SKIP = 256, ARGUMENTS = 4096, CHUNK = 1024 };
enum { PATH_CUT = 1, ARGUMENTS_CUT = 2, UNLINKED = 4, ADDED = 8 };
enum { GROUP_EXIT = 4 };              /* SIGNAL_GROUP_EXIT */
enum { OVERLAY = 0x794c7630 };        /* OVERLAYFS_SUPER_MAGIC */
enum { WAKE = 256 << 10 };            /* bytes that wait before the reader is woken */

/* Namespaces in the order of the reader's names. */
enum { PID_NS, NET_NS, MNT_NS, IPC_NS, UTS_NS, USER_NS, CGROUP_NS, NAMESPACES };

struct ancestor {
	u64 started;
	u32 pid, uid, gid, mount;
	u8 group, unused[7];
	char name[16];
};

/* A group's names, nearest first, each ending in 0. */
struct group {
	u16 size;
	u8 names, cut;
};

struct event {
	u64 time, started, capabilities;
	u32 kind, pid, inner, uid, gid, exit, flags;
	u32 namespaces[NAMESPACES];
	u16 path, arguments;
	u8 ancestors, groups, unused[2];
	char name[16];
	struct group group[GROUPS];
	struct ancestor ancestor[ANCESTORS];
};

/* The packed bytes: arguments are last, and nothing before reaches LIMIT. */
enum { LIMIT = 8192 };
struct scratch {
	struct event event;
	u8 bytes[LIMIT + ARGUMENTS];
	u64 seen[GROUPS]; /* the groups told so far, by address; not sent */
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20);
} ring SEC(".maps");

/* One for each program: neither interrupts itself on a CPU, but one may the other. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

/* The processes whose start was told and whose end was not. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32768);
	__type(key, u32);
	__type(value, u64);
} running SEC(".maps");

enum { MADE, RING_FULL, TABLE_FULL, COUNTERS };
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, COUNTERS);
	__type(key, u32);
	__type(value, u64);
} counters SEC(".maps");

/* The namespaces of the node's first process. */
struct first {
	u32 found;
	u32 namespaces[NAMESPACES];
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct first);
} firsts SEC(".maps");

inline_always void count(u32 what)
{
	u64 *n = bpf_map_lookup_elem(&counters, &what);
	if (n)
		(*n)++;
}

inline_always void send(struct scratch *s, u32 size)
{
	u64 flags = bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) > WAKE ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;

	count(MADE);
	if (size > sizeof(struct event) + LIMIT + ARGUMENTS || bpf_ringbuf_output(&ring, s, size, flags))
		count(RING_FULL);
}

inline_always void namespaces(struct task_struct *t, struct cred *cred, u32 to[NAMESPACES])
{
	struct nsproxy *n = get(t, nsproxy);
	struct pid *pid = get(t, thread_pid);
	struct upid own = {};

	bpf_probe_read_kernel(&own, sizeof(own), __builtin_preserve_access_index(&pid->numbers[0]) + get(pid, level));
	to[PID_NS] = get(own.ns, ns.inum);
	to[NET_NS] = get(get(n, net_ns), ns.inum);
	to[MNT_NS] = get(get(n, mnt_ns), ns.inum);
	to[IPC_NS] = get(get(n, ipc_ns), ns.inum);
	to[UTS_NS] = get(get(n, uts_ns), ns.inum);
	to[USER_NS] = get(get(cred, user_ns), ns.inum);
	to[CGROUP_NS] = get(get(n, cgroup_ns), ns.inum);
}

inline_always u32 inner_pid(struct task_struct *t)
{
	struct pid *pid = get(t, thread_pid);
	struct upid own = {};

	bpf_probe_read_kernel(&own, sizeof(own), __builtin_preserve_access_index(&pid->numbers[0]) + get(pid, level));
	return own.nr;
}

inline_always struct kernfs_node *above(struct kernfs_node *n)
{
	if (member_exists(struct kernfs_node, __parent))
		return get(n, __parent);
	return get((struct kernfs_node___before_6_15 *)n, parent);
}

inline_always struct cgroup *by_controller(struct css_set *set, u32 id)
{
	struct cgroup_subsys_state *css = 0;

	bpf_probe_read_kernel(&css, sizeof(css), (u8 *)__builtin_preserve_access_index(&set->subsys) + id * sizeof(css));
	return get(css, cgroup);
}

/*
 * group_of is the control group that tells a task's container. Where version 1
 * holds the controllers, containers are in the groups of pids and memory, and
 * the tree of version 2 may know nothing of them.
 */
inline_always struct cgroup *group_of(struct task_struct *t)
{
	struct css_set *set = get(t, cgroups);
	struct cgroup *unified = get(set, dfl_cgrp), *g;
	struct cgroup_root *root = get(unified, root);

	if (enum_exists(pids_cgrp_id)) {
		g = by_controller(set, enum_in_kernel(pids_cgrp_id));
		if (g && get(g, root) != root && get(g, level) > 0)
			return g;
	}
	if (enum_exists(memory_cgrp_id)) {
		g = by_controller(set, enum_in_kernel(memory_cgrp_id));
		if (g && get(g, root) != root && get(g, level) > 0)
			return g;
	}
	return unified;
}

/* name_at copies a name behind the bytes so far and returns how many there are then. */
inline_always u32 name_at(struct scratch *s, u32 at, const char *name, u8 *cut)
{
	long n;

	asm volatile("%0 &= 8191" : "+r"(at)); /* LIMIT - 1 */
	n = bpf_probe_read_kernel_str(&s->bytes[at], NAME, name);
	if (n <= 0)
		return at;
	if (n == NAME)
		*cut = 1;
	return at + n;
}

/*
 * write_group writes the names of a group and of those above, the highest NAMES
 * of them: a container that may nest groups must not hide its own by it.
 */
once int write_group(u64 address, u32 of, u32 slot, u32 at)
{
	struct scratch *s = bpf_map_lookup_elem(&scratches, &of);
	struct cgroup *g = (struct cgroup *)address;
	struct kernfs_node *n = get(g, kn);
	int skip = get(g, level) - NAMES;
	u32 begin = at;
	u8 names = 0, cut = skip > SKIP;

	if (!s)
		return at;
	for (int i = 0; i < SKIP && i < skip; i++)
		n = above(n);
	for (int i = 0; i < NAMES; i++) {
		struct kernfs_node *up = above(n);
		if (!up) /* the root has no name */
			break;
		at = name_at(s, at, get(n, name), &cut);
		names++;
		n = up;
	}
	asm volatile("%0 &= 3" : "+r"(slot)); /* GROUPS - 1 */
	s->event.group[slot].size = at - begin;
	s->event.group[slot].names = names;
	s->event.group[slot].cut = cut;
	return at;
}

/* write_ancestors follows the parents; it tells a group once. */
once int write_ancestors(u64 address, u32 of, u32 at)
{
	struct scratch *s = bpf_map_lookup_elem(&scratches, &of);
	struct task_struct *t = (struct task_struct *)address;

	if (!s)
		return at;
	for (int i = 0; i < ANCESTORS; i++) {
		struct ancestor *a = &s->event.ancestor[i];
		struct cred *cred;
		u64 group;

		t = get(get(t, real_parent), group_leader);
		a->pid = get(t, tgid);
		if (!a->pid) /* the idle task */
			break;
		cred = get(t, cred);
		a->uid = get(cred, euid).val;
		a->gid = get(cred, egid).val;
		a->mount = get(get(get(t, nsproxy), mnt_ns), ns.inum);
		a->started = get(t, start_boottime);
		bpf_probe_read_kernel(a->name, sizeof(a->name), __builtin_preserve_access_index(&t->comm));
		group = (u64)group_of(t);
		a->group = NO_GROUP;
		for (u32 k = 0; k < GROUPS; k++) {
			if (k == s->event.groups) {
				s->seen[k] = group;
				s->event.groups++;
				at = write_group(group, of, k, at);
			}
			if (s->seen[k] == group) {
				a->group = k;
				break;
			}
		}
		s->event.ancestors = i + 1;
	}
	return at;
}

/*
 * write_arguments copies what the process has as its arguments, page by page as
 * far as they are in memory, and returns how many bytes there are then.
 */
inline_always u32 write_arguments(struct scratch *s, struct task_struct *t, u32 at)
{
	struct mm_struct *mm = get(t, mm);
	u64 begin = get(mm, arg_start), all = get(mm, arg_end) - begin;
	u32 done = 0;

	asm volatile("%0 &= 8191" : "+r"(at)); /* LIMIT - 1 */
	for (int i = 0; i < ARGUMENTS / CHUNK; i++) {
		u64 left = all - done;
		if (done >= all)
			break;
		if (left > CHUNK)
			left = CHUNK;
		asm volatile("%0 &= 2047" : "+r"(left));
		if (left > CHUNK || bpf_probe_read_user(&s->bytes[at + i * CHUNK], left, (void *)(begin + done)))
			break;
		done += left;
	}
	if (done < all)
		s->event.flags |= ARGUMENTS_CUT;
	s->event.arguments = done;
	return at + done;
}

/* file_flags says of the file that runs what its path does not. */
inline_always u32 file_flags(struct linux_binprm *bprm)
{
	struct inode *i = get(get(bprm, file), f_inode);
	u32 flags = 0;
	void *upper = 0;

	if (i && get(i, i_nlink) == 0)
		flags |= UNLINKED;
	if (get(get(i, i_sb), s_magic) == OVERLAY) {
		/* struct ovl_inode: the inode, and then its file in the upper layer, if any. */
		bpf_probe_read_kernel(&upper, sizeof(upper), (u8 *)i + size_in_kernel(struct inode));
		if (upper)
			flags |= ADDED;
	}
	return flags;
}

inline_always void write_process(struct scratch *s, struct task_struct *t, u32 kind)
{
	struct event *e = &s->event;
	struct cred *cred = get(t, cred);

	__builtin_memset(e, 0, sizeof(*e));
	e->kind = kind;
	e->time = bpf_ktime_get_boot_ns();
	e->started = get(t, start_boottime);
	e->pid = get(t, tgid);
	e->inner = inner_pid(t);
	e->uid = get(cred, euid).val;
	e->gid = get(cred, egid).val;
	e->capabilities = get(cred, cap_effective).val;
	bpf_probe_read_kernel(e->name, sizeof(e->name), __builtin_preserve_access_index(&t->comm));
	namespaces(t, cred, e->namespaces);
	s->seen[0] = (u64)group_of(t);
	e->groups = 1;
}

struct exec_arguments {
	struct task_struct *task;
	u64 old_pid;
	struct linux_binprm *bprm;
};

SEC("raw_tp/sched_process_exec")
int started(struct exec_arguments *c)
{
	struct task_struct *t = c->task;
	u32 mine = 0, at;
	struct scratch *s = bpf_map_lookup_elem(&scratches, &mine);
	long n;

	if (!s)
		return 0;
	write_process(s, t, EXEC);
	s->event.flags = file_flags(c->bprm);
	n = bpf_probe_read_kernel_str(s->bytes, PATH, get(c->bprm, filename));
	at = s->event.path = n > 0 ? n : 0;
	if (n == PATH)
		s->event.flags |= PATH_CUT;
	at = write_group(s->seen[0], mine, 0, at);
	at = write_ancestors((u64)t, mine, at);
	at = write_arguments(s, t, at);
	if (bpf_map_update_elem(&running, &s->event.pid, &s->event.started, 0))
		count(TABLE_FULL);
	send(s, sizeof(struct event) + at);
	return 0;
}

struct exit_arguments {
	struct task_struct *task;
};

/*
 * ended tells the end of a process, not of its threads, and only of one whose
 * start was told: a fork that runs no program of its own is not told either way.
 * Threads that end at once may all see none alive: the first takes the entry.
 */
SEC("raw_tp/sched_process_exit")
int ended(struct exit_arguments *c)
{
	struct task_struct *t = c->task, *leader = get(t, group_leader);
	struct signal_struct *signal = get(t, signal);
	u32 mine = 1, pid = get(t, tgid), at;
	struct scratch *s;

	if (get(signal, live).counter > 0)
		return 0;
	if (bpf_map_delete_elem(&running, &pid))
		return 0;
	s = bpf_map_lookup_elem(&scratches, &mine);
	if (!s)
		return 0;
	write_process(s, leader, EXIT);
	s->event.exit = get(signal, flags) & GROUP_EXIT ? get(signal, group_exit_code) : get(leader, exit_code);
	at = write_group(s->seen[0], mine, 0, 0);
	send(s, sizeof(struct event) + at);
	return 0;
}

/* first is run once by the loader: it follows the parents to the node's first process. */
SEC("raw_tp/sched_process_exec")
int first(void *c)
{
	struct task_struct *t = (struct task_struct *)bpf_get_current_task();
	u32 zero = 0;
	struct first *f = bpf_map_lookup_elem(&firsts, &zero);

	if (!f)
		return 0;
	for (int i = 0; i < 256 && get(t, tgid) > 1; i++)
		t = get(get(t, real_parent), group_leader);
	if (get(t, tgid) != 1)
		return 0;
	namespaces(t, get(t, cred), f->namespaces);
	f->found = 1;
	return 0;
}
