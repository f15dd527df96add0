#include "base/zone.h"

int64_t zone_offset(const struct zone *z, int64_t t)
{
	size_t lo = 0, hi = z->n;

	if (z->n == 0)
		return 0;
	while (hi - lo > 1) {
		size_t mid = lo + (hi - lo) / 2;
		if (z->v[mid].from <= t)
			lo = mid;
		else
			hi = mid;
	}
	return z->v[lo].offset_s;
}

struct civil zone_civil(const struct zone *z, int64_t t)
{
	return civil_of(t + zone_offset(z, t));
}

const char *zone_show(const struct zone *z, int64_t t, char *out)
{
	struct civil c = zone_civil(z, t);
	int64_t minutes = zone_offset(z, t) / 60, size = minutes < 0 ? -minutes : minutes;

	(void)snprintf(out, ZONE_TEXT, "%04d-%02d-%02d %02d:%02d %c%02d:%02d", c.year % 10000, c.month % 100,
		       c.day % 100, c.hour % 100, c.minute % 100, minutes < 0 ? '-' : '+', (int)(size / 60 % 100),
		       (int)(size % 60));
	return out;
}
