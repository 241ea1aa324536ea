package adminapi

import (
	"haoke/backend/internal/settings"
	"haoke/backend/internal/upstream"
	"haoke/backend/internal/wire"
)

// choiceWords are the choices of closed settings as people read them. A choice
// that means the same wherever it stands is under its own name, one that does
// not is under "path=choice".
func choiceWords() map[string]settings.Text {
	return map[string]settings.Text{
		"auto": {En: "Automatic", Zh: "自动"}, "off": {En: "Off", Zh: "关闭"}, "none": {En: "None", Zh: "不保存"},
		"allow": {En: "Let through", Zh: "放行"}, "hold": {En: "Hold back", Zh: "暂缓"}, "block": {En: "Block", Zh: "拦截"},
		"mask": {En: "Mask", Zh: "遮盖"}, "replace": {En: "Replace", Zh: "替换"}, "handover": {En: "Hand over to a person", Zh: "转人工"}, "note": {En: "Only note it", Zh: "仅记录"},

		"site.outside_hours=ai": {En: "The AI answers alone", Zh: "由 AI 独自回答"}, "site.outside_hours=form": {En: "A form takes the message", Zh: "显示留言表单"}, "site.outside_hours=hidden": {En: "The widget hides", Zh: "隐藏聊天窗"},
		"limits.at_cap=offline": {En: "Answer from the FAQ", Zh: "由常见问题回答"}, "limits.at_cap=cheaper": {En: "Use the cheaper model", Zh: "改用更便宜的模型"}, "limits.at_cap=people": {En: "Leave it to people", Zh: "只由人工回答"},
		"filter.review_mode=parallel": {En: "While the answer is written", Zh: "与回答同时进行"}, "filter.review_mode=hold": {En: "Before anything is shown", Zh: "先审查再显示"},
		"filter.review_failure=hold":           {En: "Ask a person", Zh: "请人处理"},
		"filter.stored_personal_data=original": {En: "The text as it was written", Zh: "原文"}, "filter.stored_personal_data=masked": {En: "Stars", Zh: "星号"}, "filter.stored_personal_data=label": {En: "The name of its kind", Zh: "信息的种类"},
		"filter.mask_style=same": {En: "A star for each character", Zh: "每个字符一个星号"}, "filter.mask_style=three": {En: "Three stars", Zh: "三个星号"}, "filter.mask_style=label": {En: "The category in brackets", Zh: "方括号中的类别"},
		"archive.codec=snappy": {En: "Snappy: fastest", Zh: "Snappy：最快"}, "archive.codec=s2": {En: "S2: fast and smaller", Zh: "S2：较快，更小"}, "archive.codec=zstd": {En: "Zstandard: smaller still", Zh: "Zstandard：再小一些"},
		"privacy.store_ip=full": {En: "Keep them whole", Zh: "完整保存"}, "privacy.store_ip=truncated": {En: "Keep the network only", Zh: "只保存网段"},
		"backup.schedule=daily": {En: "Every day", Zh: "每天"}, "backup.schedule=weekly": {En: "Every week", Zh: "每周"},
		"desktop.language=en": {En: "English", Zh: "English"}, "desktop.language=zh-CN": {En: "简体中文", Zh: "简体中文"},
		"desktop.theme=light": {En: "Light", Zh: "浅色"}, "desktop.theme=dark": {En: "Dark", Zh: "深色"},
		"secrets.store=keychain": {En: "The system's keychain", Zh: "系统钥匙串"}, "secrets.store=file": {En: "A key file", Zh: "密钥文件"},
		"log.level=debug": {En: "Everything, for finding faults", Zh: "全部（用于查错）"}, "log.level=info": {En: "What happens", Zh: "一般信息"}, "log.level=warn": {En: "Warnings and errors", Zh: "警告和错误"}, "log.level=error": {En: "Errors only", Zh: "仅错误"},
		"log.format=text": {En: "Lines of text", Zh: "文本"}, "log.format=json": {En: "JSON, one object a line", Zh: "JSON，一行一个对象"},
	}
}

// choices names the choices of a setting; one without words is named by itself.
func choices(e settings.Entry) []wire.Choice {
	known := choiceWords()
	var out []wire.Choice
	for _, o := range e.Options {
		t, ok := known[e.Path+"="+o]
		if !ok {
			t, ok = known[o]
		}
		switch {
		case e.Path == "upstream.preset" && o == "":
			t = settings.Text{En: "Told from the address", Zh: "根据地址判断"}
		case e.Path == "upstream.preset":
			t.En = upstream.PresetByName(o).Title
		case !ok:
			t.En = o
		}
		if t.Zh == "" {
			t.Zh = t.En
		}
		out = append(out, wire.Choice{Value: o, Name: words(t)})
	}
	return out
}
