// Package baseline is the textbook server that the load test measures Haoke
// against: the same WebSocket library used as its examples do, with the loop in
// the HTTP handler, encoding/json both ways and strings that grow. It speaks
// enough of the visitors' protocol for the same load to run against it, keeps
// nothing on disk and checks nothing. It is never part of the appliance.
package baseline

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"nhooyr.io/websocket"
)

// Server is the textbook server. Upstream is the base URL that ends in /v1;
// empty: messages are answered by an echo.
type Server struct {
	Upstream string
	Model    string
	HTTP     *http.Client // nil: http.DefaultClient, as a textbook would
}

type frame struct {
	Type string `json:"type"`
	ID   string `json:"id,omitempty"`
	Text string `json:"text,omitempty"`
}

type turn struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

// Serve answers on l until ctx ends.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	srv := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { srv.Close() })
	defer stop()
	if err := srv.Serve(l); err != http.ErrServerClosed {
		return fmt.Errorf("serve the textbook: %w", err)
	}
	return nil
}

// ServeHTTP is one socket from upgrade to end.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true, Subprotocols: []string{"haoke.v1"}})
	if err != nil {
		return
	}
	defer ws.CloseNow()
	ctx, seq := r.Context(), 0
	var history []turn
	for {
		_, data, err := ws.Read(ctx)
		if err != nil {
			return
		}
		var f frame
		if err := json.Unmarshal(data, &f); err != nil {
			return
		}
		switch f.Type {
		case "hello":
			err = send(ctx, ws, map[string]any{"type": "welcome", "conversation": "textbook", "token": "", "seq": 0, "mode": "ai", "epoch": "", "settings": map[string]any{}})
		case "message":
			history = append(history, turn{"user", f.Text})
			var answer string
			answer, err = s.answer(ctx, ws, f, seq, history)
			history = append(history, turn{"assistant", answer})
			seq += 2
		}
		if err != nil {
			return
		}
	}
}

// answer acknowledges, streams the answer piece by piece and closes it with
// the whole text.
func (s *Server) answer(ctx context.Context, ws *websocket.Conn, f frame, seq int, history []turn) (string, error) {
	if err := send(ctx, ws, map[string]any{"type": "ack", "id": f.ID, "seq": seq + 1}); err != nil {
		return "", err
	}
	text, part := "", 0
	err := s.stream(ctx, history, func(piece string) error {
		text += piece
		err := send(ctx, ws, map[string]any{"type": "ai", "seq": seq + 2, "part": part, "data": piece})
		part++
		return err
	})
	if err != nil {
		return text, err
	}
	return text, send(ctx, ws, map[string]any{"type": "message", "seq": seq + 2, "from": "ai", "text": text, "at": time.Now(), "finish": "stop"})
}

func send(ctx context.Context, ws *websocket.Conn, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return ws.Write(ctx, websocket.MessageText, b)
}

// chunk is what a textbook reader decodes of each event.
type chunk struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	Model   string `json:"model"`
	Choices []struct {
		Index int `json:"index"`
		Delta struct {
			Role    string `json:"role"`
			Content string `json:"content"`
		} `json:"delta"`
		FinishReason *string `json:"finish_reason"`
	} `json:"choices"`
}

// stream asks the upstream and hands on each piece of the answer.
func (s *Server) stream(ctx context.Context, history []turn, emit func(string) error) error {
	if s.Upstream == "" {
		return emit(history[len(history)-1].Content)
	}
	body, err := json.Marshal(map[string]any{"model": s.Model, "stream": true, "messages": history})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.Upstream+"/chat/completions", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	client := s.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	res, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("ask the upstream: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("ask the upstream: %s", res.Status)
	}
	lines := bufio.NewScanner(res.Body)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		if data == "[DONE]" {
			break
		}
		var c chunk
		if err := json.Unmarshal([]byte(data), &c); err != nil {
			return fmt.Errorf("read the answer: %w", err)
		}
		if len(c.Choices) > 0 && c.Choices[0].Delta.Content != "" {
			if err := emit(c.Choices[0].Delta.Content); err != nil {
				return err
			}
		}
	}
	io.Copy(io.Discard, res.Body)
	return lines.Err()
}
