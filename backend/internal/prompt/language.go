package prompt

import (
	"strings"
	"unicode"
)

// Language guesses the language of a text by its script, and for a text without
// letters by the visitor's locale. It returns an English name fit for an
// instruction, or "" when the script does not tell (Latin letters).
func Language(text, locale string) string {
	var han, kana, hangul, cyrillic, arabic, thai, latin int
	for _, r := range text {
		switch {
		case r < 0x80:
			if r|0x20 >= 'a' && r|0x20 <= 'z' {
				latin++
			}
		case unicode.Is(unicode.Han, r):
			han++
		case unicode.In(r, unicode.Hiragana, unicode.Katakana):
			kana++
		case unicode.Is(unicode.Hangul, r):
			hangul++
		case unicode.Is(unicode.Cyrillic, r):
			cyrillic++
		case unicode.Is(unicode.Arabic, r):
			arabic++
		case unicode.Is(unicode.Thai, r):
			thai++
		case unicode.Is(unicode.Latin, r):
			latin++
		}
	}
	// A Han character carries about as much as three letters.
	switch most := max(3*han, 3*kana, 2*hangul, cyrillic, arabic, thai, latin); {
	case most == 0:
		return nameOf(locale)
	case kana > 0 && 3*(kana+han) >= latin:
		return "Japanese"
	case most == 3*han:
		if traditional(text) || han < 4 && strings.HasPrefix(strings.ToLower(locale), "zh-tw") {
			return "Traditional Chinese"
		}
		return "Chinese"
	case most == 2*hangul:
		return "Korean"
	case most == cyrillic:
		return orElse(nameOf(locale), "Russian", "Russian", "Ukrainian", "Bulgarian", "Serbian")
	case most == arabic:
		return orElse(nameOf(locale), "Arabic", "Arabic", "Persian", "Urdu")
	case most == thai:
		return "Thai"
	}
	// Latin letters: a browser set to German says little about a visitor who
	// just wrote in English, and the model reads better than we would guess.
	return ""
}

// orElse returns name if it is among allowed, else fallback.
func orElse(name, fallback string, allowed ...string) string {
	for _, a := range allowed {
		if a == name {
			return name
		}
	}
	return fallback
}

func nameOf(locale string) string {
	base, _, _ := strings.Cut(strings.ToLower(strings.ReplaceAll(locale, "_", "-")), "-")
	switch base {
	case "zh":
		return "Chinese"
	case "ja":
		return "Japanese"
	case "ko":
		return "Korean"
	case "ru":
		return "Russian"
	case "uk":
		return "Ukrainian"
	case "bg":
		return "Bulgarian"
	case "sr":
		return "Serbian"
	case "ar":
		return "Arabic"
	case "fa":
		return "Persian"
	case "ur":
		return "Urdu"
	case "th":
		return "Thai"
	case "en":
		return "English"
	case "es":
		return "Spanish"
	case "fr":
		return "French"
	case "de":
		return "German"
	case "pt":
		return "Portuguese"
	case "it":
		return "Italian"
	case "nl":
		return "Dutch"
	case "pl":
		return "Polish"
	case "tr":
		return "Turkish"
	case "vi":
		return "Vietnamese"
	case "id":
		return "Indonesian"
	}
	return ""
}

// traditional reports whether text holds characters that simplified Chinese
// does not use.
func traditional(text string) bool {
	return strings.ContainsAny(text, "貨運費訂單這個麼嗎們來說時間錢買賣開發還沒問請謝對點電話號碼樣會過後裡為與從")
}
