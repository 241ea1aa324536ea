package loadtest

import (
	"fmt"
	"html"
	"math"
	"strings"
)

const (
	plotWidth, plotHeight           = 480.0, 280.0
	plotLeft, plotRight, plotBottom = 64.0, 34.0, 52.0
	plotTop                         = 28.0
	plotLines                       = 4 // colours in the style
)

// axes turn values into places.
type axes struct{ maxX, maxY float64 }

func (a axes) x(v float64) float64 { return plotLeft + v/a.maxX*(plotWidth-plotLeft-plotRight) }
func (a axes) y(v float64) float64 {
	return plotHeight - plotBottom - v/a.maxY*(plotHeight-plotBottom-plotTop)
}

// svg draws a plot with its caption and legend; both axes begin at zero. A
// plot without values is nothing.
func svg(p Plot) string {
	var a axes
	for _, line := range p.Lines {
		for _, q := range line {
			a.maxX, a.maxY = max(a.maxX, q.X), max(a.maxY, q.Y)
		}
	}
	if a.maxX == 0 || a.maxY == 0 {
		return ""
	}
	a.maxY = ceil(a.maxY)
	esc := html.EscapeString
	var b strings.Builder
	b.WriteString(`<figure><figcaption>` + esc(p.Title) + `</figcaption><div class="legend">`)
	for i, name := range sorted(p) {
		if len(p.Lines) > 1 {
			fmt.Fprintf(&b, `<span><i class="p%d"></i>%s</span>`, i%plotLines, esc(name))
		}
	}
	fmt.Fprintf(&b, `</div><svg viewBox="0 0 %.0f %.0f" role="img" aria-label="%s">`, plotWidth, plotHeight, esc(p.Title))
	a.scale(&b, p)
	for i, name := range sorted(p) {
		fmt.Fprintf(&b, `<polyline fill="none" stroke-width="2" class="l%d" points="`, i%plotLines)
		for _, q := range p.Lines[name] {
			fmt.Fprintf(&b, "%.1f,%.1f ", a.x(q.X), a.y(q.Y))
		}
		b.WriteString(`"/>`)
		if len(p.Lines[name]) > 30 {
			continue // a line through many points needs no dots
		}
		for _, q := range p.Lines[name] {
			fmt.Fprintf(&b, `<circle cx="%.1f" cy="%.1f" r="3" class="p%d"><title>%s</title></circle>`, a.x(q.X), a.y(q.Y), i%plotLines, esc(fmt.Sprintf("%s: %s, %s %s", name, p.at(q.X), short(q.Y), p.YLabel)))
		}
	}
	b.WriteString("</svg></figure>\n")
	return b.String()
}

// at names a place on the x axis.
func (p Plot) at(x float64) string {
	if i := int(x); i >= 0 && i < len(p.Names) {
		return p.Names[i]
	}
	return short(x)
}

// scale draws the axes with their figures and names.
func (a axes) scale(b *strings.Builder, p Plot) {
	for i := range 5 {
		v := a.maxY * float64(i) / 4
		fmt.Fprintf(b, `<line class="axis" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/><text x="%.1f" y="%.1f" text-anchor="end">%s</text>`,
			plotLeft, plotWidth-plotRight, a.y(v), a.y(v), plotLeft-8, a.y(v)+4, short(v))
	}
	steps := []float64{0, a.maxX / 4, a.maxX / 2, a.maxX * 3 / 4, a.maxX}
	if len(p.Names) > 0 {
		steps = steps[:0]
		for i := range p.Names {
			steps = append(steps, float64(i))
		}
	}
	for _, v := range steps {
		fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="middle">%s</text>`, a.x(v), plotHeight-plotBottom+20, html.EscapeString(p.at(v)))
	}
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="end">%s</text><text x="%.1f" y="16">%s</text>`,
		plotWidth-plotRight, plotHeight-8, html.EscapeString(p.XLabel), 4.0, html.EscapeString(p.YLabel))
}

// ceil is the next round number.
func ceil(v float64) float64 {
	unit := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 2.5, 5, 10} {
		if v <= m*unit {
			return m * unit
		}
	}
	return v
}

// short is a figure at an axis.
func short(v float64) string {
	switch {
	case v >= 100:
		return thousands(int(math.Round(v)))
	case v >= 10:
		return strings.TrimSuffix(fmt.Sprintf("%.1f", v), ".0")
	}
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.2f", v), "0"), ".")
}
