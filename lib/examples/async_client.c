// SPDX-License-Identifier: LGPL-2.1-or-later
/* async_client HOST/SERVICE TEXT...: send all texts at once, print the replies. */
#include <err.h>
#include <stdio.h>
#include <string.h>
#include <tern.h>

static int left;

static void print(struct tern_loop *loop, const struct tern_result *result,
		  const void *reply, void *context)
{
	char text[TERN_RESULT_TEXT_SIZE];

	if (tern_result_error(result))
		printf("%s: %s\n", (const char *)context,
		       tern_result_text(result, text, sizeof(text)));
	else
		printf("%s: %.*s\n", (const char *)context,
		       (int)result->reply_len, (const char *)reply);
	if (!--left)
		tern_loop_stop(loop);
}

int main(int argc, char **argv)
{
	struct tern_loop_opts opts = { .calls = argc };
	struct sockaddr_tern to;
	struct tern_loop *loop;
	int error, fd;

	if (argc < 3 || tern_addr_parse(argv[1], &to))
		errx(2, "usage: async_client HOST/SERVICE TEXT...");
	fd = tern_socket(0);
	error = fd < 0 ? fd : tern_loop_open(&loop, fd, &opts);
	if (error)
		errx(1, "%s", strerror(-error));
	for (char **text = argv + 2; *text; text++) {
		struct tern_submission call = {
			.to = &to,
			.procedure = 1,
			.request = *text,
			.request_len = strlen(*text),
			.done = print,
			.context = *text,
		};

		error = tern_loop_call(loop, &call, NULL);
		if (error)
			errx(1, "%s", strerror(-error));
		left++;
	}
	error = tern_loop_run(loop);
	tern_loop_close(loop);
	return error ? 1 : 0;
}
