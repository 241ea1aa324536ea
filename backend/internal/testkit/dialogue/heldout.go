package dialogue

import (
	"fmt"
	"math/rand/v2"
)

// The scripts of this file were written after recall was finished, and recall
// was not changed in view of them: they show what it does on conversations
// that nobody tuned it to.

// travel is a travel desk, in English: short replies, values without a label,
// corrections in other words than the shop's.
func travel() *script {
	return &script{
		name: "travel-en", lang: "en", join: " ",
		adjectives: []string{"spring", "autumn", "weekend", "honeymoon", "school", "business", "budget", "family", "guided", "winter", "coastal", "cycling", "museum", "vineyard", "hiking", "anniversary"},
		nouns:      []string{"trip to Lisbon", "stay in Prague", "cruise to Bergen", "tour of Kyoto", "flight to Oslo", "retreat in Tuscany", "journey to Cusco", "week in Madeira", "visit to Vienna", "ferry to Corsica", "train to Zermatt", "excursion to Delphi", "holiday on Crete", "conference in Geneva"},
		greetings:  []string{"Hey, quick thing", "Good evening, is this the travel desk?"},
		openings:   []string{"We are planning a {s}.", "On to the {s}, which is still half open.", "I'd also love to settle the {s}.", "My boss wants an update about the {s}."},
		welcome: []string{
			"Lovely choice. Let me bring up what we have on file, and then we can go through the open points together, one after the other.",
			"Happy to. I have the folder in front of me. Tell me what matters most to you and I will see what the partners on site can do.",
		},
		attrs: []attr{
			{
				name: "booking", value: func(r *rand.Rand) string {
					const a = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
					b := make([]byte, 6)
					for i := range b {
						b[i] = a[r.IntN(len(a))]
					}
					b[2] = byte('2' + r.IntN(8))
					return string(b)
				},
				say: []string{"For the {s} my booking code reads {v}.", "You filed the {s} as {v}, it says here."}, short: []string{"My code: {v}.", "{v} is what the e-ticket shows."},
				fix: []string{"Hold on, the code of the {s} reads {v}; the other one was last year's."}, fixShort: []string{"Oops, {v}. I looked at the old ticket."},
				ask: []string{"Remind me of the booking code for the {s}?", "What code does the {s} run under?"}, reply: []string{"Got it, the file is open now. All passengers are listed and nothing is overdue.", "Thanks, that works. The partner has confirmed everything on that file so far."},
			},
			{
				name: "departure", bySite: true, value: func(r *rand.Rand) string { return fmt.Sprintf("%02d:%02d", 5+r.IntN(17), r.IntN(60)) },
				query:    []string{"What time do we set off on the {s}?", "When must we be ready for the {s}?"},
				say:      []string{"On the {s} you set off at {v} sharp, the driver waits in front of the main entrance with a sign.", "Be in the lobby at {v} for the {s}; breakfast boxes are handed out there."},
				fix:      []string{"The schedule of the {s} was revised: departure is {v} now.", "News from the operator: the {s} starts at {v}."},
				fixShort: []string{"My colleague tells me that it became {v}."},
				ask:      []string{"At what time does the {s} start?", "Departure time of the {s}, please?"},
			},
			{
				name: "contact", value: func(r *rand.Rand) string { return fmt.Sprintf("+44 7%03d %06d", r.IntN(1000), r.IntN(1e6)) },
				say: []string{"While on the {s} I can be called on {v}.", "For the {s} use my other phone, {v}."}, short: []string{"Ring {v} if anything comes up."},
				fix: []string{"New SIM card! On the {s} it is {v}."}, fixShort: []string{"Strike that, {v}."},
				ask: []string{"On which phone can you call me during the {s}?"}, reply: []string{"Saved in the emergency sheet, which the guide carries on paper as well.", "All right, the hotline will only use it if plans change on short notice."},
			},
			{
				name: "diet", value: func(r *rand.Rand) string {
					return pick(r, []string{"no shellfish", "vegan", "lactose-free", "halal", "no peanuts", "low salt", "gluten-free", "no pork", "kosher", "pescatarian"}) + " for " + pick(r, []string{"seat", "room", "cabin", "table"}) + fmt.Sprintf(" %d%s", 1+r.IntN(89), pick(r, []string{"A", "B", "C", "D", "F"}))
				},
				say: []string{"Meals on the {s}: {v}, please tell the kitchen.", "Catering for the {s} should know: {v}."}, short: []string{"Food-wise: {v}."},
				fix: []string{"The doctor changed my plan, so meals on the {s} will be {v}."}, fixShort: []string{"Better put {v}."},
				ask: []string{"What did I say about meals on the {s}?", "Which dietary note is on file for the {s}?"}, reply: []string{"The kitchen has been told, and the waiters get a slip with it as well.", "No problem at all, that is among the things they prepare every day."},
			},
			{
				name: "price", bySite: true, value: func(r *rand.Rand) string { return fmt.Sprintf("€%d,%03d", 1+r.IntN(6), r.IntN(1000)) },
				query:    []string{"And the bill for the {s}?", "What does the {s} come to?"},
				say:      []string{"The {s} comes to {v} per couple with all transfers and entrance tickets.", "All in all we are at {v} for the {s}, the deposit already taken off."},
				fix:      []string{"Fuel surcharges were lowered, which brings the {s} to {v}.", "After the rebate the {s} stands at {v}."},
				fixShort: []string{"With the insurance it becomes {v}."},
				ask:      []string{"What is the total price of the {s}?", "How expensive is the {s} going to be?"},
			},
		},
		chatter: [][2]string{
			{"Is it crowded there at that time?", "It depends on the week. In the mornings it is quiet almost everywhere; after eleven the day guests arrive. The guide knows side entrances and a few cafés that are hardly in any book."},
			{"Do we need adapters for the sockets?", "For the {s} a flat universal adapter will do. Hotels lend them at the desk, but they run out quickly in high season, so bring one if you have it."},
			{"My cousin raved about your guides.", "How kind, I will pass it on to them! Most have been with us for over ten years and live in the places that they show."},
			{"What should we pack for the {s}?", "Layers, good shoes and a light raincoat for the {s}. Evenings can be cool even when the days are warm; most restaurants do not mind sneakers."},
			{"Can the dog come along?", "Small dogs are fine in most places on the {s}, as long as they travel in a bag on public transport. A few museums say no, and there is a sitter nearby."},
		},
		others:   []string{"A friend was on the {s} with {v}, she was thrilled."},
		othersRe: []string{"Nice! Her file is closed of course, and I stay on yours."},
		firstAsk: []string{"Do you remember what I contacted you about first?", "Which matter opened this conversation?"},
	}
}

// repair is a repair desk, in Chinese.
func repair() *script {
	return &script{
		name: "repair-zh", lang: "zh", join: "的",
		adjectives: []string{"客厅", "主卧", "书房", "办公室", "父母家", "店里", "宿舍", "地下室", "阳台", "厨房", "会议室", "仓库", "二楼", "客房", "前台", "食堂", "休息室"},
		nouns:      []string{"洗衣机", "空调", "冰箱", "投影仪", "热水器", "打印机", "电视", "净水器", "油烟机", "扫地机", "路由器", "除湿机", "微波炉", "吸尘器", "洗碗机"},
		greetings:  []string{"喂，有人在吗", "师傅好"},
		openings:   []string{"{s}出毛病了，想报修。", "顺便说下{s}，也不太正常。", "{s}的事还没弄完。", "另外{s}也请安排人看看。"},
		welcome:    []string{"好的，已经为您打开报修页面，我们一项一项来登记，您想到什么就说什么，漏掉的我会再问。", "收到，马上为您处理。请把了解到的情况告诉我，我来安排合适的师傅，并把注意事项发给您。"},
		attrs: []attr{
			{
				name: "ticket", bySite: true, value: func(r *rand.Rand) string { return fmt.Sprintf("WX%d-%04d", 2600+r.IntN(90), r.IntN(10000)) },
				query: []string{"{s}的工单开好了吗？"}, say: []string{"{s}的工单已经生成，编号{v}，凭它可以随时了解进展。", "给{s}登记的是{v}，短信稍后发到您手机。"},
				fix: []string{"{s}的工单合并了，以后请用{v}。"}, fixShort: []string{"系统刚刷新，最终编号为{v}。"},
				ask: []string{"{s}的工单编号给我一下", "{s}登记的是几号单？"},
			},
			{
				name: "visit", bySite: true, value: func(r *rand.Rand) string {
					return fmt.Sprintf("%d月%d号%s%d点", 1+r.IntN(12), 1+r.IntN(28), pick(r, []string{"上午", "下午"}), 1+r.IntN(11))
				},
				query: []string{"师傅哪天来看{s}？"}, say: []string{"{s}安排在{v}上门，师傅出发前会先打电话。", "师傅{v}到您那里看{s}，请提前清出一点空间。"},
				fix: []string{"师傅临时有事，{s}顺延到{v}上门。"}, fixShort: []string{"哦，那天排满了，调到{v}。"},
				ask: []string{"师傅什么时候上门看{s}？", "{s}约的是哪个时间？"},
			},
			{
				name: "model", value: func(r *rand.Rand) string {
					return fmt.Sprintf("%s-%d%s", pick(r, []string{"KF", "BX", "HD", "LM", "QT"}), 100+r.IntN(900), pick(r, []string{"W", "G", "T", "S"}))
				},
				say: []string{"{s}型号是{v}，贴纸上看到的。", "{s}背后印着{v}。"}, short: []string{"型号{v}。"},
				fix: []string{"贴纸看反了，{s}的型号其实是{v}。"}, fixShort: []string{"哎呀，是{v}。"},
				ask: []string{"我报的{s}型号是什么？"}, reply: []string{"好的，这个型号的常用配件仓库都有，师傅会一并带上，一般一次就能修好。", "记下来了，我再核对一下是否还在保修范围之内。"},
			},
			{
				name: "quote", bySite: true, value: func(r *rand.Rand) string { return fmt.Sprintf("%d块", 60+r.IntN(1500)) },
				query: []string{"修{s}大概要花多少？"}, say: []string{"{s}预计{v}，包含上门费和一年质保。", "按您描述的情况，{s}大约{v}能修好，配件用原厂的。"},
				fix: []string{"师傅看过照片之后，{s}的报价调到{v}。"}, fixShort: []string{"加上配件要{v}。"},
				ask: []string{"{s}的维修报价是多少？", "修{s}你们说要多少钱来着？"},
			},
			{
				name: "fault", value: func(r *rand.Rand) string {
					return pick(r, []string{"漏水", "异响", "不通电", "闪屏", "冒烟", "不制冷", "漏电", "卡顿", "断网", "发烫"}) + fmt.Sprintf("，代码E%d", 10+r.IntN(900))
				},
				say: []string{"{s}的毛病是{v}。", "{s}一开机就{v}。"}, short: []string{"现象是{v}。"},
				fix: []string{"又看了一遍，{s}准确说是{v}。"}, fixShort: []string{"刚才又变成{v}。"},
				ask: []string{"{s}是什么故障来着？", "我说{s}出了什么毛病？"}, reply: []string{"明白了，安全起见请先断开电源，等师傅检查之后再使用。", "这种情况比较常见，多半是老化引起的，师傅会带上检测仪。"},
			},
		},
		chatter: [][2]string{
			{"师傅进门要换鞋吗？", "师傅会自带鞋套和垫布，完工之后把现场清理干净。您家里有小朋友或者宠物的话，请先安置在别的房间。"},
			{"{s}用了有六年了。", "六年的话正是容易出小毛病的时候，不过大多数零件都还能换到。师傅检查完会给您一个修还是换的建议，您再决定。"},
			{"修的时候会很吵吗？", "一般只有拆装的时候有点声音，大约十来分钟。如果邻居比较介意，我们可以尽量安排在工作日的白天。"},
			{"你们周边县城也去吗？", "周边三十公里以内都可以上门，再远一点要加少量路费，提前会跟您说清楚，不会临时加价。"},
		},
		others:   []string{"楼上那家的{s}也报过修，他们的是{v}，跟我家没关系。"},
		othersRe: []string{"好的，那一单归楼上，我不会弄混。"},
		firstAsk: []string{"咱们最早说的是哪件东西？", "我一上来问的是什么？"},
	}
}
