#include "web/server.h"
#include "wire/page.h"

enum MHD_Result reply(struct MHD_Connection *c, int status, const char *type, struct str body)
{
	static const char *const headers[][2] = {
	    {"Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
					"img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
	    {"X-Content-Type-Options", "nosniff"},
	    {"X-Frame-Options", "DENY"},
	    {"Referrer-Policy", "no-referrer"},
	    {"Cross-Origin-Opener-Policy", "same-origin"},
	    {"Cross-Origin-Resource-Policy", "same-origin"},
	    {"Cache-Control", "no-store"},
	};
	struct MHD_Response *r = MHD_create_response_from_buffer(body.n, (void *)(uintptr_t)(body.n == 0 ? "" : body.p),
								 MHD_RESPMEM_MUST_COPY);
	enum MHD_Result rc = MHD_NO;

	if (r == NULL)
		return rc;
	for (size_t i = 0; i < ARRAY_LEN(headers); i++)
		(void)MHD_add_response_header(r, headers[i][0], headers[i][1]);
	(void)MHD_add_response_header(r, "Content-Type", type);
	if (status == 405)
		(void)MHD_add_response_header(r, "Allow", "GET, HEAD");
	if (status == 401)
		(void)MHD_add_response_header(r, "WWW-Authenticate", "Basic realm=\"dormouse\", charset=\"UTF-8\"");
	rc = MHD_queue_response(c, (unsigned)status, r);
	MHD_destroy_response(r);
	return rc;
}

const char reply_html[] = "text/html; charset=utf-8";

enum MHD_Result reply_refuse(struct MHD_Connection *c, int status)
{
	static const struct {
		int status;
		const char *what, *hint;
	} words[] = {
	    {401, "The password is wrong, or missing", "it is what stands in the token's file; any user name will do"},
	    {404, "There is no such page", "the status is at /"},
	    {405, "This server is only to be looked at", "GET and HEAD are all that it knows"},
	    {421, "This server is not called that", "dormouse web --host NAME lets it be called so"},
	    {503, "Too much is asked at a time", "try again in a moment"},
	};
	AUTO(buf) struct buf page = {0};
	size_t i = 0;

	while (i + 1 < ARRAY_LEN(words) && words[i].status != status)
		i++;
	page_error(words[i].what, words[i].hint, &page);
	return reply(c, status, reply_html, buf_str(&page));
}
