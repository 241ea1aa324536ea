package wire

// Site is the look of the widget on one site: what GET /v1/site answers and
// what a welcome frame carries as settings. It holds cosmetics only, nothing
// secret and nothing that shapes an answer. Every field may be left out; the
// widget then takes the default that stands beside it. The TypeScript side is
// frontend/widget/src/settings.ts.
type Site struct {
	Title     string `json:"title,omitempty"`     // name in the header; "": the visitor's word for "Chat"
	Greeting  string `json:"greeting,omitempty"`  // first sentence, Markdown; "": a friendly one in the visitor's language
	Hours     string `json:"hours,omitempty"`     // state line while the AI answers, for example "AI answers at once. People 9-18."
	Away      string `json:"away,omitempty"`      // sentence above the offline form
	Launcher  string `json:"launcher,omitempty"`  // label beside the bubble; "": the bubble alone
	Color     string `json:"color,omitempty"`     // #rgb or #rrggbb; "": #0F7B6C
	Side      string `json:"side,omitempty"`      // "right" (default) or "left"
	OffsetX   *int   `json:"offsetX,omitempty"`   // CSS pixels from the side, 0-400; nil: 20
	OffsetY   *int   `json:"offsetY,omitempty"`   // CSS pixels from the bottom, 0-400; nil: 20
	ZIndex    int    `json:"zIndex,omitempty"`    // 0: 2147483000
	Avatar    string `json:"avatar,omitempty"`    // https or same-origin URL of a picture; "": the title's first letter
	Theme     string `json:"theme,omitempty"`     // "auto" (default), "light" or "dark"
	Locale    string `json:"locale,omitempty"`    // "": the visitor's own language; else for example "zh-CN"
	Hidden    bool   `json:"hidden,omitempty"`    // no bubble until the page calls Haoke.show() or open()
	PoweredBy bool   `json:"poweredBy,omitempty"` // a small "Haoke" line under the composer

	Quick     []string        `json:"quick,omitempty"`     // quick questions, at most 8 of 200 characters
	Consent   *SiteConsent    `json:"consent,omitempty"`   // line above the first message; nil: none
	Prechat   []SiteField     `json:"prechat,omitempty"`   // asked before the first message, at most 8
	Proactive []SiteProactive `json:"proactive,omitempty"` // rules that speak first, at most 10; none: no storage and no request before the first click

	Upload    *bool `json:"upload,omitempty"`     // files and pictures; nil: false
	MaxUpload int64 `json:"maxUpload,omitempty"`  // bytes a file; 0: 10 MiB
	MaxChars  int   `json:"maxChars,omitempty"`   // characters a message; 0: 4000
	Emoji     *bool `json:"emoji,omitempty"`      // nil: true
	Sound     *bool `json:"sound,omitempty"`      // nil: true; the visitor can mute it
	Rating    *bool `json:"rating,omitempty"`     // thumbs on answers and stars for the conversation; nil: true
	Human     *bool `json:"human,omitempty"`      // "Talk to a person"; nil: true
	Save      *bool `json:"transcript,omitempty"` // download of the transcript; nil: true

	// Texts overrides the texts above for a language, by its BCP 47 tag as
	// the widget knows it: en, zh-CN, zh-TW, ja, ko, es, fr, de, pt, ru, ar.
	Texts map[string]SiteTexts `json:"texts,omitempty"`
}

// SiteConsent is the line that a visitor sees before the first message.
type SiteConsent struct {
	Text     string `json:"text"`               // plain text
	URL      string `json:"url,omitempty"`      // privacy notice, https or relative to the page
	Required bool   `json:"required,omitempty"` // true: nothing is connected or stored until the visitor agrees
}

// SiteField is one question of the form before the conversation.
type SiteField struct {
	Name     string `json:"name"`               // "name", "email", "phone" (labels known in every language) or the owner's own
	Label    string `json:"label,omitempty"`    // "": the widget's word for Name
	Type     string `json:"type,omitempty"`     // "text" (default), "email" or "tel"
	Required bool   `json:"required,omitempty"` //
}

// SiteProactive is a rule after which a short sentence appears beside the
// bubble, at most once a session and never while the visitor fills in a form.
// All conditions that are set must hold.
type SiteProactive struct {
	Text   string `json:"text"`             // what it says
	After  int    `json:"after,omitempty"`  // seconds on the page; 0: at once
	Scroll int    `json:"scroll,omitempty"` // percent of the page scrolled; 0: any
	Path   string `json:"path,omitempty"`   // the page's path, "*" for anything, for example "/tea/*"; "": every page
	Open   bool   `json:"open,omitempty"`   // open the panel in place of the sentence
}

// SiteTexts are the texts of Site in one language; empty ones fall back.
type SiteTexts struct {
	Title       string   `json:"title,omitempty"`
	Greeting    string   `json:"greeting,omitempty"`
	Hours       string   `json:"hours,omitempty"`
	Away        string   `json:"away,omitempty"`
	Launcher    string   `json:"launcher,omitempty"`
	ConsentText string   `json:"consentText,omitempty"`
	Quick       []string `json:"quick,omitempty"`
}
