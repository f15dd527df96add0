#include "model/label.h"

static const struct {
	const char *name, *calendar, *sanoid;
} labels[LABELS] = {
    [LABEL_FREQUENT] = {"frequent", "*:0/15", "frequently"},
    [LABEL_HOURLY] = {"hourly", "hourly", "hourly"},
    [LABEL_DAILY] = {"daily", "daily", "daily"},
    [LABEL_WEEKLY] = {"weekly", "weekly", "weekly"},
    [LABEL_MONTHLY] = {"monthly", "monthly", "monthly"},
    [LABEL_YEARLY] = {"yearly", "yearly", "yearly"},
};

const char *label_name(enum label l)
{
	return labels[l].name;
}

struct calendar label_calendar(enum label l)
{
	struct calendar c;
	const char *why;

	bool good = calendar_parse(str_of(labels[l].calendar), &c, &why);
	assert(good);
	return c;
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

int64_t label_period(enum label l, const struct zone *z, int64_t t)
{
	enum { HOUR = 3600, DAY = 86400, WEEK = 7 * DAY, THURSDAY_TO_MONDAY = 3 * DAY };
	int64_t local = t + zone_offset(z, t);
	struct civil c;

	switch (l) {
	case LABEL_FREQUENT:
		return floor_div(local, HOUR / 4);
	case LABEL_HOURLY:
		return floor_div(local, HOUR);
	case LABEL_DAILY:
		return floor_div(local, DAY);
	case LABEL_WEEKLY:
		return floor_div(local + THURSDAY_TO_MONDAY, WEEK);
	case LABEL_MONTHLY:
	case LABEL_YEARLY:
		c = civil_of(local);
		return l == LABEL_YEARLY ? c.year : (int64_t)c.year * 12 + c.month;
	case LABEL_NONE:
		break;
	}
	return 0;
}

/* Whether s begins as the pattern says, in which '0' stands for any digit; if so s moves behind it. */
static bool take(const char **s, const char *pattern)
{
	const char *at = *s;

	for (; *pattern != '\0'; pattern++, at++)
		if (*pattern == '0' ? *at < '0' || *at > '9' : *at != *pattern)
			return false;
	*s = at;
	return true;
}

/* What may stand behind zfs-auto-snap_LABEL. */
static bool auto_stamp(const char *s)
{
	if (!take(&s, "-0000-00-00-") || (!take(&s, "00h00") && !take(&s, "0000")))
		return false;
	(void)take(&s, "U");
	if (*s == '-')
		for (s++; *s >= '0' && *s <= '9';)
			s++;
	return *s == '\0' && s[-1] != '-';
}

enum maker snapshot_maker(const char *name, enum label *l)
{
	const char *s = name;

	if (take(&s, "zfs-auto-snap_")) {
		for (*l = LABEL_FREQUENT; *l < LABELS; ++*l) {
			const char *rest = s;
			if (take(&rest, labels[*l].name) && auto_stamp(rest))
				return MAKER_AUTO;
		}
	} else if (take(&s, "autosnap_0000-00-00_00:00:00_")) {
		for (*l = LABEL_FREQUENT; *l < LABELS; ++*l)
			if (strcmp(s, labels[*l].sanoid) == 0)
				return MAKER_SANOID;
	}
	*l = LABEL_NONE;
	return take(&s, "zrepl_00000000_000000_000") && *s == '\0' ? MAKER_ZREPL : MAKER_FOREIGN;
}
