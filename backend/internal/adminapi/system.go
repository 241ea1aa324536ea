package adminapi

import (
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"

	"haoke/backend/internal/logs"
	"haoke/backend/internal/wire"
)

func (a *API) systemHandlers() map[string]func(*call) (any, error) {
	return map[string]func(*call) (any, error){
		"listLogs":       a.listLogs,
		"downloadBundle": a.downloadBundle,
		"getUpdates":     func(c *call) (any, error) { return a.updateState(c.ctx()), nil },
		"seeUpdate":      a.seeUpdate,
		"checkUpdates":   func(c *call) (any, error) { return a.checkUpdates(c.ctx()), nil },
		"applyUpdate":    a.applyUpdate,
		"getWizard":      func(c *call) (any, error) { return a.wizard(c.ctx()) },
		"putWizard":      a.putWizard,
		"getAbout":       a.getAbout,
	}
}

// logLine is a line of the log as the page sees it.
func logLine(l logs.Line) *wire.LogLine {
	out := &wire.LogLine{N: l.N, At: l.At.UTC(), Level: levelName(l.Level), Text: l.Text, Attrs: l.Attrs}
	if out.Attrs == nil {
		out.Attrs = [][2]string{}
	}
	return out
}

func levelName(l slog.Level) string {
	switch {
	case l < slog.LevelInfo:
		return "debug"
	case l < slog.LevelWarn:
		return "info"
	case l < slog.LevelError:
		return "warn"
	}
	return "error"
}

func (a *API) listLogs(c *call) (any, error) {
	q, err := query[wire.LogQuery](c)
	if err != nil {
		return nil, err
	}
	level := slog.LevelInfo
	if q.Level != "" {
		var ok bool
		if level, ok = logs.ParseLevel(q.Level); !ok {
			return nil, invalid("level", fmt.Sprintf("%q is not a level.", q.Level), "debug, info, warn or error")
		}
	}
	lines, last := a.Logs.Tail(logs.Query{Level: level, Text: q.Query, After: q.After, Limit: limit(q.Limit, 200, 1000)})
	out := wire.LogPage{Items: []wire.LogLine{}, Last: last, Dropped: a.Logs.Dropped()}
	for _, l := range lines {
		out.Items = append(out.Items, *logLine(l))
	}
	return out, nil
}

func (a *API) getAbout(c *call) (any, error) {
	engine, err := a.DB.Engine(c.ctx())
	if err != nil {
		return nil, err
	}
	out := wire.About{
		Version: a.Version, Commit: a.Commit, Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH, DataFolder: a.DataDir,
		ConfigFile: a.ConfigFile, SQLite: engine, Licence: "Apache-2.0", Licences: licences(), Leaves: leaves,
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.time" {
				out.Built = s.Value
			}
		}
	}
	return out, nil
}

// leaves says what leaves the machine.
var leaves = []wire.Words{
	{EN: "To the AI provider that you set: the conversation as far as the answer needs it, masked as you chose. Nothing, while none is set.",
		ZH: "发送给您设置的 AI 服务商：回答所需的对话内容，并按您的选择遮蔽。未设置服务商时不发送任何内容。"},
	{EN: "To the ClickHouse that you set: conversations that are archived. Nothing, while none is set.",
		ZH: "发送给您设置的 ClickHouse：已归档的对话。未设置时不发送任何内容。"},
	{EN: "To the update address of this build, or the one that you set: one request a day that names no version and no machine. Nothing, while there is none or the check is off.",
		ZH: "发送给本程序自带或您设置的更新地址：每天一次请求，不含版本和机器信息。没有地址或关闭检查时不发送任何内容。"},
	{EN: "Nothing else: no statistics, no reports, nothing to the makers of this program.",
		ZH: "除此之外没有任何内容：没有统计，没有报告，也不会发送给本程序的开发者。"},
}
