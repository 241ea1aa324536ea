package app

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"haoke/backend"
)

// login starts the program with the session of the person at this machine. Its
// entry names the data folder, so that two appliances do not fight over one.
type login struct {
	exe  string // absolute path of this program
	args []string
}

// newLogin is the entry of this program for a data folder.
func newLogin(dataDir string, isDefault bool) (login, error) {
	exe, err := backend.Self()
	if err != nil {
		return login{}, err
	}
	l := login{exe: exe, args: []string{"--hidden"}}
	if !isDefault {
		abs, err := filepath.Abs(dataDir)
		if err != nil {
			return login{}, fmt.Errorf("data folder: %w", err)
		}
		l.args = append(l.args, "--data", abs)
	}
	return l, nil
}

// writeEntry puts a file with this content at path, or removes it; what is so
// already is left alone.
func writeEntry(path, content string, on bool) error {
	if !on {
		if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
			return fmt.Errorf("remove %s: %w", path, err)
		}
		return nil
	}
	if old, err := os.ReadFile(path); err == nil && string(old) == content {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// desktopEntry is the XDG autostart entry.
func (l login) desktopEntry() string {
	return "[Desktop Entry]\nType=Application\nName=Haoke\nName[zh_CN]=好客\nExec=" + l.quoted() + "\nIcon=haoke\nTerminal=false\nX-GNOME-Autostart-enabled=true\n"
}

// quoted is the command line by the rules of desktop entries: quotes around
// each word, four characters escaped, and a percent sign doubled.
func (l login) quoted() string {
	escape := strings.NewReplacer(`\`, `\\\\`, `"`, `\\"`, "`", "\\\\`", `$`, `\\$`, `%`, `%%`)
	var words []string
	for _, w := range append([]string{l.exe}, l.args...) {
		words = append(words, `"`+escape.Replace(w)+`"`)
	}
	return strings.Join(words, " ")
}

// launchAgent is the macOS entry.
func (l login) launchAgent() string {
	escape := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	var list strings.Builder
	for _, w := range append([]string{l.exe}, l.args...) {
		list.WriteString("    <string>" + escape.Replace(w) + "</string>\n")
	}
	return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0"><dict>
  <key>Label</key><string>haoke.login</string>
  <key>RunAtLoad</key><true/>
  <key>ProgramArguments</key><array>
` + list.String() + "  </array>\n</dict></plist>\n"
}
