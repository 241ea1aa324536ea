package metrics

import (
	"context"
	"strings"
)

// load puts the stored rollups into the rings.
func (r *Recorder) load(ctx context.Context) error {
	if r.cfg.Store == nil {
		return nil
	}
	now := r.now().Unix()
	for i, t := range tiers {
		if !t.stored {
			continue
		}
		err := r.cfg.Store.LoadPoints(ctx, t.step, now-t.step*int64(t.size), func(p Point) {
			r.charts.mu.Lock()
			defer r.charts.mu.Unlock()
			unit, b, ok := kindOf(p.Series)
			if !ok || p.At > now {
				return // of another version, or of a clock that was ahead
			}
			if s := r.charts.line(p.Series, unit, b); s != nil {
				s.rings[i].put(p.At-p.At%t.step, p.Value)
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// save gives the Store what is finished. On failure the points stay.
func (r *Recorder) save(ctx context.Context) {
	if r.cfg.Store == nil {
		r.charts.mu.Lock()
		r.charts.unsent = nil
		r.charts.mu.Unlock()
		return
	}
	r.charts.mu.Lock()
	points := r.charts.unsent
	r.charts.unsent = nil
	r.charts.mu.Unlock()
	if len(points) == 0 {
		return
	}
	if err := r.cfg.Store.SavePoints(ctx, points); err != nil {
		r.charts.mu.Lock()
		r.charts.unsent = append(points, r.charts.unsent...)
		r.charts.mu.Unlock()
		return
	}
	r.drop(ctx)
}

// drop deletes what has grown too old. A failure is tried again next minute.
func (r *Recorder) drop(ctx context.Context) {
	now, days := r.now().Unix(), int64(r.cfg.Days)
	if days <= 0 {
		days = 400
	}
	for _, t := range tiers {
		keep := t.step * int64(t.size)
		if t.step == 3600 {
			keep = min(keep, days*86400)
		}
		if t.stored && now/60%10 == t.step%7 { // not every minute, not all at once
			_ = r.cfg.Store.DropPoints(ctx, t.step, now-keep)
		}
	}
}

// kindOf tells unit and blend of a series by its name, for stored points.
func kindOf(name string) (Unit, blend, bool) {
	base, _, _ := strings.Cut(name, ":")
	switch base {
	case "connections", "upstream_inflight", "sessions_hot", "cold_pending", "queue_vip", "queue_ordinary", "queue_background":
		return Count, mean, true
	case "messages_in", "messages_out":
		return PerSecond, sum, true
	case "merged", "cache_hits", "upstream_dials", "upstream_2xx", "upstream_429", "upstream_4xx", "upstream_5xx",
		"tokens_prompt", "tokens_completion", "filter_hits_words", "filter_hits_patterns", "filter_hits_review":
		return PerMinute, sum, true
	case "admit_rate":
		return PerMinute, mean, true
	case "saved_money", "spend":
		return Money, sum, true
	case "spend_today":
		return Money, mean, true
	case "memory", "sqlite_bytes":
		return Bytes, mean, true
	case "cpu":
		return Percent, mean, true
	case "cold_ratio":
		return Ratio, mean, true
	}
	switch {
	case strings.HasSuffix(base, "_p50"):
		return Seconds, mean, true
	case strings.HasSuffix(base, "_p95"), strings.HasSuffix(base, "_p99"), strings.HasPrefix(base, "queue_seconds_"), strings.HasPrefix(base, "filter_seconds_"):
		return Seconds, most, true
	}
	return "", 0, false
}
