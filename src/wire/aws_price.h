/* Questions to AWS's price list service (AWSPriceListService of 2017-10-15), and what it says.  A question says so much
 * of a product that there is one. */
#ifndef WIRE_AWS_PRICE_H
#define WIRE_AWS_PRICE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/vec.h"

/* The body of GetProducts; filters: name, value, …. */
void aws_price_ask(struct buf *b, const char *service, const struct strings *filters);
/* Its answer: what one unit ("Hrs", "GB-Mo") costs on demand, in millionths of a dollar.  -1 in *micros: there is no
 * such product, or more than one price. */
int aws_price_read(struct str body, const char *unit, int64_t *micros, struct err *e) MUST_CHECK;

#endif
