#include "wire/zone_json.h"

json_t *zone_json(const struct zone *z)
{
	json_t *list = json_array();

	for (size_t i = 0; i < z->n; i++)
		(void)json_array_append_new(list,
					    json_pack("[II]", (json_int_t)z->v[i].from, (json_int_t)z->v[i].offset_s));
	return list;
}

int zone_json_read(const json_t *list, struct arena *a, struct zone *z, struct err *e)
{
	json_t *part;
	size_t i;

	*z = (struct zone){0};
	json_array_foreach(list, i, part)
	{
		struct zone_part one = {json_integer_value(json_array_get(part, 0)),
					json_integer_value(json_array_get(part, 1))};
		bool fits = i == 0 || one.from > z->v[i - 1].from;
		if (!fits || one.offset_s < -86400 || one.offset_s > 86400)
			return err_set(e, ERR_CORRUPT, "the observation's time zone cannot be read");
		*vec_add(z, a) = one;
	}
	return 0;
}
