package sqlite

import (
	"context"
	"database/sql"
	"sync"
	"time"

	"haoke/backend/internal/chat"
)

// Spend is one settled upstream call. Day is of the owner's time zone,
// "2006-01-02".
type Spend struct {
	Day        string
	Provider   string
	Key        string
	Model      string
	Visitor    string
	Background bool
	Usage      chat.Usage
	Cost       float64 // in the currency of the price table
}

// SpendTotals is what was spent on a day and in its month.
type SpendTotals struct {
	Day, Month float64
	Keys       map[string]float64 // of the day
	Visitors   map[string]float64 // of the day
	Calls      int64              // of the day
	Tokens     int64              // of the day
}

type spendKey struct {
	day, provider, key, model, visitor string
	background                         bool
}

type spendSum struct {
	calls, prompt, completion, cached int64
	cost                              float64
}

const (
	// spendPending bounds the sums that wait for the disk. Beyond it, visitors
	// are summed up as one: money is never lost, only the detail of whose.
	spendPending = 10_000
	spendEvery   = time.Second
	// spendKeep bounds the maps that are used again.
	spendKeep = 4096
)

// Ledger stores what calls cost: summed up in memory and written about every
// second, so that a call costs the disk nothing. A kill loses at most that
// second, an orderly stop nothing.
type Ledger struct {
	db *DB

	mu      sync.Mutex
	pending map[spendKey]spendSum
	flush   sync.Mutex            // one flush at a time, so that totals include what is on its way
	spare   map[spendKey]spendSum // empty, for what comes next; guarded by flush
}

// NewLedger returns the ledger. There must be one for a database, and its Run
// must be running.
func (db *DB) NewLedger() *Ledger { return &Ledger{db: db, pending: make(map[spendKey]spendSum)} }

// Record adds a call. It never blocks on the disk.
func (l *Ledger) Record(s Spend) {
	k := spendKey{s.Day, s.Provider, s.Key, s.Model, s.Visitor, s.Background}
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, there := l.pending[k]; !there && len(l.pending) >= spendPending {
		k.visitor = ""
	}
	l.add(k, spendSum{1, int64(s.Usage.Prompt), int64(s.Usage.Completion), int64(s.Usage.Cached), s.Cost})
}

func (l *Ledger) add(k spendKey, s spendSum) {
	t := l.pending[k]
	l.pending[k] = spendSum{t.calls + s.calls, t.prompt + s.prompt, t.completion + s.completion, t.cached + s.cached, t.cost + s.cost}
}

// Run writes what was recorded until ctx ends, and the rest then.
func (l *Ledger) Run(ctx context.Context) error {
	t := time.NewTicker(spendEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			return l.Flush(last)
		case <-t.C:
			if err := l.Flush(ctx); err != nil && ctx.Err() == nil && l.db.readOnlyErr() == nil {
				l.db.cfg.Log.Warn("what calls cost could not be stored; it is kept in memory", "error", err)
			}
		}
	}
}

// Flush writes what was recorded. On an error it stays recorded.
func (l *Ledger) Flush(ctx context.Context) error {
	l.flush.Lock()
	defer l.flush.Unlock()
	l.mu.Lock()
	sums := l.pending
	none := len(sums) == 0 // looked at here: the map stays in use then
	if !none {
		if l.spare == nil {
			l.spare = make(map[spendKey]spendSum)
		}
		l.pending, l.spare = l.spare, nil
	}
	l.mu.Unlock()
	if none {
		return nil
	}
	err := l.db.write(ctx, func(tx *Tx) error {
		for k, s := range sums {
			if err := putSpend(tx, &k, &s); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		l.mu.Lock()
		for k, s := range sums {
			l.add(k, s)
		}
		l.mu.Unlock()
	}
	if len(sums) <= spendKeep {
		clear(sums)
		l.spare = sums
	}
	return wrap("store what calls cost", err)
}

func putSpend(tx *Tx, k *spendKey, s *spendSum) error {
	q, err := tx.stmt(`INSERT INTO spend (day, provider, key, model, visitor, background, calls, prompt, completion, cached, cost)
		VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11) ON CONFLICT DO UPDATE SET calls = calls + ?7, prompt = prompt + ?8,
		completion = completion + ?9, cached = cached + ?10, cost = cost + ?11`)
	if err != nil {
		return err
	}
	q.text(k.day).text(k.provider).text(k.key).text(k.model).text(k.visitor).bool(k.background)
	return tx.finish(q.int(s.calls).int(s.prompt).int(s.completion).int(s.cached).float(s.cost))
}

// Spent returns the totals of a day and its month, what was recorded just now
// included.
func (l *Ledger) Spent(ctx context.Context, day string) (SpendTotals, error) {
	if err := l.Flush(ctx); err != nil && l.db.readOnlyErr() == nil {
		return SpendTotals{}, err
	}
	t := SpendTotals{Keys: make(map[string]float64), Visitors: make(map[string]float64)}
	err := l.db.each(ctx, "SELECT key, visitor, sum(cost), sum(calls), sum(prompt + completion) FROM spend WHERE day = ? GROUP BY key, visitor",
		[]any{day}, func(r *sql.Rows) error {
			var key, visitor string
			var cost float64
			var calls, tokens int64
			err := r.Scan(&key, &visitor, &cost, &calls, &tokens)
			t.Day += cost
			t.Calls += calls
			t.Tokens += tokens
			t.Keys[key] += cost
			t.Visitors[visitor] += cost
			return err
		})
	if err != nil {
		return t, wrap("read spending", err)
	}
	month := day[:min(len(day), len("2006-01"))]
	err = l.db.row(ctx, "SELECT coalesce(sum(cost), 0) FROM spend WHERE day BETWEEN ? AND ?", []any{month + "-01", month + "-31"}, &t.Month)
	l.addPending(&t, day, month)
	return t, wrap("read spending", err)
}

// addPending adds what could not be written, on a disk that refuses.
func (l *Ledger) addPending(t *SpendTotals, day, month string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for k, s := range l.pending {
		if k.day == day {
			t.Day += s.cost
			t.Calls += s.calls
			t.Tokens += s.prompt + s.completion
			t.Keys[k.key] += s.cost
			t.Visitors[k.visitor] += s.cost
		}
		if len(k.day) > len(month) && k.day[:len(month)] == month {
			t.Month += s.cost
		}
	}
}

// DaySpend is the spending of one key and model on one day.
type DaySpend struct {
	Day, Provider, Key, Model         string
	Calls, Prompt, Completion, Cached int64
	Cost                              float64
}

// History returns the spending of the days from first to last, both included.
func (l *Ledger) History(ctx context.Context, first, last string) ([]DaySpend, error) {
	var out []DaySpend
	err := l.db.each(ctx, `SELECT day, provider, key, model, sum(calls), sum(prompt), sum(completion), sum(cached), sum(cost)
		FROM spend WHERE day BETWEEN ? AND ? GROUP BY day, provider, key, model ORDER BY day, provider, key, model`, []any{first, last}, func(r *sql.Rows) error {
		var d DaySpend
		err := r.Scan(&d.Day, &d.Provider, &d.Key, &d.Model, &d.Calls, &d.Prompt, &d.Completion, &d.Cached, &d.Cost)
		out = append(out, d)
		return err
	})
	return out, wrap("read spending", err)
}

// ForgetVisitors sums up the visitors of the days before one: the money stays,
// whose it was goes.
func (l *Ledger) ForgetVisitors(ctx context.Context, before string) error {
	return wrap("forget visitors' spending", l.db.writeIdle(ctx, func(tx *Tx) error {
		_, err := tx.exec(`INSERT INTO spend (day, provider, key, model, visitor, background, calls, prompt, completion, cached, cost)
			SELECT day, provider, key, model, '', background, sum(calls), sum(prompt), sum(completion), sum(cached), sum(cost)
			FROM spend WHERE day < ? AND visitor <> '' GROUP BY day, provider, key, model, background
			ON CONFLICT DO UPDATE SET calls = calls + excluded.calls, prompt = prompt + excluded.prompt,
			completion = completion + excluded.completion, cached = cached + excluded.cached, cost = cost + excluded.cost`, before)
		if err != nil {
			return err
		}
		_, err = tx.exec("DELETE FROM spend WHERE day < ? AND visitor <> ''", before)
		return err
	}))
}
