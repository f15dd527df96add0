#include "wire/aws_ini.h"

#include <ctype.h>

#include "base/buf.h"

static int refuse(const char *file, size_t line, const char *what, struct err *e)
{
	(void)err_set(e, ERR_CONFIG, "line %zu of '%s' is %s", line, file, what);
	return err_hint(e, "how it is written: [profile NAME] in a line, then NAME = VALUE in others");
}

/* [default], [profile NAME], [profile "NAME"] */
static bool read_section(struct str line, struct arena *a, struct aws_entry *at)
{
	struct strings words = {0};

	if (line.p[line.n - 1] != ']' || !aws_words(arena_strndup(a, line.p + 1, line.n - 2), a, &words) || words.n > 2)
		return false;
	*at = (struct aws_entry){.kind = words.n == 2 ? words.v[0] : "", .section = words.v[words.n - 1]};
	return true;
}

int aws_ini_read(struct str text, const char *file, struct arena *a, struct aws_entries *v, struct err *e)
{
	struct aws_entry at = {0};
	const char *above = NULL; /* the last name that was not below another one, and how far it was indented */
	size_t indent = 0;

	for (size_t n = 1; text.n > 0; n++) {
		struct str raw = str_cut(&text, '\n'), line = str_trim(raw);
		if (line.n == 0 || line.p[0] == '#' || line.p[0] == ';')
			continue;
		if (memchr(line.p, '\0', line.n) != NULL)
			return refuse(file, n, "not text", e);
		if (line.p[0] == '[') {
			if (!read_section(line, a, &at))
				return refuse(file, n, "not the name of a section", e);
			*vec_add(v, a) = at;
			above = NULL;
			continue;
		}
		size_t depth = (size_t)(line.p - raw.p);
		bool equals = memchr(line.p, '=', line.n) != NULL, below = above != NULL && depth > indent;
		struct str name = str_trim(str_cut(&line, '='));
		if (at.section == NULL || !equals || name.n == 0)
			return refuse(file, n, "neither a section nor NAME = VALUE", e);
		at.name = below ? arena_printf(a, "%s/%.*s", above, (int)name.n, name.p) : str_dup(a, name);
		at.value = str_dup(a, str_trim(line));
		if (!below) {
			above = at.name;
			indent = depth;
		}
		*vec_add(v, a) = at;
		at.name = at.value = NULL;
	}
	return 0;
}

const char *aws_ini_get(const struct aws_entries *v, const char *kind, const char *section, const char *name)
{
	for (size_t i = v->n; i-- > 0;) {
		const struct aws_entry *x = &v->v[i];
		if (strcmp(x->kind, kind) != 0 || strcmp(x->section, section) != 0)
			continue;
		if (name == NULL)
			return "";
		if (x->name != NULL && strcmp(x->name, name) == 0)
			return x->value;
	}
	return NULL;
}

bool aws_words(const char *line, struct arena *a, struct strings *words)
{
	AUTO(buf) struct buf word = {0};
	bool in = false;
	char quote = '\0';

	for (const char *p = line;; p++) {
		if (*p == '\0' || (quote == '\0' && isspace((unsigned char)*p))) {
			if (quote != '\0')
				return false;
			if (in)
				*vec_add(words, a) = str_dup(a, buf_str(&word));
			buf_clear(&word);
			in = false;
			if (*p == '\0')
				return words->n > 0;
		} else if (*p == quote) {
			quote = '\0';
		} else if (quote == '\0' && (*p == '\'' || *p == '"')) {
			quote = *p;
			in = true;
		} else {
			if (*p == '\\' && p[1] != '\0' &&
			    (quote == '\0' || (quote == '"' && strchr("\"\\", p[1]) != NULL)))
				p++;
			buf_putc(&word, *p);
			in = true;
		}
	}
}
