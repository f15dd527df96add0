#include "model/bandwidth.h"

#include "base/num.h"

/* "08:30" in minutes; "24:00" is the end of a day. */
static bool minute_of(struct str s, int *minutes)
{
	uint64_t h, m;

	if (s.n != 5 || s.p[2] != ':' || !num_u64((struct str){s.p, 2}, &h) || !num_u64((struct str){s.p + 3, 2}, &m) ||
	    m > 59 || h * 60 + m > 24 * 60)
		return false;
	*minutes = (int)(h * 60 + m);
	return true;
}

static bool rate_of(struct str s, uint64_t *rate)
{
	*rate = 0;
	if (str_eq(s, "unlimited"))
		return true;
	if (s.n > 2 && memcmp(s.p + s.n - 2, "/s", 2) == 0)
		s.n -= 2;
	return num_size(s, rate) && *rate >= BANDWIDTH_LEAST;
}

bool bandwidth_parse(struct str text, struct arena *a, struct bandwidth *out, const char **why)
{
	bool whole_day = false;

	*out = (struct bandwidth){0};
	do {
		struct str part = str_trim(str_cut(&text, ',')), first = {part.p, 0};
		struct bandwidth_window w = {0};
		while (first.n < part.n && part.p[first.n] != ' ')
			first.n++;
		bool timed = memchr(first.p, ':', first.n) != NULL;
		if (timed) {
			struct str to = first, from = str_cut(&to, '-');
			*why = "a time is like 08:00-18:00";
			if (!minute_of(from, &w.from_min) || !minute_of(to, &w.to_min) || w.from_min == w.to_min)
				return false;
			part = str_trim((struct str){part.p + first.n, part.n - first.n});
		}
		*why = "a rate is like 20MB/s, 1KiB/s at least, or unlimited";
		if (!rate_of(part, &w.rate))
			return false;
		*why = "one part may be without a time";
		if (!timed && whole_day)
			return false;
		whole_day |= !timed;
		*vec_add(out, a) = w;
	} while (text.n > 0);
	return true;
}

uint64_t bandwidth_at(const struct bandwidth *b, const struct zone *z, int64_t now)
{
	struct civil t = zone_civil(z, now);
	int minute = t.hour * 60 + t.minute;
	uint64_t rate = 0, timed = 0;
	bool hit = false;

	for (size_t i = 0; i < b->n; i++) {
		const struct bandwidth_window *w = &b->v[i];
		bool within = w->from_min < w->to_min ? minute >= w->from_min && minute < w->to_min
						      : minute >= w->from_min || minute < w->to_min;
		if (w->from_min == w->to_min) {
			rate = w->rate;
		} else if (within) {
			timed = w->rate;
			hit = true;
		}
	}
	return hit ? timed : rate;
}
