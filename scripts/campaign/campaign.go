package main

import (
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"godarts/scripts/campaign/device"
)

// campaign is the state that the parts share.
type campaign struct {
	darts  string // absolute
	seed   uint64
	dir    string // holds all files of the campaign; kept if something was found
	out    io.Writer
	failed bool
	every  bool // try every point, not random ones

	subjects   []subject
	references map[string]*reference    // by the subject's name
	calls      map[string][]device.Call // of the undisturbed run, by the subject's name
}

// newCampaign writes the configs of the subjects to a new folder.
func newCampaign(darts string, seed uint64, out io.Writer) (c *campaign, err error) {
	c = &campaign{seed: seed, out: out, references: map[string]*reference{}, calls: map[string][]device.Call{}}
	if c.darts, err = filepath.Abs(darts); err != nil {
		return nil, err
	}
	if _, err := os.Stat(c.darts); err != nil {
		return nil, fmt.Errorf("%w: build it, or name it by --darts", err)
	}
	if c.dir, err = os.MkdirTemp("", "attack-"); err != nil {
		return nil, err
	}
	if c.subjects, err = writeSubjects(filepath.Join(c.dir, "configs"), subjectConfigs); err != nil {
		return nil, err
	}
	return c, nil
}

// close removes the folder, unless something was found.
func (c *campaign) close() {
	if c.failed {
		fmt.Fprintf(c.out, "attack: kept for a look: %s\n", c.dir)
		return
	}
	os.RemoveAll(c.dir)
}

// trial is one attack.
type trial struct {
	*campaign
	*rand.Rand
	part    string
	n       int
	dir     string        // of its own
	left    time.Duration // its share of the time, for attacks of any length
	outcome string        // for the tally
	steps   []string      // what the trial did, as lines for a shell
	wrong   []string      // what it found
	running []*process
}

// newTrial makes the trial with that number, which decides its draws, and its folder.
func (c *campaign) newTrial(part string, n int) *trial {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s:%d", part, n)
	t := &trial{campaign: c, Rand: rand.New(rand.NewPCG(c.seed, h.Sum64())), part: part, n: n, dir: filepath.Join(c.dir, fmt.Sprintf("%s-%d", part, n))}
	if err := os.MkdirAll(filepath.Join(t.dir, "tmp"), 0o755); err != nil {
		t.failf("%v", err)
	}
	return t
}

// note adds a step.
func (t *trial) note(format string, args ...any) {
	t.steps = append(t.steps, fmt.Sprintf(format, args...))
}

// failf adds a finding.
func (t *trial) failf(format string, args ...any) {
	t.wrong = append(t.wrong, fmt.Sprintf(format, args...))
}

// end prints the findings. If there are none it removes the folder of the trial.
func (t *trial) end() (ok bool) {
	for _, p := range t.running {
		p.reap(t)
	}
	if len(t.wrong) == 0 {
		os.RemoveAll(t.dir)
		return true
	}
	t.failed = true
	fmt.Fprintf(t.out, "FAILED %s:%d\n", t.part, t.n)
	for _, w := range t.wrong {
		fmt.Fprintf(t.out, "  %s\n", w)
	}
	choice := fmt.Sprintf("--seed %d", t.seed)
	if t.every {
		choice = "--every"
	}
	fmt.Fprintf(t.out, "  again: scripts/attack %s %s:%d; step by step:\n    cd %s\n", choice, t.part, t.n, t.dir)
	for _, s := range t.steps {
		fmt.Fprintf(t.out, "    %s\n", clipped(s))
	}
	return false
}
