package app

import (
	"os"
	"strings"
	"sync/atomic"
)

// language is what the owner chose: "auto", "en" or "zh-CN".
var language atomic.Pointer[string]

// setLanguage follows the setting desktop.language.
func setLanguage(l string) { language.Store(&l) }

// words are the few sentences of the shell itself, in the owner's language,
// else the system's.
func words(key string) string {
	lang := ""
	if l := language.Load(); l != nil && *l != "auto" {
		lang = *l
	}
	if lang == "" {
		lang = systemLanguage(os.Getenv)
	}
	table := english
	if strings.HasPrefix(strings.ToLower(lang), "zh") {
		table = chinese
	}
	if w, ok := table[key]; ok {
		return w
	}
	return key
}

// systemLanguage reads the environment in gettext's order.
func systemLanguage(getenv func(string) string) string {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := getenv(name); v != "" {
			return v
		}
	}
	return uiLanguage()
}

var english = map[string]string{
	"tray":            "Haoke goes on serving your visitors when this window is closed. You find it in the tray. Quit it altogether instead?",
	"quit?":           "Visitors get no answers while Haoke is not running. Quit all the same?",
	"failed":          "Haoke could not start",
	"failed-hint":     "Nothing was lost. Mend what stands above, then open Haoke again.",
	"starting":        "Haoke is starting",
	"starting-hint":   "This takes a moment. After a power cut or for a new version the data is checked first.",
	"gone":            "The service is not running",
	"gone-hint":       "This window shows the service of this machine and connects again by itself as soon as it runs. Start it with the services of the operating system (haoked), or close this window.",
	"status-ok":       "Serving visitors",
	"status-degraded": "Serving, something needs you",
	"status-paused":   "Paused: no new conversations",
	"status-stopped":  "Not serving",
	"waiting":         "%d waiting",
	"Pause":           "Pause new conversations",
	"waiting-title":   "A visitor is waiting",
	"waiting-titles":  "%d visitors are waiting",
	"waiting-body":    "Open the conversation to answer.",
	"update-title":    "Haoke %s is there",
	"update-body":     "Open Haoke to see what is new and to install it.",
}

var chinese = map[string]string{
	"tray":            "关闭窗口后，好客会继续为访客服务，您可以在托盘中找到它。要完全退出吗？",
	"quit?":           "好客停止运行后，访客将得不到回答。确定要退出吗？",
	"failed":          "好客未能启动",
	"failed-hint":     "没有丢失任何数据。请先处理上面的问题，再重新打开好客。",
	"starting":        "好客正在启动",
	"starting-hint":   "请稍候。断电之后或更新版本时，会先检查数据。",
	"gone":            "服务没有运行",
	"gone-hint":       "本窗口显示的是这台机器上的服务，服务恢复后会自动重新连接。请在操作系统的服务管理中启动 haoked，或关闭本窗口。",
	"Keep running":    "继续运行",
	"Quit":            "退出",
	"Save":            "保存",
	"Open Haoke":      "打开好客",
	"Open in browser": "在浏览器中打开",
	"Pause":           "暂停接待新访客",
	"Start at login":  "开机启动",
	"status-ok":       "正在为访客服务",
	"status-degraded": "服务中，有事项需要处理",
	"status-paused":   "已暂停接待新访客",
	"status-stopped":  "服务已停止",
	"waiting":         "%d 位访客在等待",
	"waiting-title":   "有访客在等待",
	"waiting-titles":  "%d 位访客在等待",
	"waiting-body":    "打开会话即可回复。",
	"update-title":    "好客 %s 已发布",
	"update-body":     "打开好客，查看新内容并安装。",
}
