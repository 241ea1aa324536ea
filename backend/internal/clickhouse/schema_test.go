package clickhouse

import (
	"strings"
	"testing"
)

// Which statements a version gets. The old ones run on a real server in the
// other tests; the newer ones are held against the documentation: codecs
// (create/table/codec), TTL (alter/ttl), LowCardinality and DateTime64.
func TestDialects(t *testing.T) {
	for _, c := range []struct {
		major, minor uint64
		want         dialect
	}{
		{1, 54, dialect{}},
		{18, 16, dialect{}},
		{19, 17, dialect{}},
		{20, 1, dialect{}},
		{20, 3, dialect{modern: true}},
		{20, 10, dialect{modern: true, removeTTL: true}},
		{22, 3, dialect{modern: true, removeTTL: true}},
		{22, 8, dialect{modern: true, removeTTL: true, tokens: true}},
		{25, 3, dialect{modern: true, removeTTL: true, tokens: true}},
	} {
		if got := dialectOf(c.major, c.minor); got != c.want {
			t.Errorf("%d.%d: %+v", c.major, c.minor, got)
		}
	}
}

func TestTables(t *testing.T) {
	newer := []string{"CODEC(", "LowCardinality(", "DateTime64(", " TTL "}
	for _, cols := range [][]column{sessionColumns, messageColumns} {
		old := createTable("`t`", cols, false, "version", "at", "conversation, seq")
		for _, word := range newer {
			if strings.Contains(old, word) {
				t.Errorf("for old servers: %s in %s", word, old)
			}
		}
		for _, c := range cols {
			// The codec comes last, and what is packed or random is not packed again.
			if i := strings.Index(c.modern, "CODEC("); i >= 0 && !strings.HasSuffix(c.modern, ")") {
				t.Errorf("%s: %s", c.name, c.modern)
			}
			if strings.Contains(c.modern, "Delta") && !strings.Contains(c.modern, "Delta, ZSTD") {
				t.Errorf("%s: a transformation without compression: %s", c.name, c.modern)
			}
		}
	}
	want := "CREATE TABLE IF NOT EXISTS `haoke_sessions` (conversation UUID CODEC(NONE), version UInt32 CODEC(ZSTD(1)), sum UInt64 CODEC(NONE), " +
		"codec LowCardinality(String), dict UInt32 CODEC(ZSTD(1)), dictionary UInt64 CODEC(ZSTD(1)), messages UInt32 CODEC(ZSTD(1)), data String CODEC(NONE), site LowCardinality(String), " +
		"visitor String CODEC(ZSTD(3)), rating UInt8 CODEC(ZSTD(1)), updated DateTime CODEC(ZSTD(1)), sealed DateTime CODEC(Delta, ZSTD(1))) " +
		"ENGINE = ReplacingMergeTree() PARTITION BY toYYYYMM(updated) ORDER BY (conversation, version, sum)"
	if got := createTable("`haoke_sessions`", sessionColumns, true, "", "updated", "conversation, version, sum"); got != want {
		t.Errorf("for newer servers:\n%s\n%s", got, want)
	}
}

func TestTimeToLive(t *testing.T) {
	old, twenty, recent := dialectOf(18, 16), dialectOf(20, 3), dialectOf(24, 8)
	const bare, kept = "CREATE TABLE t (...) ORDER BY x", "CREATE TABLE t (...) ORDER BY x TTL updated + toIntervalDay(37) SETTINGS index_granularity = 8192"
	for _, c := range []struct {
		was  string
		days int
		d    dialect
		want string
	}{
		{bare, 30, old, ""},
		{bare, 0, recent, ""},
		{bare, 30, recent, "ALTER TABLE `t` MODIFY TTL updated + toIntervalDay(37)"},
		{kept, 30, recent, ""},
		{kept, 60, twenty, "ALTER TABLE `t` MODIFY TTL updated + toIntervalDay(67)"},
		{kept, 0, recent, "ALTER TABLE `t` REMOVE TTL"},
		{kept, 0, twenty, "ALTER TABLE `t` MODIFY TTL updated + toIntervalDay(18250)"},
		{bare, 36_500, recent, ""},
		{kept, 36_500, recent, "ALTER TABLE `t` REMOVE TTL"},
	} {
		if got := alterTTL("`t`", c.was, c.days, c.d); got != c.want {
			t.Errorf("%q, %d days: %s", c.was, c.days, got)
		}
	}
}
