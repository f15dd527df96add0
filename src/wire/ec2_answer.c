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

static int read_volume(const struct xml *x, struct ec2_volume *v, struct err *e)
{
	const char *size = xml_text(x, "size");

	*v = (struct ec2_volume){.id = xml_text(x, "volumeId"),
				 .zone = xml_text(x, "availabilityZone"),
				 .state_name = xml_text(x, "status")};
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
		if (read_volume(x, vec_add(v, a), e) < 0)
			return -1;
	return 0;
}

int ec2_volume_read(struct str body, struct arena *a, struct ec2_volume *v, struct err *e)
{
	const struct xml *x = answer(body, "CreateVolumeResponse", a, e);
	return x == NULL ? -1 : read_volume(x, v, e);
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
