package upload

import (
	"encoding/binary"
	"slices"
)

// pictureChunks are the parts of a WebP file that make the picture; everything
// else (EXIF, XMP, unknown ones, what stands behind the end) is left out.
// Format: RFC 9649, section 2.7.
var pictureChunks = []string{"VP8 ", "VP8L", "VP8X", "ALPH", "ANIM", "ANMF", "ICCP"}

// metadataFlags are the bits of VP8X that announce EXIF and XMP.
const metadataFlags = 0x08 | 0x04

// plainWebP returns the file with nothing but the picture. There is no encoder
// for WebP here, so its pixels stay as they came.
func plainWebP(data []byte) ([]byte, error) {
	if len(data) < 20 || string(data[:4]) != "RIFF" || string(data[8:12]) != "WEBP" {
		return nil, ErrImage
	}
	end := int64(binary.LittleEndian.Uint32(data[4:])) + 8
	if end < 12 || end > int64(len(data)) {
		return nil, ErrImage
	}
	out := append(make([]byte, 0, end), data[:12]...)
	seen := false
	for rest := data[12:end]; len(rest) >= 8; {
		size := int64(binary.LittleEndian.Uint32(rest[4:]))
		padded := 8 + size + size&1
		if size > int64(len(rest))-8 {
			return nil, ErrImage
		}
		padded = min(padded, int64(len(rest)))
		chunk := rest[:padded]
		rest = rest[padded:]
		name := string(chunk[:4])
		if !slices.Contains(pictureChunks, name) {
			continue
		}
		if w, h := webPSize(name, chunk[8:8+size]); w*h > maxPixels {
			return nil, ErrImage
		} else if w > 0 {
			seen = true
		}
		at := len(out)
		out = append(out, chunk...)
		if name == "VP8X" && size > 0 {
			out[at+8] &^= metadataFlags
		}
	}
	if !seen {
		return nil, ErrImage
	}
	binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8))
	return out, nil
}

// webPSize reads a chunk's width and height; 0 where it has none.
func webPSize(name string, b []byte) (w, h int) {
	switch {
	case name == "VP8X" && len(b) >= 10:
		return 1 + (int(b[4]) | int(b[5])<<8 | int(b[6])<<16), 1 + (int(b[7]) | int(b[8])<<8 | int(b[9])<<16)
	case name == "VP8L" && len(b) >= 5 && b[0] == 0x2f:
		bits := binary.LittleEndian.Uint32(b[1:])
		return 1 + int(bits&0x3fff), 1 + int(bits>>14&0x3fff)
	case name == "VP8 " && len(b) >= 10 && b[3] == 0x9d && b[4] == 0x01 && b[5] == 0x2a:
		return int(binary.LittleEndian.Uint16(b[6:]) & 0x3fff), int(binary.LittleEndian.Uint16(b[8:]) & 0x3fff)
	}
	return 0, 0
}
