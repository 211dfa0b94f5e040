/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What program.bpf.c needs to know of the kernel, by hand: the few members it
 * reads, the few helpers it calls. Offsets are not taken from here: loading the
 * object looks them up in the running kernel's own type information (CO-RE).
 * A name with ___ in it is the same type in another release.
 */
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef int s32;
typedef long long s64;

#define SEC(name) __attribute__((section(name), used))
#define inline_always static inline __attribute__((always_inline))
/* A function that the verifier checks once, whoever calls it. */
#define once __attribute__((noinline))

#define __uint(name, value) int(*name)[value]
#define __type(name, value) typeof(value) *name

enum { BPF_MAP_TYPE_HASH = 1, BPF_MAP_TYPE_ARRAY = 2, BPF_MAP_TYPE_PERCPU_ARRAY = 6, BPF_MAP_TYPE_RINGBUF = 27 };
enum { BPF_RB_NO_WAKEUP = 1, BPF_RB_FORCE_WAKEUP = 2, BPF_RB_AVAIL_DATA = 0 };

static void *(*const bpf_map_lookup_elem)(void *map, const void *key) = (void *)1;
static long (*const bpf_map_update_elem)(void *map, const void *key, const void *value, u64 flags) = (void *)2;
static long (*const bpf_map_delete_elem)(void *map, const void *key) = (void *)3;
static u64 (*const bpf_get_current_task)(void) = (void *)35;
static long (*const bpf_probe_read_user)(void *to, u32 size, const void *from) = (void *)112;
static long (*const bpf_probe_read_kernel)(void *to, u32 size, const void *from) = (void *)113;
static long (*const bpf_probe_read_kernel_str)(void *to, u32 size, const void *from) = (void *)115;
static u64 (*const bpf_ktime_get_boot_ns)(void) = (void *)125;
static long (*const bpf_ringbuf_output)(void *ring, void *data, u64 size, u64 flags) = (void *)130;
static u64 (*const bpf_ringbuf_query)(void *ring, u64 flags) = (void *)134;

/* get reads a member through a pointer of the kernel's; what cannot be read is 0. */
#define get(from, member) ({ \
	typeof(from) base_ = (from); \
	typeof(base_->member) value_; \
	bpf_probe_read_kernel(&value_, sizeof(value_), __builtin_preserve_access_index(&base_->member)); \
	value_; })
#define member_exists(type, member) __builtin_preserve_field_info(((type *)0)->member, 2)
#define size_in_kernel(type) __builtin_preserve_type_info(*(type *)0, 1)
#define enum_exists(value) __builtin_preserve_enum_value(*(enum cgroup_subsys_id *)value, 0)
#define enum_in_kernel(value) __builtin_preserve_enum_value(*(enum cgroup_subsys_id *)value, 1)

/* These are read whole. */
typedef struct { u32 val; } kuid_t;
typedef struct { u32 val; } kgid_t;
typedef struct { u64 val; } kernel_cap_t;
typedef struct { int counter; } atomic_t;

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ns_common { u32 inum; };
struct uts_namespace { struct ns_common ns; };
struct ipc_namespace { struct ns_common ns; };
struct mnt_namespace { struct ns_common ns; };
struct pid_namespace { struct ns_common ns; };
struct user_namespace { struct ns_common ns; };
struct cgroup_namespace { struct ns_common ns; };
struct net { struct ns_common ns; };

struct nsproxy {
	struct uts_namespace *uts_ns;
	struct ipc_namespace *ipc_ns;
	struct mnt_namespace *mnt_ns;
	struct net *net_ns;
	struct cgroup_namespace *cgroup_ns;
};

struct cred {
	kuid_t euid;
	kgid_t egid;
	kernel_cap_t cap_effective;
	struct user_namespace *user_ns;
};

struct kernfs_node {
	const char *name;
	struct kernfs_node *__parent;
};
struct kernfs_node___before_6_15 { struct kernfs_node *parent; };

struct cgroup_root;
struct cgroup {
	int level;
	struct kernfs_node *kn;
	struct cgroup_root *root;
};
struct cgroup_subsys_state { struct cgroup *cgroup; };
struct css_set {
	struct cgroup_subsys_state *subsys[1];
	struct cgroup *dfl_cgrp;
};
enum cgroup_subsys_id { memory_cgrp_id = 4, pids_cgrp_id = 11 };

struct upid {
	int nr;
	struct pid_namespace *ns;
};
struct pid {
	u32 level;
	struct upid numbers[1];
};

struct signal_struct {
	atomic_t live;
	u32 flags;
	int group_exit_code;
};

struct mm_struct { unsigned long arg_start, arg_end; };

struct task_struct {
	struct mm_struct *mm;
	int exit_code;
	int pid, tgid;
	struct task_struct *real_parent, *group_leader;
	struct pid *thread_pid;
	u64 start_boottime;
	struct cred *cred;
	char comm[16];
	struct nsproxy *nsproxy;
	struct signal_struct *signal;
	struct css_set *cgroups;
};

struct super_block { unsigned long s_magic; };
struct inode {
	struct super_block *i_sb;
	u32 i_nlink;
};
struct file { struct inode *f_inode; };
struct linux_binprm {
	struct file *file;
	const char *filename;
};

#pragma clang attribute pop
