package backend

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"haoke/backend/internal/adminapi"
	"haoke/backend/internal/chat"
	"haoke/backend/internal/engine"
	"haoke/backend/internal/filter"
	"haoke/backend/internal/settings"
)

// buildFilter puts the starter lists in place at the first start and compiles
// the filter.
func (p *parts) buildFilter(ctx context.Context, s *settings.Settings) error {
	if err := adminapi.SeedStarter(ctx, p.db, s.Filter.Starter); err != nil {
		return err
	}
	return p.rebuildFilter(ctx, s)
}

// rebuildFilter compiles the filter anew; on an error the old one stays.
func (p *parts) rebuildFilter(ctx context.Context, s *settings.Settings) error {
	extra, err := adminapi.LoadFilterExtra(ctx, p.db.Values())
	if err != nil {
		return err
	}
	c := filter.Config{
		Allow: s.Filter.Allow, DefaultIn: chat.Action(s.Filter.ActionIn), DefaultOut: chat.Action(s.Filter.ActionOut),
		Pinyin: s.Filter.Pinyin, Shadow: s.Filter.Shadow, Mask: maskStyle(s.Filter.MaskStyle), WordsOff: !s.Filter.Words, Observer: filterMeter{p},
	}
	extra.Filter(&c)
	for _, name := range s.Filter.WordsFiles {
		if extra.FileOff(name) {
			continue
		}
		list, err := p.readWords(name)
		if err != nil {
			return fmt.Errorf("filter.words_files: %w", err)
		}
		c.Words = append(c.Words, list)
	}
	for i, expr := range s.Filter.Patterns {
		c.Patterns = append(c.Patterns, filter.Pattern{Name: fmt.Sprintf("pattern %d", i+1), Expr: expr})
	}
	if err := adminapi.StoredRules(ctx, p.db.Filters(), &c); err != nil {
		return err
	}
	f, err := filter.New(c)
	if err != nil {
		return err
	}
	p.filter.Set(f)
	p.blockedText.Store(&extra.BlockedText)
	return nil
}

// maskStyle is the filter's name for a setting.
func maskStyle(name string) filter.MaskStyle {
	if name == "same" {
		return filter.MaskSame
	}
	return filter.MaskStyle(name)
}

// readWords reads a word file in whatever encoding it came; what was odd about
// it goes into the log.
func (p *parts) readWords(name string) (filter.WordList, error) {
	f, err := os.Open(name)
	if err != nil {
		return filter.WordList{}, err
	}
	defer f.Close()
	loaded, err := filter.LoadWords(f, filter.LoadLimits{})
	if err != nil {
		return filter.WordList{}, fmt.Errorf("%s: %w", name, err)
	}
	if n := len(loaded.Report.Problems); n > 0 {
		first := loaded.Report.Problems[0]
		p.log.Warn("a word file has oddities", "file", name, "count", n+loaded.Report.More, "entry", first.Entry, "first", first.Reason)
	}
	return loaded.List(name), nil
}

// filtering is the engine's view of the filter.
type filtering struct{ p *parts }

// Check implements engine.Filter.
func (f filtering) Check(dir chat.Direction, text string) chat.Verdict {
	v := f.p.filter.Get().Check(dir, text)
	f.p.protect.quote(text, v.Hits)
	return v
}

// Stream implements engine.Filter.
func (f filtering) Stream() engine.FilterStream {
	return filterStream{s: f.p.filter.Get().NewStream(chat.Outbound)}
}

// filterStream is a pointer by another name: as an interface it takes no memory.
type filterStream struct{ s *filter.Stream }

// Push implements engine.FilterStream.
func (f filterStream) Push(raw []byte, emit chat.Sink) error { return withheld(f.s.Push(raw, emit)) }

// Close implements engine.FilterStream.
func (f filterStream) Close(emit chat.Sink) error {
	return withheld(f.s.End(emit))
}

// Verdict implements engine.FilterStream.
func (f filterStream) Verdict() chat.Verdict { return f.s.Found() }

// Release implements engine.FilterStream.
func (f filterStream) Release() { f.s.Release() }

func withheld(err error) error {
	if err == nil {
		return nil // a piece that passes takes no memory
	}
	var stopped *filter.Stopped
	if errors.As(err, &stopped) {
		return fmt.Errorf("%w: %w", engine.ErrWithheld, err)
	}
	return err
}

// filterMeter brings the filter's times to the charts.
type filterMeter struct{ p *parts }

// FilterTime implements filter.Observer.
func (m filterMeter) FilterTime(layer chat.Layer, _ chat.Direction, d time.Duration) {
	m.p.metrics.FilterTime(string(layer), d)
}

// FilterHit implements filter.Observer. Hits are counted where their message
// becomes durable (meter.FilterHits), so that each counts once.
func (m filterMeter) FilterHit(chat.Direction, chat.Hit) {}
