package adminapi

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"haoke/backend/internal/chat"
	wordset "haoke/backend/internal/filter/words"
	"haoke/backend/internal/wire"
)

// hitKey names a rule.
type hitKey struct {
	layer chat.Layer
	rule  string
}

const (
	hitDays  = 30 * 24 * time.Hour
	hitRules = 5000 // rules that are counted
	topRules = 20
)

// hitCounts counts the hits of rules in the last 30 days.
func (a *API) hitCounts(ctx context.Context) (map[hitKey]int64, error) {
	rows, err := a.DB.Filters().TopHits(ctx, a.Now().Add(-hitDays), hitRules)
	out := make(map[hitKey]int64, len(rows))
	for _, r := range rows {
		out[hitKey{r.Layer, r.Rule}] = r.Count
	}
	return out, err
}

func (a *API) listHits(c *call) (any, error) {
	q, err := query[wire.HitQuery](c)
	if err != nil {
		return nil, err
	}
	switch q.Layer {
	case "", chat.LayerWords, chat.LayerPatterns, chat.LayerReview:
	default:
		return nil, invalid("layer", fmt.Sprintf("%q is not a layer.", q.Layer), "words, patterns or review")
	}
	before, err := number64(q.Cursor)
	if err != nil {
		return nil, err
	}
	most := limit(q.Limit, 50, 200)
	rows, err := a.DB.Filters().Hits(c.ctx(), q.Layer, q.Rule, before, most)
	if err != nil {
		return nil, err
	}
	out := wire.HitList{Items: []wire.FilterHit{}}
	for _, h := range rows {
		out.Items = append(out.Items, wire.FilterHit{
			ID: h.ID, At: h.At, Layer: h.Layer, Rule: h.Rule, Category: h.Category, Action: h.Action, Shadow: h.Shadow, Direction: h.Direction,
			Match: h.Match, Context: h.Context, Conversation: string(h.Conversation), Seq: h.Seq, FalsePositive: h.FalsePositive,
		})
	}
	if len(rows) == most {
		out.Next = strconv.FormatInt(rows[most-1].ID, 10)
	}
	if q.Cursor == "" {
		top, err := a.DB.Filters().TopHits(c.ctx(), a.Now().Add(-hitDays), topRules)
		if err != nil {
			return nil, err
		}
		for _, t := range top {
			out.Top = append(out.Top, wire.FilterCount{Layer: t.Layer, Rule: t.Rule, Count: t.Count})
		}
	}
	return out, nil
}

func (a *API) markFalsePositive(c *call) (any, error) {
	id, err := c.number("id")
	if err != nil {
		return nil, err
	}
	h, err := a.DB.Filters().FalsePositive(c.ctx(), id)
	if err != nil {
		return nil, err
	}
	if _, err := wordset.Parse(h.Match); err != nil { // the model's judgement has no text of its own, and personal data may not be kept
		return nil, &fault{Type: wire.ProblemConflict, Title: "No text", Status: 409, Detail: "This hit names no text that could be excepted.", Hint: "Change what the review forbids instead."}
	}
	return a.excepted(c, h.Match)
}
