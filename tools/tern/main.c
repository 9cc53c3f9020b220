// SPDX-License-Identifier: GPL-2.0
/* tern: controls the node of this network namespace and makes calls. */
#include "tool.h"

static const char help[] =
"usage: tern [-j] COMMAND\n"
"\n"
"  up [SETTING VALUE]...            bring the node up, change settings:\n"
"      port N, address ADDRESS|any, allow PREFIX|none, timeout TIME,\n"
"      lease TIME, grace TIME, slots N, peers N, cache-peer SIZE, cache-net SIZE,\n"
"      queue-peer SIZE, queue-net SIZE\n"
"  down                             bring the node down\n"
"  show                             show the node and its settings\n"
"  peer show                        list the nodes that this one knows\n"
"  peer exterminate HOST[:PORT]     end what it executes for this one's past\n"
"  service show                     list the services bound here\n"
"  call show                        list the outstanding calls\n"
"  stat show [all] [NAME]...        show counters\n"
"  ping HOST[/SERVICE] [count N] [interval TIME] [timeout TIME]\n"
"  call HOST/SERVICE PROCEDURE [[request] TEXT|-] [timeout TIME]\n"
"      [extend TIME] [idempotent] [maybe] [oneway] [quiet]\n"
"                                   call it, print the reply\n"
"  serve SERVICE --exec COMMAND [workers N] [procedure N] [share]\n"
"      [orphans expire|reincarnate|gentle|exterminate]\n"
"                                   run COMMAND for each request\n"
"  help                             print this\n"
"\n"
"  -j, --json      print JSON\n"
"  -h, --help      print this\n"
"  -V, --version   print the version\n"
"\n"
"TIME is in ms, or with a unit: ms, s, min, h.  SIZE is in bytes, or with a\n"
"unit: K, M, G.  SERVICE is PROGRAM[.VERSION].  See tern(8).\n";

static const struct cli_command commands[] = {
	{ "up", node_up },
	{ "down", node_down },
	{ "show", node_show },
	{ "peer", peer_run },
	{ "service", service_run },
	{ "call", call_run },
	{ "stat", stat_run },
	{ "ping", ping_run },
	{ "serve", serve_run },
	{ }
};

int main(int argc, char **argv)
{
	return cli_main(argc, argv, help, commands);
}
