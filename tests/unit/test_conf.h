/* Shared by the tests of conf: a kind of target to try expressions with, and one-line checks. */
#ifndef TESTS_TEST_CONF_H
#define TESTS_TEST_CONF_H

#include "check.h"

#include "conf/ast.h"
#include "conf/conf.h"

/* A kind of target with one attribute of each type, so that every expression can be tried in a file. */
struct probe {
	const char *s;
	bool b;
	int64_t i, d;
	uint64_t z;
	struct strings l;
};
static const struct field probe_fields[] = {
    {.name = "s", .type = FIELD_STRING, .offset = offsetof(struct probe, s), .doc = "a text"},
    {.name = "b", .type = FIELD_BOOL, .offset = offsetof(struct probe, b), .doc = "a flag"},
    {.name = "i", .type = FIELD_INT, .offset = offsetof(struct probe, i), .doc = "a number"},
    {.name = "d", .type = FIELD_DURATION, .offset = offsetof(struct probe, d), .doc = "a time"},
    {.name = "z", .type = FIELD_SIZE, .offset = offsetof(struct probe, z), .fallback = "1K", .doc = "a size"},
    {.name = "l", .type = FIELD_STRINGS, .offset = offsetof(struct probe, l), .doc = "a list"},
};
static const struct target_kind probe_kind = {
    .name = "probe", .fields = probe_fields, .nfields = ARRAY_LEN(probe_fields), .size = sizeof(struct probe)};
static const struct field must_fields[] = {
    {.name = "must", .type = FIELD_STRING, .offset = 0, .required = true, .doc = "what it is for"}};
static const struct target_kind must_kind = {
    .name = "must", .fields = must_fields, .nfields = 1, .size = sizeof(char *)};
static const struct target_kind *const kinds[] = {&probe_kind, &must_kind};

static bool fake_file(void *ctx, const char *path, struct arena *a, struct str *out, const char **why)
{
	(void)ctx, (void)a;
	*why = "No such file or directory";
	*out = str_of("  from file\n");
	if (strcmp(path, "nul") == 0)
		*out = (struct str){"a\0b", 3};
	if (strcmp(path, "latin1") == 0)
		*out = str_of("ab\xe9");
	if (strcmp(path, "odd") == 0)
		*why = "\xff";
	return strcmp(path, "missing") != 0 && strcmp(path, "odd") != 0;
}

static const char *fake_env(void *ctx, const char *name)
{
	(void)ctx;
	return strcmp(name, "SET") == 0 ? "value" : strcmp(name, "LATIN1") == 0 ? "\xe9" : NULL;
}

static const struct conf_env env = {NULL, fake_file, fake_env};

static inline bool load(const char *text, size_t n, bool json, struct arena *a, struct config *c, struct diags *d)
{
	/* In a place of its own, so that reading beyond it is noticed; nothing may point there afterwards. */
	char *copy = malloc(n > 0 ? n : 1);
	memcpy(copy, text, n);
	*d = (struct diags){0};
	bool good = conf_load((struct str){copy, n}, "f", json, kinds, ARRAY_LEN(kinds), &env, a, c, d);
	free(copy);
	return good;
}

static inline const char *all_of(const struct diags *d, struct arena *a, const char *text)
{
	AUTO(buf) struct buf b = {0};
	diags_render(d, "f", str_of(text), &b);
	return str_dup(a, buf_str(&b));
}

/* The string that an expression is. */
static inline void is(const char *expr, const char *want)
{
	AUTO(arena) struct arena a = {0};
	struct config c;
	struct diags d;
	const char *text = arena_printf(&a, "target t probe {\n  s = %s\n}\n", expr);

	if (!load(text, strlen(text), false, &a, &c, &d))
		fail_msg("%s:\n%s", expr, all_of(&d, &a, text));
	const struct probe *p = c.targets.v[0].settings;
	if (strcmp(p->s, want) != 0)
		fail_msg("%s is '%s', not '%s'", expr, p->s, want);
}

/* A file that is wrong: the first diagnostic begins with want (line:column: what), and there are n. */
static inline void wrong_in(const char *text, bool json, const char *want, size_t n)
{
	AUTO(arena) struct arena a = {0};
	struct config c;
	struct diags d;

	if (load(text, strlen(text), json, &a, &c, &d))
		fail_msg("accepted: %s", text);
	const char *all = all_of(&d, &a, text);
	if (strncmp(all + 2, want, strlen(want)) != 0 || (n != 0 && d.n != n))
		fail_msg("%s\nsays (%zu):\n%s\nnot: %s", text, d.n, all, want);
}

static inline void wrong(const char *text, const char *want)
{
	wrong_in(text, false, want, 1);
}

static inline void wrong_value(const char *expr, const char *want)
{
	AUTO(arena) struct arena a = {0};
	wrong_in(arena_printf(&a, "target t probe {\ns = %s\n}\n", expr), false, want, 1);
}

#endif
