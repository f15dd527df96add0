#include "sys/stop.h"

#include <signal.h>

static volatile sig_atomic_t asked;

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

bool stop_asked(void)
{
	return asked != 0;
}

int stop_check(struct err *e)
{
	if (!stop_asked())
		return 0;
	(void)err_set(e, ERR_CANCELLED, "it was told to end");
	return err_hint(e, "what has arrived is kept; the next run goes on from there");
}
