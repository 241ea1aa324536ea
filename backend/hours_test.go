package backend

import (
	"encoding/json"
	"testing"
	"time"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/settings"
	"haoke/backend/internal/wire"
)

func TestBusinessHours(t *testing.T) {
	s := settings.Default()
	s.Site.TimeZone = "Asia/Shanghai"
	s.Site.OutsideHours = "form"
	s.Site.Hours = []settings.Hours{
		{Days: []string{"mon", "tue"}, Open: "09:00", Close: "12:00"},
		{Days: []string{"mon", "tue"}, Open: "13:30", Close: "24:00"},
		{Days: []string{"fri"}, Open: "20:00", Close: "02:00"},
	}
	s.Site.Holidays = []string{"2026-01-06"}
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	for at, open := range map[string]bool{
		"2026-01-05 09:00": true, "2026-01-05 08:59": false, "2026-01-05 12:00": false, "2026-01-05 13:30": true, "2026-01-05 23:59": true,
		"2026-01-06 10:00": false, // a holiday
		"2026-01-07 10:00": false, "2026-01-09 20:00": true, "2026-01-10 01:59": true, "2026-01-10 02:00": false,
	} {
		now, err := time.ParseInLocation("2006-01-02 15:04", at, zone)
		if err != nil {
			t.Fatal(err)
		}
		if got := openAt(s, now.UTC()); got != open {
			t.Errorf("%s: open %v, want %v", at, got, open)
		}
		want := chat.ModeAI
		if !open {
			want = chat.ModeOffline
		}
		if got := modeAt(s, now.UTC()); got != want {
			t.Errorf("%s: mode %s", at, got)
		}
	}
	s.Site.OutsideHours = "hidden"
	for at, hidden := range map[string]bool{"2026-01-05T10:00:00+08:00": false, "2026-01-05T12:30:00+08:00": true} {
		now, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		var site wire.Site
		raw, err := look(s, now)
		if err != nil || json.Unmarshal(raw, &site) != nil || site.Hidden != hidden || modeAt(s, now) != chat.ModeAI {
			t.Errorf("%s: %s (%v)", at, raw, err)
		}
	}
	s.Site.Hours = nil
	if !openAt(s, time.Now()) {
		t.Error("without hours the shop is always open")
	}
}
