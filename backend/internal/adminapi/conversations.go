package adminapi

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/sqlite"
	"haoke/backend/internal/wire"
)

func (a *API) conversationHandlers() map[string]func(*call) (any, error) {
	return map[string]func(*call) (any, error){
		"listConversations":   a.listConversations,
		"getConversation":     a.getConversation,
		"deleteConversation":  a.deleteConversation,
		"listMessages":        a.listMessages,
		"sendMessage":         a.sendMessage,
		"setMode":             a.setMode,
		"stopAnswer":          a.stopAnswer,
		"markRead":            a.markRead,
		"markTyping":          a.markTyping,
		"setBlocked":          a.setBlocked,
		"archiveConversation": a.archiveConversation,
		"exportConversation":  a.exportConversation,
		"getTrace":            a.getTrace,
		"getFile":             a.getFile,
		"addFile":             a.addFile,
	}
}

// conversationQuery turns the page's query into the store's.
func conversationQuery(q wire.ConversationQuery) (sqlite.Query, error) {
	out := sqlite.Query{Text: q.Query, Unanswered: q.Unanswered, MaxRating: q.Rating, Limit: limit(q.Limit, 50, 200), Cursor: q.Cursor}
	switch q.State {
	case "", "open":
		out.Where = sqlite.OnlyWarm
		if q.Query != "" { // a search looks everywhere
			out.Where = sqlite.Anywhere
		}
	case "all":
	case "archived":
		out.Where = sqlite.OnlyCold
	case "unread":
		out.Unread = true
	case "blocked":
		out.Blocked = true
	case "unanswered":
		out.Unanswered = true
	case string(chat.ModeAI), string(chat.ModeHuman), string(chat.ModeWaiting), string(chat.ModeOffline):
		out.Mode = chat.Mode(q.State)
	default:
		return out, invalid("state", fmt.Sprintf("%q is not a state.", q.State), "open, ai, human, waiting, offline, unread, archived, blocked or all")
	}
	var err error
	if out.Since, err = optionalTime("from", q.From); err != nil {
		return out, err
	}
	out.Before, err = optionalTime("to", q.To)
	return out, err
}

func optionalTime(field, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, invalid(field, fmt.Sprintf("%q is not a time.", text), "Write it as 2026-01-31T15:04:05Z.")
	}
	return t, nil
}

func (a *API) listConversations(c *call) (any, error) {
	q, err := query[wire.ConversationQuery](c)
	if err != nil {
		return nil, err
	}
	want, err := conversationQuery(q)
	if err != nil {
		return nil, err
	}
	store := a.DB.Conversations()
	page, err := store.List(c.ctx(), want)
	if errors.Is(err, sqlite.ErrBadCursor) {
		return nil, invalid("cursor", "This cursor is not one of ours.", "Start again without one.")
	}
	if err != nil {
		return nil, err
	}
	out := wire.ConversationList{Items: make([]wire.Conversation, 0, len(page.Items)), Next: page.Next}
	for _, item := range page.Items {
		out.Items = append(out.Items, a.conversation(item))
	}
	if q.Cursor == "" {
		n, err := store.Counts(c.ctx())
		if err != nil {
			return nil, err
		}
		out.Counts = map[string]int{
			"open": n.Warm, "archived": n.Cold, "human": n.Human, "waiting": n.Waiting, "offline": n.Offline,
			"unread": n.Unread, "unanswered": n.Unanswered, "blocked": n.Blocked, "all": n.All,
			"ai": n.All - n.Human - n.Waiting - n.Offline,
		}
	}
	return out, nil
}

// conversation is a head as the page sees it.
func (a *API) conversation(item sqlite.Item) wire.Conversation {
	h := item.Head
	label := h.Visitor.Name
	if label == "" {
		label = h.Visitor.Email
	}
	return wire.Conversation{
		ID: string(h.ID), Site: h.Site, Mode: h.Mode, Version: h.Version, LastSeq: h.LastSeq, CreatedAt: h.CreatedAt, UpdatedAt: h.UpdatedAt,
		Visitor: h.Visitor, Page: h.Page, Label: label, Online: a.Presence.Watching(h.ID) > 0, Answering: a.Engine.Busy(h.ID),
		Operator: h.Operator, Unread: h.Unread, Rating: h.Rating, Comment: h.Comment, Spend: h.Spend, Tokens: h.Tokens,
		LastText: h.LastText, LastFrom: h.LastFrom, Blocked: h.Blocked, Unanswered: h.Unanswered, Archived: item.Cold, Shipped: item.Shipped,
	}
}

// item reads a conversation's head with its tier.
func (a *API) item(ctx context.Context, id chat.ConversationID) (sqlite.Item, error) {
	head, err := a.Sessions.Head(ctx, id)
	if err != nil {
		return sqlite.Item{}, err
	}
	cold, shipped, err := a.DB.Cold().State(ctx, id)
	return sqlite.Item{Head: head, Cold: cold, Shipped: shipped}, err
}

// firstPage is how many messages come with a conversation.
const firstPage = 200

func (a *API) getConversation(c *call) (any, error) {
	id, err := c.conversation()
	if err != nil {
		return nil, err
	}
	item, err := a.item(c.ctx(), id)
	if err != nil {
		return nil, err
	}
	msgs, err := a.messages(c.ctx(), item)
	if err != nil {
		return nil, err
	}
	out := wire.ConversationDetail{Conversation: a.conversation(item), Messages: []wire.Message{}}
	if len(msgs) > firstPage {
		msgs, out.Earlier = msgs[len(msgs)-firstPage:], true
	}
	for i := range msgs {
		out.Messages = append(out.Messages, message(&msgs[i]))
	}
	if seq, part, text, ok := a.Presence.Draft(id); ok {
		out.Draft = &wire.Draft{Seq: seq, Part: part, Text: text}
	}
	return out, nil
}

// messages reads all messages wherever they live; reading thaws nothing.
func (a *API) messages(ctx context.Context, item sqlite.Item) ([]chat.Message, error) {
	if item.Cold {
		return a.Host.Archive().Read(ctx, item.Head.ID)
	}
	return a.Sessions.Messages(ctx, item.Head.ID, 0, 0)
}

func message(m *chat.Message) wire.Message {
	out := wire.Message{
		Seq: m.Seq, From: m.From, Text: m.Text, At: m.At, ID: m.ClientID, Finish: m.Finish, Author: m.Author, Sources: m.Sources, Mark: m.Mark,
	}
	if m.Turn != nil {
		turn := *m.Turn
		turn.PromptTrace = ""
		out.Turn = &turn
	}
	return out
}

func (a *API) listMessages(c *call) (any, error) {
	id, err := c.conversation()
	if err != nil {
		return nil, err
	}
	q, err := query[wire.MessageQuery](c)
	if err != nil {
		return nil, err
	}
	item, err := a.item(c.ctx(), id)
	if err != nil {
		return nil, err
	}
	msgs, err := a.messages(c.ctx(), item)
	if err != nil {
		return nil, err
	}
	most := limit(q.Limit, 200, 500)
	from, to := 0, len(msgs)
	for from < len(msgs) && msgs[from].Seq <= q.After {
		from++
	}
	if q.Before > 0 {
		for to > 0 && msgs[to-1].Seq >= q.Before {
			to--
		}
		from = max(0, to-most)
	}
	to = min(to, from+most)
	out := wire.MessageList{Items: []wire.Message{}, Earlier: from > 0}
	for i := range msgs[from:max(from, to)] {
		out.Items = append(out.Items, message(&msgs[from+i]))
	}
	return out, nil
}

// maxOperatorText bounds an operator's message, in characters.
const maxOperatorText = 8000

func (a *API) sendMessage(c *call) (any, error) {
	id, err := c.conversation()
	if err != nil {
		return nil, err
	}
	in, err := body[wire.MessageNew](c)
	if err != nil {
		return nil, err
	}
	n := utf8.RuneCountInString(in.Text)
	if strings.TrimSpace(in.Text) == "" || n > maxOperatorText || !utf8.ValidString(in.Text) {
		return nil, invalid("text", fmt.Sprintf("A message has 1 to %d characters.", maxOperatorText), "")
	}
	if utf8.RuneCountInString(in.ID) > 64 {
		return nil, invalid("id", "An id has at most 64 characters.", "")
	}
	m, err := a.Engine.Say(c.ctx(), id, c.operator(), in.Text, in.ID)
	if err != nil {
		return nil, err
	}
	return message(&m), nil
}

func (a *API) setMode(c *call) (any, error) {
	id, err := c.conversation()
	if err != nil {
		return nil, err
	}
	in, err := body[wire.ModeChange](c)
	if err != nil {
		return nil, err
	}
	switch in.Mode {
	case chat.ModeAI, chat.ModeHuman, chat.ModeWaiting:
	default:
		return nil, invalid("mode", fmt.Sprintf("%q is not a mode.", in.Mode), "ai, human or waiting")
	}
	if in.Force && in.Mode == chat.ModeHuman {
		if _, err := a.Engine.SetMode(c.ctx(), id, chat.ModeWaiting, c.operator()); err != nil {
			return nil, err
		}
	}
	if _, err := a.Engine.SetMode(c.ctx(), id, in.Mode, c.operator()); err != nil {
		return nil, err
	}
	return a.headOf(c, id)
}

// headOf answers with the conversation as it is now.
func (a *API) headOf(c *call, id chat.ConversationID) (any, error) {
	item, err := a.item(c.ctx(), id)
	if err != nil {
		return nil, err
	}
	return a.conversation(item), nil
}

func (a *API) stopAnswer(c *call) (any, error) {
	id, err := c.conversation()
	if err != nil {
		return nil, err
	}
	a.Engine.Stop(id)
	return nil, nil
}

func (a *API) markRead(c *call) (any, error) {
	id, err := c.conversation()
	if err != nil {
		return nil, err
	}
	in, err := body[wire.ReadMark](c)
	if err != nil {
		return nil, err
	}
	head, err := a.Sessions.Head(c.ctx(), id)
	if err != nil || head.Unread == 0 || in.Seq < head.LastSeq {
		return nil, err // reading must not thaw what is archived
	}
	_, err = a.Sessions.Update(c.ctx(), id, func(h *chat.Conversation) {
		if in.Seq >= h.LastSeq {
			h.Unread = 0
		}
	})
	a.live.changed(id)
	return nil, err
}

func (a *API) markTyping(c *call) (any, error) {
	id, err := c.conversation()
	if err != nil {
		return nil, err
	}
	in, err := body[wire.TypingMark](c)
	if err != nil {
		return nil, err
	}
	a.Engine.OperatorTyping(id, in.On)
	return nil, nil
}

func (a *API) setBlocked(c *call) (any, error) {
	id, err := c.conversation()
	if err != nil {
		return nil, err
	}
	in, err := body[wire.BlockChange](c)
	if err != nil {
		return nil, err
	}
	if _, err := a.Sessions.Update(c.ctx(), id, func(h *chat.Conversation) { h.Blocked = in.Blocked }); err != nil {
		return nil, err
	}
	if in.Blocked {
		a.Engine.Stop(id)
		a.Host.CloseVisitor(id)
	}
	a.live.changed(id)
	return a.headOf(c, id)
}

func (a *API) archiveConversation(c *call) (any, error) {
	id, err := c.conversation()
	if err != nil {
		return nil, err
	}
	if a.Engine.Busy(id) {
		return nil, &fault{Type: wire.ProblemConflict, Title: "Busy", Status: 409, Detail: "An answer is being made.", Hint: "Wait for it, or stop it."}
	}
	if err := a.Host.Archive().Seal(c.ctx(), id); err != nil {
		return nil, err
	}
	a.live.changed(id)
	return a.headOf(c, id)
}

// getFile serves what a visitor sent, from our own address: the page may show
// pictures of no other.
func (a *API) getFile(c *call) (any, error) {
	c.done = true
	a.Files.ServeHTTP(c.w, c.r)
	return nil, nil
}

func (a *API) deleteConversation(c *call) (any, error) {
	id, err := c.conversation()
	if err != nil {
		return nil, err
	}
	if _, err := a.Sessions.Head(c.ctx(), id); err != nil {
		return nil, err
	}
	a.Engine.Stop(id)
	a.Host.CloseVisitor(id)
	if err := a.Sessions.Delete(c.ctx(), id); err != nil {
		return nil, err
	}
	a.Host.Forget(id)
	a.live.gone(id)
	return nil, nil
}
