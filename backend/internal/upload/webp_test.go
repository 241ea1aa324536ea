package upload

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"testing"
)

// webp is a picture of one pixel, lossless, without any other part.
const webp = "UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA=="

// chunk is one part of a RIFF file.
func chunk(name string, data []byte) []byte {
	out := binary.LittleEndian.AppendUint32([]byte(name), uint32(len(data)))
	if out = append(out, data...); len(data)%2 == 1 {
		out = append(out, 0)
	}
	return out
}

func riff(chunks ...[]byte) []byte {
	body := append([]byte("WEBP"), bytes.Join(chunks, nil)...)
	return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(body))), body...)
}

func TestWebPKeepsOnlyThePicture(t *testing.T) {
	plain, err := base64.StdEncoding.DecodeString(webp)
	if err != nil {
		t.Fatal(err)
	}
	picture := plain[12:]
	head := append([]byte{metadataFlags | 0x10, 0, 0, 0}, 0, 0, 0, 0, 0, 0)
	full := append(riff(chunk("VP8X", head), picture, chunk("EXIF", []byte("GPS 52.5 13.4")), chunk("XMP ", []byte("<x>")), chunk("EVIL", []byte("<script>"))), "<script>behind the end"...)
	s, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	f, err := s.Put(bytes.NewReader(full), "a.webp", 1<<20, types)
	if err != nil || f.Type != "image/webp" {
		t.Fatalf("%+v, %v", f, err)
	}
	head[0] &^= metadataFlags
	got, err := clean("image/webp", full)
	if err != nil || !bytes.Equal(got, riff(chunk("VP8X", head), picture)) {
		t.Errorf("kept %q (%v)", got, err)
	}
	if got, err := clean("image/webp", plain); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("a plain picture became %q (%v)", got, err)
	}
}

func TestWebPRefusals(t *testing.T) {
	plain, _ := base64.StdEncoding.DecodeString(webp)
	bomb := riff(chunk("VP8X", []byte{0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}), plain[12:])
	for name, data := range map[string][]byte{
		"cut":        plain[:len(plain)-4],
		"no picture": riff(chunk("EXIF", make([]byte, 40))),
		"huge":       bomb,
		"long chunk": riff(binary.LittleEndian.AppendUint32([]byte("VP8L"), 1<<31)),
		"head alone": riff(),
	} {
		if _, err := clean("image/webp", data); !errors.Is(err, ErrImage) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzWebP(f *testing.F) {
	plain, _ := base64.StdEncoding.DecodeString(webp)
	f.Add(plain)
	f.Add([]byte("RIFF\x00\x00\x00\x00WEBP00000000"))
	f.Add(riff(chunk("VP8X", make([]byte, 10)), plain[12:], chunk("EXIF", []byte("x"))))
	f.Fuzz(func(t *testing.T, data []byte) {
		out, err := plainWebP(data)
		if err != nil {
			return
		}
		if len(out) > len(data) || bytes.Contains(out[12:16], []byte("EXIF")) {
			t.Fatalf("%d bytes became %d", len(data), len(out))
		}
		if again, err := plainWebP(out); err != nil || !bytes.Equal(again, out) {
			t.Fatalf("what was cleaned changes when it is cleaned again: %v", err)
		}
	})
}
