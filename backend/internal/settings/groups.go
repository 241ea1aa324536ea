package settings

// Groups lists the sections in the order of the tree.
func Groups() []Group {
	names := map[string][2]Text{
		"server":   {{"Addresses", "地址"}, {"Where visitors and you reach the appliance.", "访客和您如何访问本机。"}},
		"admin":    {{"Admin page", "管理页面"}, {"The door for browsers and scripts.", "浏览器和脚本的入口。"}},
		"site":     {{"Shop", "店铺"}, {"Name, words and opening hours.", "名称、文案和营业时间。"}},
		"widget":   {{"Widget", "组件"}, {"How the chat looks.", "聊天组件的外观。"}},
		"faq":      {{"FAQ", "常见问答"}, {"Answers without the AI.", "不使用 AI 的回答。"}},
		"upload":   {{"Files", "文件"}, {"What visitors may send.", "访客可发送的文件。"}},
		"upstream": {{"AI", "AI 接口"}, {"The API that answers.", "提供回答的接口。"}},
		"prices":   {{"Prices", "价格"}, {"What tokens cost.", "词元价格。"}},
		"limits":   {{"Limits", "限制"}, {"What visitors can take, and your budget.", "访客用量和预算。"}},
		"vip":      {{"VIPs", "VIP"}, {"Visitors who go first.", "优先的访客。"}},
		"merge":    {{"Shared answers", "合并回答"}, {"Identical questions are paid for once.", "相同问题只付费一次。"}},
		"burst":    {{"Joined messages", "合并消息"}, {"Several short messages, one answer.", "多条短消息合并回答。"}},
		"filter":   {{"Filter", "过滤"}, {"What must not be said.", "不允许出现的内容。"}},
		"context":  {{"Context", "上下文"}, {"What the AI is reminded of.", "提供给 AI 的历史内容。"}},
		"session":  {{"Memory", "内存"}, {"Conversations kept at hand.", "保留在内存中的会话。"}},
		"archive":  {{"Archive", "归档"}, {"Where old conversations go.", "旧会话的去处。"}},
		"privacy":  {{"Privacy", "隐私"}, {"What is kept, and for how long.", "保留的内容和期限。"}},
		"backup":   {{"Backup", "备份"}, {"Copies of everything.", "全部数据的副本。"}},
		"updates":  {{"Updates", "更新"}, {"News of newer releases.", "新版本通知。"}},
		"desktop":  {{"Window", "窗口"}, {"This window and the tray.", "本窗口和托盘。"}},
		"secrets":  {{"Secrets", "密钥存储"}, {"Where keys are sealed.", "密钥的保存方式。"}},
		"log":      {{"Log", "日志"}, {"What the appliance notes down.", "本机的运行记录。"}},
	}
	out := make([]Group, 0, len(names))
	for _, id := range theSchema().groups {
		out = append(out, Group{ID: id, Name: names[id][0], Help: names[id][1]})
	}
	return out
}
