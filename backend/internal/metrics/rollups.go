package metrics

import (
	"context"
	"strings"
)

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
