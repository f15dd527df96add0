/* dormouse-cloud courier: HTTPS for the process that tells the sinks (wire/courier.h).  It has no secret but those of
 * the requests that it is handed, and no file. */
#include "wire/courier.h"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "daemon/daemon.h"
#include "drivers/http_curl.h"
#include "drivers/sha256.h"
#include "sys/fdio.h"
#include "wire/hmac.h"

enum { ORDER_MAX = 16 * 1024 * 1024 };

static void sign(struct sink_request *q, struct arena *a)
{
	unsigned char hash[HMAC_BYTES];
	char text[HMAC_TEXT];

	hmac(q->sign_key, strlen(q->sign_key), str_of(q->body), sha256, hash);
	sink_header(q, a, SINK_SIGNATURE, arena_printf(a, "sha256=%s", hmac_hex(hash, text)));
}

static int carry(struct http *h, struct str line, struct arena *a, struct sink_reply *reply, struct err *e)
{
	struct courier_order o;
	struct http_answer answer;

	if (courier_read_order(line, a, &o, e) < 0)
		return -1;
	if (o.request.sign_key != NULL)
		sign(&o.request, a);
	const struct http_request q = {.method = o.request.method,
				       .url = o.request.url,
				       .headers = o.request.headers,
				       .body = str_of(o.request.body),
				       .timeout_ms = o.timeout_ms,
				       .once = o.once,
				       .plain = o.allow_http && str_starts(str_of(o.request.url), "http://"),
				       .ca_file = o.ca_file};
	if (http_send(h, &q, a, &answer, e) < 0)
		return -1;
	*reply = (struct sink_reply){answer.status, answer.body, answer.retry_after_s, answer.body_limit};
	return 0;
}

int courier_run(void)
{
	AUTO(buf) struct buf in = {0};
	struct http *h = http_new();
	int n = 0;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	do {
		for (const char *end; in.n > 0 && (end = memchr(in.p, '\n', in.n)) != NULL;) {
			AUTO(arena) struct arena a = {0};
			AUTO(buf) struct buf out = {0};
			struct sink_reply reply;
			struct err e;
			size_t len = (size_t)(end - in.p);
			if (carry(h, (struct str){in.p, len}, &a, &reply, &e) < 0)
				courier_write_error(&out, &e);
			else
				courier_write_reply(&out, &reply);
			buf_drop(&in, len + 1);
			if (fd_write_all(STDOUT_FILENO, out.p, out.n, &e) < 0)
				in.n = 0;
		}
		n = in.n > ORDER_MAX ? -1 : fd_read_some(STDIN_FILENO, &in, 64 * 1024);
	} while (n > 0);
	http_free(h);
	return 0;
}
