package upload

import (
	"bytes"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"runtime"
	"testing"
)

// animated is a small file with many large pictures in it.
func animated(t *testing.T, side, frames int) []byte {
	t.Helper()
	var one bytes.Buffer
	blank := image.NewPaletted(image.Rect(0, 0, side, side), color.Palette{color.Black, color.White})
	if err := gif.EncodeAll(&one, &gif.GIF{Image: []*image.Paletted{blank}, Delay: []int{1}}); err != nil {
		t.Fatal(err)
	}
	const head = 13 // without a global colour table
	b := one.Bytes()
	picture := b[head : len(b)-1]
	return append(append(bytes.Clone(b[:head]), bytes.Repeat(picture, frames)...), ';')
}

// TestBombs: a small file that unfolds to hundreds of megabytes, or to hours of
// work, is refused before it is unfolded.
func TestBombs(t *testing.T) {
	s, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var photo bytes.Buffer
	if err := jpeg.Encode(&photo, image.NewGray(image.Rect(0, 0, 64, 64)), nil); err != nil {
		t.Fatal(err)
	}
	scans := append(photo.Bytes(), bytes.Repeat([]byte{0xff, 0xda, 0x00, 0x08}, maxScans)...)
	for name, data := range map[string][]byte{
		"animation":        animated(t, 4000, 12),
		"scans":            scans,
		"wide colours":     largePNG(t, 6000, 6000, 16, 6),
		"beyond any bound": largePNG(t, 1<<31-1, 1<<31-1, 8, 2),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := s.Put(bytes.NewReader(data), name, 5<<20, types)
		runtime.ReadMemStats(&after)
		if !errors.Is(err, ErrImage) {
			t.Errorf("%s of %d bytes: %v", name, len(data), err)
		}
		if took := after.TotalAlloc - before.TotalAlloc; took > 32<<20 {
			t.Errorf("%s of %d bytes took %d MB", name, len(data), took>>20)
		}
	}
}

// largePNG is a picture that says to be as large, and ends there.
func largePNG(t *testing.T, w, h uint32, depth, kind byte) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewRGBA(image.Rect(0, 0, 1, 1))); err != nil {
		t.Fatal(err)
	}
	data := b.Bytes()
	head := data[12:29] // "IHDR" and its fields
	for i, v := range []uint32{w, h} {
		head[4+4*i], head[5+4*i], head[6+4*i], head[7+4*i] = byte(v>>24), byte(v>>16), byte(v>>8), byte(v)
	}
	head[12], head[13] = depth, kind
	sum := crc32.ChecksumIEEE(head)
	data[29], data[30], data[31], data[32] = byte(sum>>24), byte(sum>>16), byte(sum>>8), byte(sum)
	return data
}

// TestMovingPicturesStay: what is within the bounds is taken, all of it.
func TestMovingPicturesStay(t *testing.T) {
	s, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	f, err := s.Put(bytes.NewReader(animated(t, 100, 30)), "moves", 1<<20, types)
	if err != nil || f.Type != "image/gif" {
		t.Errorf("%+v, %v", f, err)
	}
}
