/* Internal to conf: bodies into structs, by tables. */
#ifndef CONF_DECODE_H
#define CONF_DECODE_H

#include "conf/ast.h"
#include "conf/diag.h"
#include "model/field.h"

/* What may stand in a block: attributes by a table (a kind of target has more), and blocks. */
struct block_schema {
	const char *name;
	size_t nlabels;
	size_t more_labels;	 /* it may have so many more */
	const char *label_names; /* for messages: "a name and a kind" */
	const struct field *fields;
	size_t nfields;
	const struct block_schema *const *blocks;
	size_t nblocks;
	bool by_label; /* what may stand in it, its label decides: decode_check_blocks does not look into it */
};

/* A table of attributes and where its struct is. */
struct decode_part {
	const struct field *fields;
	size_t nfields;
	void *base;
};

/* Sets every field of parts from the body's attributes, or from its fallback; diagnoses attributes
 * that no part knows, wrong types, and missing ones.  at is where the block stands. */
void decode_attrs(const struct body *body, const struct block_schema *schema, struct span at,
		  const struct decode_part *parts, size_t nparts, struct arena *a, struct diags *d);
/* Diagnoses blocks that schema does not know, and wrong numbers of labels; fields of unknown blocks
 * are not looked at. */
void decode_check_blocks(const struct body *body, const struct block_schema *schema, struct diags *d);
/* Sets every field_items of a struct from the body's blocks. */
void decode_blocks(const struct body *body, const struct field_block *kinds, size_t nkinds, void *base, struct arena *a,
		   struct diags *d);
/* A JSON object into a body, as schema tells attributes and blocks apart; false when it has more blocks
 * than are read, which was diagnosed. */
bool decode_json_body(const struct value *object, const struct block_schema *schema, struct arena *a, struct diags *d,
		      struct body *out);
/* The attribute of that name, or NULL. */
const struct attr *body_attr(const struct body *body, const char *name);

#endif
