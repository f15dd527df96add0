/* Prices as a worker tells them, and as those who sell write them. */
#ifndef WIRE_PRICE_JSON_H
#define WIRE_PRICE_JSON_H

#include "model/cost.h"
#include "wire/json.h"

json_t *price_list_json(const struct price_list *list);
/* In the arena.  ERR_CORRUPT: it is none. */
int price_list_read(const json_t *j, struct arena *a, struct price_list *list, struct err *e) MUST_CHECK;

/* "0.0088000000" is 8800; what is less than a millionth is cut off.  false: it is no price. */
bool price_micros(const char *decimal, int64_t *micros);
/* "$" of "USD"; in the arena. */
const char *price_sign(const char *currency, struct arena *a);

#endif
