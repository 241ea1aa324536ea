package offline

import (
	"strings"
	"unicode"
)

// Language guesses a question's language by its script: "zh", "ja", "ko", "ru",
// "ar", else the locale's, else "en".
func Language(text, locale string) string {
	var han, latin int
	for _, r := range text {
		switch {
		case unicode.In(r, unicode.Hiragana, unicode.Katakana):
			return "ja"
		case unicode.Is(unicode.Hangul, r):
			return "ko"
		case unicode.Is(unicode.Cyrillic, r):
			return "ru"
		case unicode.Is(unicode.Arabic, r):
			return "ar"
		case unicode.Is(unicode.Han, r):
			han++
		case unicode.Is(unicode.Latin, r):
			latin++
		}
	}
	l := strings.ToLower(base(locale))
	switch {
	case han > 0 && 3*han >= latin:
		if l == "ja" {
			return "ja"
		}
		return "zh"
	case latin > 0 && l != "zh" && l != "ja" && l != "ko" && l != "ru" && l != "ar" && l != "":
		return l
	case latin > 0, l == "":
		return "en"
	}
	return l
}

// sorry is what a visitor reads when nothing fits, in lang or else English. It
// offers a person.
func sorry(lang string) string {
	switch base(lang) {
	case "zh":
		return "抱歉，这个问题我暂时没有找到答案。您可以换个说法再问一次，或者点“转人工”，我们的同事会尽快回复您。"
	case "ja":
		return "申し訳ございません。そのご質問への答えが見つかりませんでした。別の言い方でお尋ねいただくか、「担当者と話す」を押してください。スタッフがご返信いたします。"
	case "ko":
		return "죄송합니다. 질문에 맞는 답변을 찾지 못했습니다. 다르게 질문해 주시거나 상담원 연결을 눌러 주시면 담당자가 답변해 드리겠습니다."
	case "es":
		return "Lo siento, no he encontrado respuesta a esa pregunta. Puede formularla de otra manera o pedir hablar con una persona: le responderemos en cuanto podamos."
	case "fr":
		return "Désolé, je n'ai pas trouvé de réponse à cette question. Vous pouvez la reformuler ou demander à parler à une personne : nous vous répondrons dès que possible."
	case "de":
		return "Leider habe ich darauf keine Antwort gefunden. Fragen Sie gern noch einmal mit anderen Worten, oder bitten Sie um eine Person: Wir antworten so bald wie möglich."
	case "pt":
		return "Desculpe, não encontrei resposta para essa pergunta. Pode reformulá-la ou pedir para falar com uma pessoa: responderemos assim que possível."
	case "ru":
		return "К сожалению, я не нашёл ответа на этот вопрос. Попробуйте спросить иначе или попросите соединить с сотрудником: мы ответим как можно скорее."
	case "ar":
		return "عذرًا، لم أجد إجابة عن هذا السؤال. يمكنك طرحه بصيغة أخرى أو طلب التحدث إلى شخص، وسنرد عليك في أقرب وقت."
	}
	return "Sorry, I have not found an answer to that. You can put it in other words, or ask for a person: one of us will get back to you as soon as possible."
}

// suggest names the nearest question of the FAQ, in the languages that the
// sentence is known in; "" in others.
func suggest(lang, question string) string {
	switch base(lang) {
	case "zh":
		return "您是不是想问“" + question + "”？如果是，请直接发送这句话。"
	case "en":
		return "Did you mean “" + question + "”? If so, just send me that line. "
	}
	return ""
}
