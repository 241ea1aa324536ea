package upstream

import (
	"context"
	"time"

	"haoke/backend/internal/span"
)

// begin ties the attempt to its call, which gives it this long to the first
// token. A call of our own kind is tied to one attempt at a time.
func (a *attempt) begin(ctx context.Context, patience time.Duration) {
	a.begun = true
	if call, ok := ctx.(*span.Span); !ok {
		a.unlink = context.AfterFunc(ctx, a.over)
	} else if !call.Guard(a.over) {
		a.over()
	}
	if a.timer == nil {
		a.timer = time.AfterFunc(patience, a.slow)
	} else {
		a.timer.Reset(patience)
	}
}

// end undoes begin. What has begun to run at that very moment may touch the
// attempt later.
func (a *attempt) end(ctx context.Context) {
	if call, ok := ctx.(*span.Span); ok {
		call.Unguard()
	} else if !a.unlink() {
		a.spoiled = true
	}
	if !a.timer.Stop() {
		a.spoiled = true
	}
	if a.quit != nil {
		a.quit(nil)
	}
}

// foreign is the attempt's context for net/http, which may look at it when the
// attempt is over.
func (a *attempt) foreign() context.Context {
	ctx, quit := context.WithCancelCause(&a.life)
	a.quit = quit
	return ctx
}
