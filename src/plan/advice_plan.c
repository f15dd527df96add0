#include "plan/advice_plan.h"

#include "base/num.h"
#include "plan/cost_plan.h"

enum {
	LOW_MIB = 1024, /* NixOS that rebuilds itself is killed in that, and so is a compiler */
	LONG_H = 12,
	BURST_S = 30 * 60, /* so long a small machine is as fast as a large one */
	COLD_LEAST_GIB = 125,
};

/* What a machine can do hour after hour, by AWS's own numbers (moto's instance_types.json, of 2026-08-02). */
static const struct speed {
	const char *type;
	int64_t memory_mib;
	double mb_s; /* to its volumes, or over the network, whichever is less */
} speeds[] = {
    {"t4g.nano", 512, 4},      {"t4g.micro", 1024, 8}, {"t4g.small", 2048, 16},	   {"t4g.medium", 4096, 32},
    {"t3a.nano", 512, 4},      {"t3a.micro", 1024, 8}, {"t3a.small", 2048, 16},	   {"t3.nano", 512, 4},
    {"t3.micro", 1024, 8},     {"t3.small", 2048, 16}, {"c7g.medium", 2048, 39.4}, {"m7g.medium", 4096, 39.4},
    {"c6gn.medium", 2048, 95},
};
static const struct speed *const fast = &speeds[ARRAY_LEN(speeds) - 1];

static const struct speed *speed_of(const char *type)
{
	for (size_t i = 0; i < ARRAY_LEN(speeds); i++)
		if (strcmp(speeds[i].type, type) == 0)
			return &speeds[i];
	return NULL;
}

/* MB/s of a cold volume in its burst, which lasts for one pass over it; 0: faster than any machine here. */
static double volume_mb_s(const struct made_volume *v)
{
	double tib = (double)v->size / (double)(1ULL << 40), per_tib = strcmp(v->type, "sc1") == 0 ? 80 : 250;

	if (strcmp(v->type, "sc1") != 0 && strcmp(v->type, "st1") != 0)
		return 0;
	double mib = tib * per_tib;
	return (mib > 2 * per_tib ? 2 * per_tib : mib) * 1.048576;
}

static double hours(const struct speed *s, const struct made_volume *v)
{
	double mb = (double)v->size / 1e6, by_volume = volume_mb_s(v), most = by_volume == 0 ? 125 : by_volume;
	double steady = by_volume != 0 && by_volume < s->mb_s ? by_volume : s->mb_s, burst = BURST_S * most;

	return mb <= burst ? mb / most / 3600 : (BURST_S + (mb - burst) / steady) / 3600;
}

static const char *price(const struct speed *s, double h, char *out)
{
	const int64_t *p = price_of(&prices_aws, "instance", s->type);
	return p == NULL ? "?" : money_show(&prices_aws, (int64_t)((double)*p * h), out);
}

static void filling(const struct speed *s, const struct made_volume *v, struct arena *a, struct advices *out)
{
	double h = hours(s, v), better = hours(fast, v);
	char size[NUM_TEXT], dollars[MONEY_TEXT], fewer[MONEY_TEXT];

	if (h < LONG_H || better * 2 > h)
		return;
	*vec_add(out, a) = (struct advice){
	    arena_printf(a, "filling volume '%s' (%s) by a %s takes about %.0f h (%s)", v->name,
			 num_show_bytes(v->size, size), s->type, h, price(s, h, dollars)),
	    arena_printf(a, "a %s does it in %.0f h (%s)", fast->type, better, price(fast, better, fewer))};
}

static void dear(const struct made_volume *v, struct arena *a, struct advices *out)
{
	const int64_t *its = price_of(&prices_aws, "volume", v->type), *cold = price_of(&prices_aws, "volume", "sc1");
	int64_t gib = (int64_t)(v->size >> 30);
	char dollars[MONEY_TEXT], fewer[MONEY_TEXT];

	if (its == NULL || cold == NULL || *its < 4 * *cold || gib < COLD_LEAST_GIB)
		return;
	*vec_add(out, a) = (struct advice){arena_printf(a, "volume '%s' is of %s, and costs about %s a month", v->name,
							v->type, money_show(&prices_aws, *its * gib, dollars)),
					   arena_printf(a, "sc1 costs %s, and is fast enough for what is read seldom",
							money_show(&prices_aws, *cold * gib, fewer))};
}

void advice_ec2(const struct ec2_settings *s, struct arena *a, struct advices *out)
{
	const struct made_volume *v = s->made.volumes.v;
	const struct speed *speed = speed_of(s->instance_type);

	if (speed != NULL && speed->memory_mib < LOW_MIB)
		*vec_add(out, a) = (struct advice){
		    arena_printf(a, "a %s has %lld MiB of memory", speed->type, (long long)speed->memory_mib),
		    "NixOS that rebuilds itself is killed in that, and so is a compiler: t4g.small has 2 GiB"};
	for (size_t i = 0; i < s->made.volumes.n; i++) {
		if (speed != NULL)
			filling(speed, &v[i], a, out);
		dear(&v[i], a, out);
	}
}
