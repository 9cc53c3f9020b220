// SPDX-License-Identifier: LGPL-2.1-or-later
/* client HOST/SERVICE TEXT: call procedure 1 with the text, print the reply. */
#include <err.h>
#include <stdio.h>
#include <string.h>
#include <tern.h>

int main(int argc, char **argv)
{
	char reply[TERN_MESSAGE_MAX], text[TERN_RESULT_TEXT_SIZE];
	struct tern_result result;
	struct sockaddr_tern to;
	ssize_t len;
	int fd;

	if (argc != 3 || tern_addr_parse(argv[1], &to))
		errx(2, "usage: client HOST/SERVICE TEXT");
	fd = tern_socket(0);
	if (fd < 0)
		errx(1, "socket: %s", strerror(-fd));
	len = tern_call(fd, &to, 1, argv[2], strlen(argv[2]),
			reply, sizeof(reply), NULL, &result);
	if (len < 0)
		errx(1, "%s", tern_result_text(&result, text, sizeof(text)));
	printf("%.*s\n", (int)len, reply);
	return 0;
}
