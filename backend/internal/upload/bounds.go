package upload

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
)

const (
	// maxUnfolded bounds what a picture takes in memory, in bytes: a small file
	// can hold a huge one.
	maxUnfolded = 200_000_000
	maxPixels   = maxUnfolded / 4
	// maxScans bounds how often a JPEG goes over its picture. Each time costs
	// work for all of it and a few bytes of the file; encoders use ten.
	maxScans = 100
	// perFrame is what a picture of an animation takes beside its pixels.
	perFrame = 1024
)

// bounded refuses a picture that would take too much to unfold, before that.
func bounded(typ string, data []byte) error {
	head, _, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil || head.Width <= 0 || head.Height <= 0 || head.Width > maxUnfolded/head.Height {
		return ErrImage
	}
	most := maxUnfolded / (head.Width * head.Height) // bytes a pixel
	switch typ {
	case "image/gif":
		if frames(data) > maxPixels {
			return ErrImage
		}
	case "image/jpeg":
		if most < 4 || most < 8 && bytes.Contains(data, []byte{0xff, 0xc2}) { // progressive: coefficients too
			return ErrImage
		}
		if bytes.Count(data, []byte{0xff, 0xda}) > maxScans {
			return ErrImage
		}
	default:
		if most < wide(head.ColorModel) {
			return ErrImage
		}
	}
	return nil
}

// wide is how many bytes a pixel takes.
func wide(m color.Model) int {
	switch m {
	case color.RGBA64Model, color.NRGBA64Model:
		return 8
	}
	return 4
}

// frames is what the pictures of a GIF take together, as far as the file can be
// read (GIF89a, sections 18 to 26); what the rest is the decoder says.
func frames(data []byte) (sum int) {
	const head, descriptor = 13, 9
	if len(data) < head {
		return 0
	}
	rest := data[min(len(data), head+colours(data[10])):]
	for len(rest) > 1 {
		switch rest[0] {
		case '!':
			rest = rest[2:]
		case ',':
			if len(rest) < 1+descriptor {
				return sum
			}
			sum += perFrame + int(binary.LittleEndian.Uint16(rest[5:]))*int(binary.LittleEndian.Uint16(rest[7:]))
			skip := 1 + descriptor + colours(rest[9]) + 1
			if len(rest) < skip {
				return sum
			}
			rest = rest[skip:]
		default:
			return sum
		}
		for len(rest) > 0 { // blocks, each behind its length, up to an empty one
			n := int(rest[0])
			rest = rest[min(len(rest), 1+n):]
			if n == 0 {
				break
			}
		}
	}
	return sum
}

// colours is the size of a colour table, by the flags before it.
func colours(flags byte) int {
	if flags&0x80 == 0 {
		return 0
	}
	return 3 << (flags&7 + 1)
}
