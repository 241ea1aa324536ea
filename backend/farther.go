package backend

import (
	"context"
	"log/slog"

	"haoke/backend/internal/archive"
	"haoke/backend/internal/settings"
	"haoke/backend/internal/wire"
)

// farther is the archive's server.
type farther struct{ log *slog.Logger }

func (f *farther) remote(s *settings.Settings) archive.Remote     { return nil }
func (f *farther) describe(s *settings.Settings) (string, string) { return "", "" }
func (f *farther) fault(s *settings.Settings) error               { return nil }
func (f *farther) test(ctx context.Context, s *settings.Settings, dsn string) (wire.ArchiveTest, error) {
	return wire.ArchiveTest{}, nil
}
func (f *farther) close() {}
