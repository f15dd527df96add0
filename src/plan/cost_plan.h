/* What a target costs in a month by list prices, for who wants to know before the bill comes. */
#ifndef PLAN_COST_PLAN_H
#define PLAN_COST_PLAN_H

#include "model/cost.h"
#include "model/ec2.h"

/* Millionths of a dollar; NULL: there is no such price.  Of an instance: an hour; of a volume: a month of one GiB. */
const int64_t *price_of(const char *kind, const char *name);
/* Of when and where they are. */
extern const char price_date[], price_place[];

enum { DOLLARS_TEXT = 32 };
/* "$1.88" into out; returns out. */
const char *dollars_show(int64_t micros, char *out);

/* Of an aws_ec2 whose machines were on so within so many days. */
void cost_ec2(const struct ec2_settings *s, const struct cost_uses *uses, int64_t days, struct arena *a,
	      struct cost_items *out);

#endif
