#include "wire/program.h"

#include "wire/properties.h"

/* Stands on what a restore has received, with its own name, until its properties are put back. */
#define RESTORING "dormouse:restoring"

static void send_command(struct buf *b, const struct send_step *s, const char *options)
{
	buf_printf(b, "zfs send%s", options);
	switch (s->kind) {
	case SEND_RESUME:
		buf_puts(b, " -t");
		shell_word(b, s->token);
		return;
	case SEND_FULL:
	case SEND_CLONE:
	case SEND_INCREMENTAL:
	case SEND_INTERMEDIATE:
		break;
	}
	buf_puts(b, s->raw ? " -w" : s->keyed ? " -L -c" : " -L -c -e");
	if (s->kind == SEND_CLONE) {
		buf_puts(b, " -i");
		shell_word(b, s->origin);
	} else if (s->kind != SEND_FULL) {
		buf_puts(b, s->kind == SEND_INTERMEDIATE ? " -I" : " -i");
		shell_pair(b, s->source, s->base.kind == POINT_BOOKMARK ? '#' : '@', s->base.name);
	}
	shell_pair(b, s->source, '@', s->to.name);
}

void program_estimate(struct buf *b, const struct send_steps *sends)
{
	program_begin(b);
	for (size_t i = 0; i < sends->n; i++) {
		buf_printf(b, "echo '#estimate %zu'\n", i);
		send_command(b, &sends->v[i], " -nvP");
		buf_puts(b, " 2>&1 </dev/null\n");
	}
	buf_puts(b, "echo '#estimate end'\n");
	program_end(b);
}

static const char tells_zstd[] = "if command -v zstd >/dev/null; then echo 'zstd yes'; else echo 'zstd no'; fi\n";

void program_sample(struct buf *b, const struct send_step *steps, size_t n, size_t bytes_each)
{
	program_begin(b);
	buf_puts(b, tells_zstd);
	/* wc counts what goes into zstd and what comes out; times(1) what it took. */
	buf_puts(b, "{ { {\n");
	for (size_t i = 0; i < n; i++) {
		send_command(b, &steps[i], "");
		buf_printf(b, " </dev/null | head -c %zu\n", bytes_each);
	}
	buf_puts(b, "} 2>/dev/null | tee /dev/fd/3 | zstd -q -1 -c | echo \"packed $(wc -c)\" >&4; } 3>&1 |\n"
		    "echo \"bytes $(wc -c)\"; } 4>&1\n"
		    "times\n"
		    "exec </dev/null\n"
		    "zfs get -Hp -o value compressratio");
	for (size_t i = 0; i < n; i++)
		shell_word(b, steps[i].source);
	buf_puts(b, " | sed 's/^/ratio /'\necho '#sample end'\n");
	program_end(b);
}

void program_carry(struct buf *b, bool up, size_t bytes)
{
	program_begin(b);
	buf_puts(b, tells_zstd);
	buf_printf(b, up ? "head -c %zu >/dev/null\n" : "head -c %zu /dev/urandom\n", bytes);
	program_end(b);
}

/* Said before anything is sent: where a pipe breaks, nobody can tell the cause from its effects. */
static const char has_zstd[] = "command -v zstd >/dev/null || { echo 'zstd: not found' >&2; failed 0 127; }\n";

void program_send(struct buf *b, const struct send_step *steps, size_t n, bool zstd)
{
	program_begin(b);
	buf_puts(b, "failed() {\necho \"dormouse-send $1 $2\" >&2\nexit \"$2\"\n}\n");
	if (zstd)
		buf_printf(b, "%s{\n", has_zstd);
	for (size_t i = 0; i < n; i++) {
		send_command(b, &steps[i], "");
		buf_printf(b, " </dev/null || failed %zu $?\n", i);
	}
	/* zstd(1): as much work as the link leaves time for. */
	buf_puts(b, zstd ? "} | zstd -q -c --adapt=max=12\n" : "");
	program_end(b);
}

/* What a received dataset must never bring along or be given: nothing that mounts it, limits it, or
 * lets anything on the target write to it or snapshot it.  A volume refuses the properties of file
 * systems (zfs-receive(8): -o and -x must apply to the type). */
static const char both_options[] = " -o readonly=on -o com.sun:auto-snapshot=false -x reservation -x refreservation"
				   " -x snapshot_limit";
static const char filesystem_options[] = " -o canmount=noauto -x mountpoint -x quota -x refquota";

static void receive_options(struct buf *b, const struct send_step *s)
{
	AUTO(arena) struct arena a = {0};

	/* A clone is what its origin is. */
	if (s->open && s->kind == SEND_FULL)
		buf_puts(b, " -o encryption=off");
	if (s->restores) {
		buf_puts(b, s->is_volume ? " -o" : " -o canmount=noauto -o");
		shell_pair(b, RESTORING, '=', s->target);
		return;
	}
	buf_puts(b, both_options);
	if (!s->is_volume)
		buf_puts(b, filesystem_options);
	if (s->kind == SEND_CLONE) {
		buf_puts(b, " -o");
		shell_pair(b, "origin", '=', s->target_origin);
	}
	if (s->properties != NULL) {
		buf_puts(b, " -o");
		shell_pair(b, PROPERTIES_NAME, '=', properties_text(s->properties, &a));
	}
}

void program_receive(struct buf *b, const struct send_step *steps, size_t n, bool zstd)
{
	program_begin(b);
	if (zstd)
		buf_printf(b, "failed() {\nexit \"$2\"\n}\n%szstd -q -d -c | {\n", has_zstd);
	/* The answer: index, exit code, and after a failure the GUID of the snapshot that should be there now ('-' if
	 * it is not), then what zfs said, each line behind a '!'.  Of what went well the next look tells. */
	buf_puts(b, "took() {\n"
		    "guid=-\n"
		    "[ $2 = 0 ] || guid=$(zfs get -Hp -o value guid \"$4\" 2>/dev/null </dev/null) || guid=-\n"
		    "echo \"$1 $2 ${guid:--}\"\n"
		    "[ -z \"$3\" ] || printf '%s\\n' \"$3\" | sed 's/^/!/'\n"
		    "[ $2 = 0 ] || [ \"$guid\" = \"$5\" ] || exit 1\n"
		    "}\n"
		    /* docs/decisions/0006 */
		    "ours() {\n"
		    "[ \"$(zfs get -Hp -o value dormouse:placeholder \"$1\" </dev/null)\" = \"$1\" ] && "
		    "[ -z \"$(zfs list -H -o name -d 1 -t snapshot \"$1\" </dev/null 2>&1)\" ] && return\n"
		    "echo \"cannot receive: $1 is no stand-in of dormouse any more\"\nreturn 1\n"
		    "}\n");
	for (size_t i = 0; i < n; i++) {
		const struct send_step *s = &steps[i];
		bool more = s->replaces || s->parents.n > 0;
		buf_puts(b, more ? "out=$({ " : "out=$(");
		for (size_t k = 0; k < s->parents.n; k++) {
			buf_puts(b, "{ zfs list");
			shell_word(b, s->parents.v[k].dataset);
			buf_puts(b, " >/dev/null 2>&1 </dev/null || ");
			program_stand_in(b, s->parents.v[k].dataset, s->parents.v[k].open);
			buf_puts(b, "} && ");
		}
		if (s->replaces) {
			buf_puts(b, "ours");
			shell_word(b, s->target);
			buf_puts(b, " && ");
		}
		buf_puts(b, s->replaces ? "zfs receive -s -u -F" : "zfs receive -s -u");
		receive_options(b, s);
		shell_word(b, s->target);
		if (s->replaces) {
			buf_puts(b, " && zfs inherit dormouse:placeholder");
			shell_word(b, s->target);
			buf_puts(b, " </dev/null");
		}
		buf_puts(b, more ? "; }" : "");
		buf_printf(b, " 2>&1)\ntook %zu $? \"$out\"", i);
		shell_pair(b, s->target, '@', s->to.name);
		buf_printf(b, " %llu\n", (unsigned long long)s->to.guid);
	}
	buf_puts(b, zstd ? "}\n" : "");
	program_end(b);
}
void program_put_back(struct buf *b, const char *dataset, const struct properties *p, bool inherit)
{
	program_begin(b);
	for (size_t i = 0; i < p->n; i++) {
		buf_puts(b, "zfs set");
		shell_pair(b, p->v[i].name, '=', p->v[i].value);
		shell_word(b, dataset);
		buf_puts(b, " </dev/null\n");
	}
	if (inherit) {
		buf_puts(b, "zfs inherit -S canmount");
		shell_word(b, dataset);
		buf_puts(b, " </dev/null\n");
	}
	buf_puts(b, "zfs inherit " RESTORING);
	shell_word(b, dataset);
	buf_puts(b, " </dev/null\n");
	program_end(b);
}

/* --- from pool to pool of one machine ---------------------------------------------------------------------- */

static const char move_functions[] =
    "exec </dev/null\n"
    "drop() {\nzfs holds -H \"$1\" | while IFS='\t' read -r at tag rest; do zfs release \"$tag\" \"$1\"; done\n"
    "zfs destroy \"$1\"\n}\n"
    "hold() {\nzfs holds -H \"$1\" | while IFS='\t' read -r at tag rest; do\n"
    "zfs hold \"$tag\" \"$2\" 2>/dev/null || zfs holds -H \"$2\" | grep -qF \"\t$tag\t\" || exit 1\ndone\n}\n";

static void move_receive(struct buf *b, const struct send_step *s, bool whole)
{
	bool first = s->kind == SEND_FULL || s->kind == SEND_CLONE;

	buf_puts(b, " | zfs receive -u");
	/* What has no snapshot cannot be gone on with. */
	buf_puts(b, whole ? "" : " -s");
	/* Nothing is written there but by this: what seems so is what a stream that was cut has left. */
	buf_puts(b, s->kind == SEND_INTERMEDIATE || s->replaces ? " -F" : "");
	buf_puts(b, s->open && first ? " -o encryption=off" : "");
	if (s->kind == SEND_CLONE) {
		buf_puts(b, " -o");
		shell_pair(b, "origin", '=', s->target_origin);
	}
	for (size_t i = 0; s->properties != NULL && i < s->properties->n; i++) {
		buf_puts(b, " -o");
		shell_pair(b, s->properties->v[i].name, '=', s->properties->v[i].value);
	}
	shell_word(b, s->target);
	if (s->kind != SEND_RESUME)
		return;
	/* With it goes what was to be done after it. */
	buf_puts(b, " || { zfs receive -A");
	shell_word(b, s->target);
	buf_puts(b, "; exit 1; }");
}

static void move_step(struct buf *b, const struct move_step *s)
{
	switch (s->kind) {
	case MOVE_DESTROY:
		buf_puts(b, "zfs destroy -R");
		shell_word(b, s->to);
		break;
	case MOVE_PRUNE:
		buf_puts(b, "drop");
		shell_word(b, s->to);
		break;
	case MOVE_SEND:
		send_command(b, &s->send, "");
		move_receive(b, &s->send, false);
		break;
	case MOVE_WHOLE:
		/* The stream makes a snapshot, which the dataset does not have. */
		buf_puts(b, "zfs send -w");
		shell_word(b, s->from);
		move_receive(b, &s->send, true);
		buf_puts(b, " && zfs destroy");
		shell_pair(b, s->to, '@', "%");
		break;
	case MOVE_SET:
		buf_puts(b, s->property.value == NULL ? "zfs inherit" : "zfs set");
		if (s->property.value == NULL)
			shell_word(b, s->property.name);
		else
			shell_pair(b, s->property.name, '=', s->property.value);
		shell_word(b, s->to);
		break;
	case MOVE_HOLD:
		buf_puts(b, "hold");
		shell_word(b, s->from);
		shell_word(b, s->to);
		break;
	case MOVE_BOOKMARK:
		buf_puts(b, "zfs bookmark");
		shell_word(b, s->from);
		shell_pair(b, s->to, '#', s->bookmark);
		break;
	}
	buf_puts(b, s->kind == MOVE_SET ? " || :\n" : " || exit 1\n");
}

void program_move(struct buf *b, const struct move_step *steps, size_t n)
{
	program_begin(b);
	buf_puts(b, move_functions);
	for (size_t i = 0; i < n; i++)
		move_step(b, &steps[i]);
	program_end(b);
}
