package nas

import (
	"encoding/json"
	"fmt"

	"godarts/nas/data"
	"godarts/nas/finite"
)

// leftOut are the images that batches lacked because they could not be read, each once.
// The goroutine that takes the batches counts them, so that what a checkpoint holds of
// them hangs on its position alone.
type leftOut struct {
	files []data.Unreadable
	known map[data.Unreadable]bool
}

// add counts what the batches lack; nil is no batch.
func (l *leftOut) add(batches ...*data.Batch) {
	for _, b := range batches {
		if b != nil {
			l.count(b.LeftOut)
		}
	}
}

func (l *leftOut) count(files []data.Unreadable) {
	for _, u := range files {
		key := data.Unreadable{File: u.File}
		if u.File == "" {
			key.Why = u.Why
		}
		if l.known[key] {
			continue
		}
		if l.known == nil {
			l.known = map[data.Unreadable]bool{}
		}
		l.known[key] = true
		l.files = append(l.files, u)
	}
}

// first is the one whose file comes first; there has to be one.
func (l *leftOut) first() *data.Unreadable {
	at := &l.files[0]
	for i := range l.files {
		if u := &l.files[i]; u.File < at.File {
			at = u
		}
	}
	return at
}

// none is the error where all of what were left out.
func (l *leftOut) none(what string) error {
	if len(l.files) == 0 {
		return fmt.Errorf("nas: there are none of %s", what)
	}
	return fmt.Errorf("nas: none of %s can be read, such as %w", what, l.first())
}

// metaLeftOut is the key of a checkpoint's metadata for them, absent where there are none.
const metaLeftOut = "left_out"

// saveLeftOut puts in meta what the run's images have left out so far.
func (r *Run) saveLeftOut(meta map[string]string) error {
	feed, ok := r.feed.(*imageFeed)
	if !ok || len(feed.left.files) == 0 {
		return nil
	}
	text, err := finite.Marshal(feed.left.files)
	if err != nil {
		return fmt.Errorf("nas: checkpoint: %w", err)
	}
	meta[metaLeftOut] = string(text)
	return nil
}

// loadLeftOut takes that from meta.
func (r *Run) loadLeftOut(meta map[string]string) error {
	feed, ok := r.feed.(*imageFeed)
	text, there := meta[metaLeftOut]
	if !ok || !there {
		return nil
	}
	var files []data.Unreadable
	if err := json.Unmarshal([]byte(text), &files); err != nil {
		return fmt.Errorf("images left out: %w", err)
	}
	feed.left.count(files)
	return nil
}
