/* Any bytes, as native syntax and as JSON: answered; every diagnostic lies in the file and can be shown on a
 * terminal; and a target that was read is written so that it reads back to the same. */
#include "conf/conf.h"
#include "provider/registry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool some_file(void *ctx, const char *path, struct arena *a, struct str *out, const char **why)
{
	static const char odd[] = "a\0b";

	(void)ctx, (void)a;
	*out = path[0] == 'n' ? (struct str){odd, 3} : path[0] == 'u' ? str_of("\xff") : str_of(" a\n");
	*why = "no";
	return strlen(path) % 2 == 1;
}

static const char *some_env(void *ctx, const char *name)
{
	(void)ctx;
	return name[0] == 'A' ? "a" : name[0] == 'U' ? "\xc3" : NULL;
}

static const struct conf_env env = {NULL, some_file, some_env};

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void shown(const struct diags *d, struct str text)
{
	AUTO(buf) struct buf b = {0};
	size_t bad;

	check(d->n > 0 && d->n <= DIAGS_MAX && (d->dropped == 0 || d->n == DIAGS_MAX));
	for (size_t i = 0; i < d->n; i++) {
		const struct diag *g = &d->v[i];
		check(g->at.from <= text.n && g->at.from <= g->at.to && g->at.to <= text.n + 1 && g->what != NULL);
		check(i == 0 || d->v[i - 1].at.from <= g->at.from);
	}
	diags_render(d, "f", text, &b);
	check(str_is_utf8(buf_str(&b), &bad));
	for (size_t i = 0; i < b.n; i++)
		check((unsigned char)b.p[i] >= 0x20 || b.p[i] == '\n');
}

static void written(struct buf *out, const struct target *t)
{
	conf_write_target(out, t, &provider_find(t->kind)->kind);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = {(const char *)data, size};

	for (int json = 0; json < 2; json++) {
		AUTO(arena) struct arena a = {0};
		struct config c, again;
		struct diags d = {0}, none = {0};
		bool good = conf_load(text, "f", json, provider_kinds(), PROVIDERS, &env, &a, &c, &d);
		check(good == (diags_wrong(&d) == NULL));
		if (d.n > 0)
			shown(&d, text);
		for (size_t i = 0; good && i < c.targets.n; i++) {
			AUTO(buf) struct buf one = {0};
			AUTO(buf) struct buf two = {0};
			written(&one, &c.targets.v[i]);
			check(
			    conf_load(buf_str(&one), "f", false, provider_kinds(), PROVIDERS, &env, &a, &again, &none));
			written(&two, &again.targets.v[0]);
			check(strcmp(buf_text(&one), buf_text(&two)) == 0);
		}
	}
	return 0;
}
