/* The sending: one round after the other, with a look at both sides in between, until nothing is left that could be
 * sent. */
#include "engine/channel.h"
#include "engine/compress.h"
#include "engine/outcome.h"
#include "engine/room.h"
#include "plan/deal_plan.h"
#include "plan/mark_plan.h"
#include "plan/replicate_plan.h"
#include "sys/clock.h"
#include "sys/stop.h"
#include "wire/program.h"

enum { STALL_MS = 10 * 60 * 1000, TRIES = 3, LOCAL_CHANNELS = 2 };

/* soon: what is queued counts. */
static bool parent_will_exist(const struct run *r, const char *target, bool soon)
{
	AUTO(arena) struct arena a = {0};
	char *parent = arena_strdup(&a, target);
	char *slash = strrchr(parent, '/');

	assert(slash != NULL);
	*slash = '\0';
	if (strchr(parent, '/') == NULL || side_find(&r->seen.target, parent) != NULL ||
	    !dataset_is_under(parent, r->backup->dest))
		return true;
	for (size_t i = 0; i < r->plan.parents.n; i++)
		if (strcmp(r->plan.parents.v[i].dataset, parent) == 0)
			return !r->plan.parents.v[i].later || (soon && parent_will_exist(r, parent, soon));
	size_t dest = strlen(r->backup->dest);
	const struct outcome *o = !soon || parent[dest] == '\0' ? NULL : outcome_find(r, parent + dest + 1);
	return o != NULL && o->queued;
}

static bool origin_failed(const struct run *r, const struct send_step *s)
{
	AUTO(arena) struct arena a = {0};
	const struct outcome *o = outcome_find(r, arena_strndup(&a, s->origin, strcspn(s->origin, "@")));

	return o != NULL && o->err.kind != ERR_NONE;
}

/* Below what has yet to be renamed; what is planned then goes there. */
static bool waits_for_rename(struct run *r, const struct send_step *s)
{
	for (size_t i = 0; i < r->plan.renames.n; i++) {
		const struct tidy_step *t = &r->plan.renames.v[i];
		if (dataset_is_under(s->target, t->to) ||
		    (s->kind == SEND_CLONE && dataset_is_under(s->target_origin, t->to)))
			return outcome_of(r, t->source)->err.kind == ERR_NONE;
	}
	return false;
}

static void fail_below(struct run *r, const struct send_step *s, const char *why)
{
	struct err e;

	(void)err_set(&e, ERR_MISSING, "cannot receive '%s'", s->target);
	(void)err_why(&e, "%s could not be received", why);
	(void)err_hint(&e, "mend that first, then run the backup again");
	outcome_fail(r, s->source, &e);
}

/* What is left to send: not what has failed in this run, nor what lies below a first copy that failed. */
static struct send_steps left_to_send(struct run *r)
{
	struct send_steps todo = {0};

	for (size_t i = 0; i < r->outcomes.n; i++)
		r->outcomes.v[i].queued = false;
	for (size_t i = 0; i < r->plan.sends.n; i++) {
		const struct send_step *s = &r->plan.sends.v[i];
		if (outcome_of(r, s->source)->err.kind != ERR_NONE || waits_for_rename(r, s))
			continue;
		bool adrift = s->kind == SEND_CLONE && origin_failed(r, s);
		if (adrift || (send_is_first(s) && !parent_will_exist(r, s->target, true))) {
			fail_below(r, s, adrift ? "what it is a clone of" : "what it lies below");
			continue;
		}
		outcome_of(r, s->source)->queued = true;
		*vec_add(&todo, r->arena) = *s;
	}
	return todo;
}

/* Follows renames whose new parent is there; the others wait for what is sent before them.  How many were
 * tried; one that fails is its dataset's failure. */
static size_t follow_renames(struct run *r)
{
	size_t tried = 0;
	struct err e;

	for (size_t i = 0; i < r->plan.renames.n; i++) {
		const struct tidy_step *t = &r->plan.renames.v[i];
		AUTO(buf) struct buf b = {0};
		if (outcome_of(r, t->source)->err.kind != ERR_NONE || !parent_will_exist(r, t->to, false))
			continue;
		tried++;
		run_stage(r, STAGE_PROVE, arena_printf(r->arena, "'%s' is '%s' now", t->dataset, t->to));
		program_tidy(&b, &(struct tidy_steps){.v = &r->plan.renames.v[i], .n = 1});
		if (reach_do(&r->target, buf_str(&b), "follow the rename", &e) < 0)
			outcome_fail(r, t->source, &e);
	}
	return tried;
}

/* How many streams at a time: what the machines allow. */
static size_t channels_of(const struct run *r)
{
	const struct target *ends[] = {r->source.target, r->target.target};
	int64_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		if (ends[i] != NULL && (n == 0 || ends[i]->channels < n))
			n = ends[i]->channels;
	return n == 0 ? LOCAL_CHANNELS : (size_t)n;
}

/* The receiver of a stream that was cut may go on for a while, and what it has taken changes: the token that was seen
 * then fits no more.  That is found out by the next look; not without end, as what is refused may have changed it, too.
 */
static bool may_have_moved(struct run *r, const struct send_step *s, const struct err *e)
{
	return s->kind == SEND_RESUME && e->kind == ERR_CONFLICT && ++outcome_of(r, s->source)->refused < TRIES;
}

/* What became of the streams of one channel.  True when it seems to have moved things forward. */
static bool take_results(struct run *r, const struct send_steps *list, const struct stream_result *results,
			 struct err *broken)
{
	bool moved = false;

	for (size_t i = 0; i < list->n; i++) {
		const struct send_step *s = &list->v[i];
		r->stale |= results[i].state == STREAM_FAILED;
		if (results[i].state == STREAM_TAKEN) {
			outcome_of(r, s->source)->coming += s->snapshots;
			outcome_of(r, s->source)->taken = s->to.guid;
			moved = true;
		} else if (results[i].state == STREAM_FAILED && results[i].err.retry == RETRY_NEVER &&
			   !may_have_moved(r, s, &results[i].err)) {
			outcome_fail(r, s->source, &results[i].err);
			moved = true;
		} else if (results[i].state == STREAM_FAILED) {
			*broken = results[i].err;
		}
	}
	return moved;
}

/* Once for the run, when it is known what goes first. */
static void measure(struct run *r, const struct send_steps *todo)
{
	uint64_t limit = bandwidth_at(&r->backup->bandwidth, &r->seen.zone, clock_unix_s());

	if (r->measured)
		return;
	r->measured = true;
	r->compress = compress_choose(&r->source, &r->target, r->backup, &r->seen.source, todo, limit);
	if (r->compress.why != NULL)
		run_note(r, arena_printf(r->arena, "%s on its way: %s",
					 r->compress.zstd ? "compressed by zstd" : "not compressed", r->compress.why));
}

/* One round over all channels.  True when it moved things forward; what broke on the way is *broken. */
static bool send_round(struct run *r, const struct send_steps *todo, struct err *broken)
{
	struct send_steps lists[CHANNELS_MAX];
	struct stream_result *results[CHANNELS_MAX];
	struct channels c = {.source = &r->source,
			     .target = &r->target,
			     .lists = lists,
			     .results = results,
			     .stall_ms = STALL_MS,
			     .bandwidth = &r->backup->bandwidth,
			     .zone = &r->seen.zone,
			     .zstd = r->compress.zstd,
			     .listener = r->listener,
			     .tracer = r->tracer,
			     .bytes = r->bytes,
			     /* What zfs foretells is not compressed; what goes over the link is. */
			     .total = r->compress.zstd ? 0 : r->total};
	bool moved = false;

	broken->kind = ERR_NONE;
	const char *stall = getenv("DORMOUSE_STALL_MS");
	if (stall != NULL)
		c.stall_ms = strtoll(stall, NULL, 10);
	c.n = sends_deal(todo, channels_of(r), lists, r->arena);
	for (size_t i = 0; i < c.n; i++)
		results[i] = arena_alloc(r->arena, lists[i].n * sizeof(*results[i]));
	int64_t span = tracer_step(r->tracer, "replicate");
	int rc = channels_run(&c, broken);
	tracer_int(r->tracer, span, "streams", (int64_t)todo->n);
	tracer_int(r->tracer, span, "bytes", (int64_t)(c.bytes - r->bytes));
	if (tracer_result(r->tracer, span, rc, broken) < 0)
		return false;
	r->bytes = c.bytes;
	for (size_t i = 0; i < c.n; i++)
		moved |= take_results(r, &lists[i], results[i], broken);
	return moved;
}

/* The proof: what the target said that it took is there, or its dataset has failed. */
static void prove(struct run *r)
{
	struct err e;

	for (size_t i = 0; i < r->plan.sends.n; i++) {
		const struct send_step *s = &r->plan.sends.v[i];
		struct outcome *o = outcome_of(r, s->source);
		if (o->taken == 0 || o->taken != s->to.guid)
			continue;
		(void)err_set(&e, ERR_CORRUPT, "cannot receive '%s'", s->target);
		(void)err_why(&e, "%s took '@%s' without a complaint, and does not have it", r->target.side.label,
			      s->to.name);
		(void)err_hint(&e, "look there: zpool status -v, zpool events; the next run sends it again");
		o->taken = 0;
		o->coming = 0;
		outcome_fail(r, s->source, &e);
	}
	for (size_t i = 0; i < r->outcomes.n; i++) {
		struct outcome *o = &r->outcomes.v[i];
		if (o->taken == 0)
			continue;
		o->snapshots += o->coming;
		o->taken = 0;
		o->coming = 0;
		run_tell(r, (struct run_event){.kind = EVENT_DATASET,
					       .stage = STAGE_PROVE,
					       .dataset = o->dataset,
					       .snapshots = o->snapshots});
	}
}

/* The source is what it was when nothing failed and nothing was marked there: what is new since is the next run's. */
static int look_and_plan(struct run *r, struct err *e)
{
	int again;

	do {
		if (run_look(r, e) < 0)
			return -1;
		do {
			r->plan = (struct plan){0};
			replicate_plan(r->backup, r->policy, &r->seen.source, &r->seen.target, &r->seen.zone,
				       clock_unix_s(), r->arena, &r->plan);
			again = run_confirm(r, e);
		} while (again > 0 && !r->stale);
	} while (again > 0);
	if (again == 0)
		prove(r);
	return again;
}

/* look_and_plan, once more when nothing could be seen: the plan of before is void. */
static int plan_anew(struct run *r, int *tries, struct err *e)
{
	if (look_and_plan(r, e) == 0)
		return 0;
	if (e->retry == RETRY_NEVER || ++*tries >= TRIES)
		return -1;
	clock_sleep_ms(1000 << *tries);
	return look_and_plan(r, e);
}

/* What has arrived in part; it changes when more does. */
static uint64_t arrived_in_part(const struct run *r)
{
	uint64_t hash = STR_HASH_INIT;

	for (size_t i = 0; i < r->seen.target.datasets.n; i++)
		if (r->seen.target.datasets.v[i].resume.token != NULL)
			hash = str_hash(r->seen.target.datasets.v[i].resume.token, hash);
	return hash;
}

/* Sends until nothing is left that could be sent; what broke for good is *e. */
static int send_all(struct run *r, struct err *e)
{
	struct err broken;

	for (int tries = 0;;) {
		struct send_steps todo = left_to_send(r);
		if (room_weigh(r, &todo))
			todo = left_to_send(r);
		if (todo.n == 0 && r->plan.renames.n == 0)
			return 0;
		if (stop_check(e) < 0)
			return -1;
		AUTO(buf) struct buf b = {0};
		program_parents(&b, &r->plan.parents, &r->plan.aborts);
		if (r->plan.parents.n + r->plan.aborts.n > 0 &&
		    reach_do(&r->target, buf_str(&b), "make the parents", e) < 0) {
			if (e->retry == RETRY_NEVER || ++tries >= TRIES || plan_anew(r, &tries, e) < 0)
				return -1;
			continue;
		}
		if (follow_renames(r) > 0) {
			/* What was planned for the old names is void. */
			if (plan_anew(r, &tries, e) < 0)
				return -1;
			continue;
		}
		if (todo.n == 0)
			return 0;
		uint64_t before = arrived_in_part(r);
		measure(r, &todo);
		if (send_round(r, &todo, &broken))
			tries = 0;
		else if (++tries >= TRIES)
			return *e = broken, -1;
		if (broken.kind != ERR_NONE && !stop_asked()) {
			run_note(r, broken.why);
			clock_sleep_ms(1000 << tries);
			reach_keep(&r->source);
			reach_keep(&r->target);
		}
		run_stage(r, STAGE_PROVE, "look again at what is there");
		int64_t span = tracer_step(r->tracer, "prove");
		bool failed = plan_anew(r, &tries, e) < 0 || (room_make(r) && plan_anew(r, &tries, e) < 0);
		if (tracer_result(r->tracer, span, failed ? -1 : 0, e) < 0)
			return -1;
		/* A line that is cut again and again, but lets something through each time, is worth another try. */
		if (arrived_in_part(r) != before)
			tries = 0;
	}
}

/* What the last look says of every dataset; unfinished: why not all was tried, or NULL. */
static void judge(struct run *r, const struct err *unfinished)
{
	struct err e;

	for (size_t i = 0; i < r->plan.skips.n; i++) {
		struct outcome *o = outcome_of(r, r->plan.skips.v[i].source);
		o->proven = true;
		o->err.kind = ERR_NONE;
		o->newest = r->plan.skips.v[i].newest.name;
		o->newest_at = r->plan.skips.v[i].newest.creation;
	}
	for (size_t i = 0; i < r->plan.conflicts.n; i++) {
		const struct conflict *c = &r->plan.conflicts.v[i];
		if (outcome_of(r, c->source)->err.kind != ERR_NONE)
			continue;
		(void)err_set(&e, ERR_CONFLICT, "cannot replicate '%s' to '%s'", c->source, c->target);
		(void)err_why(&e, "%s", c->why);
		(void)err_hint(&e, "%s", c->hint);
		outcome_fail(r, c->source, &e);
	}
	for (size_t i = 0; i < r->plan.sends.n; i++) {
		struct outcome *o = outcome_of(r, r->plan.sends.v[i].source);
		if (o->err.kind != ERR_NONE || o->proven)
			continue;
		if (unfinished != NULL)
			outcome_fail(r, o->dataset, unfinished);
		else
			fail_below(r, &r->plan.sends.v[i], "what it lies below");
	}
	for (size_t i = 0; i < r->plan.renames.n; i++) {
		const struct tidy_step *t = &r->plan.renames.v[i];
		if (outcome_of(r, t->source)->err.kind != ERR_NONE)
			continue;
		(void)err_set(&e, ERR_MISSING, "cannot rename '%s' to '%s'", t->dataset, t->to);
		(void)err_why(&e, "what it would lie below is not there");
		(void)err_hint(&e, "mend that first, then run the backup again");
		outcome_fail(r, t->source, unfinished == NULL ? &e : unfinished);
	}
}

static int mark(struct run *r, struct err *e)
{
	AUTO(buf) struct buf b = {0};

	if (r->plan.marks.n == 0)
		return 0;
	r->stale = true;
	program_marks(&b, &r->plan.marks, backup_tag(r->backup, r->arena));
	int64_t span = tracer_step(r->tracer, "mark");
	return tracer_result(r->tracer, span, reach_do(&r->source, buf_str(&b), "hold the common snapshots", e), e);
}

/* Nothing to do, and nothing done, would look like success. */
static int check_chosen(const struct run *r, struct err *e)
{
	if (backup_takes_any(r->backup, &r->seen.source))
		return 0;
	(void)err_set(e, ERR_MISSING, "backup '%s' takes no dataset of '%s'", r->backup->name, r->backup->source);
	return err_hint(e, "include, exclude and choose in the file, and the property dormouse:backup, say which");
}

int run_replicate(struct run *r, struct err *e)
{
	struct err unfinished;

	run_stage(r, STAGE_LOOK, "what is there, and what is to be sent");
	/* Nobody is woken for nothing. */
	if (reach_unasked(&r->target) && (run_look_source(r, e) < 0 || check_chosen(r, e) < 0))
		return -1;
	int seen = look_and_plan(r, e);
	/* This is the better reason, whatever there is at the target. */
	if ((side_find(&r->seen.source, r->backup->source) != NULL && check_chosen(r, e) < 0) || seen < 0)
		return -1;
	if (r->plan.sends.n > 0) {
		run_stage(r, STAGE_SEND, arena_printf(r->arena, "%zu streams", r->plan.sends.n));
		/* What cannot be marked now is said at the end, when it is tried again. */
		(void)!mark(r, &unfinished);
	}
	bool whole = send_all(r, &unfinished) == 0;
	judge(r, whole ? NULL : &unfinished);
	if (r->plan.marks.n > 0)
		run_stage(r, STAGE_MARK, "hold what both have");
	/* The copies are there and proven; that the next increment is not safeguarded must be said. */
	if (mark(r, e) < 0)
		return -1;
	if (whole || r->outcomes.n > 0)
		return 0;
	*e = unfinished;
	return -1;
}
