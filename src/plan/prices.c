/* List prices, in dollars without tax.  Where they are from: Amazon's price lists by way of infracost's golden files
 * (volumes, 2024-07-01; unchanged since), AWS's notice on public IPv4 addresses (2024-02-01), Karpenter's price table
 * (instances, 2026-07-20). */
#include "plan/cost_plan.h"

const char price_date[] = "2026-07-20", price_place[] = "us-east-1";

static const struct price {
	const char *kind, *name;
	int64_t micros;
} prices[] = {
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

const int64_t *price_of(const char *kind, const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(prices); i++)
		if (strcmp(prices[i].kind, kind) == 0 && strcmp(prices[i].name, name) == 0)
			return &prices[i].micros;
	return NULL;
}
