package images

import (
	"encoding/json"
	"fmt"

	"godarts/nas/data"
	"godarts/nas/finite"
)

// leftOut lists the images that batches left out because they could not be read, each once. The
// goroutine that takes the batches counts them, so that the list in a checkpoint depends only on its
// position.
type leftOut struct {
	Files []data.Unreadable
	known map[data.Unreadable]bool
}

// Add adds the images that the batches left out; batches may be nil.
func (l *leftOut) Add(batches ...*data.Batch) {
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
		l.Files = append(l.Files, u)
	}
}

// first returns the entry with the first file name. The list must not be empty.
func (l *leftOut) first() *data.Unreadable {
	at := &l.Files[0]
	for i := range l.Files {
		if u := &l.Files[i]; u.File < at.File {
			at = u
		}
	}
	return at
}

// None returns the error for the case that all images in what were left out.
func (l *leftOut) None(what string) error {
	if len(l.Files) == 0 {
		return fmt.Errorf("nas: there are none of %s", what)
	}
	return fmt.Errorf("nas: none of %s can be read, such as %w", what, l.first())
}

// metaLeftOut is the key of the list in a checkpoint's metadata; absent if the list is empty.
const metaLeftOut = "left_out"

// Save implements nas.Files.
func (f *Feed) Save(meta map[string]string) error {
	if len(f.Left.Files) == 0 {
		return nil
	}
	text, err := finite.Marshal(f.Left.Files)
	if err != nil {
		return fmt.Errorf("nas: checkpoint: %w", err)
	}
	meta[metaLeftOut] = string(text)
	return nil
}

// Load implements nas.Files.
func (f *Feed) Load(meta map[string]string) error {
	text, there := meta[metaLeftOut]
	if !there {
		return nil
	}
	var files []data.Unreadable
	if err := json.Unmarshal([]byte(text), &files); err != nil {
		return fmt.Errorf("images left out: %w", err)
	}
	f.Left.count(files)
	return nil
}

// None implements nas.Files.
func (f *Feed) None(what string) error { return f.Left.None(what) }

// Missing implements nas.Files.
func (f *Feed) Missing() (n int, first error) {
	if n = len(f.Left.Files); n > 0 {
		first = f.Left.first()
	}
	return n, first
}
