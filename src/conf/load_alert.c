/* The alert block, and what a backup's own says. */
#include "base/num.h"
#include "conf/load.h"
#include "conf/schema.h"

/* "22:00-07:00": minutes of the day. */
static bool read_hours(const char *text, int *from, int *to)
{
	struct str rest = str_of(text);
	int *out[] = {from, to};

	for (size_t i = 0; i < 2; i++) {
		struct str part = i == 0 ? str_cut(&rest, '-') : rest;
		struct str hours = str_cut(&part, ':');
		uint64_t h, m;
		if (hours.n != 2 || part.n != 2 || !num_u64(hours, &h) || !num_u64(part, &m) || h > 23 || m > 59)
			return false;
		*out[i] = (int)(h * 60 + m);
	}
	return *from != *to;
}

static void check_duration(struct loading *l, const struct body *body, const char *name, int64_t ms, int64_t least_ms)
{
	const struct attr *attr = body_attr(body, name);

	if (attr != NULL && ms != 0 && ms < least_ms)
		(void)diag_add(l->d, attr->value.at, "'%s' must be at least a minute", name);
}

static void check_durations(struct loading *l, const struct body *body, int64_t within_ms, int64_t lag_ms)
{
	enum { MINUTE_MS = 60 * 1000 };

	check_duration(l, body, "no_success_within", within_ms, MINUTE_MS);
	check_duration(l, body, "lag", lag_ms, MINUTE_MS);
}

void load_alert(struct loading *l, const struct body *root)
{
	static const struct body none = {0};
	const struct block *b = load_only_block(l, root, "alert", "the file");
	const struct body *body = b == NULL ? &none : &b->body;
	struct raw_alert raw = {0};
	struct decode_part part = {alert_schema.fields, alert_schema.nfields, &raw};

	decode_attrs(body, &alert_schema, b == NULL ? (struct span){0} : b->at, &part, 1, l->a, l->d);
	l->out->alerting = raw.alerting;
	if (b == NULL)
		return;
	l->out->alerting.set = true;
	l->out->alerting.at = b->at;
	check_durations(l, body, raw.alerting.no_success_within_ms, raw.alerting.lag_ms);
	const struct attr *full = body_attr(body, "pool_full");
	if (full != NULL && (raw.alerting.pool_full < 1 || raw.alerting.pool_full > 100))
		(void)diag_add(l->d, full->value.at, "'pool_full' is a percentage, from 1 to 100");
	if (raw.quiet != NULL &&
	    !read_hours(raw.quiet, &l->out->alerting.quiet_from_min, &l->out->alerting.quiet_to_min))
		diag_hint(l->d, diag_add(l->d, body_attr(body, "quiet")->value.at, "'%s' are no hours", raw.quiet),
			  "like \"22:00-07:00\", of local time");
}

void load_backup_alert(struct loading *l, const struct body *body, struct backup *out)
{
	const struct block *b = load_only_block(l, body, "alert", arena_printf(l->a, "backup '%s'", out->name));
	struct decode_part part = {backup_alert_schema.fields, backup_alert_schema.nfields, out};

	if (b == NULL)
		return;
	decode_attrs(&b->body, &backup_alert_schema, b->at, &part, 1, l->a, l->d);
	check_durations(l, &b->body, out->no_success_within_ms, out->lag_ms);
}
