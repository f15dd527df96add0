/* aws_ec2 and hcloud: what stands in their blocks, which is more than lazyssh's documentation has.  Their functions
 * are in the program dormouse-cloud (docs/decisions/0012). */
#include "provider/cloud.h"
#include "model/ec2.h"
#include "model/hcloud.h"
#include "plan/advice_plan.h"
#include "plan/cost_plan.h"
#include "plan/image_plan.h"
#include "provider/cloud_made.h"
#include "provider/registry.h"
#include "wire/aws_policy.h"

#define F(struct_, member, kind, ...)                                                                  \
	{                                                                                              \
		.name = #member, .type = kind, .offset = offsetof(struct struct_, member), __VA_ARGS__ \
	}
static const struct field disk_fields[] = {
    F(ec2_disk, device_name, FIELD_STRING, .required = true, .doc = "the disk's device, \"/dev/xvda\""),
    F(ec2_disk, delete_on_termination, FIELD_OPTION, .doc = "whether it goes with the instance"),
    F(ec2_disk, encrypted, FIELD_OPTION, .doc = "whether it is encrypted"),
    F(ec2_disk, kms_key_id, FIELD_STRING, .doc = "with which key"),
    F(ec2_disk, snapshot_id, FIELD_STRING, .doc = "the snapshot that it is made from"),
    F(ec2_disk, volume_size, FIELD_INT, .doc = "its size in GiB"),
    F(ec2_disk, volume_type, FIELD_STRING, .doc = "its type: standard, gp2, gp3, io1, io2, …"),
    F(ec2_disk, iops, FIELD_INT, .doc = "provisioned operations a second, which io1 and io2 need"),
};
static const struct field volume_fields[] = {
    F(ec2_attach, device_name, FIELD_STRING, .required = true, .doc = "the device it becomes, \"/dev/sdf\""),
    F(ec2_attach, volume_id, FIELD_STRING, .required = true, .doc = "the volume, \"vol-…\""),
};
static const struct field made_fields[] = {
    F(made_volume, size, FIELD_SIZE, .required = true, .doc = "how much it holds, \"500GiB\""),
    F(made_volume, type, FIELD_STRING, .fallback = "gp3", .words = "gp2, gp3, io1, io2, sc1, st1, standard",
      .doc = "its type; sc1 is the cheapest, and slow"),
    F(made_volume, iops, FIELD_INT, .doc = "operations a second that are paid for"),
    F(made_volume, throughput, FIELD_INT, .doc = "MiB a second that are paid for"),
    F(made_volume, pool, FIELD_STRING, .doc = "the pool that is made on it, and imported at each start"),
    F(made_volume, kms_key_id, FIELD_STRING, .doc = "with which key it is encrypted; default: the account's own"),
};
static const struct field dataset_fields[] = {
    F(pool_dataset, properties, FIELD_MAP, .doc = "what is set when it is made: { acltype = \"posixacl\" }"),
};
static const struct field_block made_blocks[] = {
    {.name = "dataset",
     .labelled = true,
     .offset = offsetof(struct made_volume, datasets),
     .many = true,
     .fields = dataset_fields,
     .nfields = ARRAY_LEN(dataset_fields),
     .size = sizeof(struct pool_dataset)},
};
static const struct field key_pair_fields[] = {
    F(made_key_pair, public_key, FIELD_STRING, .required = true,
      .doc = "who may log in: a public key, \"ssh-ed25519 AAAA…\""),
};
static const struct field group_fields[] = {
    F(made_firewall, from, FIELD_STRINGS, .required = true,
      .doc = "from where its sshd can be reached: CIDR blocks, \"203.0.113.7/32\""),
};
static const struct field placement_fields[] = {
    F(ec2_placement, availability_zone, FIELD_STRING, .doc = "where it runs; its volumes must be there, too"),
};
static const struct field_block ec2_blocks[] = {
    {.name = "ebs_block_device",
     .offset = offsetof(struct ec2_settings, disks),
     .many = true,
     .fields = disk_fields,
     .nfields = ARRAY_LEN(disk_fields),
     .size = sizeof(struct ec2_disk)},
    {.name = "attach_volume",
     .offset = offsetof(struct ec2_settings, volumes),
     .many = true,
     .fields = volume_fields,
     .nfields = ARRAY_LEN(volume_fields),
     .size = sizeof(struct ec2_attach)},
    {.name = "volume",
     .labelled = true,
     .offset = offsetof(struct ec2_settings, made.volumes),
     .many = true,
     .fields = made_fields,
     .nfields = ARRAY_LEN(made_fields),
     .size = sizeof(struct made_volume),
     .blocks = made_blocks,
     .nblocks = ARRAY_LEN(made_blocks)},
    {.name = "key_pair",
     .offset = offsetof(struct ec2_settings, made.key_pair),
     .fields = key_pair_fields,
     .nfields = ARRAY_LEN(key_pair_fields),
     .size = sizeof(struct made_key_pair)},
    {.name = "security_group",
     .offset = offsetof(struct ec2_settings, made.firewall),
     .fields = group_fields,
     .nfields = ARRAY_LEN(group_fields),
     .size = sizeof(struct made_firewall)},
    {.name = "placement",
     .offset = offsetof(struct ec2_settings, placement),
     .fields = placement_fields,
     .nfields = ARRAY_LEN(placement_fields),
     .size = sizeof(struct ec2_placement)},
};
static const struct field ec2_fields[] = {
    F(ec2_settings, image_id, FIELD_STRING, .doc = "the image to start, \"ami-…\""),
    F(ec2_settings, image, FIELD_STRING,
      .doc = "or its name: \"nixos-25.11\", \"ubuntu-24.04\", \"debian-13\", \"ssm:/…\""),
    F(ec2_settings, instance_type, FIELD_STRING, .required = true, .doc = "the type of instance, \"t4g.small\""),
    F(ec2_settings, key_name, FIELD_STRING, .doc = "the name of the key pair, unless a key_pair block makes one"),
    F(ec2_settings, subnet_id, FIELD_STRING, .doc = "the subnet it is in"),
    F(ec2_settings, user_data, FIELD_STRING, .doc = "what it is given at its start"),
    F(ec2_settings, user_data_format, FIELD_STRING, .fallback = "auto", .words = USER_DATA_FORMATS,
      .doc = "who reads it in the machine, and so how a host key is put in"),
    F(ec2_settings, iam_instance_profile, FIELD_STRING, .doc = "the name of an IAM instance profile"),
    F(ec2_settings, profile, FIELD_STRING, .doc = "the profile of the local AWS configuration"),
    F(ec2_settings, region, FIELD_STRING, .doc = "the region, unless the local AWS configuration says it"),
    F(ec2_settings, instance_types, FIELD_STRINGS,
      .doc = "more types, tried in this order where there is none of the first"),
    F(ec2_settings, bulk_instance_type, FIELD_STRINGS,
      .doc = "types that are tried first for a first copy, a scrub, and a volume that moves"),
    F(ec2_settings, spot, FIELD_BOOL,
      .doc = "first of all at the price that changes; such a machine can be taken away"),
    F(ec2_settings, security_group_ids, FIELD_STRINGS, .doc = "its security groups; default: the network's own"),
    F(ec2_settings, associate_public_ip, FIELD_OPTION,
      .doc = "whether it gets a public address; default: as the subnet has it"),
    F(ec2_settings, address, FIELD_STRING, .fallback = "public", .words = "public, private, ipv6",
      .doc = "at which of its addresses it is reached"),
    F(ec2_settings, tags, FIELD_MAP, .doc = "more tags for it, its disks and its network interface"),
    F(ec2_settings, endpoint, FIELD_STRING, .doc = "the address of another service that speaks as EC2 does"),
};

static const char *ec2_wrong(const void *settings, struct arena *a, const char **hint)
{
	const struct ec2_settings *s = settings;
	const struct ec2_placement *p = s->placement.v;
	struct image_query q;

	*hint = "image_id = \"ami-…\", or image: \"nixos-25.11\", \"ubuntu-24.04\", \"debian-13\", \"ssm:/PARAMETER\"";
	if (s->image_id == NULL && s->image == NULL)
		return "neither 'image_id' nor 'image' is said";
	if (s->image_id != NULL && s->image != NULL)
		return "both 'image_id' and 'image' are said";
	if (s->image != NULL && !image_query(s->image, "", a, &q))
		return arena_printf(a, "'%s' is no image that is known by name", s->image);
	*hint = "EC2 takes no more; it can fetch the rest by itself";
	if (s->user_data != NULL && strlen(s->user_data) > EC2_USER_DATA_MAX)
		return "'user_data' is longer than 16 KiB";
	*hint = "key_name = \"NAME\", or a key_pair block that makes one of a public key";
	if (s->key_name == NULL && s->made.key_pair.n == 0)
		return "'key_name' is not said";
	*hint =
	    "placement { availability_zone = \"REGION-AND-LETTER\" }: a volume is in one zone, and so are its machines";
	if (s->made.volumes.n > 0 && (p == NULL || p->availability_zone == NULL))
		return "it has a volume, and no zone is said";
	return cloud_made_wrong(&s->made, &cloud_made_ec2, a, hint);
}

static const char *ec2_policy(const char *target, const void *settings, struct arena *a)
{
	AUTO(json) json_t *j = aws_policy(target, settings);
	AUTO(buf) struct buf b = {0};

	json_write_indented(&b, j);
	return arena_strdup(a, buf_text(&b));
}

static void ec2_cost(const void *settings, const struct price_list *list, const struct cost_uses *uses, int64_t days,
		     struct arena *a, struct cost_items *out)
{
	cost_ec2(settings, list, uses, days, a, out);
}

static void hcloud_cost(const void *settings, const struct price_list *list, const struct cost_uses *uses, int64_t days,
			struct arena *a, struct cost_items *out)
{
	cost_hcloud(settings, list, uses, days, a, out);
}

static void ec2_advise(const void *settings, struct arena *a, struct advices *out)
{
	advice_ec2(settings, a, out);
}

static void ec2_pools(const void *settings, struct arena *a, struct strings *pools)
{
	cloud_made_pools(&((const struct ec2_settings *)settings)->made, a, pools);
}

/* NixOS' form has no place for a certificate. */
static enum made_key made(enum user_data_format f)
{
	return f == USER_DATA_NONE ? MADE_NONE : f == USER_DATA_NIXOS ? MADE_PLAIN : MADE_SIGNED;
}

enum user_data_format cloud_ec2_format(const struct ec2_settings *s)
{
	if (s->user_data_format == NULL || user_data_sets_keys(s->user_data))
		return USER_DATA_NONE;
	return user_data_format(s->user_data_format, user_data_of_image(s->image), s->user_data);
}

static enum made_key ec2_made(const void *settings)
{
	return made(cloud_ec2_format(settings));
}

/* What has a name is of Hetzner's, and reads it by cloud-init; a number may be anything but NixOS, which reads none
 * there unless cloud-init was put in. */
enum user_data_format cloud_hcloud_format(const struct hcloud_settings *s)
{
	bool named = s->image != NULL && s->image[strspn(s->image, "0123456789")] != '\0';
	const char *word = s->user_data_format;

	if (word == NULL || user_data_sets_keys(s->user_data))
		return USER_DATA_NONE;
	enum user_data_format f = user_data_format(word, named ? USER_DATA_CLOUD_INIT : USER_DATA_NONE, s->user_data);
	return f == USER_DATA_NIXOS && strcmp(word, "auto") == 0 ? USER_DATA_NONE : f;
}

static enum made_key hcloud_made(const void *settings)
{
	return made(cloud_hcloud_format(settings));
}

static const char *hcloud_wrong(const void *settings, struct arena *a, const char **hint)
{
	const struct hcloud_settings *s = settings;

	*hint = "Hetzner Cloud takes no more; the machine can fetch the rest by itself";
	if (s->user_data != NULL && strlen(s->user_data) > HCLOUD_USER_DATA_MAX)
		return "'user_data' is longer than 32 KiB";
	*hint = "ssh_key = \"NAME\", or a key_pair block that makes one of a public key";
	if (s->ssh_key == NULL && s->made.key_pair.n == 0)
		return "'ssh_key' is not said";
	return cloud_made_wrong(&s->made, &cloud_made_hcloud, a, hint);
}

static void hcloud_pools(const void *settings, struct arena *a, struct strings *pools)
{
	cloud_made_pools(&((const struct hcloud_settings *)settings)->made, a, pools);
}

static const struct field hcloud_made_fields[] = {
    F(made_volume, size, FIELD_SIZE, .required = true, .doc = "how much it holds, from 10GiB to 10TiB"),
    F(made_volume, pool, FIELD_STRING, .doc = "the pool that is made on it, and imported at each start"),
};
static const struct field_block hcloud_blocks[] = {
    {.name = "volume",
     .labelled = true,
     .offset = offsetof(struct hcloud_settings, made.volumes),
     .many = true,
     .fields = hcloud_made_fields,
     .nfields = ARRAY_LEN(hcloud_made_fields),
     .size = sizeof(struct made_volume),
     .blocks = made_blocks,
     .nblocks = ARRAY_LEN(made_blocks)},
    {.name = "key_pair",
     .offset = offsetof(struct hcloud_settings, made.key_pair),
     .fields = key_pair_fields,
     .nfields = ARRAY_LEN(key_pair_fields),
     .size = sizeof(struct made_key_pair)},
    {.name = "firewall",
     .offset = offsetof(struct hcloud_settings, made.firewall),
     .fields = group_fields,
     .nfields = ARRAY_LEN(group_fields),
     .size = sizeof(struct made_firewall)},
};
static const struct field hcloud_fields[] = {
    F(hcloud_settings, token, FIELD_STRING, .required = true, .renewed = true, .secret = true, .doc = "the API token"),
    F(hcloud_settings, image, FIELD_STRING, .required = true, .doc = "the image to start"),
    F(hcloud_settings, server_type, FIELD_STRING, .required = true, .doc = "the type of server"),
    F(hcloud_settings, ssh_key, FIELD_STRING, .doc = "the name of the ssh key, unless a key_pair block makes one"),
    F(hcloud_settings, location, FIELD_STRING, .required = true, .doc = "where it runs"),
    F(hcloud_settings, user_data, FIELD_STRING, .doc = "what it is given at its start"),
    F(hcloud_settings, user_data_format, FIELD_STRING, .fallback = "auto", .words = USER_DATA_FORMATS,
      .doc = "who reads it in the machine, and so how a host key is put in"),
    F(hcloud_settings, labels, FIELD_MAP, .doc = "labels for it"),
    F(hcloud_settings, volumes, FIELD_STRINGS, .doc = "numbers of volumes that it gets"),
    F(hcloud_settings, firewalls, FIELD_STRINGS, .doc = "numbers of firewalls that stand before it"),
};

const struct provider_ops provider_aws_ec2 = {
    .kind = {.name = "aws_ec2",
	     .doc = "an EC2 instance",
	     .fields = ec2_fields,
	     .nfields = ARRAY_LEN(ec2_fields),
	     .size = sizeof(struct ec2_settings),
	     .blocks = ec2_blocks,
	     .nblocks = ARRAY_LEN(ec2_blocks),
	     .wrong = ec2_wrong,
	     .policy = ec2_policy,
	     .cost = ec2_cost,
	     .prices = &prices_aws,
	     .advise = ec2_advise,
	     .pools = ec2_pools,
	     .made_key = ec2_made,
	     .gone_off = true},
};

const struct provider_ops provider_hcloud = {
    .kind = {.name = "hcloud",
	     .doc = "a server at Hetzner Cloud",
	     .fields = hcloud_fields,
	     .nfields = ARRAY_LEN(hcloud_fields),
	     .size = sizeof(struct hcloud_settings),
	     .blocks = hcloud_blocks,
	     .nblocks = ARRAY_LEN(hcloud_blocks),
	     .wrong = hcloud_wrong,
	     .cost = hcloud_cost,
	     .prices = &prices_hetzner,
	     .pools = hcloud_pools,
	     .made_key = hcloud_made},
};
