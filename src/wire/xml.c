#include "wire/xml.h"

#include <expat.h>

#include "base/buf.h"

enum { DEPTH_MAX = 32, ELEMENTS_MAX = 200 * 1000 };

struct level {
	struct xml *x;
	const struct xml **end; /* where its next child goes */
};
struct reading {
	XML_Parser parser;
	struct arena *a;
	struct buf text;
	struct xml above; /* the root's parent */
	struct level levels[DEPTH_MAX + 1];
	size_t depth, elements;
};

static void XMLCALL begin(void *arg, const XML_Char *name, const XML_Char **attributes)
{
	struct reading *r = arg;
	struct level *in = &r->levels[r->depth];

	(void)attributes;
	if (r->depth == DEPTH_MAX || r->elements++ == ELEMENTS_MAX) {
		(void)XML_StopParser(r->parser, XML_FALSE);
		return;
	}
	struct xml *x = arena_new(r->a, struct xml);
	x->name = arena_strdup(r->a, name);
	*in->end = x;
	in->end = &x->next;
	r->levels[++r->depth] = (struct level){x, &x->child};
	buf_clear(&r->text);
}

static void XMLCALL end(void *arg, const XML_Char *name)
{
	struct reading *r = arg;
	struct xml *x = r->levels[r->depth--].x;

	(void)name;
	if (x->child == NULL)
		x->text = str_dup(r->a, str_trim(buf_str(&r->text)));
	buf_clear(&r->text);
}

static void XMLCALL text(void *arg, const XML_Char *s, int n)
{
	struct reading *r = arg;
	buf_add(&r->text, s, (size_t)n);
}

/* With a document type come entities, of which a short one can stand for a very long text. */
static void XMLCALL doctype(void *arg, const XML_Char *name, const XML_Char *where, const XML_Char *whose, int internal)
{
	struct reading *r = arg;

	(void)name, (void)where, (void)whose, (void)internal;
	(void)XML_StopParser(r->parser, XML_FALSE);
}

const struct xml *xml_parse(struct str s, const char *what, struct arena *a, struct err *e)
{
	struct reading r = {.parser = XML_ParserCreate(NULL), .a = a};
	bool ok = r.parser != NULL && s.n <= INT32_MAX;

	if (ok) {
		r.levels[0] = (struct level){&r.above, &r.above.child};
		/* One of ours, or expat asks the system for a random one. */
		(void)XML_SetHashSalt(r.parser, 0x646f726d6f757365UL);
		XML_SetUserData(r.parser, &r);
		XML_SetElementHandler(r.parser, begin, end);
		XML_SetCharacterDataHandler(r.parser, text);
		XML_SetStartDoctypeDeclHandler(r.parser, doctype);
		ok = XML_Parse(r.parser, s.n == 0 ? "" : s.p, (int)s.n, 1) == XML_STATUS_OK;
	}
	if (!ok) {
		(void)err_set(e, ERR_CORRUPT, "%s is not XML as it should be", what);
		if (r.parser != NULL)
			(void)err_why(e, "line %lu: %s", XML_GetCurrentLineNumber(r.parser),
				      XML_ErrorString(XML_GetErrorCode(r.parser)));
	}
	XML_ParserFree(r.parser);
	buf_release(&r.text);
	return ok ? r.above.child : NULL;
}

const struct xml *xml_find(const struct xml *x, const char *path)
{
	for (struct str rest = str_of(path); x != NULL && rest.n > 0;) {
		struct str name = str_cut(&rest, '/');
		for (x = x->child; x != NULL && !str_eq(name, x->name);)
			x = x->next;
	}
	return x;
}

const char *xml_text(const struct xml *x, const char *path)
{
	x = xml_find(x, path);
	return x == NULL || x->text == NULL || x->text[0] == '\0' ? NULL : x->text;
}

const struct xml *xml_items(const struct xml *x, const char *path)
{
	x = xml_find(x, path);
	return x == NULL ? NULL : x->child;
}
