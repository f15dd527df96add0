/* What targets cost in a month, against sums done by hand. */
#include "check.h"

#include "base/buf.h"
#include "plan/advice_plan.h"
#include "plan/cost_plan.h"

static const struct cost_item *item(const struct cost_items *all, const char *what, const char *basis)
{
	for (size_t i = 0; i < all->n; i++)
		if (strcmp(all->v[i].what, what) == 0 && strstr(all->v[i].basis, basis) != NULL)
			return &all->v[i];
	fail_msg("no %s, %s", what, basis);
	return NULL;
}

static void a_month(void **state)
{
	AUTO(arena) struct arena a = {0};
	struct made_volume made[] = {
	    {.name = "cold", .type = "sc1", .size = 125ULL << 30},
	    {.name = "hot", .type = "gp3", .size = 10ULL << 30, .iops = 4000, .throughput = 225},
	    {.name = "odd", .type = "io9", .size = 1ULL << 30}};
	struct ec2_attach old = {.volume_id = "vol-1"};
	struct ec2_settings s = {.instance_type = "t4g.small", .made.volumes = {made, 3}, .volumes = {&old, 1}};
	/* An hour and a half; one that is paid as a minute; in 10 of the 30.4 days of a month. */
	struct cost_use use[] = {{1000, 1000 + 5400, false}, {9000, 9010, false}};
	struct cost_uses uses = {use, 2, 2};
	struct cost_items out = {0};

	(void)state;
	cost_ec2(&s, &prices_aws, &uses, 10, &a, &out);
	assert_int_equal(item(&out, "volume 'cold'", "125")->micros, 1875000);
	assert_int_equal(item(&out, "volume 'hot'", "GiB")->micros, 800000);
	assert_int_equal(item(&out, "volume 'hot'", "4000 operations")->micros, 1000 * 5000);
	assert_int_equal(item(&out, "volume 'hot'", "225 MiB/s")->micros, 100 * 40000);
	assert_true(item(&out, "volume 'odd'", "io9")->unknown && item(&out, "vol-1", "elsewhere")->unknown);
	/* 5460 s in 10 days are 4.6132 hours in a month of 730. */
	assert_int_equal(item(&out, "t4g.small", "2 starts in 10 days")->micros, 77502);
	assert_int_equal(item(&out, "its address", "IPv4")->micros, 23066);
	assert_int_equal(item(&out, "its own disks", "8 GiB")->micros, 4044);
	/* Neither an address nor a price of the type. */
	s.associate_public_ip = OPTION_NO;
	s.instance_type = "u9.huge";
	out = (struct cost_items){0};
	cost_ec2(&s, &prices_aws, &uses, 10, &a, &out);
	assert_true(item(&out, "u9.huge", "")->unknown);
	for (size_t i = 0; i < out.n; i++)
		assert_string_not_equal(out.v[i].what, "its address");
	/* Never on: the volumes all the same. */
	out = (struct cost_items){0};
	cost_ec2(&s, &prices_aws, &(struct cost_uses){0}, 30, &a, &out);
	assert_int_equal(item(&out, "volume 'cold'", "125")->micros, 1875000);
	assert_int_equal(item(&out, "its own disks", "")->micros, 0);
}

/* By themselves, without the volumes: what a run has cost. */
static void one_use(void **state)
{
	AUTO(arena) struct arena a = {0};
	struct made_volume cold = {.name = "cold", .type = "sc1", .size = 125ULL << 30};
	struct ec2_settings s = {.instance_type = "t4g.small", .made.volumes = {&cold, 1}};
	struct hcloud_settings h = {.server_type = "cax11", .location = "fsn1", .made.volumes = {&cold, 1}};
	struct cost_use use[] = {{1000, 1000 + 1800, false}, {9000, 9010, true}};
	struct cost_items out = {0};

	(void)state;
	cost_ec2(&s, &prices_aws, &(struct cost_uses){use, 1, 1}, 0, &a, &out);
	assert_int_equal(out.n, 3);
	assert_int_equal(item(&out, "t4g.small", "on for 30 min")->micros, 8400);
	assert_int_equal(item(&out, "its address", "IPv4")->micros, 2500);
	assert_int_equal(item(&out, "its own disks", "8 GiB")->micros, 8 * 80000 / 1460);
	/* A type for what takes long: of a minute, the least that is paid. */
	*vec_add(&s.bulk_instance_type, &a) = "c6gn.medium";
	out = (struct cost_items){0};
	cost_ec2(&s, &prices_aws, &(struct cost_uses){&use[1], 1, 1}, 0, &a, &out);
	assert_int_equal(item(&out, "c6gn.medium", "on for")->micros, 720);
	assert_int_equal(item(&out, "t4g.small", "")->micros, 0);
	assert_int_equal(item(&out, "its address", "IPv4")->micros, 83);
	out = (struct cost_items){0};
	cost_hcloud(&h, &prices_hetzner, &(struct cost_uses){use, 1, 1}, 0, &a, &out);
	assert_int_equal(out.n, 2);
	assert_int_equal(item(&out, "cax11", "on for 30 min")->micros, 9600);
	assert_int_equal(item(&out, "its address", "")->micros, 800);
}

/* Of one volume of so many GiB, by a machine of that type; the advice as one text. */
static const char *advice(const char *type, const char *volume, uint64_t gib, struct arena *a)
{
	AUTO(buf) struct buf b = {0};
	struct made_volume made = {.name = "cold", .type = volume, .size = gib << 30};
	struct ec2_settings s = {.instance_type = type, .made = {.volumes = {&made, 1}}};
	struct advices out = {0};

	advice_ec2(&s, a, &out);
	for (size_t i = 0; i < out.n; i++)
		buf_printf(&b, "%s; %s\n", out.v[i].what, out.v[i].hint);
	return arena_strdup(a, buf_text(&b));
}

/* 1 TiB of sc1 takes 83.9 MB/s in its burst, 3.6 h; by a machine that does 4 MB/s after half an hour, 66 h. */
static void what_could_be_better(void **state)
{
	AUTO(arena) struct arena a = {0};

	(void)state;
	assert_string_equal(advice("t4g.small", "sc1", 500, &a), "");
	assert_string_equal(advice("c6gn.medium", "sc1", 16384, &a), "");
	assert_string_equal(advice("m9g.large", "sc1", 16384, &a), "");
	assert_string_equal(advice("t4g.small", "gp3", 100, &a), "");
	assert_string_equal(
	    advice("t4g.nano", "sc1", 1024, &a),
	    "a t4g.nano has 512 MiB of memory; NixOS that rebuilds itself is killed in that, and so is a compiler: "
	    "t4g.small has 2 GiB\n"
	    "filling volume 'cold' (1.0 TiB) by a t4g.nano takes about 66 h ($0.28); a c6gn.medium does it in 4 h "
	    "($0.16)\n");
	assert_string_equal(advice("t4g.small", "sc1", 1024, &a),
			    "filling volume 'cold' (1.0 TiB) by a t4g.small takes about 17 h ($0.29); a c6gn.medium "
			    "does it in 4 h ($0.16)\n");
	assert_string_equal(advice("c6gn.medium", "gp3", 500, &a),
			    "volume 'cold' is of gp3, and costs about $40.00 a month; sc1 costs $7.50, and is fast "
			    "enough for what is read seldom\n");
}

static void a_month_at_hetzner(void **state)
{
	AUTO(arena) struct arena a = {0};
	struct made_volume cold = {.name = "cold", .size = 100ULL << 30};
	struct hcloud_settings s = {.server_type = "cax11", .location = "fsn1", .made.volumes = {&cold, 1}};
	/* An hour and a second; ten seconds; 26 days, which cost a month. */
	struct cost_use use[] = {{1000, 1000 + 3601, false}, {9000, 9010, false}, {10000, 10000 + 26 * 86400, false}};
	struct cost_items out = {0};
	char text[MONEY_TEXT];

	(void)state;
	*vec_add(&s.volumes, &a) = "42";
	/* 5.99 a month are 0.0096 an hour, 0.50 are 0.0008. */
	cost_hcloud(&s, &prices_hetzner, &(struct cost_uses){use, 2, 2}, 10, &a, &out);
	assert_int_equal(item(&out, "volume 'cold'", "100.0 GiB")->micros, 5720000);
	assert_true(item(&out, "volume 42", "elsewhere")->unknown);
	assert_int_equal(item(&out, "cax11", "2 starts in 10 days")->micros, 3 * 9600 * 730 / 240);
	assert_int_equal(item(&out, "its address", "IPv4")->micros, 3 * 800 * 730 / 240);
	assert_string_equal(money_show(&prices_hetzner, 5720000, text), "\u20ac5.72");
	out = (struct cost_items){0};
	cost_hcloud(&s, &prices_hetzner, &(struct cost_uses){&use[2], 1, 1}, 30, &a, &out);
	assert_int_equal(item(&out, "cax11", "")->micros, (5990000LL * 730 + 360) / 720);
	/* Elsewhere it costs something else, and what is not in the list is not known either. */
	s.location = "ash";
	out = (struct cost_items){0};
	cost_hcloud(&s, &prices_hetzner, &(struct cost_uses){0}, 30, &a, &out);
	assert_true(item(&out, "cax11", "")->unknown && item(&out, "its address", "")->unknown);
	s.location = "fsn1";
	s.server_type = "cx99";
	out = (struct cost_items){0};
	cost_hcloud(&s, &prices_hetzner, &(struct cost_uses){0}, 30, &a, &out);
	assert_true(item(&out, "cx99", "")->unknown && !item(&out, "its address", "")->unknown);
	assert_int_equal(item(&out, "volume 'cold'", "")->micros, 5720000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(a_month), cmocka_unit_test(a_month_at_hetzner),
					   cmocka_unit_test(one_use), cmocka_unit_test(what_could_be_better)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
