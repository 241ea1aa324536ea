package wire

// WidgetState is the look of the widget and how to embed it.
type WidgetState struct {
	// Look is the object that visitors get as welcome.settings and from
	// GET /v1/site.
	Look     Site     `json:"look"`
	Revision int64    `json:"revision"`
	Locked   []string `json:"locked"` // settings paths that a file, environment or flag holds
	// ShareURL is where visitors reach the public listener, without a trailing
	// slash; the snippets are built from it.
	ShareURL string `json:"share_url"`
	// PublicURL is how this page reaches it, for the preview.
	PublicURL string `json:"public_url"`
	// Reachable: ShareURL is neither loopback nor a private address, so that a
	// telephone outside can open the QR code.
	Reachable bool      `json:"reachable"`
	ChatURL   string    `json:"chat_url"` // ShareURL + "/chat?site=default"
	Snippets  []Snippet `json:"snippets"`
	Origins   []string  `json:"origins"` // server.allowed_origins
	Warnings  []Trouble `json:"warnings"`
}

// Snippet is a piece of code to paste.
type Snippet struct {
	Kind string `json:"kind"` // "html", "wordpress", "shopify", "react", "iframe"
	Code string `json:"code"`
}

// WidgetWrite replaces the look. Fields that the server does not know are
// refused (422); fields left out get their default.
type WidgetWrite struct {
	Look     Site  `json:"look"`
	Revision int64 `json:"revision"` // -1: whatever is there; else 409 with a WidgetState in Problem.Current
}

// OriginTest asks whether a page may embed the widget.
type OriginTest struct {
	URL string `json:"url"` // an origin or the address of a page
}

// OriginVerdict is the answer to OriginTest.
type OriginVerdict struct {
	Allowed bool   `json:"allowed"`
	Origin  string `json:"origin"`         // normalised; empty: not an address
	Rule    string `json:"rule,omitempty"` // the entry that allows it
	Text    string `json:"text"`           // one sentence
}
