/* What AWS asks today for what an aws_ec2 target uses, in its region. */
#include "base/civil.h"
#include "plan/cost_plan.h"
#include "provider/aws_setup.h"
#include "sys/clock.h"
#include "wire/aws_price.h"
#include "wire/price_json.h"

struct asking {
	struct aws_machine *m;
	const char *region;
	struct prices prices;
};

/* What has no price is not in the list. */
static int ask(struct asking *x, const char *kind, const char *name, const char *unit, const char *const *more,
	       size_t n, struct err *e)
{
	AUTO(buf) struct buf b = {0};
	struct arena *a = x->m->env->arena;
	struct strings filters = {0};
	struct aws_fault f;
	struct str answer;
	int64_t micros;

	strings_add_pair(&filters, a, "regionCode", x->region);
	for (size_t i = 0; i < n; i++)
		*vec_add(&filters, a) = more[i];
	aws_price_ask(&b, "AmazonEC2", &filters);
	struct aws_request r = {.service = "pricing",
				.action = "GetProducts",
				.target = "AWSPriceListService.GetProducts",
				.body = buf_str(&b)};
	if (aws_call(&x->m->client, &r, &answer, &f, e) < 0 || aws_price_read(answer, unit, &micros, e) < 0)
		return -1;
	if (micros >= 0)
		*vec_add(&x->prices, a) = (struct price){kind, name, micros};
	return 0;
}

static int ask_volume(struct asking *x, const char *type, struct err *e)
{
	const char *const filters[] = {"productFamily", "Storage", "volumeApiName", type};

	for (size_t i = 0; i < x->prices.n; i++)
		if (strcmp(x->prices.v[i].name, type) == 0)
			return 0;
	return ask(x, "volume", type, "GB-Mo", filters, ARRAY_LEN(filters), e);
}

int aws_setup_prices(const struct provider_env *env, const struct target *t, struct price_list *list, struct err *e)
{
	AUTO(aws_machine) struct aws_machine m = {0};
	struct asking x = {.m = &m};
	char now[CIVIL_TEXT];

	if (aws_machine_open(&m, env, t, e) < 0)
		return -1;
	x.region = m.client.region;
	m.client.region = "us-east-1"; /* where all prices are told */
	const struct made_volume *v = m.settings->made.volumes.v;
	const char *const machine[] = {"instanceType",	  m.settings->instance_type,
				       "operatingSystem", "Linux",
				       "tenancy",	  "Shared",
				       "preInstalledSw",  "NA",
				       "capacitystatus",  "Used"};
	bool good = ask(&x, "instance", m.settings->instance_type, "Hrs", machine, ARRAY_LEN(machine), e) == 0 &&
		    ask_volume(&x, "gp3", e) == 0;
	for (size_t i = 0; good && i < m.settings->made.volumes.n; i++)
		good = ask_volume(&x, v[i].type, e) == 0;
	if (!good)
		return err_wrap(e, "cannot say what target '%s' costs", t->name);
	/* By AWS's notice it is the same everywhere. */
	*vec_add(&x.prices, env->arena) = (struct price){"address", "ipv4", *price_of(&prices_aws, "address", "ipv4")};
	*list = (struct price_list){
	    .currency = "USD",
	    .sign = "$",
	    .date = arena_strndup(env->arena, civil_show(clock_unix_s(), now), strlen("2026-01-01")),
	    .place = x.region,
	    .v = x.prices.v,
	    .n = x.prices.n};
	return 0;
}
