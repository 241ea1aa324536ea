// Package settings holds the typed settings of the appliance, reads them from
// their sources (default, window, config.toml, environment, flags; the later
// wins), remembers where each value came from, and publishes changes while the
// appliance runs.
//
// A *Settings that was published is immutable: whoever wants a change goes
// through Store.Set, and whoever wants to follow changes subscribes.
package settings

// Settings is the whole tree. The toml tags are the names of config.toml, of
// the paths ("server.public_addr") and, in capitals, of the environment.
type Settings struct {
	Server   Server   `toml:"server"`
	Admin    Admin    `toml:"admin"`
	Site     Site     `toml:"site"`
	Widget   Widget   `toml:"widget"`
	FAQ      FAQ      `toml:"faq"`
	Upload   Upload   `toml:"upload"`
	Upstream Upstream `toml:"upstream"`
	Prices   Prices   `toml:"prices"`
	Limits   Limits   `toml:"limits"`
	VIP      VIP      `toml:"vip"`
	Merge    Merge    `toml:"merge"`
	Burst    Burst    `toml:"burst"`
	Filter   Filter   `toml:"filter"`
	Context  Context  `toml:"context"`
	Session  Session  `toml:"session"`
	Archive  Archive  `toml:"archive"`
	Privacy  Privacy  `toml:"privacy"`
	Backup   Backup   `toml:"backup"`
	Updates  Updates  `toml:"updates"`
	Desktop  Desktop  `toml:"desktop"`
	Secrets  Secrets  `toml:"secrets"`
	Log      Log      `toml:"log"`
}
