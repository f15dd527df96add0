#include "plan/alert_plan.h"

#include "base/buf.h"
#include "base/num.h"

/* So many of a kind are told one by one, and more of them as one, with the first so many of their sentences. */
enum { EACH = 4, LINES = 10 };

static const char over_prefix[] = "over: ";

struct planning {
	const struct alerting *rules;
	const struct health *h;
	struct arena *a;
	int64_t now;
	bool quiet;
	struct alert_memos *after;
	struct alert_messages *tell;
};

static bool is_quiet(const struct alerting *s, const struct zone *z, int64_t now)
{
	struct civil c = zone_civil(z, now);
	int at = c.hour * 60 + c.minute, from = s->quiet_from_min, to = s->quiet_to_min;

	return from <= to ? at >= from && at < to : at >= from || at < to;
}

static const char *lasted(const struct planning *p, const struct alert_memo *m)
{
	char text[NUM_TEXT];

	return arena_strdup(p->a, num_show_duration(((m->gone != 0 ? m->gone : p->now) - m->since) * 1000, text));
}

static void say(struct planning *p, struct alert_memo *m, const struct problem *problem)
{
	bool again = m->told != 0, over = problem == NULL;
	const char *text = over	   ? arena_printf(p->a, "it lasted %s", lasted(p, m))
			   : again ? arena_printf(p->a, "for %s; %s", lasted(p, m), problem->hint)
				   : problem->hint;

	*vec_add(p->tell, p->a) = (struct alert_message){
	    over, m->key, m->level, over ? arena_printf(p->a, "%s%s", over_prefix, m->text) : m->text, text};
	m->told = p->now;
	m->as = m->level;
}

/* It is there. */
static void present(struct planning *p, struct alert_memo m, const struct problem *problem)
{
	int64_t settle_s = p->rules->settle_ms / 1000, repeat_s = p->rules->repeat_ms / 1000;
	bool may = !p->quiet || problem->level == HEALTH_CRITICAL;

	m.gone = 0;
	m.level = problem->level;
	m.text = problem->text;
	if (may && (m.told == 0 ? p->now - m.since >= settle_s
				: m.level > m.as || (repeat_s > 0 && p->now - m.told >= repeat_s)))
		say(p, &m, problem);
	*vec_add(p->after, p->a) = m;
}

/* It is not there: forgotten, if it stays so, and told, if it was told. */
static void absent(struct planning *p, struct alert_memo m)
{
	bool may = !p->quiet || m.as == HEALTH_CRITICAL;

	m.gone = m.gone == 0 ? p->now : m.gone;
	if (p->now - m.gone < p->rules->settle_ms / 1000 || (m.told != 0 && !may)) {
		*vec_add(p->after, p->a) = m;
		return;
	}
	if (m.told != 0)
		say(p, &m, NULL);
}

static const struct problem *find(const struct health *h, const char *key)
{
	for (size_t i = 0; i < h->problems.n; i++)
		if (strcmp(h->problems.v[i].key, key) == 0)
			return &h->problems.v[i];
	return NULL;
}

static bool is_known(const struct alert_memos *before, const char *key)
{
	for (size_t i = 0; i < before->n; i++)
		if (strcmp(before->v[i].key, key) == 0)
			return true;
	return false;
}

/* What lies in the future, a clock has written that was set back since. */
static struct alert_memo sane(struct alert_memo m, int64_t now)
{
	m.since = m.since > now ? now : m.since;
	m.gone = m.gone > now ? now : m.gone;
	m.told = m.told > now ? now : m.told;
	return m;
}

static size_t kind_len(const char *key)
{
	return strcspn(key, "/");
}

static bool same_kind(const struct alert_message *x, const struct alert_message *y)
{
	size_t n = kind_len(x->key);

	return x->over == y->over && n == kind_len(y->key) && strncmp(x->key, y->key, n) == 0;
}

/* Nobody reads a thousand messages: where they are many of a kind, they are one. */
static void gather(struct alert_messages *all, struct arena *a)
{
	struct alert_messages out = {0};

	for (size_t i = 0; i < all->n; i++) {
		const struct alert_message *m = &all->v[i];
		size_t n = 0, before = 0;
		AUTO(buf) struct buf lines = {0};
		enum health_level worst = HEALTH_OK;
		for (size_t k = 0; k < all->n; k++) {
			if (!same_kind(m, &all->v[k]))
				continue;
			before += k < i;
			if (n++ < LINES)
				buf_printf(&lines, "%s\n", all->v[k].title);
			worst = all->v[k].level > worst ? all->v[k].level : worst;
		}
		if (n <= EACH) {
			*vec_add(&out, a) = *m;
			continue;
		}
		if (before > 0)
			continue;
		if (n > LINES)
			buf_printf(&lines, "and %zu more; dormouse status names all\n", n - LINES);
		*vec_add(&out, a) = (struct alert_message){
		    m->over, arena_printf(a, "many/%.*s", (int)kind_len(m->key), m->key), worst,
		    arena_printf(a, "%zu problems %s: %s", n, m->over ? "are over" : "of one kind",
				 m->title + (m->over ? strlen(over_prefix) : 0)),
		    str_dup(a, buf_str(&lines))};
	}
	*all = out;
}

void alert_plan(const struct health *h, const struct alert_memos *before, struct arena *a, struct alert_memos *after,
		struct alert_messages *tell)
{
	const struct alerting *rules = &h->config->alerting;
	struct planning p = {rules, h, a, h->facts->now, is_quiet(rules, &h->facts->zone, h->facts->now), after, tell};

	for (size_t i = 0; i < before->n; i++) {
		const struct problem *problem = find(h, before->v[i].key);
		struct alert_memo m = sane(before->v[i], p.now);
		if (problem != NULL)
			present(&p, m, problem);
		else
			absent(&p, m);
	}
	for (size_t i = 0; i < h->problems.n; i++)
		if (!is_known(before, h->problems.v[i].key))
			present(&p, (struct alert_memo){.key = h->problems.v[i].key, .since = p.now},
				&h->problems.v[i]);
	gather(tell, a);
}
