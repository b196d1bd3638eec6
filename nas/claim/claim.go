// Package claim shares work out among processes, of one machine or of several that share a
// folder: each piece of work has a name, and whoever takes its claim does it.
//
// A claim is a file NAME.N that is created with O_EXCL, which one process alone can do, over
// NFS too. Its holder rewrites a byte of it again and again; a holder that has not for long is
// taken to be gone, and the next one creates NAME.N+1. No file is ever removed or renamed:
// however many see that NAME.N is stale, and however late they act on it, one of them creates
// NAME.N+1. A holder that was only paused finds that file and knows that it has lost.
package claim

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"godarts/nas/finite"
	"godarts/nas/wholefile"
)

// DefaultStale is the age at which a claim counts as left behind. NFS clients may show a
// file's time up to a minute late.
const DefaultStale = 3 * time.Minute

// beats is the number of times that a claim is renewed before it would be stale.
const beats = 12

// ErrLost ends the work of a holder that another process has taken for gone.
var ErrLost = errors.New("claim: lost to another process")

// Folder holds the claims of some work.
type Folder struct {
	Dir   string        // is made if it is not there
	Stale time.Duration // 0 is DefaultStale; each claim carries that of its holder
}

// HeldError says who holds a claim that could not be taken.
type HeldError struct {
	Name   string
	Holder Holder // the zero Holder if its file does not say yet
}

func (e *HeldError) Error() string { return fmt.Sprintf("claim: %s is held by %v", e.Name, e.Holder) }

// Claim is held until Release. Its methods are safe for concurrent use.
type Claim struct {
	folder Folder
	name   string
	number int
	holder Holder
	file   *os.File
	end    int64 // of the line that the file begins with

	mu       sync.Mutex
	renewed  time.Time
	err      error // why the claim is held no more
	stop     chan struct{}
	stopping sync.Once
	beating  sync.WaitGroup
}

// Take takes the claim to name, a word without dots and slashes. The error is a *HeldError if
// another process holds it, or took it at the same moment.
func (f Folder) Take(name string) (*Claim, error) {
	if f.Stale == 0 {
		f.Stale = DefaultStale
	}
	if strings.ContainsAny(name, "./") || name == "" {
		return nil, fmt.Errorf("claim: name %q: want a word without dots and slashes", name)
	}
	if err := os.MkdirAll(f.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("claim: %w", err)
	}
	last, err := f.last(name)
	if err != nil {
		return nil, err
	}
	if last > 0 {
		if err := f.free(name, last); err != nil {
			return nil, err
		}
	}
	c := &Claim{folder: f, name: name, number: last + 1, holder: self(f.Stale), stop: make(chan struct{})}
	c.file, err = os.OpenFile(f.path(name, c.number), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o644)
	if errors.Is(err, fs.ErrExist) {
		s, err := f.read(name, c.number)
		if err != nil {
			return nil, err
		}
		return nil, &HeldError{name, s.holder}
	}
	if err != nil {
		return nil, fmt.Errorf("claim: %w", err)
	}
	if err := c.begin(); err != nil {
		c.file.Close()
		return nil, err
	}
	return c, nil
}

// begin says in the file who holds the claim and keeps it from getting stale.
func (c *Claim) begin() error {
	line, err := finite.Marshal(c.holder)
	if err != nil {
		return fmt.Errorf("claim: %w", err)
	}
	c.end = int64(len(line))
	if _, err := c.file.WriteAt(line, 0); err != nil {
		return fmt.Errorf("claim: %w", err)
	}
	if err := c.renew(); err != nil {
		return err
	}
	c.beating.Go(func() {
		beat := time.NewTicker(c.folder.Stale / beats)
		defer beat.Stop()
		for {
			select {
			case <-c.stop:
				return
			case <-beat.C:
				_ = c.renew() // Check tells, or tries again
			}
		}
	})
	return nil
}

// renew makes the claim's file new, if the claim is not lost.
func (c *Claim) renew() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return c.err
	}
	if _, err := os.Stat(c.folder.path(c.name, c.number+1)); err == nil {
		c.err = ErrLost
		return c.err
	}
	own, err := c.file.Stat()
	if err != nil {
		return fmt.Errorf("claim: %w", err)
	}
	named, err := os.Stat(c.folder.path(c.name, c.number))
	if errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(own, named) {
		c.err = fmt.Errorf("claim: %s was removed", c.folder.path(c.name, c.number))
		return c.err
	}
	// The server of a shared folder sets the time of a write: no clock of a client counts.
	if _, err := c.file.WriteAt([]byte("\n"), c.end); err != nil {
		return fmt.Errorf("claim: %w", err)
	}
	if err := c.file.Sync(); err != nil {
		return fmt.Errorf("claim: %w", err)
	}
	c.renewed = time.Now()
	return nil
}

// Check is an error if the claim is held no more, ErrLost if another process has taken it.
// It costs next to nothing, unless the claim was not renewed in time: this process may have
// been paused, and Check looks and renews it before anything else is done.
func (c *Claim) Check() error {
	c.mu.Lock()
	// Wall time: the other clock stands still while the machine sleeps.
	since, err := time.Now().Round(0).Sub(c.renewed.Round(0)), c.err
	c.mu.Unlock()
	if err != nil {
		return err
	}
	if since.Abs() < c.folder.Stale/3 {
		return nil
	}
	return c.renew()
}

// released is the second line of a claim that was given back.
const released = "released\n"

// Release gives the claim back: any process can take it at once.
func (c *Claim) Release() error {
	c.stopping.Do(func() { close(c.stop) })
	c.beating.Wait()
	defer c.file.Close()
	if _, err := c.file.WriteAt([]byte("\n"+released), c.end); err != nil {
		return fmt.Errorf("claim: %w", err)
	}
	return nil
}

func (f Folder) path(name string, number int) string {
	return filepath.Join(f.Dir, name+"."+strconv.Itoa(number))
}

// last is the number of the latest claim to name, 0 if there was none.
func (f Folder) last(name string) (int, error) {
	entries, err := os.ReadDir(f.Dir)
	if err != nil {
		return 0, fmt.Errorf("claim: %w", err)
	}
	last := 0
	for _, e := range entries {
		if text, ok := strings.CutPrefix(e.Name(), name+"."); ok {
			if n, err := strconv.Atoi(text); err == nil {
				last = max(last, n)
			}
		}
	}
	return last, nil
}

// state is what a claim's file says.
type state struct {
	holder   Holder
	released bool
	renewed  time.Time // by the file server's clock
}

// read reads a claim. One that is just being written has the zero Holder.
func (f Folder) read(name string, number int) (s state, err error) {
	file := f.path(name, number)
	text, err := wholefile.Read(file) // opening makes an NFS client ask the server for the time
	if err != nil {
		return s, fmt.Errorf("claim: %w", err)
	}
	info, err := os.Stat(file)
	if err != nil {
		return s, fmt.Errorf("claim: %w", err)
	}
	s.renewed = info.ModTime()
	line, rest, _ := strings.Cut(string(text), "\n")
	s.released = rest == released
	if json.Unmarshal([]byte(line), &s.holder) != nil {
		s.holder = Holder{}
	}
	return s, nil
}

// nameless is the age at which a claim that does not say who holds it is taken for left behind: a process
// writes that right after it has made the file.
const nameless = 5 * time.Second

// free is a *HeldError unless the claim was given back, or its holder is gone.
func (f Folder) free(name string, number int) error {
	s, err := f.read(name, number)
	if err != nil {
		return err
	}
	if s.released || s.holder.dead() {
		return nil
	}
	now, err := f.now()
	if err != nil {
		return err
	}
	stale := f.Stale
	if s.holder.PID == 0 { // its process ended between two calls, or has yet to write
		stale = min(stale, nameless)
	} else if own := s.holder.StaleSeconds; own > 0 {
		stale = time.Duration(own * float64(time.Second))
	}
	if now.Sub(s.renewed) < stale {
		return &HeldError{name, s.holder}
	}
	return nil
}

// now is the time by the clock that files of the folder get theirs from.
func (f Folder) now() (time.Time, error) {
	if err := wholefile.RemoveStale(f.Dir, ".clock-*"); err != nil {
		return time.Time{}, fmt.Errorf("claim: %w", err)
	}
	probe, err := os.CreateTemp(f.Dir, ".clock-*")
	if err != nil {
		return time.Time{}, fmt.Errorf("claim: %w", err)
	}
	defer os.Remove(probe.Name())
	_, err = probe.WriteString("\n")
	if err := errors.Join(err, probe.Close()); err != nil {
		return time.Time{}, fmt.Errorf("claim: %w", err)
	}
	info, err := os.Stat(probe.Name())
	if err != nil {
		return time.Time{}, fmt.Errorf("claim: %w", err)
	}
	return info.ModTime(), nil
}
