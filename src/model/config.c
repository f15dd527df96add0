#include "model/config.h"

const struct target *config_target(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->targets.n; i++)
		if (strcmp(c->targets.v[i].name, name) == 0)
			return &c->targets.v[i];
	return NULL;
}

const struct snapshot_policy *config_policy(const struct config *c, const char *on)
{
	for (size_t i = 0; i < c->policies.n; i++) {
		const char *of = c->policies.v[i].on;
		if (of == on || (of != NULL && on != NULL && strcmp(of, on) == 0))
			return &c->policies.v[i];
	}
	return NULL;
}

const struct backup *config_backup(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->backups.n; i++)
		if (strcmp(c->backups.v[i].name, name) == 0)
			return &c->backups.v[i];
	return NULL;
}

bool backup_covers(const struct backup *b, const char *dataset)
{
	return dataset_is_under(dataset, b->source) && !dataset_matches(&b->exclude, dataset) &&
	       (b->include.n == 0 || dataset_matches(&b->include, dataset));
}

bool backup_refuses(const struct dataset *d)
{
	const char *set = d->chosen;

	return set != NULL && (strcmp(set, "off") == 0 || strcmp(set, "false") == 0 || strcmp(set, "no") == 0);
}

bool backup_takes(const struct backup *b, const struct dataset *d)
{
	if (!backup_covers(b, d->name) || backup_refuses(d))
		return false;
	return d->chosen != NULL || !b->by_property;
}

bool backup_takes_any(const struct backup *b, const struct side_state *s)
{
	for (size_t i = 0; i < s->datasets.n; i++)
		if (backup_takes(b, &s->datasets.v[i]))
			return true;
	return false;
}

const struct sink *config_sink(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->sinks.n; i++)
		if (strcmp(c->sinks.v[i].name, name) == 0)
			return &c->sinks.v[i];
	return NULL;
}

int64_t config_within_ms(const struct config *c, const struct backup *b)
{
	return b->no_success_within_ms > 0 ? b->no_success_within_ms : c->alerting.no_success_within_ms;
}

static void target_secrets(const struct target *t, const struct target_kind *k, struct arena *a, struct strings *out)
{
	for (size_t i = 0; i < k->nfields; i++) {
		const char *text;
		if (!k->fields[i].secret)
			continue;
		memcpy(&text, (const char *)t->settings + k->fields[i].offset, sizeof(text));
		if (text != NULL)
			*vec_add(out, a) = text;
	}
}

void config_secrets(const struct config *c, const struct target_kind *const *kinds, size_t nkinds, struct arena *a,
		    struct strings *out)
{
	for (size_t i = 0; i < c->targets.n; i++)
		for (size_t k = 0; k < nkinds; k++)
			if (strcmp(kinds[k]->name, c->targets.v[i].kind) == 0)
				target_secrets(&c->targets.v[i], kinds[k], a, out);
	if (c->server.host_key != NULL)
		*vec_add(out, a) = c->server.host_key;
	for (size_t i = 0; i < c->sinks.n; i++)
		sink_secrets(&c->sinks.v[i], a, out);
}
