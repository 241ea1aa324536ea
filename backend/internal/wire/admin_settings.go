package wire

import "encoding/json"

// SettingsState is every setting with where its value comes from.
type SettingsState struct {
	Revision int64          `json:"revision"` // grows with each change
	Groups   []SettingGroup `json:"groups"`
	Fields   []SettingField `json:"fields"` // in the order to show
	// File is the config.toml in use; empty: none.
	File string `json:"file,omitempty"`
	// Restart names the paths that wait for a restart.
	Restart []string `json:"restart"`
}

// SettingGroup is a heading of the settings page.
type SettingGroup struct {
	ID   string `json:"id"` // first element of the path, for example "upstream"
	Name Words  `json:"name"`
	Help Words  `json:"help"`
}

// Words is a text in the languages of the page.
type Words struct {
	EN string `json:"en"`
	ZH string `json:"zh"`
}

// SettingType says how a setting is edited and how its JSON value looks.
type SettingType string

const (
	SettingString   SettingType = "string"   // JSON string
	SettingText     SettingType = "text"     // string of several lines
	SettingSecret   SettingType = "secret"   // write-only: the value is "" or "set"
	SettingBool     SettingType = "bool"     //
	SettingInt      SettingType = "int"      //
	SettingFloat    SettingType = "float"    //
	SettingDuration SettingType = "duration" // string such as "90s"
	SettingEnum     SettingType = "enum"     // one of Choices
	SettingStrings  SettingType = "strings"  // array of strings
	SettingAddr     SettingType = "addr"     // "host:port"
	SettingURL      SettingType = "url"      //
	SettingJSON     SettingType = "json"     // structured; edited on a page of its own, see Page
)

// SettingField is one setting.
type SettingField struct {
	Path    string          `json:"path"` // for example "upstream.base_url"
	Group   string          `json:"group"`
	Type    SettingType     `json:"type"`
	Label   Words           `json:"label"`
	Help    Words           `json:"help"`
	Value   json.RawMessage `json:"value"`
	Default json.RawMessage `json:"default"`
	// Window is the value saved here while a stronger source hides it; null: none.
	Window json.RawMessage `json:"window,omitempty"`
	// Choices are those of a setting of type enum.
	Choices []Choice `json:"choices,omitempty"`
	Min     *float64 `json:"min,omitempty"`
	Max     *float64 `json:"max,omitempty"`
	Unit    string   `json:"unit,omitempty"` // "s", "bytes", "characters", "messages/min", "money", ...
	// Source: "default", "window", "config.toml:12", "HAOKE_UPSTREAM_MODEL", "--public".
	Source string `json:"source"`
	Locked bool   `json:"locked"` // Source is stronger than the window
	Secret bool   `json:"secret"`
	// Restart: a change takes effect at the next start.
	Restart  bool   `json:"restart"`
	Advanced bool   `json:"advanced"` // folded away at first
	Page     string `json:"page,omitempty"`
	Revision int64  `json:"revision"` // of the last change of this field; 0: never
	// Danger is the consequence to confirm before it is changed; empty: none.
	Danger *Words `json:"danger,omitempty"`
}

// Choice is one value of a closed choice, with its name for people.
type Choice struct {
	Value string `json:"value"`
	Name  Words  `json:"name"`
}

// SettingsWrite changes several settings at once, all or none.
type SettingsWrite struct {
	// Revision is the one that the editor started from; 0: whatever is there.
	Revision int64                      `json:"revision"`
	Values   map[string]json.RawMessage `json:"values"`
}

// SettingPatch changes or resets one setting.
type SettingPatch struct {
	Path  string          `json:"path"`
	Value json.RawMessage `json:"value,omitempty"`
	// Revision of the field that the editor started from; -1: whatever is there.
	// Another one in the store: 409 with the field in Problem.Current.
	Revision int64 `json:"revision"`
	Reset    bool  `json:"reset,omitempty"` // back to the value below the window
}

// SettingsChange is what a change came to.
type SettingsChange struct {
	Revision int64          `json:"revision"`
	Fields   []SettingField `json:"fields"` // those changed
	// Previous values as saved in the window, for undo; a path without one was
	// not saved here before, so that its undo is a reset.
	Previous map[string]json.RawMessage `json:"previous"`
	Restart  []string                   `json:"restart"` // paths that wait for a restart now
	Warnings []Trouble                  `json:"warnings"`
	// AdminURL is where the admin page is from now on, when that changed, and
	// AdminAnywhere as in Status.
	AdminURL      string `json:"admin_url,omitempty"`
	AdminAnywhere bool   `json:"admin_anywhere,omitempty"`
}

// AddrCheck asks whether an address can be listened on.
type AddrCheck struct {
	Addr string `json:"addr"`
}

// AddrReport is the answer to AddrCheck.
type AddrReport struct {
	Free    bool   `json:"free"`
	Ours    bool   `json:"ours"` // we hold it already
	By      string `json:"by,omitempty"`
	Text    string `json:"text,omitempty"`
	Suggest string `json:"suggest,omitempty"` // a free one nearby
}
