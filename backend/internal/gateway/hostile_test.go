package gateway_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/gateway"
	"haoke/backend/internal/wsconn"
)

// TestOneAddressCannotTakeAllPlaces: sockets that are refused take no more than
// as many places again, so that others still come in.
func TestOneAddressCannotTakeAllPlaces(t *testing.T) {
	s := open1(t, t.TempDir(), &upstream{}, func(l *gateway.Live) { l.Limits.PerIP, l.Limits.Connections = 2, 100 })
	s.visit().hello()
	s.visit().hello()
	told, refused := 0, 0
	for range 30 {
		c, status, err := s.dial(wsconn.DialConfig{})
		switch {
		case err == nil:
			told++
			t.Cleanup(func() { c.Cut() }) // it does not answer the close frame
		case status == 503:
			refused++
		default:
			t.Fatalf("%d %v", status, err)
		}
	}
	if told > 2 || refused < 28 || s.gateway.Connections() > 4 {
		t.Errorf("%d told by a close code, %d refused before, %d places taken", told, refused, s.gateway.Connections())
	}
}

// limited says whether the visitor's frame is refused for its rate, by whether
// an error or a sign of life comes first.
func (v *visitor) limited(format string, args ...any) bool {
	v.t.Helper()
	v.send(format, args...)
	v.send(`{"type":"ping","t":1}`)
	for {
		switch f := v.next(); {
		case f.Type == "error":
			if f.Code != "rate_limited" || f.RetryAfter < 1 {
				v.t.Fatalf("%+v", f)
			}
			v.untilType("pong")
			return true
		case f.Type == "pong":
			return false
		}
	}
}

// TestMessagesOfOneAddress: coming back as somebody else does not help who has
// written as much as all visitors of one address together may.
func TestMessagesOfOneAddress(t *testing.T) {
	for _, frame := range []string{`{"type":"message","id":"%d","text":"opening hours?"}`, `{"type":"human","id":"%d"}`} {
		s := open1(t, t.TempDir(), &upstream{}, func(l *gateway.Live) { l.Limits.PerIP, l.Limits.MessagesAMinute = 2, 3 })
		taken := 0
		for i := range 10 {
			v := s.visit()
			v.hello()
			if !v.limited(frame, i) {
				taken++
			}
			v.c.Close()
			for s.gateway.Connections() > 0 {
				time.Sleep(time.Millisecond)
			}
		}
		if taken != 6 {
			t.Errorf("%s: %d of 10 strangers were heard, 6 may be", frame, taken)
		}
	}
}

// TestRatingsAreHeldBack: each is written to the disk.
func TestRatingsAreHeldBack(t *testing.T) {
	s := open1(t, t.TempDir(), &upstream{}, func(l *gateway.Live) { l.Limits.MessagesAMinute = 3 })
	v := s.visit()
	v.hello()
	v.send(`{"type":"message","id":"a","text":"opening hours?"}`)
	v.until(func(f frame) bool { return f.From == "ai" })
	taken := 0
	for range 100 {
		if !v.limited(`{"type":"rate","seq":2,"score":5}`) {
			taken++
		}
	}
	if taken < 3 || taken > 35 {
		t.Errorf("%d of 100 ratings were taken", taken)
	}
}

// TestAnotherPersonGetsAnotherConversation: on a shared machine the page keeps
// the token of whoever was there before.
func TestAnotherPersonGetsAnotherConversation(t *testing.T) {
	s := open1(t, t.TempDir(), &upstream{}, nil)
	as := func(sub string) string {
		text, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"sub": sub}).SignedString([]byte("shop secret"))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	v := s.visit()
	v.send(`{"type":"hello","user":%q}`, as("amy"))
	mine := v.untilType("welcome")
	v.send(`{"type":"message","id":"a","text":"my order of the 5th"}`)
	v.until(func(f frame) bool { return f.From == "ai" })

	other := s.visit()
	other.send(`{"type":"hello","token":%q,"user":%q}`, mine.Token, as("ben"))
	if f := other.next(); f.Type != "error" || f.Code != "bad_token" {
		t.Fatalf("another person got %+v", f)
	}
	other.send(`{"type":"hello","user":%q}`, as("ben"))
	if f := other.untilType("welcome"); f.Conversation == mine.Conversation || f.Seq != 0 {
		t.Errorf("another person got %+v", f)
	}
	for _, user := range []string{as("amy"), "", strings.Repeat("x", 20)} {
		again := s.visit()
		again.send(`{"type":"hello","token":%q,"user":%q}`, mine.Token, user)
		if f := again.untilType("welcome"); f.Conversation != mine.Conversation || f.Seq != 2 {
			t.Errorf("%q got %+v", user, f)
		}
	}
}

// panicky panics where a typing signal is taken.
type panicky struct{ gateway.Turns }

func (panicky) Typing(chat.ConversationID, bool) { panic("boo") }

// TestAPanicCostsOneSocket and not the program.
func TestAPanicCostsOneSocket(t *testing.T) {
	s := open1(t, t.TempDir(), &upstream{}, nil)
	var said bytes.Buffer
	g, err := gateway.New(gateway.Config{
		Secret: []byte(strings.Repeat("k", 32)), Live: func() *gateway.Live { return s.live },
		ClientIP: func(*http.Request) string { return "127.0.0.1" },
	}, gateway.NewHub(s.sessions), panicky{s.engine}, s.sessions, quiet{}, slog.New(slog.NewTextHandler(&said, nil)))
	if err != nil {
		t.Fatal(err)
	}
	s.server.Config.Handler = g
	v, other := s.visit(), s.visit()
	v.hello()
	other.hello()
	v.send(`{"type":"typing","on":true}`)
	if code := v.closed(); code != 1001 {
		t.Errorf("code %d", code)
	}
	if other.limited(`{"type":"ping"}`) {
		t.Error("another's socket does not answer")
	}
	for g.Connections() > 1 {
		time.Sleep(time.Millisecond)
	}
	if !strings.Contains(said.String(), "boo") || !strings.Contains(said.String(), "hostile_test.go") {
		t.Errorf("the log says %s", said.String())
	}
}
