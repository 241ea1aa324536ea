package adminapi

import "haoke/backend/internal/wire"

func (a *API) archiveHandlers() map[string]func(*call) (any, error) {
	return map[string]func(*call) (any, error){
		"getArchive":  func(c *call) (any, error) { return a.Host.Archive().Status(c.ctx()) },
		"testArchive": a.testArchive,
		"runArchive":  func(c *call) (any, error) { return a.Host.Archive().Run(c.ctx()) },
	}
}

// maxDSN bounds the address of a ClickHouse.
const maxDSN = 2000

func (a *API) testArchive(c *call) (any, error) {
	in, err := body[wire.ArchiveProbe](c)
	if err != nil {
		return nil, err
	}
	if len(in.DSN) > maxDSN {
		return nil, invalid("dsn", "The address is too long.", "It looks like clickhouse://name:password@host:9000/database")
	}
	out, err := a.Host.Archive().Test(c.ctx(), in)
	if out.Steps == nil {
		out.Steps = []wire.TestStep{}
	}
	return out, err
}
