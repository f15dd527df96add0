#include "plan/cost_plan.h"

#include "base/num.h"

enum {
	MONTH_S = 730 * 3600, /* as Amazon counts */
	DAY_S = 24 * 3600,
	LEAST_S = 60, /* of each start is paid */
	ROOT_GIB = 8, /* most images ask for no more */
	GP3_IOPS = 3000,
	GP3_THROUGHPUT = 125, /* these are free */
};

const char *dollars_show(int64_t micros, char *out)
{
	int64_t cents = (micros + 5000) / 10000;

	(void)snprintf(out, DOLLARS_TEXT, "$%lld.%02d", (long long)(cents / 100), (int)(cents % 100));
	return out;
}

static void add(struct cost_items *out, struct arena *a, const char *what, const char *basis, const int64_t *price,
		double units)
{
	*vec_add(out, a) =
	    (struct cost_item){what, basis, price == NULL ? 0 : (int64_t)((double)*price * units + 0.5), price == NULL};
}

static void add_volume(const struct made_volume *v, struct arena *a, struct cost_items *out)
{
	const char *what = arena_printf(a, "volume '%s'", v->name);
	double gib = (double)(v->size >> 30);
	char size[NUM_TEXT];

	add(out, a, what, arena_printf(a, "%s of %s", num_show_bytes(v->size, size), v->type),
	    price_of("volume", v->type), gib);
	if (strcmp(v->type, "gp3") == 0 && v->iops > GP3_IOPS)
		add(out, a, what, arena_printf(a, "%lld operations a second", (long long)v->iops),
		    price_of("iops", "gp3"), (double)(v->iops - GP3_IOPS));
	if (strcmp(v->type, "gp3") == 0 && v->throughput > GP3_THROUGHPUT)
		add(out, a, what, arena_printf(a, "%lld MiB/s", (long long)v->throughput),
		    price_of("throughput", "gp3"), (double)(v->throughput - GP3_THROUGHPUT));
}

static int64_t root_gib(const struct ec2_settings *s)
{
	const struct ec2_disk *disks = s->disks.v;
	int64_t gib = 0;

	for (size_t i = 0; i < s->disks.n; i++)
		gib += disks[i].volume_size;
	return gib > 0 ? gib : ROOT_GIB;
}

void cost_ec2(const struct ec2_settings *s, const struct cost_uses *uses, int64_t days, struct arena *a,
	      struct cost_items *out)
{
	const struct made_volume *made = s->made.volumes.v;
	const struct ec2_attach *attached = s->volumes.v;
	int64_t seconds = 0;
	char text[NUM_TEXT];

	for (size_t i = 0; i < s->made.volumes.n; i++)
		add_volume(&made[i], a, out);
	for (size_t i = 0; i < s->volumes.n; i++)
		add(out, a, attached[i].volume_id, "a volume that was made elsewhere", NULL, 0);
	for (size_t i = 0; i < uses->n; i++) {
		int64_t on = uses->v[i].until - uses->v[i].from;
		seconds += on < LEAST_S ? LEAST_S : on;
	}
	double hours = (double)seconds / 3600 * MONTH_S / ((double)days * DAY_S);
	const char *on = arena_printf(a, "%s%zu start%s in %lld day%s, on for %s", s->spot ? "at most; " : "", uses->n,
				      uses->n == 1 ? "" : "s", (long long)days, days == 1 ? "" : "s",
				      num_show_duration(seconds * 1000, text));
	add(out, a, s->instance_type, on, price_of("instance", s->instance_type), hours);
	if (s->associate_public_ip != OPTION_NO)
		add(out, a, "its address", "public IPv4, as long as it is on", price_of("address", "ipv4"), hours);
	add(out, a, "its own disks", arena_printf(a, "%lld GiB, likewise", (long long)root_gib(s)),
	    price_of("volume", "gp3"), (double)root_gib(s) * hours * 3600 / MONTH_S);
}
