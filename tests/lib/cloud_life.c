/* Random lives of all that has to do with machines of EC2, on a simulated clock and a simulated network: apply and
 * destroy, the keeper's parts, its journal, and the workers that it starts, all real; the account at the other end of
 * this program's standard input and output is the strict fake (tests/cloud/lives, which starts this).  What is not
 * real: processes are fibers, HTTP is a line of JSON, and what is done inside a machine the account answers.
 * usage: cloud_life FIRST COUNT [tell]
 *        cloud_life calls PART PARTS [tell] */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/num.h"
#include "cli/cli.h"
#include "cloud_sim.h"

struct sim sim;

int64_t birth(void)
{
	return (1800000000ll + (int64_t)sim.life * DAY_S) * SECOND;
}

uint32_t roll(uint32_t n)
{
	/* The lowest bits of such a row are hardly random. */
	sim.seed = sim.seed * 1664525 + 1013904223;
	return (uint32_t)(((uint64_t)(sim.seed >> 4) * n) >> 28);
}

bool goes_wrong(unsigned fault, uint32_t one_in)
{
	return !sim.calm && (sim.faults & fault) && roll(one_in) == 0;
}

void tell(const char *fmt, ...)
{
	va_list ap;

	if (!sim.tell)
		return;
	(void)fprintf(sim.err, "%9.3f ", (double)play.t / SECOND);
	va_start(ap, fmt);
	(void)vfprintf(sim.err, fmt, ap);
	va_end(ap);
	(void)fputc('\n', sim.err);
}

void wrong(const char *what, const char *about)
{
	(void)fprintf(sim.err, "life %d, after %lld s: %s (%s)\n", sim.life, (long long)(play.t / SECOND), what, about);
	for (const struct host *h = play.k.hosts; h != NULL; h = h->next)
		(void)fprintf(sim.err, "  %s%s %.6s %s: waiters %u, leases %u%s%s%s: %s\n", h->target,
			      h == h->first ? "" : "+", h->token, machine_state_name(h->m.state), h->m.waiters,
			      h->m.leases, h->m.unsure ? ", unsure" : "", h->blind ? ", blind" : "",
			      h->work.op == NULL ? "" : ", at work", h->last.what);
	exit(1);
}

/* --- people ----------------------------------------------------------------------------------------------------- */

static struct wish *wish(void)
{
	if (sim.nwishes == MANY)
		wrong("too much is wanted", "");
	sim.wishes[sim.nwishes] = (struct wish){play.t, INT64_MAX};
	return &sim.wishes[sim.nwishes++];
}

static bool anybody(void)
{
	for (const struct client *c = play.k.clients; c != NULL; c = c->next)
		if (c->state == CLIENT_WAITING || c->state == CLIENT_LEASED || c->state == CLIENT_CONNECTING)
			return true;
	return false;
}

/* From when to when somebody wants the machine. */
static void note_wishes(void)
{
	struct wish *last = sim.nwishes == 0 ? NULL : &sim.wishes[sim.nwishes - 1];
	bool open = last != NULL && last->to == INT64_MAX;

	if (anybody() == open)
		return;
	if (open)
		last->to = play.t;
	else
		(void)wish();
}

static void wants(int64_t stays)
{
	tell("somebody wants it for %lld s", (long long)(stays / SECOND));
	(void)person_asks(&(struct control_request){.op = CONTROL_LEASE, .target = "arch", .text = "a test"},
			  play.t + stays, NULL);
}

/* --- the keeper ------------------------------------------------------------------------------------------------- */

void keeper_starts(void)
{
	struct err e;

	tell("the keeper starts");
	play.k = (struct keeper){.paths = &sim.paths,
				 .config_path = sim.config,
				 .load = cli_load_for_keeper,
				 .listener = -1,
				 .grace_ms = 10 * SECOND,
				 .doubt_ms = 120 * SECOND,
				 .look_ms = 5 * MINUTE};
	if (store_open("state.db", &play.k.store, &e) < 0 || hosts_adopt(&play.k, &e) < 0)
		wrong("the keeper does not start", e.what);
	play.alive = true;
}

static void keeper_dies(void)
{
	struct store *s = play.k.store;

	if (!play.alive)
		return;
	tell("the keeper dies");
	sim.keepers++;
	play_dies();
	store_close(s);
	note_wishes();
}

static void host_dies(void)
{
	while (command_running() != NULL)
		fiber_kill(command_running());
	keeper_dies();
}

static void carry_out_kills(void)
{
	struct fiber *f = sim.doomed;

	sim.doomed = NULL;
	if (f != NULL && f->used) {
		tell("%s %d is killed", f->in < 0 ? "a command" : "worker", f->id);
		fiber_kill(f);
	}
	if (sim.host_doomed)
		host_dies();
	else if (sim.keeper_doomed)
		keeper_dies();
	sim.keeper_doomed = sim.host_doomed = false;
}

static int64_t next_time(int64_t until)
{
	int64_t at = play.alive ? play_next(until) : until, fiber = fibers_next();

	at = fiber < at ? fiber : at;
	for (const struct late *l = sim.late; l < sim.late + MANY; l++)
		if (l->at != 0 && l->at < at)
			at = l->at;
	return at < play.t ? play.t : at;
}

void live_until(int64_t until)
{
	for (int turns = 0; play.t < until;) {
		note_wishes();
		int64_t at = next_time(until);
		turns = at == play.t ? turns + 1 : 0;
		if (turns > 1000)
			wrong("it turns and turns", "time stands still");
		play.t = at;
		for (struct late *l = sim.late; l < sim.late + MANY; l++)
			if (l->at != 0 && l->at <= play.t)
				do_late(l);
		fibers_run(play.t);
		carry_out_kills();
		if (play.alive) {
			read_letter();
			play_serve();
		}
		for (const struct client *c = play.k.clients; c != NULL; c = c->next)
			if (person_of(c)->since != 0 && c->state != CLIENT_REAPING &&
			    play.t - person_of(c)->since > 4 * START + STATED)
				wrong("somebody waits, and gets no answer", person_of(c)->target);
	}
}

void wait_for_commands(void)
{
	for (int64_t most = play.t + 20 * MINUTE; command_running() != NULL; live_until(play.t + SECOND))
		if (play.t > most)
			wrong("it does not end", command_running()->arg);
}

void command_must(const char *words)
{
	command(words);
	wait_for_commands();
	if (sim.apply_code != EXIT_DONE)
		wrong("it does not work, and nothing is wrong", words);
}

/* --- a life ----------------------------------------------------------------------------------------------------- */

static void set_faults(void)
{
	json_t *q = json_object(), *set = json_object();

	if (sim.faults & SLOW) {
		(void)json_object_set_new(set, "pending", json_integer(roll(40)));
		(void)json_object_set_new(set, "shutting_down", json_integer(roll(60)));
		(void)json_object_set_new(set, "attaching", json_integer(roll(20)));
		(void)json_object_set_new(set, "detaching", json_integer(roll(20)));
		(void)json_object_set_new(set, "boot", json_integer(roll(20)));
		(void)json_object_set_new(set, "interface_lingers", json_integer(roll(120)));
		(void)json_object_set_new(set, "stuck_attaching", json_integer(roll(4) == 0));
	}
	if (sim.faults & STALE) {
		(void)json_object_set_new(set, "hidden_polls", json_integer(roll(5)));
		(void)json_object_set_new(set, "stale_attached_polls", json_integer(roll(3)));
	}
	if (sim.faults & NO_ROOM) {
		json_t *none = json_array();
		static const char *const ways[] = {"spot", "t4g.nano", "t4g.micro"};
		for (size_t i = 0; i < ARRAY_LEN(ways); i++)
			if (roll(3) == 0)
				(void)json_array_append_new(none, json_string(ways[i]));
		(void)json_object_set_new(set, "no_capacity", none);
		(void)json_object_set_new(set, "late_no_capacity", json_integer(roll(3) == 0));
	}
	(void)json_object_set_new(q, "set", set);
	json_decref(ask("settings", q));
}

static void something_happens(void)
{
	static const char *const itself[] = {"poweroff", "interrupt", "crash"};
	uint32_t what = roll(100);

	if (what < 35 && play.alive) {
		wants(roll(4 * MINUTE));
	} else if (what < 45 && play.alive) {
		struct control_request r = {.op = CONTROL_SLEEP, .target = "arch", .force = roll(2) == 0};
		(void)person_asks(&r, INT64_MAX, NULL);
	} else if (what < 50 && play.alive) {
		(void)person_asks(&(struct control_request){.op = CONTROL_REAP}, INT64_MAX, NULL);
	} else if (what < 65) {
		command("apply --yes");
	} else if (what < 70) {
		command("destroy arch --yes");
	} else if (what < 74) {
		command("destroy arch --with-data arch --yes");
	} else if (what < 86 && (sim.faults & KILLS)) {
		sim.kill_in = 1 + (int)roll(12);
	} else if (what < 92 && (sim.faults & DIES)) {
		keeper_dies();
		live_until(play.t + roll(2) * roll(5 * MINUTE));
	} else if (what < 96 && (sim.faults & GUEST)) {
		json_t *q = json_object();
		(void)json_object_set_new(q, "what", json_string(itself[roll(3)]));
		json_decref(ask("by_itself", q));
	} else if (what < 97 && (sim.faults & GUEST)) {
		AUTO(json) json_t *answer = ask("by_hand", json_object());
		sim.deleted = sim.deleted || json_is_true(json_object_get(answer, "done"));
	} else if (what < 98 && (sim.faults & JUMPS)) {
		sim.wall += (roll(2) == 0 ? 1 : -1) * (int64_t)roll(7200) * SECOND;
	} else {
		set_faults();
	}
}

static json_t *left(void)
{
	return ask("left", json_object());
}

static void bill(int64_t since, int64_t until)
{
	json_t *q = json_object(), *list = json_array();

	for (size_t i = 0; i < sim.nwishes; i++) {
		int64_t to = sim.wishes[i].to == INT64_MAX ? play.t : sim.wishes[i].to;
		json_t *pair = json_array();
		(void)json_array_append_new(pair, json_integer(sim.wishes[i].from + birth()));
		(void)json_array_append_new(pair, json_integer(to + birth()));
		(void)json_array_append_new(list, pair);
	}
	(void)json_object_set_new(q, "since", json_integer(since + birth()));
	(void)json_object_set_new(q, "until", json_integer(until + birth()));
	(void)json_object_set_new(q, "slack", json_integer(sim.linger + SLACK));
	(void)json_object_set_new(q, "wanted", list);
	AUTO(json) json_t *sum = ask("bill", q);
	tell("the bill: %lld machines", (long long)number(sum, "machines"));
}

void nothing_runs(void)
{
	AUTO(json) json_t *j = left();
	if (json_array_size(json_object_get(j, "running")) > 0)
		wrong("a machine runs, and nobody wants it",
		      json_string_value(json_array_get(json_object_get(j, "running"), 0)));
	for (const struct host *h = play.k.hosts; h != NULL; h = h->next)
		if (host_matters(h))
			wrong("it is not over", h->target);
}

/* This host is gone for good: what was told that it is wanted ends by itself. */
static void host_is_lost(void)
{
	host_dies();
	live_until(play.t + WATCHDOG + START + MINUTE);
	AUTO(json) json_t *j = left();
	if (json_array_size(json_object_get(j, "watched")) > 0)
		wrong("its watchdog does not end it", "");
}

/* Afterwards all works: it is set up, used, and taken away, and each is paid for as long as it was wanted. */
static void all_works(void)
{
	if (sim.deleted) { /* what an attempt made, and somebody deleted: the first one after it finds that out */
		command("apply --yes");
		wait_for_commands();
	}
	command_must("apply --yes");
	live_until(play.t + sim.linger + SLACK); /* it may have started the machine, to make the pool */
	AUTO(json) json_t *set_up = left();
	if (number(set_up, "volumes") != 1 || json_array_size(json_object_get(set_up, "things")) != 3)
		wrong("apply has not made what the file says", "");
	wants(3 * MINUTE);
	live_until(play.t + 2 * MINUTE);
	if (play.k.clients == NULL || play.k.clients->state != CLIENT_LEASED)
		wrong("nobody gets the machine, and nothing is wrong", "arch");
	live_until(play.t + 2 * MINUTE + sim.linger + SLACK);
	nothing_runs();
	command_must("destroy arch --yes");
	AUTO(json) json_t *kept = left();
	if (number(kept, "volumes") != 1 || json_array_size(json_object_get(kept, "things")) != 1)
		wrong("destroy has left something, or has taken the data", "");
	command_must("destroy arch --with-data arch --yes");
	AUTO(json) json_t *none = left();
	if (json_array_size(json_object_get(none, "things")) > 0)
		wrong("something is left", json_string_value(json_array_get(json_object_get(none, "things"), 0)));
}

static char image[64];

void write_file(const char *more, const char *size, const char *in_volume)
{
	FILE *f = fopen(sim.config, "w");

	if (f == NULL)
		wrong("there is no file", sim.config);
	(void)fprintf(
	    f,
	    "target \"arch\" \"aws_ec2\" {\n  image_id = \"%s\"\n  instance_type = \"t4g.nano\"\n"
	    "  region = \"us-east-1\"\n  user_data_format = \"none\"\n  linger = \"%llds\"\n"
	    "  start_timeout = \"%ds\"\n  stop_timeout = \"120s\"\n  watchdog = \"%ds\"\n  starts_per_hour = 0\n"
	    "%s  placement {\n    availability_zone = \"us-east-1a\"\n  }\n"
	    "  key_pair {\n    public_key = \"ssh-ed25519 "
	    "AAAAC3NzaC1lZDI1NTE5AAAAIFiN7vJ5QDzeGDGHNRZFOmQpvH3bVsnTZ9fYl2m1cQ3S a\"\n  }\n"
	    "  security_group {\n    from = [\"127.0.0.1/32\"]\n  }\n"
	    "  volume \"cold\" {\n    type = \"sc1\"\n    size = \"%s\"\n%s  }\n}\n",
	    image, (long long)(sim.linger / SECOND), START / SECOND, WATCHDOG / SECOND, more, size, in_volume);
	(void)fclose(f);
}

void begin(int life)
{
	static const int lingers[] = {0, 30, 120};
	json_t *q = json_object();

	sim.life = life;
	sim.seed = (uint32_t)life * 2654435761u + 1;
	sim.faults = roll(6) == 0 ? 0 : roll(KINDS);
	sim.calm = sim.keeper_doomed = sim.erases = sim.deleted = false;
	sim.host_doomed = false;
	sim.kill_in = sim.strike_in = 0;
	sim.nwishes = 0;
	sim.wall = birth();
	play.t = 0;
	play.mono = 1000 + roll(1000000);
	sim.linger = lingers[roll(3)] * SECOND;
	(void)json_object_set_new(q, "life", json_integer(life));
	AUTO(json) json_t *facts = ask("begin", q);
	static char run[200], state[200], config[200];
	(void)snprintf(run, sizeof(run), "%s/run", text(facts, "folder"));
	(void)snprintf(state, sizeof(state), "%s/state", text(facts, "folder"));
	(void)snprintf(config, sizeof(config), "%s/config.hcl", text(facts, "folder"));
	sim.paths = (struct paths){.runtime_dir = run, .state_dir = state, .config = config, .self = "dormouse"};
	sim.config = config;
	(void)setenv("DORMOUSE_RUNTIME_DIR", run, 1);
	(void)setenv("DORMOUSE_STATE_DIR", state, 1);
	(void)setenv("DORMOUSE_CONFIG", config, 1);
	(void)setenv("AWS_ACCESS_KEY_ID", text(facts, "id"), 1);
	(void)setenv("AWS_SECRET_ACCESS_KEY", text(facts, "secret"), 1);
	(void)snprintf(image, sizeof(image), "%s", text(facts, "image"));
	write_file(roll(2) == 0 ? "" : "  spot = true\n  instance_types = [\"t4g.micro\"]\n", "125GiB",
		   roll(4) == 0 ? "" : "    pool = \"tank\"\n");
	(void)unlink("state.db");
	(void)unlink("state.db-wal");
	(void)unlink("state.db-shm");
}

static void live(int life)
{
	begin(life);
	set_faults();
	keeper_starts();
	if (roll(8) > 0) {
		command("apply --yes");
		live_until(play.t + roll(60 * SECOND));
	}
	for (uint32_t n = 2 + roll(7); n > 0; n--) {
		something_happens();
		live_until(play.t + roll(roll(3) == 0 ? 4 * MINUTE : 20 * SECOND));
		if (!play.alive)
			keeper_starts();
	}
	bool lost = roll(10) == 0, quiet = sim.faults == 0 && !lost;
	if (lost)
		host_is_lost();
	int64_t calm = play.t;
	tell("--- calm");
	sim.calm = true;
	sim.wall = birth();
	json_t *q = json_object();
	(void)json_object_set_new(q, "set", json_null());
	json_decref(ask("settings", q));
	if (!play.alive)
		keeper_starts();
	people_stay(play.t + 1);
	live_until(calm + STATED);
	wait_for_commands();
	live_until(play.t + sim.linger + MINUTE);
	nothing_runs();
	bill(quiet ? 0 : calm + STATED, calm + STATED);
	if (life % 2 == 0) /* it takes as long as all before it */
		all_works();
	bill(quiet ? 0 : calm + STATED, calm + STATED);
	life_ends();
}

void life_ends(void)
{
	keeper_dies();
	for (struct late *l = sim.late; l < sim.late + MANY; l++)
		if (l->at != 0)
			wrong("something is late", "");
	for (int i = 0; i < FIBERS; i++)
		if (fiber_nth(i)->used)
			wrong("a process is forgotten", "");
}

int main(int argc, char **argv)
{
	uint64_t first, count;
	bool calls = argc > 1 && strcmp(argv[1], "calls") == 0;

	argv += calls;
	argc -= calls;
	if (argc < 3 || !num_u64(str_of(argv[1]), &first) || !num_u64(str_of(argv[2]), &count))
		return 3;
	sim.in = fdopen(dup(0), "r");
	sim.out = fdopen(dup(1), "w");
	sim.err = fdopen(dup(2), "w");
	sim.tell = argc > 3;
	if (sim.err == NULL || (!sim.tell && freopen("/dev/null", "w", stderr) == NULL))
		return 2;
	setlinebuf(sim.err);
	if (sim.in == NULL || sim.out == NULL || freopen("/dev/null", "r", stdin) == NULL ||
	    freopen("/dev/null", "w", stdout) == NULL || setenv("AWS_CONFIG_FILE", "/dev/null", 1) < 0 ||
	    setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null", 1) < 0)
		return 2;
	if (calls)
		each_call((int)first, (int)count);
	for (uint64_t life = first; !calls && life < first + count; life++)
		live((int)life);
	return 0;
}
