package app

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/draw"
	"image/png"
)

// digits are pictures of 0 to 9 and "+", three columns by five rows: small
// enough for an icon and free of any font of the system.
var digits = [...]string{
	"###" + "#.#" + "#.#" + "#.#" + "###",
	".#." + "##." + ".#." + ".#." + "###",
	"###" + "..#" + "###" + "#.." + "###",
	"###" + "..#" + "###" + "..#" + "###",
	"#.#" + "#.#" + "###" + "..#" + "..#",
	"###" + "#.." + "###" + "..#" + "###",
	"###" + "#.." + "###" + "#.#" + "###",
	"###" + "..#" + "..#" + "..#" + "..#",
	"###" + "#.#" + "###" + "#.#" + "###",
	"###" + "#.#" + "###" + "..#" + "###",
	"..." + ".#." + "###" + ".#." + "...",
}

// badgeColour is the amber of what waits for a person.
var badgeColour = color.NRGBA{0xB4, 0x5F, 0x06, 0xFF}

// badge draws a number over an icon's upper right corner; above 9 it is "9+".
// What cannot be read as PNG is returned as it is.
func badge(icon []byte, n int) []byte {
	src, err := png.Decode(bytes.NewReader(icon))
	if err != nil || n <= 0 {
		return icon
	}
	out := image.NewNRGBA(src.Bounds())
	draw.Draw(out, out.Bounds(), src, src.Bounds().Min, draw.Src)
	signs := []int{min(n, 9)}
	if n > 9 {
		signs = append(signs, 10)
	}
	side := out.Bounds().Dx()
	unit := max(1, side/12) // a dot of the digits: legible at 16 pixels
	w, h := (len(signs)*4+1)*unit, 7*unit
	field := image.Rect(side-w, 0, side, h).Add(out.Bounds().Min)
	draw.Draw(out, field, image.NewUniform(badgeColour), image.Point{}, draw.Src)
	for i, s := range signs {
		for p, c := range digits[s] {
			if c != '#' {
				continue
			}
			at := field.Min.Add(image.Pt((1+4*i+p%3)*unit, (1+p/3)*unit))
			draw.Draw(out, image.Rectangle{at, at.Add(image.Pt(unit, unit))}, image.White, image.Point{}, draw.Src)
		}
	}
	var b bytes.Buffer
	if png.Encode(&b, out) != nil {
		return icon
	}
	return b.Bytes()
}

// ico wraps a PNG as Windows wants it: a folder of one picture.
func ico(picture []byte) []byte {
	cfg, err := png.DecodeConfig(bytes.NewReader(picture))
	if err != nil {
		return picture
	}
	const head = 22
	b := binary.LittleEndian.AppendUint16(nil, 0)
	b = binary.LittleEndian.AppendUint16(b, 1) // an icon
	b = binary.LittleEndian.AppendUint16(b, 1) // one picture
	b = append(b, byte(cfg.Width), byte(cfg.Height), 0, 0)
	b = binary.LittleEndian.AppendUint16(b, 1)
	b = binary.LittleEndian.AppendUint16(b, 32)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(picture)))
	b = binary.LittleEndian.AppendUint32(b, head)
	return append(b, picture...)
}
