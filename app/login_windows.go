package app

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

// set writes or removes the value under the person's Run key.
func (l login) set(on bool) error {
	key, _, err := registry.CreateKey(registry.CURRENT_USER, `Software\Microsoft\Windows\CurrentVersion\Run`, registry.SET_VALUE)
	if err != nil {
		return fmt.Errorf("open the Run key: %w", err)
	}
	defer key.Close()
	if !on {
		if err := key.DeleteValue("Haoke"); err != nil && !errors.Is(err, registry.ErrNotExist) {
			return fmt.Errorf("remove the Run value: %w", err)
		}
		return nil
	}
	line := []string{windows.EscapeArg(l.exe)}
	for _, w := range l.args {
		line = append(line, windows.EscapeArg(w))
	}
	if err := key.SetStringValue("Haoke", strings.Join(line, " ")); err != nil {
		return fmt.Errorf("write the Run value: %w", err)
	}
	return nil
}
