package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"

	"github.com/wailsapp/wails/v2/pkg/runtime"
)

// place is what the window remembers of itself.
type place struct {
	X             int    `json:"x"`
	Y             int    `json:"y"`
	Width         int    `json:"width"`
	Height        int    `json:"height"`
	Maximised     bool   `json:"maximised"`
	Zoom          int    `json:"zoom"` // percent; 0: 100
	Dark          bool   `json:"dark"` // the page's colours when it was seen last
	TrayExplained bool   `json:"tray_explained"`
	ToldUpdate    string `json:"told_update,omitempty"` // the version that a notification told of
}

const placeFile = "window.json"

// loadPlace reads the place; a file that is missing or damaged means none.
func loadPlace(dir string) place {
	var p place
	data, err := os.ReadFile(filepath.Join(dir, placeFile))
	if err != nil || json.Unmarshal(data, &p) != nil {
		return place{}
	}
	p.Zoom = zoomOf(p.Zoom)
	if p.Width < 0 || p.Height < 0 || p.Width > 16384 || p.Height > 16384 {
		p.Width, p.Height = 0, 0
	}
	return p
}

// save writes the place; losing it costs nothing.
func (p place) save(dir string) {
	if data, err := json.Marshal(p); err == nil {
		_ = os.MkdirAll(dir, 0o700)
		_ = os.WriteFile(filepath.Join(dir, placeFile), data, 0o600)
	}
}

// onScreen reports whether a good part of the window would be visible: screens
// come and go.
func (p place) onScreen(ctx context.Context) bool {
	screens, err := runtime.ScreenGetAll(ctx)
	if err != nil {
		return false
	}
	for _, s := range screens {
		if p.X >= -p.Width/2 && p.Y >= 0 && p.X < s.Size.Width-100 && p.Y < s.Size.Height-100 {
			return true
		}
	}
	return false
}

// fingerprint is a short name for a longer one.
func fingerprint(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:6])
}
