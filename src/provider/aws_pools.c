/* The volumes of an aws_ec2 target that pools are on. */
#include "provider/aws_setup.h"

#include "wire/ec2.h"

/* The one volume of that name; NULL: there is none (ERR_MISSING), or more than one (ERR_CONFLICT). */
static const struct ec2_volume *volume_named(struct aws_machine *m, const char *name, struct err *e)
{
	struct strings filters = aws_setup_filters(m);
	struct ec2_volumes all = {0};
	const struct ec2_volume *one = NULL;
	size_t n = 0;

	if (aws_volumes_look(m, &filters, &all, e) < 0)
		return NULL;
	for (size_t i = 0; i < all.n; i++) {
		const char *whose = strings_pair(&all.v[i].tags, AWS_TAG_MADE);
		if (all.v[i].state == VOLUME_GOING || whose == NULL || strcmp(whose, name) != 0)
			continue;
		one = &all.v[i];
		n++;
	}
	if (n == 1)
		return one;
	(void)err_set(e, n == 0 ? ERR_MISSING : ERR_CONFLICT, "there %s volume '%s' of target '%s'",
		      n == 0 ? "is no" : "is more than one", name, m->target->name);
	return NULL;
}

/* udev's name: the serial number is the volume's, without the dash. */
static const char *path_of(const char *volume, struct arena *a)
{
	AUTO(buf) struct buf b = {0};

	buf_puts(&b, "/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_");
	for (; *volume != '\0'; volume++)
		if (*volume != '-')
			buf_putc(&b, *volume);
	return arena_strdup(a, buf_text(&b));
}

int aws_setup_disks(const struct provider_env *env, const struct target *t, struct pool_disks *disks, struct err *e)
{
	AUTO(aws_machine) struct aws_machine m = {0};

	if (aws_machine_open(&m, env, t, e) < 0)
		return -1;
	for (size_t i = 0; i < m.settings->made.volumes.n; i++) {
		const struct made_volume *made = &((const struct made_volume *)m.settings->made.volumes.v)[i];
		if (made->pool == NULL)
			continue;
		const struct ec2_volume *v = volume_named(&m, made->name, e);
		if (v == NULL)
			return -1;
		const char *mark = strings_pair(&v->tags, AWS_TAG_POOL);
		if (cloud_made_disk(made, v->id, path_of(v->id, env->arena), mark, env->arena, disks, e) < 0)
			return -1;
	}
	return 0;
}

int aws_setup_mark(const struct provider_env *env, const struct target *t, const struct pool_disk *disk, struct err *e)
{
	AUTO(aws_machine) struct aws_machine m = {0};
	AUTO(buf) struct buf b = {0};
	struct aws_fault f;

	if (aws_machine_open(&m, env, t, e) < 0)
		return -1;
	ec2_create_tag(&b, disk->id, AWS_TAG_POOL, disk->guid);
	if (aws_machine_call(&m, "CreateTags", &b, NULL, &f, e) < 0)
		return err_wrap(e, "cannot mark %s with its pool '%s'", disk->id, disk->pool);
	return 0;
}
