package codec

import (
	"encoding/json"
	"unicode/utf8"
)

// Chunk is one streamed piece of a chat completion, or a whole answer: the
// fields of interest of what OpenAI-compatible servers send. Parts whose shape
// differs between servers stay raw.
type Chunk struct {
	Model   string          `json:"model"`
	Choices []Choice        `json:"choices"`
	Usage   json.RawMessage `json:"usage"`
	Error   json.RawMessage `json:"error"`
	// Message is where some servers put an error's words at the top level.
	Message json.RawMessage `json:"message"`
}

// Choice is one alternative; only the one with index 0 is ever used.
type Choice struct {
	Index        int             `json:"index"`
	Delta        Part            `json:"delta"`   // streamed
	Message      Part            `json:"message"` // whole
	FinishReason string          `json:"finish_reason"`
	Usage        json.RawMessage `json:"usage"` // some servers put it here
}

// Part is what a choice says: a string, null, or a list of typed parts.
type Part struct {
	Content   json.RawMessage `json:"content"`
	Reasoning json.RawMessage `json:"reasoning_content"`
	ToolCalls json.RawMessage `json:"tool_calls"`
	Refusal   json.RawMessage `json:"refusal"`
}

// DecodeChunk parses one streamed chunk or one whole answer.
func DecodeChunk(data []byte) (Chunk, error) {
	var c Chunk
	err := Decode(data, &c)
	return c, err
}

// First returns the choice with index 0, nil when there is none.
func (c *Chunk) First() *Choice {
	for i := range c.Choices {
		if c.Choices[i].Index == 0 {
			return &c.Choices[i]
		}
	}
	return nil
}

// Present reports whether raw holds something else than nothing or null.
func Present(raw json.RawMessage) bool {
	return len(raw) > 0 && string(raw) != "null"
}

// Token returns the text of p as one JSON string token of valid UTF-8, ok
// false when there is none. Text parts of a list are joined; a refusal counts
// as text, for it is what the model says.
func (p *Part) Token() (raw []byte, ok bool) {
	if raw, ok = contentToken(p.Content); ok {
		return raw, true
	}
	return contentToken(p.Refusal)
}

func contentToken(content json.RawMessage) ([]byte, bool) {
	if !Present(content) {
		return nil, false
	}
	switch content[0] {
	case '"':
		if utf8.Valid(content) {
			return content, true
		}
		return AppendString(nil, mustUnquote(content)), true
	case '[':
		var parts []struct {
			Type string          `json:"type"`
			Text json.RawMessage `json:"text"`
		}
		if Decode(content, &parts) != nil {
			return nil, false
		}
		var text []byte
		for _, p := range parts {
			if p.Type == "text" && len(p.Text) > 0 && p.Text[0] == '"' {
				text = append(text, mustUnquote(p.Text)...)
			}
		}
		return AppendString(nil, string(text)), len(text) > 0
	}
	return nil, false
}

// Tokens is a count of tokens as upstreams report it.
type Tokens struct {
	Prompt, Completion, Cached int
}

// DecodeUsage reads a usage object, ok false when there is none or it says
// nothing. Numbers may be written with a fraction; absurd ones count as absent.
func DecodeUsage(raw json.RawMessage) (Tokens, bool) {
	if !Present(raw) {
		return Tokens{}, false
	}
	var u struct {
		Prompt     float64 `json:"prompt_tokens"`
		Completion float64 `json:"completion_tokens"`
		Hit        float64 `json:"prompt_cache_hit_tokens"` // DeepSeek
		Details    struct {
			Cached float64 `json:"cached_tokens"`
		} `json:"prompt_tokens_details"`
	}
	if Decode(raw, &u) != nil {
		return Tokens{}, false
	}
	t := Tokens{Prompt: count(u.Prompt), Completion: count(u.Completion), Cached: count(max(u.Hit, u.Details.Cached))}
	t.Cached = min(t.Cached, t.Prompt)
	return t, t.Prompt+t.Completion > 0
}

func count(f float64) int {
	if f < 0 || f > 1e9 {
		return 0
	}
	return int(f)
}

// APIError is what an upstream says went wrong.
type APIError struct {
	Message string
	Type    string
	Code    string
}

// DecodeError reads the error of an answer: {"error":{"message":…}}, a bare
// string, or {"message":…,"code":…} at the top level; ok false when data holds
// none of these.
func DecodeError(data []byte) (APIError, bool) {
	var outer struct {
		Error   json.RawMessage `json:"error"`
		Message json.RawMessage `json:"message"`
		Detail  json.RawMessage `json:"detail"`
		Type    json.RawMessage `json:"type"`
		Code    json.RawMessage `json:"code"`
	}
	if Decode(data, &outer) != nil {
		return APIError{}, false
	}
	if Present(outer.Error) {
		return errorOf(outer.Error), true
	}
	e := APIError{Message: scalar(outer.Message), Type: scalar(outer.Type), Code: scalar(outer.Code)}
	if e.Message == "" {
		e.Message = scalar(outer.Detail)
	}
	return e, e.Message != ""
}

func errorOf(raw json.RawMessage) APIError {
	if raw[0] != '{' {
		return APIError{Message: scalar(raw)}
	}
	var in struct {
		Message json.RawMessage `json:"message"`
		Type    json.RawMessage `json:"type"`
		Code    json.RawMessage `json:"code"`
	}
	if Decode(raw, &in) != nil {
		return APIError{Message: string(raw)}
	}
	return APIError{Message: scalar(in.Message), Type: scalar(in.Type), Code: scalar(in.Code)}
}

// scalar gives a string's text, and other values as they are written.
func scalar(raw json.RawMessage) string {
	if !Present(raw) {
		return ""
	}
	if raw[0] == '"' {
		return mustUnquote(raw)
	}
	return string(raw)
}

// mustUnquote is Unquote for tokens that were validated with their document.
func mustUnquote(raw []byte) string {
	s, err := Unquote(raw)
	if err != nil {
		return ""
	}
	return s
}
