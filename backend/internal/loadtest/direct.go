package loadtest

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// caller makes the same calls that the server makes, without the server: what
// they take is the upstream's own time (and the load test's).
type caller struct {
	client *http.Client
	url    string
	tally  *tally
}

func newCaller(base string, tally *tally) *caller {
	return &caller{
		client: &http.Client{Transport: &http.Transport{MaxIdleConns: 2000, MaxIdleConnsPerHost: 2000, DisableCompression: true}},
		url:    base + "/chat/completions", tally: tally,
	}
}

// drive calls at rate for d, at times fixed beforehand.
func (c *caller) drive(ctx context.Context, rate float64, d time.Duration) {
	begun := time.Now()
	gap := time.Duration(float64(time.Second) / rate)
	var wg sync.WaitGroup
	for i := 0; ctx.Err() == nil; i++ {
		due := begun.Add(time.Duration(i) * gap)
		if due.Sub(begun) > d {
			break
		}
		time.Sleep(time.Until(due))
		c.tally.sent()
		wg.Go(func() {
			if err := c.call(ctx, due); err != nil {
				c.tally.fault("direct call", err.Error())
			}
		})
	}
	wg.Wait()
}

// close lets go of the connections; until then they stay warm.
func (c *caller) close() { c.client.CloseIdleConnections() }

var lineReaders = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, 8<<10) }}

// call asks one question and reads its stream to the end.
func (c *caller) call(ctx context.Context, due time.Time) error {
	mine := reply{word: wordOf(numbers.Add(1))}
	sent := time.Now()
	body := `{"model":"gpt-4o-mini","stream":true,"messages":[{"role":"system","content":"You answer the visitors of a shop, kindly and in short."},{"role":"user","content":"Where is the parcel ` + mine.word + `?"}]}`
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer bench")
	res, err := c.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("status %s", res.Status)
	}
	r := lineReaders.Get().(*bufio.Reader)
	defer lineReaders.Put(r)
	r.Reset(res.Body)
	pieces := 0
	for {
		line, err := r.ReadSlice('\n')
		if bytes.HasPrefix(line, []byte("data: ")) {
			// The first event only opens the stream.
			if pieces++; pieces == 2 {
				c.tally.began(time.Since(due))
				mine.see(began, time.Since(sent))
			} else if bytes.Contains(line, []byte(`"content":`)) {
				mine.see(went, time.Since(sent))
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
	}
	if pieces < 3 {
		return fmt.Errorf("an answer of %d events", pieces)
	}
	now := time.Now()
	c.tally.answered(now, now.Sub(due))
	mine.see(answered, now.Sub(sent))
	c.tally.pair(mine)
	return nil
}
