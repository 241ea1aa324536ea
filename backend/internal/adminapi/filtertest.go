package adminapi

import (
	"context"
	"fmt"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/filter/review"
	"haoke/backend/internal/wire"
)

// maxTestText bounds a text in the tester, in characters.
const maxTestText = 20000

func (a *API) testFilters(c *call) (any, error) {
	in, err := body[wire.FilterTest](c)
	if err != nil {
		return nil, err
	}
	switch in.Direction {
	case chat.Inbound, chat.Outbound:
	case "":
		in.Direction = chat.Inbound
	default:
		return nil, invalid("direction", fmt.Sprintf("%q is not a direction.", in.Direction), "in or out")
	}
	if err := within("text", in.Text, 1, maxTestText); err != nil {
		return nil, err
	}
	f := a.Filter()
	if f == nil {
		return nil, &fault{Title: "Not ready", Status: 503, Detail: "No filter is in use yet.", RetryAfter: 1}
	}
	out := wire.FilterTestResult{Layers: []wire.LayerTest{}, Notes: []string{}, Excepted: []chat.Hit{}}
	if in.Draft != nil {
		if f, err = a.filters.drafts.filter(f, in.Draft); err != nil {
			return nil, err
		}
		out.Notes = draftNotes(f)
	}
	x := f.Explain(in.Direction, in.Text)
	out.Action, out.Text, out.Normalised, out.Pinyin = x.Verdict.Action, x.Verdict.Text, x.Normalised, x.Pinyin
	out.Excepted = append(out.Excepted, x.Excepted...)
	for _, l := range x.Layers {
		if l.Layer == chat.LayerReview {
			continue
		}
		t := wire.LayerTest{Layer: l.Layer, On: l.On, Ran: l.On, Action: l.Action, Nanos: l.Took.Nanoseconds(), Hits: l.Hits, Reads: []wire.HitRead{}}
		if t.Hits == nil {
			t.Hits = []chat.Hit{}
		}
		for _, r := range l.Reads {
			t.Reads = append(t.Reads, wire.HitRead{Normalised: r.Normalised, Steps: r.Steps})
		}
		out.Layers = append(out.Layers, t)
	}
	judged, err := a.testReview(c.ctx(), &in)
	if err != nil {
		return nil, err
	}
	out.Layers = append(out.Layers, judged)
	if judged.Action.Rank() > out.Action.Rank() {
		out.Action = judged.Action
	}
	return out, nil
}

// testReview asks the model, if that is wanted.
func (a *API) testReview(ctx context.Context, in *wire.FilterTest) (wire.LayerTest, error) {
	s := a.Settings.Current()
	t := wire.LayerTest{Layer: chat.LayerReview, On: s.Filter.Review, Hits: []chat.Hit{}, Reads: []wire.HitRead{}}
	if !in.Review {
		t.Comment = "not asked"
		return t, nil
	}
	if s.Upstream.BaseURL == "" && len(a.Gate.Snapshot().Keys) == 0 {
		t.Comment = "no upstream is set"
		return t, nil
	}
	x, err := LoadFilterExtra(ctx, a.DB.Values())
	if err != nil {
		return t, err
	}
	cfg := x.Review(s)
	cfg.Questions, cfg.Answers, cfg.Shadow = true, true, false
	r, err := review.New(cfg, a.Upstream, moderation{a})
	if err != nil {
		return t, fmt.Errorf("make the review: %w", err)
	}
	op := r.Review(ctx, in.Direction, in.Text, chat.Caller{})
	t.Ran, t.Action, t.Nanos = op.Err == nil, op.Verdict.Action, op.Took.Nanoseconds()
	t.Hits = append(t.Hits, op.Verdict.Hits...)
	if op.Err != nil {
		t.Comment = op.Err.Error()
	} else if op.Via != "" {
		t.Comment = "by " + op.Via
	}
	return t, nil
}

// moderation is the review's view of the moderation endpoint.
type moderation struct{ a *API }

// Moderate implements review.Moderator.
func (m moderation) Moderate(ctx context.Context, text string, caller chat.Caller) (bool, []string, error) {
	r, err := m.a.Upstream.Moderate(ctx, text, caller)
	return r.Flagged, r.Categories, err
}
