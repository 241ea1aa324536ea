package engine

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"haoke/backend/internal/chat"
)

// events is a feed that keeps what it was told, in order.
type events struct {
	shown
	mu   sync.Mutex
	list []string
}

func (e *events) note(what string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.list = append(e.list, what)
}

func (e *events) Begin(chat.ConversationID, int64)        { e.note("begin") }
func (e *events) Delta(_ chat.ConversationID, raw []byte) { e.note(string(raw)) }
func (e *events) Abandon(chat.ConversationID)             { e.note("abandon") }
func (e *events) Message(_ chat.ConversationID, m *chat.Message, answer bool) {
	e.note(m.Text)
	e.shown.Message(room1, m, answer)
}

func (e *events) Status(_ chat.ConversationID, state string, place int, _ chat.Mode) {
	if place > 0 {
		state += " first"
	}
	e.note(state)
}

func (e *events) told() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.list)
}

// told waits until the feed has said what, and returns all it said.
func (b *bench) told(feed *events, what string) []string {
	b.t.Helper()
	for range 2000 {
		if list := feed.told(); slices.Contains(list, what) {
			return list
		}
		time.Sleep(time.Millisecond)
	}
	b.t.Fatalf("never told of %q: %q", what, feed.told())
	return nil
}

// queueing is an upstream that says its caller's place first.
type queueing struct{ model }

func (q queueing) Answer(ctx context.Context, call chat.Call, caller chat.Caller, sink chat.Sink) (chat.Result, error) {
	caller.Queued(1)
	return q.model(ctx, call, sink)
}

// The upstream is asked while the question is on its way to the disk, and the
// visitor sees nothing of it before the question is there.
func TestTheUpstreamIsAskedWhileTheQuestionIsBeingStored(t *testing.T) {
	asked, feed := make(chan struct{}), &events{}
	b := newBench(t, nil, func(_ *Config, d *Deps) {
		d.Feed = feed
		d.Upstream = queueing{func(_ context.Context, _ chat.Call, sink chat.Sink) (chat.Result, error) {
			close(asked)
			return chat.Result{Finish: chat.FinishStop}, sink([]byte(`"hi"`))
		}}
	})
	defer b.stop()
	b.store.disk = func(func(*chat.Conversation)) error {
		select {
		case <-asked:
		case <-time.After(10 * time.Second):
			t.Error("the upstream was not asked before the question was stored")
		}
		time.Sleep(5 * time.Millisecond) // time in which a piece could slip out
		feed.note("on disk")
		b.store.disk = nil
		return nil
	}
	err := b.e.Take(t.Context(), Incoming{Conversation: room1, ClientID: "1", Text: "hello", Stored: func(int64) { feed.note("ack") }})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"on disk", "ack", "hello", "thinking", "queued first", "begin", `"hi"`, "hi", "idle"}
	if got := b.told(feed, "idle"); !slices.Equal(got, want) {
		t.Errorf("the feed was told\n%q, want\n%q", got, want)
	}
}

// A question that could not be stored is refused, and the call that was made
// for it is ended and leaves no trace.
func TestAQuestionThatCannotBeStoredEndsItsCall(t *testing.T) {
	asked, ended, feed := make(chan struct{}), make(chan error, 1), &events{}
	b := newBench(t, func(ctx context.Context, _ chat.Call, sink chat.Sink) (chat.Result, error) {
		close(asked)
		<-ctx.Done()
		ended <- sink([]byte(`"hi"`))
		return chat.Result{}, ctx.Err()
	}, func(_ *Config, d *Deps) { d.Feed = feed })
	b.store.disk = func(func(*chat.Conversation)) error {
		<-asked
		return chat.ErrReadOnly
	}
	var refused *Refused
	if err := b.say("1", "hello"); !errors.As(err, &refused) {
		t.Errorf("a question that could not be stored: %v", err)
	}
	if err := <-ended; err == nil {
		t.Error("a piece was shown of an answer to a question that was not stored")
	}
	b.stop() // waits for the turn
	if got := feed.told(); !slices.Equal(got, []string{"abandon"}) {
		t.Errorf("the feed was told %q", got)
	}
	if n := len(b.e.rooms); n != 0 {
		t.Errorf("%d rooms are left", n)
	}
}

// What answers for itself waits like the upstream's answer: an owner learns
// nothing of a question that was not stored.
func TestNobodyLearnsOfAQuestionThatCannotBeStored(t *testing.T) {
	feed, owner := &events{}, &asker{}
	began := make(chan struct{})
	b := newBench(t, func(context.Context, chat.Call, chat.Sink) (chat.Result, error) {
		close(began)
		return chat.Result{}, errors.New("down")
	}, func(_ *Config, d *Deps) { d.Feed, d.Owner = feed, owner })
	b.store.disk = func(func(*chat.Conversation)) error {
		<-began
		time.Sleep(5 * time.Millisecond) // time in which the owner could be told
		return chat.ErrReadOnly
	}
	if err := b.say("1", "hello"); err == nil {
		t.Error("a question that was not stored was taken")
	}
	b.stop()
	if owner.questions != 0 {
		t.Error("a question that was not stored is among those without an answer")
	}
}

// asker counts the questions without an answer.
type asker struct {
	plain
	questions int
}

func (a *asker) Unanswered(chat.ConversationID, string, string) { a.questions++ }

// Where the stored conversation turns out to be another one, the turn begins
// anew with what is stored.
func TestATurnThatBeganWithTheWrongConversationBeginsAnew(t *testing.T) {
	asked, feed := make(chan string, 4), &events{}
	b := newBench(t, func(ctx context.Context, call chat.Call, sink chat.Sink) (chat.Result, error) {
		asked <- call.Messages[0].Content
		return echo(ctx, call, sink)
	}, func(_ *Config, d *Deps) { d.Feed = feed })
	defer b.stop()
	b.store.disk = func(again func(*chat.Conversation)) error {
		if q := <-asked; q != "hello" {
			t.Errorf("asked %q", q)
		}
		head := b.store.heads[room1]
		head.Version++
		again(&head)
		b.store.disk = nil
		return nil
	}
	if err := b.say("1", "hello"); err != nil {
		t.Fatal(err)
	}
	list := b.told(feed, "re: hello")
	if q := <-asked; q != "hello" || len(asked) > 0 {
		t.Errorf("asked %q the second time, and %d times more", q, len(asked))
	}
	if i := slices.Index(list, "begin"); i < slices.Index(list, "abandon") || slices.Index(list[i+1:], "begin") >= 0 {
		t.Errorf("the feed was told %q", list)
	}
}
