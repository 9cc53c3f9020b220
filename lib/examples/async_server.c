// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * async_server HOST/SERVICE: offer service 4001.1, whose procedure 1 asks another
 * service and returns its reply, for many callers at a time in one thread.
 */
#include <err.h>
#include <string.h>
#include <tern.h>

static void answered(struct tern_loop *loop, const struct tern_result *result,
		     const void *reply, void *context)
{
	struct tern_job *job = context;

	(void)loop;
	if (result->outcome == TERN_REPLIED && !result->cause) {
		memcpy(job->reply, reply, result->reply_len);
		job->reply_len = result->reply_len;
	}
	tern_loop_reply(job, -tern_result_error(result));
}

static void handle(struct tern_loop *loop, struct tern_job *job, void *context)
{
	struct tern_submission call = {
		.to = context,
		.procedure = 1,
		.request = job->data,
		.request_len = job->request.len,
		.done = answered,
		.context = job,
	};
	int error = tern_loop_call(loop, &call, NULL);

	if (error)
		tern_loop_reply(job, -error);
}

int main(int argc, char **argv)
{
	struct tern_loop_service service = { .handler = handle };
	int fd = tern_socket(0), client = tern_socket(0);
	struct sockaddr_tern other;
	struct tern_loop *loop;
	int error;

	if (argc != 2 || tern_addr_parse(argv[1], &other))
		errx(2, "usage: async_server HOST/SERVICE");
	service.context = &other;
	error = client < 0 ? client : tern_bind(fd, 4001, 1, 0);
	if (!error)
		error = tern_loop_open(&loop, client, NULL);
	if (!error)
		error = tern_loop_serve(loop, fd, &service);
	if (!error)
		error = tern_loop_run(loop);
	errx(1, "%s", strerror(-error));
}
