package adminapi

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/settings"
	"haoke/backend/internal/sqlite"
	"haoke/backend/internal/wire"
)

// wizardSteps are the steps of the first run in their order.
var wizardSteps = []string{"language", "shop", "provider", "look", "port", "embed", "try"}

const (
	wizardDonePath = "desktop.wizard_done"
	wizardStepPath = "desktop.wizard_step"
	wizardVisited  = "wizard_visited"
)

func (a *API) wizard(ctx context.Context) (wire.Wizard, error) {
	d := a.Settings.Current().Desktop
	out := wire.Wizard{Done: d.WizardDone, Step: d.WizardStep, Visited: []string{}}
	if !slices.Contains(wizardSteps, out.Step) {
		out.Step = wizardSteps[0]
	}
	text, err := a.DB.Values().Get(ctx, wizardVisited)
	if err != nil {
		return out, err
	}
	if text != "" {
		out.Visited = strings.Split(text, ",")
	}
	out.FirstAnswer, err = a.answeredOnce(ctx)
	return out, err
}

// answeredOnce reports whether some visitor has been answered already.
func (a *API) answeredOnce(ctx context.Context) (bool, error) {
	page, err := a.DB.Conversations().List(ctx, sqlite.Query{Limit: 20})
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(page.Items, func(i sqlite.Item) bool {
		return i.Head.LastSeq >= 2 && (i.Head.LastFrom == chat.FromAI || i.Head.LastSeq > 2)
	}), nil
}

func (a *API) putWizard(c *call) (any, error) {
	in, err := body[wire.WizardWrite](c)
	if err != nil {
		return nil, err
	}
	if in.Step != "" && !slices.Contains(wizardSteps, in.Step) {
		return nil, invalid("step", fmt.Sprintf("%q is not a step.", in.Step), strings.Join(wizardSteps, ", "))
	}
	now, err := a.wizard(c.ctx())
	if err != nil {
		return nil, err
	}
	var edits []settings.Edit
	add := func(path string, v any) error {
		value, err := json.Marshal(v)
		edits = append(edits, settings.Edit{Path: path, Value: value, Revision: settings.AnyRevision})
		return err
	}
	if in.Step != "" && in.Step != now.Step {
		if err := add(wizardStepPath, in.Step); err != nil {
			return nil, err
		}
	}
	if in.Done != now.Done {
		if err := add(wizardDonePath, in.Done); err != nil {
			return nil, err
		}
	}
	if len(edits) > 0 {
		if _, err := a.Settings.SetAll(c.ctx(), settings.AnyRevision, edits); err != nil {
			return nil, err
		}
	}
	if in.Step != "" && !slices.Contains(now.Visited, in.Step) {
		if err := a.DB.Values().Set(c.ctx(), wizardVisited, strings.Join(append(now.Visited, in.Step), ",")); err != nil {
			return nil, err
		}
	}
	return a.wizard(c.ctx())
}
