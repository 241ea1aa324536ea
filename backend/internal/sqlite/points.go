package sqlite

import (
	"context"
	"database/sql"
)

// Point is a stored value of a chart's series: what happened in the Step
// seconds from At on.
type Point struct {
	Series string
	Step   int64 // seconds
	At     int64 // Unix seconds
	Value  float64
}

// Points stores the rollups of the charts.
type Points struct{ db *DB }

// Points returns the store of rollups.
func (db *DB) Points() *Points { return &Points{db} }

// Save writes points, all or none; the later value of a series, step and time
// wins.
func (p *Points) Save(ctx context.Context, points []Point) error {
	if len(points) == 0 {
		return nil
	}
	err := p.db.writeIdle(ctx, func(tx *Tx) error {
		ids := make(map[string]int64)
		for _, x := range points {
			id, ok := ids[x.Series]
			if !ok {
				if _, err := tx.exec("INSERT INTO series (name) VALUES (?) ON CONFLICT DO NOTHING", x.Series); err != nil {
					return err
				}
				if err := tx.row("SELECT id FROM series WHERE name = ?", []any{x.Series}, &id); err != nil {
					return err
				}
				ids[x.Series] = id
			}
			_, err := tx.exec("INSERT INTO points (step, at, series, value) VALUES (?1,?2,?3,?4) ON CONFLICT DO UPDATE SET value = ?4",
				x.Step, x.At, id, x.Value)
			if err != nil {
				return err
			}
		}
		return nil
	})
	return wrap("store chart points", err)
}

// Load calls each for every point of a step from a time on, oldest first.
func (p *Points) Load(ctx context.Context, step, from int64, each func(Point)) error {
	err := p.db.each(ctx, "SELECT s.name, p.at, p.value FROM points p JOIN series s ON s.id = p.series WHERE p.step = ? AND p.at >= ? ORDER BY p.at",
		[]any{step, from}, func(r *sql.Rows) error {
			x := Point{Step: step}
			if err := r.Scan(&x.Series, &x.At, &x.Value); err != nil {
				return err
			}
			each(x)
			return nil
		})
	return wrap("load chart points", err)
}

// Drop deletes the points of a step before a time.
func (p *Points) Drop(ctx context.Context, step, before int64) error {
	return wrap("delete chart points", p.db.writeIdle(ctx, func(tx *Tx) error {
		_, err := tx.exec("DELETE FROM points WHERE step = ? AND at < ?", step, before)
		return err
	}))
}
