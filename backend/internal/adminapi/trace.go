package adminapi

import (
	"context"
	"encoding/json"
	"errors"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/prompt"
	"haoke/backend/internal/wire"
)

func (a *API) getTrace(c *call) (any, error) {
	id, err := c.conversation()
	if err != nil {
		return nil, err
	}
	seq, err := c.number("seq")
	if err != nil {
		return nil, err
	}
	item, err := a.item(c.ctx(), id)
	if err != nil {
		return nil, err
	}
	msgs, err := a.messages(c.ctx(), item)
	if err != nil {
		return nil, err
	}
	for i := range msgs {
		if msgs[i].Seq == seq && msgs[i].Turn != nil && msgs[i].From != chat.FromVisitor {
			return a.trace(c.ctx(), id, &msgs[i], msgs)
		}
	}
	return nil, notFound("This message is not an answer.")
}

func (a *API) trace(ctx context.Context, id chat.ConversationID, m *chat.Message, msgs []chat.Message) (any, error) {
	out := wire.TurnTrace{Seq: m.Seq, Turn: *m.Turn, Prompt: []chat.PromptMessage{}, Passages: []wire.Passage{}, Parts: []wire.PromptPart{}}
	text := m.Turn.PromptTrace
	if text == "" {
		var err error
		if text, err = a.DB.Conversations().Trace(ctx, id, m.Seq); err != nil && !errors.Is(err, chat.ErrNotFound) {
			return nil, err
		}
	}
	out.Turn.PromptTrace = ""
	var t prompt.Trace
	if text == "" || json.Unmarshal([]byte(text), &t) != nil {
		return out, nil
	}
	if t.Prompt != nil {
		out.Prompt = t.Prompt
	}
	for _, p := range t.Parts {
		out.Parts = append(out.Parts, wire.PromptPart{Name: string(p.Kind), Tokens: p.Tokens})
	}
	for _, r := range t.Recall {
		p := wire.Passage{Kind: "message", Title: r.Why, Score: r.Score, Seq: r.Seq}
		for i := range msgs {
			if msgs[i].Seq == r.Seq {
				p.Text = msgs[i].Text
			}
		}
		out.Passages = append(out.Passages, p)
	}
	return out, nil
}
