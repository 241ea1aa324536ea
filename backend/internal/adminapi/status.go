package adminapi

import (
	"context"
	"errors"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/metrics"
	"haoke/backend/internal/settings"
	"haoke/backend/internal/sqlite"
	"haoke/backend/internal/wire"
)

func (a *API) statusHandlers() map[string]func(*call) (any, error) {
	return map[string]func(*call) (any, error){
		"getStatus":  func(c *call) (any, error) { return a.Status(c.ctx()) },
		"pause":      a.pause,
		"getCharts":  a.getCharts,
		"listSeries": a.listSeries,
	}
}

// Status is the answer to "is all well?".
func (a *API) Status(ctx context.Context) (wire.Status, error) {
	s, now := a.Settings.Current(), a.Now().UTC()
	public, admin := a.Host.Addresses()
	money := a.Gate.Snapshot().Money
	out := wire.Status{
		Version: a.Version, StartedAt: a.started.UTC(), Now: now, State: wire.ServiceOK, Problems: []wire.Trouble{},
		Answerer: "upstream", PublicURL: public, ShareURL: shareURL(s, public), AdminURL: admin, AdminAnywhere: everywhere(s.Server.AdminAddr),
		Visitors: a.Metrics.Connections(), Currency: money.Currency, SpendToday: money.SpentToday, SpendCap: money.DayCap,
		Restart: a.restartPaths(),
	}
	if s.Upstream.BaseURL == "" && len(s.Upstream.Providers) == 0 {
		out.Answerer = "offline"
	}
	if err := a.waiting(ctx, &out); err != nil {
		return out, err
	}
	a.figures(now, &out)
	out.Problems = append(out.Problems, a.problems(ctx, s, &out)...)
	for _, p := range out.Problems {
		if p.Level != "info" {
			out.State = wire.ServiceDegraded
		}
	}
	if a.DB.ReadOnly() != nil {
		out.State = wire.ServiceStopped
	} else if a.Host.Paused() {
		out.State = wire.ServicePaused
	}
	return out, nil
}

func shareURL(s *settings.Settings, public string) string {
	if s.Server.PublicURL != "" {
		return strings.TrimRight(s.Server.PublicURL, "/")
	}
	return public
}

// waiting fills in what waits for a person.
func (a *API) waiting(ctx context.Context, out *wire.Status) error {
	store := a.DB.Conversations()
	n, err := store.Counts(ctx)
	if err != nil {
		return err
	}
	out.Waiting, out.Unread = n.Waiting, n.Unread
	if n.Waiting > 0 {
		page, err := store.List(ctx, sqlite.Query{Mode: chat.ModeWaiting, Limit: 200})
		if err != nil {
			return err
		}
		if len(page.Items) > 0 { // newest change first: the last waits longest
			last := page.Items[len(page.Items)-1].Head
			out.WaitingID, out.OldestWaitS = string(last.ID), int64(out.Now.Sub(last.UpdatedAt).Seconds())
		}
	}
	if out.LeftMessages, err = a.DB.Inbox().CountOpen(ctx); err != nil {
		return err
	}
	out.UnansweredN, err = a.DB.FAQ().CountUnanswered(ctx)
	return err
}

// figures fills in the medians of the last quarter of an hour and the day's
// answers.
func (a *API) figures(now time.Time, out *wire.Status) {
	quarter, err := a.Metrics.Query([]string{wire.SeriesFirstP50, wire.SeriesReplyP50}, now.Add(-15*time.Minute), now, 0)
	if err == nil && len(quarter.Lines) == 2 {
		out.FirstTokenMS, out.ReplyMS = median(quarter.Lines[0].Values, 1000), median(quarter.Lines[1].Values, 1000)
	}
	zone := time.UTC
	if a.Zone != nil {
		zone = a.Zone()
	}
	y, m, d := now.In(zone).Date()
	midnight := time.Date(y, m, d, 0, 0, 0, 0, zone)
	if day, err := a.Metrics.Query([]string{wire.SeriesMessagesOut, wire.SeriesSaved}, midnight, now, time.Minute); err == nil && len(day.Lines) == 2 {
		out.AnswersToday = int64(math.Round(total(day.Lines[0].Values)*float64(day.Step) + a.running(day, wire.SeriesMessagesOut, now)))
		out.SavedToday = total(day.Lines[1].Values)
	}
}

// running is the sum of a rate since the last minute that has ended: the
// owner's first answer counts at once.
func (a *API) running(day metrics.Chart, series string, now time.Time) float64 {
	values := day.Lines[0].Values
	n := len(values)
	for n > 0 && len(values)-n < 2 && math.IsNaN(values[n-1]) {
		n--
	}
	if n == len(values) {
		return 0
	}
	c, err := a.Metrics.Query([]string{series}, time.Unix(day.T[n], 0), now, time.Second)
	if err != nil {
		return 0
	}
	return total(c.Lines[0].Values) * float64(c.Step)
}

func median(values []float64, scale float64) *float64 {
	var sum float64
	n := 0
	for _, v := range values {
		if !math.IsNaN(v) {
			sum += v
			n++
		}
	}
	if n == 0 {
		return nil
	}
	v := sum / float64(n) * scale
	return &v
}

func total(values []float64) float64 {
	var sum float64
	for _, v := range values {
		if !math.IsNaN(v) {
			sum += v
		}
	}
	return sum
}

// problems lists what needs the owner, worst first.
func (a *API) problems(ctx context.Context, s *settings.Settings, st *wire.Status) []wire.Trouble {
	var bad, warn, info []wire.Trouble
	if err := a.DB.ReadOnly(); err != nil {
		bad = append(bad, wire.Trouble{Code: "read_only", Level: "bad", Text: "Messages cannot be stored: " + err.Error(), Args: map[string]string{"reason": err.Error()}, Page: "settings"})
	}
	if st.Waiting > 0 {
		text := "A visitor waits for a person."
		if st.Waiting > 1 {
			text = strconv.Itoa(st.Waiting) + " visitors wait for a person."
		}
		warn = append(warn, wire.Trouble{Code: "waiting", Level: "warn", Text: text,
			Args: map[string]string{"count": strconv.Itoa(st.Waiting), "seconds": strconv.FormatInt(st.OldestWaitS, 10)}, Page: "conversations/" + st.WaitingID})
	}
	for _, k := range a.Gate.Snapshot().Keys {
		switch k.State {
		case "refused", "no_money":
			code := map[string]string{"refused": "key_refused", "no_money": "key_no_money"}[k.State]
			bad = append(bad, wire.Trouble{Code: code, Level: "bad", Text: k.Reason, Args: map[string]string{"key": k.Key, "status": statusIn(k.Reason), "reason": k.Reason}, Page: "keys/" + k.Key})
		case "resting":
			args := map[string]string{"key": k.Key, "reason": k.Reason}
			if k.Until != nil {
				args["until"] = k.Until.Format(time.RFC3339)
			}
			info = append(info, wire.Trouble{Code: "key_cooling", Level: "info", Text: k.Reason, Args: args, Page: "keys/" + k.Key})
		case "failing":
			warn = append(warn, wire.Trouble{Code: "upstream_down", Level: "warn", Text: k.Reason, Args: map[string]string{"provider": k.Provider, "reason": k.Reason}, Page: "keys"})
		}
	}
	if s.Upstream.BaseURL != "" && len(a.Gate.Snapshot().Keys) == 0 {
		bad = append(bad, wire.Trouble{Code: "no_key", Level: "bad", Text: "No key is set: the FAQ answers alone. Add a key.", Page: "keys"})
	}
	if st.SpendCap > 0 {
		switch part := st.SpendToday / st.SpendCap; {
		case part >= 1:
			bad = append(bad, wire.Trouble{Code: "budget_spent", Level: "bad", Text: "The day's money is spent.", Page: "settings/limits.daily_spend"})
		case part >= .8:
			warn = append(warn, wire.Trouble{Code: "budget_near", Level: "warn", Text: "The day's money is nearly spent.", Args: map[string]string{"percent": strconv.Itoa(int(part * 100))}, Page: "settings/limits.daily_spend"})
		}
	}
	for _, o := range s.Server.AllowedOrigins {
		if o == "*" {
			warn = append(warn, wire.Trouble{Code: "origins_any", Level: "warn", Text: "Any web page may embed the widget. Name your shop's pages instead.", Page: "settings/server.allowed_origins"})
		}
	}
	for _, t := range append(a.hostTroubles(ctx), a.Host.Archive().Troubles()...) {
		switch t.Level {
		case "bad":
			bad = append(bad, t)
		case "info":
			info = append(info, t)
		default:
			warn = append(warn, t)
		}
	}
	if len(st.Restart) > 0 {
		info = append(info, wire.Trouble{Code: "restart_needed", Level: "info", Text: "Some settings take effect at the next start.", Page: "settings"})
	}
	if n := a.Logs.Dropped(); n > 0 {
		info = append(info, wire.Trouble{Code: "logs_dropped", Level: "info", Text: "Lines of the log were dropped under load.", Args: map[string]string{"count": strconv.FormatUint(n, 10)}, Page: "logs"})
	}
	return append(append(bad, warn...), info...)
}

var httpStatus = regexp.MustCompile(`^[45]\d\d\b|\([45]\d\d\)`)

// statusIn is the HTTP status that a reason begins with or has in brackets; "": none.
func statusIn(reason string) string { return strings.Trim(httpStatus.FindString(reason), "()") }

func (a *API) pause(c *call) (any, error) {
	in, err := body[wire.Pause](c)
	if err != nil {
		return nil, err
	}
	a.Host.Pause(in.Paused)
	st, err := a.Status(c.ctx())
	if err == nil {
		a.live.status(st)
	}
	return st, err
}

// maxSeries bounds one question for charts.
const maxSeries = 40

// chartStep reads a step: a duration, or a bare number of seconds.
func chartStep(s string) (time.Duration, error) {
	if n, err := strconv.ParseUint(s, 10, 31); err == nil {
		return time.Duration(n) * time.Second, nil
	}
	return time.ParseDuration(s)
}

func (a *API) getCharts(c *call) (any, error) {
	q, err := query[wire.ChartQuery](c)
	if err != nil {
		return nil, err
	}
	names := strings.Split(q.Series, ",")
	if q.Series == "" || len(names) > maxSeries {
		return nil, invalid("series", "Name 1 to 40 series with commas between.", "GET /charts/series lists them.")
	}
	now := a.Now()
	to, err := chartTime("to", q.To, now)
	if err != nil {
		return nil, err
	}
	from, err := chartTime("from", q.From, to.Add(-time.Hour))
	if err != nil {
		return nil, err
	}
	var step time.Duration
	if q.Step != "" {
		if step, err = chartStep(q.Step); err != nil || step < time.Second {
			return nil, invalid("step", "A step is a duration of at least 1s.", "for example 10s, or 10")
		}
	}
	chart, err := a.Metrics.Query(a.measured(names), from, to, step)
	if errors.Is(err, metrics.ErrSeries) {
		return nil, invalid("series", err.Error(), "GET /charts/series lists them.")
	}
	if err != nil {
		return nil, invalid("from", err.Error(), "")
	}
	out := wire.Charts{From: chart.From, To: chart.To, Step: chart.Step, T: chart.T, Series: []wire.ChartSeries{}}
	if out.T == nil {
		out.T = []int64{}
	}
	lines := map[string]metrics.Line{}
	for _, l := range chart.Lines {
		lines[l.Name] = l
	}
	for _, name := range names {
		s := wire.ChartSeries{Name: name, Unit: unitOf(name), Values: make([]*float64, len(out.T))}
		if l, ok := lines[name]; ok {
			s.Unit = string(l.Unit)
			for i, v := range l.Values {
				s.Values[i] = number(v)
			}
		}
		out.Series = append(out.Series, s)
	}
	return out, nil
}

// measured are the names that have been measured or that nobody knows. A known
// series without a value yet is no mistake of the caller: it is all gaps.
func (a *API) measured(names []string) []string {
	have := map[string]bool{}
	for _, s := range a.Metrics.Series() {
		have[s.Name] = true
	}
	var out []string
	for _, name := range names {
		if have[name] || unitOf(name) == "" {
			out = append(out, name)
		}
	}
	return out
}

// number is nil for a gap.
func number(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

func chartTime(field, text string, absent time.Time) (time.Time, error) {
	if text == "" {
		return absent, nil
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.Unix(n, 0), nil
	}
	return optionalTime(field, text)
}

func (a *API) listSeries(*call) (any, error) {
	out := wire.SeriesList{Items: []wire.SeriesInfo{}}
	for _, s := range a.Metrics.Series() {
		out.Items = append(out.Items, wire.SeriesInfo{Name: s.Name, Unit: string(s.Unit)})
	}
	return out, nil
}
