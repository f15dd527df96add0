#include "plan/cost_plan.h"

#include "base/num.h"

enum {
	MONTH_S = 730 * 3600, /* as Amazon counts */
	DAY_S = 24 * 3600,
	HOUR_S = 3600,
	LEAST_S = 60, /* of each start is paid */
	ROOT_GIB = 8, /* most images ask for no more */
	GP3_IOPS = 3000,
	GP3_THROUGHPUT = 125, /* these are free */
};

const char *money_show(const struct price_list *list, int64_t micros, char *out)
{
	int64_t cents = (micros + 5000) / 10000;

	(void)snprintf(out, MONEY_TEXT, "%s%lld.%02d", list->sign, (long long)(cents / 100), (int)(cents % 100));
	return out;
}

static void add(struct cost_items *out, struct arena *a, const char *what, const char *basis, const int64_t *price,
		double units)
{
	*vec_add(out, a) =
	    (struct cost_item){what, basis, price == NULL ? 0 : (int64_t)((double)*price * units + 0.5), price == NULL};
}

static void add_volume(const struct made_volume *v, const struct price_list *list, struct arena *a,
		       struct cost_items *out)
{
	const char *what = arena_printf(a, "volume '%s'", v->name);
	double gib = (double)(v->size >> 30);
	char size[NUM_TEXT];

	add(out, a, what, arena_printf(a, "%s of %s", num_show_bytes(v->size, size), v->type),
	    price_of(list, "volume", v->type), gib);
	if (strcmp(v->type, "gp3") == 0 && v->iops > GP3_IOPS)
		add(out, a, what, arena_printf(a, "%lld operations a second", (long long)v->iops),
		    price_of(list, "iops", "gp3"), (double)(v->iops - GP3_IOPS));
	if (strcmp(v->type, "gp3") == 0 && v->throughput > GP3_THROUGHPUT)
		add(out, a, what, arena_printf(a, "%lld MiB/s", (long long)v->throughput),
		    price_of(list, "throughput", "gp3"), (double)(v->throughput - GP3_THROUGHPUT));
}

/* What these days are of a month. */
static double month_of(int64_t days)
{
	return days == 0 ? 1 : (double)MONTH_S / ((double)days * DAY_S);
}

static const char *starts(const struct cost_uses *uses, int64_t days, int64_t seconds, struct arena *a)
{
	char text[NUM_TEXT];

	if (days == 0)
		return arena_printf(a, "on for %s", num_show_duration(seconds * 1000, text));
	return arena_printf(a, "%zu start%s in %lld day%s, on for %s", uses->n, uses->n == 1 ? "" : "s",
			    (long long)days, days == 1 ? "" : "s", num_show_duration(seconds * 1000, text));
}

static int64_t root_gib(const struct ec2_settings *s)
{
	const struct ec2_disk *disks = s->disks.v;
	int64_t gib = 0;

	for (size_t i = 0; i < s->disks.n; i++)
		gib += disks[i].volume_size;
	return gib > 0 ? gib : ROOT_GIB;
}

static void add_instance(const char *type, const struct ec2_settings *s, const struct price_list *list,
			 const struct cost_uses *uses, bool bulk, int64_t days, struct arena *a, double *hours,
			 struct cost_items *out)
{
	struct cost_uses some = {0};
	int64_t seconds = 0;

	for (size_t i = 0; i < uses->n; i++) {
		if (uses->v[i].bulk != bulk)
			continue;
		int64_t on = uses->v[i].until - uses->v[i].from;
		seconds += on < LEAST_S ? LEAST_S : on;
		some.n++;
	}
	if (bulk && some.n == 0)
		return;
	double its = (double)seconds / HOUR_S * month_of(days);
	*hours += its;
	add(out, a, type, arena_printf(a, "%s%s", s->spot ? "at most; " : "", starts(&some, days, seconds, a)),
	    price_of(list, "instance", type), its);
}

void cost_ec2(const struct ec2_settings *s, const struct price_list *list, const struct cost_uses *uses, int64_t days,
	      struct arena *a, struct cost_items *out)
{
	const struct made_volume *made = s->made.volumes.v;
	const struct ec2_attach *attached = s->volumes.v;
	const char *bulk = s->bulk_instance_type.n > 0 ? s->bulk_instance_type.v[0] : s->instance_type;
	double hours = 0;

	for (size_t i = 0; days > 0 && i < s->made.volumes.n; i++)
		add_volume(&made[i], list, a, out);
	for (size_t i = 0; days > 0 && i < s->volumes.n; i++)
		add(out, a, attached[i].volume_id, "a volume that was made elsewhere", NULL, 0);
	add_instance(s->instance_type, s, list, uses, false, days, a, &hours, out);
	add_instance(bulk, s, list, uses, true, days, a, &hours, out);
	if (s->associate_public_ip != OPTION_NO)
		add(out, a, "its address", "public IPv4, as long as it is on", price_of(list, "address", "ipv4"),
		    hours);
	add(out, a, "its own disks", arena_printf(a, "%lld GiB, likewise", (long long)root_gib(s)),
	    price_of(list, "volume", "gp3"), (double)root_gib(s) * hours * HOUR_S / MONTH_S);
}

/* Of all that were on, in a month: each is another server, whose last hour is paid in full, and which costs no more
 * than a month does. */
static const int64_t *sum_of(const struct price_list *list, const char *name, const struct cost_uses *uses,
			     int64_t days, bool known, int64_t *sum)
{
	const int64_t *hour = price_of(list, "hour", name), *month = price_of(list, "month", name);
	double all = 0;

	if (!known || hour == NULL || month == NULL)
		return NULL;
	for (size_t i = 0; i < uses->n; i++) {
		int64_t hours = (uses->v[i].until - uses->v[i].from + HOUR_S - 1) / HOUR_S;
		int64_t price = *hour * (hours < 1 ? 1 : hours);
		all += (double)(price < *month ? price : *month);
	}
	*sum = (int64_t)(all * month_of(days) + 0.5);
	return sum;
}

void cost_hcloud(const struct hcloud_settings *s, const struct price_list *list, const struct cost_uses *uses,
		 int64_t days, struct arena *a, struct cost_items *out)
{
	const struct made_volume *made = s->made.volumes.v;
	struct str places = str_of(list->place);
	int64_t seconds = 0, server, address;
	bool known = false;
	char size[NUM_TEXT];

	while (places.n > 0)
		known |= str_eq(str_cut(&places, ' '), s->location);
	for (size_t i = 0; days > 0 && i < s->made.volumes.n; i++)
		add(out, a, arena_printf(a, "volume '%s'", made[i].name),
		    arena_strdup(a, num_show_bytes(made[i].size, size)), price_of(list, "volume", ""),
		    (double)made_volume_gib(&made[i]));
	for (size_t i = 0; days > 0 && i < s->volumes.n; i++)
		add(out, a, arena_printf(a, "volume %s", s->volumes.v[i]), "a volume that was made elsewhere", NULL, 0);
	for (size_t i = 0; i < uses->n; i++)
		seconds += uses->v[i].until - uses->v[i].from;
	add(out, a, s->server_type, starts(uses, days, seconds, a),
	    sum_of(list, s->server_type, uses, days, known, &server), 1);
	add(out, a, "its address", "IPv4, as long as there is a server",
	    sum_of(list, "ipv4", uses, days, known, &address), 1);
}
