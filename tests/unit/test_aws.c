/* What is said to AWS, and what AWS says. */
#include "check.h"

#include "drivers/sha256.h"
#include "wire/sigv4.h"

/* Whose keys, when and for what: of AWS's published "Signature Version 4 test suite". */
static const struct sigv4_key suite_key = {"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", NULL, "us-east-1",
					   "service"};
enum { SUITE_AT = 1440938160 };

static const struct vector {
	const char *name, *method, *path;
	struct sigv4_header header; /* beside host and x-amz-date */
	const char *body, *names, *signature;
} vectors[] = {
    {"get-vanilla",
     "GET",
     "/",
     {0},
     "",
     "host;x-amz-date",
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"post-vanilla",
     "POST",
     "/",
     {0},
     "",
     "host;x-amz-date",
     "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
    {"post-x-www-form-urlencoded",
     "POST",
     "/",
     {"content-type", "application/x-www-form-urlencoded"},
     "Param1=value1",
     "content-type;host;x-amz-date",
     "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
};

static void signatures(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		const struct vector *v = &vectors[i];
		AUTO(arena) struct arena a = {0};
		struct sigv4_request r = {.method = v->method, .path = v->path, .body = str_of(v->body)};
		*vec_add(&r.headers, &a) = (struct sigv4_header){"host", "example.amazonaws.com"};
		if (v->header.name != NULL)
			*vec_add(&r.headers, &a) = v->header;
		sigv4_sign(&r, &suite_key, SUITE_AT, sha256, &a);
		struct sigv4_header last = r.headers.v[r.headers.n - 1];
		assert_string_equal(last.name, "authorization");
		assert_string_equal(last.value,
				    arena_printf(&a,
						 "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/"
						 "aws4_request, SignedHeaders=%s, Signature=%s",
						 v->names, v->signature));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(signatures),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
