package device

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Loss says what of a device is lost.
type Loss struct {
	Name    string
	Durable bool // names are left only where their folder was synced after; else all names
	Torn    bool // half of what a file gained since its last sync is left
	None    bool // everything is left, as after a kill
}

// node is a file or a folder of a device.
type node struct {
	folder          bool
	content, synced []byte
	entries         map[string]*node // of a folder, as programs see them
	durable         map[string]*node // of a folder, as of its last sync
}

// Device is a file system that remembers what was synced.
type Device struct{ root *node }

func newFolder() *node {
	return &node{folder: true, entries: map[string]*node{}, durable: map[string]*node{}}
}

// New returns a device with the empty folders of these names.
func New(folders ...string) *Device {
	d := &Device{newFolder()}
	for _, name := range folders {
		d.root.entries[name] = newFolder()
	}
	return d
}

// Synced returns the content of a file as of its last sync. ok tells whether the file is
// there.
func (d *Device) Synced(name string) (content []byte, ok bool) {
	n, err := d.lookup(name)
	if err != nil {
		return nil, false
	}
	return n.synced, true
}

var errNoEntry = errors.New("no such file")

// lookup finds what is at a path below the root.
func (d *Device) lookup(name string) (*node, error) {
	n := d.root
	for part := range strings.SplitSeq(path.Clean(name), "/") {
		if part == "." {
			continue
		}
		if n.entries[part] == nil {
			return nil, fmt.Errorf("%s: %w", name, errNoEntry)
		}
		n = n.entries[part]
	}
	return n, nil
}

// parent finds the folder of a path.
func (d *Device) parent(name string) (folder *node, base string) {
	folder, err := d.lookup(path.Dir(name))
	if err != nil {
		folder = newFolder() // the trace shows that the call succeeded, so the folder is not of this device
	}
	return folder, path.Base(name)
}

// Apply does what a call does. It ignores calls on files that are not there: they lie outside
// the device.
func (d *Device) Apply(c Call) {
	folder, base := d.parent(c.Path)
	n, err := d.lookup(c.Path)
	switch c.Kind {
	case "open":
		if err != nil {
			n = &node{}
			folder.entries[base] = n
		}
		if c.truncate {
			n.content = nil
		}
	case "mkdir":
		folder.entries[base] = newFolder()
	case "unlink":
		delete(folder.entries, base)
	case "rename", "link":
		if err != nil {
			return
		}
		to, name := d.parent(c.to)
		to.entries[name] = n
		if c.Kind == "rename" {
			delete(folder.entries, base)
		}
	}
	if err != nil {
		return
	}
	switch c.Kind {
	case "write":
		from := len(n.content)
		if c.offset >= 0 {
			from = c.offset
		}
		if end := from + len(c.data); end > len(n.content) {
			n.content = append(bytes.Clone(n.content), make([]byte, end-len(n.content))...)
		} else {
			n.content = bytes.Clone(n.content)
		}
		copy(n.content[from:], c.data)
	case "truncate":
		n.content = append(bytes.Clone(n.content), make([]byte, max(0, c.offset-len(n.content)))...)[:c.offset]
	case "fsync":
		n.synced = n.content
		if n.folder {
			n.durable = map[string]*node{}
			for name, entry := range n.entries {
				n.durable[name] = entry
			}
		}
	}
}

// AfterCut writes what is left after a loss to a folder.
func (d *Device) AfterCut(dir string, l Loss) error { return d.root.leave(dir, l) }

// leave writes what is left of n.
func (n *node) leave(to string, l Loss) error {
	if !n.folder {
		return os.WriteFile(to, n.left(l), 0o644)
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	for name, entry := range n.kept(l) {
		if err := entry.leave(filepath.Join(to, name), l); err != nil {
			return err
		}
	}
	return nil
}

// left returns what is left of a file.
func (n *node) left(l Loss) []byte {
	switch {
	case l.None:
		return n.content
	case l.Torn && bytes.HasPrefix(n.content, n.synced):
		return n.content[:(len(n.synced)+len(n.content))/2]
	}
	return n.synced
}

// kept returns the names that are left in a folder.
func (n *node) kept(l Loss) map[string]*node {
	if l.Durable {
		return n.durable
	}
	return n.entries
}

// Sum is a hash of everything that is left after a loss.
func (d *Device) Sum(l Loss) [sha256.Size]byte { return d.root.sum(l) }

func (n *node) sum(l Loss) [sha256.Size]byte {
	if !n.folder {
		return sha256.Sum256(append([]byte("file "), n.left(l)...))
	}
	text := []byte("folder ")
	entries := n.kept(l)
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		text = fmt.Appendf(text, "%q %x ", name, entries[name].sum(l))
	}
	return sha256.Sum256(text)
}
