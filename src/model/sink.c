#include "model/sink.h"

const char *sink_kind_name(enum sink_kind k)
{
	static const char *const names[] = {
	    [SINK_HONEYCOMB] = "honeycomb",
	    [SINK_OTLP] = "otlp",
	    [SINK_HEALTHCHECKS] = "healthchecks",
	    [SINK_UPTIME_KUMA] = "uptime_kuma",
	    [SINK_NTFY] = "ntfy",
	    [SINK_WEBHOOK] = "webhook",
	    [SINK_MAIL] = "mail",
	    [SINK_COMMAND] = "command",
	    [SINK_PROMETHEUS] = "prometheus",
	    [SINK_JOURNALD] = "journald",
	};
	return names[k];
}

bool sink_watches(const struct sink *s)
{
	return s->setup_key.text != NULL || s->setup_key.file != NULL || s->setup_key.command.n > 0;
}

static bool same(const char *x, const char *y)
{
	return x == y || (x != NULL && y != NULL && strcmp(x, y) == 0);
}

bool sink_same_place(const struct sink *x, const struct sink *y)
{
	return x->kind == y->kind && same(x->url.text, y->url.text) && same(x->setup_url, y->setup_url) &&
	       same(x->dataset, y->dataset);
}

bool sink_has(const struct sink *s, const char *backup)
{
	for (size_t i = 0; i < s->backups.n; i++)
		if (strcmp(s->backups.v[i], backup) == 0)
			return true;
	return s->backups.n == 0;
}

void sink_secrets(const struct sink *s, struct arena *a, struct strings *out)
{
	/* Where messages go is public, but for a webhook: to know its address is to be allowed. */
	const char *const all[] = {s->key.text, s->token.text, s->setup_key.text,
				   s->kind == SINK_WEBHOOK ? s->url.text : NULL};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (all[i] != NULL)
			*vec_add(out, a) = all[i];
	for (size_t i = 1; i < s->headers.n; i += 2)
		*vec_add(out, a) = s->headers.v[i];
}
