#include "wire/report_json.h"

json_t *report_json(const struct report *r)
{
	json_t *j = json_object();

	(void)json_object_set_new(j, "kind", json_string(report_kind_name(r->kind)));
	(void)json_object_set_new(j, "at_ms", json_integer(r->at_ms));
	json_put_text(j, "backup", r->backup);
	if (r->run != 0)
		(void)json_object_set_new(j, "run", json_integer(r->run));
	json_put_text(j, "key", r->key);
	json_put_text(j, "severity", r->severity);
	json_put_text(j, "title", r->title);
	json_put_text(j, "text", r->text);
	return j;
}

int report_read(const json_t *j, struct arena *a, struct report *r, struct err *e)
{
	const json_t *at = json_object_get(j, "at_ms"), *run = json_object_get(j, "run");
	const char *kind = json_text(j, "kind", a);

	*r = (struct report){.at_ms = json_integer_value(at),
			     .backup = json_text(j, "backup", a),
			     .run = json_integer_value(run),
			     .key = json_text(j, "key", a),
			     .severity = json_text(j, "severity", a),
			     .title = json_text(j, "title", a),
			     .text = json_text(j, "text", a)};
	bool good = kind != NULL && report_kind_of(kind, &r->kind) && json_is_integer(at) && r->at_ms >= 0 &&
		    (run == NULL || json_is_integer(run)) && r->title != NULL;
	bool alert = r->kind == REPORT_ALERT || r->kind == REPORT_CLEAR;
	bool ran = r->kind == REPORT_START || r->kind == REPORT_RUN;
	if (!good || (alert && (r->key == NULL || r->severity == NULL)) || (ran && (r->run <= 0 || r->backup == NULL)))
		return err_set(e, ERR_CORRUPT, "this is no report");
	return 0;
}
