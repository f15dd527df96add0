/* Prices, and what something costs in a month: one item each. */
#ifndef MODEL_COST_H
#define MODEL_COST_H

#include "base/vec.h"

/* A machine was on; Unix seconds. */
struct cost_use {
	int64_t from, until;
	bool bulk; /* it was of the type for what takes long, if there is one */
};
struct cost_uses VEC(struct cost_use);

/* Millionths of the list's currency.  What kinds and names there are is up to who makes the list and who reads it
 * (plan/cost_plan.h). */
struct price {
	const char *kind, *name;
	int64_t micros;
};
struct prices VEC(struct price);
struct price_list {
	const char *currency, *sign; /* "USD", "$" */
	const char *date, *place;    /* of when and where they are: "us-east-1"; of several, parted by blanks */
	const struct price *v;
	size_t n;
};

struct cost_item {
	const char *what, *basis; /* for people: "volume 'cold'", "125 GiB of sc1" */
	int64_t micros;		  /* a month, millionths of the list's currency */
	bool unknown;		  /* its price is */
};
struct cost_items VEC(struct cost_item);

#endif
