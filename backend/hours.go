package backend

import (
	"context"
	"slices"
	"strings"
	"time"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/settings"
)

// modeAt is the mode in which a conversation begins: outside the business hours
// the owner may want the offline form in place of the AI.
func modeAt(s *settings.Settings, now time.Time) chat.Mode {
	if s.Site.OutsideHours == "form" && !openAt(s, now) {
		return chat.ModeOffline
	}
	return chat.ModeAI
}

// hiddenAt reports whether the owner wants no bubble now.
func hiddenAt(s *settings.Settings, now time.Time) bool {
	return s.Site.OutsideHours == "hidden" && !openAt(s, now)
}

// openAt reports whether the shop is open. Without hours it always is; a range
// whose end lies before its beginning lasts until the next day.
func openAt(s *settings.Settings, now time.Time) bool {
	if len(s.Site.Hours) == 0 {
		return true
	}
	if zone, err := timeZone(s.Site.TimeZone); err == nil {
		now = now.In(zone)
	}
	if slices.Contains(s.Site.Holidays, now.Format(time.DateOnly)) {
		return false
	}
	day := func(t time.Time) string { return strings.ToLower(t.Format("Mon")) }
	at := now.Format("15:04")
	for _, h := range s.Site.Hours {
		if h.Open <= h.Close {
			if slices.Contains(h.Days, day(now)) && at >= h.Open && at < h.Close {
				return true
			}
			continue
		}
		if slices.Contains(h.Days, day(now)) && at >= h.Open || slices.Contains(h.Days, day(now.AddDate(0, 0, -1))) && at < h.Close {
			return true
		}
	}
	return false
}

// keepHours brings the beginning and the end of the business hours into effect.
func (p *parts) keepHours(ctx context.Context) error {
	tick := time.NewTicker(20 * time.Second)
	defer tick.Stop()
	open := openAt(p.settings.Current(), time.Now())
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-tick.C:
			s := p.settings.Current()
			is := openAt(s, now)
			if is == open {
				continue
			}
			open = is
			if err := p.refreshLive(s); err != nil {
				p.log.Error("the business hours could not be brought into effect", "err", err)
			}
		}
	}
}
