package gateway_test

import (
	"context"
	"strings"
	"testing"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/codec"
	"haoke/backend/internal/engine"
)

func TestAskAndReadAStreamedAnswer(t *testing.T) {
	s := open1(t, t.TempDir(), &upstream{}, nil)
	v := s.visit()
	if w := v.hello(); w.Seq != 0 || w.Mode != "ai" || w.Token == "" || w.Conversation == "" || w.Epoch == "" {
		t.Fatalf("welcome %+v", w)
	}
	v.send(`{"type":"message","id":"a1","text":"good morning to you"}`)
	if f := v.next(); f.Type != "ack" || f.ID != "a1" || f.Seq != 1 {
		t.Fatalf("the first frame is not the ack: %+v", f)
	}
	if f := v.next(); f.Type != "message" || f.From != "visitor" || f.Seq != 1 || f.ID != "a1" {
		t.Fatalf("own message: %+v", f)
	}
	if f := v.next(); f.Type != "status" || f.State != "thinking" {
		t.Fatalf("status: %+v", f)
	}
	var text string
	for part := 0; ; part++ {
		f := v.next()
		if f.Type == "message" {
			if f.Seq != 2 || f.From != "ai" || f.Finish != "stop" || f.Text != text {
				t.Fatalf("durable answer %+v after the pieces %q", f, text)
			}
			break
		}
		if f.Type != "ai" || f.Seq != 2 || f.Part != part {
			t.Fatalf("piece %d: %+v", part, f)
		}
		text += f.Data
	}
	if text != "You said: good morning to you" {
		t.Fatalf("text %q", text)
	}
	if f := v.next(); f.State != "idle" {
		t.Fatalf("at the end: %+v", f)
	}
}

func TestRepeatedMessageIsAcknowledgedOnce(t *testing.T) {
	up := &upstream{}
	s := open1(t, t.TempDir(), up, nil)
	v := s.visit()
	v.hello()
	v.send(`{"type":"message","id":"x","text":"hello"}`)
	v.answer()
	v.send(`{"type":"message","id":"x","text":"hello"}`)
	if f := v.untilType("ack"); f.Seq != 1 {
		t.Fatalf("ack of the repetition: %+v", f)
	}
	v.send(`{"type":"ping","t":7}`)
	if f := v.next(); f.Type != "pong" || string(f.T) != "7" {
		t.Fatalf("something came of a repetition: %+v", f)
	}
	if up.count() != 1 {
		t.Fatalf("%d upstream calls", up.count())
	}
}

func TestResumeReplaysExactlyTheGap(t *testing.T) {
	s := open1(t, t.TempDir(), &upstream{}, nil)
	v := s.visit()
	w := v.hello()
	for i := range 3 {
		v.send(`{"type":"message","id":"m%d","text":"number %d"}`, i, i)
		v.answer()
	}
	v.c.Cut()
	v2 := s.visit()
	v2.send(`{"type":"hello","token":%q,"after":2,"epoch":%q}`, w.Token, w.Epoch)
	w2 := v2.untilType("welcome")
	if w2.Conversation != w.Conversation || w2.Seq != 6 || w2.Epoch != w.Epoch {
		t.Fatalf("welcome %+v, first %+v", w2, w)
	}
	for seq := int64(3); seq <= 6; seq++ {
		if f := v2.next(); f.Type != "message" || f.Seq != seq {
			t.Fatalf("replay at %d: %+v", seq, f)
		}
	}
}

func TestAHistoryThatWasCutGetsANewEpoch(t *testing.T) {
	s := open1(t, t.TempDir(), &upstream{}, nil)
	v := s.visit()
	w := v.hello()
	v.send(`{"type":"message","id":"m","text":"one"}`)
	v.answer()
	v.c.Cut()
	v2 := s.visit()
	v2.send(`{"type":"hello","token":%q,"after":9,"epoch":%q}`, w.Token, w.Epoch)
	if w2 := v2.untilType("welcome"); w2.Epoch == w.Epoch || w2.Seq != 2 {
		t.Fatalf("welcome %+v", w2)
	}
	if f := v2.next(); f.Seq != 1 {
		t.Fatalf("the replay does not start again: %+v", f)
	}
}

func TestTheHalfAnswerIsRestored(t *testing.T) {
	release := make(chan struct{})
	up := &upstream{script: func(_ context.Context, _ chat.Call, sink chat.Sink) (chat.Result, error) {
		for _, w := range []string{`"one "`, `"two "`} {
			if err := sink([]byte(w)); err != nil {
				return chat.Result{}, err
			}
		}
		<-release
		return chat.Result{Finish: chat.FinishStop}, sink([]byte(`"three"`))
	}}
	s := open1(t, t.TempDir(), up, nil)
	v := s.visit()
	w := v.hello()
	v.send(`{"type":"message","id":"m","text":"count"}`)
	v.until(func(f frame) bool { return f.Type == "ai" && f.Part == 1 })
	v.c.Cut()
	v2 := s.visit()
	v2.send(`{"type":"hello","token":%q,"after":1}`, w.Token)
	v2.untilType("welcome")
	for part, data := range []string{"one ", "two "} {
		if f := v2.next(); f.Type != "ai" || f.Part != part || f.Data != data || f.Seq != 2 {
			t.Fatalf("restored piece %d: %+v", part, f)
		}
	}
	if f := v2.next(); f.Type != "status" || f.State != "thinking" {
		t.Fatalf("state: %+v", f)
	}
	close(release)
	if f := v2.next(); f.Part != 2 || f.Data != "three" {
		t.Fatalf("going on: %+v", f)
	}
	if f := v2.next(); f.Type != "message" || f.Text != "one two three" {
		t.Fatalf("durable: %+v", f)
	}
}

func TestAMessageDuringTheAnswerMovesItsPieces(t *testing.T) {
	release := make(chan struct{})
	first := true
	up := &upstream{}
	up.script = func(_ context.Context, call chat.Call, sink chat.Sink) (chat.Result, error) {
		up.mu.Lock()
		wait := first
		first = false
		up.mu.Unlock()
		sink([]byte(`"A"`))
		if wait {
			<-release
		}
		sink([]byte(`"B"`))
		return chat.Result{Finish: chat.FinishStop}, nil
	}
	s := open1(t, t.TempDir(), up, nil)
	v := s.visit()
	v.hello()
	v.send(`{"type":"message","id":"m1","text":"first"}`)
	v.untilType("ai")
	v.send(`{"type":"message","id":"m2","text":"second"}`)
	if f := v.untilType("message"); f.Seq != 2 || f.From != "visitor" {
		t.Fatalf("the second message: %+v", f)
	}
	if f := v.next(); f.Type != "ai" || f.Seq != 3 || f.Part != 0 || f.Data != "A" {
		t.Fatalf("the pieces did not move: %+v", f)
	}
	close(release)
	if f := v.next(); f.Type != "ai" || f.Seq != 3 || f.Part != 1 {
		t.Fatalf("going on: %+v", f)
	}
	if f := v.next(); f.Type != "message" || f.Seq != 3 || f.Text != "AB" {
		t.Fatalf("first answer: %+v", f)
	}
	if f := v.answer(); f.Seq != 4 {
		t.Fatalf("second answer: %+v", f)
	}
	if up.count() != 2 {
		t.Fatalf("%d calls", up.count())
	}
}

func TestMessagesBeforeTheFirstTokenJoin(t *testing.T) {
	arrived := make(chan struct{}, 8)
	up := &upstream{}
	up.script = func(ctx context.Context, call chat.Call, sink chat.Sink) (chat.Result, error) {
		arrived <- struct{}{}
		if !strings.Contains(call.Messages[0].Content, "|") {
			<-ctx.Done() // the single question is never answered
			return chat.Result{}, context.Cause(ctx)
		}
		return chat.Result{Finish: chat.FinishStop}, sink(codec.AppendString(nil, call.Messages[0].Content))
	}
	s := open1(t, t.TempDir(), up, nil)
	v := s.visit()
	v.hello()
	v.send(`{"type":"message","id":"m1","text":"do you have"}`)
	<-arrived
	v.send(`{"type":"message","id":"m2","text":"the red one"}`)
	if f := v.answer(); f.Text != "do you have|the red one" || f.Seq != 3 {
		t.Fatalf("joint answer: %+v", f)
	}
}

func TestTypingHoldsTheCallBack(t *testing.T) {
	up := &upstream{}
	s := open1(t, t.TempDir(), up, nil)
	v := s.visit()
	w := v.hello()
	// The first message starts at once; typing after it holds the next turn.
	started, release := make(chan struct{}), make(chan struct{})
	up.mu.Lock()
	up.script = func(_ context.Context, call chat.Call, sink chat.Sink) (chat.Result, error) {
		if call.Messages[0].Content == "one" {
			sink([]byte(`"A"`))
			close(started)
			<-release
			return chat.Result{Finish: chat.FinishStop}, nil
		}
		return chat.Result{Finish: chat.FinishStop}, sink(codec.AppendString(nil, call.Messages[0].Content))
	}
	up.mu.Unlock()
	v.send(`{"type":"message","id":"m1","text":"one"}`)
	<-started
	v.send(`{"type":"message","id":"m2","text":"two"}`)
	v.until(func(f frame) bool { return f.Type == "ack" && f.ID == "m2" })
	v.send(`{"type":"typing","on":true}`)
	v.send(`{"type":"ping"}`)
	v.untilType("pong")
	close(release)
	v.answer()
	if up.count() != 1 {
		t.Fatal("a call started while the visitor was typing")
	}
	v.send(`{"type":"message","id":"m3","text":"three"}`)
	v.send(`{"type":"typing","on":false}`)
	if f := v.answer(); f.Text != "two|three" {
		t.Fatalf("the burst was not joined: %+v", f)
	}
	_ = w
}

func TestTypingFromTheStartJoinsTheBurst(t *testing.T) {
	up := &upstream{script: func(_ context.Context, call chat.Call, sink chat.Sink) (chat.Result, error) {
		return chat.Result{Finish: chat.FinishStop}, sink(codec.AppendString(nil, call.Messages[0].Content))
	}}
	s := open1(t, t.TempDir(), up, nil)
	v := s.visit()
	v.hello()
	v.send(`{"type":"typing","on":true}`)
	v.send(`{"type":"message","id":"m1","text":"one"}`)
	v.until(func(f frame) bool { return f.Type == "ack" && f.ID == "m1" })
	v.send(`{"type":"typing","on":true}`)
	v.send(`{"type":"message","id":"m2","text":"two"}`)
	v.until(func(f frame) bool { return f.Type == "ack" && f.ID == "m2" })
	if up.count() != 0 {
		t.Fatal("a call started while the visitor was typing")
	}
	v.send(`{"type":"typing","on":false}`)
	if f := v.answer(); f.Text != "one|two" || up.count() != 1 {
		t.Fatalf("%d calls, answer %+v", up.count(), f)
	}
}

func TestStopKeepsWhatWasShown(t *testing.T) {
	up := &upstream{script: func(ctx context.Context, _ chat.Call, sink chat.Sink) (chat.Result, error) {
		if err := sink([]byte(`"half an"`)); err != nil {
			return chat.Result{}, err
		}
		<-ctx.Done()
		return chat.Result{}, context.Cause(ctx)
	}}
	s := open1(t, t.TempDir(), up, nil)
	v := s.visit()
	v.hello()
	v.send(`{"type":"message","id":"m","text":"talk"}`)
	v.untilType("ai")
	v.send(`{"type":"stop"}`)
	if f := v.answer(); f.From != "ai" || f.Finish != "stopped" || f.Text != "half an" {
		t.Fatalf("stopped answer: %+v", f)
	}
}

func TestEveryFailureEndsInASentence(t *testing.T) {
	up := &upstream{script: func(context.Context, chat.Call, chat.Sink) (chat.Result, error) {
		return chat.Result{}, &chat.UpstreamError{Fault: chat.FaultAuth, Status: 401, Provider: "x", Reason: "the key was refused"}
	}}
	s := open1(t, t.TempDir(), up, nil)
	v := s.visit()
	v.hello()
	v.send(`{"type":"message","id":"m","text":"hello"}`)
	f := v.answer()
	if f.From != "system" || f.Finish != "error" || strings.Contains(f.Text, "401") || strings.Contains(f.Text, "key") {
		t.Fatalf("apology: %+v", f)
	}
}

func TestBlockedMessageIsKeptAndAnswered(t *testing.T) {
	up := &upstream{}
	s := open1(t, t.TempDir(), up, nil)
	v := s.visit()
	w := v.hello()
	v.send(`{"type":"message","id":"m","text":"a forbidden thing"}`)
	if f := v.untilType("ack"); f.Seq != 1 {
		t.Fatalf("ack: %+v", f)
	}
	if f := v.answer(); f.From != "system" || f.Finish != "blocked" || f.Seq != 2 {
		t.Fatalf("sentence: %+v", f)
	}
	msgs, err := s.sessions.Messages(context.Background(), chat.ConversationID(w.Conversation), 0, 0)
	if err != nil || len(msgs) != 2 || msgs[0].Mark != engine.MarkBlocked || msgs[0].Text != "a forbidden thing" {
		t.Fatalf("stored: %+v, %v", msgs, err)
	}
	if up.count() != 0 {
		t.Fatal("a blocked message went upstream")
	}
}

func TestCuratedAnswerCostsNothing(t *testing.T) {
	up := &upstream{}
	s := open1(t, t.TempDir(), up, nil)
	v := s.visit()
	v.hello()
	v.send(`{"type":"message","id":"m","text":"opening hours?"}`)
	if f := v.answer(); f.Text != "Nine to six." || up.count() != 0 {
		t.Fatalf("answer %+v after %d calls", f, up.count())
	}
}
