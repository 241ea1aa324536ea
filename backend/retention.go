package backend

import (
	"context"
	"errors"
	"time"

	"haoke/backend/internal/chat"
)

const (
	// retentionEvery is how often old data is looked for.
	retentionEvery = 24 * time.Hour
	// retentionFirst is the pause after the start: the first minutes belong to
	// visitors.
	retentionFirst = 2 * time.Minute
	// retentionStep is how many conversations are looked up at a time.
	retentionStep = 200
	// hitDays is how long the filter's hits are kept: they quote visitors.
	hitDays = 90
	// spendDays is how long it is kept who spent what; the sums stay.
	spendDays = 90
)

// retain deletes what the owner's settings no longer keep, daily, until ctx
// ends. What fails is logged and tried again the next day.
func (p *parts) retain(ctx context.Context) error {
	wait := time.NewTimer(retentionFirst)
	defer wait.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-wait.C:
		}
		if err := p.forgetOld(ctx, time.Now()); err != nil && ctx.Err() == nil {
			p.log.Error("old data could not be deleted; it is tried again tomorrow", "err", err)
		}
		wait.Reset(retentionEvery)
	}
}

// forgetOld does one day's deleting.
func (p *parts) forgetOld(ctx context.Context, now time.Time) error {
	s := p.settings.Current()
	var errs []error
	if days := s.Privacy.RetentionDays; days > 0 {
		n, err := p.forgetConversations(ctx, now.AddDate(0, 0, -days))
		if n > 0 {
			p.log.Info("conversations were deleted because of privacy.retention_days", "count", n, "days", days)
		}
		errs = append(errs, err, p.faq.DropUnanswered(ctx, now.AddDate(0, 0, -days)))
	}
	if days := s.Privacy.UploadDays; days > 0 {
		before := now.AddDate(0, 0, -days)
		errs = append(errs, p.uploads.Expire(before), p.db.Files().Expire(ctx, before))
	}
	errs = append(errs,
		p.db.Filters().DropHits(ctx, now.AddDate(0, 0, -hitDays)),
		p.ledger.ForgetVisitors(ctx, now.AddDate(0, 0, -spendDays).Format("2006-01-02")),
	)
	return errors.Join(errs...)
}

// forgetConversations deletes what has been silent since before, wherever it
// is: hot, warm, cold and on the archive's server.
func (p *parts) forgetConversations(ctx context.Context, before time.Time) (deleted int, err error) {
	skip := 0
	for {
		ids, err := p.db.Conversations().Idle(ctx, before, retentionStep+skip)
		if err != nil || len(ids) <= skip {
			return deleted, err
		}
		skip = 0
		for _, id := range ids {
			if ctx.Err() != nil {
				return deleted, ctx.Err()
			}
			if p.engine.Busy(id) {
				skip++
				continue
			}
			p.gateway.Replace(id)
			switch err := p.sessions.Delete(ctx, id); {
			case err == nil:
				deleted++
				p.prompts.Forget(id)
			case errors.Is(err, chat.ErrNotFound):
			case errors.Is(err, chat.ErrReadOnly):
				return deleted, err
			default:
				skip++
				p.log.Warn("a conversation could not be deleted", "conversation", id, "err", err)
			}
		}
		if skip > retentionStep {
			return deleted, errors.New("delete old conversations: too many of the oldest cannot be deleted, see the log")
		}
	}
}
