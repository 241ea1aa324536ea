package backend

import (
	"context"
	"errors"

	"haoke/backend/internal/adminapi"
	"haoke/backend/internal/chat"
	"haoke/backend/internal/wire"
)

// errNoArchive is the answer where no cold tier is compiled in yet.
var errNoArchive = errors.New("this build keeps every conversation in the database; there is no archive")

type noArchive struct{}

func (noArchive) Read(context.Context, chat.ConversationID) ([]chat.Message, error) {
	return nil, errNoArchive
}
func (noArchive) Seal(context.Context, chat.ConversationID) error { return errNoArchive }
func (noArchive) Status(context.Context) (wire.ArchiveStatus, error) {
	return wire.ArchiveStatus{}, nil
}
func (noArchive) Test(context.Context, wire.ArchiveProbe) (wire.ArchiveTest, error) {
	return wire.ArchiveTest{}, errNoArchive
}
func (noArchive) Run(context.Context) (wire.ArchiveRun, error) {
	return wire.ArchiveRun{}, errNoArchive
}
func (noArchive) Troubles() []wire.Trouble { return nil }

func (p *parts) cold() adminapi.Archive { return noArchive{} }
