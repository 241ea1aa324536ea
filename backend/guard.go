package backend

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"unicode/utf8"

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
	vault    *filter.Vault // what stored texts leave out, for the answer under way
	reviewer atomic.Pointer[review.Reviewer]
}

func (p *parts) buildProtection(s *settings.Settings) error {
	masker, err := filter.NewMasker()
	if err != nil {
		return fmt.Errorf("personal data detectors: %w", err)
	}
	p.protect = &protection{p: p, masker: masker, vault: filter.NewVault(filter.VaultConfig{})}
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

// kept is what is stored of personal data.
func (g *protection) kept() filter.Kept {
	if f := &g.p.settings.Current().Filter; f.MaskPersonalData {
		return filter.Kept(f.StoredPersonal)
	}
	return filter.KeepOriginal
}

// Keep implements engine.Guard. Only what the visitor wrote is covered, and
// where an answer repeats it: numbers that the shop itself gives stay.
func (g *protection) Keep(id chat.ConversationID, m *chat.Message) {
	as := g.kept()
	if as == filter.KeepOriginal {
		return
	}
	switch m.From {
	case chat.FromVisitor:
		m.Text = g.vault.Store(g.masker, string(id), m.Text, as)
	case chat.FromAI:
		m.Text = g.vault.Conceal(string(id), m.Text)
	}
}

// quote makes of hits in text what a record may quote of them.
func (g *protection) quote(text string, hits []chat.Hit) {
	if len(hits) == 0 {
		return
	}
	as := g.kept()
	clean := g.masker.Cover(text, as) == text // a number that is cut in two would not be recognised
	for i := range hits {
		h := &hits[i]
		h.Match = g.masker.Cover(h.Match, as)
		if h.Around = ""; clean {
			h.Around = around(text, h.Start, h.End)
		}
	}
}

// around returns some words around text[start:end], at most 160 bytes of them
// besides.
func around(text string, start, end int) string {
	const each = 80
	if end > len(text) || start > end {
		return "" // invalid UTF-8 was replaced: the places are of another text
	}
	from, to := max(start-each, 0), min(end+each, len(text))
	for from < start && !utf8.RuneStart(text[from]) {
		from++
	}
	for to < len(text) && to > end && !utf8.RuneStart(text[to]) {
		to--
	}
	return strings.Join(strings.Fields(strings.ToValidUTF8(text[from:to], "")), " ")
}

// Mask implements engine.Guard.
func (g *protection) Mask(id chat.ConversationID, call *chat.Call) func(chat.Sink) (chat.Sink, func() error) {
	if !g.p.settings.Current().Filter.MaskPersonalData {
		return nil
	}
	table := g.masker.NewTable("")
	texts := make([]string, len(call.Messages))
	for i, m := range call.Messages {
		texts[i] = m.Content
	}
	for i, text := range g.vault.Recall(table, string(id), texts) {
		call.Messages[i].Content = text
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
