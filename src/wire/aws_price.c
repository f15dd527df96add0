#include "wire/aws_price.h"

#include "wire/price_json.h"

enum { MOST = 100 };

void aws_price_ask(struct buf *b, const char *service, const struct strings *filters)
{
	AUTO(json) json_t *j = json_object();
	json_t *all = json_array();

	(void)json_object_set_new(j, "ServiceCode", json_string(service));
	(void)json_object_set_new(j, "FormatVersion", json_string("aws_v1"));
	(void)json_object_set_new(j, "MaxResults", json_integer(MOST));
	(void)json_object_set_new(j, "Filters", all);
	for (size_t i = 0; i + 1 < filters->n; i += 2) {
		json_t *one = json_object();
		json_put_text(one, "Type", "TERM_MATCH");
		json_put_text(one, "Field", filters->v[i]);
		json_put_text(one, "Value", filters->v[i + 1]);
		(void)json_array_append_new(all, one);
	}
	json_write(b, j);
}

/* More than one price is none. */
static void read_dimensions(json_t *term, const char *unit, struct arena *a, bool *many, int64_t *micros)
{
	json_t *dimension;
	const char *name;
	int64_t is;

	json_object_foreach(json_object_get(term, "priceDimensions"), name, dimension)
	{
		const char *of = json_text(dimension, "unit", a);
		const char *usd = json_text(json_object_get(dimension, "pricePerUnit"), "USD", a);
		if (of == NULL || strcmp(of, unit) != 0 || !price_micros(usd, &is))
			continue;
		*many |= *micros >= 0 && *micros != is;
		*micros = is;
	}
}

int aws_price_read(struct str body, const char *unit, int64_t *micros, struct err *e)
{
	AUTO(arena) struct arena a = {0};
	AUTO(json) json_t *j = json_parse(body, "the answer of AWS's price list", e);
	const json_t *all = json_object_get(j, "PriceList"), *one;
	bool many = json_text(j, "NextToken", &a) != NULL;
	size_t i;

	*micros = -1;
	if (j == NULL)
		return -1;
	if (!json_is_array(all))
		return err_set(e, ERR_CORRUPT, "the answer of AWS's price list makes no sense");
	json_array_foreach(all, i, one)
	{
		/* Each is a text, with an object in it. */
		AUTO(json)
		json_t *product = json_parse(str_of(json_is_string(one) ? json_string_value(one) : ""),
					     "a product of AWS's price list", e);
		json_t *term;
		const char *name;
		if (product == NULL)
			return -1;
		json_object_foreach(json_object_get(json_object_get(product, "terms"), "OnDemand"), name, term)
		{
			read_dimensions(term, unit, &a, &many, micros);
		}
	}
	if (many)
		*micros = -1;
	return 0;
}
