package dialogue

import (
	"fmt"
	"math/rand/v2"
)

// english is the first script: a department store, in English.
func english() *script {
	return &script{
		name: "shop-en", lang: "en", join: " ",
		adjectives: []string{"linen", "walnut", "striped", "copper", "navy", "ceramic", "folding", "waterproof", "vintage", "quilted", "bamboo", "magnetic", "woollen", "marble", "leather", "cordless", "insulated", "rattan", "velvet", "enamel"},
		nouns:      []string{"jacket", "lamp", "backpack", "teapot", "bookshelf", "blanket", "kettle", "armchair", "raincoat", "umbrella", "toolbox", "curtain", "mirror", "tent", "notebook", "suitcase", "frying pan", "desk", "rug", "bench"},
		greetings:  []string{"Hello!", "Hi there, is anyone around?", "Good morning"},
		openings: []string{
			"I have a question about the {s} from your catalogue.", "Now something about the {s} I bought from you.", "Could you help me with a {s}? It is meant for our holiday house.",
			"Next thing: the {s}. I would like to sort that out today.", "There is also the {s} that my wife picked last week.",
		},
		welcome: []string{
			"Of course, I am happy to help with that. Could you tell me a little more, so that I can look up the right details for you in our system?",
			"Certainly! Let us go through it step by step. Please tell me what you have already, and I will add whatever is missing on our side.",
			"Thank you for getting in touch about that. I have opened the page in our catalogue; what would you like to know or to change?",
		},
		attrs: []attr{
			{
				name: "order", value: func(r *rand.Rand) string { return fmt.Sprintf("TX-%06d", r.IntN(1e6)) },
				say:      []string{"The order number for the {s} is {v}, it was in the confirmation mail.", "I bought the {s} under {v}, if that helps you find it."},
				short:    []string{"It is listed under {v} in my account.", "The confirmation says {v}."},
				fix:      []string{"About the {s} again: I gave you the wrong order number, it should be {v}.", "Sorry, I mixed up my papers. For the {s} the order is {v}."},
				fixShort: []string{"Sorry, I mistyped that, it is {v}.", "No wait, {v} is the right one."},
				ask:      []string{"What order number did I give you for the {s}?", "Under which order did I buy the {s}?", "Can you repeat the reference of my {s} order?"},
				reply:    []string{"Thank you, I have found the order in our system. It was placed through the web site and everything looks complete on our side so far.", "Perfect, that one is in our system. The payment is confirmed and the warehouse has it on the list."},
			},
			{
				name: "size", value: func(r *rand.Rand) string { return fmt.Sprintf("%d cm", 30+r.IntN(900)) },
				say:      []string{"I would take the {s} in size {v}.", "For the {s} please note size {v}, that fits best."},
				short:    []string{"Size {v} would be right for me.", "Let us go with size {v}."},
				fix:      []string{"I measured again: for the {s} I need size {v} instead.", "Please change the {s} to size {v}."},
				fixShort: []string{"Actually make that size {v}.", "Hmm, size {v} is better after all."},
				ask:      []string{"Which size did I settle on for the {s}?", "What size of the {s} did we agree on?"},
				reply:    []string{"Noted. That size is on the shelf in our main warehouse, so nothing stands in the way of sending it this week.", "I have written that down. If it does not fit, you can swap it within thirty days free of charge."},
			},
			{
				name: "date", bySite: true, value: func(r *rand.Rand) string {
					return fmt.Sprintf("%d %s", 1+r.IntN(28), pick(r, []string{"May", "December", "January", "February", "March", "April", "June", "July", "August", "September", "October", "November"}))
				},
				query:    []string{"And when will the {s} be here?", "By what day can I count on the {s}?"},
				say:      []string{"The {s} will reach you by {v}; that is a promise from our logistics team, and you get a message as soon as the van is on its way.", "We can promise {v} for the {s}. The driver rings half an hour before, so you do not have to wait at home all day."},
				fix:      []string{"I have to correct myself: the {s} will arrive by {v}, as the supplier has moved the shipment. Please excuse the confusion.", "There was a change for the {s}: the new date is {v}. I have updated the notice in your account accordingly."},
				fixShort: []string{"Sorry, I looked at the wrong line: it is {v}.", "One moment, I see now that it has changed to {v}."},
				ask:      []string{"On which date was the {s} promised to me?", "What arrival day did you promise for the {s}?"},
			},
			{
				name: "address", value: func(r *rand.Rand) string {
					return fmt.Sprintf("%d %s %s", 1+r.IntN(250), pick(r, []string{"Elm", "Harbour", "Kingfisher", "Mill", "Orchard", "Station", "Willow", "Castle", "Granary", "Beacon", "Larch", "Quarry"}), pick(r, []string{"Road", "Street", "Lane", "Avenue", "Close", "Drive"}))
				},
				say:      []string{"Please send the {s} to {v}.", "The {s} should be delivered to {v}, my office is there."},
				short:    []string{"It has to go to {v}.", "Delivery to {v} please."},
				fix:      []string{"We are moving, so the {s} has to go to {v} instead.", "The address for the {s} was wrong, please use {v}."},
				fixShort: []string{"I meant {v}, sorry.", "Correction: {v}."},
				ask:      []string{"Where will the {s} be delivered?", "To which address does the {s} go?"},
				reply:    []string{"I have saved this for the delivery. The label is printed shortly before the parcel leaves us, so it can still be altered until then.", "All right, the carrier knows that area well. They deliver there on every working day between nine and five."},
			},
			{
				name: "amount", bySite: true, value: func(r *rand.Rand) string { return fmt.Sprintf("$%d.%02d", 11+r.IntN(400), r.IntN(100)) },
				query:    []string{"How much do I get back for the {s}?", "What would the {s} cost with the discount?"},
				say:      []string{"For the {s} that makes {v} in total, taxes and handling included, as the campaign still runs until the end of the month.", "I have calculated {v} for the {s}. You will find the same sum in the confirmation, split by item and tax."},
				fix:      []string{"I recalculated the {s}: the correct amount is {v}, as one of the discounts had been left out. I am sorry for the mistake.", "Please note that for the {s} the sum changed to {v} after the review by our accountants."},
				fixShort: []string{"Sorry, that was the price without tax; it is {v}.", "I made a mistake there: {v} is the right sum."},
				ask:      []string{"What amount did you quote me for the {s}?", "How much was it for the {s}?"},
			},
			{
				name: "recipient", value: func(r *rand.Rand) string {
					return pick(r, []string{"Amelia", "Bruno", "Clara", "Dmitri", "Edith", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Keiko", "Liam", "Maren", "Niall", "Oona", "Petra", "Quentin", "Rosa"}) + " " + pick(r, []string{"Abbott", "Baines", "Castell", "Dorsey", "Ellwood", "Fontaine", "Grieve", "Hollis", "Ingram", "Jarvis", "Kendrick", "Lowell", "Mercer", "Norwood", "Osborne", "Prescott"})
				},
				say:      []string{"The {s} will be received by {v}, she knows about it.", "Put the name {v} on the parcel with the {s}."},
				short:    []string{"{v} will open the door.", "Please write {v} on it."},
				fix:      []string{"For the {s} somebody else will be there: {v}.", "Change of plan, the {s} goes to {v} and not to the person I named."},
				fixShort: []string{"No, {v} will be at home then.", "Rather {v}, she is in on that day."},
				ask:      []string{"Whose name did I want on the {s} parcel?", "Who is going to receive the {s}?"},
				reply:    []string{"Fine, the courier will ask for that person at the door and may request a signature or a short look at some identification.", "Thank you, I have put the name on the delivery note so that nobody else can accept it by mistake."},
			},
			{
				name: "engraving", value: func(r *rand.Rand) string {
					return "\"" + pick(r, []string{"Forever", "Home again", "Best of luck", "Carpe diem", "To the moon", "With love", "Onwards", "Stay curious"}) + " " + fmt.Sprint(1950+r.IntN(76)) + "\""
				},
				say:      []string{"I want {v} engraved on the {s}.", "Could you put the words {v} on the {s}?"},
				short:    []string{"The engraving should read {v}."},
				fix:      []string{"The text on the {s} has to be {v} instead, the family voted.", "Please change the engraving of the {s} to {v}."},
				fixShort: []string{"Hm, rather {v}."},
				ask:      []string{"What did I want engraved on the {s}?", "Which words go on the {s}?"},
				reply:    []string{"That is a lovely idea. Our workshop needs two more days for it, and you will get a picture before it is packed.", "Gladly. The letters will be about six millimetres high, in the plain typeface that you can see on the page."},
			},
		},
		chatter: [][2]string{
			{"Is the {s} easy to look after?", "Yes, the {s} needs hardly any care: a dry cloth now and then is enough, and a drop of mild soap when there are stains. Please keep it away from direct heat and from strong sun over long periods."},
			{"My neighbours liked it a lot, by the way.", "That is very nice to hear, thank you! We are a small team and read such things aloud in the morning round. Is there anything else that I can do for you at the moment?"},
			{"Does the {s} come with instructions?", "There is a small leaflet in the box of the {s}, with drawings for each step. You can also find a short film on the product page that shows everything in about three minutes."},
			{"Can one buy spare parts for the {s}?", "We keep spare parts for the {s} for at least ten years. Write to us with a photo of what is missing and we will find the right piece; most of them cost very little and travel as a letter."},
			{"It is raining cats and dogs here today.", "Then it is a good day to stay inside with a cup of something warm! We have the same weather, the couriers are all dripping when they come in. What else can I look up for you?"},
			{"How is the {s} packed?", "The {s} travels in a double cardboard box with paper cushions, no plastic. The box can be used again for a return, so please keep it for the first thirty days if you have room."},
			{"Is there a guarantee on the {s}?", "Two years on the {s} for faults of material and making, as the law wants it, and one more from us if you register it. Ordinary wear and accidents are not covered, but we repair at cost."},
			{"Do other people also ask so many questions?", "All the time, and that is what we are here for. Nobody should buy a thing and be unsure about it afterwards. Please go on asking as much as you like."},
		},
		others: []string{
			"A colleague has a {s} too, hers was order {v}, she is very happy with it.", "My brother's {s} came with {v} on the label, that has nothing to do with mine.",
		},
		othersRe: []string{"Thank you for telling me! I leave that one alone then, as it is not yours, and carry on with your own order.", "Good to know. I will not touch anything there, since it belongs to another account."},
		firstAsk: []string{"What did we talk about at the very beginning?", "What was the first thing I asked you about?"},
	}
}

// chinese is the first script in Chinese.
func chinese() *script {
	return &script{
		name: "shop-zh", lang: "zh", join: "",
		adjectives: []string{"亚麻", "胡桃木", "条纹", "黄铜", "藏青", "陶瓷", "折叠", "防水", "复古", "绗缝", "竹编", "磁吸", "羊毛", "大理石", "真皮", "无线", "保温", "藤编", "丝绒", "搪瓷"},
		nouns:      []string{"夹克", "台灯", "双肩包", "茶壶", "书架", "毛毯", "水壶", "扶手椅", "雨衣", "遮阳伞", "工具箱", "窗帘", "镜子", "帐篷", "笔记本", "行李箱", "平底锅", "书桌", "地毯", "长凳"},
		greetings:  []string{"你好", "您好，在吗？", "早上好"},
		openings:   []string{"我想了解一下你们的{s}。", "接下来说说我买的{s}吧。", "还有{s}的事情要麻烦你们处理一下。", "我爱人上周看中了{s}，想问几个问题。", "下一件是{s}，今天想一起定下来。"},
		welcome: []string{
			"好的，很高兴为您服务。请您先说一下具体的情况，我在系统里为您查询并逐项核对，有缺少的信息我会再向您确认。",
			"没问题，我们一步一步来。您把已经知道的告诉我，其余的由我这边补充，处理完以后会给您一个完整的答复。",
			"感谢您的咨询，相关页面我已经打开了。请问您想了解哪方面的内容，或者需要我们为您调整什么呢？",
		},
		attrs: []attr{
			{
				name: "order", value: func(r *rand.Rand) string { return fmt.Sprintf("DD%08d", r.IntN(1e8)) },
				say: []string{"{s}的订单号是{v}，短信里写着的。", "{s}是用{v}这个单子买的。"}, short: []string{"单号是{v}。", "后台显示的是{v}。"},
				fix: []string{"前面{s}的订单号我说错了，应该是{v}。", "不好意思，{s}那单我看错了，是{v}。"}, fixShort: []string{"打错了，是{v}。", "不对，{v}才是。"},
				ask: []string{"我之前说的{s}订单号是多少？", "{s}是哪个单子买的？"}, reply: []string{"好的，已经在系统里查到这一单了，付款状态正常，仓库也已经接单，后续有进展会第一时间通知您。", "收到，这一单我已经找到，信息完整，没有发现异常，请您放心。"},
			},
			{
				name: "size", value: func(r *rand.Rand) string { return fmt.Sprintf("%d厘米", 30+r.IntN(900)) },
				say: []string{"{s}我要{v}的。", "{s}帮我记一下{v}，比较合适。"}, short: []string{"就要{v}吧。", "{v}应该正好。"},
				fix: []string{"重新量了一下，{s}换成{v}。", "{s}改成{v}吧。"}, fixShort: []string{"还是{v}吧。", "等等，{v}更合适。"},
				ask: []string{"{s}我最后选了什么尺码？", "我们说好{s}是多大的？"}, reply: []string{"已经为您登记，这个规格主仓有现货，这周就可以安排发出，不需要额外等待。", "好的，记下了。如果不合适，三十天内可以免费更换，吊牌请先不要剪掉。"},
			},
			{
				name: "date", bySite: true, value: func(r *rand.Rand) string { return fmt.Sprintf("%d月%d日", 1+r.IntN(12), 1+r.IntN(28)) },
				query: []string{"{s}什么时候能到？", "{s}哪天可以送来？"},
				say:   []string{"{s}最晚{v}送到，这是物流部门给的承诺，车辆出发的时候会给您发短信提醒。", "{s}我们承诺{v}送达，司机会提前半小时打电话，您不用整天在家等。"},
				fix:   []string{"更正一下，{s}要到{v}才能送到，因为供应商调整了班次，非常抱歉给您带来不便。", "{s}的时间有变化，新的日期是{v}，您账户里的提醒也已经同步更新。"}, fixShort: []string{"抱歉，我看错行了，是{v}。", "稍等，系统里改成{v}了。"},
				ask: []string{"{s}答应我哪一天送到？", "当时承诺{s}几号到？"},
			},
			{
				name: "address", value: func(r *rand.Rand) string {
					return fmt.Sprintf("%s%d号%d室", pick(r, []string{"梧桐路", "滨江大道", "文昌街", "柳荫巷", "南山路", "春晖路", "望湖街", "鼓楼大道", "桃源路", "海棠街", "松涛路", "银杏大道"}), 1+r.IntN(250), 101+r.IntN(900))
				},
				say: []string{"{s}请寄到{v}。", "{s}送到{v}，那是我公司。"}, short: []string{"送到{v}就行。", "地址是{v}。"},
				fix: []string{"我们要搬家了，{s}改寄到{v}。", "{s}的地址写错了，请改成{v}。"}, fixShort: []string{"说错了，是{v}。", "更正：{v}。"},
				ask: []string{"{s}会寄到哪里？", "{s}的收货地址是什么？"}, reply: []string{"好的，配送信息已经保存，面单在出库之前才会打印，在那之前都还可以修改。", "收到，这一带快递员很熟悉，工作日九点到五点之间都可以派送。"},
			},
			{
				name: "amount", bySite: true, value: func(r *rand.Rand) string { return fmt.Sprintf("%d.%02d元", 30+r.IntN(900), r.IntN(100)) },
				query: []string{"{s}能退我多少钱？", "{s}优惠之后是多少？"},
				say:   []string{"{s}一共是{v}，税费和手续费都包含在内，这个活动到月底之前都有效。", "{s}核算下来是{v}，确认邮件里也会有同样的金额，并按项目列出明细。"},
				fix:   []string{"{s}我重新核算了，正确的金额是{v}，之前漏掉了一张优惠券，非常抱歉。", "请注意，{s}的金额经过财务复核以后调整为{v}。"}, fixShort: []string{"抱歉，刚才那个是不含税的，应该是{v}。", "我算错了，{v}才对。"},
				ask: []string{"{s}你们给我报的金额是多少？", "{s}当时说的是多少钱？"},
			},
			{
				name: "recipient", value: func(r *rand.Rand) string {
					return pick(r, []string{"陈", "林", "黄", "周", "吴", "徐", "孙", "胡", "朱", "高", "郭", "何", "罗", "宋", "谢", "唐", "韩", "冯"}) + pick(r, []string{"晓梅", "志强", "雨桐", "建国", "思远", "佳宁", "文博", "海燕", "子涵", "明月", "浩然", "诗涵", "国华", "欣怡", "俊杰", "丽娟"})
				},
				say: []string{"{s}由{v}签收，她知道的。", "{s}的包裹上写{v}的名字。"}, short: []string{"{v}会在家等。", "写{v}就行。"},
				fix: []string{"{s}换个人收，写{v}。", "计划变了，{s}给{v}，不是之前那个人。"}, fixShort: []string{"不，那天是{v}在家。", "还是写{v}吧。"},
				ask: []string{"{s}的包裹写谁的名字？", "{s}由谁来签收？"}, reply: []string{"好的，快递员到门口会核对收件人，可能需要签字或者简单出示一下证件。", "明白，名字已经写在配送单上了，别人不会误领的。"},
			},
			{
				name: "engraving", value: func(r *rand.Rand) string {
					return "“" + pick(r, []string{"岁月静好", "一路顺风", "平安喜乐", "不忘初心", "前程似锦", "花好月圆", "厚德载物", "宁静致远"}) + fmt.Sprint(1950+r.IntN(76)) + "”"
				},
				say: []string{"{s}上面想刻{v}。", "能在{s}上刻{v}这几个字吗？"}, short: []string{"刻字内容是{v}。"},
				fix: []string{"{s}上的字改成{v}，家里人投票决定的。", "{s}的刻字换成{v}吧。"}, fixShort: []string{"嗯，还是刻{v}。"},
				ask: []string{"{s}上我要刻什么？", "{s}的刻字是哪几个字？"}, reply: []string{"这个想法很好，工坊需要多两天时间，包装之前会先拍一张照片发给您确认。", "没问题，字高大约六毫米，用页面上展示的那种朴素的字体。"},
			},
		},
		chatter: [][2]string{
			{"{s}好打理吗？", "{s}几乎不需要特别的保养，平时用干布擦一擦就可以，有污渍的时候加一点温和的清洁剂，注意不要长时间暴晒或靠近热源。"},
			{"对了，邻居看到都说不错。", "谢谢您告诉我们！我们团队不大，每天早会都会念一念这样的留言。请问还有什么可以帮到您的吗？"},
			{"{s}有说明书吗？", "{s}的盒子里有一本小册子，每一步都有图示。商品页面上还有一段三分钟左右的视频，可以对照着看。"},
			{"{s}能买到配件吗？", "{s}的配件我们至少保留十年，缺什么拍张照片发给我们就能找到对应的，大多数都很便宜，用信件就可以寄出。"},
			{"今天我们这里下大雨。", "那正适合在家喝点热的！我们这边天气也一样，快递小哥进门的时候都湿透了。还需要我为您查询什么吗？"},
			{"{s}是怎么包装的？", "{s}用双层纸箱加纸质缓冲材料，没有塑料。纸箱可以留着退换时使用，头三十天如果有地方请先不要扔。"},
			{"{s}有保修吗？", "{s}按规定保修两年，注册以后我们再送一年。正常磨损和意外损坏不在范围之内，不过可以按成本价维修。"},
			{"别人也会问这么多问题吗？", "当然会，这就是我们在这里的原因。谁也不想买了东西心里还没底，您尽管问就是了。"},
		},
		others:   []string{"我同事也有一个{s}，她的单号是{v}，用得挺好。", "我弟弟的{s}上面贴着{v}，跟我这个没关系。"},
		othersRe: []string{"谢谢告知，那一单不是您的，我这边就不动了，继续为您处理您自己的订单。", "明白，那属于别的账户，我不会做任何改动。"},
		firstAsk: []string{"我们最开始聊的是什么？", "我第一个问的是什么东西？"},
	}
}
