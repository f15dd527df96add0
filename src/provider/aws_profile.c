#include "provider/aws_profile.h"

#include <ctype.h>
#include <errno.h>
#include <pwd.h>
#include <unistd.h>

#include "sys/fdio.h"

enum { FILE_MAX = 1024 * 1024 };

const char *aws_env(const char *name)
{
	const char *v = getenv(name);
	return v == NULL || *v == '\0' ? NULL : v;
}

/* The file that a variable names, or else the one below the home folder; one that is not there is empty. */
static int read_file(const char *variable, const char *below_home, struct arena *a, struct aws_entries *v,
		     struct err *e)
{
	const char *path = aws_env(variable), *home = aws_env("HOME");
	const struct passwd *user = home == NULL ? getpwuid(geteuid()) : NULL;
	struct str text;

	home = user != NULL ? user->pw_dir : home;
	if (path != NULL && path[0] == '~' && path[1] == '/')
		path = arena_printf(a, "%s%s", home == NULL ? "" : home, path + 1);
	if (path == NULL)
		path = arena_printf(a, "%s/%s", home == NULL ? "" : home, below_home);
	if (fd_read_file(path, FILE_MAX, a, &text, e) == 0)
		return aws_ini_read(text, path, a, v, e);
	return e->sys == ENOENT || e->sys == ENOTDIR ? 0 : -1;
}

int aws_profile_load(const char *named, struct arena *a, struct aws_profile *p, struct err *e)
{
	const char *name = named != NULL ? named : aws_env("AWS_PROFILE");

	name = name == NULL ? aws_env("AWS_DEFAULT_PROFILE") : name;
	*p = (struct aws_profile){.name = name == NULL ? "default" : name, .named = named != NULL};
	if (read_file("AWS_CONFIG_FILE", ".aws/config", a, &p->config, e) < 0 ||
	    read_file("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials", a, &p->credentials, e) < 0)
		return -1;
	if (name == NULL || aws_profile_exists(p, name))
		return 0;
	(void)err_set(e, ERR_CONFIG, "there is no profile '%s' in the AWS configuration", name);
	return err_hint(
	    e, "the files are ~/.aws/config and ~/.aws/credentials of whom the keeper runs as; AWS_CONFIG_FILE and "
	       "AWS_SHARED_CREDENTIALS_FILE name others");
}

/* In ~/.aws/config, each but the default one is said to be a profile. */
static const char *of_config(const struct aws_profile *p, const char *profile, const char *name)
{
	const char *v = aws_ini_get(&p->config, "profile", profile, name);
	return v == NULL && strcmp(profile, "default") == 0 ? aws_ini_get(&p->config, "", profile, name) : v;
}

bool aws_profile_exists(const struct aws_profile *p, const char *profile)
{
	return aws_profile_get(p, profile, NULL) != NULL;
}

const char *aws_profile_get(const struct aws_profile *p, const char *profile, const char *name)
{
	const char *v = aws_ini_get(&p->credentials, "", profile, name);
	return v == NULL ? of_config(p, profile, name) : v;
}

const char *aws_profile_region(const struct aws_profile *p)
{
	/* One that names a profile means its region. */
	const char *of_profile = aws_profile_get(p, p->name, "region");
	const char *of_env = aws_env("AWS_REGION");

	of_env = of_env == NULL ? aws_env("AWS_DEFAULT_REGION") : of_env;
	if (p->named && of_profile != NULL)
		return of_profile;
	return of_env == NULL ? of_profile : of_env;
}

const char *aws_profile_endpoint(const struct aws_profile *p, const char *service, struct arena *a)
{
	const char *ignored = aws_env("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
	char *variable = arena_printf(a, "AWS_ENDPOINT_URL_%s", service);
	const char *v = aws_profile_get(p, p->name, "ignore_configured_endpoint_urls"), *services;

	if ((ignored != NULL && strcasecmp(ignored, "true") == 0) || (v != NULL && strcasecmp(v, "true") == 0))
		return NULL;
	for (char *c = variable; *c != '\0'; c++)
		*c = (char)toupper((unsigned char)*c);
	if ((v = aws_env(variable)) != NULL || (v = aws_env("AWS_ENDPOINT_URL")) != NULL)
		return v;
	services = of_config(p, p->name, "services");
	v = services == NULL
		? NULL
		: aws_ini_get(&p->config, "services", services, arena_printf(a, "%s/endpoint_url", service));
	return v == NULL ? of_config(p, p->name, "endpoint_url") : v;
}
