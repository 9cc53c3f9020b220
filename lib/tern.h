/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libtern: the C interface of Tern, a socket family for remote procedure
 * calls.  Overview and examples: libtern(3).  The kernel's interface below
 * it: tern(7).
 *
 * Conventions
 *   - A function that fails returns a negative errno value; errno itself is
 *     of no meaning afterwards.
 *   - Lengths are in bytes, times in milliseconds.  Service, version and port
 *     numbers are in host order, except inside a struct sockaddr.
 *   - The library keeps no state but the deadline of tern_inherit_deadline(),
 *     which each thread has its own of, and what tern_loop_open() makes: every
 *     function may be called from any thread at any time, except where it says
 *     otherwise.  Only tern_serve() creates threads, and it ends them before it
 *     returns.  Only tern_serve(), tern_loop_open() and tern_loop_serve()
 *     allocate memory, for as long as the loop exists.
 *   - Structures named ..._opts are extended through their reserved members:
 *     set them to zero as a whole first ("= { 0 }").
 */
#ifndef TERN_H
#define TERN_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <linux/tern.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Addresses ---- */

/* Size of a buffer that holds the text of any address with its final NUL. */
#define TERN_ADDR_TEXT_SIZE	96

/**
 * tern_family - the number of the socket family on this machine
 *
 * Returns the module's parameter, or AF_TERN while the module is not loaded.
 */
int tern_family(void);

/**
 * tern_addr_parse - make an address from text
 * @text: "HOST/SERVICE" with an optional port "HOST:PORT/SERVICE"
 * @addr: receives the address
 *
 * HOST is "any" (any node that offers the service, this one first; it takes no
 * port), an IPv4 address, an IPv6 address (in brackets when a port follows; a
 * link-local one needs its interface, "fe80::1%eth0"), or a name that
 * getaddrinfo(3) resolves, of which the first address is taken.  Without PORT
 * it is the port that the local node uses itself.
 *
 * SERVICE is PROGRAM or PROGRAM.VERSION.  PROGRAM is a number, decimal or with
 * "0x" hexadecimal, or a name of rpc(5).  VERSION is a number too; when it is not
 * given it is 1, or 0 for program 0, the node itself.
 *
 * Returns 0, or
 *   -EINVAL  the text is not of this form
 *   -ERANGE  a number is too large
 *   -ENODEV  there is no such interface, or a link-local address has none
 *   -ENXIO   there is no host of that name
 *   -EAGAIN  the name could not be resolved now
 *   -ENOENT  there is no program of that name
 *   -ENOMEM, or an error of the resolver's system calls
 * and then @addr is unchanged.
 */
int tern_addr_parse(const char *text, struct sockaddr_tern *addr);

/**
 * tern_addr_format - the text of an address
 * @addr: the address
 * @text: receives the text
 * @size: size of @text; TERN_ADDR_TEXT_SIZE is always enough
 *
 * All parts are numbers, the version is always given, and an interface is
 * given by name where it has one.  tern_addr_parse() of the text gives an
 * equal address.
 *
 * Returns the length of the text, or -ENOSPC when it does not fit.
 */
int tern_addr_format(const struct sockaddr_tern *addr, char *text, size_t size);

/**
 * tern_addr_set - make an address from numbers
 * @addr: receives the address
 * @host: a struct sockaddr_in or sockaddr_in6 of the node, with the port of its
 *	bearer or 0 for the port that the local node uses itself; or NULL for
 *	any node that offers the service
 * @service: program number
 * @version: version number
 *
 * Returns 0, or -EAFNOSUPPORT for another family of @host.
 */
int tern_addr_set(struct sockaddr_tern *addr, const struct sockaddr *host,
		  uint32_t service, uint32_t version);

/* ---- Sockets ---- */

/**
 * tern_socket - open a socket
 * @flags: 0 or SOCK_NONBLOCK; the file is always close-on-exec
 *
 * Returns the file descriptor (close it with close(2)), or
 *   -EAFNOSUPPORT  the module is neither loaded nor to be loaded
 *   -EINVAL        other flags
 *   or an error of socket(2).
 */
int tern_socket(int flags);

/**
 * tern_connect - set the destination of calls that name none
 * @fd: socket
 * @to: the service, or NULL for none any more
 *
 * Sends nothing.  Returns 0 or an error of connect(2), see tern(7).
 */
int tern_connect(int fd, const struct sockaddr_tern *to);

/**
 * tern_bind - offer a service
 * @fd: socket
 * @service: program number, TERN_PROGRAM_USER or more; below
 *	TERN_PROGRAM_UNPRIV it takes CAP_NET_BIND_SERVICE
 * @version: version number
 * @share: not 0: other sockets of the same user that also say so may offer the
 *	same service; each request goes to one of them
 *
 * Returns 0, or
 *   -EADDRINUSE  the service is offered already, or by sockets with another
 *                policy of tern_set_orphans()
 *   -EACCES      the number is reserved or takes a capability
 *   -EINVAL      the socket is bound already
 *   or another error of bind(2), see tern(7).
 */
int tern_bind(int fd, uint32_t service, uint32_t version, int share);

/**
 * tern_set_orphans - set when calls whose client's node is gone are given up
 * @fd: socket, not yet bound
 * @policy: TERN_ORPHANS_EXPIRE, at their deadline, which is the default;
 *	TERN_ORPHANS_REINCARNATE, when the node shows up with a new epoch;
 *	TERN_ORPHANS_GENTLE, when it then does not know the call;
 *	TERN_ORPHANS_EXTERMINATE, when it says so
 *
 * All sockets that share a service have the same policy.  See tern(7) for what
 * it means to be given up.
 *
 * Returns 0, or -EINVAL when the socket is bound or there is no such policy.
 */
int tern_set_orphans(int fd, enum tern_orphans policy);

/**
 * tern_set_timeout - set the time that calls may take that name none
 * @fd: socket
 * @timeout_ms: up to TERN_TIMEOUT_MAX; 0 means the default of the node
 *
 * Returns 0, or -EINVAL when it is too long.
 */
int tern_set_timeout(int fd, uint32_t timeout_ms);

/* ---- Calls ---- */

/**
 * struct tern_call_opts - how to make a call
 * @timeout_ms: time until the deadline, up to TERN_TIMEOUT_MAX; 0 means the
 *	default of the socket
 * @flags: TERN_CALL_IDEMPOTENT: it may run more than once;
 *	TERN_CALL_MAYBE: request and reply are sent only once;
 *	TERN_CALL_QUIET, with tern_cast() and TERN_CALL_ONEWAY: nothing is told
 *	of its outcome;
 *	TERN_CALL_ONEWAY, with tern_send_call(): no reply is wanted
 * @extend_ms: by how much the deadline may be put off when the service asks for
 *	more time, up to TERN_TIMEOUT_MAX
 * @resv: 0
 *
 * The deadline is never later than one that is inherited, see
 * tern_inherit_deadline().
 */
struct tern_call_opts {
	uint32_t	timeout_ms;
	uint32_t	flags;
	uint32_t	extend_ms;
	uint32_t	resv[5];
};

/**
 * struct tern_result - how a call ended
 * @outcome: TERN_REPLIED, TERN_NOT_EXECUTED, TERN_UNKNOWN, TERN_DELIVERED or
 *	TERN_SUBMITTED
 * @cause: why, as a positive errno value.  0 with TERN_DELIVERED and
 *	TERN_SUBMITTED, and with TERN_REPLIED unless the reply could not be
 *	stored: EMSGSIZE, EFAULT.
 * @status: with TERN_REPLIED the status that the service replied, else 0
 * @reply_len: with TERN_REPLIED the length of the reply, which may be more than
 *	the size of the buffer (the rest is lost), else 0
 */
struct tern_result {
	enum tern_outcome	outcome;
	int			cause;
	uint32_t		status;
	uint32_t		reply_len;
};

/**
 * tern_call - call a procedure and wait for its reply
 * @fd: socket
 * @to: the service, or NULL for that of tern_connect()
 * @procedure: which procedure of the service
 * @request: the request, may be NULL when @request_len is 0
 * @request_len: its length, up to TERN_MESSAGE_MAX
 * @reply: receives the reply, may be NULL when @reply_size is 0
 * @reply_size: size of @reply
 * @opts: or NULL for the defaults
 * @result: receives how the call ended, whatever is returned; or NULL
 *
 * One system call.  It waits until the reply, the deadline or a signal, whether
 * or not the socket is non-blocking.
 *
 * Returns the length of the reply when the service executed the call and
 * replied with status 0.  Otherwise, with @result->outcome
 *   TERN_REPLIED       -EREMOTEIO: the service replied with another status,
 *                      @result->status, and @reply holds its reply;
 *                      -EMSGSIZE: the reply is longer than @reply_size, and
 *                      @reply holds the first part, whatever its status;
 *                      -EFAULT: @reply cannot be written
 *   TERN_NOT_EXECUTED  -@result->cause: the call did not run and never will;
 *                      it is safe to try again
 *   TERN_UNKNOWN       -@result->cause: the call may have run
 * The causes are listed in tern(7).
 */
ssize_t tern_call(int fd, const struct sockaddr_tern *to, uint32_t procedure,
		  const void *request, size_t request_len,
		  void *reply, size_t reply_size,
		  const struct tern_call_opts *opts,
		  struct tern_result *result);

/**
 * tern_cast - make a one-way call and wait until it is delivered
 * @fd: socket
 * @to: the service, or NULL for that of tern_connect()
 * @procedure: which procedure of the service
 * @request: the request, may be NULL when @request_len is 0
 * @request_len: its length, up to TERN_MESSAGE_MAX
 * @opts: or NULL for the defaults
 * @result: receives how the call ended, whatever is returned; or NULL
 *
 * Returns 0 with the outcome TERN_DELIVERED: the call is queued at its service,
 * and is handed to one worker at most once.  With TERN_CALL_QUIET it only waits
 * until there is room in the send buffer, and returns 0 with the outcome
 * TERN_SUBMITTED: the kernel goes on with the call, even if @fd is closed, and
 * tells nothing of it.  Otherwise it returns -@result->cause with
 * TERN_NOT_EXECUTED or TERN_UNKNOWN, as tern_call().
 */
int tern_cast(int fd, const struct sockaddr_tern *to, uint32_t procedure,
	      const void *request, size_t request_len,
	      const struct tern_call_opts *opts, struct tern_result *result);

/**
 * tern_send_call - start a call whose outcome is received later
 * @fd: socket
 * @to: the service, or NULL for that of tern_connect()
 * @id: any number; comes back with the outcome
 * @procedure: which procedure of the service
 * @request: the request, may be NULL when @request_len is 0
 * @request_len: its length, up to TERN_MESSAGE_MAX
 * @opts: or NULL for the defaults
 *
 * Waits while the socket's send buffer is full, unless it is non-blocking.
 *
 * Returns 0 once the kernel has the request: exactly one outcome will follow,
 * for tern_recv_outcome() or tern_recv(), or none with TERN_CALL_ONEWAY and
 * TERN_CALL_QUIET.  Any error means that the call was not made and that no
 * outcome follows:
 *   -EAGAIN        the send buffer is full
 *   -EINTR         a signal came first
 *   -EDESTADDRREQ  @to is NULL and the socket is not connected
 *   -EMSGSIZE      the request is too long
 *   -EINVAL        @opts is wrong
 *   -ETIMEDOUT     the inherited deadline has passed
 *   or another error of sendmsg(2), see tern(7).
 */
int tern_send_call(int fd, const struct sockaddr_tern *to, uint64_t id,
		   uint32_t procedure, const void *request, size_t request_len,
		   const struct tern_call_opts *opts);

/**
 * tern_recv_outcome - receive how a call of tern_send_call() ended
 * @fd: socket, not bound to a service; use tern_recv() for one that is
 * @id: receives the call's number; or NULL
 * @reply: receives the reply, may be NULL when @reply_size is 0
 * @reply_size: size of @reply
 * @result: receives how the call ended
 * @flags: 0 or MSG_DONTWAIT
 *
 * Returns the length of the reply, 0 when there is none; it may be more than
 * @reply_size, and then the rest is lost.  A failed call is no error here: look
 * at @result, or ask tern_result_error().
 *   -EAGAIN  no outcome is there (MSG_DONTWAIT, non-blocking, SO_RCVTIMEO)
 *   -EINTR   a signal came first
 *   -EPROTO  what came is a request to the service that the socket is bound to;
 *            it is lost, and its caller learns UNKNOWN
 *   or another error of recvmsg(2), see tern(7).
 */
ssize_t tern_recv_outcome(int fd, uint64_t *id, void *reply, size_t reply_size,
			  struct tern_result *result, int flags);

/**
 * tern_cancel - withdraw a call of tern_send_call()
 * @fd: socket
 * @id: the call; of several with this number the one that was made first, of
 *	those that have not ended and are not withdrawn yet
 *
 * The outcome comes all the same, once the server has told it, and at the latest
 * at the deadline: TERN_NOT_EXECUTED with ECANCELED when the call was not sent, or
 * was still queued; otherwise whatever becomes of it, while the handler that
 * executes it can learn that nobody wants it, see tern_query_request().
 *
 * Returns 0, or
 *   -ENOENT  there is no such call, or it has ended
 *   or another error of TERN_IOC_CANCEL, see tern(7).
 */
int tern_cancel(int fd, uint64_t id);

/* ---- Outcomes ---- */

/**
 * tern_result_error - what tern_call() returns for a result
 * @result: how a call ended
 *
 * Returns -@result->cause when that is not 0, else -EREMOTEIO for a status that
 * is not 0, else 0.
 */
int tern_result_error(const struct tern_result *result);

/**
 * tern_outcome_text - the words for an outcome
 * @outcome: enum tern_outcome
 *
 * Returns "replied", "not executed", "unknown", "delivered", "submitted", or for
 * any other number "invalid outcome".  The text is constant.
 */
const char *tern_outcome_text(unsigned int outcome);

/**
 * tern_result_text - a result in words
 * @result: how a call ended
 * @text: receives the text, always with a final NUL unless @size is 0
 * @size: size of @text; TERN_RESULT_TEXT_SIZE is always enough, and a longer
 *	text is cut off
 *
 * For example "not executed: connection refused", or "replied: status 5".
 * Returns @text.
 */
const char *tern_result_text(const struct tern_result *result, char *text,
			     size_t size);

#define TERN_RESULT_TEXT_SIZE	128

/* ---- Services ---- */

/**
 * struct tern_request - a request that was received
 * @handle: names the request in the reply to it; 0 when no reply is to be sent,
 *	as for a one-way call
 * @procedure: which procedure of the service
 * @time_left_ms: time until the caller's deadline, when it was received
 * @flags: TERN_CALL_* as the caller gave them, but for TERN_CALL_QUIET
 * @len: length of the request
 * @source: the node that the request comes from; st_service and st_version
 *	are 0
 */
struct tern_request {
	uint64_t		handle;
	uint32_t		procedure;
	uint32_t		time_left_ms;
	uint32_t		flags;
	uint32_t		len;
	struct sockaddr_tern	source;
};

/**
 * tern_recv_request - wait for a request
 * @fd: bound socket
 * @request: receives what is known of the request
 * @buf: receives the request itself
 * @size: size of @buf
 * @flags: 0 or TERN_RECV_DONTWAIT
 *
 * Leaves outcomes of calls alone.  Returns the length of the request, or
 *   -EAGAIN    no request is there (TERN_RECV_DONTWAIT, non-blocking,
 *              SO_RCVTIMEO)
 *   -EINTR     a signal came first
 *   -EMSGSIZE  the request is longer than @size, @request->len says how long;
 *              it stays in the queue
 *   or another error of TERN_IOC_REPLY_RECV, see tern(7).
 */
ssize_t tern_recv_request(int fd, struct tern_request *request,
			  void *buf, size_t size, unsigned int flags);

/**
 * tern_send_reply - reply to a request
 * @fd: the socket that received the request
 * @handle: of the request; any thread may reply, in any order
 * @status: 0, or a number that tells the caller of a failure, whose meaning is
 *	the service's own
 * @reply: the reply, may be NULL when @reply_len is 0
 * @reply_len: its length, up to TERN_MESSAGE_MAX
 *
 * Returns 0, or
 *   -ENOENT    the socket is not executing such a request: it was replied to
 *              before, was one-way, was received by another socket, or was
 *              given up because nobody wants its reply
 *   -EMSGSIZE  the reply is too long; another reply may be sent
 *   or another error of TERN_IOC_REPLY_RECV, see tern(7).
 * A reply to a caller that has given up is dropped, which is no error.
 */
int tern_send_reply(int fd, uint64_t handle, uint32_t status,
		    const void *reply, size_t reply_len);

/**
 * tern_reply_recv - reply to a request and wait for the next
 * @fd: bound socket
 * @request: in: @request->handle is the request that is replied to, or 0 for
 *	none; out: the next request
 * @status: as in tern_send_reply()
 * @reply: the reply, may be NULL when @reply_len is 0; may lie in @buf
 * @reply_len: its length, up to TERN_MESSAGE_MAX
 * @buf: receives the next request
 * @size: size of @buf
 * @flags: 0 or TERN_RECV_DONTWAIT
 *
 * tern_send_reply() and tern_recv_request() in one system call, which returns
 * what tern_recv_request() returns.  After an error @request->handle tells the
 * two apart: it is unchanged when the reply could not be sent, for a reason
 * listed at tern_send_reply(), and 0 when it has been sent, so that the function
 * can be called again as it was.
 */
ssize_t tern_reply_recv(int fd, struct tern_request *request, uint32_t status,
			const void *reply, size_t reply_len,
			void *buf, size_t size, unsigned int flags);

/**
 * tern_query_request - ask whether a request is still wanted, and for more time
 * @fd: the socket that received the request
 * @handle: of the request
 * @extend_ms: 0, or ask the caller for this much time from now, up to
 *	TERN_TIMEOUT_MAX, and wait for the answer
 * @time_left_ms: receives the time until the deadline, which the caller may have
 *	put off by as much as was asked for, by less, or not at all; or NULL
 *
 * Calls that this thread makes inherit the deadline that was put off, if they
 * inherit that of the request.
 *
 * Returns 0 while the request is wanted, or
 *   -ECANCELED   the caller has withdrawn the call
 *   -EOWNERDEAD  the caller has closed its socket or died
 *   -ETIMEDOUT   the deadline has passed
 *   -ECONNRESET  the caller's node has restarted or gone down
 * with which the reply may still be sent but is of no use, or
 *   -ENOENT      the socket is not executing such a request: it was replied to
 *                before, was one-way, was received by another socket, or was
 *                given up because nobody wants its reply
 *   -EINTR       a signal came before the answer
 *   -EINVAL      @extend_ms is too long
 *   or another error of TERN_IOC_REQUEST, see tern(7);
 * with these @time_left_ms is not written.
 */
int tern_query_request(int fd, uint64_t handle, uint32_t extend_ms,
		       uint32_t *time_left_ms);

/**
 * struct tern_event - a request that is executing is not wanted any more
 * @handle: of the request
 * @cause: why, as a positive errno value: the first four of
 *	tern_query_request()
 * @time_left_ms: time until the request is given up
 */
struct tern_event {
	uint64_t	handle;
	int		cause;
	uint32_t	time_left_ms;
};

/**
 * tern_recv_event - receive an event
 * @fd: bound socket
 * @event: receives it
 *
 * Never waits; poll(2) tells by POLLPRI that there is one.  It comes at most once
 * for a request, to whoever asks first, and never for a one-way one.
 *
 * Returns 0, or
 *   -EAGAIN  there is none
 *   -EPROTO  what came is no event, so that @fd is no socket of Tern
 *   or another error of recvmsg(2), see tern(7).
 */
int tern_recv_event(int fd, struct tern_event *event);

/**
 * tern_inherit_deadline - let calls end with the deadline of a request
 * @request: a request that was just received, and in whose execution this
 *	thread makes calls from now on; or NULL when it has been executed
 *
 * None of those calls takes longer than what is then left to the request,
 * whatever their own time-out says, and when nothing is left they fail at once
 * as TERN_NOT_EXECUTED with the cause ETIMEDOUT.  Precise to a clock tick.
 *
 * tern_serve() does this around its handler, which may end it by NULL.
 */
void tern_inherit_deadline(const struct tern_request *request);

/**
 * struct tern_job - one call in the hands of a handler
 * @request: what is known of it
 * @data: the request itself, @request.len bytes; the handler may write to it
 * @reply: where the handler writes its reply
 * @reply_size: how many bytes it may write there
 * @reply_len: how many bytes it wrote; 0 when the handler starts
 * @fd: the socket, for tern_query_request()
 */
struct tern_job {
	struct tern_request	request;
	void			*data;
	void			*reply;
	size_t			reply_size;
	size_t			reply_len;
	int			fd;
};

/**
 * tern_handler - executes a call
 * @job: the call
 * @context: from tern_serve()
 *
 * Several threads run it at once when tern_serve() was told so.  Calls that it
 * makes inherit the deadline of @job, see tern_inherit_deadline().  Returns the
 * status of the reply, 0 or a number whose meaning is the service's own.  For a
 * one-way call the reply and the status are ignored.  A handler that does not
 * reply yet keeps @job->request.handle for tern_send_reply() and sets it to 0
 * in @job.
 */
typedef uint32_t tern_handler(struct tern_job *job, void *context);

/**
 * struct tern_serve_opts - how to serve
 * @threads: how many threads run the handler, the calling one included; 0 means
 *	1.  The others have all signals blocked.
 * @request_size: the longest request; 0 means TERN_MESSAGE_MAX.  The handler
 *	does not see a longer one; it is replied to with the status EMSGSIZE.
 * @reply_size: the longest reply; 0 means TERN_MESSAGE_MAX
 * @resv: 0
 */
struct tern_serve_opts {
	uint32_t	threads;
	uint32_t	request_size;
	uint32_t	reply_size;
	uint32_t	resv[5];
};

/**
 * tern_serve - receive requests, run a handler, send its replies
 * @fd: bound socket; meanwhile nobody may start calls with tern_send_call() on it
 * @stop_fd: a file descriptor (an eventfd, a pipe, a signalfd, ...) that ends
 *	the loop when it becomes readable, and stays so until the loop has ended;
 *	or -1 for none
 * @handler: executes the calls
 * @context: is passed to @handler
 * @opts: or NULL for the defaults
 *
 * The null procedure is answered by the loop itself.  A handler that is running
 * when the loop is to end runs to its end and its reply is sent.  Requests that
 * no thread has taken stay with the socket.  Signals do not end the loop.
 *
 * Without @stop_fd a call costs one system call; with it up to two more when the
 * service was idle.
 *
 * Returns 0 when @stop_fd ended it, or
 *   -EINVAL  @opts is wrong, or @fd is not bound
 *   -EPERM   @stop_fd cannot be polled
 *   -ENOMEM, -EAGAIN, -EMFILE  memory, threads or files ran out at the start
 *   or another error of epoll_ctl(2) or TERN_IOC_REPLY_RECV, see tern(7).
 */
int tern_serve(int fd, int stop_fd, tern_handler *handler, void *context,
	       const struct tern_serve_opts *opts);

/**
 * tern_serve_stop - end a serve loop whose @stop_fd is an eventfd or a pipe
 * @stop_fd: the eventfd, or the pipe's end for writing
 *
 * May be called from a signal handler; leaves errno alone.  Returns 0 or an
 * error of write(2).
 */
int tern_serve_stop(int stop_fd);

/* ---- Both at once ---- */

enum tern_kind {
	TERN_KIND_REQUEST = 1,
	TERN_KIND_OUTCOME,
};

/**
 * struct tern_completion - how a call of tern_send_call() ended
 * @id: the call's number
 * @result: how it ended
 * @service: the service that was called
 */
struct tern_completion {
	uint64_t		id;
	struct tern_result	result;
	struct sockaddr_tern	service;
};

/**
 * struct tern_message - what tern_recv() received
 * @kind: which member of the union is set
 * @len: length of the request or reply, which may be more than the size of the
 *	buffer, and then the rest is lost
 * @request: a request to the service that the socket is bound to
 * @outcome: how a call ended
 */
struct tern_message {
	enum tern_kind	kind;
	uint32_t	len;
	union {
		struct tern_request	request;
		struct tern_completion	outcome;
	};
};

/**
 * tern_recv - receive a request or an outcome, whichever comes
 * @fd: socket
 * @message: receives what it is
 * @buf: receives the request or the reply
 * @size: size of @buf
 * @flags: of recvmsg(2): 0, MSG_DONTWAIT, MSG_PEEK
 *
 * For a socket that both offers a service and makes calls.  Outcomes come
 * first.  Returns @message->len, or
 *   -EAGAIN  nothing is there (MSG_DONTWAIT, non-blocking, SO_RCVTIMEO)
 *   -EINTR   a signal came first
 *   -EPROTO  the kernel gave neither, so that @fd is no socket of Tern
 *   or another error of recvmsg(2), see tern(7).
 */
ssize_t tern_recv(int fd, struct tern_message *message, void *buf, size_t size,
		  int flags);

/* ---- Event loop ---- */

/*
 * A loop makes many calls at a time and serves requests, all in one thread.
 *
 * Threads: the thread that opens a loop is the loop's thread.  Handlers and
 * callbacks run in it, while it is in tern_loop_run(), tern_loop_run_once(),
 * tern_loop_wait() or tern_loop_close().  From any thread, at any time until the
 * loop is closed: tern_loop_call(), tern_loop_cancel(), tern_loop_wait(),
 * tern_loop_reply(), tern_loop_stop(), tern_loop_fd(), tern_loop_backend().  All
 * the other functions are for the loop's thread, and fail with -EPERM in others.
 * A handler or callback may use all of them but tern_loop_run(),
 * tern_loop_run_once() and tern_loop_wait(), which fail with -EDEADLK there, and
 * tern_loop_close().
 *
 * Memory is allocated by tern_loop_open() and tern_loop_serve(), and by nothing
 * else.
 */

struct tern_loop;

/**
 * enum tern_backend - what a loop works with
 * @TERN_BACKEND_ANY: io_uring, or poll where that is not there or is forbidden
 * @TERN_BACKEND_URING: io_uring
 * @TERN_BACKEND_POLL: epoll, sendmmsg and recvmsg
 */
enum tern_backend {
	TERN_BACKEND_ANY,
	TERN_BACKEND_URING,
	TERN_BACKEND_POLL,
};

/**
 * struct tern_loop_opts - how to open a loop
 * @backend: enum tern_backend
 * @calls: how many calls there may be at a time, up to 65536; 0 means 1024
 * @reply_size: how much of a reply is received that has no buffer of its own, and
 *	at most in any case; 0 means TERN_MESSAGE_MAX
 * @resv: 0
 */
struct tern_loop_opts {
	uint32_t	backend;
	uint32_t	calls;
	uint32_t	reply_size;
	uint32_t	resv[5];
};

/**
 * tern_loop_open - make an event loop
 * @loop: receives the loop
 * @fd: socket for calls, which is not bound; or -1 for a loop without calls
 * @opts: or NULL for the defaults
 *
 * Until the loop is closed nobody else may receive from @fd, nor start calls on
 * it with tern_send_call(); tern_call() and tern_cast() do no harm.  How many
 * calls the kernel takes at a time is bounded by its SO_SNDBUF; the others wait
 * in the loop.
 *
 * Returns 0, or
 *   -EINVAL  @opts is wrong, or @fd is bound
 *   -ENOMEM, -EMFILE, -ENFILE  memory or files ran out
 *   or with TERN_BACKEND_URING an error of io_uring_setup(2): -ENOSYS, -EPERM.
 */
int tern_loop_open(struct tern_loop **loop, int fd,
		   const struct tern_loop_opts *opts);

/**
 * tern_loop_close - end a loop
 * @loop: the loop, or NULL
 *
 * Calls that are outstanding end: their callbacks are run, with
 * TERN_NOT_EXECUTED if the kernel has not got the call yet and else with
 * TERN_UNKNOWN, and the cause ECANCELED; calls that they make fail with
 * -ESHUTDOWN.  Jobs that were not replied to are gone, and must not be used any
 * more.  Requests that were not taken stay with their socket.  The sockets stay
 * open; closing them withdraws the calls, and their callers learn of the jobs
 * (TERN_UNKNOWN, EOWNERDEAD).
 *
 * No other thread may use the loop any more.  Another thread may close it when
 * the loop's thread has ended.
 */
void tern_loop_close(struct tern_loop *loop);

/**
 * tern_loop_backend - what a loop works with
 * @loop: the loop
 *
 * Returns TERN_BACKEND_URING or TERN_BACKEND_POLL.
 */
enum tern_backend tern_loop_backend(const struct tern_loop *loop);

/**
 * tern_loop_run - run a loop until it is stopped
 * @loop: the loop
 *
 * Signals do not end it.  Returns 0 after tern_loop_stop(), or an error as
 * tern_loop_run_once(), but for -EINTR.
 */
int tern_loop_run(struct tern_loop *loop);

/**
 * tern_loop_stop - end tern_loop_run()
 * @loop: the loop
 *
 * It returns when the handler or callback that is running has ended and those
 * have run that are due at the same time; their replies are sent.  When the loop
 * is not running its next tern_loop_run() returns at once.  May be called from a
 * signal handler; leaves errno alone.
 */
void tern_loop_stop(struct tern_loop *loop);

/**
 * tern_loop_run_once - do what there is to do
 * @loop: the loop
 * @timeout_ms: how long to wait for it; -1 means without end
 *
 * Hands calls and replies to the kernel, waits until something has come, and runs
 * its handlers and callbacks.
 *
 * Returns how many of them it has run, which may be 0 before the time is over,
 * too, or
 *   -EINTR    a signal came first
 *   -EPERM    this is not the loop's thread
 *   -EDEADLK  a handler or callback called
 *   or an error of recvmsg(2) on a socket of the loop, of io_uring_enter(2) or of
 *   epoll_wait(2).
 */
int tern_loop_run_once(struct tern_loop *loop, int timeout_ms);

/**
 * tern_loop_submit - hand calls and replies to the kernel now
 * @loop: the loop
 *
 * One system call for all of them, if their socket has room.  tern_loop_run(),
 * tern_loop_run_once() and tern_loop_wait() do the same before they wait, and
 * calls of other threads wake the loop for it.  Returns 0, or -EPERM, or an error
 * of io_uring_enter(2).
 */
int tern_loop_submit(struct tern_loop *loop);

/**
 * tern_loop_fd - a file descriptor for a loop of the caller's own
 * @loop: the loop
 *
 * It is readable when tern_loop_run_once() has something to do.  It is only to be
 * waited for, by poll(2), epoll(7) or the like; each time after
 * tern_loop_submit() was called:
 *
 *	for (;;) {
 *		tern_loop_submit(loop);
 *		poll(fds, ...);
 *		if (fds[0].revents)
 *			tern_loop_run_once(loop, 0);
 *		...
 *	}
 */
int tern_loop_fd(const struct tern_loop *loop);

/**
 * tern_loop_done - is told how a call of tern_loop_call() ended
 * @loop: the loop
 * @result: how it ended.  The cause is EMSGSIZE when the reply was longer than its
 *	buffer or than reply_size of the loop.
 * @reply: the reply or its first part: @result->reply_len bytes, or less with
 *	EMSGSIZE; in the buffer of the call, or when that is NULL in memory of the
 *	loop, which is reused afterwards
 * @context: from the call
 */
typedef void tern_loop_done(struct tern_loop *loop,
			    const struct tern_result *result,
			    const void *reply, void *context);

/**
 * struct tern_submission - a call to be made by a loop
 * @to: the service, or NULL for that of tern_connect()
 * @procedure: which procedure of the service
 * @resv: 0
 * @request: the request, may be NULL when @request_len is 0; must stay as it is
 *	until the call ends
 * @request_len: its length, up to TERN_MESSAGE_MAX
 * @reply: receives the reply, must exist until the call ends; or NULL
 * @reply_size: size of @reply
 * @opts: as for tern_send_call(), or NULL
 * @done: is called when the call has ended; or NULL when tern_loop_wait() will
 *	collect it
 * @context: is passed to @done
 */
struct tern_submission {
	const struct sockaddr_tern	*to;
	uint32_t			procedure;
	uint32_t			resv;
	const void			*request;
	size_t				request_len;
	void				*reply;
	size_t				reply_size;
	const struct tern_call_opts	*opts;
	tern_loop_done			*done;
	void				*context;
};

/**
 * tern_loop_call - start a call
 * @loop: the loop
 * @call: what to call; not used after the return, but for its request and reply
 * @id: receives a number for tern_loop_cancel() and tern_loop_wait(), which is
 *	never used again; or NULL
 *
 * The kernel gets the call at the next tern_loop_submit() or what includes it, so
 * that many calls take one system call.  When there is no room in the send
 * buffer it waits in the loop.  Its time-out begins now, and when that passes
 * before the kernel gets it, it ends as TERN_NOT_EXECUTED with ETIMEDOUT; the
 * time-out that is the default of the socket begins when the kernel gets it.
 *
 * A one-way call (TERN_CALL_ONEWAY) ends when it is delivered, and with
 * TERN_CALL_QUIET when the kernel has it.
 *
 * Returns 0, and then the call ends exactly once.  Any error means that there is
 * no call:
 *   -EAGAIN     there are as many calls as the loop was opened for
 *   -EINVAL     @call is wrong, or the loop was opened without a socket
 *   -EMSGSIZE   the request is too long
 *   -ETIMEDOUT  the inherited deadline has passed, see tern_inherit_deadline()
 *   -ESHUTDOWN  the loop is being closed
 * What the kernel finds wrong ends the call as TERN_NOT_EXECUTED, with the error
 * of sendmsg(2) as its cause, see tern(7).
 */
int tern_loop_call(struct tern_loop *loop, const struct tern_submission *call,
		   uint64_t *id);

/**
 * tern_loop_cancel - withdraw a call
 * @loop: the loop
 * @id: the call
 *
 * The call ends all the same, not before this returns.  If the kernel has not got
 * it yet, it ends soon, as TERN_NOT_EXECUTED with ECANCELED.  Otherwise it is
 * withdrawn as by tern_cancel(), and ends when the server has told what became of
 * it, at the latest at its deadline: as TERN_NOT_EXECUTED with ECANCELED when it
 * was still queued there, otherwise as it would have.
 *
 * Returns 0, or -ENOENT when there is no such call: it has ended, or was cancelled
 * before.
 */
int tern_loop_cancel(struct tern_loop *loop, uint64_t id);

/**
 * tern_loop_wait - collect a call that has no callback
 * @loop: the loop
 * @id: the call
 * @timeout_ms: how long to wait; -1 means until it ends
 * @result: receives how the call ended; or NULL
 *
 * Every call without a callback is to be collected once, or it counts as one of
 * those that the loop may have until the loop is closed.  In the loop's thread
 * handlers and other callbacks are run meanwhile.  In another thread it waits for
 * the loop's thread to run.
 *
 * Returns what tern_call() returns for such a result, or without a @result
 *   -EAGAIN   the call has not ended yet
 *   -ENOENT   there is no such call, or it was collected
 *   -EINVAL   the call has a callback
 *   -EINTR, -EDEADLK, or another error of tern_loop_run_once()
 * which are no causes of these calls.
 */
ssize_t tern_loop_wait(struct tern_loop *loop, uint64_t id, int timeout_ms,
		       struct tern_result *result);

/**
 * tern_loop_handler - executes a call
 * @loop: the loop
 * @job: the call, with memory for its reply; belongs to the handler until
 *	tern_loop_reply() is called for it, now or later
 * @context: of the service
 *
 * Calls that it makes inherit the deadline of @job, see tern_inherit_deadline().
 */
typedef void tern_loop_handler(struct tern_loop *loop, struct tern_job *job,
			       void *context);

/**
 * tern_loop_unwanted - is told that a job is not wanted any more
 * @loop: the loop
 * @job: the job, which is still to be replied to, now or later, but to no use
 * @event: why, and when it is given up
 * @context: of the service
 *
 * Comes at most once for a job.  When another thread replies to the job at the
 * same time, @job stays until the callback has returned.
 */
typedef void tern_loop_unwanted(struct tern_loop *loop, struct tern_job *job,
				const struct tern_event *event, void *context);

/**
 * struct tern_loop_service - how a loop serves
 * @handler: executes the calls
 * @unwanted: is told what is not wanted any more; or NULL
 * @context: is passed to both
 * @jobs: how many requests may be in the hands of the handler at a time, up to
 *	1024; 0 means 64.  Others wait in the queue of the service.
 * @request_size: the longest request; 0 means TERN_MESSAGE_MAX.  The handler does
 *	not see a longer one; it is replied to with the status EMSGSIZE.
 * @reply_size: the longest reply; 0 means TERN_MESSAGE_MAX
 * @resv: 0
 */
struct tern_loop_service {
	tern_loop_handler	*handler;
	tern_loop_unwanted	*unwanted;
	void			*context;
	uint32_t		jobs;
	uint32_t		request_size;
	uint32_t		reply_size;
	uint32_t		resv[5];
};

/**
 * tern_loop_serve - let a loop serve
 * @loop: the loop
 * @fd: bound socket, other than that of tern_loop_open(); nobody else may receive
 *	from it
 * @service: how
 *
 * From now on, when the loop runs, each request is given to the handler in a job.
 * The null procedure is answered by the loop itself.  There may be several
 * services in a loop, which have nothing to do with each other.
 *
 * Returns 0, or
 *   -EINVAL  @service is wrong, or @fd is not bound
 *   -EPERM   this is not the loop's thread
 *   -ENOMEM  there is no memory
 *   or another error of io_uring_register(2) or epoll_ctl(2).
 */
int tern_loop_serve(struct tern_loop *loop, int fd,
		    const struct tern_loop_service *service);

/**
 * tern_loop_reply - end a job
 * @job: the job that a handler was given, with reply and reply_len
 * @status: 0, or a number whose meaning is the service's own
 *
 * Every job is ended by this exactly once, also a one-way one, for which nothing
 * is sent.  Any thread may do so, and must not touch the job afterwards.  In the
 * loop's thread the reply is sent with the next tern_loop_submit() or what includes
 * it.  That nobody wants the reply any more is no error.
 *
 * Returns 0, or -EMSGSIZE when reply_len is more than reply_size; then the job is
 * not ended.
 */
int tern_loop_reply(struct tern_job *job, uint32_t status);

#ifdef __cplusplus
}
#endif

#endif /* TERN_H */
