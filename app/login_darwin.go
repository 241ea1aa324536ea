package app

import (
	"fmt"
	"os"
	"path/filepath"
)

// set writes or removes the LaunchAgent; it takes effect at the next login.
func (l login) set(on bool) error {
	home, err := os.UserHomeDir()
	if err != nil {
		return fmt.Errorf("find the home folder: %w", err)
	}
	return writeEntry(filepath.Join(home, "Library", "LaunchAgents", "haoke.login.plist"), l.launchAgent(), on)
}
