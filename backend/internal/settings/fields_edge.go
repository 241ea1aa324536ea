package settings

import "time"

// field is what is known of one leaf beside its Go type. The texts are
// "title|help"; the help may be missing.
type field struct {
	path     string
	rule     rule
	en, zh   string
	unit     string
	restart  bool   // takes effect at the next start
	advanced bool   // folded away at first
	danger   Text   // consequence to confirm; empty: none
	form     Form   // how the window edits it; "": by its kind
	page     string // the window edits it on a page of its own, not in the settings list
}

type option func(*field)

func unit(u string) option    { return func(f *field) { f.unit = u } }
func restart(f *field)        { f.restart = true }
func page(name string) option { return func(f *field) { f.page = name } }

func advanced(f *field)   { f.advanced = true }
func as(form Form) option { return func(f *field) { f.form = form } }
func danger(en, zh string) option {
	return func(f *field) { f.danger = Text{en, zh} }
}

func def(path string, r rule, en, zh string, opts ...option) field {
	f := field{path: path, rule: r, en: en, zh: zh}
	for _, o := range opts {
		o(&f)
	}
	return f
}

const day = 24 * time.Hour

func edgeFields() []field {
	return []field{
		def("server.public_addr", address(), "Visitors' address|Host and port of the listener for visitors.", "访客地址|面向访客的监听地址和端口。", as(FormAddr)),
		def("server.admin_addr", address(), "Admin address|Host and port of the admin page, the admin API and /metrics. Loopback unless you want it on your network.", "管理地址|管理页面、管理接口和 /metrics 的地址。默认只在本机开放。", as(FormAddr), danger("The admin page moves there at once. An address other than this machine opens it to the network.", "管理页面会立即移到新地址。非本机地址会使其对网络开放。")),
		def("server.public_url", webURL(), "Public URL|How visitors reach the visitors' address from outside, for the snippet and the QR code.", "公开网址|访客从外部访问的网址，用于嵌入代码和二维码。", as(FormURL)),
		def("server.allowed_origins", each(500, origin()), "Allowed pages|Origins of pages that may embed the widget. The appliance's own demo page always may.", "允许嵌入的页面|可以嵌入聊天组件的网站来源。本机演示页始终允许。"),
		def("server.trusted_proxies", each(100, prefix()), "Trusted proxies|Address ranges of reverse proxies whose X-Forwarded-For is believed.", "可信代理|其 X-Forwarded-For 可信的反向代理地址段。", advanced),
		def("server.tls_cert", word(1000), "Certificate file|PEM file for HTTPS on the visitors' address. Empty: plain HTTP.", "证书文件|访客地址启用 HTTPS 的 PEM 文件。留空则使用 HTTP。", restart, advanced),
		def("server.tls_key", word(1000), "Key file|PEM file of the certificate's private key.", "私钥文件|证书私钥的 PEM 文件。", restart, advanced),

		def("admin.token", secretText(512), "Script token|Bearer token for scripts. Empty: none.", "脚本令牌|供脚本使用的 Bearer 令牌。留空则不启用。", advanced),
		def("admin.password", passText(8), "Initial password|Password of the first owner when no operator exists yet.", "初始密码|尚无客服账号时第一位店主的密码。"),
		def("admin.allowed_hosts", each(100, hostName()), "Allowed names|Further host names under which the admin page may be opened.", "允许的主机名|可以打开管理页面的其他主机名。", advanced),
		def("admin.session_idle", lasting(5*time.Minute, 365*day), "Sign out when idle|A browser session ends after so long without a request.", "空闲退出|浏览器会话空闲多久后结束。", advanced),
		def("admin.session_max", lasting(5*time.Minute, 365*day), "Sign out at the latest|A browser session ends after so long in any case.", "最长登录|浏览器会话最长持续时间。", advanced),
		def("admin.tls_cert", word(1000), "Admin certificate file|PEM file for HTTPS on the admin address.", "管理证书文件|管理地址启用 HTTPS 的 PEM 文件。", restart, advanced),
		def("admin.tls_key", word(1000), "Admin key file|PEM file of its private key.", "管理私钥文件|其私钥的 PEM 文件。", restart, advanced),

		def("site.name", word(80), "Name of the shop", "店铺名称"),
		def("site.greeting", text(500), "Greeting|First sentence of the widget. Empty: the widget's own, in the visitor's language.", "欢迎语|聊天组件的第一句话。留空则按访客语言使用内置文本。", page("widget"), as(FormText)),
		def("site.instructions", text(20000), "Instructions|What the AI is told about the shop and its task.", "指令|告诉 AI 店铺情况和任务的说明。", as(FormText)),
		def("site.locale", locale(), "Language|When the visitor's is unknown.", "语言|访客语言未知时使用。"),
		def("site.time_zone", zone(), "Time zone|For opening hours and for the day's border of budgets.", "时区|用于营业时间和预算的日界。"),
		def("site.hours", anything("a list of ranges with days, open and close"), "Opening hours|When people answer. Empty: always.", "营业时间|人工客服在线时间。留空表示全天。", page("widget")),
		def("site.hours[].days", each(7, oneOf("mon", "tue", "wed", "thu", "fri", "sat", "sun")), "Days", "星期"),
		def("site.hours[].open", clock(), "From", "开始"),
		def("site.hours[].close", clock(), "To|Before the start: until the next day.", "结束|早于开始时间表示次日。"),
		def("site.holidays", each(400, date()), "Holidays|Days on which nobody answers.", "节假日|无人值守的日期。", page("widget")),
		def("site.outside_hours", oneOf("ai", "form", "hidden"), "Outside opening hours|The AI answers alone, a form takes the message, or the widget hides.", "非营业时间|仅由 AI 回答、显示留言表单或隐藏组件。", page("widget")),
		def("site.identity_secret", secretText(512), "Identity secret|Secret with which your shop signs its visitors' identities (HS256).", "身份密钥|店铺用于签名访客身份的密钥（HS256）。"),
		def("site.demo_faq", yesNo(), "Demo questions|Fill an empty FAQ with the demo shop's questions.", "演示问答|在问答为空时填入演示店铺的问答。"),

		def("widget.look", object(64<<10), "Look of the widget", "组件外观", page("widget")),

		def("faq.threshold", between(0, 1), "Threshold|Score below which the FAQ offers no answer.", "阈值|低于该得分时问答不给出答案。", advanced),
		def("faq.exact", yesNo(), "Exact matches win|A curated answer is used instead of the AI when its question matches.", "精确匹配优先|问题匹配时使用人工答案而不是 AI。"),

		def("upload.enabled", yesNo(), "Files from visitors", "允许访客上传文件"),
		def("upload.max_bytes", between(1024, 100<<20), "Largest file", "文件大小上限", unit("bytes")),
		def("upload.types", each(50, mediaType()), "File types", "文件类型"),

		def("limits.connections", between(1, 1000000), "Visitors at once", "同时连接数"),
		def("limits.connections_per_ip", between(0, 1000000), "Per address|Connections from one address; 0: no limit.", "每个地址的连接数|0 表示不限。"),
		def("limits.messages_per_minute", between(0, 6000), "Messages a minute|Of one visitor; 0: no limit.", "每分钟消息数|单个访客；0 表示不限。"),
		def("limits.message_chars", between(1, 15000), "Length of a message", "消息长度", unit("characters")),
		def("limits.answer_tokens", between(16, 128000), "Length of an answer", "回答长度", unit("tokens")),
		def("limits.queue_wait", lasting(time.Second, 10*time.Minute), "Longest wait|Then the visitor gets an honest answer and the offer of a person.", "最长等待|超时后如实告知访客并提供人工服务。", advanced),
		def("limits.queue_length", between(1, 1000000), "Longest queue|Turns that may wait.", "最大队列|可等待的请求数。", advanced),
		def("limits.daily_spend", between(0, 1e9), "Budget a day|0: no limit.", "每日预算|0 表示不限。", unit("currency")),
		def("limits.monthly_spend", between(0, 1e9), "Budget a month|0: no limit.", "每月预算|0 表示不限。", unit("currency")),
		def("limits.visitor_daily_spend", between(0, 1e9), "Budget a visitor and day|0: no limit.", "每位访客每日预算|0 表示不限。", unit("currency")),
		def("limits.at_cap", oneOf("offline", "cheaper", "people"), "When the budget is used up|Answers from the FAQ, a cheaper model, or people only.", "预算用尽时|使用问答库、更便宜的模型或仅人工。"),
		def("limits.cheaper_model", word(200), "Cheaper model|Used when the budget is used up.", "更便宜的模型|预算用尽时使用。"),

		def("vip.share", between(0, 0.9), "Share kept for VIPs|Part of the upstream's capacity that ordinary visitors cannot take.", "VIP 预留份额|普通访客不能占用的上游容量比例。"),
	}
}
