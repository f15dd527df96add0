#include "sys/notify.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/num.h"
#include "sys/fdio.h"

int notify_datagram(const char *path, struct str text, struct err *e)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};

	if ((path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof(to.sun_path))
		return err_set(e, ERR_CONFIG, "'%s' is no socket", path);
	memcpy(to.sun_path, path, strlen(path));
	/* An abstract socket's name begins with a NUL. */
	if (path[0] == '@')
		to.sun_path[0] = '\0';
	AUTO(fd) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || sendto(fd, text.p, text.n, MSG_NOSIGNAL, (const struct sockaddr *)&to,
			     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path))) < 0)
		return err_sys(e, errno, "cannot write to '%s'", path);
	return 0;
}

void notify(const char *text)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct err ignored;

	if (path != NULL)
		(void)!notify_datagram(path, str_of(text), &ignored);
}

int64_t notify_watchdog_ms(void)
{
	const char *text = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	int64_t us, whose;

	if (text == NULL || !num_i64(str_of(text), &us) || us <= 0)
		return 0;
	if (pid != NULL && (!num_i64(str_of(pid), &whose) || whose != getpid()))
		return 0;
	return us / 2000;
}
