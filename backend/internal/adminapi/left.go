package adminapi

import (
	"strconv"

	"haoke/backend/internal/sqlite"
	"haoke/backend/internal/wire"
)

func (a *API) leftHandlers() map[string]func(*call) (any, error) {
	return map[string]func(*call) (any, error){
		"listLeftMessages":  a.listLeftMessages,
		"changeLeftMessage": a.changeLeftMessage,
		"deleteLeftMessage": a.deleteLeftMessage,
	}
}

func leftMessage(m sqlite.LeftMessage) wire.LeftMessage {
	return wire.LeftMessage{ID: m.ID, At: m.At, Name: m.Name, Email: m.Email, Text: m.Text, PageURL: m.PageURL, Done: m.Done}
}

// number reads a cursor of a list that goes by a number; "" is 0.
func number64(cursor string) (int64, error) {
	if cursor == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(cursor, 10, 64)
	if err != nil || n <= 0 {
		return 0, invalid("cursor", "This cursor is not one of ours.", "Start again without one.")
	}
	return n, nil
}

func (a *API) listLeftMessages(c *call) (any, error) {
	q, err := query[wire.LeftMessageQuery](c)
	if err != nil {
		return nil, err
	}
	before, err := number64(q.Cursor)
	if err != nil {
		return nil, err
	}
	most := limit(q.Limit, 50, 200)
	rows, err := a.DB.Inbox().List(c.ctx(), q.Done, before, most)
	if err != nil {
		return nil, err
	}
	out := wire.LeftMessageList{Items: []wire.LeftMessage{}}
	for _, m := range rows {
		out.Items = append(out.Items, leftMessage(m))
	}
	if len(rows) == most {
		out.Next = strconv.FormatInt(rows[most-1].ID, 10)
	}
	return out, nil
}

func (a *API) changeLeftMessage(c *call) (any, error) {
	id, err := c.number("id")
	if err != nil {
		return nil, err
	}
	in, err := body[wire.LeftMessagePatch](c)
	if err != nil {
		return nil, err
	}
	inbox := a.DB.Inbox()
	if err := inbox.SetDone(c.ctx(), id, in.Done); err != nil {
		return nil, err
	}
	rows, err := inbox.List(c.ctx(), in.Done, id+1, 1)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 || rows[0].ID != id {
		return nil, sqlite.ErrNoRow // deleted meanwhile
	}
	return leftMessage(rows[0]), nil
}

func (a *API) deleteLeftMessage(c *call) (any, error) {
	id, err := c.number("id")
	if err != nil {
		return nil, err
	}
	return nil, a.DB.Inbox().Delete(c.ctx(), id)
}
