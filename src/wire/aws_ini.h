/* The files ~/.aws/config and ~/.aws/credentials, as AWS's own programs read them.
 * Source: "Configuration and credential file settings" in the user guide of the AWS CLI. */
#ifndef WIRE_AWS_INI_H
#define WIRE_AWS_INI_H

#include "base/err.h"
#include "base/str.h"
#include "base/vec.h"

struct aws_entry {
	const char *kind; /* of its section: "profile", "services", …; "" for [NAME] alone */
	const char *section;
	const char *name; /* below another one: "ec2/endpoint_url" */
	const char *value;
};
struct aws_entries VEC(struct aws_entry);

/* Adds a file's entries, in the arena; a section without any is there as one without a name.  -1 with ERR_CONFIG and
 * the number of the line, but not the line: it may hold a secret. */
int aws_ini_read(struct str text, const char *file, struct arena *a, struct aws_entries *v, struct err *e) MUST_CHECK;
/* The last of that name; NULL: none.  name NULL: "" if there is such a section. */
const char *aws_ini_get(const struct aws_entries *v, const char *kind, const char *section, const char *name);

/* The words of a command line (credential_process), parted and quoted as in a shell, of which nothing else is known.
 * false: a quote is not closed, or there is no word. */
bool aws_words(const char *line, struct arena *a, struct strings *words);

#endif
