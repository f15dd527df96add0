#include "wire/price_json.h"

#include "base/num.h"

enum { MILLION = 1000000, MOST = 1000000000 };

json_t *price_list_json(const struct price_list *list)
{
	json_t *j = json_object(), *all = json_array();

	json_put_text(j, "currency", list->currency);
	json_put_text(j, "date", list->date);
	json_put_text(j, "place", list->place);
	for (size_t i = 0; i < list->n; i++) {
		json_t *one = json_object();
		json_put_text(one, "kind", list->v[i].kind);
		json_put_text(one, "name", list->v[i].name);
		(void)json_object_set_new(one, "micros", json_integer(list->v[i].micros));
		(void)json_array_append_new(all, one);
	}
	(void)json_object_set_new(j, "prices", all);
	return j;
}

int price_list_read(const json_t *j, struct arena *a, struct price_list *list, struct err *e)
{
	struct prices v = {0};
	const json_t *all = json_object_get(j, "prices"), *one;
	size_t i;

	*list = (struct price_list){.currency = json_text(j, "currency", a),
				    .date = json_text(j, "date", a),
				    .place = json_text(j, "place", a)};
	bool good = list->currency != NULL && list->date != NULL && list->place != NULL && json_is_array(all);
	json_array_foreach(all, i, one)
	{
		struct price p = {json_text(one, "kind", a), json_text(one, "name", a),
				  json_integer_value(json_object_get(one, "micros"))};
		good = good && p.kind != NULL && p.name != NULL && p.micros >= 0;
		*vec_add(&v, a) = p;
	}
	if (!good)
		return err_set(e, ERR_CORRUPT, "that is not what a worker says of prices");
	list->sign = price_sign(list->currency, a);
	list->v = v.v;
	list->n = v.n;
	return 0;
}

bool price_micros(const char *decimal, int64_t *micros)
{
	struct str rest = str_of(decimal == NULL ? "" : decimal), whole = str_cut(&rest, '.');
	uint64_t n;

	if (!num_u64(whole, &n) || n > MOST)
		return false;
	*micros = (int64_t)n * MILLION;
	for (int64_t place = MILLION / 10; rest.n > 0; place /= 10) {
		if (*rest.p < '0' || *rest.p > '9')
			return false;
		*micros += (*rest.p - '0') * place;
		rest = (struct str){rest.p + 1, rest.n - 1};
	}
	return true;
}

const char *price_sign(const char *currency, struct arena *a)
{
	return strcmp(currency, "USD") == 0   ? "$"
	       : strcmp(currency, "EUR") == 0 ? "\u20ac"
					      : arena_printf(a, "%s ", currency);
}
