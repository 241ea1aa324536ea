package backend

import (
	"context"
	"fmt"
	"sync/atomic"

	"haoke/backend/internal/adminapi"
	"haoke/backend/internal/chat"
	"haoke/backend/internal/engine"
	"haoke/backend/internal/filter"
	"haoke/backend/internal/filter/review"
	"haoke/backend/internal/settings"
)

// protection is the engine's guard around a call: personal data is kept from
// the upstream, and the model reviews question and answer, as the owner wants.
type protection struct {
	p        *parts
	masker   *filter.Masker
	reviewer atomic.Pointer[review.Reviewer]
}

func (p *parts) buildProtection(s *settings.Settings) error {
	masker, err := filter.NewMasker()
	if err != nil {
		return fmt.Errorf("personal data detectors: %w", err)
	}
	p.protect = &protection{p: p, masker: masker}
	return p.protect.configure(s)
}

// configure makes the reviewer anew for changed settings.
func (g *protection) configure(s *settings.Settings) error {
	extra, err := adminapi.LoadFilterExtra(context.Background(), g.p.db.Values())
	if err != nil {
		return err
	}
	cfg := extra.Review(s)
	if s.Filter.MaskPersonalData {
		cfg.Mask = func(text string) string { return g.masker.NewTable("").Mask(text) }
	}
	r, err := review.New(cfg, g.p.upstream, moderator{g.p})
	if err != nil {
		return err
	}
	g.reviewer.Store(r)
	return nil
}

// Mask implements engine.Guard.
func (g *protection) Mask(call *chat.Call) func(chat.Sink) (chat.Sink, func() error) {
	if !g.p.settings.Current().Filter.MaskPersonalData {
		return nil
	}
	table := g.masker.NewTable("")
	for i := range call.Messages {
		call.Messages[i].Content = table.Mask(call.Messages[i].Content)
	}
	if table.Len() == 0 {
		return nil
	}
	return func(next chat.Sink) (chat.Sink, func() error) {
		r := table.NewRestorer()
		return func(raw []byte) error { return r.Push(raw, next) }, func() error { return r.Close(next) }
	}
}

// maskText is Mask for a call whose answer is taken as a whole.
func (g *protection) maskText(call *chat.Call) (restore func(string) string) {
	if !g.p.settings.Current().Filter.MaskPersonalData {
		return func(s string) string { return s }
	}
	table := g.masker.NewTable("")
	for i := range call.Messages {
		call.Messages[i].Content = table.Mask(call.Messages[i].Content)
	}
	return table.Restore
}

// ReviewMode implements engine.Guard.
func (g *protection) ReviewMode() (on, hold bool) { return g.reviewer.Load().Mode(chat.Inbound) }

// Review implements engine.Guard.
func (g *protection) Review(ctx context.Context, dir chat.Direction, text string, caller chat.Caller) chat.Verdict {
	op := g.reviewer.Load().Review(ctx, dir, text, caller)
	g.p.metrics.FilterTime(string(chat.LayerReview), op.Took)
	if op.Err != nil && ctx.Err() == nil {
		g.p.log.Warn("a text could not be reviewed; the owner's choice for that holds", "direction", dir, "err", op.Err)
	}
	return op.Verdict
}

// moderator is the review's view of the moderation endpoint.
type moderator struct{ p *parts }

// Moderate implements review.Moderator.
func (m moderator) Moderate(ctx context.Context, text string, caller chat.Caller) (bool, []string, error) {
	r, err := m.p.upstream.Moderate(ctx, text, caller)
	return r.Flagged, r.Categories, err
}

var _ engine.Guard = (*protection)(nil)
