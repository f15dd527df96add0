/* A machine that sleeps and is woken by a magic packet: six bytes 0xff, then its MAC address sixteen times (AMD's
 * "Magic Packet Technology", 20213), as a UDP broadcast.  It is on when its check_port answers. */
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/num.h"
#include "provider/existing.h"
#include "provider/registry.h"
#include "provider/tool.h"
#include "sys/clock.h"
#include "sys/fdio.h"
#include "sys/ipc.h"
#include "wire/ssh_args.h"

enum { PACKET_EVERY_MS = 5000, ANSWER_MS = 2000, MAC = 6, PACKET = MAC + 16 * MAC };

struct wol_settings {
	const char *mac, *addr, *broadcast, *sleep;
	int64_t wake_port, sleep_ms;
};

#define F(member, kind, ...)                                                                                \
	{                                                                                                   \
		.name = #member, .type = kind, .offset = offsetof(struct wol_settings, member), __VA_ARGS__ \
	}
static const struct field fields[] = {
    F(mac, FIELD_STRING, .required = true, .doc = "its MAC address, \"52:54:00:12:34:56\""),
    F(addr, FIELD_STRING, .required = true, .doc = "its name or address"),
    F(broadcast, FIELD_STRING, .fallback = "255.255.255.255", .doc = "where the packet goes: its network's broadcast"),
    F(wake_port, FIELD_PORT, .fallback = "9", .doc = "the UDP port of the packet"),
    F(sleep, FIELD_STRING, .fallback = "systemctl suspend", .doc = "a shell command that puts it to sleep, run on it"),
    {.name = "sleep_timeout",
     .type = FIELD_DURATION,
     .offset = offsetof(struct wol_settings, sleep_ms),
     .fallback = "60s",
     .doc = "how long it may take until it sleeps"},
};

struct way {
	const struct provider_env *env;
	const struct target *target;
	const char *address;
	int64_t sent_ms;
};

/* "52:54:00:12:34:56", or with '-', into bytes. */
static bool read_mac(const char *text, unsigned char mac[MAC])
{
	for (size_t i = 0; i < MAC; i++, text += 3) {
		uint64_t byte;
		if (strlen(text) < 2 || !num_hex((struct str){text, 2}, &byte) ||
		    (i + 1 < MAC ? text[2] != ':' && text[2] != '-' : text[2] != '\0'))
			return false;
		mac[i] = (unsigned char)byte;
	}
	return true;
}

static int send_packet(const struct provider_env *env, const struct target *t, struct err *e)
{
	const struct wol_settings *s = t->settings;
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST},
			*to = NULL;
	unsigned char packet[PACKET];
	int one = 1;

	memset(packet, 0xff, MAC);
	if (!read_mac(s->mac, packet + MAC)) {
		(void)err_set(e, ERR_CONFIG, "'%s' is not a MAC address", s->mac);
		return err_hint(e, "six bytes in hex, like 52:54:00:12:34:56; on the machine: ip link");
	}
	for (size_t i = 2 * MAC; i < PACKET; i++)
		packet[i] = packet[i - MAC];
	const char *port = arena_printf(env->arena, "%lld", (long long)s->wake_port);
	if (getaddrinfo(s->broadcast, port, &hints, &to) != 0 || to == NULL) {
		(void)err_set(e, ERR_CONFIG, "'%s' is not an address that a packet could go to", s->broadcast);
		return err_hint(e, "broadcast is that of the machine's network, like 192.168.1.255");
	}
	AUTO(fd) int fd = socket(to->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool sent = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &one, sizeof(one)) == 0 &&
		    sendto(fd, packet, sizeof(packet), 0, to->ai_addr, to->ai_addrlen) == (ssize_t)sizeof(packet);
	int code = errno;
	freeaddrinfo(to);
	if (sent)
		return 0;
	(void)err_sys(e, code, "cannot send the packet that wakes '%s'", t->name);
	return err_hint(e, "is this host in its network?  broadcast says where the packet goes: ip address");
}

static int answers(void *arg, struct err *e)
{
	const struct way *w = arg;
	int fd_value = -1, code = 0;
	socklen_t n = sizeof(code);

	if (ipc_dial(w->address, w->target->check_port, &fd_value, e) < 0)
		return e->kind == ERR_NET && !fd_exhausted(e->sys) ? 0 : -1;
	AUTO(fd) int fd = fd_value;
	struct pollfd p = {fd, POLLOUT, 0};
	return poll(&p, 1, ANSWER_MS) == 1 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &n) == 0 && code == 0;
}

static int is_asleep(void *arg, struct err *e)
{
	int on = answers(arg, e);
	return on < 0 ? -1 : !on;
}

/* A packet may be lost, and a machine that just falls asleep does not hear it: another one now and then. */
static int woken(void *arg, struct err *e)
{
	struct way *w = arg;
	int64_t now = clock_mono_ms();

	if (w->sent_ms == 0 || now - w->sent_ms >= PACKET_EVERY_MS) {
		if (send_packet(w->env, w->target, e) < 0)
			return -1;
		w->sent_ms = now;
	}
	return answers(w, e);
}

static int way_to(const struct provider_env *env, const struct target *t, struct way *w, struct err *e)
{
	const struct wol_settings *s = t->settings;

	*w = (struct way){.env = env, .target = t};
	return tool_address(env, s->addr, &w->address, e);
}

static int wol_address(const struct provider_env *env, const struct target *t, const char **address, struct err *e)
{
	const struct wol_settings *s = t->settings;
	return tool_address(env, s->addr, address, e) < 0 ? -1 : 1;
}

static int wol_is_on(const struct provider_env *env, const struct target *t, struct err *e)
{
	struct way w;
	return way_to(env, t, &w, e) < 0 ? -1 : answers(&w, e);
}

static int wol_switch_on(const struct provider_env *env, const struct target *t, struct err *e)
{
	const struct wol_settings *s = t->settings;
	struct way w;

	tool_progress(env, "waking the machine");
	int on = way_to(env, t, &w, e) < 0 ? -1 : tool_wait(env, INT32_MAX, woken, &w, e);
	if (on != 0)
		return on < 0 ? -1 : 0;
	(void)err_set(e, ERR_TIMEOUT, "target '%s' does not wake up", t->name);
	(void)err_why(e, "port %lld of %s did not answer, with a packet to %s every 5 s", (long long)t->check_port,
		      s->addr, s->broadcast);
	return err_hint(e,
			"is Wake-on-LAN switched on there (in its firmware; ethtool -s DEVICE wol g), and mac right?");
}

/* The connection often dies with the machine: what counts is that it does not answer any more. */
static int wol_switch_off(const struct provider_env *env, const struct target *t, struct err *e)
{
	const struct wol_settings *s = t->settings;
	struct ssh_door door = {.port = t->ssh.port, .known_hosts = env->known_hosts};
	struct strings argv = {0};
	struct proc_result r = {0};
	struct way w;

	tool_progress(env, "putting the machine to sleep");
	if (way_to(env, t, &w, e) < 0)
		return -1;
	door.host = w.address;
	for (const char *const *word = ssh_args(t, &door, env->arena); *word != NULL; word++)
		*vec_add(&argv, env->arena) = *word;
	*vec_add(&argv, env->arena) = s->sleep;
	*vec_add(&argv, env->arena) = NULL;
	struct provider_env brief = *env;
	int64_t until = clock_mono_ms() + s->sleep_ms;
	brief.deadline_ms = until < env->deadline_ms ? until : env->deadline_ms;
	struct err ran;
	int rc = tool_run(&brief, argv.v, &r, &ran);
	/* A command that failed at once will not do it later either. */
	int asleep = tool_wait(env, rc == 0 && r.status != 0 ? ANSWER_MS : s->sleep_ms, is_asleep, &w, e);
	if (asleep != 0)
		return asleep < 0 ? -1 : 0;
	struct str said = str_trim(r.err);
	(void)err_set(e, ERR_TIMEOUT, "target '%s' does not go to sleep", t->name);
	if (rc < 0)
		(void)err_why(e, "%s", ran.what);
	else if (said.n > 0)
		(void)err_why(e, "'%s' says: %.*s", s->sleep, (int)(said.n < 300 ? said.n : 300), said.p);
	return err_hint(e, "to see what happens: ssh %s@%s '%s'", t->ssh.user, s->addr, s->sleep);
}

static int wol_check(const struct provider_env *env, const struct target *t, struct err *e)
{
	const struct wol_settings *s = t->settings;
	unsigned char mac[MAC];
	const char *address;

	if (!read_mac(s->mac, mac)) {
		(void)err_set(e, ERR_CONFIG, "'%s' is not a MAC address", s->mac);
		return err_hint(e, "six bytes in hex, like 52:54:00:12:34:56; on the machine: ip link");
	}
	if (tool_address(env, s->addr, &address, e) < 0)
		return -1;
	return tool_have(env, t->ssh.program, "ssh puts it to sleep: apt install openssh-client", e);
}

static const struct existing_ops existing = {wol_is_on, wol_switch_on, wol_address, wol_switch_off};

const struct provider_ops provider_wake_on_lan = {
    .kind = {.name = "wake_on_lan",
	     .doc = "a machine that sleeps and is woken over the network",
	     .fields = fields,
	     .nfields = ARRAY_LEN(fields),
	     .size = sizeof(struct wol_settings),
	     .one = true},
    .check = wol_check,
    .start = existing_start,
    .describe = existing_describe,
    .stop = existing_stop,
    .list = existing_list,
    .existing = &existing,
};
