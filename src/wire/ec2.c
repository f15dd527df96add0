#include "wire/ec2.h"

#include "wire/base64.h"
#include "wire/form.h"

static void action(struct buf *b, const char *name)
{
	form_put(b, "Action", name);
	form_put(b, "Version", "2016-11-15");
}

static void put_option(struct buf *b, enum option o, const char *name, size_t i)
{
	if (o != OPTION_UNSET)
		form_putf(b, o == OPTION_YES ? "true" : "false", name, i);
}

static void put_number(struct buf *b, int64_t value, const char *name, size_t i)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%lld", (long long)value);
	if (value != 0)
		form_putf(b, text, name, i);
}

static void put_tags(struct buf *b, size_t n, const char *of, const struct strings *tags)
{
	form_putf(b, of, "TagSpecification.%zu.ResourceType", n);
	for (size_t i = 0; i + 1 < tags->n; i += 2) {
		form_putf(b, tags->v[i], "TagSpecification.%zu.Tag.%zu.Key", n, i / 2 + 1);
		form_putf(b, tags->v[i + 1], "TagSpecification.%zu.Tag.%zu.Value", n, i / 2 + 1);
	}
}

static void put_disks(struct buf *b, const struct field_items *disks)
{
	for (size_t i = 0; i < disks->n; i++) {
		const struct ec2_disk *d = &((const struct ec2_disk *)disks->v)[i];
#define EBS "BlockDeviceMapping.%zu.Ebs."
		form_putf(b, d->device_name, "BlockDeviceMapping.%zu.DeviceName", i + 1);
		put_option(b, d->delete_on_termination, EBS "DeleteOnTermination", i + 1);
		put_option(b, d->encrypted, EBS "Encrypted", i + 1);
		form_putf(b, d->kms_key_id, EBS "KmsKeyId", i + 1);
		form_putf(b, d->snapshot_id, EBS "SnapshotId", i + 1);
		form_putf(b, d->volume_type, EBS "VolumeType", i + 1);
		put_number(b, d->volume_size, EBS "VolumeSize", i + 1);
		put_number(b, d->iops, EBS "Iops", i + 1);
#undef EBS
	}
}

/* Which addresses it gets can only be said of an interface, and then the rest belongs there, too. */
static void put_network(struct buf *b, const struct ec2_settings *s)
{
#define FIRST "NetworkInterface.1."
	bool v6 = s->address != NULL && strcmp(s->address, "ipv6") == 0;
	bool said = v6 || s->associate_public_ip != OPTION_UNSET;

	form_put(b, said ? FIRST "DeviceIndex" : "SubnetId", said ? "0" : s->subnet_id);
	for (size_t i = 0; i < s->security_group_ids.n; i++)
		form_putf(b, s->security_group_ids.v[i], said ? FIRST "SecurityGroupId.%zu" : "SecurityGroupId.%zu",
			  i + 1);
	if (!said)
		return;
	form_put(b, FIRST "Ipv6AddressCount", v6 ? "1" : NULL);
	if (s->associate_public_ip != OPTION_UNSET)
		form_put(b, FIRST "AssociatePublicIpAddress", s->associate_public_ip == OPTION_YES ? "true" : "false");
	form_put(b, FIRST "DeleteOnTermination", "true");
	form_put(b, FIRST "SubnetId", s->subnet_id);
#undef FIRST
}

void ec2_run_instances(struct buf *b, const struct ec2_launch *l)
{
	const struct ec2_settings *s = l->settings;
	AUTO(buf) struct buf data = {0};
	static const char *const tagged[] = {"instance", "volume", "network-interface"};

	action(b, "RunInstances");
	form_put(b, "MinCount", "1");
	form_put(b, "MaxCount", "1");
	form_put(b, "ImageId", l->image);
	form_put(b, "InstanceType", l->type);
	form_put(b, "KeyName", s->key_name);
	form_put(b, "ClientToken", l->token);
	form_put(b, "Placement.AvailabilityZone", l->zone);
	form_put(b, "IamInstanceProfile.Name", s->iam_instance_profile);
	form_put(b, "InstanceInitiatedShutdownBehavior", "terminate");
	form_put(b, "MetadataOptions.HttpTokens", "required");
	form_put(b, "MetadataOptions.HttpPutResponseHopLimit", "1");
	if (l->spot) {
		form_put(b, "InstanceMarketOptions.MarketType", "spot");
		form_put(b, "InstanceMarketOptions.SpotOptions.SpotInstanceType", "one-time");
		form_put(b, "InstanceMarketOptions.SpotOptions.InstanceInterruptionBehavior", "terminate");
	}
	put_network(b, s);
	put_disks(b, &s->disks);
	if (s->user_data != NULL) {
		base64_put(&data, str_of(s->user_data));
		form_put(b, "UserData", buf_text(&data));
	}
	for (size_t i = 0; i < ARRAY_LEN(tagged); i++)
		put_tags(b, i + 1, tagged[i], &l->tags);
}

/* Values of one name stand under that name. */
static void put_filters(struct buf *b, const struct strings *f)
{
	size_t name = 0, value = 0;

	for (size_t i = 0; i + 1 < f->n; i += 2) {
		if (i == 0 || strcmp(f->v[i], f->v[i - 2]) != 0) {
			form_putf(b, f->v[i], "Filter.%zu.Name", ++name);
			value = 0;
		}
		form_putf(b, f->v[i + 1], "Filter.%zu.Value.%zu", name, ++value);
	}
}

static void describe(struct buf *b, const char *name, const struct strings *filters, const char *next)
{
	action(b, name);
	put_filters(b, filters);
	form_put(b, "NextToken", next);
}

void ec2_describe_instances(struct buf *b, const struct strings *filters, const char *next)
{
	describe(b, "DescribeInstances", filters, next);
}

void ec2_describe_volumes(struct buf *b, const struct strings *filters, const char *next)
{
	describe(b, "DescribeVolumes", filters, next);
}

void ec2_describe_images(struct buf *b, const char *owner, const struct strings *filters)
{
	describe(b, "DescribeImages", filters, NULL);
	form_put(b, "Owner.1", owner);
}

void ec2_terminate_instances(struct buf *b, const char *instance)
{
	action(b, "TerminateInstances");
	form_put(b, "InstanceId.1", instance);
}

static void put_shape(struct buf *b, const struct made_volume *v)
{
	form_put(b, "VolumeType", v->type);
	put_number(b, (int64_t)made_volume_gib(v), "Size", 0);
	put_number(b, v->iops, "Iops", 0);
	put_number(b, v->throughput, "Throughput", 0);
}

void ec2_create_volume(struct buf *b, const struct ec2_new_volume *v)
{
	action(b, "CreateVolume");
	form_put(b, "AvailabilityZone", v->zone);
	put_shape(b, v->as);
	form_put(b, "Encrypted", "true");
	form_put(b, "KmsKeyId", v->as->kms_key_id);
	form_put(b, "ClientToken", v->token);
	put_tags(b, 1, "volume", &v->tags);
}

void ec2_modify_volume(struct buf *b, const char *volume, const struct made_volume *to)
{
	action(b, "ModifyVolume");
	form_put(b, "VolumeId", volume);
	put_shape(b, to);
}

void ec2_describe_modification(struct buf *b, const char *volume)
{
	action(b, "DescribeVolumesModifications");
	form_put(b, "VolumeId.1", volume);
}

void ec2_create_tag(struct buf *b, const char *of, const char *key, const char *value)
{
	action(b, "CreateTags");
	form_put(b, "ResourceId.1", of);
	form_put(b, "Tag.1.Key", key);
	form_put(b, "Tag.1.Value", value);
}

void ec2_delete_volume(struct buf *b, const char *volume)
{
	action(b, "DeleteVolume");
	form_put(b, "VolumeId", volume);
}

void ec2_describe_key_pairs(struct buf *b, const struct strings *filters)
{
	describe(b, "DescribeKeyPairs", filters, NULL);
	form_put(b, "IncludePublicKey", "true");
}

void ec2_import_key_pair(struct buf *b, const char *name, const char *public_key, const struct strings *tags)
{
	AUTO(buf) struct buf key = {0};

	base64_put(&key, str_of(public_key));
	action(b, "ImportKeyPair");
	form_put(b, "KeyName", name);
	form_put(b, "PublicKeyMaterial", buf_text(&key));
	put_tags(b, 1, "key-pair", tags);
}

void ec2_delete_key_pair(struct buf *b, const char *name)
{
	action(b, "DeleteKeyPair");
	form_put(b, "KeyName", name);
}

void ec2_describe_security_groups(struct buf *b, const struct strings *filters, const char *next)
{
	describe(b, "DescribeSecurityGroups", filters, next);
}

void ec2_describe_subnet(struct buf *b, const char *subnet)
{
	action(b, "DescribeSubnets");
	form_put(b, "SubnetId.1", subnet);
}

void ec2_create_security_group(struct buf *b, const char *name, const char *vpc, const struct strings *tags)
{
	action(b, "CreateSecurityGroup");
	form_put(b, "GroupName", name);
	form_put(b, "GroupDescription", "who may reach a machine of dormouse by ssh");
	form_put(b, "VpcId", vpc);
	put_tags(b, 1, "security-group", tags);
}

void ec2_ingress(struct buf *b, bool allow, const char *group, int64_t port, const char *from)
{
#define RULE "IpPermissions.1."
	action(b, allow ? "AuthorizeSecurityGroupIngress" : "RevokeSecurityGroupIngress");
	form_put(b, "GroupId", group);
	form_put(b, RULE "IpProtocol", "tcp");
	put_number(b, port, RULE "FromPort", 0);
	put_number(b, port, RULE "ToPort", 0);
	form_put(b, strchr(from, ':') == NULL ? RULE "IpRanges.1.CidrIp" : RULE "Ipv6Ranges.1.CidrIpv6", from);
#undef RULE
}

void ec2_delete_security_group(struct buf *b, const char *group)
{
	action(b, "DeleteSecurityGroup");
	form_put(b, "GroupId", group);
}

static void put_attachment(struct buf *b, const char *volume, const char *instance)
{
	form_put(b, "VolumeId", volume);
	form_put(b, "InstanceId", instance);
}

void ec2_attach_volume(struct buf *b, const char *volume, const char *instance, const char *device)
{
	action(b, "AttachVolume");
	put_attachment(b, volume, instance);
	form_put(b, "Device", device);
}

void ec2_detach_volume(struct buf *b, const char *volume, const char *instance)
{
	action(b, "DetachVolume");
	put_attachment(b, volume, instance);
}
