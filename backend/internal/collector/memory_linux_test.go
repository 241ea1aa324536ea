package collector

import (
	"testing"
	"testing/fstest"
)

func TestSmallestControlGroup(t *testing.T) {
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s + "\n")} }
	two := fstest.MapFS{
		"memory.max":                              file("max"),
		"system.slice/memory.max":                 file("900000"),
		"system.slice/haoke.service/memory.max":   file("max"),
		"other.slice/memory.max":                  file("1"),
		"memory/docker/abc/memory.limit_in_bytes": file("500000"),
		"memory/memory.limit_in_bytes":            file("9223372036854771712"),
	}
	for name, c := range map[string]struct {
		groups string
		want   int64
	}{
		"a service, its slice limits":   {"0::/system.slice/haoke.service\n", 900000},
		"no limit anywhere":             {"0::/user.slice\n", 0},
		"version 1":                     {"5:devices:/\n4:memory:/docker/abc\n", 500000},
		"version 1 at the top":          {"4:memory:/\n", 9223372036854771712},
		"a container's own view":        {"0::/\n", 0},
		"both versions, the less wins":  {"0::/system.slice\n4:memory:/docker/abc\n", 500000},
		"junk":                          {"nonsense\n0:x\n", 0},
		"a group that is not there now": {"0::/system.slice/gone.service\n", 900000},
	} {
		if got := smallest(two, c.groups); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}
