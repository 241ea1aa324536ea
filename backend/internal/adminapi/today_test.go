package adminapi

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"haoke/backend/internal/metrics"
	"haoke/backend/internal/wire"
)

// TestAnswersOfTheRunningMinute: an answer counts within a few seconds, and
// goes on counting at each second of the minutes after.
func TestAnswersOfTheRunningMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		r := metrics.New(metrics.Config{})
		done := make(chan struct{})
		go func() { defer close(done); r.Run(ctx) }()
		defer func() { cancel(); <-done }()
		a := &API{Deps: Deps{Metrics: r}}
		time.Sleep(90*time.Second + 300*time.Millisecond)
		for range 3 {
			r.Message("ai")
		}
		time.Sleep(3 * time.Second)
		for i := range 150 {
			var s wire.Status
			a.figures(time.Now(), &s)
			if s.AnswersToday != 3 {
				t.Fatalf("%d s later (%s): %d answers today, want 3", i+3, time.Now().UTC().Format(time.TimeOnly), s.AnswersToday)
			}
			time.Sleep(time.Second)
		}
	})
}
