/* What a target costs in a month by list prices, for who wants to know before the bill comes. */
#ifndef PLAN_COST_PLAN_H
#define PLAN_COST_PLAN_H

#include "model/cost.h"
#include "model/ec2.h"
#include "model/hcloud.h"

/* What is known without asking anybody (plan/prices.c).
 * Of AWS: instance, an hour; address, an hour; volume, a month of one GiB; iops and throughput of gp3, a month of one.
 * Of Hetzner Cloud: hour and month of a type of server, and of "ipv4", where month is the most that a month costs;
 * volume, a month of one GB. */
extern const struct price_list prices_aws, prices_hetzner;
/* NULL: there is no such price. */
const int64_t *price_of(const struct price_list *list, const char *kind, const char *name);

enum { MONEY_TEXT = 32 };
/* "$1.88" into out; returns out. */
const char *money_show(const struct price_list *list, int64_t micros, char *out);

/* Of a target whose machines were on so within so many days; days 0: what these uses cost by themselves. */
void cost_ec2(const struct ec2_settings *s, const struct price_list *list, const struct cost_uses *uses, int64_t days,
	      struct arena *a, struct cost_items *out);
void cost_hcloud(const struct hcloud_settings *s, const struct price_list *list, const struct cost_uses *uses,
		 int64_t days, struct arena *a, struct cost_items *out);

#endif
