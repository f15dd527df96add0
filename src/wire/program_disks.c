/* Pools on disks that apply has made. */
#include "base/num.h"
#include "wire/program.h"
#include "wire/shell.h"

/* Only what cannot hold anything is taken: nothing that blkid knows, and no byte but zeros at both ends, where every
 * filesystem and ZFS itself begin.  -f with what is marked: the machine that had it last may have ended without an
 * export, and no other has it, because the provider gives it to one at a time.  A disk that has been made larger
 * becomes a larger pool.  Of a whole disk ZFS makes partitions, and its label is in the first of them. */
static const char functions[] =
    "there() {\nn=0\nuntil [ -e \"$1\" ]; do\n"
    "[ $((n += 1)) -le 60 ] || { echo \"the disk $1 does not appear\" >&2; return 1; }\nsleep 1\ndone\n"
    "if command -v udevadm >/dev/null; then udevadm settle -t 10 >/dev/null 2>&1 || :; fi\n}\n"
    "zeros() { [ \"$(\"$@\" | tr -d '\\0' | head -c 1 | wc -c)\" -eq 0 ]; }\n"
    "blank() {\nblkid -p \"$1\" >/dev/null 2>&1\n[ $? = 2 ] && zeros head -c 1048576 \"$1\" && "
    "zeros tail -c 1048576 \"$1\"\n}\n"
    "disk() {\nthere \"$1\" || return 1\nif ! zpool list -H -o name \"$2\" >/dev/null 2>&1; then\n"
    "if [ -n \"$3\" ]; then zpool import -f -N -o cachefile=none -d \"${1%/*}\" \"$3\" \"$2\" || return 1\n"
    "elif zpool import -f -N -o cachefile=none -d \"$1\" -d \"$1-part1\" \"$2\" 2>/dev/null; then :\n"
    "elif blank \"$1\"; then zpool create -o ashift=12 -o cachefile=none -O mountpoint=none \"$2\" \"$1\" || return 1\n"
    "else echo \"the disk $1 is not blank, and has no pool $2: nothing is made on it\" >&2; return 1; fi\nfi\n"
    "guid=$(zpool get -H -o value guid \"$2\") || return 1\n"
    "if [ -n \"$3\" ] && [ \"$guid\" != \"$3\" ]; then\n"
    "echo \"the pool $2 is not the one of the disk $1\" >&2; return 1; fi\n"
    "case $(zpool get -H -o value expandsize \"$2\") in -) ;; *) zpool online -e \"$2\" \"$1\" || return 1 ;; esac\n"
    "echo \"pool $guid $2\"\n}\n"
    "dataset() {\nd=$1\nshift\nzfs list -H -o name \"$d\" >/dev/null 2>&1 || zfs create -u \"$@\" \"$d\"\n}\n";

void program_disks(struct buf *b, const struct pool_disks *disks)
{
	program_begin(b);
	buf_puts(b, "exec </dev/null\n");
	buf_puts(b, functions);
	for (size_t i = 0; i < disks->n; i++) {
		const struct pool_disk *d = &disks->v[i];
		buf_puts(b, "disk");
		shell_word(b, d->path);
		shell_word(b, d->pool);
		shell_word(b, d->guid == NULL ? "" : d->guid);
		buf_puts(b, " || exit 1\n");
		for (size_t k = 0; k < d->ndatasets; k++) {
			const struct strings *p = &d->datasets[k].properties;
			buf_puts(b, "dataset");
			shell_pair(b, d->pool, '/', d->datasets[k].name);
			for (size_t n = 0; n + 1 < p->n; n += 2) {
				buf_puts(b, " -o");
				shell_pair(b, p->v[n], '=', p->v[n + 1]);
			}
			buf_puts(b, " || exit 1\n");
		}
	}
	program_end(b);
}

void program_take_place(struct buf *b, const struct pool_disk *disk)
{
	AUTO(arena) struct arena a = {0};

	program_begin(b);
	buf_puts(b, "exec </dev/null\nzpool export");
	shell_word(b, disk->becomes);
	buf_puts(b, " && zpool export");
	shell_word(b, disk->pool);
	buf_puts(b, " && zpool import -f -N -o cachefile=none -d");
	shell_word(b, arena_strndup(&a, disk->path, (size_t)(strrchr(disk->path, '/') - disk->path)));
	shell_word(b, disk->guid);
	shell_word(b, disk->becomes);
	buf_puts(b, "\n");
	program_end(b);
}

int disks_parse(struct str out, struct arena *a, struct pool_disks *disks, struct err *e)
{
	size_t known = 0;

	while (out.n > 0) {
		struct str line = str_cut(&out, '\n'), word = str_cut(&line, ' '), guid = str_cut(&line, ' ');
		uint64_t number;
		if (!str_eq(word, "pool"))
			continue;
		for (size_t i = 0; i < disks->n; i++) {
			if (!str_eq(line, disks->v[i].pool) || !num_u64(guid, &number))
				continue;
			disks->v[i].fresh = disks->v[i].guid == NULL;
			disks->v[i].guid = str_dup(a, guid);
			known++;
		}
	}
	return known == disks->n ? 0 : err_set(e, ERR_CORRUPT, "the machine does not say which pools are on its disks");
}
