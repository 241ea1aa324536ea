package wire

import "time"

// SessionState says who is at this door. It is the first thing that the page asks.
type SessionState struct {
	State    SessionKind `json:"state"`
	Door     Door        `json:"door"`
	Operator *Operator   `json:"operator,omitempty"` // when signed in
	// Claimable: state is "unclaimed" and this address may claim with the token
	// that the log and the tray show.
	Claimable bool   `json:"claimable,omitempty"`
	Product   string `json:"product"` // "Haoke"
	Version   string `json:"version"`
	SiteName  string `json:"site_name"` // empty before the first run
	// WizardDone: the first run is over (or was skipped).
	WizardDone bool `json:"wizard_done"`
	// Language and Theme are desktop.language and desktop.theme: the window's
	// page follows them, a browser's where nothing was chosen in it.
	Language string `json:"language"` // "auto", "en" or "zh-CN"
	Theme    string `json:"theme"`    // "auto", "light" or "dark"
}

// SessionKind is the state of a door.
type SessionKind string

const (
	SessionSignedIn  SessionKind = "signed_in"
	SessionSignedOut SessionKind = "signed_out"
	SessionUnclaimed SessionKind = "unclaimed" // no password set yet
)

// Door is how the page reached the appliance.
type Door string

const (
	DoorWindow  Door = "window"  // the native window: signed in as the local owner
	DoorBrowser Door = "browser" // the admin listener
)

// Operator is a person who may sign in.
type Operator struct {
	Name      string     `json:"name"`    // sign-in name, 1-40 of a-z 0-9 . _ -
	Display   string     `json:"display"` // what visitors read; 1-60 characters
	Role      AdminRole  `json:"role"`    // "owner" or "operator"
	CreatedAt time.Time  `json:"created_at"`
	SeenAt    *time.Time `json:"seen_at,omitempty"`
	Sessions  int        `json:"sessions"` // open sign-ins
	Self      bool       `json:"self"`     // the caller
}

// SignIn is a sign-in by password.
type SignIn struct {
	Name     string `json:"name"` // empty: the only owner
	Password string `json:"password"`
}

// Claim sets the first owner's password.
type Claim struct {
	Token    string `json:"token"` // one-time, from the log or the tray; spaces are ignored
	Name     string `json:"name"`  // empty: "owner"
	Password string `json:"password"`
}

// TicketSignIn exchanges a ticket of "open in browser" for a session.
type TicketSignIn struct {
	Ticket string `json:"ticket"`
}

// SignOutQuery is the query of signOut.
type SignOutQuery struct {
	Everywhere bool `json:"everywhere"` // end all sessions of this person
}

// PasswordChange changes the caller's own password; other sessions of the
// person end. In the window Current may be empty.
type PasswordChange struct {
	Current  string `json:"current"`
	Password string `json:"password"` // at least 10 characters
}

// BrowserLink opens the page in a browser, signed in.
type BrowserLink struct {
	URL       string    `json:"url"` // http://127.0.0.1:PORT/#ticket=...
	ExpiresAt time.Time `json:"expires_at"`
}

// OperatorList is all operators, owners first.
type OperatorList struct {
	Items []Operator `json:"items"`
}

// OperatorNew adds an operator.
type OperatorNew struct {
	Name     string    `json:"name"`
	Display  string    `json:"display"`
	Role     AdminRole `json:"role"`
	Password string    `json:"password"` // at least 10 characters
}

// OperatorPatch changes an operator; nil fields stay.
type OperatorPatch struct {
	Display  *string    `json:"display,omitempty"`
	Role     *AdminRole `json:"role,omitempty"`     // the last owner cannot become an operator: 409
	Password *string    `json:"password,omitempty"` // ends the person's sessions
}
