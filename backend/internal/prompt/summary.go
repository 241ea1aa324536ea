package prompt

import "time"

// Summary is the rolling summary of a conversation up to a message.
type Summary struct {
	Upto  int64     `json:"upto"`            // the last message it covers
	Fence int64     `json:"fence,omitempty"` // the fence it was made under; another fence makes it void
	Text  string    `json:"text"`            // lines, oldest first
	Facts []string  `json:"facts,omitempty"` // "name: value" as the summariser found them
	Made  string    `json:"made"`            // "upstream" or "extract"
	At    time.Time `json:"at"`
}
