// Package claim divides work among processes, on one machine or on several that share a
// folder. Each piece of work has a name. The process that takes the claim to the name does
// the work.
//
// A claim is a file NAME.N. A process creates it with O_EXCL, which succeeds for only one
// process, over NFS too. The holder rewrites a byte of the file regularly. If it has not done
// so for long, others assume that it is gone, and one of them creates NAME.N+1. No file is
// ever removed or renamed. So of all processes that see that NAME.N is stale only one creates
// NAME.N+1, however late they act. A holder that was only paused finds that file and knows
// that it has lost the claim.
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

// DefaultStale is the age at which a claim is stale. An NFS client may show the time of a
// file up to a minute late.
const DefaultStale = 3 * time.Minute

// beats is how many times a holder renews its claim in the time after which it is stale.
const beats = 12

// ErrLost tells a holder that another process has taken its claim.
var ErrLost = errors.New("claim: lost to another process")

// Folder holds the claims of some work.
type Folder struct {
	Dir   string        // made if it is not there
	Stale time.Duration // 0 is DefaultStale; a claim records the value of its holder
}

// HeldError says who holds a claim that could not be taken.
type HeldError struct {
	Name   string
	Holder Holder // the zero Holder if the file does not name it yet
}

// Error names the claim and its holder.
func (e *HeldError) Error() string { return fmt.Sprintf("claim: %s is held by %v", e.Name, e.Holder) }

// Claim is a claim that this process holds until Release. Its methods are safe for concurrent
// use.
type Claim struct {
	folder Folder
	name   string
	number int
	holder Holder
	file   *os.File
	end    int64 // of the first line of the file

	mu       sync.Mutex
	renewed  time.Time
	err      error // why this process does not hold the claim any more
	stop     chan struct{}
	stopping sync.Once
	beating  sync.WaitGroup
}

// Take takes the claim to name, a word without dots and slashes. If another process holds the
// claim, or takes it at the same moment, the error is a *HeldError.
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

// begin writes the holder to the file and starts to renew the claim.
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
				_ = c.renew() // Check returns the error, or tries again
			}
		}
	})
	return nil
}

// renew renews the claim, unless it is lost.
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
	// The server of a shared folder sets the time of a write. So the clocks of clients do not matter.
	if _, err := c.file.WriteAt([]byte("\n"), c.end); err != nil {
		return fmt.Errorf("claim: %w", err)
	}
	if err := c.file.Sync(); err != nil {
		return fmt.Errorf("claim: %w", err)
	}
	c.renewed = time.Now()
	return nil
}

// Check returns an error if this process does not hold the claim any more, ErrLost if another
// process has taken it. It is cheap unless the claim was not renewed in time. Then this
// process may have been paused, and Check renews the claim before the caller goes on.
func (c *Claim) Check() error {
	c.mu.Lock()
	// Wall time, since the monotonic clock stands still while the machine sleeps.
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

// released is the second line of a released claim.
const released = "released\n"

// Release releases the claim. Any process can take it at once.
func (c *Claim) Release() error {
	c.stopping.Do(func() { close(c.stop) })
	c.beating.Wait()
	defer c.file.Close()
	if _, err := c.file.WriteAt([]byte("\n"+released), c.end); err != nil {
		return fmt.Errorf("claim: %w", err)
	}
	return nil
}

// path returns the file of a claim.
func (f Folder) path(name string, number int) string {
	return filepath.Join(f.Dir, name+"."+strconv.Itoa(number))
}

// last returns the number of the latest claim to name, 0 if there was none.
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

// state is the content of a claim's file.
type state struct {
	holder   Holder
	released bool
	renewed  time.Time // by the clock of the file server
}

// read reads a claim. A claim whose process has not written to it yet has the zero Holder.
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

// nameless is the age at which a claim that does not name its holder is stale: a process writes
// its name right after it has made the file.
const nameless = 5 * time.Second

// free returns a *HeldError unless the claim was released or its holder is gone.
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
	if s.holder.PID == 0 { // its process has ended between two calls, or has not written yet
		stale = min(stale, nameless)
	} else if own := s.holder.StaleSeconds; own > 0 {
		stale = time.Duration(own * float64(time.Second))
	}
	if now.Sub(s.renewed) < stale {
		return &HeldError{name, s.holder}
	}
	return nil
}

// now returns the time by the clock that dates the files of the folder.
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
