package adminapi

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/filter/personal"
	"haoke/backend/internal/settings"
	"haoke/backend/internal/wire"
)

// filterWork is what the API remembers of the filter's set-up.
type filterWork struct {
	change sync.Mutex // one change of switches at a time
	drafts drafts

	mu      sync.Mutex
	built   time.Duration // of the last build through this API; 0: none yet
	invalid string        // why the last change is not in use
}

func (a *API) filterHandlers() map[string]func(*call) (any, error) {
	return map[string]func(*call) (any, error){
		"getFilters":        a.getFilters,
		"setFilterConfig":   a.setFilterConfig,
		"testFilters":       a.testFilters,
		"changeDetector":    a.changeDetector,
		"listHits":          a.listHits,
		"markFalsePositive": a.markFalsePositive,
		"addException":      a.addException,
		"deleteException":   a.deleteException,
	}
}

// filterChanged brings changed rules into use. A set that cannot be compiled
// is no error of the request: the old one stays in use and getFilters says why.
func (a *API) filterChanged(ctx context.Context) {
	began := time.Now()
	err := a.Host.ReloadFilter(context.WithoutCancel(ctx))
	a.filters.mu.Lock()
	a.filters.built, a.filters.invalid = time.Since(began), ""
	if err != nil {
		a.filters.invalid = err.Error()
	}
	a.filters.mu.Unlock()
	if err != nil {
		a.Log.Warn("the changed filter rules are not in use; the old ones stay", "err", err)
	}
	a.live.FiltersChanged()
}

func (a *API) getFilters(c *call) (any, error) {
	ctx := c.ctx()
	if err := SeedStarter(ctx, a.DB, a.Settings.Current().Filter.Starter); err != nil {
		return nil, err
	}
	extra, err := LoadFilterExtra(ctx, a.DB.Values())
	if err != nil {
		return nil, err
	}
	out := wire.Filters{Config: a.filterConfig(extra), Exceptions: []wire.FilterException{}, Problems: []wire.FilterProblem{}}
	if out.Lists, err = a.wordLists(ctx, extra); err != nil {
		return nil, err
	}
	counts, err := a.hitCounts(ctx)
	if err != nil {
		return nil, err
	}
	if out.Patterns, err = a.patterns(ctx, counts); err != nil {
		return nil, err
	}
	out.Detectors = detectors(extra, counts)
	if out.Exceptions, err = a.exceptions(ctx); err != nil {
		return nil, err
	}
	if f := a.Filter(); f != nil {
		r := f.Report()
		out.Words, out.Bytes, out.More = r.Words, int64(r.Bytes), r.More
		for _, p := range r.Problems {
			out.Problems = append(out.Problems, wire.FilterProblem{List: p.List, Entry: cut(p.Entry, 80), Code: problemCode(p.Reason), Text: p.Reason})
		}
	}
	a.filters.mu.Lock()
	out.BuildMS, out.Invalid = ms(a.filters.built), a.filters.invalid
	a.filters.mu.Unlock()
	out.Layers = a.layerHealth(&out.Config)
	return out, nil
}

// filterPaths are the settings that the filter page edits too.
var filterPaths = []string{
	"filter.words", "filter.shadow", "filter.action_in", "filter.action_out", "filter.pinyin", "filter.mask_personal_data",
	"filter.stored_personal_data", "filter.mask_style",
	"filter.review", "filter.review_mode", "filter.review_out", "filter.review_model", "filter.review_timeout", "filter.review_failure",
}

func (a *API) filterConfig(x FilterExtra) wire.FilterConfig {
	s := a.Settings.Current().Filter
	action := x.ReviewAction
	if action == "" {
		action = chat.ActionBlock
	}
	return wire.FilterConfig{
		WordsOn: s.Words, PatternsOn: !x.PatternsOff, Shadow: s.Shadow, ActionIn: chat.Action(s.ActionIn), ActionOut: chat.Action(s.ActionOut),
		Pinyin: s.Pinyin, MaskPersonalData: s.MaskPersonalData, StoredPersonalData: s.StoredPersonal, MaskStyle: s.MaskStyle, BlockedText: x.BlockedText,
		Review: wire.ReviewConfig{
			On: s.Review, Hold: s.ReviewMode == "hold", OnFailure: s.ReviewFailure, TimeoutMS: int(s.ReviewTimeout / time.Millisecond),
			Model: s.ReviewModel, Questions: !x.NoQuestions, Answers: s.ReviewOut, Topics: x.Topics, Action: action,
		},
		Locked: a.lockedPaths(filterPaths...), Revision: a.Settings.Revision() + x.Revision,
	}
}

// layerHealth is what the layers did in the last quarter of an hour.
func (a *API) layerHealth(c *wire.FilterConfig) []wire.LayerHealth {
	now := a.Now()
	out := []wire.LayerHealth{{Layer: chat.LayerWords, On: c.WordsOn}, {Layer: chat.LayerPatterns, On: c.PatternsOn}, {Layer: chat.LayerReview, On: c.Review.On}}
	for i := range out {
		l := &out[i]
		chart, err := a.Metrics.Query([]string{"filter_hits_" + string(l.Layer), "filter_seconds_" + string(l.Layer)}, now.Add(-15*time.Minute), now, time.Minute)
		if err != nil || len(chart.Lines) != 2 {
			continue
		}
		l.Hits = int64(math.Round(total(chart.Lines[0].Values) * float64(chart.Step) / 60))
		if p95 := median(chart.Lines[1].Values, 1e6); p95 != nil {
			l.P95US = *p95
		}
		checks := a.Metrics.LayerTimes(string(l.Layer))
		l.Checks, l.P50US = checks.Count, ms(checks.P50)*1000
		if l.P95US == 0 {
			l.P95US = ms(checks.P95) * 1000
		}
	}
	return out
}

func (a *API) setFilterConfig(c *call) (any, error) {
	in, err := body[wire.FilterConfig](c)
	if err != nil {
		return nil, err
	}
	if err := checkFilterConfig(&in); err != nil {
		return nil, err
	}
	a.filters.change.Lock()
	defer a.filters.change.Unlock()
	ctx := c.ctx()
	old, err := LoadFilterExtra(ctx, a.DB.Values())
	if err != nil {
		return nil, err
	}
	now := a.filterConfig(old)
	if in.Revision != settings.AnyRevision && in.Revision != now.Revision {
		return nil, &fault{Type: wire.ProblemConflict, Title: "Changed meanwhile", Status: 409, Detail: "Somebody else changed the filter.", Hint: "Look at it again and repeat the change.", Current: now}
	}
	edits, err := a.filterEdits(&in)
	if err != nil {
		return nil, err
	}
	extra := old
	extra.Revision++
	extra.PatternsOff, extra.BlockedText = !in.PatternsOn, in.BlockedText
	extra.NoQuestions, extra.Topics, extra.ReviewAction = !in.Review.Questions, in.Review.Topics, in.Review.Action
	if err := extra.save(ctx, a.DB.Values()); err != nil {
		return nil, err
	}
	if len(edits) > 0 {
		if _, err := a.Settings.SetAll(ctx, settings.AnyRevision, edits); err != nil {
			if back := old.save(context.WithoutCancel(ctx), a.DB.Values()); back != nil {
				a.Log.Error("half of a change of the filter remains", "err", back)
			}
			return nil, err
		}
	}
	a.filterChanged(ctx)
	return a.filterConfig(extra), nil
}

func checkFilterConfig(in *wire.FilterConfig) error {
	for field, action := range map[string]chat.Action{"action_in": in.ActionIn, "action_out": in.ActionOut} {
		if action.Rank() == 0 {
			return invalid(field, fmt.Sprintf("%q is not an action.", action), "note, mask, replace, handover or block")
		}
	}
	if in.StoredPersonalData != "original" && in.StoredPersonalData != "masked" && in.StoredPersonalData != "label" {
		return invalid("stored_personal_data", fmt.Sprintf("%q is not a choice.", in.StoredPersonalData), "original, masked or label")
	}
	if in.MaskStyle != "same" && in.MaskStyle != "three" && in.MaskStyle != "label" {
		return invalid("mask_style", fmt.Sprintf("%q is not a way to mask.", in.MaskStyle), "same, three or label")
	}
	if in.Review.Action != "" && in.Review.Action.Rank() == 0 {
		return invalid("review.action", fmt.Sprintf("%q is not an action.", in.Review.Action), "note, mask, replace, handover or block")
	}
	if in.Review.TimeoutMS < 200 || in.Review.TimeoutMS > 30000 {
		return invalid("review.timeout_ms", "The review may take 200 to 30000 ms.", "")
	}
	if err := within("review.topics", in.Review.Topics, 0, 4000); err != nil {
		return err
	}
	return within("blocked_text", in.BlockedText, 0, 500)
}

// filterEdits are the settings that differ from what is wanted; a locked one
// among them is refused.
func (a *API) filterEdits(in *wire.FilterConfig) ([]settings.Edit, error) {
	mode := "parallel"
	if in.Review.Hold {
		mode = "hold"
	}
	want := map[string]any{
		"filter.words": in.WordsOn, "filter.shadow": in.Shadow, "filter.action_in": string(in.ActionIn), "filter.action_out": string(in.ActionOut),
		"filter.pinyin": in.Pinyin, "filter.mask_personal_data": in.MaskPersonalData,
		"filter.stored_personal_data": in.StoredPersonalData, "filter.mask_style": in.MaskStyle, "filter.review": in.Review.On, "filter.review_mode": mode,
		"filter.review_out": in.Review.Answers, "filter.review_model": in.Review.Model, "filter.review_failure": in.Review.OnFailure,
		"filter.review_timeout": (time.Duration(in.Review.TimeoutMS) * time.Millisecond).String(),
	}
	s := a.Settings.Current().Filter
	have := map[string]any{
		"filter.words": s.Words, "filter.shadow": s.Shadow, "filter.action_in": s.ActionIn, "filter.action_out": s.ActionOut,
		"filter.pinyin": s.Pinyin, "filter.mask_personal_data": s.MaskPersonalData,
		"filter.stored_personal_data": s.StoredPersonal, "filter.mask_style": s.MaskStyle, "filter.review": s.Review, "filter.review_mode": s.ReviewMode,
		"filter.review_out": s.ReviewOut, "filter.review_model": s.ReviewModel, "filter.review_failure": s.ReviewFailure,
		"filter.review_timeout": s.ReviewTimeout.String(),
	}
	var edits []settings.Edit
	for _, path := range filterPaths {
		if want[path] == have[path] {
			continue
		}
		if o := a.Settings.Origin(path); o.Locked() {
			return nil, locked(path, o.Where)
		}
		value, err := json.Marshal(want[path])
		if err != nil {
			return nil, err
		}
		edits = append(edits, settings.Edit{Path: path, Value: value, Revision: settings.AnyRevision})
	}
	return edits, nil
}

func detectors(x FilterExtra, counts map[hitKey]int64) []wire.Detector {
	out := []wire.Detector{}
	for _, k := range personal.Kinds() {
		out = append(out, detector(x, k.Name, counts))
	}
	return out
}

func detector(x FilterExtra, name string, counts map[hitKey]int64) wire.Detector {
	d, ok := x.Detectors[name]
	if !ok {
		d = wire.DetectorWrite{Action: chat.ActionMask, Way: wire.WayBoth}
	}
	return wire.Detector{Name: name, Enabled: d.Enabled, Action: d.Action, Way: d.Way, Hits: counts[hitKey{chat.LayerPatterns, name}]}
}

func (a *API) changeDetector(c *call) (any, error) {
	name := c.param("name")
	if !slices.ContainsFunc(personal.Kinds(), func(k personal.Kind) bool { return k.Name == name }) {
		return nil, notFound(fmt.Sprintf("There is no detector %q.", name))
	}
	in, err := body[wire.DetectorWrite](c)
	if err != nil {
		return nil, err
	}
	if err := checkRule(in.Action, &in.Way, ""); err != nil {
		return nil, err
	}
	a.filters.change.Lock()
	defer a.filters.change.Unlock()
	x, err := LoadFilterExtra(c.ctx(), a.DB.Values())
	if err != nil {
		return nil, err
	}
	if x.Detectors == nil {
		x.Detectors = map[string]wire.DetectorWrite{}
	}
	x.Detectors[name] = in
	x.Revision++
	if err := x.save(c.ctx(), a.DB.Values()); err != nil {
		return nil, err
	}
	a.filterChanged(c.ctx())
	counts, err := a.hitCounts(c.ctx())
	return detector(x, name, counts), err
}

// checkRule checks what lists, patterns and detectors have in common; an empty
// way becomes "both".
func checkRule(action chat.Action, way *wire.FilterWay, replace string) error {
	if action != "" && action.Rank() == 0 {
		return invalid("action", fmt.Sprintf("%q is not an action.", action), "note, mask, replace, handover, block, or nothing for the default")
	}
	switch *way {
	case wire.WayIn, wire.WayOut, wire.WayBoth:
	case "":
		*way = wire.WayBoth
	default:
		return invalid("way", fmt.Sprintf("%q is not a direction.", *way), "in, out or both")
	}
	return within("replace", replace, 0, 200)
}

// ruleName checks the name of a list or pattern.
func ruleName(name *string, category string) error {
	*name = strings.TrimSpace(*name)
	if err := within("name", *name, 1, 80); err != nil {
		return err
	}
	return within("category", category, 0, 80)
}
