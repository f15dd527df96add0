/* Each call that a command makes of EC2, its own and those of the machines that it starts, goes wrong once: the host
 * dies in it, whoever made it is killed, its answer is lost.  The command again, and all is as if nothing had been. */
#include "cloud_sim.h"

#include <string.h>

enum { PART = 1000 };

static const struct operation {
	const char *file;   /* what the file says of the volume when it is typed */
	const char *before; /* what is typed before, with a file that says 500GiB; or NULL */
	const char *words;
	const char *then; /* {turn: GiB} of the volumes */
	bool moved;	  /* that file is applied before as well */
} operations[] = {
    {"500GiB", NULL, "apply --yes", "{\"\":500}", false},
    {"600GiB", "apply --yes", "apply --yes", "{\"\":600}", false},
    {"200GiB", "apply --yes", "apply --yes", "{\"\":500,\"1\":200}", false},
    {"200GiB", "apply --yes", "apply --drop-old --yes", "{\"1\":200}", true},
    {"500GiB", "apply --yes", "destroy arch --with-data arch --yes", "{}", false},
};

static void is_so(const struct operation *o)
{
	AUTO(json) json_t *there = ask("volumes", json_object());
	AUTO(buf) struct buf b = {0};

	json_write(&b, there);
	if (strcmp(buf_text(&b), o->then) != 0)
		wrong("the volumes are not what they should be", buf_text(&b));
}

/* So many looks do not see what was made before them; -1: nothing is slow or hidden any more. */
static void see_late(int polls)
{
	json_t *q = json_object();

	(void)json_object_set_new(q, "set", polls < 0 ? json_null() : json_pack("{s:i}", "hidden_polls", polls));
	json_decref(ask("settings", q));
}

/* False: it makes fewer calls. */
static bool one(const struct operation *o, enum strike strike, int nth, int life)
{
	static const char pool[] = "    pool = \"tank\"\n";

	begin(life);
	sim.faults = 0;
	sim.linger = 0;
	see_late(-1);
	keeper_starts();
	write_file("", "500GiB", pool);
	if (o->before != NULL)
		command_must(o->before);
	write_file("", o->file, pool);
	if (o->moved)
		command_must("apply --yes");
	live_until(play.t + MINUTE);
	see_late(2);
	sim.strike = strike;
	sim.strike_in = nth;
	command(o->words);
	wait_for_commands();
	live_until(play.t + MINUTE);
	bool struck = sim.strike_in == 0;
	sim.strike_in = 0;
	if (!play.alive)
		keeper_starts();
	command_must(o->words);
	see_late(-1);
	live_until(play.t + STATED);
	nothing_runs();
	is_so(o);
	life_ends();
	return struck;
}

void each_call(int part, int parts)
{
	int life = part * PART;

	for (size_t i = 0; i < ARRAY_LEN(operations); i++)
		for (int strike = HOST_DIES; strike <= ITS_ANSWER; strike++)
			for (int nth = 1 + part; one(&operations[i], (enum strike)strike, nth, life++); nth += parts)
				;
}
