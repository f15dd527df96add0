#include "wire/courier.h"

static void line(struct buf *b, const json_t *j)
{
	json_write(b, j);
	buf_putc(b, '\n');
}

void courier_write_order(struct buf *b, const struct courier_order *o)
{
	AUTO(json) json_t *j = json_object();
	json_t *headers = json_object();

	for (size_t i = 0; i < o->request.headers.n; i++)
		json_put_text(headers, o->request.headers.v[i].name, o->request.headers.v[i].value);
	json_put_text(j, "method", o->request.method);
	json_put_text(j, "url", o->request.url);
	(void)json_object_set_new(j, "headers", headers);
	json_put_text(j, "body", o->request.body);
	json_put_text(j, "sign_key", o->request.sign_key);
	(void)json_object_set_new(j, "timeout_ms", json_integer(o->timeout_ms));
	(void)json_object_set_new(j, "once", json_boolean(o->once));
	(void)json_object_set_new(j, "allow_http", json_boolean(o->allow_http));
	json_put_text(j, "ca_file", o->ca_file);
	line(b, j);
}

void courier_write_reply(struct buf *b, const struct sink_reply *r)
{
	AUTO(arena) struct arena a = {0};
	AUTO(json) json_t *j = json_object();
	size_t n = r->body.n < COURIER_BODY_MAX ? r->body.n : COURIER_BODY_MAX;

	(void)json_object_set_new(j, "status", json_integer(r->status));
	(void)json_object_set_new(j, "body", json_any(str_dup(&a, (struct str){r->body.p, n})));
	(void)json_object_set_new(j, "retry_after_s", json_integer(r->retry_after_s));
	(void)json_object_set_new(j, "body_limit", json_integer(r->body_limit));
	line(b, j);
}

void courier_write_error(struct buf *b, const struct err *e)
{
	AUTO(json) json_t *j = json_object();

	(void)json_object_set_new(j, "error", json_of_err(e));
	line(b, j);
}

int courier_read_order(struct str text, struct arena *a, struct courier_order *o, struct err *e)
{
	AUTO(json) json_t *j = json_parse(text, "the order", e);
	const char *name;
	json_t *v;

	if (j == NULL)
		return -1;
	*o = (struct courier_order){.request = {.method = json_text(j, "method", a),
						.url = json_text(j, "url", a),
						.body = json_text(j, "body", a),
						.sign_key = json_text(j, "sign_key", a)},
				    .timeout_ms = json_integer_value(json_object_get(j, "timeout_ms")),
				    .once = json_is_true(json_object_get(j, "once")),
				    .allow_http = json_is_true(json_object_get(j, "allow_http")),
				    .ca_file = json_text(j, "ca_file", a)};
	json_object_foreach(json_object_get(j, "headers"), name, v)
	{
		if (json_is_string(v))
			sink_header(&o->request, a, arena_strdup(a, name), arena_strdup(a, json_string_value(v)));
	}
	if (o->request.method == NULL || o->request.url == NULL || o->request.body == NULL || o->timeout_ms <= 0)
		return err_set(e, ERR_USAGE, "a courier is started by dormouse itself, not by hand");
	return 0;
}

int courier_read_reply(struct str text, struct arena *a, struct sink_reply *r, struct err *e)
{
	AUTO(json) json_t *j = json_parse(text, "the courier's answer", e);
	const json_t *error = json_object_get(j, "error");

	if (j == NULL)
		return -1;
	if (error != NULL) {
		json_to_err(error, e);
		return -1;
	}
	const char *body = json_text(j, "body", a);
	*r = (struct sink_reply){.status = json_integer_value(json_object_get(j, "status")),
				 .body = str_of(body == NULL ? "" : body),
				 .retry_after_s = json_integer_value(json_object_get(j, "retry_after_s")),
				 .body_limit = json_integer_value(json_object_get(j, "body_limit"))};
	return 0;
}
