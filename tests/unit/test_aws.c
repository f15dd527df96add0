/* What is said to AWS, and what AWS says. */
#include "check.h"

#include "drivers/http_curl.h"
#include "drivers/sha256.h"
#include "plan/attach_plan.h"
#include "plan/image_plan.h"
#include "wire/aws_fault.h"
#include "wire/aws_ini.h"
#include "wire/aws_keys.h"
#include "wire/aws_price.h"
#include "wire/base64.h"
#include "wire/ec2.h"
#include "wire/sigv4.h"
#include "wire/xml.h"

/* Whose keys, when and for what: of AWS's published "Signature Version 4 test suite". */
static const struct sigv4_key suite_key = {"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", NULL, "us-east-1",
					   "service"};
enum { SUITE_AT = 1440938160 };

static const struct vector {
	const char *name, *method, *path;
	struct http_header header; /* beside host and x-amz-date */
	const char *body, *names, *signature;
} vectors[] = {
    {"get-vanilla",
     "GET",
     "/",
     {0},
     "",
     "host;x-amz-date",
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"post-vanilla",
     "POST",
     "/",
     {0},
     "",
     "host;x-amz-date",
     "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
    {"post-x-www-form-urlencoded",
     "POST",
     "/",
     {"content-type", "application/x-www-form-urlencoded"},
     "Param1=value1",
     "content-type;host;x-amz-date",
     "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
};

static void signatures(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		const struct vector *v = &vectors[i];
		AUTO(arena) struct arena a = {0};
		struct sigv4_request r = {.method = v->method, .path = v->path, .body = str_of(v->body)};
		*vec_add(&r.headers, &a) = (struct http_header){"host", "example.amazonaws.com"};
		if (v->header.name != NULL)
			*vec_add(&r.headers, &a) = v->header;
		sigv4_sign(&r, &suite_key, SUITE_AT, sha256, &a);
		struct http_header last = r.headers.v[r.headers.n - 1];
		assert_string_equal(last.name, "authorization");
		assert_string_equal(last.value,
				    arena_printf(&a,
						 "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/"
						 "aws4_request, SignedHeaders=%s, Signature=%s",
						 v->names, v->signature));
	}
}

/* --- texts ------------------------------------------------------------------------------------------------ */

/* RFC 4648, 10. */
static void base64(void **state)
{
	static const char *const pairs[][2] = {{"", ""},
					       {"f", "Zg=="},
					       {"fo", "Zm8="},
					       {"foo", "Zm9v"},
					       {"foob", "Zm9vYg=="},
					       {"fooba", "Zm9vYmE="},
					       {"foobar", "Zm9vYmFy"},
					       {"\xff\xfe", "//4="}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		AUTO(buf) struct buf b = {0};
		base64_put(&b, str_of(pairs[i][0]));
		assert_string_equal(buf_text(&b), pairs[i][1]);
	}
}

static void trees(void **state)
{
	static const char *const bad[] = {
	    "",		 "x", "<a>", "<a></b>", "<a/><b/>", "<a>\xff</a>", "<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>",
	    "<a>&y;</a>"};
	AUTO(arena) struct arena a = {0};
	AUTO(buf) struct buf deep = {0};
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_null(xml_parse(str_of(bad[i]), "it", &a, &e));
		assert_int_equal(e.kind, ERR_CORRUPT);
	}
	for (int i = 0; i < 40; i++)
		buf_puts(&deep, "<a>");
	for (int i = 0; i < 40; i++)
		buf_puts(&deep, "</a>");
	assert_null(xml_parse(buf_str(&deep), "it", &a, &e));
	const struct xml *x =
	    xml_parse(str_of("<?xml version=\"1.0\"?>\n<r xmlns=\"u\"><!-- c --><a>1 &lt; 2\n</a><b><c/><a>x</a></b>"
			     "<s><item>1</item><item>2</item></s><b><d>no</d></b></r>"),
		      "it", &a, &e);
	assert_non_null(x);
	assert_string_equal(x->name, "r");
	assert_string_equal(xml_text(x, "a"), "1 < 2");
	assert_string_equal(xml_text(x, "b/a"), "x");
	assert_null(xml_text(x, "b/c"));
	assert_null(xml_text(x, "b/d"));
	assert_null(xml_text(x, "nothing/at/all"));
	assert_null(xml_text(NULL, "a"));
	assert_string_equal(xml_items(x, "s")->next->text, "2");
	assert_null(xml_items(x, "none"));
}

/* --- requests --------------------------------------------------------------------------------------------- */

/* Is the pair there, as it is sent? */
static void has(const struct buf *b, const char *pair)
{
	AUTO(arena) struct arena a = {0};
	const char *all = arena_printf(&a, "&%s&", buf_text(b));

	if (strstr(all, arena_printf(&a, "&%s&", pair)) == NULL)
		fail_msg("%s is not in %s", pair, all);
}
static void has_not(const struct buf *b, const char *name)
{
	if (strstr(buf_text(b), name) != NULL)
		fail_msg("%s is in %s", name, buf_text(b));
}

static void launch(void **state)
{
	AUTO(arena) struct arena a = {0};
	AUTO(buf) struct buf b = {0};
	struct ec2_disk disks[] = {
	    {.device_name = "/dev/xvda", .volume_size = 8, .volume_type = "gp3", .delete_on_termination = OPTION_YES},
	    {.device_name = "/dev/sdf", .encrypted = OPTION_NO}};
	struct ec2_settings s = {.key_name = "me & you",
				 .subnet_id = "subnet-1",
				 .user_data = "#!/bin/sh\n",
				 .iam_instance_profile = "role",
				 .disks = {disks, ARRAY_LEN(disks)}};
	struct ec2_launch l = {
	    .settings = &s, .image = "ami-1", .type = "t4g.nano", .zone = "us-east-1a", .token = "0123"};

	(void)state;
	*vec_add(&s.security_group_ids, &a) = "sg-1";
	*vec_add(&l.tags, &a) = "dormouse:target";
	*vec_add(&l.tags, &a) = "ä b";
	ec2_run_instances(&b, &l);
	static const char *const pairs[] = {"Action=RunInstances",
					    "Version=2016-11-15",
					    "MinCount=1",
					    "MaxCount=1",
					    "ImageId=ami-1",
					    "InstanceType=t4g.nano",
					    "KeyName=me%20%26%20you",
					    "ClientToken=0123",
					    "Placement.AvailabilityZone=us-east-1a",
					    "IamInstanceProfile.Name=role",
					    "InstanceInitiatedShutdownBehavior=terminate",
					    "MetadataOptions.HttpTokens=required",
					    "MetadataOptions.HttpPutResponseHopLimit=1",
					    "SubnetId=subnet-1",
					    "SecurityGroupId.1=sg-1",
					    "UserData=IyEvYmluL3NoCg%3D%3D",
					    "BlockDeviceMapping.1.DeviceName=%2Fdev%2Fxvda",
					    "BlockDeviceMapping.1.Ebs.VolumeSize=8",
					    "BlockDeviceMapping.1.Ebs.VolumeType=gp3",
					    "BlockDeviceMapping.1.Ebs.DeleteOnTermination=true",
					    "BlockDeviceMapping.2.DeviceName=%2Fdev%2Fsdf",
					    "BlockDeviceMapping.2.Ebs.Encrypted=false",
					    "TagSpecification.1.ResourceType=instance",
					    "TagSpecification.1.Tag.1.Key=dormouse%3Atarget",
					    "TagSpecification.1.Tag.1.Value=%C3%A4%20b",
					    "TagSpecification.2.ResourceType=volume",
					    "TagSpecification.3.ResourceType=network-interface"};
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
		has(&b, pairs[i]);
	has_not(&b, "NetworkInterface.1");
	has_not(&b, "InstanceMarketOptions");
	has_not(&b, "BlockDeviceMapping.2.Ebs.VolumeSize");
	/* Of an interface, subnet and groups stand with it. */
	buf_clear(&b);
	s.associate_public_ip = OPTION_YES;
	l.spot = true;
	ec2_run_instances(&b, &l);
	has(&b, "NetworkInterface.1.DeviceIndex=0");
	has(&b, "NetworkInterface.1.AssociatePublicIpAddress=true");
	has(&b, "NetworkInterface.1.SubnetId=subnet-1");
	has(&b, "NetworkInterface.1.SecurityGroupId.1=sg-1");
	has(&b, "InstanceMarketOptions.MarketType=spot");
	has_not(&b, "&SubnetId");
	has_not(&b, "&SecurityGroupId");
	has_not(&b, "Ipv6");
	s.address = "ipv6";
	ec2_run_instances(&b, &l);
	has(&b, "NetworkInterface.1.Ipv6AddressCount=1");
	buf_clear(&b);
	s.associate_public_ip = OPTION_UNSET;
	ec2_run_instances(&b, &l);
	has(&b, "NetworkInterface.1.Ipv6AddressCount=1");
	has_not(&b, "AssociatePublicIpAddress");
}

static void requests(void **state)
{
	AUTO(arena) struct arena a = {0};
	AUTO(buf) struct buf b = {0};
	struct strings filters = {0};
	static const char *const words[] = {"tag:a",  "1", "instance-state-name", "pending", "instance-state-name",
					    "running"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		*vec_add(&filters, &a) = words[i];
	ec2_describe_instances(&b, &filters, "more");
	assert_string_equal(buf_text(&b),
			    "Action=DescribeInstances&Version=2016-11-15&Filter.1.Name=tag%3Aa&Filter.1.Value.1=1&"
			    "Filter.2.Name=instance-state-name&Filter.2.Value.1=pending&Filter.2.Value.2=running&"
			    "NextToken=more");
	buf_clear(&b);
	ec2_attach_volume(&b, "vol-1", "i-1", "/dev/sdf");
	assert_string_equal(buf_text(&b),
			    "Action=AttachVolume&Version=2016-11-15&VolumeId=vol-1&InstanceId=i-1&Device=%2Fdev%2Fsdf");
	buf_clear(&b);
	ec2_detach_volume(&b, "vol-1", NULL);
	assert_string_equal(buf_text(&b), "Action=DetachVolume&Version=2016-11-15&VolumeId=vol-1");
	buf_clear(&b);
	ec2_terminate_instances(&b, "i-1");
	assert_string_equal(buf_text(&b), "Action=TerminateInstances&Version=2016-11-15&InstanceId.1=i-1");
	buf_clear(&b);
	struct made_volume cold = {.name = "cold", .type = "sc1", .size = (500ULL << 30) - 1};
	ec2_create_volume(&b, &(struct ec2_new_volume){.zone = "us-east-1a", .token = "t", .as = &cold});
	has(&b, "VolumeType=sc1&Size=500&Encrypted=true&ClientToken=t");
	buf_clear(&b);
	ec2_ingress(&b, false, "sg-1", 22, "2001:db8::/32");
	has(&b, "Action=RevokeSecurityGroupIngress");
	has(&b, "IpPermissions.1.FromPort=22&IpPermissions.1.ToPort=22&"
		"IpPermissions.1.Ipv6Ranges.1.CidrIpv6=2001%3Adb8%3A%3A%2F32");
	buf_clear(&b);
	filters.n = 2;
	ec2_describe_images(&b, "427812963091", &filters);
	has(&b, "Owner.1=427812963091");
	buf_clear(&b);
	sts_assume_role(&b, &(struct aws_role){.arn = "arn:aws:iam::1:role/x", .session_name = "s", .duration_s = 900});
	assert_string_equal(buf_text(&b),
			    "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fx&"
			    "RoleSessionName=s&DurationSeconds=900");
	buf_clear(&b);
	sts_assume_role_by_token(&b, &(struct aws_role){.arn = "arn:x", .session_name = "s"}, "a.b+c");
	assert_string_equal(buf_text(&b), "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Ax&"
					  "RoleSessionName=s&WebIdentityToken=a.b%2Bc");
	buf_clear(&b);
	ssm_get_parameter(&b, "/a/\"b\"");
	assert_string_equal(buf_text(&b), "{\"Name\":\"/a/\\\"b\\\"\"}");
}

/* --- answers ---------------------------------------------------------------------------------------------- */

#define NS " xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\""
#define ITEM                                                                                                       \
	"<item><instanceId>i-0a</instanceId><imageId>ami-1</imageId><instanceState><code>16</code><name>running</" \
	"name>"                                                                                                    \
	"</instanceState><somethingNew><item><instanceId>i-ff</instanceId></item></"                               \
	"somethingNew><privateIpAddress>10.0.0.5"                                                                  \
	"</privateIpAddress><ipAddress>203.0.113.7</ipAddress><placement><availabilityZone>us-west-2d</"           \
	"availabilityZone>"                                                                                        \
	"<tenancy>default</tenancy></placement><tagSet><item><key>dormouse:token</key><value>0123</value></"       \
	"item><item><key>"                                                                                         \
	"empty</key><value/></item></tagSet><instanceType>t4g.nano</instanceType></item>"

static void instances(void **state)
{
	AUTO(arena) struct arena a = {0};
	struct ec2_instances v = {0};
	struct ec2_instance one;
	const char *next;
	struct err e;

	(void)state;
	assert_int_equal(
	    ec2_launched_read(str_of("<RunInstancesResponse" NS "><requestId>x</requestId><instancesSet>" ITEM
				     "</instancesSet></RunInstancesResponse>"),
			      &a, &one, &e),
	    0);
	assert_string_equal(one.id, "i-0a");
	assert_int_equal(
	    ec2_instances_read(
		str_of("<DescribeInstancesResponse" NS "><requestId>x</requestId><reservationSet><item><reservationId>"
		       "r-1</reservationId><instancesSet>" ITEM "</instancesSet></item><item><instancesSet><item>"
		       "<instanceId>i-0b</instanceId><instanceState><name>shutting-down</name></instanceState>"
		       "<ipAddress/><stateReason><code>Server.InsufficientInstanceCapacity</code><message>no</message>"
		       "</stateReason><networkInterfaceSet><item><ipv6AddressesSet><item><ipv6Address>2001:db8::1"
		       "</ipv6Address></item></ipv6AddressesSet></item></networkInterfaceSet></item></instancesSet>"
		       "</item></reservationSet><nextToken>n</nextToken></DescribeInstancesResponse>"),
		&a, &v, &next, &e),
	    0);
	assert_int_equal(v.n, 2);
	assert_string_equal(next, "n");
	assert_int_equal(v.v[0].state, EC2_RUNNING);
	assert_string_equal(v.v[0].public_ip, "203.0.113.7");
	assert_string_equal(v.v[0].private_ip, "10.0.0.5");
	assert_string_equal(v.v[0].zone, "us-west-2d");
	assert_string_equal(v.v[0].type, "t4g.nano");
	assert_string_equal(strings_pair(&v.v[0].tags, "dormouse:token"), "0123");
	assert_string_equal(strings_pair(&v.v[0].tags, "empty"), "");
	assert_null(strings_pair(&v.v[0].tags, "none"));
	assert_int_equal(v.v[1].state, EC2_SHUTTING_DOWN);
	assert_null(v.v[1].public_ip);
	assert_string_equal(v.v[1].ipv6, "2001:db8::1");
	assert_string_equal(v.v[1].reason_code, "Server.InsufficientInstanceCapacity");
	/* None; and what is no answer at all. */
	v.n = 0;
	assert_int_equal(
	    ec2_instances_read(str_of("<DescribeInstancesResponse><reservationSet/></DescribeInstancesResponse>"), &a,
			       &v, &next, &e),
	    0);
	assert_int_equal(v.n, 0);
	static const char *const bad[] = {
	    "", "<html/>", "<DescribeVolumesResponse/>",
	    ("<DescribeInstancesResponse><reservationSet><item><instancesSet><item/></instancesSet>"
	     "</item></reservationSet></DescribeInstancesResponse>")};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(ec2_instances_read(str_of(bad[i]), &a, &v, &next, &e), -1);
}

static void volumes(void **state)
{
	AUTO(arena) struct arena a = {0};
	struct ec2_volumes v = {0};
	const char *next;
	struct err e;

	(void)state;
	assert_int_equal(
	    ec2_volumes_read(str_of("<DescribeVolumesResponse" NS
				    "><volumeSet><item><attachmentSet><item><status>detached</status><instanceId>"
				    "i-old</instanceId></item><item><device>/dev/sdf</device><instanceId>i-0a</"
				    "instanceId><status>busy</status>"
				    "</item></attachmentSet><availabilityZone>us-east-1a</availabilityZone><size>125</"
				    "size><status>in-use"
				    "</status><volumeId>vol-1</volumeId></item><item><volumeId>vol-2</"
				    "volumeId><status>available</status>"
				    "<attachmentSet/></item></volumeSet></DescribeVolumesResponse>"),
			     &a, &v, &next, &e),
	    0);
	assert_int_equal(v.n, 2);
	assert_int_equal(v.v[0].state, VOLUME_IN_USE);
	assert_int_equal(v.v[0].attachment, ATTACHMENT_DETACHING);
	assert_string_equal(v.v[0].instance, "i-0a");
	assert_int_equal(v.v[0].size_gib, 125);
	assert_int_equal(v.v[1].state, VOLUME_AVAILABLE);
	assert_int_equal(v.v[1].attachment, ATTACHMENT_NONE);
	assert_null(next);
	assert_int_equal(
	    ec2_volumes_read(str_of("<DescribeVolumesResponse><volumeSet><item><volumeId>v</volumeId><size>-1</size>"
				    "</item></volumeSet></DescribeVolumesResponse>"),
			     &a, &v, &next, &e),
	    -1);
	struct ec2_volume one;
	assert_int_equal(
	    ec2_volume_read(str_of("<CreateVolumeResponse><volumeId>vol-3</volumeId><status>creating</status>"
				   "</CreateVolumeResponse>"),
			    &a, &one, &e),
	    0);
	assert_int_equal(one.state, VOLUME_CREATING);
	struct ec2_images images = {0};
	assert_int_equal(
	    ec2_images_read(str_of("<DescribeImagesResponse><imagesSet><item><imageId>ami-1</imageId><imageOwnerId>1"
				   "</imageOwnerId><rootDeviceName>/dev/xvda</rootDeviceName></item></imagesSet>"
				   "</DescribeImagesResponse>"),
			    &a, &images, &e),
	    0);
	assert_string_equal(images.v[0].root_device, "/dev/xvda");
}

static void keys(void **state)
{
	AUTO(arena) struct arena a = {0};
	struct aws_keys k;
	const char *account, *arn, *value;
	struct err e;

	(void)state;
	assert_int_equal(
	    sts_keys_read(
		str_of(
		    "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>"
		    "<Credentials><AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t"
		    "</SessionToken><Expiration>2026-11-25T20:00:00.000Z</Expiration></Credentials>"
		    "</AssumeRoleResult></AssumeRoleResponse>"),
		&a, &k, &e),
	    0);
	assert_string_equal(k.session, "t");
	assert_int_equal(k.expires_at, 1795636800);
	assert_int_equal(
	    sts_identity_read(str_of("<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:x</Arn><UserId>u"
				     "</UserId><Account>1</Account></GetCallerIdentityResult>"
				     "</GetCallerIdentityResponse>"),
			      &a, &account, &arn, &e),
	    0);
	assert_string_equal(arn, "arn:x");
	assert_int_equal(
	    aws_keys_read(str_of("{\"Version\":1,\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"S\"}"), &a, &k, &e), 0);
	assert_int_equal(k.expires_at, 0);
	assert_null(k.session);
	assert_int_equal(
	    aws_keys_read(
		str_of("{\"Code\":\"Success\",\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"S\",\"Token\":\"T\","
		       "\"Expiration\":\"2026-11-25T20:00:00+00:00\"}"),
		&a, &k, &e),
	    0);
	assert_string_equal(k.session, "T");
	assert_int_equal(k.expires_at, 1795636800);
	/* What is wrong with them is told without them. */
	static const char *const bad[] = {
	    "{\"AccessKeyId\":\"hidden\" \"hidden\"}", "[\"hidden\"]", "{\"SecretAccessKey\":\"hidden\"}",
	    "{\"AccessKeyId\":\"hidden\",\"SecretAccessKey\":\"hidden\",\"Expiration\":\"hidden\"}"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(aws_keys_read(str_of(bad[i]), &a, &k, &e), -1);
		assert_null(strstr(e.what, "hidden"));
		assert_null(strstr(e.why, "hidden"));
	}
	assert_int_equal(
	    ssm_parameter_read(str_of("{\"Parameter\":{\"Value\":\"ami-7\",\"Version\":3}}"), &a, &value, &e), 0);
	assert_string_equal(value, "ami-7");
	assert_int_equal(ssm_parameter_read(str_of("{}"), &a, &value, &e), -1);
}

static void faults(void **state)
{
#define EC2_FAULT(code, text)                                                                 \
	"<?xml version=\"1.0\"?><Response><Errors><Error><Code>" code "</Code><Message>" text \
	"</Message></Error></Errors><RequestID>r</RequestID></Response>"
	static const struct {
		int status;
		const char *body, *code;
		enum aws_class class;
		enum err_kind kind;
		enum err_retry retry;
		const char *hint; /* part of it */
	} rows[] = {
	    {503, EC2_FAULT("RequestLimitExceeded", "x"), "RequestLimitExceeded", AWS_AGAIN, ERR_BUSY, RETRY_LATER,
	     "again later"},
	    {400,
	     "<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code><Message>Rate "
	     "exceeded</Message></Error></ErrorResponse>",
	     "Throttling", AWS_AGAIN, ERR_BUSY, RETRY_LATER, "again later"},
	    {500, EC2_FAULT("InsufficientInstanceCapacity", "x"), "InsufficientInstanceCapacity", AWS_NO_ROOM, ERR_BUSY,
	     RETRY_LATER, "instance_types"},
	    {400, EC2_FAULT("VcpuLimitExceeded", "x"), "VcpuLimitExceeded", AWS_OTHER, ERR_FULL, RETRY_NEVER,
	     "Service Quotas"},
	    {400, EC2_FAULT("InvalidVolume.ZoneMismatch", "x"), "InvalidVolume.ZoneMismatch", AWS_OTHER, ERR_CONFIG,
	     RETRY_NEVER, "availability_zone"},
	    {400, EC2_FAULT("InvalidAMIID.Unavailable", "x"), "InvalidAMIID.Unavailable", AWS_OTHER, ERR_CONFIG,
	     RETRY_NEVER, "image_id"},
	    {403, EC2_FAULT("UnauthorizedOperation", "x"), "UnauthorizedOperation", AWS_OTHER, ERR_DENIED, RETRY_NEVER,
	     "allow ec2:X"},
	    {403,
	     "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>It does "
	     "not.\nhidden</Message></Error></ErrorResponse>",
	     "SignatureDoesNotMatch", AWS_CLOCK, ERR_DENIED, RETRY_NEVER, "get-caller-identity"},
	    {403,
	     EC2_FAULT("UnauthorizedOperation",
		       "User: arn:aws:iam::1:user/x is not authorized to perform: ec2:CreateTags on resource: y"),
	     "UnauthorizedOperation", AWS_OTHER, ERR_DENIED, RETRY_NEVER, "must allow ec2:CreateTags"},
	    {401, EC2_FAULT("AuthFailure", "x"), "AuthFailure", AWS_CLOCK, ERR_DENIED, RETRY_NEVER,
	     "get-caller-identity"},
	    {400, EC2_FAULT("ExpiredToken", "x"), "ExpiredToken", AWS_EXPIRED, ERR_DENIED, RETRY_NEVER, "new ones"},
	    {400, EC2_FAULT("InvalidParameterValue", "Attachment point /dev/sdf is already in use"),
	     "InvalidParameterValue", AWS_NAME_TAKEN, ERR_CONFIG, RETRY_NEVER, "device_name"},
	    {400, EC2_FAULT("InvalidParameterValue", "else"), "InvalidParameterValue", AWS_OTHER, ERR_CONFIG,
	     RETRY_NEVER, "a setting"},
	    {400, "{\"__type\":\"com.amazonaws.ssm#ParameterNotFound\",\"message\":\"m\"}", "ParameterNotFound",
	     AWS_OTHER, ERR_CONFIG, RETRY_NEVER, "region"},
	    {502, "<html><body>Bad Gateway</body></html>", "HTTP status 502", AWS_AGAIN, ERR_NET, RETRY_LATER,
	     "again later"},
	    {404, "", "HTTP status 404", AWS_OTHER, ERR_SYSTEM, RETRY_NEVER, ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(arena) struct arena a = {0};
		struct aws_fault f;
		struct err e;
		aws_fault_read(rows[i].status, str_of(rows[i].body), &a, &f);
		assert_string_equal(f.code, rows[i].code);
		assert_int_equal(f.class, rows[i].class);
		assert_int_equal(aws_fault_err(&f, "ec2:X", &e), -1);
		assert_int_equal(e.kind, rows[i].kind);
		assert_int_equal(e.retry, rows[i].retry);
		assert_non_null(strstr(e.what, f.code));
		assert_non_null(strstr(e.hint, rows[i].hint));
		assert_string_equal(e.why, f.message);
		assert_null(strstr(e.why, "hidden"));
	}
}

/* --- files ------------------------------------------------------------------------------------------------ */

static void files(void **state)
{
	static const char text[] = "# mine\n"
				   "[default]\n"
				   "region=us-east-1\n"
				   "aws_access_key_id = A = B ; C\n"
				   "[profile  two ]\r\n"
				   "  region = eu-central-1\r\n"
				   "  s3 =\n"
				   "    addressing_style = path\n"
				   "  services = local\n"
				   "[profile \"with blank\"]\n"
				   "[services local]\n"
				   "ec2 =\n"
				   "\tendpoint_url = http://localhost:1\n"
				   "[default]\n"
				   "region = us-west-2\n";
	static const char *const bad[] = {"region = x\n",	   "[default\n", "[a b c]\n", "[]\n",
					  "[default]\nnonsense\n", "[\"a]\n"};
	AUTO(arena) struct arena a = {0};
	struct aws_entries v = {0};
	struct err e;

	(void)state;
	assert_int_equal(aws_ini_read(str_of(text), "f", &a, &v, &e), 0);
	assert_string_equal(aws_ini_get(&v, "", "default", "region"), "us-west-2");
	assert_string_equal(aws_ini_get(&v, "", "default", "aws_access_key_id"), "A = B ; C");
	assert_string_equal(aws_ini_get(&v, "profile", "two", "region"), "eu-central-1");
	assert_string_equal(aws_ini_get(&v, "profile", "two", "s3/addressing_style"), "path");
	assert_string_equal(aws_ini_get(&v, "profile", "two", "services"), "local");
	assert_string_equal(aws_ini_get(&v, "services", "local", "ec2/endpoint_url"), "http://localhost:1");
	assert_string_equal(aws_ini_get(&v, "profile", "with blank", NULL), "");
	assert_null(aws_ini_get(&v, "profile", "three", NULL));
	assert_null(aws_ini_get(&v, "", "two", "region"));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(aws_ini_read(str_of(bad[i]), "f", &a, &v, &e), -1);
		assert_int_equal(e.kind, ERR_CONFIG);
		assert_null(strstr(e.what, "nonsense"));
	}
}

static void words(void **state)
{
	AUTO(arena) struct arena a = {0};
	struct strings w = {0};

	(void)state;
	assert_true(aws_words(" /bin/x  --a 'b c' \"d \\\" e\"f\\ g '' $HOME ", &a, &w));
	static const char *const want[] = {"/bin/x", "--a", "b c", "d \" ef g", "", "$HOME"};
	assert_int_equal(w.n, ARRAY_LEN(want));
	for (size_t i = 0; i < w.n; i++)
		assert_string_equal(w.v[i], want[i]);
	assert_false(aws_words("a 'b", &a, &w));
	w.n = 0;
	assert_false(aws_words("  ", &a, &w));
}

static void addresses(void **state)
{
	static const char *const good[] = {"https://ec2.us-west-2.amazonaws.com", "http://localhost:80/x",
					   "http://127.0.0.1", "http://[::1]:8000"};
	static const char *const bad[] = {"http://ec2.amazonaws.com",	  "ftp://localhost",
					  "http://127.0.0.1.example.org", "http://localhost@example.org/",
					  "http://[::1]@example.org",	  "http://localhost.example.org",
					  "file:///etc/passwd",		  ""};
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_int_equal(http_check_url(good[i], &e), 0);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(http_check_url(bad[i], &e), -1);
}

/* --- volumes on their way --------------------------------------------------------------------------------- */

static void attaching(void **state)
{
	static const struct {
		enum ec2_volume_state state;
		enum ec2_attachment attachment;
		char whose;	       /* m: the machine's, o: another one's, -: nobody's */
		enum ec2_state holder; /* of the other one; TERMINATED: it is not to be seen */
		int64_t attaching_s;
		bool let_go;
		enum attach_step want;
	} rows[] = {
	    {VOLUME_AVAILABLE, ATTACHMENT_NONE, '-', 0, 0, false, ATTACH_ASK},
	    {VOLUME_AVAILABLE, ATTACHMENT_NONE, '-', 0, 0, true, ATTACH_ASK},
	    {VOLUME_CREATING, ATTACHMENT_NONE, '-', 0, 0, false, ATTACH_WAIT},
	    {VOLUME_IN_USE, ATTACHMENT_NONE, '-', 0, 0, false, ATTACH_WAIT},
	    {VOLUME_UNKNOWN, ATTACHMENT_NONE, '-', 0, 0, false, ATTACH_WAIT},
	    {VOLUME_ERROR, ATTACHMENT_NONE, '-', 0, 0, false, ATTACH_BROKEN},
	    {VOLUME_GOING, ATTACHMENT_NONE, '-', 0, 0, false, ATTACH_BROKEN},
	    {VOLUME_IN_USE, ATTACHMENT_ATTACHED, 'm', 0, 0, false, ATTACH_DONE},
	    {VOLUME_IN_USE, ATTACHMENT_ATTACHED, 'm', 0, 0, true, ATTACH_WAIT},
	    {VOLUME_IN_USE, ATTACHMENT_ATTACHING, 'm', 0, 90, false, ATTACH_WAIT},
	    {VOLUME_IN_USE, ATTACHMENT_ATTACHING, 'm', 0, 91, false, ATTACH_RESTART},
	    {VOLUME_IN_USE, ATTACHMENT_ATTACHING, 'm', 0, 91, true, ATTACH_WAIT},
	    {VOLUME_IN_USE, ATTACHMENT_DETACHING, 'm', 0, 0, false, ATTACH_WAIT},
	    {VOLUME_IN_USE, ATTACHMENT_DETACHING, 'o', EC2_RUNNING, 0, false, ATTACH_WAIT},
	    {VOLUME_IN_USE, ATTACHMENT_ATTACHED, 'o', EC2_SHUTTING_DOWN, 0, false, ATTACH_WAIT},
	    {VOLUME_IN_USE, ATTACHMENT_ATTACHED, 'o', EC2_TERMINATED, 0, false, ATTACH_WAIT},
	    {VOLUME_IN_USE, ATTACHMENT_ATTACHED, 'o', EC2_RUNNING, 0, false, ATTACH_IN_USE},
	    {VOLUME_IN_USE, ATTACHMENT_ATTACHED, 'o', EC2_STOPPED, 0, false, ATTACH_IN_USE},
	    {VOLUME_IN_USE, ATTACHMENT_ATTACHED, 'o', EC2_STOPPING, 0, false, ATTACH_IN_USE},
	    {VOLUME_IN_USE, ATTACHMENT_ATTACHING, 'o', EC2_PENDING, 0, false, ATTACH_IN_USE},
	    {VOLUME_IN_USE, ATTACHMENT_ATTACHED, 'o', EC2_UNKNOWN, 0, false, ATTACH_IN_USE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ec2_volume v = {.state = rows[i].state,
				       .attachment = rows[i].attachment,
				       .instance = rows[i].whose == 'm'	  ? "i-m"
						   : rows[i].whose == 'o' ? "i-o"
									  : NULL};
		struct ec2_instance holder = {.id = "i-o", .state = rows[i].holder};
		struct attach_seen seen = {
		    .volume = &v,
		    .instance = "i-m",
		    .holder = rows[i].whose == 'o' && rows[i].holder != EC2_TERMINATED ? &holder : NULL,
		    .attaching_ms = rows[i].attaching_s * 1000,
		    .let_go = rows[i].let_go,
		};
		if (attach_next(&seen) != rows[i].want)
			fail_msg("row %zu: %d", i, (int)attach_next(&seen));
	}
}

/* --- images ----------------------------------------------------------------------------------------------- */

static void images(void **state)
{
	static const char *const types[][2] = {
	    {"t4g.nano", "arm64"},   {"c6gn.medium", "arm64"},	  {"is4gen.large", "arm64"}, {"a1.large", "arm64"},
	    {"g5g.xlarge", "arm64"}, {"t3.nano", "x86_64"},	  {"t3a.nano", "x86_64"},    {"g4dn.xlarge", "x86_64"},
	    {"g5.xlarge", "x86_64"}, {"m7i-flex.large", "x86_64"}};
	static const char *const none[] = {"",	    "nixos",	 "nixos-", "nixos-unstable", "debian-13; x",
					   "ssm:x", "windows-11"};
	AUTO(arena) struct arena a = {0};
	struct image_query q;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		assert_string_equal(image_architecture(types[i][0]), types[i][1]);
	for (size_t i = 0; i < ARRAY_LEN(none); i++)
		assert_false(image_query(none[i], "arm64", &a, &q));
	assert_true(image_query("ami-1", "arm64", &a, &q));
	assert_string_equal(q.id, "ami-1");
	assert_true(image_query("ssm:/a/b", "arm64", &a, &q));
	assert_string_equal(q.parameter, "/a/b");
	assert_true(image_query("ubuntu-24.04", "x86_64", &a, &q));
	assert_string_equal(q.name, "ubuntu/images/hvm-ssd*/ubuntu-*-24.04-amd64-server-*");
	assert_true(image_query("debian-13", "arm64", &a, &q));
	assert_string_equal(q.name, "debian-13-arm64-*");
	assert_true(image_query("nixos-25.11", "arm64", &a, &q));
	assert_string_equal(q.owner, "427812963091");
	assert_string_equal(q.name, "nixos/25.11.*");
	struct ec2_image rows[] = {
	    {"old", q.owner, "n", "2026-10-01T00:00:00.000Z", "arm64", NULL, "available"},
	    {"best", q.owner, "n", "2026-11-01T00:00:00.000Z", "arm64", NULL, "available"},
	    {"theirs", "1", "n", "2026-11-09T00:00:00.000Z", "arm64", NULL, "available"},
	    {"other", q.owner, "n", "2026-11-09T00:00:00.000Z", "x86_64", NULL, "available"},
	    {"soon", q.owner, "n", "2026-11-09T00:00:00.000Z", "arm64", NULL, "pending"},
	    {"bare", q.owner, NULL, NULL, "arm64", NULL, "available"},
	};
	struct ec2_images v = {.v = rows, .n = ARRAY_LEN(rows)};
	assert_string_equal(image_choose(&v, &q)->id, "best");
	v.n = 0;
	assert_null(image_choose(&v, &q));
}

static void prices(void **state)
{
#define PRODUCT(unit, usd)                                                                                          \
	"\"{\\\"terms\\\":{\\\"OnDemand\\\":{\\\"a\\\":{\\\"priceDimensions\\\":{\\\"b\\\":{\\\"unit\\\":\\\"" unit \
	"\\\",\\\"pricePerUnit\\\":{\\\"USD\\\":\\\"" usd "\\\"}}}}}}}\""
	static const struct {
		const char *body;
		int64_t micros; /* -2: it makes no sense */
	} rows[] = {
	    {"{\"PriceList\":[" PRODUCT("Hrs", "0.0168000000") "]}", 16800},
	    {"{\"PriceList\":[" PRODUCT("Hrs", "0.1") "," PRODUCT("Hrs", "0.10") "]}", 100000},
	    {"{\"PriceList\":[" PRODUCT("Hrs", "0.1") "," PRODUCT("Hrs", "0.2") "," PRODUCT("Hrs", "0.1") "]}", -1},
	    {"{\"PriceList\":[" PRODUCT("Hrs", "0.1") "],\"NextToken\":\"x\"}", -1},
	    {"{\"PriceList\":[" PRODUCT("GB-Mo", "0.1") "]}", -1},
	    {"{\"PriceList\":[" PRODUCT("Hrs", "free") "]}", -1},
	    {"{\"PriceList\":[\"{}\"]}", -1},
	    {"{\"PriceList\":[]}", -1},
	    {"{\"PriceList\":[{}]}", -2},
	    {"{}", -2},
	    {"", -2},
	};
	AUTO(arena) struct arena a = {0};
	AUTO(buf) struct buf b = {0};
	struct strings filters = {0};
	struct err e;

	(void)state;
	strings_add_pair(&filters, &a, "regionCode", "us-west-2");
	aws_price_ask(&b, "AmazonEC2", &filters);
	assert_string_equal(
	    buf_text(&b), "{\"ServiceCode\":\"AmazonEC2\",\"FormatVersion\":\"aws_v1\",\"MaxResults\":100,"
			  "\"Filters\":[{\"Type\":\"TERM_MATCH\",\"Field\":\"regionCode\",\"Value\":\"us-west-2\"}]}");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t micros;
		int rc = aws_price_read(str_of(rows[i].body), "Hrs", &micros, &e);
		assert_int_equal(rc, rows[i].micros == -2 ? -1 : 0);
		assert_true(rc < 0 || micros == rows[i].micros);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(prices),	 cmocka_unit_test(signatures), cmocka_unit_test(base64),
	    cmocka_unit_test(trees),	 cmocka_unit_test(launch),     cmocka_unit_test(requests),
	    cmocka_unit_test(instances), cmocka_unit_test(volumes),    cmocka_unit_test(keys),
	    cmocka_unit_test(faults),	 cmocka_unit_test(files),      cmocka_unit_test(words),
	    cmocka_unit_test(addresses), cmocka_unit_test(attaching),  cmocka_unit_test(images),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
