package loadtest

import (
	"fmt"
	"html"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
)

// HTML writes the suite as one page without anything from elsewhere.
func (s *Suite) HTML(w io.Writer) error {
	head := fmt.Sprintf("This machine serves about %s visitors at once.", thousands(s.Serves))
	if s.Serves == 0 {
		head = "Load test of this machine"
	}
	return page(w, pageData{
		Head: head, Sub: fmt.Sprintf("%s · %s · %s · took %.0f s", s.Machine, s.Go, s.When.Format("2006-01-02 15:04 MST"), s.Seconds),
		Rows: s.Rows, Plots: s.Plots,
	})
}

// HTML writes the report as one page without anything from elsewhere.
func (r *Report) HTML(w io.Writer) error {
	l := r.Load
	ok := l.Errors() == 0
	head := fmt.Sprintf("This machine served %s visitors at once without an error.", thousands(r.Connections))
	if !ok {
		head = fmt.Sprintf("%s visitors at once, with %d errors.", thousands(r.Connections), l.Errors())
	}
	rows := []Row{
		{Name: "Visitors connected", Result: thousands(r.Connections)},
		{Name: "Questions answered a second", Result: fmt.Sprintf("%.1f", l.Rate())},
		{Name: "Errors", Target: "0", Result: fmt.Sprint(l.Errors()), Met: ok, Note: l.FirstFault},
		{Name: "Half of the answers complete within", Result: fmt.Sprintf("%.0f ms", l.Reply.P50)},
		{Name: "99 of 100 answers complete within", Result: fmt.Sprintf("%.0f ms", l.Reply.P99)},
	}
	if r.Added != nil {
		rows = append(rows, Row{Name: "of which this machine adds (half / 99 of 100)", Result: fmt.Sprintf("%.1f / %.1f ms", r.Added.P50, r.Added.P99)})
	}
	if r.BytesPerConnection > 0 {
		rows = append(rows, Row{Name: "Memory a connected visitor", Result: fmt.Sprintf("%.1f KB", r.BytesPerConnection/1024)})
	}
	curve := func(q Quantiles) []Point {
		return []Point{{50, q.P50}, {95, q.P95}, {99, q.P99}, {100, q.Max}}
	}
	lines := map[string][]Point{"reply": curve(l.Reply), "first piece": curve(l.First)}
	if r.Direct != nil {
		lines["the API alone"] = curve(r.Direct.Reply)
	}
	return page(w, pageData{
		Head: head, Sub: fmt.Sprintf("%s · %s · %s", r.Machine, r.Go, r.When.Format("2006-01-02 15:04 MST")), Rows: rows,
		Plots: []Plot{{Title: "How long answers take", XLabel: "of 100 answers", YLabel: "ms", Lines: lines}},
	})
}

type pageData struct {
	Head, Sub string
	Rows      []Row
	Plots     []Plot
}

func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// style is the page's own; it needs nothing from elsewhere.
const style = `<style>
:root{color-scheme:light dark;--ink:#1d2530;--soft:#5b6675;--line:#d9dee5;--ground:#fff;--good:#1a7f4b;--bad:#b3261e}
@media(prefers-color-scheme:dark){:root{--ink:#e7ebf0;--soft:#9aa6b5;--line:#333c48;--ground:#14181d;--good:#5fd39a;--bad:#ff8f85}}
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--ground);max-width:60rem;margin:3rem auto;padding:0 1rem}
h1{font-size:1.8rem;line-height:1.2;margin:0 0 .3rem}h2{font-size:1.1rem;margin:2.2rem 0 .5rem}
p{color:var(--soft);margin:.2rem 0}table{border-collapse:collapse;width:100%;margin-top:1.5rem}
th,td{text-align:left;padding:.45rem .6rem .45rem 0;border-bottom:1px solid var(--line);vertical-align:top}
td.n{font-variant-numeric:tabular-nums;white-space:nowrap}.ok{color:var(--good)}.miss{color:var(--bad);font-weight:600}
small{color:var(--soft)}svg{width:100%;height:auto}svg text{fill:var(--soft);font:12px system-ui,sans-serif}
svg .axis{stroke:var(--line)}figure{margin:0}
</style>
`

// page writes the document; every text is escaped.
func page(w io.Writer, d pageData) error {
	var b strings.Builder
	esc := html.EscapeString
	b.WriteString(`<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>Haoke: load test</title>
` + style + `<h1>` + esc(d.Head) + `</h1><p>` + esc(d.Sub) + `</p>
<table><tr><th>What</th><th>Target</th><th>Result</th><th></th></tr>
`)
	for _, r := range d.Rows {
		b.WriteString(`<tr><td>` + esc(r.Name))
		if r.Note != "" {
			b.WriteString(`<br><small>` + esc(r.Note) + `</small>`)
		}
		b.WriteString(`</td><td class="n">` + esc(r.Target) + `</td><td class="n">` + esc(r.Result) + `</td><td>`)
		switch {
		case r.Target == "":
		case r.Met:
			b.WriteString(`<span class="ok">met</span>`)
		default:
			b.WriteString(`<span class="miss">missed</span>`)
		}
		b.WriteString("</td></tr>\n")
	}
	b.WriteString("</table>\n")
	for _, p := range d.Plots {
		b.WriteString(`<h2>` + esc(p.Title) + `</h2><figure>` + svg(p) + "</figure>\n")
	}
	b.WriteString("</html>\n")
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	return nil
}

// colours of lines that can be told apart in light and dark and by people who
// see few colours (Okabe and Ito).
var colours = [...]string{"#0072b2", "#d55e00", "#009e73", "#cc79a7"}

const (
	plotWidth, plotHeight = 760.0, 300.0
	left, bottom, top     = 70.0, 40.0, 30.0
)

// svg draws a plot; its texts are escaped here.
func svg(p Plot) string {
	maxX, maxY := 0.0, 0.0
	for _, line := range p.Lines {
		for _, q := range line {
			maxX, maxY = max(maxX, q.X), max(maxY, q.Y)
		}
	}
	if maxX == 0 || maxY == 0 {
		return ""
	}
	maxY = ceil(maxY)
	x := func(v float64) float64 { return left + v/maxX*(plotWidth-left-20) }
	y := func(v float64) float64 { return plotHeight - bottom - v/maxY*(plotHeight-bottom-top) }
	var b strings.Builder
	fmt.Fprintf(&b, `<svg viewBox="0 0 %.0f %.0f" role="img" aria-label="%s">`, plotWidth, plotHeight, html.EscapeString(p.Title))
	for i := range 5 {
		v := maxY * float64(i) / 4
		fmt.Fprintf(&b, `<line class="axis" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/><text x="%.1f" y="%.1f" text-anchor="end">%s</text>`,
			left, plotWidth-20, y(v), y(v), left-8, y(v)+4, short(v))
		h := maxX * float64(i) / 4
		fmt.Fprintf(&b, `<text x="%.1f" y="%.1f" text-anchor="middle">%s</text>`, x(h), plotHeight-bottom+18, short(h))
	}
	fmt.Fprintf(&b, `<text x="%.1f" y="%.1f" text-anchor="end">%s</text><text x="0" y="14">%s</text>`,
		plotWidth-20, plotHeight-4, html.EscapeString(p.XLabel), html.EscapeString(p.YLabel))
	for i, name := range slices.Sorted(maps.Keys(p.Lines)) {
		colour := colours[i%len(colours)]
		b.WriteString(`<polyline fill="none" stroke-width="2.5" stroke="` + colour + `" points="`)
		for _, q := range p.Lines[name] {
			fmt.Fprintf(&b, "%.1f,%.1f ", x(q.X), y(q.Y))
		}
		b.WriteString(`"/>`)
		for _, q := range p.Lines[name] {
			fmt.Fprintf(&b, `<circle cx="%.1f" cy="%.1f" r="3.5" fill="%s"/>`, x(q.X), y(q.Y), colour)
		}
		fmt.Fprintf(&b, `<rect x="%.1f" y="4" width="12" height="12" fill="%s"/><text x="%.1f" y="14">%s</text>`,
			left+80+float64(i)*220, colour, left+98+float64(i)*220, html.EscapeString(name))
	}
	b.WriteString(`</svg>`)
	return b.String()
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

func short(v float64) string {
	if v >= 1000 {
		return thousands(int(v))
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", v), ".0")
}
