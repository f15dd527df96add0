#include "wire/aws_policy.h"

#define EC2_ARN "arn:aws:ec2:*:*:"
#define MARKED	"aws:ResourceTag/dormouse:target"
#define MARKING "aws:RequestTag/dormouse:target"

/* Words parted by blanks, each behind what goes before all of them. */
static json_t *list(const char *before, const char *words)
{
	json_t *j = json_array();

	for (struct str rest = str_of(words); rest.n > 0;) {
		struct str one = str_cut(&rest, ' ');
		(void)json_array_append_new(j, json_sprintf("%s%.*s", before, (int)one.n, one.p));
	}
	return j;
}

static void allow(json_t *all, const char *service, const char *actions, json_t *resources, const char *key,
		  json_t *values)
{
	json_t *j = json_object();

	(void)json_object_set_new(j, "Effect", json_string("Allow"));
	(void)json_object_set_new(j, "Action", list(service, actions));
	(void)json_object_set_new(j, "Resource", resources);
	if (key != NULL) {
		json_t *equals = json_object(), *condition = json_object();
		(void)json_object_set_new(equals, key, values);
		(void)json_object_set_new(condition, "StringEquals", equals);
		(void)json_object_set_new(j, "Condition", condition);
	}
	(void)json_array_append_new(all, j);
}

static void machines(json_t *all, const char *target, const struct ec2_settings *s)
{
	json_t *given = json_array();

	allow(all, "ec2:", "DescribeInstances DescribeImages DescribeVolumes", list("", "*"), NULL, NULL);
	allow(all, "ec2:", "RunInstances", list(EC2_ARN, "instance/* volume/* network-interface/*"), MARKING,
	      json_any(target));
	allow(all, "ec2:", "RunInstances",
	      list(EC2_ARN, s->spot ? "subnet/* security-group/* key-pair/* spot-instances-request/*"
				    : "subnet/* security-group/* key-pair/*"),
	      NULL, NULL);
	allow(all, "ec2:", "RunInstances", list("arn:aws:ec2:*::", "image/* snapshot/*"), NULL, NULL);
	allow(all, "ec2:", "TerminateInstances AttachVolume DetachVolume", list(EC2_ARN, "instance/*"), MARKED,
	      json_any(target));
	for (size_t i = 0; i < s->volumes.n; i++)
		(void)json_array_append_new(
		    given, json_sprintf(EC2_ARN "volume/%s", ((const struct ec2_attach *)s->volumes.v)[i].volume_id));
	if (s->volumes.n > 0)
		allow(all, "ec2:", "AttachVolume DetachVolume", json_incref(given), NULL, NULL);
	json_decref(given);
	if (s->made.volumes.n > 0)
		allow(all, "ec2:", "AttachVolume DetachVolume", list(EC2_ARN, "volume/*"), MARKED, json_any(target));
	if (s->image != NULL && strncmp(s->image, "ssm:", 4) == 0)
		allow(all, "ssm:", "GetParameter", list("arn:aws:ssm:*:*:parameter", s->image + 4), NULL, NULL);
	/* A profile's role has any name. */
	if (s->iam_instance_profile != NULL)
		allow(all, "iam:", "PassRole", list("", "arn:aws:iam::*:role/*"), "iam:PassedToService",
		      json_string("ec2.amazonaws.com"));
}

static bool pools(const struct ec2_settings *s)
{
	for (size_t i = 0; i < s->made.volumes.n; i++)
		if (((const struct made_volume *)s->made.volumes.v)[i].pool != NULL)
			return true;
	return false;
}

static void resources(json_t *all, const char *target, const struct ec2_settings *s)
{
	allow(all, "ec2:", "DescribeVolumesModifications DescribeKeyPairs DescribeSecurityGroups DescribeSubnets",
	      list("", "*"), NULL, NULL);
	if (s->made.volumes.n > 0) {
		allow(all, "ec2:", "CreateVolume", list(EC2_ARN, "volume/*"), MARKING, json_any(target));
		allow(all, "ec2:", "ModifyVolume DeleteVolume", list(EC2_ARN, "volume/*"), MARKED, json_any(target));
	}
	if (pools(s))
		allow(all, "ec2:", "CreateTags", list(EC2_ARN, "volume/*"), MARKED, json_any(target));
	if (s->made.key_pair.n > 0) {
		json_t *name = json_array();
		(void)json_array_append_new(name, json_sprintf(EC2_ARN "key-pair/dormouse-%s", target));
		allow(all, "ec2:", "ImportKeyPair DeleteKeyPair", name, NULL, NULL);
	}
	if (s->made.firewall.n > 0) {
		allow(all, "ec2:", "CreateSecurityGroup", list(EC2_ARN, "security-group/*"), MARKING, json_any(target));
		allow(all, "ec2:", "CreateSecurityGroup", list(EC2_ARN, "vpc/*"), NULL, NULL);
		allow(all, "ec2:", "AuthorizeSecurityGroupIngress RevokeSecurityGroupIngress DeleteSecurityGroup",
		      list(EC2_ARN, "security-group/*"), MARKED, json_any(target));
	}
}

json_t *aws_policy(const char *target, const struct ec2_settings *s)
{
	json_t *policy = json_object(), *all = json_array();
	bool makes = s->made.volumes.n + s->made.key_pair.n + s->made.firewall.n > 0;

	(void)json_object_set_new(policy, "Version", json_string("2012-10-17"));
	(void)json_object_set_new(policy, "Statement", all);
	machines(all, target, s);
	if (makes)
		resources(all, target, s);
	/* What is marked is marked at its making, and never later. */
	allow(all, "ec2:", "CreateTags",
	      list(EC2_ARN, makes ? "instance/* volume/* network-interface/* key-pair/* security-group/*"
				  : "instance/* volume/* network-interface/*"),
	      "ec2:CreateAction",
	      list("", makes ? "RunInstances CreateVolume ImportKeyPair CreateSecurityGroup" : "RunInstances"));
	return policy;
}
