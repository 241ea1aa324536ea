package app

import (
	"os"
	"strings"
)

// nameLocale gives the page a language. Under the locale C.UTF-8, the default
// of bare systems, WebKit calls its language "C", which is none, and scripts
// that format numbers by it fail. With a real name WebKit falls back to en-US
// where that locale is not generated.
func nameLocale() {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		v := os.Getenv(name)
		if v == "" {
			continue
		}
		if base, _, _ := strings.Cut(v, "."); strings.EqualFold(base, "C") || strings.EqualFold(base, "POSIX") {
			os.Setenv("LC_ALL", "en_US.UTF-8")
		}
		return
	}
}
