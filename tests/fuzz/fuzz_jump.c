/* A jump host's session: any messages in any order, two bytes each; and what its process is told. */
#include "jump_walk.h"
#include "model/public_key.h"
#include "wire/jump_brief.h"
#include "wire/ssh_cert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct jump_walk w = {0};
	AUTO(arena) struct arena a = {0};
	struct str text = {(const char *)data, size};
	struct jump_brief brief;
	struct ssh_cert cert;
	const char *why;
	struct err e;

	for (size_t i = 0; i + 1 < size; i += 2) {
		struct jump_message m = jump_walk_message(data[i], data[i + 1]);
		(void)jump_walk_step(&w, &m);
	}
	(void)!jump_brief_read(text, &a, &brief, &e);
	(void)public_key_read(text, &a, &why);
	if (ssh_cert_read(text, &a, &cert))
		(void)ssh_cert_fault(&cert, &cert.principals, 1000);
	return 0;
}
