/* Small XML documents as trees, read by expat.  Attributes and namespaces are left out; of an element with children,
 * so is the text. */
#ifndef WIRE_XML_H
#define WIRE_XML_H

#include "base/err.h"
#include "base/str.h"

struct xml {
	const char *name;
	const char *text; /* without white space at its ends; of an element without children */
	const struct xml *child, *next;
};

/* The root, in the arena.  NULL with *e (ERR_CORRUPT) when it is no XML, has a document type, or is nested or long
 * beyond reason; what names the text. */
const struct xml *xml_parse(struct str text, const char *what, struct arena *a, struct err *e);
/* The first element at "a/b/c" below x; NULL if there is none or x is NULL. */
const struct xml *xml_find(const struct xml *x, const char *path);
/* Its text; NULL if there is none there, or it is empty. */
const char *xml_text(const struct xml *x, const char *path);
/* for (const struct xml *i = xml_items(x, "volumeSet"); i != NULL; i = i->next): the <item>s of a list of EC2's. */
const struct xml *xml_items(const struct xml *x, const char *path);

#endif
