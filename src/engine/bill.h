/* What a target costs in a month, by how long its machines were on in the last 30 days. */
#ifndef ENGINE_BILL_H
#define ENGINE_BILL_H

#include "engine/control_client.h"
#include "model/config.h"

struct bill {
	struct cost_uses uses;
	int64_t days, unseen; /* starts whose end nobody saw */
	struct cost_items items;
	int64_t micros; /* of all that has a price */
	bool unknown;	/* something has none */
	const struct price_list *list;
};

/* What one use of its machine costs alone: the minimum that is paid included.  Of a kind that has prices. */
void bill_use(const struct target *t, const struct target_kind *kind, struct cost_use use, struct arena *a,
	      struct bill *b);
/* By these prices, of a kind that has some.  link may be closed.  Blocks. */
int bill_make(const struct paths *paths, struct control *link, const struct target *t, const struct target_kind *kind,
	      const struct price_list *list, struct arena *a, struct bill *b, struct err *e) MUST_CHECK;

#endif
