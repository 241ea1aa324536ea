package upstream

import "haoke/backend/internal/chat"

// Preset is what is known of a provider before the owner typed anything.
type Preset struct {
	Name    string // as in chat.Target.Preset and the configuration
	Title   string // as the owner reads it
	BaseURL string // with a part in capitals where the owner's own name goes
	// Model is a sensible first choice, "" where it depends on what is installed.
	Model string
	// AuthHeader and MaxTokensField as in chat.Target.
	AuthHeader     string
	MaxTokensField string
	// StreamUsage: usage must be asked for by stream_options.
	StreamUsage bool
	Query       string
	Local       bool // runs on the owner's own machines; usually needs no key
	// KeyForm is how a key begins, for a hint at a wrong paste; "": unknown.
	KeyForm string
	Doc     string // the provider's own page about this interface
	Note    string // what to know, in a sentence
}

// Presets lists the known providers; the last one, "custom", is for all others.
// The list is the caller's own.
func Presets() []Preset {
	const auth, tokens = "Authorization", "max_tokens"
	return []Preset{
		{"openai", "OpenAI", "https://api.openai.com/v1", "gpt-4o-mini", auth, "max_completion_tokens", true, "", false, "sk-",
			"https://platform.openai.com/docs/api-reference/chat", "max_tokens is deprecated there and refused by reasoning models."},
		{"azure", "Azure OpenAI", "https://RESOURCE.openai.azure.com/openai/v1", "gpt-4o-mini", "api-key", "max_completion_tokens", true, "", false, "",
			"https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle", "The model is the name of your deployment. Headers may report -1 for limits that are not known."},
		{"deepseek", "DeepSeek", "https://api.deepseek.com/v1", "deepseek-chat", auth, tokens, true, "", false, "sk-",
			"https://api-docs.deepseek.com/api/create-chat-completion", "Sends keep-alive comments while it queues; 402 means that the balance is used up."},
		{"dashscope", "Qwen (DashScope)", "https://dashscope.aliyuncs.com/compatible-mode/v1", "qwen-plus", auth, tokens, true, "", false, "sk-",
			"https://help.aliyun.com/zh/model-studio/compatibility-of-openai-with-dashscope", "Outside mainland China use https://dashscope-intl.aliyuncs.com/compatible-mode/v1."},
		{"zhipu", "Zhipu GLM", "https://open.bigmodel.cn/api/paas/v4", "glm-4-flash", auth, tokens, false, "", false, "",
			"https://docs.bigmodel.cn/cn/guide/develop/openai/introduction", "The base URL ends in /v4; usage comes with the last piece unasked."},
		{"moonshot", "Moonshot (Kimi)", "https://api.moonshot.cn/v1", "moonshot-v1-8k", auth, tokens, true, "", false, "sk-",
			"https://platform.moonshot.cn/docs/api/chat", "Outside mainland China use https://api.moonshot.ai/v1. Usage stands inside the last choice."},
		{"openrouter", "OpenRouter", "https://openrouter.ai/api/v1", "openai/gpt-4o-mini", auth, tokens, true, "", false, "sk-or-",
			"https://openrouter.ai/docs/api-reference/overview", "Sends comments while it works; errors may come inside a stream."},
		{"groq", "Groq", "https://api.groq.com/openai/v1", "llama-3.1-8b-instant", auth, "max_completion_tokens", true, "", false, "gsk_",
			"https://console.groq.com/docs/openai", ""},
		{"mistral", "Mistral", "https://api.mistral.ai/v1", "mistral-small-latest", auth, tokens, false, "", false, "",
			"https://docs.mistral.ai/api/", "Unknown fields are refused; usage comes with the last piece unasked."},
		{"ollama", "Ollama", "http://localhost:11434/v1", "", auth, tokens, true, "", true, "",
			"https://github.com/ollama/ollama/blob/main/docs/openai.md", "The first answer after a pause takes long: the model is loaded."},
		{"lmstudio", "LM Studio", "http://localhost:1234/v1", "", auth, tokens, true, "", true, "",
			"https://lmstudio.ai/docs/app/api/endpoints/openai", "Start the server in the Developer tab first."},
		{"vllm", "vLLM", "http://localhost:8000/v1", "", auth, tokens, true, "", true, "",
			"https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html", "A key is only needed when it was started with --api-key."},
		{"custom", "Other (OpenAI-compatible)", "", "", auth, tokens, true, "", false, "", "https://platform.openai.com/docs/api-reference/chat", ""},
	}
}

// PresetByName finds a preset; unknown and empty names give "custom".
func PresetByName(name string) Preset {
	list := Presets()
	for _, p := range list {
		if p.Name == name {
			return p
		}
	}
	return list[len(list)-1]
}

// Apply fills in what t leaves empty from the preset that it names. StreamUsage
// is the preset's in any case.
func (p Preset) Apply(t chat.Target) chat.Target {
	fill := func(field *string, value string) {
		if *field == "" {
			*field = value
		}
	}
	fill(&t.Preset, p.Name)
	fill(&t.BaseURL, p.BaseURL)
	fill(&t.Model, p.Model)
	fill(&t.AuthHeader, p.AuthHeader)
	fill(&t.MaxTokensField, p.MaxTokensField)
	fill(&t.Query, p.Query)
	t.StreamUsage = p.StreamUsage
	return t
}
