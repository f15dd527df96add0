/* Whatever zfs, a peer, or a client may print: read, or refused. */
#include "wire/control.h"
#include "wire/machine_json.h"
#include "wire/observed.h"
#include "wire/zfs_blame.h"
#include "wire/zfs_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
	struct err e;

	if (look_parse(text, &a, &s, &e) == 0)
		(void)!tokens_parse(text, &a, &s, &e);
	(void)!receive_answers_parse(text, &a, &answers, &e);
	(void)!sample_parse(text, &sample, &e);
	zfs_blame(text, &e);
	(void)!control_read_request(text, &a, &request, &e);
	(void)!control_read_reply(text, &a, &reply, &e);
	(void)!observed_read(text, &a, &o, &e);
	return 0;
}
