// Package upstream calls OpenAI-compatible APIs.
//
// Answer is the way of a visitor's turn: an identical answer that is still
// cached, else an identical call in flight, else a new call. A call is made
// under a lease of the Admitter, which chooses key, provider and model; it is
// tried again elsewhere as long as nothing was delivered. The answer is read as
// server-sent events, and each piece is handed on as the raw JSON string token
// that the upstream sent.
//
// Merging is the idea of golang.org/x/sync/singleflight, built anew because
// singleflight hands over one finished value: here the shared buffer is the
// answer itself, growing, and every subscriber reads it at its own pace from
// the first byte on. What a call may consume is bounded in time (Config.Timeout,
// Config.StreamLife) and in bytes (Config.AnswerBytes), so the buffer is too.
package upstream
