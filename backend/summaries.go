package backend

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/prompt"
	"haoke/backend/internal/sqlite"
)

// summaryNote is the kind of note that holds a rolling summary.
const summaryNote = "summary"

// summaries is the summariser's view of its store.
type summaries struct{ c *sqlite.Conversations }

// LoadSummary implements prompt.SummaryStore.
func (s summaries) LoadSummary(ctx context.Context, id chat.ConversationID) (prompt.Summary, error) {
	var out prompt.Summary
	n, err := s.c.Note(ctx, id, summaryNote)
	if err != nil || n.Value == "" {
		return out, err
	}
	if err := json.Unmarshal([]byte(n.Value), &out); err != nil {
		return prompt.Summary{}, fmt.Errorf("read summary: %w", err)
	}
	return out, nil
}

// SaveSummary implements prompt.SummaryStore.
func (s summaries) SaveSummary(ctx context.Context, id chat.ConversationID, x prompt.Summary) error {
	data, err := json.Marshal(x)
	if err != nil {
		return fmt.Errorf("store summary: %w", err)
	}
	return s.c.PutNote(ctx, id, summaryNote, sqlite.Note{UptoSeq: x.Upto, Value: string(data)})
}

// completer lets the summariser call the upstream, personal data masked. An
// error makes it summarise by extraction.
type completer struct{ p *parts }

var errNoUpstream = errors.New("no upstream is configured")

// Complete implements prompt.Completer.
func (c completer) Complete(ctx context.Context, call chat.Call, caller chat.Caller) (string, error) {
	if c.p.offlineOnly() {
		return "", errNoUpstream
	}
	restore := c.p.protect.maskText(&call)
	text, _, err := c.p.upstream.Complete(ctx, call, caller)
	return restore(text), err
}

// summaryOf is the rolling summary for a prompt; without one the prompt does
// with what it can recall. The conversation is offered for a fresh one.
func (p *parts) summaryOf(ctx context.Context, head *chat.Conversation, msgs []chat.Message) prompt.Summary {
	s := p.settings.Current()
	if !s.Context.Summaries {
		return prompt.Summary{}
	}
	p.summariser.Offer(*head, msgs, s.Upstream.Model)
	if len(msgs) < 40 {
		return prompt.Summary{}
	}
	sum, err := summaries{p.db.Conversations()}.LoadSummary(ctx, head.ID)
	if err != nil {
		p.log.Warn("a summary could not be read", "conversation", head.ID, "err", err)
	}
	return sum
}
