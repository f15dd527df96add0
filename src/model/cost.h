/* What something costs in a month: one item each. */
#ifndef MODEL_COST_H
#define MODEL_COST_H

#include "base/vec.h"

/* A machine was on; Unix seconds. */
struct cost_use {
	int64_t from, until;
};
struct cost_uses VEC(struct cost_use);

struct cost_item {
	const char *what, *basis; /* for people: "volume 'cold'", "125 GiB of sc1" */
	int64_t micros;		  /* millionths of a dollar a month */
	bool unknown;		  /* its price is */
};
struct cost_items VEC(struct cost_item);

#endif
