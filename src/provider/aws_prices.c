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

/* One product, and of how many units its price is. */
struct product {
	const char *kind, *name;
	const char *service, *unit;
	int64_t units;
};

/* What has no price is not in the list. */
static int ask(struct asking *x, const struct product *p, const char *const *more, size_t n, struct err *e)
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
	aws_price_ask(&b, p->service, &filters);
	struct aws_request r = {.service = "pricing",
				.action = "GetProducts",
				.target = "AWSPriceListService.GetProducts",
				.body = buf_str(&b)};
	if (aws_call(&x->m->client, &r, &answer, &f, e) < 0 || aws_price_read(answer, p->unit, &micros, e) < 0)
		return -1;
	if (micros >= 0)
		*vec_add(&x->prices, a) = (struct price){p->kind, p->name, (micros + p->units / 2) / p->units};
	return 0;
}

static int ask_volume(struct asking *x, const struct product *p, const char *family, struct err *e)
{
	const char *const filters[] = {"productFamily", family, "volumeApiName", p->name};

	for (size_t i = 0; i < x->prices.n; i++)
		if (strcmp(x->prices.v[i].kind, p->kind) == 0 && strcmp(x->prices.v[i].name, p->name) == 0)
			return 0;
	return ask(x, p, filters, ARRAY_LEN(filters), e);
}

/* Its GiB, and what gp3 does beyond what is in them: operations, and MiB/s, which are told of as GiB/s. */
static int ask_for(struct asking *x, const char *type, bool more, struct err *e)
{
	const struct product room = {"volume", type, "AmazonEC2", "GB-Mo", 1},
			     iops = {"iops", type, "AmazonEC2", "IOPS-Mo", 1},
			     throughput = {"throughput", type, "AmazonEC2", "GiBps-mo", 1024};

	if (ask_volume(x, &room, "Storage", e) < 0)
		return -1;
	return more && (ask_volume(x, &iops, "System Operation", e) < 0 ||
			ask_volume(x, &throughput, "Provisioned Throughput", e) < 0)
		   ? -1
		   : 0;
}

/* It may be told of in other words: then that of the list, which was the same everywhere. */
static int ask_address(struct asking *x, struct err *e)
{
	const char *const filters[] = {"group", "VPCPublicIPv4Address"};
	size_t n = x->prices.n;

	if (ask(x, &(struct product){"address", "ipv4", "AmazonVPC", "Hrs", 1}, filters, ARRAY_LEN(filters), e) < 0)
		return -1;
	if (x->prices.n == n)
		*vec_add(&x->prices, x->m->env->arena) =
		    (struct price){"address", "ipv4", *price_of(&prices_aws, "address", "ipv4")};
	return 0;
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
	const struct product instance = {"instance", m.settings->instance_type, "AmazonEC2", "Hrs", 1};
	bool good = ask(&x, &instance, machine, ARRAY_LEN(machine), e) == 0 && ask_for(&x, "gp3", false, e) == 0 &&
		    ask_address(&x, e) == 0;
	for (size_t i = 0; good && i < m.settings->made.volumes.n; i++)
		good = ask_for(&x, v[i].type, v[i].iops > 0 || v[i].throughput > 0, e) == 0;
	if (!good)
		return err_wrap(e, "cannot say what target '%s' costs", t->name);
	*list = (struct price_list){
	    .currency = "USD",
	    .sign = "$",
	    .date = arena_strndup(env->arena, civil_show(clock_unix_s(), now), strlen("2026-01-01")),
	    .place = x.region,
	    .v = x.prices.v,
	    .n = x.prices.n};
	return 0;
}
