package clickhouse

import (
	"context"
	"fmt"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Sizes is what both tables take on disk, in bytes, all columns and indexes
// included.
type Sizes struct {
	Version            string
	Sessions, Messages int64
}

// Measure stores sessions in tables of their own, merges them, asks
// system.parts what they take, and removes the tables again. It is for
// measurements: s should have a Prefix that nothing else uses.
func (s *Server) Measure(ctx context.Context, rows []Session) (size Sizes, err error) {
	const batch = 500
	for i := 0; i < len(rows); i += batch {
		if err := s.Ship(ctx, fmt.Sprintf("measure-%d", i), false, rows[i:min(i+batch, len(rows))]); err != nil {
			return size, err
		}
	}
	conn, sc, err := s.tables(ctx)
	if err != nil {
		return size, err
	}
	size.Version = sc.version
	defer func() {
		for _, t := range []string{sc.sessions, sc.messages, sc.dicts} {
			if derr := conn.Exec(context.WithoutCancel(ctx), "DROP TABLE IF EXISTS "+t); err == nil {
				err = derr
			}
		}
		s.diagnosed(errDropped)
	}()
	for _, t := range []string{sc.sessions, sc.messages} {
		if err := conn.Exec(ctx, "OPTIMIZE TABLE "+t+" FINAL"); err != nil {
			return size, fmt.Errorf("merge %s: %w", t, err)
		}
	}
	err = each(ctx, conn, "SELECT table, sum(bytes_on_disk) FROM system.parts WHERE active AND database = currentDatabase() AND table IN ('"+
		strings.Trim(sc.sessions, "`")+"', '"+strings.Trim(sc.messages, "`")+"') GROUP BY table", func(r driver.Rows) error {
		var table string
		var bytes uint64
		err := r.Scan(&table, &bytes)
		if strings.HasSuffix(table, "_sessions") {
			size.Sessions = int64(bytes)
		} else {
			size.Messages = int64(bytes)
		}
		return err
	})
	return size, err
}

// errDropped makes the tables be looked at again.
var errDropped = &Fault{Kind: "server", Text: "The tables were removed."}
