// SPDX-License-Identifier: LGPL-2.1-or-later
/* server: offer service 4000.1, whose procedure 1 returns text in capitals. */
#include <ctype.h>
#include <err.h>
#include <string.h>
#include <tern.h>

static uint32_t handle(struct tern_job *job, void *context)
{
	const char *in = job->data;
	char *out = job->reply;

	(void)context;
	if (job->request.procedure != 1)
		return 1;
	while (job->reply_len < job->request.len)
		*out++ = toupper((unsigned char)in[job->reply_len++]);
	return 0;
}

int main(void)
{
	int fd = tern_socket(0);
	int error = fd < 0 ? fd : tern_bind(fd, 4000, 1, 0);

	if (!error)
		error = tern_serve(fd, -1, handle, NULL, NULL);
	errx(1, "%s", strerror(-error));
}
