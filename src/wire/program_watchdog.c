/* What ends a machine that nobody asks for any more, from within. */
#include "wire/program.h"
#include "wire/shell.h"

/* Each call starts a watch of its own, and the ones before it end: nobody need know whether they still live.  Their
 * time is counted in sleeps, so that it stands still with the machine.  A pool that cannot be exported in time is no
 * reason to stay on. */
static const char functions[] =
    "wanted() { read -r who 2>/dev/null <\"$file\" || who=$1; [ \"$who\" = \"$1\" ]; }\n"
    "watch() {\ntrap '' HUP\n"
    "me=$1 left=$2\nshift 2\n"
    "while [ \"$left\" -gt 0 ]; do\nsleep 5\nleft=$((left - 5))\nwanted \"$me\" || exit 0\ndone\n"
    "logger -t dormouse 'nobody has asked for this machine for too long: it is switched off'\n"
    "{\nfor pool do zpool export \"$pool\"; done\nrm -f \"$file\"\n} &\n"
    "n=0\nwhile [ $((n += 1)) -le 60 ] && [ -e \"$file\" ]; do sleep 1; done\n"
    "poweroff\nsleep 120\npoweroff -f\nsleep 60\necho o >/proc/sysrq-trigger\n}\n";

void program_watchdog(struct buf *b, const char *not_on, int64_t left_ms, const struct strings *pools)
{
	program_begin(b);
	buf_puts(b, "file=/run/dormouse-watchdog id=/proc/sys/kernel/random/boot_id\n");
	buf_puts(b, functions);
	buf_puts(b, "[ \"$(cat $id 2>/dev/null)\" !=");
	shell_word(b, not_on);
	buf_puts(b, " ] || { echo 'it is the host itself that dormouse runs on' >&2; exit 1; }\n"
		    "[ \"$(id -u)\" = 0 ] || { echo 'only root may switch it off' >&2; exit 1; }\n"
		    "command -v poweroff >/dev/null || { echo 'it has no poweroff' >&2; exit 1; }\n"
		    "me=$(cat /proc/sys/kernel/random/uuid 2>/dev/null || echo $$)\n"
		    "echo \"$me\" >\"$file.$$\" && mv \"$file.$$\" \"$file\" || exit 1\n");
	/* Redirected as a command a function would keep what it writes to elsewhere open, and ssh would wait for it. */
	buf_printf(b, "{\nexec </dev/null >/dev/null 2>&1\nwatch \"$me\" %lld", (long long)(left_ms / 1000));
	for (size_t i = 0; i < pools->n; i++)
		shell_word(b, pools->v[i]);
	buf_puts(b, "\n} &\n");
	program_end(b);
}
