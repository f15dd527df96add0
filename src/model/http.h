/* What HTTP requests consist of. */
#ifndef MODEL_HTTP_H
#define MODEL_HTTP_H

#include "base/vec.h"

struct http_header {
	const char *name; /* in lower case, each at most once */
	const char *value;
};
struct http_headers VEC(struct http_header);

#endif
