/* Whatever zfs, a peer, a client, AWS or a sink may print: read, or refused. */
#include "wire/aws_fault.h"
#include "wire/aws_keys.h"
#include "wire/control.h"
#include "wire/courier.h"
#include "wire/ec2.h"
#include "wire/hcloud.h"
#include "wire/healthchecks_setup.h"
#include "wire/honeycomb_setup.h"
#include "wire/machine_json.h"
#include "wire/observed.h"
#include "wire/report_json.h"
#include "wire/trace_json.h"
#include "wire/zfs_blame.h"
#include "wire/zfs_text.h"

/* What apply reads of those who watch from outside. */
static void watches(struct str text, struct arena *a)
{
	const struct honeycomb_trigger t = {.host = "h", .sink = "s", .backup = "b"};
	const struct healthchecks_check c = {"h", "b", "slug", 60, 60};
	struct resources found = {0};
	struct strings pairs = {0};
	const char *one;
	struct err e;

	(void)!honeycomb_triggers_read(text, &t, a, &found, &e);
	(void)!honeycomb_datasets_read(text, "d", a, &one, &e);
	(void)!honeycomb_columns_read(text, a, &pairs, &e);
	(void)!honeycomb_recipients_read(text, a, &pairs, &e);
	(void)!honeycomb_auth_read(text, a, &one, &e);
	(void)!healthchecks_read(text, &c, a, &found, &one, &e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a sink answers, by whatever status. */
static void sinks(struct str text, struct arena *a)
{
	static const int64_t statuses[] = {200, 400, 429};

	for (size_t k = 0; k < SINK_KINDS; k++) {
		for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
			const struct sink s = {.kind = (enum sink_kind)k};
			const struct sink_reply r = {.status = statuses[i], .body = text};
			struct sink_request q = {0};
			struct sink_answer x;
			*vec_add(&q.spans, a) = 1;
			sink_judge(&s, &q, &r, a, &x);
			assert(x.said == SINK_TAKEN || x.why != NULL);
		}
	}
}

static void stories(struct str text, struct arena *a)
{
	struct trace_spans spans;
	struct report report;
	struct sink_reply reply;
	struct err e;

	AUTO(json) json_t *j = json_parse(text, "it", &e);
	(void)!trace_spans_read(j, a, &spans, &e);
	(void)!report_read(j, a, &report, &e);
	(void)!courier_read_reply(text, a, &reply, &e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena) struct arena a = {0};
	struct str text = {(const char *)data, size};
	struct side_state s = {.root = "b"};
	struct receive_answers answers = {0};
	struct compress_sample sample;
	struct control_request request;
	struct control_reply reply;
	struct observed o;
	struct aws_fault fault;
	struct aws_keys keys;
	struct ec2_instance instance;
	struct ec2_instances instances = {0};
	struct ec2_volumes volumes = {0};
	struct ec2_images images = {0};
	struct hcloud_servers servers = {0};
	int64_t page;
	bool done;
	const char *next;
	struct err e;

	if (look_parse(text, &a, &s, &e) == 0)
		(void)!tokens_parse(text, &a, &s, &e);
	(void)!receive_answers_parse(text, &a, &answers, &e);
	(void)!sample_parse(text, &sample, &e);
	zfs_blame(text, &e);
	(void)!control_read_request(text, &a, &request, &e);
	(void)!control_read_reply(text, &a, &reply, &e);
	(void)!observed_read(text, &a, &o, &e);
	aws_fault_read(400, text, &a, &fault);
	(void)aws_fault_err(&fault, "ec2:X", &e);
	(void)!aws_keys_read(text, &a, &keys, &e);
	(void)!sts_keys_read(text, &a, &keys, &e);
	(void)!ec2_launched_read(text, &a, &instance, &e);
	(void)!ec2_instances_read(text, &a, &instances, &next, &e);
	(void)!ec2_volumes_read(text, &a, &volumes, &next, &e);
	(void)!ec2_images_read(text, &a, &images, &e);
	(void)!hcloud_servers_read(text, &a, &servers, &page, &e);
	(void)!hcloud_action_read(text, &done, &e);
	(void)hcloud_fault(400, text, "x", &e);
	sinks(text, &a);
	watches(text, &a);
	stories(text, &a);
	return 0;
}
