/* List prices, without tax.  Where they are from:
 *
 * AWS: Amazon's price lists by way of infracost's golden files (volumes, 2024-07-01; unchanged since), AWS's notice on
 * public IPv4 addresses (2024-02-01), Karpenter's price table (instances, 2026-07-20).
 *
 * Hetzner: what its own price service said on 2026-09-03 of a month in Germany and Finland, after the adjustment of
 * 2026-06-15.  An IPv4 address is in those prices; what it costs is the difference to the table of that adjustment, the
 * same for each type.  An hour is a 624th of a month, to the hundredth of a cent, as in all lists that have both.
 * Volumes: its API on 2026-05-27; the adjustment left them as they were.
 */
#include "plan/cost_plan.h"

static const struct price aws[] = {
    /* an hour */
    {"instance", "t4g.nano", 4200},
    {"instance", "t4g.micro", 8400},
    {"instance", "t4g.small", 16800},
    {"instance", "t4g.medium", 33600},
    {"instance", "t3a.nano", 4700},
    {"instance", "t3a.micro", 9400},
    {"instance", "t3a.small", 18800},
    {"instance", "t3.nano", 5200},
    {"instance", "t3.micro", 10400},
    {"instance", "t3.small", 20800},
    {"instance", "c7g.medium", 36300},
    {"instance", "m7g.medium", 40800},
    {"instance", "c6gn.medium", 43200},
    {"instance", "c8g.medium", 39900},
    {"instance", "is4gen.medium", 144100},
    {"address", "ipv4", 5000},
    /* a month */
    {"volume", "sc1", 15000},
    {"volume", "st1", 45000},
    {"volume", "gp3", 80000},
    {"iops", "gp3", 5000},
    {"throughput", "gp3", 40000},
};
const struct price_list prices_aws = {"USD", "$", "2026-07-20", "us-east-1", aws, ARRAY_LEN(aws)};

#define SERVER(name, month)                                   \
	{"month", name, month},                               \
	{                                                     \
		"hour", name, ((month) + 31200) / 62400 * 100 \
	}
static const struct price hetzner[] = {
    SERVER("cx23", 5490000),   SERVER("cx33", 8490000),	  SERVER("cx43", 15990000),  SERVER("cx53", 29490000),
    SERVER("cax11", 5990000),  SERVER("cax21", 10490000), SERVER("cax31", 20990000), SERVER("cax41", 40990000),
    SERVER("cpx12", 11490000), SERVER("cpx22", 19490000), SERVER("ipv4", 500000),    {"volume", "", 57200},
};
const struct price_list prices_hetzner = {"EUR", "\u20ac", "2026-09-03", "fsn1 nbg1 hel1", hetzner, ARRAY_LEN(hetzner)};

const int64_t *price_of(const struct price_list *list, const char *kind, const char *name)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->v[i].kind, kind) == 0 && strcmp(list->v[i].name, name) == 0)
			return &list->v[i].micros;
	return NULL;
}
