package app

import (
	"bytes"
	"encoding/binary"
	"image/color"
	"image/png"
	"testing"
)

func TestBadge(t *testing.T) {
	for _, state := range []string{"ok", "degraded", "paused", "stopped"} {
		plain := trayIcon(state, 0)
		seen := map[string]int{string(plain): 0}
		for _, n := range []int{1, 2, 7, 9, 10} {
			data := trayIcon(state, n)
			if other, twice := seen[string(data)]; twice {
				t.Errorf("%s: %d looks like %d", state, n, other)
			}
			seen[string(data)] = n
			img, err := png.Decode(bytes.NewReader(data))
			if err != nil {
				t.Fatalf("%s %d: %v", state, n, err)
			}
			b := img.Bounds()
			if c := color.NRGBAModel.Convert(img.At(b.Max.X-1, b.Min.Y)); c != badgeColour {
				t.Errorf("%s %d: the corner is %v", state, n, c)
			}
		}
		if !bytes.Equal(trayIcon(state, 10), trayIcon(state, 99)) {
			t.Error("above 9 it is 9+")
		}
	}
	if !bytes.Equal(badge([]byte("no picture"), 3), []byte("no picture")) {
		t.Error("what is no picture is changed")
	}
}

func TestIco(t *testing.T) {
	picture := trayIcon("ok", 3)
	data := ico(picture)
	if n := binary.LittleEndian.Uint32(data[14:]); int(n) != len(picture) || !bytes.Equal(data[binary.LittleEndian.Uint32(data[18:]):], picture) {
		t.Errorf("the folder names %d bytes", n)
	}
}
