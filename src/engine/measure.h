/* The metrics of all backups (wire/metrics.h), by what the keeper knows now. */
#ifndef ENGINE_MEASURE_H
#define ENGINE_MEASURE_H

#include "engine/control_client.h"
#include "model/config.h"

/* link: as control_json has it.  Blocks until the keeper has answered; nobody else is asked. */
int measure_write(const struct config *c, const struct paths *p, struct control *link, struct buf *out,
		  struct err *e) MUST_CHECK;

#endif
