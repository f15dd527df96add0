#include "base/num.h"
#include "wire/ec2.h"
#include "wire/xml.h"

static const char *const states[] = {[EC2_UNKNOWN] = "unknown",	      [EC2_PENDING] = "pending",
				     [EC2_RUNNING] = "running",	      [EC2_SHUTTING_DOWN] = "shutting-down",
				     [EC2_TERMINATED] = "terminated", [EC2_STOPPING] = "stopping",
				     [EC2_STOPPED] = "stopped"};
static const char *const volume_states[] = {
    [VOLUME_UNKNOWN] = "unknown", [VOLUME_CREATING] = "creating", [VOLUME_AVAILABLE] = "available",
    [VOLUME_IN_USE] = "in-use",	  [VOLUME_GOING] = "deleting",	  [VOLUME_ERROR] = "error"};

/* The place of a word in a table; 0, which is "unknown", if it is not there. */
static size_t place(const char *word, const char *const *table, size_t n)
{
	for (size_t i = 0; word != NULL && i < n; i++)
		if (strcmp(word, table[i]) == 0)
			return i;
	return 0;
}

static const struct xml *answer(struct str body, const char *name, struct arena *a, struct err *e)
{
	const struct xml *x = xml_parse(body, "EC2's answer", a, e);

	if (x == NULL || strcmp(x->name, name) == 0)
		return x;
	(void)err_set(e, ERR_CORRUPT, "EC2's answer is '%s' where it should be '%s'", x->name, name);
	return NULL;
}

static int without(const char *what, struct err *e)
{
	return err_set(e, ERR_CORRUPT, "EC2's answer has %s", what);
}

static void read_tags(const struct xml *x, struct arena *a, struct strings *tags)
{
	for (x = xml_items(x, "tagSet"); x != NULL; x = x->next) {
		const char *name = xml_text(x, "key"), *value = xml_text(x, "value");
		if (name == NULL)
			continue;
		*vec_add(tags, a) = name;
		*vec_add(tags, a) = value == NULL ? "" : value;
	}
}

static int read_instance(const struct xml *x, struct arena *a, struct ec2_instance *i, struct err *e)
{
	*i = (struct ec2_instance){
	    .id = xml_text(x, "instanceId"),
	    .type = xml_text(x, "instanceType"),
	    .image = xml_text(x, "imageId"),
	    .zone = xml_text(x, "placement/availabilityZone"),
	    .state_name = xml_text(x, "instanceState/name"),
	    .public_ip = xml_text(x, "ipAddress"),
	    .private_ip = xml_text(x, "privateIpAddress"),
	    .ipv6 = xml_text(x, "ipv6Address"),
	    .reason_code = xml_text(x, "stateReason/code"),
	    .reason = xml_text(x, "stateReason/message"),
	};
	if (i->ipv6 == NULL)
		i->ipv6 = xml_text(xml_items(xml_items(x, "networkInterfaceSet"), "ipv6AddressesSet"), "ipv6Address");
	i->state = (enum ec2_state)place(i->state_name, states, ARRAY_LEN(states));
	i->state_name = i->state_name == NULL ? states[0] : i->state_name;
	read_tags(x, a, &i->tags);
	return i->id == NULL ? without("an instance without a name", e) : 0;
}

int ec2_launched_read(struct str body, struct arena *a, struct ec2_instance *i, struct err *e)
{
	const struct xml *x = answer(body, "RunInstancesResponse", a, e);

	if (x == NULL)
		return -1;
	x = xml_items(x, "instancesSet");
	return x == NULL ? without("no instance", e) : read_instance(x, a, i, e);
}

int ec2_instances_read(struct str body, struct arena *a, struct ec2_instances *v, const char **next, struct err *e)
{
	const struct xml *x = answer(body, "DescribeInstancesResponse", a, e);

	*next = xml_text(x, "nextToken");
	if (x == NULL)
		return -1;
	for (x = xml_items(x, "reservationSet"); x != NULL; x = x->next)
		for (const struct xml *i = xml_items(x, "instancesSet"); i != NULL; i = i->next)
			if (read_instance(i, a, vec_add(v, a), e) < 0)
				return -1;
	return 0;
}

static enum ec2_attachment attachment_of(const char *word)
{
	if (word == NULL || strcmp(word, "detached") == 0)
		return ATTACHMENT_NONE;
	if (strcmp(word, "attaching") == 0)
		return ATTACHMENT_ATTACHING;
	return strcmp(word, "attached") == 0 ? ATTACHMENT_ATTACHED : ATTACHMENT_DETACHING;
}

static int read_volume(const struct xml *x, struct arena *a, struct ec2_volume *v, struct err *e)
{
	const char *size = xml_text(x, "size");

	*v = (struct ec2_volume){.id = xml_text(x, "volumeId"),
				 .zone = xml_text(x, "availabilityZone"),
				 .type = xml_text(x, "volumeType"),
				 .iops = xml_text(x, "iops"),
				 .throughput = xml_text(x, "throughput"),
				 .state_name = xml_text(x, "status")};
	read_tags(x, a, &v->tags);
	v->state = (enum ec2_volume_state)place(v->state_name, volume_states, ARRAY_LEN(volume_states));
	v->state_name = v->state_name == NULL ? volume_states[0] : v->state_name;
	if (strcmp(v->state_name, "deleted") == 0)
		v->state = VOLUME_GOING;
	if (v->id == NULL || (size != NULL && !num_u64(str_of(size), &v->size_gib)))
		return without("a volume without a name, or of a size that is none", e);
	for (x = xml_items(x, "attachmentSet"); x != NULL && v->attachment == ATTACHMENT_NONE; x = x->next) {
		v->attachment = attachment_of(xml_text(x, "status"));
		if (v->attachment == ATTACHMENT_NONE)
			continue;
		v->instance = xml_text(x, "instanceId");
		v->device = xml_text(x, "device");
	}
	return 0;
}

int ec2_volumes_read(struct str body, struct arena *a, struct ec2_volumes *v, const char **next, struct err *e)
{
	const struct xml *x = answer(body, "DescribeVolumesResponse", a, e);

	*next = xml_text(x, "nextToken");
	if (x == NULL)
		return -1;
	for (x = xml_items(x, "volumeSet"); x != NULL; x = x->next)
		if (read_volume(x, a, vec_add(v, a), e) < 0)
			return -1;
	return 0;
}

int ec2_volume_read(struct str body, struct arena *a, struct ec2_volume *v, struct err *e)
{
	const struct xml *x = answer(body, "CreateVolumeResponse", a, e);
	return x == NULL ? -1 : read_volume(x, a, v, e);
}

int ec2_key_pairs_read(struct str body, struct arena *a, struct ec2_named_keys *v, struct err *e)
{
	const struct xml *x = answer(body, "DescribeKeyPairsResponse", a, e);

	if (x == NULL)
		return -1;
	for (x = xml_items(x, "keySet"); x != NULL; x = x->next) {
		struct ec2_named_key *k = vec_add(v, a);
		*k = (struct ec2_named_key){.name = xml_text(x, "keyName"), .public_key = xml_text(x, "publicKey")};
		read_tags(x, a, &k->tags);
		if (k->name == NULL)
			return without("a key pair without a name", e);
	}
	return 0;
}

static void read_ranges(const struct xml *x, const char *list, const char *name, struct arena *a, struct strings *from)
{
	for (x = xml_items(x, list); x != NULL; x = x->next)
		if (xml_text(x, name) != NULL)
			*vec_add(from, a) = xml_text(x, name);
}

static void read_ingress(const struct xml *x, int64_t port, struct arena *a, struct strings *from)
{
	for (x = xml_items(x, "ipPermissions"); x != NULL; x = x->next) {
		const char *protocol = xml_text(x, "ipProtocol"), *first = xml_text(x, "fromPort"),
			   *last = xml_text(x, "toPort");
		uint64_t low, high;
		if (protocol == NULL || strcmp(protocol, "tcp") != 0 || first == NULL || last == NULL ||
		    !num_u64(str_of(first), &low) || !num_u64(str_of(last), &high) || low != (uint64_t)port ||
		    high != (uint64_t)port)
			continue;
		read_ranges(x, "ipRanges", "cidrIp", a, from);
		read_ranges(x, "ipv6Ranges", "cidrIpv6", a, from);
	}
}

int ec2_groups_read(struct str body, int64_t port, struct arena *a, struct ec2_groups *v, const char **next,
		    struct err *e)
{
	const struct xml *x = answer(body, "DescribeSecurityGroupsResponse", a, e);

	*next = xml_text(x, "nextToken");
	if (x == NULL)
		return -1;
	for (x = xml_items(x, "securityGroupInfo"); x != NULL; x = x->next) {
		struct ec2_group *g = vec_add(v, a);
		*g = (struct ec2_group){.id = xml_text(x, "groupId"), .name = xml_text(x, "groupName")};
		read_ingress(x, port, a, &g->from);
		read_tags(x, a, &g->tags);
		if (g->id == NULL || g->name == NULL)
			return without("a security group without a name", e);
	}
	return 0;
}

int ec2_group_read(struct str body, struct arena *a, const char **id, struct err *e)
{
	const struct xml *x = answer(body, "CreateSecurityGroupResponse", a, e);

	*id = xml_text(x, "groupId");
	if (x == NULL)
		return -1;
	return *id == NULL ? without("a security group without a name", e) : 0;
}

int ec2_subnet_read(struct str body, struct arena *a, const char **vpc, struct err *e)
{
	const struct xml *x = answer(body, "DescribeSubnetsResponse", a, e);

	*vpc = xml_text(xml_items(x, "subnetSet"), "vpcId");
	if (x == NULL)
		return -1;
	return *vpc == NULL ? without("a subnet without a VPC", e) : 0;
}

int ec2_modification_read(struct str body, struct arena *a, const char **state, const char **why, struct err *e)
{
	const struct xml *x = answer(body, "DescribeVolumesModificationsResponse", a, e), *one;

	if (x == NULL)
		return -1;
	one = xml_items(x, "volumeModificationSet");
	*state = xml_text(one, "modificationState");
	*why = xml_text(one, "statusMessage");
	return *state == NULL ? without("a modification without a state", e) : 0;
}

int ec2_images_read(struct str body, struct arena *a, struct ec2_images *v, struct err *e)
{
	const struct xml *x = answer(body, "DescribeImagesResponse", a, e);

	if (x == NULL)
		return -1;
	for (x = xml_items(x, "imagesSet"); x != NULL; x = x->next) {
		struct ec2_image *i = vec_add(v, a);
		*i = (struct ec2_image){
		    .id = xml_text(x, "imageId"),
		    .owner = xml_text(x, "imageOwnerId"),
		    .name = xml_text(x, "name"),
		    .created = xml_text(x, "creationDate"),
		    .architecture = xml_text(x, "architecture"),
		    .root_device = xml_text(x, "rootDeviceName"),
		    .state = xml_text(x, "imageState"),
		};
		if (i->id == NULL)
			return without("an image without a name", e);
	}
	return 0;
}
