package loadtest

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"haoke/backend/internal/codec"
)

// ask is one question under way.
type ask struct {
	id   string
	text string
	want string // what the answer must contain; empty: anything
}

// event is what a frame meant for the question under way.
type event int

const (
	nothing  event = iota
	acked          // the question is on disk
	began          // the first piece came
	went           // a further piece came
	answered       // the durable answer came: the turn is over
	refused        // an error frame: it was not accepted
)

// checker follows one conversation and finds every frame that is not as the
// protocol promises. It is not safe for concurrent use.
type checker struct {
	seq    int64 // last durable seq seen
	ask    *ask
	ackSeq int64
	aiSeq  int64
	part   int
	text   []byte // the pieces so far
	code   string // of the last error frame
}

// frameView is the part of any server frame that is checked.
type frameView struct {
	Type string `json:"type"`
	ID   string `json:"id"`
	Seq  int64  `json:"seq"`
	Part int    `json:"part"`
	From string `json:"from"`
	Text string `json:"text"`
	Code string `json:"code"`
	End  string `json:"finish"`

	Token string `json:"token"` // of a welcome
}

// start begins a question; nothing may be under way.
func (c *checker) start(a *ask) {
	c.ask, c.ackSeq, c.aiSeq, c.part, c.text = a, 0, 0, 0, c.text[:0]
}

// frame checks one frame from the server.
func (c *checker) frame(b []byte) (event, error) {
	if seq, part, raw, ok := fastAI(b); ok {
		return c.piece(seq, part, raw)
	}
	var f frameView
	if err := codec.Decode(b, &f); err != nil {
		return nothing, fmt.Errorf("frame: %w", err)
	}
	switch f.Type {
	case "ack":
		return c.ack(&f)
	case "ai":
		var data struct {
			Data codecRaw `json:"data"`
		}
		if err := codec.Decode(b, &data); err != nil {
			return nothing, fmt.Errorf("frame: %w", err)
		}
		return c.piece(f.Seq, f.Part, data.Data)
	case "message":
		return c.message(&f)
	case "error":
		c.code = f.Code
		if c.ask != nil && f.ID == c.ask.id {
			return refused, nil
		}
		return nothing, fmt.Errorf("error frame %s", f.Code)
	case "status", "pong":
		return nothing, nil
	}
	return nothing, fmt.Errorf("frame of type %q", f.Type)
}

// codecRaw is a value as it stands in the frame.
type codecRaw []byte

// UnmarshalJSON implements json.Unmarshaler.
func (r *codecRaw) UnmarshalJSON(b []byte) error { *r = append((*r)[:0], b...); return nil }

func (c *checker) ack(f *frameView) (event, error) {
	switch {
	case c.ask == nil || f.ID != c.ask.id:
		return nothing, fmt.Errorf("ack of %q, which is not under way", f.ID)
	case c.ackSeq != 0:
		return nothing, fmt.Errorf("second ack of %q", f.ID)
	case f.Seq <= c.seq:
		return nothing, fmt.Errorf("ack with seq %d after %d", f.Seq, c.seq)
	}
	c.ackSeq = f.Seq
	return acked, nil
}

func (c *checker) piece(seq int64, part int, raw []byte) (event, error) {
	if c.ask == nil || c.ackSeq == 0 {
		return nothing, fmt.Errorf("piece before an acknowledged question")
	}
	if part == 0 {
		c.text, c.part, c.aiSeq = c.text[:0], 0, seq
	}
	if part != c.part || seq != c.aiSeq || seq <= c.ackSeq {
		return nothing, fmt.Errorf("piece %d of %d, expected %d of %d", part, seq, c.part, c.aiSeq)
	}
	c.part++
	var err error
	if c.text, err = codec.AppendUnquote(c.text, raw); err != nil {
		return nothing, fmt.Errorf("piece %d: %w", part, err)
	}
	if part == 0 {
		return began, nil
	}
	return went, nil
}

func (c *checker) message(f *frameView) (event, error) {
	// A server may keep the visitor's own message to itself; nothing else may
	// be missing.
	if f.Seq != c.seq+1 && (f.From != "ai" || c.seq+1 != c.ackSeq || f.Seq != c.seq+2) {
		return nothing, fmt.Errorf("message %d after %d", f.Seq, c.seq)
	}
	switch f.From {
	case "visitor":
		return nothing, c.echo(f)
	case "ai":
	default:
		c.seq = f.Seq
		return answered, fmt.Errorf("%s message with finish %q instead of an answer", f.From, f.End)
	}
	c.seq = f.Seq
	a := c.ask
	switch {
	case a == nil || c.ackSeq == 0:
		return nothing, fmt.Errorf("answer without a question")
	case f.Seq <= c.ackSeq:
		return answered, fmt.Errorf("answer %d to question %d", f.Seq, c.ackSeq)
	case f.End != "stop":
		return answered, fmt.Errorf("answer with finish %q", f.End)
	case c.part == 0 && f.Text != "":
		return answered, fmt.Errorf("answer without pieces")
	case strings.TrimSpace(f.Text) != string(bytes.TrimSpace(c.text)):
		return answered, fmt.Errorf("durable text differs from its pieces")
	case !strings.Contains(f.Text, a.want):
		return answered, fmt.Errorf("answer belongs to another question")
	}
	c.ask = nil
	return answered, nil
}

// echo is the visitor's own message, as durable.
func (c *checker) echo(f *frameView) error {
	c.seq = f.Seq
	if c.ask == nil || f.ID != c.ask.id || f.Seq != c.ackSeq {
		return fmt.Errorf("own message %q as %d, acknowledged as %d", f.ID, f.Seq, c.ackSeq)
	}
	if f.Text != c.ask.text {
		return fmt.Errorf("own message %d came back changed", f.Seq)
	}
	return nil
}

// fastAI reads an ai frame in the form that Haoke writes; anything else goes
// the long way.
func fastAI(b []byte) (seq int64, part int, raw []byte, ok bool) {
	rest, ok := bytes.CutPrefix(b, []byte(`{"type":"ai","seq":`))
	if !ok {
		return 0, 0, nil, false
	}
	num, rest, ok1 := bytes.Cut(rest, []byte(`,"part":`))
	pn, rest, ok2 := bytes.Cut(rest, []byte(`,"data":`))
	if !ok1 || !ok2 || len(rest) < 3 || rest[len(rest)-1] != '}' {
		return 0, 0, nil, false
	}
	seq, err1 := strconv.ParseInt(string(num), 10, 64)
	part, err2 := strconv.Atoi(string(pn))
	raw = rest[:len(rest)-1]
	return seq, part, raw, err1 == nil && err2 == nil && codec.ValidToken(raw)
}
