package upstream

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/codec"
	"haoke/backend/internal/span"
)

// receiver takes the pieces of an answer.
type receiver interface {
	// piece takes a raw token that is valid during the call; false: enough.
	piece(raw []byte) bool
	// pause says that the next piece is not here yet: those that came together
	// may travel together up to now.
	pause()
	// delivered is the number of pieces so far.
	delivered() int
	// text is the answer so far.
	text() string
	// admitted is told when a lease was granted.
	admitted()
	// answered is told of the result once the answer is complete and paid for.
	// What its connection has left to say is waited for afterwards.
	answered(res chat.Result)
}

var (
	errSlow    = errors.New("no token in time")
	errEnough  = errors.New("the answer is long enough")
	errNoEnd   = errors.New("the stream ended without a finish reason")
	errRefused = errors.New("refused")
)

const (
	maxWhole   = 4 << 20 // bytes of an answer that is not streamed
	maxRefusal = 64 << 10
	maxStream  = 64 // raw bytes of a stream for each byte of the answer's bound
	// afterEnd is how long the usage and [DONE] may take once the answer is
	// complete, and then how long the end of the body may take: a connection
	// whose body was read to its end is used again. On HTTP/2 it is in any case.
	afterEnd   = 2 * time.Second
	afterDone  = 500 * time.Millisecond
	afterDone2 = 20 * time.Millisecond
)

// attempt is one try at a call at one target. Its memory is used again.
type attempt struct {
	try
	closing codec.ClosingReader
	life    span.Span // ends with the call, when it is too slow, and when the rest is of no use
	timer   *time.Timer
	scan    codec.DeltaScanner
	events  events
	fields  fields // header's memory, where the connection is ours
	carry   []byte // text of a token that ended within a character

	home       *sync.Pool
	spoiled    bool // something may still touch it: it is not used again
	over, slow func()
}

// try is what one attempt leaves nothing of to the next.
type try struct {
	cfg    *Config
	target chat.Target
	url    *url.URL
	out    receiver
	start  time.Time
	unlink func() bool             // undoes the tie to a call's context of another kind than ours
	quit   context.CancelCauseFunc // ends net/http's context; nil: the connection is ours

	status     int
	header     http.Header
	finish     string
	ended      bool // a finish reason or [DONE] was seen
	done       bool // [DONE] was seen
	tool       bool // a tool call was seen
	reasoned   bool // reasoning was seen
	usage      chat.Usage
	hasUsage   bool
	firstToken time.Duration
	total      time.Duration
	n          int            // pieces delivered by this attempt
	begun      bool           // tied to its call
	rest       *http.Response // whose body is still open
}

func newAttempt() any {
	a := &attempt{}
	a.over = func() { a.life.Cancel(nil) }
	a.slow = func() { a.life.Cancel(errSlow) }
	return a
}

// attempt takes one from the pool; give it back with release.
func (c *Client) attempt(cfg *Config, t chat.Target, out receiver) *attempt {
	a := c.attempts.Get().(*attempt)
	a.home = &c.attempts
	a.try = try{cfg: cfg, target: t, out: out}
	a.scan.Reset()
	return a
}

func (a *attempt) release() {
	a.events.r, a.events.reader = nil, nil
	a.fields.reset()
	a.try, a.carry = try{}, a.carry[:0] // nothing of a secret or an answer stays reachable
	if !a.spoiled && a.life.Reset() {
		a.home.Put(a)
	}
}

// run makes the request and reads the answer; patience bounds the time to the
// first token. The error is nil, a *chat.UpstreamError, or the cause of ctx's
// end. hangUp is to follow, under the same ctx.
func (c *Client) run(ctx context.Context, a *attempt, r *request, patience time.Duration) error {
	var err error
	if a.url, err = c.urls.get(&a.target, "/chat/completions"); err != nil {
		return err
	}
	if err := a.checkPlain(); err != nil {
		return err
	}
	a.begin(ctx, patience)

	body := scratch.Get().(*buffer)
	body.b = r.body(body.b[:0], &a.target, c.quirks.of(&a.target))
	a.start = a.cfg.Now()
	c.inflight.Add(1)
	defer c.inflight.Add(-1)
	resp, err := c.post(a, r, body)
	if err != nil {
		a.total = a.cfg.Now().Sub(a.start)
		return a.broken(ctx, err)
	}
	a.rest, a.status, a.header = resp, resp.StatusCode, resp.Header
	err = a.read(resp, r.stream)
	a.out.pause()
	a.total = a.cfg.Now().Sub(a.start)
	if err != nil {
		a.drain(err)
		return a.broken(ctx, err)
	}
	if c, ours := resp.Body.(*plainConn); ours && c.state == ended {
		a.drain(nil) // there is nothing to wait for
	}
	return nil
}

// hangUp ends what run began: the connection, and the tie to the call.
func (a *attempt) hangUp(ctx context.Context) {
	a.drain(nil)
	if a.begun {
		a.end(ctx)
	}
}

// post sends the call over a connection of our own or of net/http's. It takes
// body over.
func (c *Client) post(a *attempt, r *request, body *buffer) (*http.Response, error) {
	if p := c.pools.plain(a.cfg, a.url, &a.target); p != nil {
		defer scratch.Put(body)
		return p.post(a, body.b, r.accept())
	}
	sent := &sending{}
	req := newRequest(a.foreign(), &a.target, a.url, body.b, r.stream, sent)
	resp, err := c.pools.get(a.cfg, a.url).RoundTrip(req)
	if resp != nil {
		resp.Body = &givesBack{resp.Body, body, sent}
	}
	return resp, err
}

// givesBack lets a call's body be used again once its answer was read.
type givesBack struct {
	io.ReadCloser
	body *buffer
	sent *sending
}

// Close implements io.Closer.
func (g *givesBack) Close() error {
	err := g.ReadCloser.Close()
	if g.body != nil && g.sent.over() {
		scratch.Put(g.body)
		g.body = nil
	}
	return err
}

// drain reads what is left of the body, if it was not closed yet, for a short
// while, so that the connection can be used again, and closes it.
func (a *attempt) drain(err error) {
	resp := a.rest
	if resp == nil {
		return
	}
	a.rest = nil
	defer resp.Body.Close()
	if err != nil && !errors.Is(err, errRefused) {
		a.life.Cancel(nil) // the rest is of no use
		return
	}
	wait := afterDone
	if resp.ProtoMajor >= 2 {
		wait = afterDone2
	}
	a.timer.Reset(wait)
	a.events.drop(resp.Body, 16<<10)
}

// readEvents reads a streamed answer.
func (a *attempt) readEvents() error {
	for !a.done {
		data, err := a.events.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			if a.ended {
				break // the answer itself is complete
			}
			return err
		}
		if err := a.chunk(data); errors.Is(err, errEnough) {
			a.life.Cancel(errEnough)
			a.finish = "length"
			return nil
		} else if err != nil {
			return err
		}
	}
	return a.conclude()
}

// chunk takes the data of one event.
func (a *attempt) chunk(data []byte) error {
	if raw, ok := a.scan.Token(data); ok {
		return a.deliver(raw)
	}
	if string(data) == "[DONE]" {
		a.ended, a.done = true, true
		return nil
	}
	if c, ok := a.closing.Read(data); ok {
		a.close(&c)
		return nil
	}
	chunk, err := codec.DecodeChunk(data)
	if err != nil {
		var complete bool
		if data, complete = a.events.rest(data); !complete {
			return io.ErrUnexpectedEOF // broken off within an event
		}
		if chunk, err = codec.DecodeChunk(data); err != nil {
			return a.bad("a piece of its stream is not valid JSON", err)
		}
	}
	return a.take(&chunk, data)
}

// close reads what a chunk without text says.
func (a *attempt) close(c *codec.Closing) {
	if c.HasUsage {
		a.usage, a.hasUsage = usageOf(c.Usage), true
	}
	if c.Finish != "" {
		a.finish, a.ended = c.Finish, true
		a.timer.Reset(min(afterEnd, a.cfg.Timeout))
	}
}

func usageOf(u codec.Tokens) chat.Usage {
	return chat.Usage{Prompt: u.Prompt, Completion: u.Completion, Cached: u.Cached}
}

// deliver passes one raw token on.
func (a *attempt) deliver(raw []byte) error {
	if len(raw) == 2 { // says nothing, as the role's chunk does
		return nil
	}
	if len(a.carry) > 0 || codec.OpenTail(raw) > 0 {
		if raw = a.mend(raw); len(raw) == 2 {
			return nil
		}
	}
	now := a.cfg.Now()
	if a.n == 0 {
		a.firstToken = now.Sub(a.start)
	} else if now.Sub(a.start) > a.cfg.StreamLife {
		return errEnough
	}
	if !a.out.piece(raw) {
		return errEnough
	}
	a.n++
	a.timer.Reset(a.cfg.Timeout)
	return nil
}

// mend puts what was carried over before raw, and carries over what raw ends
// with of a character, so that each token can be decoded for itself.
func (a *attempt) mend(raw []byte) []byte {
	whole := codec.JoinTokens(nil, append(append([]byte{'"'}, a.carry...), '"'), raw)
	tail := codec.OpenTail(whole)
	end := len(whole) - 1 - tail
	a.carry = append(a.carry[:0], whole[end:len(whole)-1]...)
	return append(whole[:end], '"')
}

// take reads a decoded chunk: everything but the plain pieces.
func (a *attempt) take(chunk *codec.Chunk, data []byte) error {
	if codec.Present(chunk.Error) {
		return a.errorInside(data)
	}
	a.takeUsage(chunk.Usage)
	first := chunk.First()
	if first == nil {
		if len(chunk.Choices) == 0 && !codec.Present(chunk.Usage) && codec.Present(chunk.Message) {
			return a.errorInside(data)
		}
		return nil
	}
	a.takeUsage(first.Usage)
	part := &first.Delta
	if codec.Present(first.Message.Content) || codec.Present(first.Message.ToolCalls) {
		part = &first.Message
	}
	if codec.Present(part.ToolCalls) {
		a.tool = true
	}
	if codec.Present(part.Reasoning) {
		a.reasoned = true
		if a.cfg.Now().Sub(a.start) > a.cfg.StreamLife {
			return errEnough
		}
		a.timer.Reset(a.cfg.Timeout) // it thinks: that is no silence
	}
	if raw, ok := part.Token(); ok {
		if err := a.deliver(raw); err != nil {
			return err
		}
	}
	if first.FinishReason != "" {
		a.finish, a.ended = first.FinishReason, true
		a.timer.Reset(min(afterEnd, a.cfg.Timeout))
	}
	return nil
}

func (a *attempt) takeUsage(raw []byte) {
	if u, ok := codec.DecodeUsage(raw); ok {
		a.usage, a.hasUsage = usageOf(u), true
	}
}

// conclude judges an answer that came to its end. Half a character that is
// left over then is none.
func (a *attempt) conclude() error {
	if a.finish == "content_filter" || a.finish == "sensitive" {
		return a.fault(chat.FaultContent, "the provider's content filter withheld the answer", nil)
	}
	if !a.ended {
		if a.out.delivered() == 0 && a.status == http.StatusOK && !a.reasoned {
			return a.bad("its stream ended without an answer", nil)
		}
		return errNoEnd
	}
	if a.out.delivered() > 0 {
		return nil
	}
	switch {
	case a.tool:
		return a.bad("the model asked for a tool instead of answering; no tools were offered to it", nil)
	case a.finish == "length" && a.reasoned:
		return a.bad("the model spent the whole token bound on reasoning; raise the bound on answers or choose another model", nil)
	}
	return a.bad("its answer has no text", nil)
}

// ending is the domain's word for how the answer ended.
func (a *attempt) ending() chat.Finish {
	switch a.finish {
	case "length", "max_tokens":
		return chat.FinishLength
	case "content_filter", "sensitive":
		return chat.FinishBlocked
	}
	return chat.FinishStop
}
