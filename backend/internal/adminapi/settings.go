package adminapi

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"haoke/backend/internal/settings"
	"haoke/backend/internal/wire"
)

func (a *API) settingsHandlers() map[string]func(*call) (any, error) {
	return map[string]func(*call) (any, error){
		"getSettings":  a.getSettings,
		"putSettings":  a.putSettings,
		"patchSetting": a.patchSetting,
		"checkAddr":    a.checkAddr,
	}
}

func words(t settings.Text) wire.Words { return wire.Words{EN: t.En, ZH: t.Zh} }

// settingField is one setting as the page sees it.
func settingField(e settings.Entry) wire.SettingField {
	f := wire.SettingField{
		Path: e.Path, Group: e.Group, Type: wire.SettingType(e.Form), Label: words(e.Title), Help: words(e.Help),
		Value: e.Value, Default: e.Default, Window: e.Window, Choices: choices(e), Min: e.Min, Max: e.Max, Unit: e.Unit,
		Source: source(e), Locked: e.Locked, Secret: e.Secret, Restart: e.Restart, Advanced: e.Advanced, Page: e.Page, Revision: e.Revision,
	}
	if e.Danger != (settings.Text{}) {
		d := words(e.Danger)
		f.Danger = &d
	}
	return f
}

func source(e settings.Entry) string {
	switch e.Source {
	case settings.BuiltIn, settings.Window:
		return string(e.Source)
	}
	return cmp.Or(e.Where, string(e.Source))
}

func (a *API) settingField(path string) (wire.SettingField, bool) {
	for _, e := range a.Settings.Describe() {
		if e.Path == path {
			return settingField(e), true
		}
	}
	return wire.SettingField{}, false
}

func (a *API) getSettings(*call) (any, error) {
	out := wire.SettingsState{Revision: a.Settings.Revision(), Groups: []wire.SettingGroup{}, Fields: []wire.SettingField{}, File: a.ConfigFile, Restart: a.restartPaths()}
	for _, g := range settings.Groups() {
		out.Groups = append(out.Groups, wire.SettingGroup{ID: g.ID, Name: words(g.Name), Help: words(g.Help)})
	}
	for _, e := range a.Settings.Describe() {
		out.Fields = append(out.Fields, settingField(e))
	}
	return out, nil
}

// restartPaths are the settings changed since the start that need a restart.
func (a *API) restartPaths() []string {
	out := []string{}
	changed := settings.Differs(a.atStart, a.Settings.Current())
	for _, e := range a.Settings.Describe() {
		if e.Restart && slices.Contains(changed, e.Path) {
			out = append(out, e.Path)
		}
	}
	return out
}

func (a *API) putSettings(c *call) (any, error) {
	in, err := body[wire.SettingsWrite](c)
	if err != nil {
		return nil, err
	}
	if len(in.Values) == 0 {
		return nil, invalid("values", "Nothing to change.", "")
	}
	revision := in.Revision
	if revision == 0 {
		revision = settings.AnyRevision
	}
	var edits []settings.Edit
	for path, value := range in.Values {
		edits = append(edits, settings.Edit{Path: path, Value: value, Revision: settings.AnyRevision})
	}
	slices.SortFunc(edits, func(x, y settings.Edit) int { return strings.Compare(x.Path, y.Path) })
	return a.change(c, revision, edits)
}

func (a *API) patchSetting(c *call) (any, error) {
	in, err := body[wire.SettingPatch](c)
	if err != nil {
		return nil, err
	}
	value := in.Value
	if in.Reset {
		value = json.RawMessage("null")
	}
	if len(value) == 0 {
		return nil, invalid("value", "No value is given.", "Send a value, or reset.")
	}
	return a.change(c, settings.AnyRevision, []settings.Edit{{Path: in.Path, Value: value, Revision: in.Revision}})
}

// change carries edits out and says what came of them.
func (a *API) change(c *call, revision int64, edits []settings.Edit) (any, error) {
	for _, e := range edits {
		if e.Path == adminAddr {
			if err := a.mayMove(c.ctx(), e.Value); err != nil {
				return nil, err
			}
		}
	}
	_, before := a.Host.Addresses()
	open := everywhere(a.Settings.Current().Server.AdminAddr)
	done, err := a.Settings.SetAll(c.ctx(), revision, edits)
	if err != nil {
		return nil, err
	}
	if err := a.unmoved(c.ctx(), done); err != nil {
		return nil, err
	}
	out := wire.SettingsChange{Revision: a.Settings.Revision(), Fields: []wire.SettingField{}, Previous: map[string]json.RawMessage{}, Restart: a.restartPaths(), Warnings: []wire.Trouble{}}
	_, now := a.Host.Addresses()
	if all := everywhere(a.Settings.Current().Server.AdminAddr); now != before || all != open {
		out.AdminURL, out.AdminAnywhere = now, all
	}
	for _, ch := range done {
		if f, ok := a.settingField(ch.Path); ok {
			out.Fields = append(out.Fields, f)
		}
		if ch.Undo != nil && string(ch.Undo) != "null" {
			out.Previous[ch.Path] = ch.Undo
		}
	}
	for _, w := range settings.Warnings(a.Settings.Current()) {
		for _, ch := range done {
			if w.Key == ch.Path {
				out.Warnings = append(out.Warnings, wire.Trouble{Code: "setting", Level: "warn", Text: w.Text, Args: map[string]string{"path": w.Key}, Page: "settings/" + w.Key})
			}
		}
	}
	return out, nil
}

// unmoved takes changes back when a listener could not follow them: whoever is
// told that the page moved finds it there. New secrets stay; what they were is
// not told.
func (a *API) unmoved(ctx context.Context, done []settings.Changed) error {
	for _, ch := range done {
		fault := a.Host.Unmoved(ch.Path)
		if fault == nil {
			continue
		}
		server := a.Settings.Current().Server
		addr := server.AdminAddr
		if ch.Path != adminAddr {
			addr = server.PublicAddr
		}
		var back []settings.Edit
		for _, ch := range done {
			if ch.Undo != nil {
				back = append(back, settings.Edit{Path: ch.Path, Value: ch.Undo, Revision: settings.AnyRevision})
			}
		}
		if _, err := a.Settings.SetAll(ctx, settings.AnyRevision, back); err != nil {
			return err
		}
		return a.cannotListen(ch.Path, addr, fault)
	}
	return nil
}

// cannotListen refuses an address because of err.
func (a *API) cannotListen(path, addr string, err error) error {
	a.Log.Info("a listener cannot move", "setting", path, "addr", addr, "err", err)
	return invalid(path, addr+" cannot be listened on.", "It is taken, needs more rights, or is no address of this machine.")
}

const adminAddr = "server.admin_addr"

// mayMove refuses an address of the admin page that cannot be used: the owner
// would sit before a page that is gone. The network sees it only when there is
// a password. What is no address at all is the settings' own to say.
func (a *API) mayMove(ctx context.Context, value json.RawMessage) error {
	var addr string
	f, known := a.settingField(adminAddr)
	if json.Unmarshal(value, &addr) != nil || addr == "" || !known || f.Locked {
		return nil
	}
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil
	}
	if exposed(addr) {
		if claimed, err := a.Guard.Claimed(ctx); err != nil {
			return err
		} else if !claimed {
			return invalid(adminAddr, "The admin page has no password yet, so it stays on this machine.", "Set a password first.")
		}
	}
	if n, err := strconv.Atoi(port); err != nil || a.ours(n) {
		return nil // our own listener makes room
	}
	if holder, err := a.Probe(adminAddr, addr); holder != "" {
		return invalid(adminAddr, addr+" is taken by "+holder+".", "Choose another port, or stop that program.")
	} else if err != nil {
		return a.cannotListen(adminAddr, addr, err)
	}
	return nil
}

func (a *API) checkAddr(c *call) (any, error) {
	in, err := body[wire.AddrCheck](c)
	if err != nil {
		return nil, err
	}
	host, port, err := net.SplitHostPort(in.Addr)
	n, perr := strconv.Atoi(port)
	if err != nil || perr != nil || n < 0 || n > 65535 {
		return nil, invalid("addr", fmt.Sprintf("%q is not an address.", in.Addr), "for example 127.0.0.1:8787")
	}
	if a.ours(n) {
		return wire.AddrReport{Free: true, Ours: true}, nil
	}
	holder, taken := a.Probe("server.public_addr", in.Addr)
	if taken == nil {
		return wire.AddrReport{Free: true}, nil
	}
	out := wire.AddrReport{By: holder, Text: taken.Error()}
	for next := n + 1; next < min(n+50, 65536); next++ {
		addr := net.JoinHostPort(host, strconv.Itoa(next))
		if _, err := probe("", addr); err == nil {
			out.Suggest = addr
			break
		}
	}
	return out, nil
}

// ours reports whether one of our own listeners has the port.
func (a *API) ours(port int) bool {
	public, admin := a.Host.Addresses()
	return strings.HasSuffix(public, ":"+strconv.Itoa(port)) || strings.HasSuffix(admin, ":"+strconv.Itoa(port))
}

// probe reports why an address cannot be listened on. It knows no holder.
func probe(_, addr string) (holder string, err error) {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return "", fmt.Errorf("%s cannot be listened on: %w", addr, err)
	}
	return "", ln.Close()
}
