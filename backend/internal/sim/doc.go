// Package sim is a simulator of an OpenAI-compatible API: for tests, for the
// load test, and for an owner who wants to try the appliance without an
// account. It serves GET /v1/models, POST /v1/chat/completions (streamed and
// whole) and POST /v1/moderations, answers the last question in its own
// language, counts usage, sends x-ratelimit-* headers, and can be slow,
// rationed or broken on purpose. What it did is told by GET /sim/stats, how long
// its latest answers took by GET /sim/times; POST /sim/reset forgets both.
//
// # Markers
//
// A marker in the last message of the role "user" directs one call:
//
//	[[say:TEXT]]   answer exactly TEXT
//	[[find:WORD]]  answer with the last earlier message that contains WORD
//	[[tokens:N]]   answer with N tokens
//	[[slow:D]]     wait the duration D before the first token
//
// and these break it. With a number, as in [[500:2]], only the first two calls
// that carry this very question are broken and the third is answered.
//
//	[[400]] [[401]] [[402]] [[403]] [[404]] [[408]] [[500]] [[502]] [[529]]
//	             that status, with an error object
//	[[503]]      that status, with a page of HTML
//	[[429]]      that status, with Retry-After: 1
//	[[quota]]    429 insufficient_quota: the account is empty
//	[[toolong]]  400 context_length_exceeded
//	[[blocked]]  400 content_filter, as Azure refuses a prompt
//	[[redirect]] 307 to /sim/elsewhere
//	[[html]]     200 with a page of HTML
//	[[empty]]    200 without a body
//	[[reset]]    the connection is reset before any answer
//	[[hang]]     no answer at all until the caller leaves
//	[[silence]]  the head of a stream, then nothing
//	[[comments]] the head of a stream, then only keep-alive comments
//	[[drip]]     the answer a byte at a time
//	[[early]]    the head of a stream, then the connection is reset
//	[[cut]]      the connection is reset after three pieces
//	[[half]]     the stream ends in the middle of an event
//	[[nodone]]   the stream ends without a finish reason and without [DONE]
//	[[garbage]]  data that is not JSON, after one piece
//	[[badjson]]  data that is not JSON, at once
//	[[error]]    an error object in the stream, after two pieces
//	[[bigline]]  a line of 2 MiB
//	[[endless]]  pieces without end
//	[[chunkerr]] broken HTTP/1.1 chunked coding after two pieces
//	[[gzip]]     the answer compressed, unasked
//	[[gzipbomb]] a compressed line of 64 MiB
//	[[json]]     a whole answer although a stream was asked for
//	[[text]]     a proper stream with Content-Type text/plain
//	[[late]]     a proper stream that stays open 30 s behind [DONE]
//	[[length]]   finish reason length
//	[[filter]]   finish reason content_filter after one piece
//	[[tool]]     a tool call nobody asked for, and no text
//	[[reason]]   reasoning before the answer
//	[[crlf]]     CRLF line ends, comments, event names and ids in the stream
//	[[nousage]]  no usage although it was asked for
package sim
