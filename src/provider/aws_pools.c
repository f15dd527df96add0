/* The volumes of an aws_ec2 target that pools are on. */
#include "provider/aws_setup.h"

#include "wire/ec2.h"

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
	struct resources found = {0};

	if (aws_machine_open(&m, env, t, e) < 0)
		return -1;
	struct cloud_made_seen seen = {
	    .made = &m.settings->made, .target = t->name, .found = &found, .path_of = path_of};
	if (seen.made->volumes.n > 0 && aws_setup_find_volumes(&m, &found, e) < 0)
		return -1;
	for (size_t i = 0; i < m.settings->volumes.n; i++)
		*vec_add(&seen.given, env->arena) = ((const struct ec2_attach *)m.settings->volumes.v)[i].volume_id;
	return cloud_made_disks(&seen, env->arena, disks, e);
}

static int tag(struct aws_machine *m, const struct pool_disk *disk, const char *name, const char *value, struct err *e)
{
	AUTO(buf) struct buf b = {0};
	struct aws_fault f;

	ec2_create_tag(&b, disk->id, name, value);
	return aws_machine_call(m, "CreateTags", &b, NULL, &f, e);
}

int aws_setup_mark(const struct provider_env *env, const struct target *t, const struct pool_disk *disk, struct err *e)
{
	AUTO(aws_machine) struct aws_machine m = {0};

	if (aws_machine_open(&m, env, t, e) < 0)
		return -1;
	if ((disk->fresh && tag(&m, disk, AWS_TAG_POOL, disk->guid, e) < 0) ||
	    (disk->moved && tag(&m, disk, AWS_TAG_TURN, disk->turn, e) < 0))
		return err_wrap(e, "cannot mark %s with its pool '%s'", disk->id, disk->pool);
	return 0;
}
