package notify

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestArrives(t *testing.T) {
	// The server gets the message as JSON, with time and host, when it answers.
	got := make(chan []byte, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s, %v", r.Method, r.Header)
		}
		got <- text
	}))
	defer server.Close()
	s, err := New(server.URL + "/hook?key=secret")
	if err != nil {
		t.Fatal(err)
	}
	s.Post(Message{Command: "search", Run: "runs/a", State: "done", Figure: &Figure{Name: "validation error", Value: 2.5, Percent: true}, Epoch: 3, Epochs: 3})
	if err := s.Wait(); err != nil {
		t.Fatal(err)
	}
	var m Message
	text := <-got
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	if m.Run != "runs/a" || m.Figure.Value != 2.5 || time.Since(m.Time) > time.Minute || m.Host == "" {
		t.Errorf("%s", text)
	}
}

func TestLost(t *testing.T) {
	// Wait says after the limit why a message did not arrive, without the address.
	stop := make(chan struct{})
	hangs := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-stop }))
	defer hangs.Close()
	defer close(stop)
	answers := func(status int) string {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
		}))
		t.Cleanup(server.Close)
		return server.URL
	}
	mute, err := net.Listen("tcp", "127.0.0.1:0") // accepts, and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	for _, test := range []struct{ name, address, want string }{
		{"hangs", hangs.URL, "no answer within 300ms"},
		{"mute", "http://" + mute.Addr().String(), "no answer within 300ms"},
		{"refuses", "http://" + closed.Addr().String(), "connection refused"},
		{"fails", answers(500), "the answer is 500 Internal Server Error"},
		{"elsewhere", answers(302), "the answer is 302 Found"},
		{"unknown", "http://no-such-host.invalid", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, err := New(test.address + "/secret")
			if err != nil {
				t.Fatal(err)
			}
			s.limit = 300 * time.Millisecond
			for range 10 {
				s.Post(Message{State: "done"})
			}
			err = s.Wait()
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}

func TestPostDoesNotWait(t *testing.T) {
	// Post returns while the other end has not yet answered, however long the limit is.
	answer := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-answer }))
	defer server.Close()
	s, err := New(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	s.limit = time.Hour
	for range 10 {
		s.Post(Message{State: "done"})
	}
	close(answer)
	if err := s.Wait(); err != nil {
		t.Error(err)
	}
}

func TestAddresses(t *testing.T) {
	// New refuses what is no address of the web, and does not repeat it.
	for _, address := range []string{"", "secret", "ftp://host/secret", "http://", "http:///secret", "https:secret", "file:///secret", "http://a b/secret", "://secret"} {
		if _, err := New(address); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", address, err)
		}
	}
	var none *Sender
	none.Post(Message{})
	if err := none.Wait(); err != nil {
		t.Error(err)
	}
}
