/* Signs what stands on standard input, one request as JSON a line: id, secret, session, region, service, at, method,
 * path, headers, body.  Prints the value of "authorization" for each. */
#include <stdio.h>

#include "drivers/sha256.h"
#include "wire/json.h"
#include "wire/sigv4.h"

int main(void)
{
	char *line = NULL;
	size_t cap = 0;

	for (ssize_t n; (n = getline(&line, &cap, stdin)) > 0;) {
		AUTO(arena) struct arena a = {0};
		struct err e;
		AUTO(json) json_t *j = json_parse((struct str){line, (size_t)n}, "a request", &e);
		struct sigv4_key key = {json_text(j, "id", &a), json_text(j, "secret", &a), json_text(j, "session", &a),
					json_text(j, "region", &a), json_text(j, "service", &a)};
		struct sigv4_request r = {.method = json_text(j, "method", &a),
					  .path = json_text(j, "path", &a),
					  .body = str_of(json_text(j, "body", &a))};
		const char *name;
		json_t *value;
		json_object_foreach(json_object_get(j, "headers"), name, value)
		{
			*vec_add(&r.headers, &a) = (struct http_header){name, json_string_value(value)};
		}
		sigv4_sign(&r, &key, json_integer_value(json_object_get(j, "at")), sha256, &a);
		(void)puts(r.headers.v[r.headers.n - 1].value);
	}
	free(line);
	return 0;
}
