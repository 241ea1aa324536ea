package gateway_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/gateway"
	"haoke/backend/internal/wsconn"
)

func TestRestartTakesUpTheOpenTurn(t *testing.T) {
	dir := t.TempDir()
	started := make(chan struct{})
	up := &upstream{script: func(ctx context.Context, _ chat.Call, _ chat.Sink) (chat.Result, error) {
		close(started)
		<-ctx.Done()
		return chat.Result{}, context.Cause(ctx)
	}}
	s := open1(t, dir, up, nil)
	v := s.visit()
	w := v.hello()
	v.send(`{"type":"message","id":"m","text":"are you there"}`)
	<-started
	s.stop()
	if code := v.closed(); code != 1001 {
		t.Fatalf("close code %d", code)
	}
	s2 := open1(t, dir, &upstream{}, nil)
	v2 := s2.visit()
	v2.send(`{"type":"hello","token":%q,"after":1}`, w.Token)
	if f := v2.answer(); f.Text != "You said: are you there" || f.Seq != 2 {
		t.Fatalf("after the restart: %+v", f)
	}
}

func TestAskForAPersonAndTakeOver(t *testing.T) {
	up := &upstream{}
	s := open1(t, t.TempDir(), up, nil)
	v := s.visit()
	w := v.hello()
	id := chat.ConversationID(w.Conversation)
	v.send(`{"type":"human"}`)
	if f := v.untilType("message"); f.From != "system" || f.Seq != 1 {
		t.Fatalf("handover: %+v", f)
	}
	if f := v.untilType("status"); f.Mode != "waiting" {
		t.Fatalf("mode: %+v", f)
	}
	v.send(`{"type":"message","id":"m","text":"my parcel is broken"}`)
	v.until(func(f frame) bool { return f.Type == "message" && f.From == "visitor" })
	if _, err := s.engine.SetMode(v.ctx, id, chat.ModeHuman, "Anna"); err != nil {
		t.Fatal(err)
	}
	v.until(func(f frame) bool { return f.Type == "status" && f.Mode == "human" })
	if _, err := s.engine.SetMode(v.ctx, id, chat.ModeHuman, "Ben"); !errors.Is(err, chat.ErrConflict) {
		t.Fatalf("a second operator could claim it: %v", err)
	}
	if _, err := s.engine.Say(v.ctx, id, "Anna", "I am looking into it", ""); err != nil {
		t.Fatal(err)
	}
	if f := v.until(func(f frame) bool { return f.From == "operator" }); f.Text != "I am looking into it" {
		t.Fatalf("operator: %+v", f)
	}
	if up.count() != 0 {
		t.Fatal("the AI answered while a person was asked for")
	}
}

func TestRefusalsBeforeTheUpgrade(t *testing.T) {
	s := open1(t, t.TempDir(), &upstream{}, nil)
	for name, c := range map[string]struct {
		cfg  wsconn.DialConfig
		want int
	}{
		"foreign origin":          {wsconn.DialConfig{Origin: "https://evil.example"}, 403},
		"look-alike":              {wsconn.DialConfig{Origin: "https://shop.example.evil.example"}, 403},
		"wrong scheme":            {wsconn.DialConfig{Origin: "http://shop.example"}, 403},
		"null":                    {wsconn.DialConfig{Origin: "null"}, 403},
		"rebinding":               {wsconn.DialConfig{Origin: "http://evil.example", Host: "evil.example"}, 421},
		"allowed":                 {wsconn.DialConfig{Origin: "https://shop.example"}, 101},
		"own page":                {wsconn.DialConfig{Origin: s.server.URL}, 101},
		"program without a page":  {wsconn.DialConfig{}, 101},
		"allowed, default port":   {wsconn.DialConfig{Origin: "https://shop.example:443"}, 101},
		"allowed, another port":   {wsconn.DialConfig{Origin: "https://shop.example:8443"}, 403},
		"localhost by its name":   {wsconn.DialConfig{Host: "localhost:1"}, 101},
		"upper case is the same":  {wsconn.DialConfig{Origin: "HTTPS://SHOP.EXAMPLE"}, 101},
		"an origin with a path":   {wsconn.DialConfig{Origin: "https://evil.example/https://shop.example"}, 403},
		"an origin with userinfo": {wsconn.DialConfig{Origin: "https://shop.example@evil.example"}, 403},
	} {
		c2, status, err := s.dial(c.cfg)
		if c2 != nil {
			c2.Cut()
		}
		if status != c.want {
			t.Errorf("%s: status %d (%v), want %d", name, status, err, c.want)
		}
	}
}

func TestLimitsAndBadFrames(t *testing.T) {
	s := open1(t, t.TempDir(), &upstream{}, func(l *gateway.Live) { l.Limits.MessagesAMinute = 3 })
	v := s.visit()
	v.hello()
	v.send(`{"type":"message","id":"long","text":%q}`, strings.Repeat("x", 101))
	if f := v.untilType("error"); f.Code != "too_long" || f.ID != "long" {
		t.Fatalf("too long: %+v", f)
	}
	v.send(`{"type":"dance"}`)
	if f := v.untilType("error"); f.Code != "unknown_type" {
		t.Fatalf("unknown: %+v", f)
	}
	for _, bad := range []string{`{`, `[]`, `"x"`, `{"type":1}`, `{"type":"message","text":"x"}`, `{"type":"message","id":"e","text":" \u3000 "}`} {
		v.send("%s", bad)
		if f := v.untilType("error"); f.Code != "bad_frame" {
			t.Fatalf("%s: %+v", bad, f)
		}
	}
	for i := range 4 {
		v.send(`{"type":"message","id":"r%d","text":"opening hours?"}`, i)
	}
	if f := v.untilType("error"); f.Code != "rate_limited" || f.RetryAfter < 1 || f.ID != "r3" {
		t.Fatalf("rate: %+v", f)
	}
}

func TestCloseCodes(t *testing.T) {
	s := open1(t, t.TempDir(), &upstream{}, nil)
	t.Run("no hello", func(t *testing.T) {
		if code := s.visit().closed(); code != 4001 {
			t.Errorf("code %d", code)
		}
	})
	t.Run("hello must come first", func(t *testing.T) {
		v := s.visit()
		v.send(`{"type":"message","id":"a","text":"x"}`)
		if code := v.closed(); code != 4002 {
			t.Errorf("code %d", code)
		}
	})
	t.Run("too big", func(t *testing.T) {
		v := s.visit()
		v.hello()
		v.send(`{"type":"message","id":"a","text":%q}`, strings.Repeat("x", 20000))
		if code := v.closed(); code != 1009 {
			t.Errorf("code %d", code)
		}
	})
	t.Run("binary", func(t *testing.T) {
		v := s.visit()
		v.hello()
		v.c.WriteBinary(v.ctx, []byte("x"))
		if code := v.closed(); code != 4002 {
			t.Errorf("code %d", code)
		}
	})
	t.Run("too many", func(t *testing.T) {
		s := open1(t, t.TempDir(), &upstream{}, func(l *gateway.Live) { l.Limits.PerIP = 1 })
		s.visit().hello()
		if code := s.visit().closed(); code != 4008 {
			t.Errorf("code %d", code)
		}
	})
	t.Run("bad token", func(t *testing.T) {
		v := s.visit()
		v.send(`{"type":"hello","token":"AQID"}`)
		if f := v.next(); f.Code != "bad_token" {
			t.Fatalf("%+v", f)
		}
		v.hello()
	})
}
