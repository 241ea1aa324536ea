package backend

import (
	"context"
	"log/slog"
	"os"
	"time"

	"haoke/backend/internal/admit"
	"haoke/backend/internal/chat"
	"haoke/backend/internal/metrics"
	"haoke/backend/internal/settings"
	"haoke/backend/internal/sqlite"
)

// ledger is admission's view of what was spent.
type ledger struct{ l *sqlite.Ledger }

// Spent implements admit.Ledger.
func (l ledger) Spent(ctx context.Context, day string) (admit.Totals, error) {
	t, err := l.l.Spent(ctx, day)
	return admit.Totals{Day: t.Day, Month: t.Month, Keys: t.Keys, Visitors: t.Visitors}, err
}

// Record implements admit.Ledger.
func (l ledger) Record(e admit.Entry) {
	l.l.Record(sqlite.Spend{
		Day: e.Day, Provider: e.Provider, Key: e.Key, Model: e.Model, Visitor: e.Visitor, Background: e.Background, Usage: e.Usage, Cost: e.Cost,
	})
}

// rollups is the metrics' view of the stored charts.
type rollups struct{ points *sqlite.Points }

// SavePoints implements metrics.Store.
func (r rollups) SavePoints(ctx context.Context, points []metrics.Point) error {
	rows := make([]sqlite.Point, len(points))
	for i, p := range points {
		rows[i] = sqlite.Point(p)
	}
	return r.points.Save(ctx, rows)
}

// LoadPoints implements metrics.Store.
func (r rollups) LoadPoints(ctx context.Context, step, from int64, each func(metrics.Point)) error {
	return r.points.Load(ctx, step, from, func(p sqlite.Point) { each(metrics.Point(p)) })
}

// DropPoints implements metrics.Store.
func (r rollups) DropPoints(ctx context.Context, step, before int64) error {
	return r.points.Drop(ctx, step, before)
}

// settingRows is the settings' view of what the window stored.
type settingRows struct{ s *sqlite.Settings }

// LoadSettings implements settings.Backend.
func (r settingRows) LoadSettings(ctx context.Context) ([]settings.Row, error) {
	rows, err := r.s.Load(ctx)
	out := make([]settings.Row, len(rows))
	for i, x := range rows {
		out[i] = settings.Row(x)
	}
	return out, err
}

// SaveSettings implements settings.Backend.
func (r settingRows) SaveSettings(ctx context.Context, rows []settings.Row) error {
	out := make([]sqlite.Setting, len(rows))
	for i, x := range rows {
		out[i] = sqlite.Setting(x)
	}
	return r.s.Save(ctx, out)
}

// hitLog writes filter hits behind the turns' backs. It is bounded: hits that
// find it full are counted by the metrics only.
type hitLog struct {
	store *sqlite.Filters
	log   *slog.Logger
	queue chan sqlite.FilterHit
}

func newHitLog(store *sqlite.Filters, log *slog.Logger) *hitLog {
	return &hitLog{store: store, log: log, queue: make(chan sqlite.FilterHit, 1024)}
}

func (h *hitLog) add(id chat.ConversationID, dir chat.Direction, hits []chat.Hit) {
	for _, x := range hits {
		select {
		case h.queue <- sqlite.FilterHit{
			At: time.Now(), Layer: x.Layer, Rule: x.Rule, Category: x.Category, Action: x.Action,
			Shadow: x.Action == chat.ActionNote, Direction: dir, Match: x.Match, Context: x.Around, Conversation: id,
		}:
		default:
			return
		}
	}
}

func (h *hitLog) run(ctx context.Context) error {
	for {
		var batch []sqlite.FilterHit
		select {
		case <-ctx.Done():
			return nil
		case first := <-h.queue:
			batch = append(batch, first)
		}
		for len(batch) < 200 && len(h.queue) > 0 {
			batch = append(batch, <-h.queue)
		}
		if err := h.store.AddHits(ctx, batch); err != nil && ctx.Err() == nil {
			h.log.Warn("filter hits were not noted", "count", len(batch), "err", err)
		}
	}
}

// fileSize is the size of a database with its write-ahead log, in bytes.
func fileSize(path string) int64 {
	var n int64
	for _, name := range []string{path, path + "-wal"} {
		if info, err := os.Stat(name); err == nil {
			n += info.Size()
		}
	}
	return n
}
