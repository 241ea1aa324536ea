package backend

import (
	"context"
	"net/http"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/engine"
	"haoke/backend/internal/prompt"
)

func (p *parts) attachSettings(ctx context.Context) error {
	return p.settings.Attach(ctx, settingRows{p.db.Settings()}, nil)
}
func (p *parts) guard() engine.Guard                                         { return nil }
func (p *parts) summaryOf(context.Context, chat.Conversation) prompt.Summary { return prompt.Summary{} }
func (p *parts) adminHandler(b *Backend) http.Handler                        { return p.metrics.Handler() }
func (p *parts) windowHandler() http.Handler                                 { return p.metrics.Handler() }
