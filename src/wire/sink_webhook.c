/* Any address that takes JSON: a whole report (sink_json), and a signature over the body. */
#include "wire/sink.h"

void webhook_encode(const struct sink_secrets *k, const struct report *r, struct arena *a, struct sink_requests *out)
{
	sink_post(out, a, k->url, sink_json(r))->sign_key = k->key;
}
