package chat

// Action is what a filter rule does with what it matched.
type Action string

// Actions, from the mildest to the strictest. When several rules match, the
// strictest action wins.
const (
	ActionAllow    Action = ""
	ActionNote     Action = "note"     // shadow mode: recorded, nothing changes
	ActionMask     Action = "mask"     // the match is covered
	ActionReplace  Action = "replace"  // the match is replaced by the rule's text
	ActionHandover Action = "handover" // a person is asked to take over
	ActionBlock    Action = "block"    // the whole message is withheld
)

// Rank orders actions by strictness, ActionAllow 0.
func (a Action) Rank() int {
	switch a {
	case ActionNote:
		return 1
	case ActionMask:
		return 2
	case ActionReplace:
		return 3
	case ActionHandover:
		return 4
	case ActionBlock:
		return 5
	}
	return 0
}

// Layer is one of the three filter layers.
type Layer string

const (
	LayerWords    Layer = "words"
	LayerPatterns Layer = "patterns"
	LayerReview   Layer = "review"
)

// Direction says which way a text goes.
type Direction string

const (
	Inbound  Direction = "in"  // what a visitor wrote
	Outbound Direction = "out" // what an answer says
)

// Hit is one match of one rule. Start and End are byte offsets into the
// original text, End exclusive; both 0 when the layer gives no position.
type Hit struct {
	Layer    Layer  `json:"layer"`
	Rule     string `json:"rule"`               // the word or the pattern's name
	Category string `json:"category,omitempty"` //
	Action   Action `json:"action"`
	Start    int    `json:"start"`
	End      int    `json:"end"`
	Match    string `json:"match,omitempty"` // the matched original text, at most 100 bytes
	Around   string `json:"-"`               // some words around it, for the hit log alone
}

// Verdict is what the filter says of one text.
type Verdict struct {
	Action Action // the strictest action among Hits; ActionAllow: clean
	Text   string // the text to go on with, masked and replaced where needed; unchanged when clean
	Hits   []Hit
}
