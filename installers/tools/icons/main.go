// Command icons makes every picture that platforms ask for out of the one
// source, build/appicon.png: the tray's four states (PNG, and ICO for Windows),
// the program's icon for Windows and macOS, and the Linux icon sizes.
// Run it from the repository's root: go run ./installers/tools/icons
package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "icons:", err)
		os.Exit(1)
	}
}

// states are the tray's pictures: a dot in this colour over the icon.
var states = map[string]color.NRGBA{
	"ok":       {},
	"degraded": {0xE0, 0xA3, 0x3A, 0xFF},
	"paused":   {0x8A, 0x84, 0x7D, 0xFF},
	"stopped":  {0xD0, 0x3B, 0x32, 0xFF},
}

func run() error {
	f, err := os.Open("build/appicon.png")
	if err != nil {
		return fmt.Errorf("open the source: %w", err)
	}
	defer f.Close()
	source, err := png.Decode(f)
	if err != nil {
		return fmt.Errorf("read the source: %w", err)
	}
	for name, dot := range states {
		if err := write("app/icons/"+name+".png", encode(mark(shrink(source, 64), dot))); err != nil {
			return err
		}
		pictures := [][]byte{}
		for _, size := range []int{16, 20, 24, 32, 48} {
			pictures = append(pictures, encode(mark(shrink(source, size), dot)))
		}
		if err := write("app/icons/"+name+".ico", ico(pictures, []int{16, 20, 24, 32, 48})); err != nil {
			return err
		}
	}
	sizes := []int{16, 24, 32, 48, 64, 128, 256}
	pictures := [][]byte{}
	for _, size := range sizes {
		pictures = append(pictures, encode(shrink(source, size)))
	}
	if err := write("build/windows/icon.ico", ico(pictures, sizes)); err != nil {
		return err
	}
	for _, size := range []int{16, 32, 48, 64, 128, 256} {
		if err := write(fmt.Sprintf("installers/linux/icons/%d.png", size), encode(shrink(source, size))); err != nil {
			return err
		}
	}
	return write("installers/darwin/haoke.icns", icns(source))
}

func write(name string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	if err := os.WriteFile(name, data, 0o644); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}

func encode(m image.Image) []byte {
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, m); err != nil {
		panic(err) // a buffer takes everything, and the picture is ours
	}
	return b.Bytes()
}

// shrink averages each target pixel over the part of the source that it
// covers, weighted by opacity so that edges do not darken.
func shrink(src image.Image, size int) *image.NRGBA {
	b := src.Bounds()
	out := image.NewNRGBA(image.Rect(0, 0, size, size))
	for y := range size {
		for x := range size {
			x0, x1 := b.Min.X+x*b.Dx()/size, b.Min.X+(x+1)*b.Dx()/size
			y0, y1 := b.Min.Y+y*b.Dy()/size, b.Min.Y+(y+1)*b.Dy()/size
			var r, g, bl, a, n uint64
			for sy := y0; sy < max(y1, y0+1); sy++ {
				for sx := x0; sx < max(x1, x0+1); sx++ {
					pr, pg, pb, pa := src.At(sx, sy).RGBA() // premultiplied
					r, g, bl, a, n = r+uint64(pr), g+uint64(pg), bl+uint64(pb), a+uint64(pa), n+1
				}
			}
			out.Set(x, y, color.RGBA64{uint16(r / n), uint16(g / n), uint16(bl / n), uint16(a / n)})
		}
	}
	return out
}

// mark draws the state's dot into the lower right corner.
func mark(m *image.NRGBA, dot color.NRGBA) *image.NRGBA {
	if dot.A == 0 {
		return m
	}
	size := float64(m.Bounds().Dx())
	cx, cy, radius, rim := size*.74, size*.74, size*.22, size*.05
	for y := range m.Bounds().Dy() {
		for x := range m.Bounds().Dx() {
			dx, dy := float64(x)+.5-cx, float64(y)+.5-cy
			switch d := dx*dx + dy*dy; {
			case d <= radius*radius:
				m.SetNRGBA(x, y, dot)
			case d <= (radius+rim)*(radius+rim):
				m.SetNRGBA(x, y, color.NRGBA{0xFF, 0xFF, 0xFF, 0xFF})
			}
		}
	}
	return m
}

// ico packs PNG pictures into one Windows icon.
func ico(pictures [][]byte, sizes []int) []byte {
	var b bytes.Buffer
	head := func(v any) { binary.Write(&b, binary.LittleEndian, v) }
	head([]uint16{0, 1, uint16(len(pictures))})
	at := 6 + 16*len(pictures)
	for i, p := range pictures {
		side := byte(sizes[i]) // 256 is written as 0
		b.Write([]byte{side, side, 0, 0})
		head([]uint16{1, 32})
		head([]uint32{uint32(len(p)), uint32(at)})
		at += len(p)
	}
	for _, p := range pictures {
		b.Write(p)
	}
	return b.Bytes()
}

// icns packs PNG pictures into one macOS icon.
func icns(src image.Image) []byte {
	var body bytes.Buffer
	for _, e := range []struct {
		kind string
		size int
	}{{"icp4", 16}, {"icp5", 32}, {"ic07", 128}, {"ic08", 256}, {"ic09", 512}} {
		p := encode(shrink(src, e.size))
		body.WriteString(e.kind)
		binary.Write(&body, binary.BigEndian, uint32(len(p)+8))
		body.Write(p)
	}
	var out bytes.Buffer
	out.WriteString("icns")
	binary.Write(&out, binary.BigEndian, uint32(body.Len()+8))
	out.Write(body.Bytes())
	return out.Bytes()
}
