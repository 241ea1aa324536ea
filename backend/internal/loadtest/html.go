package loadtest

import (
	"fmt"
	"html"
	"io"
	"maps"
	"slices"
	"strings"
)

// HTML writes the suite as one page without anything from elsewhere.
func (s *Suite) HTML(w io.Writer) error {
	head := s.sentence()
	if head == "" {
		head = "Load test of this machine"
	}
	return page(w, pageData{
		Head: head, Why: s.Why, Sub: fmt.Sprintf("%s · %s · %s · took %.0f s", s.Machine, s.Go, s.When.Format("2006-01-02 15:04 MST"), s.Seconds),
		Rows: s.Rows, Plots: s.Plots,
	})
}

// HTML writes the report as one page without anything from elsewhere.
func (r *Report) HTML(w io.Writer) error {
	l := r.Load
	rows := []Row{
		{Name: "Visitors connected", Result: thousands(r.Connections)},
		{Name: "Questions answered a second", Result: fmt.Sprintf("%.1f", l.Rate())},
		{Name: "Errors", Target: "0", Result: fmt.Sprint(l.Errors()), Met: l.Errors() == 0, Note: l.FirstFault},
		{Name: "Half of the answers complete within", Result: fmt.Sprintf("%.0f ms", l.Reply.P50)},
		{Name: "99 of 100 answers complete within", Result: fmt.Sprintf("%.0f ms", l.Reply.P99)},
	}
	if r.Added != nil {
		more := "each answer's time less the API's own time of that answer"
		if r.Instrument != nil {
			more += fmt.Sprintf("; the load test's own part of it: %.1f / %.1f ms", r.Instrument.P50, r.Instrument.P99)
		}
		rows = append(rows, Row{Name: "of which this machine adds (half / 99 of 100)", Result: fmt.Sprintf("%.1f / %.1f ms", r.Added.P50, r.Added.P99), Note: more})
	}
	if r.BytesPerConnection > 0 {
		rows = append(rows, Row{Name: "Memory a connected visitor", Result: fmt.Sprintf("%.1f KB", r.BytesPerConnection/1024)})
	}
	names := []string{"half", "95 of 100", "99 of 100", "slowest"}
	curve := func(q Quantiles) []Point { return []Point{{0, q.P50}, {1, q.P95}, {2, q.P99}, {3, q.Max}} }
	lines := map[string][]Point{"whole reply": curve(l.Reply), "first piece": curve(l.First)}
	if r.Direct != nil {
		lines["the API alone"] = curve(r.Direct.Reply)
	}
	return page(w, pageData{
		Head: r.sentence(), Why: fmt.Sprintf("They asked %d questions in %.0f seconds. How many it can serve at most: haoked bench --short", l.Questions, l.Seconds),
		Sub: fmt.Sprintf("%s · %s · %s", r.Machine, r.Go, r.When.Format("2006-01-02 15:04 MST")), Rows: rows,
		Plots: []Plot{{Title: "How long answers take", XLabel: "of all answers, this many are faster", YLabel: "ms", Names: names, Lines: lines}},
	})
}

type pageData struct {
	Head, Why, Sub string
	Rows           []Row
	Plots          []Plot
}

// thousands writes a whole number with marks between thousands.
func thousands(n int) string {
	if n < 0 {
		return "-" + thousands(-n)
	}
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// heading says in an owner's words what a part is about.
func heading(part string) string {
	switch part {
	case "connections":
		return "Visitors who are connected and silent"
	case "turns":
		return "What it adds to the API's own time"
	case "throughput":
		return "How much it answers"
	case "memory":
		return "Memory that one answer passes through"
	case "scans":
		return "Reading the API's stream"
	case "start":
		return "Start"
	case "growth":
		return "As the shop grows"
	case "recall":
		return "What it remembers of long conversations"
	case "compression":
		return "The archive"
	case "collector":
		return "Settings of the garbage collector"
	case "soak":
		return "Visitors who come and go"
	}
	return "Result"
}

// style is the page's own; it needs nothing from elsewhere.
const style = `<style>
:root{color-scheme:light dark;--ink:#1f1d1a;--muted:#6b6660;--line:#e6e3de;--ground:#faf9f7;--surface:#fff;--good:#0f7b6c;--bad:#b3261e;--a:#0f7b6c;--b:#9a6200;--c:#2559b8;--d:#b3261e}
@media(prefers-color-scheme:dark){:root{--ink:#edeae6;--muted:#a39d95;--line:#33302c;--ground:#161513;--surface:#1e1c1a;--good:#3fb8a3;--bad:#f2766b;--a:#3fb8a3;--b:#e0a33a;--c:#86aef5;--d:#f2766b}}
*{box-sizing:border-box}
body{font:400 14px/1.45 system-ui,"Noto Sans SC","PingFang SC","Microsoft YaHei",sans-serif;color:var(--ink);background:var(--ground);max-width:64rem;margin:0 auto;padding:40px 20px 64px;font-variant-numeric:tabular-nums}
h1{font-size:28px;font-weight:600;line-height:1.2;margin:0 0 8px;text-wrap:balance}
h2{font-size:16px;font-weight:600;margin:32px 0 4px}
.why{font-size:16px;margin:0 0 8px;max-width:44rem}.sub{color:var(--muted);font-size:12px;margin:0}
.score{margin:16px 0 0}
table{border-collapse:collapse;width:100%}
td{padding:8px 16px 8px 0;border-bottom:1px solid var(--line);vertical-align:top}
td.n{white-space:nowrap;text-align:right;width:7rem}td.mark{width:5.5rem;padding-right:0;text-align:right;white-space:nowrap}.busy{color:var(--muted)}
.ok{color:var(--good)}.miss{color:var(--bad);font-weight:600}small{display:block;color:var(--muted);font-size:12px}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,26rem),1fr));gap:16px;margin-top:24px}
figure{margin:0;background:var(--surface);border:1px solid var(--line);border-radius:10px;padding:16px}
figcaption{font-weight:600}.legend{color:var(--muted);font-size:12px;margin:2px 0 8px}.legend i{display:inline-block;width:10px;height:10px;border-radius:2px;margin:0 4px 0 0}.legend span{margin-right:14px;white-space:nowrap}
svg{display:block;width:100%;height:auto}svg text{fill:var(--muted);font-size:12px}svg .axis{stroke:var(--line)}
.l0{stroke:var(--a)}.l1{stroke:var(--b)}.l2{stroke:var(--c)}.l3{stroke:var(--d)}.p0{fill:var(--a);background:var(--a)}.p1{fill:var(--b);background:var(--b)}.p2{fill:var(--c);background:var(--c)}.p3{fill:var(--d);background:var(--d)}
@media(max-width:600px){body{padding:24px 16px 48px}h1{font-size:24px}svg text{font-size:16px}tr{display:grid;grid-template-columns:1fr auto;border-bottom:1px solid var(--line);padding:8px 0}td{border:0;padding:0}td:first-child{grid-column:1/3}td.n{width:auto;text-align:left;white-space:normal}td.n+td.n{text-align:right}td.mark{grid-column:1/3;text-align:left;width:auto}}
</style>
`

// page writes the document; every text is escaped.
func page(w io.Writer, d pageData) error {
	var b strings.Builder
	esc := html.EscapeString
	b.WriteString(`<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>Haoke: load test</title>
` + style + `<main><h1>` + esc(d.Head) + `</h1>`)
	if d.Why != "" {
		b.WriteString(`<p class="why">` + esc(d.Why) + `</p>`)
	}
	b.WriteString(`<p class="sub">` + esc(d.Sub) + `</p>` + score(d.Rows) + "\n<div class=\"plots\">\n")
	for _, p := range d.Plots {
		b.WriteString(svg(p))
	}
	b.WriteString("</div>\n")
	part := "\x00"
	for _, r := range d.Rows {
		if r.Part != part {
			if part != "\x00" {
				b.WriteString("</table>\n")
			}
			part = r.Part
			b.WriteString("<h2>" + esc(heading(part)) + "</h2>\n<table>\n")
		}
		b.WriteString(row(r))
	}
	if part != "\x00" {
		b.WriteString("</table>\n")
	}
	b.WriteString("</main></html>\n")
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	return nil
}

// score says how many targets were met.
func score(rows []Row) string {
	met, busy, all := 0, 0, 0
	for _, r := range rows {
		switch {
		case r.Target == "":
			continue
		case r.Met:
			met++
		case r.Busy:
			busy++
		}
		all++
	}
	if all < 2 {
		return ""
	}
	more := ""
	if busy > 0 {
		more = fmt.Sprintf(", %d not judged because the machine was busy with something else", busy)
	}
	return fmt.Sprintf(`<p class="score">%d of %d targets met`+more+`. The targets are what the project asks of itself, not what a shop needs.</p>`, met, all)
}

func row(r Row) string {
	esc := html.EscapeString
	out := `<tr><td>` + esc(r.Name)
	if r.Note != "" {
		out += `<small>` + esc(r.Note) + `</small>`
	}
	out += `</td><td class="n">` + esc(r.Result) + `</td><td class="n">`
	mark := ""
	if r.Target != "" {
		out += `<small>asked ` + esc(r.Target) + `</small>`
		switch {
		case r.Busy:
			mark = `<span class="busy">not judged</span>`
		case r.Met:
			mark = `<span class="ok">met</span>`
		default:
			mark = `<span class="miss">missed</span>`
		}
	}
	return out + `</td><td class="mark">` + mark + "</td></tr>\n"
}

// sorted are the names of a plot's lines in the order of their colours.
func sorted(p Plot) []string { return slices.Sorted(maps.Keys(p.Lines)) }
