#include "provider/aws_machine.h"

#include <stdarg.h>

#include "provider/tool.h"
#include "wire/ec2.h"

enum { PAGES_MAX = 1000 };

int aws_machine_open(struct aws_machine *m, const struct provider_env *env, const struct target *t, struct err *e)
{
	const struct ec2_settings *s = t->settings;
	struct aws_where where = {s->profile, s->region, s->endpoint};

	*m = (struct aws_machine){.env = env, .target = t, .settings = s};
	if (aws_open(&m->client, env, &where, e) < 0)
		return err_wrap(e, "cannot use AWS for target '%s'", t->name);
	return 0;
}

void aws_machine_auto(struct aws_machine *m)
{
	aws_close(&m->client);
}

int aws_machine_call(struct aws_machine *m, const char *action, const struct buf *body, struct str *answer,
		     struct aws_fault *f, struct err *e)
{
	struct aws_request r = {.service = "ec2", .action = action, .body = buf_str(body)};
	struct str ignored;

	return aws_call(&m->client, &r, answer == NULL ? &ignored : answer, f, e);
}

int aws_machine_look(struct aws_machine *m, const struct strings *filters, struct ec2_instances *v, struct err *e)
{
	const char *next = NULL;

	for (int page = 0; page == 0 || (next != NULL && page < PAGES_MAX); page++) {
		AUTO(buf) struct buf b = {0};
		struct aws_fault f;
		struct str answer;
		ec2_describe_instances(&b, filters, next);
		if (aws_machine_call(m, "DescribeInstances", &b, &answer, &f, e) < 0 ||
		    ec2_instances_read(answer, m->env->arena, v, &next, e) < 0)
			return -1;
	}
	/* What is not listed to its end is not known not to be there. */
	return next == NULL ? 0 : err_set(e, ERR_CORRUPT, "the list of instances has no end");
}

int aws_machine_get(struct aws_machine *m, const char *instance, const struct ec2_instance **i, struct err *e)
{
	struct ec2_instances v = {0};
	struct strings filters = {0};

	*i = NULL;
	*vec_add(&filters, m->env->arena) = "instance-id";
	*vec_add(&filters, m->env->arena) = instance;
	if (aws_machine_look(m, &filters, &v, e) < 0)
		return -1;
	*i = v.n > 0 ? &v.v[0] : NULL;
	return 0;
}

void aws_machine_progress(struct aws_machine *m, const char *fmt, ...)
{
	char text[200];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	tool_progress(m->env, text);
}

void aws_machine_add_tags(const struct aws_machine *m, struct strings *tags)
{
	const struct strings *more = &m->settings->tags;

	for (size_t i = 0; i + 1 < more->n; i += 2)
		if (strings_pair(tags, more->v[i]) == NULL)
			strings_add_pair(tags, m->env->arena, more->v[i], more->v[i + 1]);
}
