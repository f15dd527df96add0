#include "web/link.h"

#include "base/num.h"

static const char *const pages[] = {[WEB_STATUS] = "status",
				    [WEB_RUN] = "run",
				    [WEB_DATASET] = "dataset",
				    [WEB_JSON] = "json",
				    [WEB_METRICS] = "metrics"};

void link_write_question(struct buf *b, const struct web_route *r, const char *backup, const char *name)
{
	AUTO(json) json_t *j = json_object();

	json_put_text(j, "page", pages[r->page]);
	(void)json_object_set_new(j, "run", json_integer(r->run));
	json_put_text(j, "backup", backup);
	json_put_text(j, "name", name);
	json_write(b, j);
	buf_putc(b, '\n');
}

int link_read_question(struct str line, struct arena *a, struct link_question *q, struct err *e)
{
	AUTO(json) json_t *j = json_parse(line, "what is asked", e);

	if (j == NULL)
		return -1;
	const char *page = json_text(j, "page", a);
	*q = (struct link_question){.run = json_integer_value(json_object_get(j, "run")),
				    .backup = json_text(j, "backup", a),
				    .name = json_text(j, "name", a)};
	for (size_t i = 0; i < ARRAY_LEN(pages) && page != NULL; i++) {
		q->page = (enum web_page)i;
		if (strcmp(pages[i], page) == 0 && (q->page != WEB_DATASET || (q->backup != NULL && q->name != NULL)))
			return 0;
	}
	return err_set(e, ERR_USAGE, "nobody knows what is asked");
}

void link_write_answer(struct buf *b, int status, struct str body)
{
	buf_printf(b, "%d %zu\n", status, body.n);
	buf_add(b, body.p, body.n);
}

int link_read_answer(const struct buf *b, int *status, struct str *body, size_t *used)
{
	const char *end = b->n == 0 ? NULL : memchr(b->p, '\n', b->n);
	uint64_t code, n;

	if (end == NULL)
		return b->n > 64 ? -1 : 0;
	struct str rest = {b->p, (size_t)(end - b->p)}, first = str_cut(&rest, ' ');
	if (!num_u64(first, &code) || code < 100 || code > 599 || !num_u64(rest, &n) || n > LINK_ANSWER_MAX)
		return -1;
	*used = (size_t)(end + 1 - b->p) + n;
	if (b->n < *used)
		return 0;
	*status = (int)code;
	*body = (struct str){end + 1, n};
	return 1;
}
