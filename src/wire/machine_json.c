#include "wire/machine_json.h"

static const char *const powers[] = {[POWER_ABSENT] = "absent",
				     [POWER_STARTING] = "starting",
				     [POWER_RUNNING] = "running",
				     [POWER_STOPPING] = "stopping"};

json_t *machine_facts_json(const struct machine_facts *f)
{
	json_t *j = json_object(), *doors = json_array();

	(void)json_object_set_new(j, "power", json_string(powers[f->power]));
	if (f->id != NULL)
		(void)json_object_set_new(j, "id", json_any(f->id));
	if (f->address != NULL)
		(void)json_object_set_new(j, "address", json_any(f->address));
	if (f->detail != NULL)
		(void)json_object_set_new(j, "detail", json_any(f->detail));
	for (size_t i = 0; i < f->doors.n; i++) {
		json_t *d = json_object();
		(void)json_object_set_new(d, "port", json_integer(f->doors.v[i].port));
		(void)json_object_set_new(d, "host", json_any(f->doors.v[i].host));
		(void)json_object_set_new(d, "at", json_integer(f->doors.v[i].at));
		(void)json_array_append_new(doors, d);
	}
	(void)json_object_set_new(j, "doors", doors);
	return j;
}

static bool port(const json_t *j, const char *name, int64_t *out)
{
	const json_t *v = json_object_get(j, name);
	*out = json_integer_value(v);
	return json_is_integer(v) && *out >= 1 && *out <= 65535;
}

int machine_facts_read(const json_t *j, struct arena *a, struct machine_facts *f, struct err *e)
{
	const char *power = json_text(j, "power", a);
	size_t p = 0, i;
	json_t *door;

	*f = (struct machine_facts){0};
	while (power != NULL && p < ARRAY_LEN(powers) && strcmp(powers[p], power) != 0)
		p++;
	if (power == NULL || p == ARRAY_LEN(powers)) {
		(void)err_set(e, ERR_CORRUPT, "the answer does not say how the machine is");
		return err_hint(e, "\"power\" must be absent, starting, running or stopping");
	}
	f->power = (enum machine_power)p;
	f->id = json_text(j, "id", a);
	f->address = json_text(j, "address", a);
	f->detail = json_text(j, "detail", a);
	json_array_foreach(json_object_get(j, "doors"), i, door)
	{
		struct machine_door d = {.host = json_text(door, "host", a)};
		if (d.host == NULL || !port(door, "port", &d.port) || !port(door, "at", &d.at))
			return err_set(e, ERR_CORRUPT, "a door of the machine must have \"port\", \"host\" and \"at\"");
		*vec_add(&f->doors, a) = d;
	}
	if (f->power == POWER_RUNNING && f->address == NULL && f->doors.n == 0)
		return err_set(e, ERR_CORRUPT, "the machine runs, but the answer gives neither address nor doors");
	return 0;
}
