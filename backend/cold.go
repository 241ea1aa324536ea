package backend

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"haoke/backend/internal/adminapi"
	"haoke/backend/internal/archive"
	"haoke/backend/internal/chat"
	"haoke/backend/internal/wire"
)

// buildCold makes the cold tier. It comes before the sessions, which ask it to
// thaw, and learns of them afterwards.
func (p *parts) buildCold() {
	p.farther = &farther{log: p.log}
	p.archive = archive.New(archive.Config{
		Settings: func() archive.Settings {
			s := p.settings.Current()
			return archive.Settings{
				ColdAfter: s.Session.ColdAfter, Codec: s.Archive.Codec, KeepLocal: s.Archive.KeepLocal, MaxBacklog: int64(s.Archive.MaxBacklog),
			}
		},
		Busy:    func(id chat.ConversationID) bool { return p.engine != nil && p.engine.Busy(id) },
		Remote:  func() archive.Remote { return p.farther.remote(p.settings.Current()) },
		Shipped: func(n int) { p.metrics.ColdShipped(n) },
		Log:     p.log,
	}, coldStore{p.db.Cold()})
}

// watchCold lets the metrics ask for the archive's figures. They change
// slowly, so they are asked for every few seconds only.
func (p *parts) watchCold() {
	figures := &coldFigures{p: p}
	p.metrics.Watch("cold_pending", func() float64 { return float64(figures.now().Backlog.Entries) })
	p.metrics.Watch("cold_ratio", func() float64 { return ratio(figures.now().Stats) })
}

// cold is the admin API's view of the archive.
func (p *parts) cold() adminapi.Archive { return coldView{p} }

type coldView struct{ p *parts }

var _ adminapi.Archive = coldView{}

// Read implements adminapi.Archive.
func (c coldView) Read(ctx context.Context, id chat.ConversationID) ([]chat.Message, error) {
	msgs, err := c.p.archive.Read(ctx, id)
	if err != nil && ctx.Err() == nil && !errors.Is(err, chat.ErrNotFound) {
		err = fmt.Errorf("%w: %w", chat.ErrUnreadable, err)
	}
	return msgs, err
}

// Seal implements adminapi.Archive.
func (c coldView) Seal(ctx context.Context, id chat.ConversationID) error {
	err := c.p.archive.Seal(ctx, id)
	if errors.Is(err, archive.ErrBusy) {
		err = fmt.Errorf("%w: %w", chat.ErrConflict, err)
	}
	if err == nil {
		c.p.archive.Kick()
	}
	return err
}

// Status implements adminapi.Archive.
func (c coldView) Status(ctx context.Context) (wire.ArchiveStatus, error) {
	h, err := c.p.archive.Health(ctx)
	if err != nil {
		return wire.ArchiveStatus{}, err
	}
	n, err := c.p.db.Conversations().Counts(ctx)
	if err != nil {
		return wire.ArchiveStatus{}, err
	}
	s := c.p.settings.Current()
	hot := int64(c.p.sessions.Stats().Hot)
	st := wire.ArchiveStatus{
		Hot: hot, Warm: int64(n.Warm), Cold: int64(n.Cold), ClickHouse: "off",
		Pending: h.Backlog.Entries, Shipped: h.Stats.Shipped, Failures: int64(h.Failures), NextTry: zeroTime(h.NextTry), LastShip: zeroTime(h.LastShip),
		RawBytes: h.Stats.RawSize, StoredBytes: h.Stats.Size, Ratio: ratio(h.Stats), SQLiteBytes: fileSize(c.p.db.Path()),
		DiskFree: diskFree(c.p.b.dir), ColdAfterS: int64(s.Session.ColdAfter / time.Second), KeepDays: s.Privacy.RetentionDays, Corrupt: int64(h.Corrupt),
	}
	if s.Archive.ClickHouse == "" {
		return st, nil
	}
	st.ClickHouse = "ok"
	st.Server, st.Version = c.p.farther.describe(s)
	if h.Failures > 0 {
		st.ClickHouse, st.Reason = "down", h.Reason
	} else if err := c.p.farther.fault(s); err != nil {
		st.ClickHouse, st.Reason = "down", err.Error()
	}
	return st, nil
}

// ratio is raw bytes over stored bytes, 0 when nothing is sealed.
func ratio(s archive.Stats) float64 {
	if s.Size == 0 {
		return 0
	}
	return float64(s.RawSize) / float64(s.Size)
}

// Test implements adminapi.Archive.
func (c coldView) Test(ctx context.Context, probe wire.ArchiveProbe) (wire.ArchiveTest, error) {
	return c.p.farther.test(ctx, c.p.settings.Current(), probe.DSN)
}

// Run implements adminapi.Archive. It goes on when the page is closed: the
// work is wanted, not the answer.
func (c coldView) Run(ctx context.Context) (wire.ArchiveRun, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Minute)
	defer cancel()
	sealed, shipped, err := c.p.archive.Sweep(ctx)
	if err != nil && sealed+shipped > 0 {
		c.p.log.Warn("archiving now ended early", "sealed", sealed, "shipped", shipped, "err", err)
		err = nil // Status tells the reason
	}
	return wire.ArchiveRun{Sealed: sealed, Shipped: shipped}, err
}

// Troubles implements adminapi.Archive.
func (c coldView) Troubles() []wire.Trouble {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	h, err := c.p.archive.Health(ctx)
	if err != nil {
		return nil // a database that does not answer is told of elsewhere
	}
	s := c.p.settings.Current()
	var out []wire.Trouble
	if s.Archive.ClickHouse != "" && h.Failures > 1 {
		out = append(out, wire.Trouble{
			Code: "archive_down", Level: "warn", Page: "archive", Args: map[string]string{"reason": h.Reason},
			Text: "ClickHouse cannot be reached or refuses; archived conversations wait here: " + h.Reason,
		})
	}
	if limit := int64(s.Archive.MaxBacklog); limit > 0 && h.Backlog.Bytes > limit {
		out = append(out, wire.Trouble{
			Code: "archive_backlog", Level: "warn", Page: "archive", Args: map[string]string{"pending": strconv.FormatInt(h.Backlog.Entries, 10)},
			Text: fmt.Sprintf("%d archived conversations (%d MB) wait for ClickHouse.", h.Backlog.Entries, h.Backlog.Bytes>>20),
		})
	}
	if h.Corrupt > 0 {
		out = append(out, wire.Trouble{
			Code: "archive_damaged", Level: "bad", Page: "archive", Args: map[string]string{"count": strconv.Itoa(h.Corrupt)},
			Text: "Some archived conversations are damaged on disk; restore them from a backup.",
		})
	}
	if h.SealFault != nil && !errors.Is(h.SealFault, context.Canceled) {
		out = append(out, wire.Trouble{
			Code: "archive_failed", Level: "warn", Page: "archive", Args: map[string]string{"reason": h.SealFault.Error()},
			Text: "Old conversations could not be archived: " + h.SealFault.Error(),
		})
	}
	return out
}
