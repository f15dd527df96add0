#include "sys/stop.h"

#include <signal.h>

#include "sys/clock.h"

static volatile sig_atomic_t asked;
static int64_t until_ms; /* 0: without end */

static void on_signal(int number)
{
	(void)number;
	asked = 1;
}

void stop_catch(void)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)(SA_RESETHAND | SA_RESTART)};

	(void)sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		(void)sigaction(numbers[i], &action, NULL);
}

void stop_at(int64_t deadline_ms)
{
	until_ms = deadline_ms;
}

static bool over(void)
{
	return until_ms != 0 && clock_mono_ms() >= until_ms;
}

bool stop_asked(void)
{
	return asked != 0 || over();
}

int stop_check(struct err *e)
{
	if (!stop_asked())
		return 0;
	if (asked != 0)
		(void)err_set(e, ERR_CANCELLED, "it was told to end");
	else
		(void)err_set(e, ERR_TIMEOUT, "its timeout is over");
	e->retry = RETRY_NEVER;
	return err_hint(e, "what has arrived is kept; the next run goes on from there");
}
