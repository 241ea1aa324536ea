package app

import (
	"fmt"
	"os"
	"path/filepath"
)

// set writes or removes the XDG autostart entry.
func (l login) set(on bool) error {
	dir, err := os.UserConfigDir()
	if err != nil {
		return fmt.Errorf("find the settings folder: %w", err)
	}
	return writeEntry(filepath.Join(dir, "autostart", "haoke.desktop"), l.desktopEntry(), on)
}
