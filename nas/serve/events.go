package serve

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"godarts/nas/finite"
)

// heartbeat is the time between two signs of life: without one a client that is gone would stay unnoticed.
const heartbeat = 15 * time.Second

// stream writes server-sent events.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	limit   time.Duration // in which the client has to take an event
}

// newStream begins the events of a response.
func (s *site) newStream(w http.ResponseWriter) (*stream, error) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	out := &stream{w: w, control: http.NewResponseController(w), limit: s.writeTime}
	if err := out.control.SetReadDeadline(time.Time{}); err != nil { // the request is there; the answer has no end
		return nil, err
	}
	return out, out.write("retry: 1000\n\n")
}

// send sends an event with v as JSON.
func (o *stream) send(event string, id uint64, v any) error {
	data, err := finite.Marshal(v)
	if err != nil {
		return err
	}
	return o.write(fmt.Sprintf("event: %s\nid: %d\ndata: %s\n\n", event, id, data))
}

func (o *stream) write(text string) error {
	if err := o.control.SetWriteDeadline(time.Now().Add(o.limit)); err != nil {
		return err
	}
	if _, err := o.w.Write([]byte(text)); err != nil {
		return err
	}
	return o.control.Flush()
}

// follow calls update at once and after each look at the files, until it fails or the client is gone.
func (s *site) follow(w http.ResponseWriter, r *http.Request, name string, update func(*stream) error) {
	if r.Method == http.MethodHead {
		w.Header().Set("Content-Type", "text/event-stream")
		return
	}
	out, err := s.newStream(w)
	if err != nil {
		return
	}
	v := s.watch.join(name)
	defer s.watch.leave(v)
	beats := time.NewTicker(heartbeat)
	defer beats.Stop()
	for {
		if update(out) != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-v.wake:
		case <-beats.C:
			if out.write(": \n\n") != nil {
				return
			}
		}
	}
}

// since returns the version that the client has: of the page, or of the last event before it lost the
// connection.
func since(r *http.Request) uint64 {
	for _, text := range []string{r.Header.Get("Last-Event-ID"), r.URL.Query().Get("since")} {
		if n, err := strconv.ParseUint(text, 10, 64); err == nil {
			return n
		}
	}
	return 0
}

// rowEvent is a row of the list, of a new run or in place of the one of the same id.
type rowEvent struct {
	ID   string `json:"id"`
	HTML string `json:"html"`
}

// listEvents sends the rows of the list that change.
func (s *site) listEvents(w http.ResponseWriter, r *http.Request) {
	seen := since(r)
	s.follow(w, r, "", func(out *stream) error {
		runs, version, removed := s.index.list(seen)
		if version < seen { // this server is another than that of the page
			removed = true
		}
		if removed {
			seen = version
			return out.send("reload", version, nil)
		}
		for i := len(runs) - 1; i >= 0; i-- { // the client puts new ones first
			html, err := s.render("row", s.row(&runs[i]))
			if err == nil {
				err = out.send("row", version, rowEvent{ID: rowID(runs[i].Name), HTML: string(html)})
			}
			if err != nil {
				return err
			}
		}
		seen = version
		return nil
	})
}

// runEvents sends the live part of a run's page whenever it changes, and a sign when the rest does.
func (s *site) runEvents(w http.ResponseWriter, r *http.Request) {
	l, ok := s.named(w, r)
	if !ok {
		return
	}
	name := l.Name
	key, last := r.URL.Query().Get("key"), ""
	s.follow(w, r, name, func(out *stream) error {
		l, err := s.index.find(name)
		if err != nil {
			return out.send("reload", 0, nil)
		}
		html, err := s.render("live", s.live(&l))
		if err != nil {
			return err
		}
		if text := string(html); text != last {
			if err := out.send("live", l.Version, text); err != nil {
				return err
			}
			last = text
		}
		if now := s.index.key(name); now != key {
			key = now
			return out.send("epoch", l.Version, key)
		}
		return nil
	})
}
