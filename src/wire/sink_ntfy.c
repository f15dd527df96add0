/* ntfy: https://docs.ntfy.sh/publish/#publish-as-json, which takes any text, and keeps the topic out of the address. */
#include "wire/sink.h"

enum { DEFAULT = 3, HIGH = 4, URGENT = 5, MESSAGE_BYTES = 3500 };

void ntfy_encode(const struct sink_secrets *k, const struct report *r, struct arena *a, struct sink_requests *out)
{
	bool bad = report_is_bad(r), urgent = r->severity != NULL && strcmp(r->severity, "critical") == 0;
	const char *text = sink_text(r, a);
	json_t *j = json_object(), *tags = json_array();

	if (r->kind == REPORT_START) {
		json_decref(j);
		json_decref(tags);
		return;
	}
	/* Longer ones become attachments. */
	if (strlen(text) > MESSAGE_BYTES)
		text = arena_printf(a, "%.*s", MESSAGE_BYTES, text);
	(void)json_array_append_new(tags, json_string(bad ? "warning" : "white_check_mark"));
	(void)json_object_set_new(j, "topic", json_any(k->key));
	(void)json_object_set_new(j, "title",
				  json_any(r->host == NULL ? r->title : arena_printf(a, "%s: %s", r->host, r->title)));
	(void)json_object_set_new(j, "message", json_any(text[0] == '\0' ? r->title : text));
	(void)json_object_set_new(j, "priority",
				  json_integer(r->kind == REPORT_ALERT && urgent ? URGENT
					       : bad				 ? HIGH
										 : DEFAULT));
	(void)json_object_set_new(j, "tags", tags);
	struct sink_request *q = sink_post(out, a, k->url, j);
	if (k->token != NULL)
		sink_header(q, a, "authorization", arena_printf(a, "Bearer %s", k->token));
}
