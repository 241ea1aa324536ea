package update

import (
	"testing"

	"golang.org/x/sys/windows/registry"
)

// atNextSignIn is the command line that the next sign-in runs; "": none.
func atNextSignIn(t *testing.T) string {
	t.Helper()
	key, err := registry.OpenKey(registry.CURRENT_USER, `Software\Microsoft\Windows\CurrentVersion\RunOnce`, registry.QUERY_VALUE)
	if err != nil {
		return ""
	}
	defer key.Close()
	line, _, err := key.GetStringValue("!HaokeUpdate")
	if err != nil {
		return ""
	}
	return line
}

// endRunning ends who runs this file.
func endRunning(exe string) error { return endPrograms([]string{exe}) }
