package update

import (
	"strconv"
	"strings"
)

// version is a release's number; the last place is 0 for one with a suffix
// ("-rc.1"), which comes before the one without.
type version [4]int

// parseVersion reads "1.2.3" or "v1.2.3-rc.1"; what follows "+" is ignored.
func parseVersion(s string) (v version, ok bool) {
	s = strings.TrimPrefix(s, "v")
	s, _, _ = strings.Cut(s, "+")
	core, pre, has := strings.Cut(s, "-")
	if !has {
		v[3] = 1
	} else if pre == "" {
		return v, false
	}
	parts := strings.Split(core, ".")
	if len(parts) != 3 {
		return v, false
	}
	for i, p := range parts {
		n, err := strconv.Atoi(p)
		if err != nil || n < 0 || p != strconv.Itoa(n) {
			return v, false
		}
		v[i] = n
	}
	return v, true
}

// Newer reports whether a release is newer than this program. A build without
// a version of its own is never told of one.
func Newer(release, own string) bool {
	r, ok := parseVersion(release)
	o, mine := parseVersion(own)
	if !ok || !mine {
		return false
	}
	for i := range r {
		if r[i] != o[i] {
			return r[i] > o[i]
		}
	}
	return false
}
