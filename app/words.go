package app

import (
	"os"
	"strings"
)

// words are the few sentences of the shell itself, in the system's language.
func words(key string) string {
	lang := ""
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := os.Getenv(name); v != "" {
			lang = v
			break
		}
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

var english = map[string]string{
	"tray":        "Haoke goes on serving your visitors when this window is closed. You find it in the tray. Keep it running?",
	"quit?":       "Visitors get no answers while Haoke is not running. Quit all the same?",
	"failed":      "Haoke could not start",
	"failed-hint": "Nothing was lost. Mend what stands above, then open Haoke again.",
	"status-ok":   "Serving visitors",
	"status-bad":  "Not serving",
}

var chinese = map[string]string{
	"tray":            "关闭窗口后，好客会继续为访客服务，您可以在托盘中找到它。要让它继续运行吗？",
	"quit?":           "好客停止运行后，访客将得不到回答。确定要退出吗？",
	"failed":          "好客未能启动",
	"failed-hint":     "没有丢失任何数据。请先处理上面的问题，再重新打开好客。",
	"Keep running":    "继续运行",
	"Quit":            "退出",
	"Open Haoke":      "打开好客",
	"Open in browser": "在浏览器中打开",
	"status-ok":       "正在为访客服务",
	"status-bad":      "服务已停止",
}
