/* The tree of a configuration file.  There are no variables, so an expression is its value. */
#ifndef CONF_AST_H
#define CONF_AST_H

#include "base/str.h"
#include "base/vec.h"
#include "model/span.h"

/* How many attributes, blocks, labels or items may stand in one place. */
enum { AST_ITEMS = 1000 };

enum value_kind { VALUE_BAD, VALUE_NULL, VALUE_BOOL, VALUE_NUMBER, VALUE_STRING, VALUE_TUPLE, VALUE_OBJECT };

struct value;
struct values VEC(struct value);
struct attr;
struct attrs VEC(struct attr);

struct value {
	enum value_kind kind; /* VALUE_BAD: was diagnosed already */
	struct span at;
	bool yes;	     /* VALUE_BOOL */
	struct str text;     /* VALUE_STRING: the text; VALUE_NUMBER: as it was written; NUL-terminated */
	struct values items; /* VALUE_TUPLE */
	struct attrs attrs;  /* VALUE_OBJECT */
};

/* name = value, in a body or an object. */
struct attr {
	const char *name;
	struct span at;
	struct value value;
};

struct block_label {
	const char *text;
	struct span at;
};
struct block_labels VEC(struct block_label);

struct block;
struct blocks VEC(struct block);
struct body {
	struct attrs attrs;
	struct blocks blocks;
};

/* type label… { body } */
struct block {
	const char *type;
	struct span at;
	struct block_labels labels;
	struct body body;
};

const char *value_kind_name(enum value_kind k); /* "a string", "a number", … */

#endif
