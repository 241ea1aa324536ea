package engine

import (
	"context"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/codec"
	"haoke/backend/internal/session"
)

// memory is a Sessions without a disk. readOnly makes it refuse writes; disk,
// when not nil, is what a commit that has been told of ahead still has to pass.
type memory struct {
	mu       sync.Mutex
	heads    map[chat.ConversationID]chat.Conversation
	msgs     map[chat.ConversationID][]chat.Message
	readOnly bool
	disk     func(retry func(*chat.Conversation)) error
}

func newMemory() *memory {
	return &memory{heads: map[chat.ConversationID]chat.Conversation{}, msgs: map[chat.ConversationID][]chat.Message{}}
}

func (m *memory) Append(_ context.Context, id chat.ConversationID, a session.Append) (session.Appended, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.readOnly {
		return session.Appended{}, chat.ErrReadOnly
	}
	head, ok := m.heads[id]
	if !ok {
		if a.Create == nil {
			return session.Appended{}, chat.ErrNotFound
		}
		head = *a.Create
	}
	for _, old := range m.msgs[id] {
		if len(a.Messages) > 0 && old.ClientID != "" && old.ClientID == a.Messages[0].ClientID {
			return session.Appended{Head: head, Messages: []chat.Message{old}, Duplicate: true}, nil
		}
	}
	out := slices.Clone(a.Messages)
	for i := range out {
		head.LastSeq++
		out[i].Seq = head.LastSeq
		if out[i].At.IsZero() {
			out[i].At = time.Now()
		}
	}
	if len(out) > 0 {
		head.UpdatedAt = time.Now()
	}
	if a.Update != nil {
		a.Update(&head)
	}
	if a.Ahead != nil {
		tell := func(head *chat.Conversation) { a.Ahead(head, append(slices.Clone(m.msgs[id]), out...)) }
		h := head
		tell(&h)
		if m.disk != nil {
			if err := m.disk(tell); err != nil {
				return session.Appended{}, err
			}
		}
	}
	m.heads[id] = head
	m.msgs[id] = append(slices.Clone(m.msgs[id]), out...)
	return session.Appended{Head: head, Messages: out}, nil
}

func (m *memory) Head(_ context.Context, id chat.ConversationID) (chat.Conversation, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	h, ok := m.heads[id]
	if !ok {
		return h, chat.ErrNotFound
	}
	return h, nil
}

func (m *memory) Messages(_ context.Context, id chat.ConversationID, after int64, _ int) ([]chat.Message, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.msgs[id][min(int(after), len(m.msgs[id])):], nil
}

func (m *memory) Update(ctx context.Context, id chat.ConversationID, f func(*chat.Conversation)) (chat.Conversation, error) {
	out, err := m.Append(ctx, id, session.Append{Update: f})
	return out.Head, err
}

func (m *memory) Pending(context.Context) ([]chat.ConversationID, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var ids []chat.ConversationID
	for id, h := range m.heads {
		if h.Pending > 0 {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// shown records the feed.
type shown struct {
	mu       sync.Mutex
	messages []chat.Message
	pieces   string
	modes    []chat.Mode
}

func (s *shown) Begin(chat.ConversationID, int64) {}

func (s *shown) Delta(_ chat.ConversationID, raw []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text, _ := codec.Unquote(raw)
	s.pieces += text
}

func (s *shown) Message(_ chat.ConversationID, m *chat.Message, _ bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages = append(s.messages, *m)
}

func (s *shown) Abandon(chat.ConversationID) { s.mu.Lock(); s.pieces = ""; s.mu.Unlock() }

func (s *shown) Status(_ chat.ConversationID, _ string, _ int, mode chat.Mode) {
	if mode != "" {
		s.mu.Lock()
		s.modes = append(s.modes, mode)
		s.mu.Unlock()
	}
}

func (s *shown) last() chat.Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.messages) == 0 {
		return chat.Message{}
	}
	return s.messages[len(s.messages)-1]
}

// model answers by the test's function.
type model func(ctx context.Context, call chat.Call, sink chat.Sink) (chat.Result, error)

func (m model) Answer(ctx context.Context, call chat.Call, _ chat.Caller, sink chat.Sink) (chat.Result, error) {
	return m(ctx, call, sink)
}

func echo(_ context.Context, call chat.Call, sink chat.Sink) (chat.Result, error) {
	err := sink(codec.AppendString(nil, "re: "+call.Messages[0].Content))
	return chat.Result{Finish: chat.FinishStop}, err
}

type plain struct{ found string }

func (plain) Prompt(_ context.Context, _ *chat.Conversation, _, open []chat.Message) (Prompt, error) {
	var all []string
	for _, m := range open {
		all = append(all, m.Text)
	}
	return Prompt{Call: chat.Call{Messages: []chat.PromptMessage{{Content: strings.Join(all, "+")}}}}, nil
}

func (plain) Exact(context.Context, string, string) (CuratedAnswer, bool) {
	return CuratedAnswer{}, false
}

func (p plain) Best(context.Context, string, string) CuratedAnswer {
	return CuratedAnswer{Text: p.found, Found: p.found != ""}
}

func (plain) Check(_ chat.Direction, text string) chat.Verdict {
	switch {
	case strings.Contains(text, "masked"):
		return chat.Verdict{Action: chat.ActionMask, Text: "****"}
	case strings.Contains(text, "person please"):
		return chat.Verdict{Action: chat.ActionHandover, Text: text}
	}
	return chat.Verdict{Text: text}
}

func (plain) Stream() FilterStream                                       { return clean{} }
func (plain) NeedsPerson(chat.Conversation)                              {}
func (plain) Unanswered(chat.ConversationID, string, string)             {}
func (plain) Message(chat.From)                                          {}
func (plain) Turn(*chat.TurnInfo, chat.Finish, time.Duration)            {}
func (plain) FilterHits(chat.ConversationID, chat.Direction, []chat.Hit) {}
func (plain) Trouble(chat.ConversationID, chat.Fault, string)            {}

type clean struct{}

func (clean) Push(raw []byte, emit chat.Sink) error {
	if strings.Contains(string(raw), "SECRET") {
		return ErrWithheld
	}
	return emit(raw)
}

func (clean) Close(chat.Sink) error { return nil }
func (clean) Verdict() chat.Verdict { return chat.Verdict{} }
func (clean) Release()              {}

// bench is an engine in a bubble of virtual time.
type bench struct {
	t     *testing.T
	e     *Engine
	feed  *shown
	store *memory
	stop  func()
}

func newBench(t *testing.T, answer model, change func(*Config, *Deps)) *bench {
	b := &bench{t: t, feed: &shown{}, store: newMemory()}
	cfg := Config{
		Epoch: func() string { return "e" }, DefaultMode: func() chat.Mode { return chat.ModeAI }, Offline: func() bool { return false },
		BurstWait: 5 * time.Second, TypingLapse: 2 * time.Second, TypingGap: time.Second,
	}
	deps := Deps{
		Sessions: b.store, Upstream: answer, Prompter: plain{}, Curated: plain{}, Filter: plain{}, Feed: b.feed, Owner: plain{}, Meter: plain{},
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	if change != nil {
		change(&cfg, &deps)
	}
	b.e = New(cfg, deps)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); b.e.Run(ctx) }()
	b.stop = func() { cancel(); <-done }
	return b
}

const room1 = chat.ConversationID("00112233445566778899aabbccddeeff")

func (b *bench) say(id, text string) error {
	return b.e.Take(b.t.Context(), Incoming{Conversation: room1, ClientID: id, Text: text, Stored: func(int64) {}})
}
