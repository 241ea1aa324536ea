package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/codec"
)

// Bounds of the visitors' protocol.
const (
	MaxFrame      = 16 << 10 // bytes a frame from a visitor
	MaxClientID   = 64       // characters of a message's id
	MaxToken      = 1024     // bytes of a visitor's token
	MaxIdentity   = 4096     // bytes of a signed identity
	MaxPageField  = 2048     // bytes of a page's URL, title, referrer
	MaxComment    = 1000     // characters of a rating's comment
	Subprotocol   = "haoke.v1"
	TypeHello     = "hello"
	TypeMessage   = "message"
	TypeTyping    = "typing"
	TypeStop      = "stop"
	TypeHuman     = "human"
	TypeRate      = "rate"
	TypeRead      = "read"
	TypePing      = "ping"
	TypeContext   = "context"
	StateThinking = "thinking"
	StateQueued   = "queued"
	StateIdle     = "idle"
	StateTyping   = "typing"
)

// Error codes of error frames.
const (
	CodeBadFrame    = "bad_frame"
	CodeUnknownType = "unknown_type"
	CodeTooLong     = "too_long"
	CodeRateLimited = "rate_limited"
	CodeBlocked     = "blocked"
	CodeOverBudget  = "over_budget"
	CodeUnavailable = "unavailable"
	CodeBadToken    = "bad_token"
)

// Close codes of the visitors' WebSocket. 4000-4099 may reconnect, when the
// README says; 4100-4199 are final.
const (
	CloseGoingAway = 1001
	ClosePolicy    = 1008
	CloseTooBig    = 1009
	CloseReplaced  = 4000
	CloseNoHello   = 4001
	CloseProtocol  = 4002
	CloseTooSlow   = 4003
	CloseTooMany   = 4008
)

// ClientFrame is any frame that a visitor sends. Which fields count depends on
// Type; unknown fields are ignored.
type ClientFrame struct {
	Type string `json:"type"`

	Token  string          `json:"token"`
	After  int64           `json:"after"`
	Epoch  string          `json:"epoch"`
	User   string          `json:"user"`
	Locale string          `json:"locale"`
	Page   *chat.Page      `json:"page"`
	ID     string          `json:"id"`
	Text   string          `json:"text"`
	On     bool            `json:"on"`
	Seq    int64           `json:"seq"`
	Score  int             `json:"score"`
	Note   string          `json:"comment"`
	T      json.RawMessage `json:"t"`

	// Visitor is what the visitor typed into the form before the chat, by
	// field: not verified, shown to operators, never a right. See Told.
	Visitor json.RawMessage `json:"visitor"`
	// Attributes, Tags (to add), Untags (to remove) and Event are what the
	// page says of the visit; in hello and context. See Told.
	Attributes json.RawMessage `json:"attributes"`
	Tags       json.RawMessage `json:"tags"`
	Untags     json.RawMessage `json:"untags"`
	Event      json.RawMessage `json:"event"`
	// HMAC is the identity of those who come from a product that signs only
	// the visitor's id: hex of HMAC-SHA-256(secret, id).
	HMAC *struct {
		ID   string `json:"id"`
		Hash string `json:"hash"`
	} `json:"hmac"`
}

// ErrFrame is the base of everything that is wrong with a frame's form.
var ErrFrame = errors.New("bad frame")

// DecodeClient reads one frame. Errors wrap ErrFrame and say what is wrong in
// words that may be shown to the client's author.
func DecodeClient(data []byte, f *ClientFrame) error {
	if len(data) > MaxFrame {
		return fmt.Errorf("%w: more than %d bytes", ErrFrame, MaxFrame)
	}
	if !utf8.Valid(data) {
		return fmt.Errorf("%w: not valid UTF-8", ErrFrame)
	}
	*f = ClientFrame{}
	if err := codec.Decode(data, f); err != nil {
		return fmt.Errorf("%w: not a JSON object of the protocol", ErrFrame)
	}
	if f.Type == "" {
		return fmt.Errorf("%w: no type", ErrFrame)
	}
	return f.check()
}

// check bounds the fields that a hostile client could blow up.
func (f *ClientFrame) check() error {
	switch {
	case utf8.RuneCountInString(f.ID) > MaxClientID:
		return fmt.Errorf("%w: id has more than %d characters", ErrFrame, MaxClientID)
	case len(f.Token) > MaxToken:
		return fmt.Errorf("%w: token is too long", ErrFrame)
	case len(f.User) > MaxIdentity:
		return fmt.Errorf("%w: user is too long", ErrFrame)
	case f.After < 0:
		return fmt.Errorf("%w: after is negative", ErrFrame)
	}
	switch f.Type {
	case TypeMessage:
		if f.ID == "" {
			return fmt.Errorf("%w: message without id", ErrFrame)
		}
	case TypeRate:
		if f.Score < 1 || f.Score > 5 {
			return fmt.Errorf("%w: score is not 1 to 5", ErrFrame)
		}
		f.Note = Clip(f.Note, MaxComment)
	}
	if f.Page != nil {
		f.Page.URL = clipBytes(f.Page.URL, MaxPageField)
		f.Page.Title = clipBytes(f.Page.Title, MaxPageField)
		f.Page.Referrer = clipBytes(f.Page.Referrer, MaxPageField)
	}
	return nil
}

// Clip cuts s to at most n characters, at a character's border.
func Clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	count := 0
	for i := range s {
		if count == n {
			return s[:i]
		}
		count++
	}
	return s
}

// clipBytes cuts s to at most n bytes, at a character's border.
func clipBytes(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// Welcome is what a welcome frame says.
type Welcome struct {
	Conversation chat.ConversationID
	Token        string
	Epoch        string
	Seq          int64
	Mode         chat.Mode
	Settings     []byte // a JSON object, already encoded
}

// AppendWelcome appends a welcome frame to dst.
func AppendWelcome(dst []byte, w Welcome) []byte {
	dst = append(dst, `{"type":"welcome","conversation":`...)
	dst = codec.AppendString(dst, string(w.Conversation))
	dst = append(dst, `,"token":`...)
	dst = codec.AppendString(dst, w.Token)
	dst = append(dst, `,"epoch":`...)
	dst = codec.AppendString(dst, w.Epoch)
	dst = append(dst, `,"seq":`...)
	dst = strconv.AppendInt(dst, w.Seq, 10)
	dst = append(dst, `,"mode":`...)
	dst = codec.AppendString(dst, string(w.Mode))
	dst = append(dst, `,"settings":`...)
	if len(w.Settings) == 0 {
		dst = append(dst, `{}`...)
	} else {
		dst = append(dst, w.Settings...)
	}
	return append(dst, '}')
}

// AppendAck appends an ack frame to dst.
func AppendAck(dst []byte, id string, seq int64) []byte {
	dst = append(dst, `{"type":"ack","id":`...)
	dst = codec.AppendString(dst, id)
	dst = append(dst, `,"seq":`...)
	dst = strconv.AppendInt(dst, seq, 10)
	return append(dst, '}')
}

// AppendAI appends an ai frame to dst. raw is a complete JSON string token and
// goes into the frame as it is. It allocates only when dst is too small.
func AppendAI(dst []byte, seq int64, part int, raw []byte) []byte {
	dst = append(dst, `{"type":"ai","seq":`...)
	dst = strconv.AppendInt(dst, seq, 10)
	dst = append(dst, `,"part":`...)
	dst = strconv.AppendInt(dst, int64(part), 10)
	dst = append(dst, `,"data":`...)
	dst = append(dst, raw...)
	return append(dst, '}')
}

// AppendMessage appends the frame of a durable message to dst. Author, Mark
// and Turn are the owner's and stay behind, except that an operator's name is
// sent as "name".
func AppendMessage(dst []byte, m *chat.Message) []byte {
	dst = append(dst, `{"type":"message","seq":`...)
	dst = strconv.AppendInt(dst, m.Seq, 10)
	dst = append(dst, `,"from":`...)
	dst = codec.AppendString(dst, string(m.From))
	dst = append(dst, `,"text":`...)
	dst = codec.AppendString(dst, m.Text)
	dst = append(dst, `,"at":"`...)
	dst = m.At.UTC().AppendFormat(dst, time.RFC3339Nano)
	dst = append(dst, '"')
	if m.ClientID != "" {
		dst = append(dst, `,"id":`...)
		dst = codec.AppendString(dst, m.ClientID)
	}
	if m.Finish != "" {
		dst = append(dst, `,"finish":`...)
		dst = codec.AppendString(dst, string(m.Finish))
	}
	if m.From == chat.FromOperator && m.Author != "" {
		dst = append(dst, `,"name":`...)
		dst = codec.AppendString(dst, m.Author)
	}
	if len(m.Sources) > 0 {
		dst = append(dst, `,"sources":[`...)
		for i, s := range m.Sources {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(dst, `{"title":`...)
			dst = codec.AppendString(dst, s.Title)
			if s.URL != "" {
				dst = append(dst, `,"url":`...)
				dst = codec.AppendString(dst, s.URL)
			}
			dst = append(dst, '}')
		}
		dst = append(dst, ']')
	}
	return append(dst, '}')
}

// AppendStatus appends a status frame to dst. position 0 and an empty mode are
// left out.
func AppendStatus(dst []byte, state string, position int, mode chat.Mode) []byte {
	dst = append(dst, `{"type":"status","state":`...)
	dst = codec.AppendString(dst, state)
	if position > 0 {
		dst = append(dst, `,"position":`...)
		dst = strconv.AppendInt(dst, int64(position), 10)
	}
	if mode != "" {
		dst = append(dst, `,"mode":`...)
		dst = codec.AppendString(dst, string(mode))
	}
	return append(dst, '}')
}

// AppendError appends an error frame to dst. message is shown to the visitor;
// retryAfter under a second is left out, id "" too.
func AppendError(dst []byte, code, message string, retryAfter time.Duration, id string) []byte {
	dst = append(dst, `{"type":"error","code":`...)
	dst = codec.AppendString(dst, code)
	dst = append(dst, `,"message":`...)
	dst = codec.AppendString(dst, message)
	if retryAfter > 0 {
		dst = append(dst, `,"retry_after":`...)
		dst = strconv.AppendInt(dst, int64((retryAfter+time.Second-1)/time.Second), 10)
	}
	if id != "" {
		dst = append(dst, `,"id":`...)
		dst = codec.AppendString(dst, id)
	}
	return append(dst, '}')
}

// AppendPong appends a pong frame to dst; t is the ping's, as it came, or
// empty.
func AppendPong(dst []byte, t []byte) []byte {
	if len(t) == 0 {
		return append(dst, `{"type":"pong"}`...)
	}
	dst = append(dst, `{"type":"pong","t":`...)
	dst = append(dst, t...)
	return append(dst, '}')
}
