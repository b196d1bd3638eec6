package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// loss is what a run loses at its end.
type loss struct {
	name    string
	durable bool // only names that a sync of their folder wrote are there; else all names
	torn    bool // half of what a file gained since its last sync is there
	none    bool // all is there, as after a kill
}

// cuts are the ways in which a power cut drops what a program had not synced.
var cuts = []loss{
	{name: "names and contents that were not synced", durable: true},
	{name: "contents that were not synced"},
	{name: "half of the contents that were not synced", torn: true},
}

// power cuts the power at a random file call of a run: what was not synced by then is gone.
// The run goes on, or begins again, and ends with the same bytes; a checkpoint that was saved
// before is still there.
func power(t *trial) {
	s := t.subject()
	calls := t.fileCalls(s)
	if len(calls) == 0 {
		t.failf("strace saw no file calls of %s", s)
		return
	}
	cutAfter(t, point{s, 1 + t.IntN(len(calls)), t.IntN(len(cuts))})
}

// cutAfter cuts the power after a call, and goes on with the run.
func cutAfter(t *trial, p point) {
	t.outcome = p.name
	r := t.reference(p.subject)
	if r == nil {
		return
	}
	calls, cut := t.fileCalls(p.subject), cuts[p.cut]
	t.note("# power cut after file call %d of %d (%v), without %s", p.call, len(calls), calls[p.call-1], cut.name)
	d := newDevice()
	var saves [][]byte // checkpoints in the order in which they were saved whole
	for _, call := range calls[:p.call] {
		d.apply(call)
		if save, err := d.lookup(path.Join(runFolder, "checkpoint.safetensors")); err == nil && call.kind == "fsync" && call.path == runFolder {
			if n := len(saves); n == 0 || !bytes.Equal(saves[n-1], save.synced) {
				saves = append(saves, bytes.Clone(save.synced))
			}
		}
	}
	if err := d.afterCut(t.dir, cut); err != nil {
		t.failf("%v", err)
		return
	}
	if n := len(saves); n > 0 {
		got, err := os.ReadFile(filepath.Join(t.dir, runFolder, "checkpoint.safetensors"))
		if err != nil {
			got, err = os.ReadFile(filepath.Join(t.dir, runFolder, "checkpoint.previous.safetensors"))
		}
		for _, old := range saves[:n-1] {
			if bytes.Equal(got, old) {
				t.failf("the checkpoint is an older one than was saved last")
			}
		}
		if err != nil {
			t.failf("the saved checkpoint is gone: %v", err)
		}
	}
	if t.finish(p.subject) {
		t.equal(r)
	}
}

// node is a file or a folder of a device.
type node struct {
	folder          bool
	content, synced []byte
	entries         map[string]*node // of a folder, as programs see them
	durable         map[string]*node // of a folder, as the device has them
}

// device is a file system that remembers what was synced.
type device struct{ root *node }

func newFolder() *node {
	return &node{folder: true, entries: map[string]*node{}, durable: map[string]*node{}}
}

// newDevice is a device on which the folder of temporary files is there.
func newDevice() *device {
	d := &device{newFolder()}
	d.root.entries["tmp"] = newFolder()
	return d
}

var errNoEntry = errors.New("no such file")

// lookup finds what is at a path below the root.
func (d *device) lookup(name string) (*node, error) {
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
func (d *device) parent(name string) (folder *node, base string) {
	folder, err := d.lookup(path.Dir(name))
	if err != nil {
		folder = newFolder() // of a call that the trace shows to have worked: it is not of this device
	}
	return folder, path.Base(name)
}

// apply does what a file call does. Calls on what is not there are of files outside.
func (d *device) apply(c fileCall) {
	folder, base := d.parent(c.path)
	n, err := d.lookup(c.path)
	switch c.kind {
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
		if c.kind == "rename" {
			delete(folder.entries, base)
		}
	}
	if err != nil {
		return
	}
	switch c.kind {
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

// afterCut writes what a power cut leaves into a folder.
func (d *device) afterCut(dir string, l loss) error { return d.root.leave(dir, l) }

func (n *node) leave(to string, l loss) error {
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

// left is what is left of a file.
func (n *node) left(l loss) []byte {
	switch {
	case l.none:
		return n.content
	case l.torn && bytes.HasPrefix(n.content, n.synced):
		return n.content[:(len(n.synced)+len(n.content))/2]
	}
	return n.synced
}

// kept are the names that are left in a folder.
func (n *node) kept(l loss) map[string]*node {
	if l.durable {
		return n.durable
	}
	return n.entries
}
