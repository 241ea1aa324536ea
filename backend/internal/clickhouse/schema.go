package clickhouse

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"haoke/backend/internal/chat"
)

// schema is what was found out about a server and its tables.
type schema struct {
	version  string
	sessions string // quoted names
	messages string
	dicts    string
	fine     bool // messages.at has milliseconds itself (DateTime64)
	dialect
}

// dialect is what a version of the server understands.
type dialect struct {
	modern    bool // column codecs, LowCardinality, DateTime64 and TTL, all without experimental settings
	removeTTL bool // ALTER TABLE ... REMOVE TTL
	tokens    bool // the setting insert_deduplication_token
}

// dialectOf goes by the server's changelog: DateTime64 came with 20.1, and the
// first long-term release with all of them is 20.3; REMOVE TTL came with 20.10
// (ClickHouse/ClickHouse#14742), tokens early in 2022. Where a server refuses
// the newer form of a table all the same, the old one is used.
func dialectOf(major, minor uint64) dialect {
	v := major*1000 + minor
	return dialect{modern: v >= 20_003, removeTTL: v >= 20_010, tokens: v >= 22_004}
}

// column is one of our columns on an old and on a newer server.
type column struct{ name, old, modern string }

// The sealed conversations. What the messages tell as well is left out: this
// table is there to restore from, and every byte of it is paid for for years.
var sessionColumns = []column{
	{"conversation", "UUID", "UUID CODEC(NONE)"}, // random
	{"version", "UInt32", "UInt32 CODEC(ZSTD(1))"},
	{"sum", "UInt64", "UInt64 CODEC(NONE)"}, // of data: random
	{"codec", "String", "LowCardinality(String)"},
	{"dict", "UInt32", "UInt32 CODEC(ZSTD(1))"},       // number at the appliance, 0: none
	{"dictionary", "UInt64", "UInt64 CODEC(ZSTD(1))"}, // its sum among the dictionaries
	{"messages", "UInt32", "UInt32 CODEC(ZSTD(1))"},
	{"data", "String", "String CODEC(NONE)"}, // packed already
	{"site", "String", "LowCardinality(String)"},
	{"visitor", "String", "String CODEC(ZSTD(3))"},
	{"rating", "UInt8", "UInt8 CODEC(ZSTD(1))"},
	{"updated", "DateTime", "DateTime CODEC(ZSTD(1))"},
	{"sealed", "DateTime", "DateTime CODEC(Delta, ZSTD(1))"},
}

var messageColumns = []column{
	{"conversation", "UUID", "UUID CODEC(ZSTD(1))"},
	{"seq", "UInt32", "UInt32 CODEC(Delta, ZSTD(1))"},
	{"version", "UInt32", "UInt32 CODEC(ZSTD(1))"},
	{"at", "DateTime", "DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1))"},
	{"at_ms", "UInt16", "UInt16 CODEC(ZSTD(1))"}, // milliseconds of at, where it has none itself
	{"sender", "Enum8('visitor' = 1, 'ai' = 2, 'operator' = 3, 'system' = 4)", "LowCardinality(String)"},
	{"text", "String", "String CODEC(ZSTD(6))"},
	{"finish", "String", "LowCardinality(String)"},
	{"author", "String", "LowCardinality(String)"},
	{"mark", "String", "LowCardinality(String)"},
	{"provider", "String", "LowCardinality(String)"},
	{"model", "String", "LowCardinality(String)"},
	{"prompt_tokens", "UInt32", "UInt32 CODEC(ZSTD(1))"},
	{"completion_tokens", "UInt32", "UInt32 CODEC(ZSTD(1))"},
	{"cost", "Float32", "Float32 CODEC(ZSTD(1))"},
	{"first_ms", "UInt32", "UInt32 CODEC(ZSTD(1))"},
	{"total_ms", "UInt32", "UInt32 CODEC(ZSTD(1))"},
	{"updated", "DateTime", "DateTime CODEC(ZSTD(1))"}, // of the conversation, for the time to live
}

// The dictionaries that data needs, each once.
var dictColumns = []column{
	{"sum", "UInt64", "UInt64"}, // of data
	{"codec", "String", "String"},
	{"data", "String", "String CODEC(NONE)"}, // packed already
	{"made", "DateTime", "DateTime"},
}

func names(cols []column) []string {
	out := make([]string, len(cols))
	for i, c := range cols {
		out[i] = c.name
	}
	return out
}

// createTable writes the statement for a table. The key comes first in the
// columns; what the engine keeps of equal keys is the highest of newest.
func createTable(name string, cols []column, modern bool, newest, partition, key string) string {
	defs := make([]string, len(cols))
	for i, c := range cols {
		defs[i] = c.name + " " + c.old
		if modern {
			defs[i] = c.name + " " + c.modern
		}
	}
	return fmt.Sprintf("CREATE TABLE IF NOT EXISTS %s (%s) ENGINE = ReplacingMergeTree(%s) PARTITION BY toYYYYMM(%s) ORDER BY (%s)",
		name, strings.Join(defs, ", "), newest, partition, key)
}

func quote(name string) string { return "`" + strings.ReplaceAll(name, "`", "") + "`" }

// prepare looks at the tables and makes or migrates them. It may be repeated,
// and by several appliances at once.
func (s *Server) prepare(ctx context.Context, conn driver.Conn) (*schema, error) {
	v, err := conn.ServerVersion()
	if err != nil {
		if codeOf(err) != codeUnknownDatabase || s.makeDatabase(ctx) != nil {
			return nil, err
		}
		if v, err = conn.ServerVersion(); err != nil {
			return nil, err
		}
	}
	sc := &schema{
		version:  fmt.Sprintf("%d.%d.%d", v.Version.Major, v.Version.Minor, v.Version.Patch),
		sessions: quote(s.cfg.Prefix + "_sessions"), messages: quote(s.cfg.Prefix + "_messages"), dicts: quote(s.cfg.Prefix + "_dicts"),
	}
	sc.dialect = dialectOf(v.Version.Major, v.Version.Minor)
	if err := s.table(ctx, conn, s.cfg.Prefix+"_sessions", sessionColumns, sc.modern, "", "updated", "conversation, version, sum"); err != nil {
		return nil, err
	}
	if err := s.table(ctx, conn, s.cfg.Prefix+"_messages", messageColumns, sc.modern, "version", "at", "conversation, seq"); err != nil {
		return nil, err
	}
	if err := s.table(ctx, conn, s.cfg.Prefix+"_dicts", dictColumns, sc.modern, "", "made", "sum"); err != nil {
		return nil, err
	}
	types, err := columnTypes(ctx, conn, s.cfg.Prefix+"_messages")
	if err != nil {
		return nil, err
	}
	sc.fine = strings.HasPrefix(types["at"], "DateTime64")
	if sc.modern {
		s.setTTL(ctx, conn, sc)
	}
	return sc, nil
}

// makeDatabase creates the database of the address, where the user may.
func (s *Server) makeDatabase(ctx context.Context) error {
	opts := *s.opts
	opts.Auth.Database = "default"
	other := &Server{cfg: s.cfg, opts: &opts}
	defer other.Close()
	conn, err := other.open()
	if err != nil {
		return err
	}
	return conn.Exec(ctx, "CREATE DATABASE IF NOT EXISTS "+quote(s.database()))
}

// table makes a table or adds the columns it lacks. A table of that name that
// is not ours is left alone.
func (s *Server) table(ctx context.Context, conn driver.Conn, name string, cols []column, modern bool, newest, partition, key string) error {
	have, err := columnTypes(ctx, conn, name)
	if err != nil {
		return err
	}
	if len(have) == 0 {
		err := conn.Exec(ctx, createTable(quote(name), cols, modern, newest, partition, key))
		if code := codeOf(err); modern && code != 0 && exceptions[code].Kind == "" {
			s.cfg.Log.Info("the ClickHouse server refused the newer form of the table; the old one is used", "table", name, "err", firstLine(err.Error()))
			err = conn.Exec(ctx, createTable(quote(name), cols, false, newest, partition, key))
		}
		return err
	}
	// The key and what no other table would have by chance.
	own := append(strings.Split(key, ", "), partition, cols[1].name)
	for _, c := range own {
		if have[c] == "" || c == "conversation" && have[c] != "UUID" {
			return &Fault{
				Kind: "foreign", Text: fmt.Sprintf("The database has a table %s that is not Haoke's.", name),
				Hint: "Choose another table prefix (archive.table) or another database; the table was not touched.",
			}
		}
	}
	for _, c := range cols {
		if have[c.name] != "" {
			continue
		}
		kind := c.old
		if modern {
			kind = c.modern
		}
		if err := conn.Exec(ctx, fmt.Sprintf("ALTER TABLE %s ADD COLUMN %s %s", quote(name), c.name, kind)); err != nil {
			return fmt.Errorf("add column %s to %s: %w", c.name, name, err)
		}
	}
	return nil
}

// columnTypes lists the columns of a table, none when there is no such table.
func columnTypes(ctx context.Context, conn driver.Conn, table string) (map[string]string, error) {
	rows, err := conn.Query(ctx, "SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = '"+table+"'")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[string]string{}
	for rows.Next() {
		var name, kind string
		if err := rows.Scan(&name, &kind); err != nil {
			return nil, err
		}
		out[name] = kind
	}
	return out, rows.Err()
}

// ttlGrace is how much longer the server keeps rows than the appliance asks it
// to, in days: its own deletion comes first.
const ttlGrace = 7

// ttlMost bounds a time to live, in days: a DateTime ends in the year 2106, and
// a sum beyond it begins again in 1970, which would drop everything at once.
const ttlMost = 18_250

// setTTL lets the server drop rows by itself. It is a second line behind our
// deletions, so a server that refuses is no fault.
func (s *Server) setTTL(ctx context.Context, conn driver.Conn, sc *schema) {
	for _, t := range []string{sc.sessions, sc.messages} {
		var was string
		row := conn.QueryRow(ctx, "SELECT create_table_query FROM system.tables WHERE database = currentDatabase() AND name = '"+strings.Trim(t, "`")+"'")
		if err := row.Scan(&was); err != nil {
			continue
		}
		change := alterTTL(t, was, s.cfg.KeepDays, sc.dialect)
		if change == "" {
			continue
		}
		if err := conn.Exec(ctx, change); err != nil {
			s.cfg.Log.Info("the ClickHouse server did not take the time to live of a table", "table", t, "err", firstLine(err.Error()))
		}
	}
}

// alterTTL is the statement that gives a table the time to live that it should
// have; empty when it has it. was is how the table was made. More than ttlMost
// is none; a server that cannot take a time to live away gets that one.
func alterTTL(table, was string, keepDays int, d dialect) string {
	has := strings.Contains(was, " TTL ")
	if keepDays > ttlMost-ttlGrace {
		keepDays = 0
	}
	switch {
	case !d.modern || keepDays == 0 && !has:
		return ""
	case keepDays == 0 && d.removeTTL:
		return "ALTER TABLE " + table + " REMOVE TTL"
	case keepDays == 0:
		keepDays = ttlMost - ttlGrace
	}
	ttl := fmt.Sprintf("updated + toIntervalDay(%d)", keepDays+ttlGrace)
	if strings.Contains(was, ttl) {
		return ""
	}
	return "ALTER TABLE " + table + " MODIFY TTL " + ttl
}

// uuid writes a conversation's id as the server does. A text that is no id
// gives the id that no conversation has.
func uuid(id string) string {
	if !chat.ConversationID(id).Valid() {
		id = strings.Repeat("0", 32)
	}
	return id[:8] + "-" + id[8:12] + "-" + id[12:16] + "-" + id[16:20] + "-" + id[20:]
}

// idOf is the reverse of uuid.
func idOf(uuid string) string { return strings.ReplaceAll(uuid, "-", "") }

// idList writes ids for IN. Only digits and letters a to f can get into it.
func idList(ids []string) string {
	list := make([]string, 0, len(ids))
	for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
		list = append(list, "toUUID('"+uuid(id)+"')")
	}
	if len(list) == 0 {
		list = append(list, "toUUID('"+uuid("")+"')")
	}
	return "(" + strings.Join(list, ", ") + ")"
}
