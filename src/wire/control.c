#include "wire/control.h"

#include "wire/json.h"

enum member {
	TARGET = 1,
	BACKUP = 2,
	TEXT = 4,
	JSON = 8,
	PORT = 16,
	NUMBER = 32,
	FORCE = 64,
	TOKEN = 128,
	CLIENT = 256,
	USE = 512,
};

/* What each request must have, and may have. */
static const struct {
	const char *name;
	unsigned must, may;
} ops[] = {
    [CONTROL_OPEN] = {"open", TARGET | PORT, TEXT | CLIENT},
    [CONTROL_LEASE] = {"lease", TARGET, TEXT | TOKEN | CLIENT | USE},
    [CONTROL_SLEEP] = {"sleep", TARGET, FORCE},
    [CONTROL_REAP] = {"reap", 0, 0},
    [CONTROL_MACHINES] = {"machines", 0, 0},
    [CONTROL_STARTS] = {"starts", 0, TARGET},
    [CONTROL_RUN_BEGIN] = {"run-begin", BACKUP, JSON | TOKEN},
    [CONTROL_RUN_STORY] = {"run-story", JSON, 0},
    [CONTROL_RUN_END] = {"run-end", NUMBER | JSON, 0},
    [CONTROL_RECORD] = {"record", BACKUP | JSON, 0},
    [CONTROL_RECALL] = {"recall", BACKUP, 0},
    [CONTROL_HISTORY] = {"history", NUMBER, BACKUP},
    [CONTROL_RUN] = {"run", NUMBER, 0},
    [CONTROL_TRACE] = {"trace", NUMBER, 0},
    [CONTROL_TELL] = {"tell", JSON, 0},
    [CONTROL_SINKS] = {"sinks", 0, 0},
    [CONTROL_DUE] = {"due", NUMBER, 0},
    [CONTROL_TOLD] = {"told", JSON, 0},
    [CONTROL_RUN_PROGRESS] = {"run-progress", JSON, 0},
    [CONTROL_SUMMARY] = {"summary", NUMBER, BACKUP},
    [CONTROL_ALERTS] = {"alerts", 0, 0},
    [CONTROL_ALERTED] = {"alerted", JSON, 0},
};

static const char *const events[] = {
    [CONTROL_PROGRESS] = "progress", [CONTROL_READY] = "ready", [CONTROL_ANSWER] = "answer", [CONTROL_ERROR] = "error"};

static void put(json_t *j, const char *name, const char *text)
{
	if (text != NULL)
		(void)json_object_set_new(j, name, json_any(text));
}

static void write_line(struct buf *b, const json_t *j)
{
	json_write(b, j);
	buf_putc(b, '\n');
}

void control_write_request(struct buf *b, const struct control_request *r)
{
	AUTO(json) json_t *j = json_object();
	unsigned has = ops[r->op].must | ops[r->op].may;

	put(j, "op", ops[r->op].name);
	put(j, "target", r->target);
	put(j, "backup", r->backup);
	put(j, "text", r->text);
	put(j, "json", r->json);
	put(j, "token", r->token);
	put(j, "client", r->client);
	put(j, "use", r->use);
	if (has & PORT)
		(void)json_object_set_new(j, "port", json_integer(r->port));
	if (has & NUMBER)
		(void)json_object_set_new(j, "number", json_integer(r->number));
	if (has & FORCE)
		(void)json_object_set_new(j, "force", json_boolean(r->force));
	write_line(b, j);
}

void control_write_reply(struct buf *b, const struct control_reply *r)
{
	AUTO(json) json_t *j = r->event == CONTROL_ERROR ? json_of_err(&r->err) : json_object();

	put(j, "event", events[r->event]);
	if (r->event == CONTROL_PROGRESS)
		put(j, "text", r->text);
	if (r->event == CONTROL_READY)
		put(j, "token", r->text);
	if (r->event == CONTROL_ANSWER)
		put(j, "json", r->text);
	write_line(b, j);
}

/* Takes one member into r; 0 if it is not one of a request, or of the wrong type. */
static unsigned member(const char *name, const json_t *v, struct arena *a, struct control_request *r)
{
	const struct {
		const char *name;
		unsigned bit;
		const char **text;
		int64_t *number;
	} members[] = {
	    {"target", TARGET, &r->target, NULL}, {"backup", BACKUP, &r->backup, NULL},
	    {"text", TEXT, &r->text, NULL},	  {"json", JSON, &r->json, NULL},
	    {"use", USE, &r->use, NULL},	  {"port", PORT, NULL, &r->port},
	    {"number", NUMBER, NULL, &r->number}, {"token", TOKEN, &r->token, NULL},
	    {"client", CLIENT, &r->client, NULL},
	};
	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		if (strcmp(members[i].name, name) != 0)
			continue;
		if (members[i].text != NULL && json_is_string(v))
			*members[i].text = arena_strdup(a, json_string_value(v));
		else if (members[i].number != NULL && json_is_integer(v))
			*members[i].number = json_integer_value(v);
		else
			return 0;
		return members[i].bit;
	}
	if (strcmp(name, "force") != 0 || !json_is_boolean(v))
		return 0;
	r->force = json_is_true(v);
	return FORCE;
}

int control_read_request(struct str line, struct arena *a, struct control_request *r, struct err *e)
{
	AUTO(json) json_t *j = json_parse(line, "the request", e);
	const char *name;
	json_t *v;
	unsigned got = 0;
	size_t op = 0;

	*r = (struct control_request){0};
	if (j == NULL)
		return -1;
	const char *word = json_is_object(j) ? json_text(j, "op", a) : NULL;
	while (word != NULL && op < ARRAY_LEN(ops) && strcmp(ops[op].name, word) != 0)
		op++;
	if (word == NULL || op == ARRAY_LEN(ops)) {
		(void)err_set(e, ERR_USAGE, "unknown request '%s'", word == NULL ? "" : word);
		return err_hint(e,
				"are the keeper and this program of the same version? end the keeper, and try again");
	}
	r->op = (enum control_op)op;
	json_object_foreach(j, name, v)
	{
		unsigned bit = strcmp(name, "op") == 0 ? 0 : member(name, v, a, r);
		if (strcmp(name, "op") != 0 && (bit & (ops[op].must | ops[op].may)) == 0)
			return err_set(e, ERR_USAGE, "'%s' is wrong in request '%s'", name, word);
		got |= bit;
	}
	if ((got & ops[op].must) != ops[op].must)
		return err_set(e, ERR_USAGE, "the request '%s' lacks something", word);
	if (r->op == CONTROL_OPEN && (r->port < 1 || r->port > 65535))
		return err_set(e, ERR_USAGE, "%lld is not a port", (long long)r->port);
	return 0;
}

int control_read_reply(struct str line, struct arena *a, struct control_reply *r, struct err *e)
{
	AUTO(json) json_t *j = json_parse(line, "the keeper's answer", e);
	size_t event = 0;

	*r = (struct control_reply){0};
	if (j == NULL)
		return -1;
	const char *word = json_is_object(j) ? json_text(j, "event", a) : NULL;
	while (word != NULL && event < ARRAY_LEN(events) && strcmp(events[event], word) != 0)
		event++;
	if (word == NULL || event == ARRAY_LEN(events))
		return err_set(e, ERR_CORRUPT, "the keeper answered something unknown");
	r->event = (enum control_event)event;
	if (r->event == CONTROL_ERROR)
		json_to_err(j, &r->err);
	if (r->event == CONTROL_PROGRESS)
		r->text = json_text(j, "text", a);
	if (r->event == CONTROL_READY)
		r->text = json_text(j, "token", a);
	if (r->event == CONTROL_ANSWER)
		r->text = json_text(j, "json", a);
	if ((r->event == CONTROL_PROGRESS || r->event == CONTROL_ANSWER) && r->text == NULL)
		return err_set(e, ERR_CORRUPT, "the keeper's answer lacks its text");
	return 0;
}
