/* Which image a target's machine is started from: looked up at each start, because old ones are deleted. */
#include "plan/image_plan.h"
#include "provider/aws_machine.h"
#include "wire/ec2.h"

static int by_parameter(struct aws_machine *m, const char *name, const char **id, struct err *e)
{
	AUTO(buf) struct buf b = {0};
	struct aws_fault f;
	struct str answer;

	ssm_get_parameter(&b, name);
	struct aws_request r = {
	    .service = "ssm", .action = "GetParameter", .target = "AmazonSSM.GetParameter", .body = buf_str(&b)};
	if (aws_call(&m->client, &r, &answer, &f, e) < 0)
		return -1;
	return ssm_parameter_read(answer, m->env->arena, id, e);
}

static int by_name(struct aws_machine *m, const struct image_query *q, const char **id, struct err *e)
{
	AUTO(buf) struct buf b = {0};
	const char *const filter[] = {"name",
				      q->name,
				      "architecture",
				      q->architecture,
				      "state",
				      "available",
				      "virtualization-type",
				      "hvm",
				      "root-device-type",
				      "ebs"};
	struct strings filters = {0};
	struct ec2_images found = {0};
	struct aws_fault f;
	struct str answer;

	for (size_t i = 0; i < ARRAY_LEN(filter); i++)
		*vec_add(&filters, m->env->arena) = filter[i];
	ec2_describe_images(&b, q->owner, &filters);
	if (aws_machine_call(m, "DescribeImages", &b, &answer, &f, e) < 0 ||
	    ec2_images_read(answer, m->env->arena, &found, e) < 0)
		return -1;
	const struct ec2_image *best = image_choose(&found, q);
	if (best == NULL) {
		(void)err_set(e, ERR_CONFIG, "there is no image '%s' for %s in %s", m->settings->image, q->architecture,
			      m->client.region);
		return err_hint(e, "looked for the newest that is called '%s' and owned by %s", q->name, q->owner);
	}
	*id = best->id;
	aws_machine_progress(m, "image %s is %s, %s", m->settings->image, best->id,
			     best->name == NULL ? "" : best->name);
	return 0;
}

int aws_image_find(struct aws_machine *m, const char *type, const char **id, struct err *e)
{
	const struct ec2_settings *s = m->settings;
	struct image_query q;

	if (s->image_id != NULL) {
		*id = s->image_id;
		return 0;
	}
	if (!image_query(s->image, image_architecture(type), m->env->arena, &q))
		return err_set(e, ERR_CONFIG, "'%s' is no image", s->image);
	if (q.id != NULL) {
		*id = q.id;
		return 0;
	}
	return q.parameter != NULL ? by_parameter(m, q.parameter, id, e) : by_name(m, &q, id, e);
}
