package main

import (
	"bytes"
	"os"
	"path"
	"path/filepath"

	"godarts/scripts/campaign/device"
)

// point is a moment at which a run is disturbed: after its file call of that number, from 1.
type point struct {
	subject
	call int
	cut  int // index of cuts, for power
}

// cuts are the ways in which a power cut drops what a program had not synced.
var cuts = []device.Loss{
	{Name: "names and contents that were not synced", Durable: true},
	{Name: "contents that were not synced"},
	{Name: "half of the contents that were not synced", Torn: true},
}

// power cuts the power at a random file call of a run, which drops what was not synced. The
// run goes on, or begins again, and has to end with the same bytes. A checkpoint that was
// saved before the cut has to be there.
func power(t *trial) {
	s := t.subject()
	calls := t.fileCalls(s)
	if len(calls) == 0 {
		t.failf("strace saw no file calls of %s", s)
		return
	}
	cutAfter(t, point{s, 1 + t.IntN(len(calls)), t.IntN(len(cuts))})
}

// cutAfter cuts the power after a call and goes on with the run.
func cutAfter(t *trial, p point) {
	t.outcome = p.name
	r := t.reference(p.subject)
	if r == nil {
		return
	}
	calls, cut := t.fileCalls(p.subject), cuts[p.cut]
	t.note("# power cut after file call %d of %d (%v), without %s", p.call, len(calls), calls[p.call-1], cut.Name)
	d := device.New("tmp")
	var saves [][]byte // the checkpoints that were saved, in order
	for _, call := range calls[:p.call] {
		d.Apply(call)
		if save, ok := d.Synced(path.Join(runFolder, "checkpoint.safetensors")); ok && call.Kind == "fsync" && call.Path == runFolder {
			if n := len(saves); n == 0 || !bytes.Equal(saves[n-1], save) {
				saves = append(saves, bytes.Clone(save))
			}
		}
	}
	if err := d.AfterCut(t.dir, cut); err != nil {
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
