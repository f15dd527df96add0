#include "wire/aws_fault.h"

#include "wire/json.h"
#include "wire/xml.h"

#define KEYS_HINT \
	"who asks: aws sts get-caller-identity; the keys are in the environment, in ~/.aws, or come with the machine"
#define POLICY_HINT "a policy of whose keys these are must allow %s"

static const struct rule {
	const char *code; /* a glob */
	enum aws_class class;
	enum err_kind kind;
	enum err_retry retry;
	const char *hint; /* %s: the call */
} rules[] = {
    {"RequestLimitExceeded", AWS_AGAIN, ERR_BUSY, RETRY_LATER, "too many requests of this account; try again later"},
    {"*Throttl*", AWS_AGAIN, ERR_BUSY, RETRY_LATER, "too many requests of this account; try again later"},
    {"TooManyRequestsException", AWS_AGAIN, ERR_BUSY, RETRY_LATER,
     "too many requests of this account; try again later"},
    {"SlowDown", AWS_AGAIN, ERR_BUSY, RETRY_LATER, "too many requests of this account; try again later"},
    {"BandwidthLimitExceeded", AWS_AGAIN, ERR_BUSY, RETRY_LATER, "try again later"},
    {"InternalError", AWS_AGAIN, ERR_NET, RETRY_LATER, "a fault at AWS; try again later"},
    {"InternalFailure", AWS_AGAIN, ERR_NET, RETRY_LATER, "a fault at AWS; try again later"},
    {"InternalServerError", AWS_AGAIN, ERR_NET, RETRY_LATER, "a fault at AWS; try again later"},
    {"ServiceUnavailable*", AWS_AGAIN, ERR_NET, RETRY_LATER, "a fault at AWS; try again later"},
    {"Unavailable", AWS_AGAIN, ERR_NET, RETRY_LATER, "a fault at AWS; try again later"},
    {"RequestTimeout*", AWS_AGAIN, ERR_NET, RETRY_LATER, "try again later"},
    {"IDPCommunicationError", AWS_AGAIN, ERR_NET, RETRY_LATER, "try again later"},

    {"Insufficient*Capacity", AWS_NO_ROOM, ERR_BUSY, RETRY_LATER,
     "the zone has no such machine at the moment; other types can be named in instance_types"},
    {"Unsupported", AWS_NO_ROOM, ERR_CONFIG, RETRY_NEVER,
     "that type is not to be had in this zone; other types can be named in instance_types"},
    {"SpotMaxPriceTooLow", AWS_NO_ROOM, ERR_BUSY, RETRY_LATER, "spot = false takes a machine at the full price"},
    {"MaxSpotInstanceCountExceeded", AWS_NO_ROOM, ERR_FULL, RETRY_NEVER,
     "spot = false takes a machine at the full price; more: Service Quotas in the console"},

    {"VcpuLimitExceeded", AWS_OTHER, ERR_FULL, RETRY_NEVER,
     "the account may have no more machines of this kind; more: Service Quotas in the console"},
    {"InstanceLimitExceeded", AWS_OTHER, ERR_FULL, RETRY_LATER,
     "the account may have no more machines, those that ended lately included; more: Service Quotas in the console"},
    {"VolumeLimitExceeded", AWS_OTHER, ERR_FULL, RETRY_NEVER,
     "the account may have no more volumes of this type; more: Service Quotas in the console"},
    {"AttachmentLimitExceeded", AWS_OTHER, ERR_FULL, RETRY_NEVER, "this type of machine has room for fewer volumes"},

    {"InvalidInstanceID.NotFound", AWS_NOT_SEEN, ERR_MISSING, RETRY_LATER, ""},
    {"InvalidVolume.NotFound", AWS_NOT_SEEN, ERR_MISSING, RETRY_NEVER, "is it the right volume, and the right region?"},

    {"IncorrectState", AWS_NOT_NOW, ERR_BUSY, RETRY_LATER, "try again later"},
    {"IncorrectInstanceState", AWS_NOT_NOW, ERR_BUSY, RETRY_LATER, "try again later"},
    {"VolumeInUse", AWS_NOT_NOW, ERR_BUSY, RETRY_LATER, "try again later"},
    {"InvalidAttachment.NotFound", AWS_NOT_NOW, ERR_MISSING, RETRY_LATER, ""},
    {"DependencyViolation", AWS_NOT_NOW, ERR_BUSY, RETRY_LATER, "try again later"},

    {"InvalidDevice.InUse", AWS_NAME_TAKEN, ERR_CONFIG, RETRY_NEVER, "choose another device_name"},
    {"InvalidVolume.ZoneMismatch", AWS_OTHER, ERR_CONFIG, RETRY_NEVER,
     "the machine must be in the volume's zone: placement { availability_zone = … } and subnet_id say where it is"},
    {"VPCIdNotSpecified", AWS_OTHER, ERR_CONFIG, RETRY_NEVER,
     "the region has no default VPC: name a subnet (subnet_id), or make one: aws ec2 create-default-vpc"},
    {"VPCResourceNotSpecified", AWS_OTHER, ERR_CONFIG, RETRY_NEVER, "this type needs a VPC: name a subnet (subnet_id)"},
    {"InvalidAMIID.*", AWS_OTHER, ERR_CONFIG, RETRY_NEVER,
     "images are of one region, and old ones are deleted: name one that is there (image_id)"},
    {"InvalidKeyPair.NotFound", AWS_OTHER, ERR_CONFIG, RETRY_NEVER,
     "key pairs are of one region; those there are: aws ec2 describe-key-pairs"},
    {"InvalidSubnetID.NotFound", AWS_OTHER, ERR_CONFIG, RETRY_NEVER, "subnets are of one region (subnet_id)"},
    {"InvalidGroup.NotFound", AWS_OTHER, ERR_CONFIG, RETRY_NEVER,
     "security groups are of one VPC (security_group_ids)"},
    {"IdempotentInstanceTerminated", AWS_OTHER, ERR_MISSING, RETRY_LATER,
     "the machine has ended already; start another"},

    {"ExpiredToken*", AWS_EXPIRED, ERR_DENIED, RETRY_NEVER, "the keys were for a time that is over; get new ones"},
    {"RequestExpired", AWS_CLOCK, ERR_DENIED, RETRY_NEVER,
     "is this host's clock right?  if it is, the keys were for a time that is over; get new ones"},
    {"RequestTimeTooSkewed", AWS_CLOCK, ERR_DENIED, RETRY_NEVER, "is this host's clock right?"},
    {"AuthFailure", AWS_CLOCK, ERR_DENIED, RETRY_NEVER, KEYS_HINT},
    {"SignatureDoesNotMatch", AWS_CLOCK, ERR_DENIED, RETRY_NEVER, KEYS_HINT},
    {"InvalidSignatureException", AWS_CLOCK, ERR_DENIED, RETRY_NEVER, KEYS_HINT},
    {"InvalidClientTokenId", AWS_OTHER, ERR_DENIED, RETRY_NEVER, KEYS_HINT},
    {"UnrecognizedClientException", AWS_OTHER, ERR_DENIED, RETRY_NEVER, KEYS_HINT},
    {"MissingAuthenticationToken*", AWS_OTHER, ERR_DENIED, RETRY_NEVER, KEYS_HINT},
    {"UnauthorizedOperation", AWS_OTHER, ERR_DENIED, RETRY_NEVER, POLICY_HINT},
    {"AccessDenied*", AWS_OTHER, ERR_DENIED, RETRY_NEVER, POLICY_HINT},
    {"OptInRequired", AWS_OTHER, ERR_DENIED, RETRY_NEVER, "the account does not have this service or region yet"},
    {"PendingVerification", AWS_OTHER, ERR_DENIED, RETRY_LATER, "AWS still looks at this account"},
    {"Blocked", AWS_OTHER, ERR_DENIED, RETRY_NEVER, "AWS has blocked this account; ask its support"},
    {"AuthFailure.ServiceLinkedRoleCreationNotPermitted", AWS_OTHER, ERR_DENIED, RETRY_NEVER,
     "the account's first spot machine needs a role: aws iam create-service-linked-role --aws-service-name "
     "spot.amazonaws.com"},
    {"ParameterNotFound", AWS_OTHER, ERR_CONFIG, RETRY_NEVER, "there is no such parameter in this region"},
    {"Invalid*", AWS_OTHER, ERR_CONFIG, RETRY_NEVER, "a setting in the target's block is not as EC2 wants it"},
};

static const struct rule *rule_of(const struct aws_fault *f)
{
	static const struct rule broken = {"", AWS_AGAIN, ERR_NET, RETRY_LATER, "a fault at AWS; try again later"};
	static const struct rule taken = {"", AWS_NAME_TAKEN, ERR_CONFIG, RETRY_NEVER, "choose another device_name"};
	static const struct rule other = {"", AWS_OTHER, ERR_SYSTEM, RETRY_NEVER, ""};

	/* "Invalid value '/dev/sdf' for unixDevice. Attachment point /dev/sdf is already in use" */
	if (strcmp(f->code, "InvalidParameterValue") == 0 && strstr(f->message, "already in use") != NULL)
		return &taken;
	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		if (str_glob(rules[i].code, f->code))
			return &rules[i];
	return f->status == 429 || f->status >= 500 ? &broken : &other;
}

static bool from_xml(struct str body, struct arena *a, struct aws_fault *f)
{
	struct err ignored;
	const struct xml *x = xml_parse(body, "the answer", a, &ignored), *one = xml_find(x, "Errors/Error");

	one = one == NULL ? xml_find(x, "Error") : one;
	f->code = xml_text(one, "Code");
	f->message = xml_text(one, "Message");
	return f->code != NULL;
}

static bool from_json(struct str body, struct arena *a, struct aws_fault *f)
{
	struct err ignored;
	AUTO(json) json_t *j = json_parse(body, "the answer", &ignored);

	f->code = json_text(j, "__type", a);
	f->code = f->code == NULL ? json_text(j, "code", a) : f->code;
	f->message = json_text(j, "message", a);
	f->message = f->message == NULL ? json_text(j, "Message", a) : f->message;
	if (f->code != NULL && strchr(f->code, '#') != NULL)
		f->code = strchr(f->code, '#') + 1;
	return f->code != NULL;
}

void aws_fault_read(int64_t status, struct str body, struct arena *a, struct aws_fault *f)
{
	*f = (struct aws_fault){.status = status};
	if (!from_xml(body, a, f) && !from_json(body, a, f)) {
		f->code = arena_printf(a, "HTTP status %lld", (long long)status);
		f->message = "";
	}
	/* Of a signature that is wrong, the lines that follow cite the request: with the session's token, a secret. */
	f->message = f->message == NULL ? "" : arena_strndup(a, f->message, strcspn(f->message, "\r\n"));
	f->class = rule_of(f)->class;
}

/* "… is not authorized to perform: ec2:CreateTags on resource: …": one call may need the right to several. */
static const char *denied_action(const struct aws_fault *f, char *out, size_t size)
{
	static const char before[] = "not authorized to perform: ";
	const char *at = strstr(f->message, before);

	if (at == NULL)
		return NULL;
	at += strlen(before);
	size_t n = strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-");
	(void)snprintf(out, size, "%.*s", (int)(n < 100 ? n : 100), at);
	return n > 0 ? out : NULL;
}

int aws_fault_err(const struct aws_fault *f, const char *action, struct err *e)
{
	const struct rule *r = rule_of(f);
	char text[128];
	const char *denied = denied_action(f, text, sizeof(text));

	(void)err_set(e, r->kind, "AWS refuses %s: %s", action, f->code);
	(void)err_why(e, "%s", f->message);
	e->retry = r->retry;
	return err_hint(e, r->hint, denied == NULL ? action : denied);
}
