package settings

import "time"

func presets() []string {
	return []string{"", "openai", "azure", "deepseek", "qwen", "zhipu", "moonshot", "openrouter", "groq", "mistral", "ollama", "lmstudio", "vllm", "custom"}
}

func upstreamFields() []field {
	fs := []field{
		def("upstream.base_url", baseURL(), "Base URL|An OpenAI-compatible API; ends in /v1. Empty: answers come from the FAQ.", "接口地址|兼容 OpenAI 的接口，以 /v1 结尾。留空则由问答库回答。", page("keys"), as(FormURL)),
		def("upstream.preset", oneOf(presets()...), "Provider|Header style and quirks. Empty: told from the base URL.", "服务商|请求头格式和差异。留空则根据接口地址判断。", page("keys")),
		def("upstream.model", word(200), "Model", "模型", page("keys")),
		def("upstream.temperature", between(-1, 2), "Temperature|Negative: the provider's default.", "温度|负数表示使用服务商默认值。", advanced),
		def("upstream.timeout", lasting(time.Second, 10*time.Minute), "Timeout|Whole life of a call that is not streamed; streamed: to the first token, and between tokens.", "超时|非流式调用的总时长；流式调用为首个词元及词元之间的时长。", advanced),
		def("upstream.retries", between(0, 10), "Further attempts|Before the first token.", "重试次数|仅在首个词元之前。", advanced),
		def("upstream.coalesce", lasting(0, time.Second), "Join pieces|Pieces of an answer that arrive within this time travel together; 0: off.", "合并片段|在此时间内到达的回答片段一起发送；0 表示关闭。", advanced),
		def("upstream.max_idle_conns", between(1, 100000), "Idle connections", "空闲连接数", advanced),
		def("upstream.max_idle_conns_per_host", between(1, 100000), "Calls in flight|Idle connections to one host, and the most calls at once.", "并发调用数|每个主机的空闲连接数，也是并发调用上限。", advanced),
		def("upstream.idle_conn_timeout", lasting(time.Second, time.Hour), "Close idle connections after", "空闲连接关闭时间", advanced),
		def("upstream.proxy", webURL("http", "https", "socks5"), "Proxy|Empty: that of the environment.", "代理|留空则使用环境变量中的代理。", as(FormURL), advanced),
		def("upstream.keys", anything("a list of keys"), "Keys", "密钥", page("keys")),
		def("upstream.providers", anything("a list of providers"), "Further providers|Used when those before them cannot answer.", "备用服务商|前面的服务商不可用时使用。", page("keys")),
		def("upstream.providers[].name", word(80), "Name", "名称"),
		def("upstream.providers[].preset", oneOf(presets()...), "Provider", "服务商"),
		def("upstream.providers[].base_url", baseURL(), "Base URL", "接口地址"),
		def("upstream.providers[].model", word(200), "Model", "模型"),
		def("upstream.providers[].models", anything("a table of model names"), "Names of models here", "模型名称对照"),
		def("upstream.providers[].order", between(0, 1000), "Order|Lower is tried first.", "顺序|数值小的优先。"),
		def("upstream.providers[].weight", between(0, 1000), "Weight", "权重"),
		def("upstream.providers[].disabled", yesNo(), "Switched off", "停用"),
		def("upstream.providers[].keys", anything("a list of keys"), "Keys", "密钥"),

		def("prices.currency", currency(), "Currency", "货币"),
		def("prices.models", anything("a list of prices"), "Prices|Per million tokens; they win over the built-in table.", "价格|每百万词元；优先于内置价格表。", advanced),
		def("prices.models[].model", word(200), "Model|A name, or a beginning followed by *.", "模型|名称，或以 * 结尾的前缀。"),
		def("prices.models[].input", between(0, 1e6), "Input", "输入"),
		def("prices.models[].cached", between(0, 1e6), "Cached input|0: as input.", "缓存输入|0 表示与输入相同。"),
		def("prices.models[].output", between(0, 1e6), "Output", "输出"),

		def("merge.enabled", yesNo(), "Share calls|One upstream call for identical questions in flight.", "合并调用|相同问题同时只调用一次上游。"),
		def("merge.cache_ttl", lasting(0, 30*day), "Keep answers for|For later identical questions; 0: not at all.", "缓存时长|用于之后的相同问题；0 表示不缓存。"),
		def("merge.cache_bytes", between(0, 4<<30), "Size of the answer cache", "回答缓存大小", unit("bytes"), advanced),

		def("burst.typing_wait", lasting(0, 30*time.Second), "Wait while typing|Longest wait for a visitor who is still writing; 0: never wait.", "输入等待|访客仍在输入时的最长等待；0 表示不等待。", advanced),
		def("burst.messages", between(1, 100), "Messages joined|Most messages that one answer covers.", "合并消息数|一次回答最多覆盖的消息数。", advanced),
	}
	for _, list := range []string{"upstream.keys[]", "upstream.providers[].keys[]"} {
		fs = append(fs,
			def(list+".name", word(80), "Name", "名称"),
			def(list+".value", secretText(4096), "Key", "密钥"),
			def(list+".env", identifier().orEmpty(), "Environment variable|That holds the key.", "环境变量|保存密钥的变量名。"),
			def(list+".file", word(1000), "File|That holds the key.", "文件|保存密钥的文件。"),
			def(list+".rpm", between(0, 1e7), "Requests a minute|0: learn it.", "每分钟请求数|0 表示自动学习。"),
			def(list+".tpm", between(0, 1e10), "Tokens a minute|0: learn it.", "每分钟词元数|0 表示自动学习。"),
			def(list+".weight", between(0, 1000), "Weight|0: 1.", "权重|0 表示 1。"),
			def(list+".disabled", yesNo(), "Switched off", "停用"),
		)
	}
	return fs
}

func insideFields() []field {
	actions := []string{"block", "mask", "replace", "handover", "note"}
	return []field{
		def("filter.words", yesNo(), "Words|The first layer.", "词库|第一层过滤。", page("filters")),
		def("filter.words_files", each(50, word(1000)), "Word files|One word a line.", "词库文件|每行一个词。"),
		def("filter.starter", yesNo(), "Starter lists|The built-in lists.", "内置词库"),
		def("filter.pinyin", yesNo(), "Pinyin|Also match words written in pinyin.", "拼音|同时匹配拼音写法。"),
		def("filter.allow", each(10000, word(200)), "Exceptions|Phrases that never count as a hit.", "例外|永不视为命中的短语。", page("filters")),
		def("filter.action_in", oneOf(actions...), "Action on messages|For words and patterns in what visitors write.", "对访客消息的动作|访客消息命中词库或规则时。", page("filters")),
		def("filter.action_out", oneOf(actions...), "Action on answers", "对回答的动作", page("filters")),
		def("filter.patterns", each(1000, pattern()), "Patterns|RE2 expressions.", "规则|RE2 正则表达式。", page("filters")),
		def("filter.shadow", yesNo(), "Only note|Nothing is changed; hits are recorded.", "仅记录|不作处理，只记录命中。", page("filters")),
		def("filter.review", yesNo(), "Review by the model|The third layer.", "模型审核|第三层过滤。", page("filters")),
		def("filter.review_mode", oneOf("parallel", "hold"), "Review|In parallel with the answer, or before anything is shown.", "审核方式|与回答并行，或在显示前完成。", page("filters")),
		def("filter.review_out", yesNo(), "Review answers too", "同时审核回答", page("filters")),
		def("filter.review_model", word(200), "Model for reviews|Empty: the model of the answers.", "审核模型|留空则使用回答模型。", page("filters")),
		def("filter.review_timeout", lasting(100*time.Millisecond, time.Minute), "Longest review", "审核超时", page("filters"), advanced),
		def("filter.review_failure", oneOf("allow", "hold", "block"), "When no review can be had", "无法审核时", page("filters")),
		def("filter.mask_personal_data", yesNo(), "Keep personal data here|Phone and card numbers and the like are hidden from the upstream and put back in the answer.", "保护个人信息|电话、卡号等不发送给上游，并在回答中还原。"),
		def("filter.stored_personal_data", oneOf("original", "masked", "label"), "Personal data on disk|What is kept of it where it is hidden from the upstream: the text as it was written, stars, or the name of its kind. Nobody can bring back what was not kept.", "保存的个人信息|对服务商隐藏个人信息时，本机保存什么：原文、星号，或信息的种类。没有保存的内容无法找回。", page("filters")),
		def("filter.mask_style", oneOf("same", "three", "label"), "How words are masked|A star for each character, three stars, or the category in brackets.", "遮盖方式|每个字符一个星号、三个星号，或方括号中的类别。", page("filters")),

		def("context.tokens", between(256, 1e6), "Prompt budget", "提示词预算", unit("tokens"), advanced),
		def("context.summaries", yesNo(), "Summaries|Summarise older turns in the background.", "摘要|在后台概括较早的对话。"),
		def("context.keep_prompt", yesNo(), "Keep prompts|Store the assembled prompt with each answer.", "保留提示词|随每个回答保存其提示词。", advanced),

		def("session.hot_capacity", between(1, 1e7), "Conversations in memory", "内存中的会话数", advanced),
		def("session.hot_bytes", between(1<<20, 64<<30), "Memory for conversations", "会话内存", unit("bytes"), advanced),
		def("session.cold_after", lasting(0, 3650*day), "Archive after|Time of silence until a conversation is archived; 0: never.", "归档时间|静默多久后归档；0 表示从不。"),

		def("archive.clickhouse", clickhouseURL(), "ClickHouse|clickhouse://user:password@host:9000/database. Empty: the archive stays in SQLite.", "ClickHouse|clickhouse://用户:密码@主机:9000/数据库。留空则保存在 SQLite。", page("archive")),
		def("archive.table", identifier(), "Table prefix", "表前缀", page("archive"), advanced),
		def("archive.codec", oneOf("auto", "snappy", "s2", "zstd"), "Compression", "压缩", page("archive"), advanced),
		def("archive.keep_local", yesNo(), "Keep local copies|After they were shipped.", "保留本地副本|上传之后。", page("archive")),
		def("archive.max_backlog", between(1<<20, 1<<40), "Warn at backlog", "积压警告", unit("bytes"), page("archive"), advanced),

		def("privacy.retention_days", between(0, 36500), "Delete conversations after|0: never.", "会话保留天数|0 表示永久保留。", unit("days"), danger("Conversations older than this are deleted everywhere, the archive included.", "早于此天数的会话将被彻底删除，包括归档。")),
		def("privacy.upload_days", between(0, 36500), "Delete files after|0: never.", "文件保留天数|0 表示永久保留。", unit("days")),
		def("privacy.metric_days", between(1, 3650), "Keep charts for", "图表保留天数", unit("days")),
		def("privacy.store_ip", oneOf("full", "truncated", "none"), "Visitors' addresses", "访客 IP"),

		def("backup.schedule", oneOf("off", "daily", "weekly"), "Backup", "备份", page("backup")),
		def("backup.at", clock(), "At", "时间", page("backup")),
		def("backup.folder", word(1000), "Folder|Empty: within the data folder.", "文件夹|留空则在数据文件夹内。", page("backup")),
		def("backup.keep", between(1, 1000), "Keep", "保留份数", page("backup")),
		def("backup.passphrase", passText(8), "Passphrase|Seals backups and the keys in them. Empty: keys are left out.", "口令|加密备份及其中的密钥。留空则不包含密钥。", page("backup")),

		def("updates.check", yesNo(), "Look for updates", "检查更新"),
		def("updates.manifest", webURL(), "Update address|Empty: that of this build, if it has one.", "更新地址|留空则使用本程序自带的地址（如果有）。", as(FormURL), advanced),

		def("desktop.language", oneOf("auto", "en", "zh-CN"), "Language of the window", "界面语言"),
		def("desktop.theme", oneOf("auto", "light", "dark"), "Theme", "主题"),
		def("desktop.close_to_tray", yesNo(), "Keep running in the tray", "关闭时留在托盘"),
		def("desktop.start_at_login", yesNo(), "Start with the computer", "开机启动"),
		def("desktop.notifications", yesNo(), "Notify of waiting visitors", "访客等待时通知"),
		def("desktop.quiet_from", clock(), "Quiet from", "免打扰开始"),
		def("desktop.quiet_to", clock(), "Quiet until", "免打扰结束"),
		def("desktop.wizard_done", yesNo(), "First steps done", "已完成引导", page("wizard")),
		def("desktop.wizard_step", word(80), "First steps: where", "引导步骤", page("wizard")),

		def("secrets.store", oneOf("auto", "keychain", "file"), "Where secrets are sealed|The operating system's keychain, or a key file in the data folder.", "密钥保存位置|系统钥匙串，或数据文件夹中的密钥文件。", restart, advanced),

		def("log.level", oneOf("debug", "info", "warn", "error"), "Level", "级别"),
		def("log.format", oneOf("text", "json"), "Format", "格式", restart, advanced),
		def("log.visitor_text", yesNo(), "Visitors' texts in the log", "日志包含访客文本", danger("What visitors write will stand in the log.", "访客所写内容将写入日志。")),
		def("log.lines", between(100, 1000000), "Lines kept for the viewer", "查看器保留行数", restart, advanced),
	}
}

// orEmpty also allows the empty text.
func (r rule) orEmpty() rule {
	inner := r.check
	r.allowed = "empty, or " + r.allowed
	r.check = func(v any) (any, error) {
		if v.(string) == "" {
			return v, nil
		}
		return inner(v)
	}
	return r
}
