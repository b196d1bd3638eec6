// Package notify tells a web address how runs end. It neither holds a run up nor lets it fail: messages
// go their way beside the run, and what does not arrive is reported at its end.
package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"sync"
	"time"

	"godarts/nas/finite"
)

// limit is the time in which a message has to arrive.
const limit = 5 * time.Second

// Message is what is posted, as JSON.
type Message struct {
	Command string    `json:"command"` // search, train, repeat, compare or sweep
	Run     string    `json:"run"`     // folder
	State   string    `json:"state"`   // done, diverged, interrupted or failed
	Figure  *Figure   `json:"figure,omitempty"`
	Epoch   int       `json:"epoch,omitempty"` // epochs done
	Epochs  int       `json:"epochs,omitempty"`
	Error   string    `json:"error,omitempty"`
	Time    time.Time `json:"time"`
	Host    string    `json:"host,omitempty"`
}

// Figure is the best figure of a run.
type Figure struct {
	Name    string  `json:"name"`
	Value   float64 `json:"value"`
	Percent bool    `json:"percent,omitempty"`
}

// Sender posts messages to an address. A nil Sender posts none.
type Sender struct {
	address string
	client  *http.Client
	limit   time.Duration

	posts sync.WaitGroup
	mu    sync.Mutex
	lost  error // of the last message that did not arrive
}

// New returns a sender to an address, which has to begin with http:// or https://. Errors do not show the
// address, since it may hold a secret.
func New(address string) (*Sender, error) {
	at, err := url.Parse(address)
	if err != nil || at.Scheme != "http" && at.Scheme != "https" || at.Host == "" {
		return nil, errors.New("notify: want an address such as https://HOST/PATH")
	}
	return &Sender{address: address, limit: limit, client: &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // it would follow without the message
	}}, nil
}

// Post sends a message, with the time and the host, and does not wait for it.
func (s *Sender) Post(m Message) {
	if s == nil {
		return
	}
	m.Time = time.Now().UTC().Truncate(time.Second)
	m.Host, _ = os.Hostname() // a machine may have none
	s.posts.Go(func() {
		if err := s.post(m); err != nil {
			s.mu.Lock()
			s.lost = err
			s.mu.Unlock()
		}
	})
}

func (s *Sender) post(m Message) error {
	text, err := finite.Marshal(m)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.limit)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.address, bytes.NewReader(text))
	if err != nil {
		return errors.New("the address is wrong")
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := s.client.Do(request)
	var at *url.Error
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("no answer within %v", s.limit)
	case errors.As(err, &at):
		return at.Err // without the address
	case err != nil:
		return err
	}
	defer answer.Body.Close()
	_, _ = io.CopyN(io.Discard, answer.Body, 1<<10) // so that the other end can finish
	if answer.StatusCode < 200 || answer.StatusCode > 299 {
		return fmt.Errorf("the answer is %s", answer.Status)
	}
	return nil
}

// Wait waits until all messages have arrived or have been given up. The error says why one did not arrive.
func (s *Sender) Wait() error {
	if s == nil {
		return nil
	}
	s.posts.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lost == nil {
		return nil
	}
	return fmt.Errorf("notify: the message did not arrive: %w", s.lost)
}
