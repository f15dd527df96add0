#include "engine/bill.h"

#include "sys/clock.h"
#include "wire/json.h"

enum { DAYS = 30, DAY_S = 24 * 3600 };

/* Of the last 30 days, or since the first start if that is less long ago. */
static void read_uses(const json_t *list, struct arena *a, struct bill *b)
{
	int64_t now = clock_unix_s(), first = now;
	json_t *start;
	size_t i;

	json_array_foreach(list, i, start)
	{
		int64_t at = json_integer_value(json_object_get(start, "at")),
			ended = json_integer_value(json_object_get(start, "ended"));
		first = at < first ? at : first;
		if (at < now - DAYS * DAY_S)
			continue;
		if (ended < at)
			b->unseen++;
		else
			*vec_add(&b->uses, a) = (struct cost_use){.from = at, .until = ended};
	}
	b->days = (now - first) / DAY_S + 1;
	b->days = b->days > DAYS ? DAYS : b->days;
}

static void add_up(const struct target *t, const struct target_kind *kind, struct arena *a, struct bill *b)
{
	kind->cost(t->settings, b->list, &b->uses, b->days, a, &b->items);
	for (size_t i = 0; i < b->items.n; i++) {
		b->micros += b->items.v[i].micros;
		b->unknown |= b->items.v[i].unknown;
	}
}

void bill_use(const struct target *t, const struct target_kind *kind, struct cost_use use, struct arena *a,
	      struct bill *b)
{
	*b = (struct bill){.list = kind->prices};
	*vec_add(&b->uses, a) = use;
	add_up(t, kind, a, b);
}

int bill_make(const struct paths *paths, struct control *link, const struct target *t, const struct target_kind *kind,
	      const struct price_list *list, struct arena *a, struct bill *b, struct err *e)
{
	struct control_request r = {.op = CONTROL_STARTS, .target = t->name};

	*b = (struct bill){.list = list};
	AUTO(json) json_t *starts = control_json(paths, link, &r, a, e);
	if (starts == NULL)
		return -1;
	read_uses(starts, a, b);
	add_up(t, kind, a, b);
	return 0;
}
