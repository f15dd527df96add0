#include "base/civil.h"

#include "base/num.h"

/* Days since 1970-01-01 and back, by counting years from March (so that the leap day comes last)
 * in 400-year eras of 146097 days. */
static int64_t days_of(int64_t y, int m, int d)
{
	y -= m <= 2;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t yoe = y - era * 400, doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

struct civil civil_of(int64_t unix_s)
{
	int64_t days = unix_s / 86400, rest = unix_s % 86400;
	if (rest < 0) {
		rest += 86400;
		days--;
	}
	int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097, doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
	struct civil c = {.day = (int)(doy - (153 * mp + 2) / 5 + 1), .month = (int)(mp < 10 ? mp + 3 : mp - 9)};
	c.year = (int)(yoe + era * 400 + (c.month <= 2));
	c.hour = (int)(rest / 3600);
	c.minute = (int)(rest / 60 % 60);
	c.second = (int)(rest % 60);
	return c;
}

int64_t civil_unix(const struct civil *c)
{
	return days_of(c->year, c->month, c->day) * 86400 + c->hour * 3600 + c->minute * 60 + c->second;
}

const char *civil_show(int64_t unix_s, char *out)
{
	struct civil c = civil_of(unix_s);
	(void)snprintf(out, CIVIL_TEXT, "%04d-%02d-%02dT%02d:%02d:%02dZ", c.year % 10000, c.month % 100, c.day % 100,
		       c.hour % 100, c.minute % 100, c.second % 100);
	return out;
}

static bool field(struct str *s, size_t width, int lo, int hi, int *out)
{
	uint64_t v;
	if (s->n < width || !num_u64((struct str){s->p, width}, &v) || v < (uint64_t)lo || v > (uint64_t)hi)
		return false;
	s->p += width;
	s->n -= width;
	*out = (int)v;
	return true;
}

static bool mark(struct str *s, char c)
{
	if (s->n == 0 || s->p[0] != c)
		return false;
	s->p++;
	s->n--;
	return true;
}

bool civil_parse(struct str s, int64_t *unix_s)
{
	struct civil c = {0};

	if (num_i64(s, unix_s))
		return true;
	if (!field(&s, 4, 0, 9999, &c.year) || !mark(&s, '-') || !field(&s, 2, 1, 12, &c.month) || !mark(&s, '-') ||
	    !field(&s, 2, 1, 31, &c.day) || !mark(&s, 'T') || !field(&s, 2, 0, 23, &c.hour) || !mark(&s, ':') ||
	    !field(&s, 2, 0, 59, &c.minute))
		return false;
	if (mark(&s, ':') && !field(&s, 2, 0, 59, &c.second))
		return false;
	if (!mark(&s, 'Z') || s.n != 0)
		return false;
	*unix_s = civil_unix(&c);
	/* A day that does not exist (30 February) does not come back as itself. */
	return civil_of(*unix_s).day == c.day;
}
