package main

import (
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"
)

// campaign is what the parts share.
type campaign struct {
	darts  string // absolute
	seed   uint64
	dir    string // everything of the campaign; kept if something was found
	out    io.Writer
	failed bool
	every  bool // every point instead of random ones

	subjects   []subject
	references map[string]*reference // by the subject's name
	fuzzers    []target
	calls      map[string][]fileCall // of an undisturbed run, by the subject's name
}

func newCampaign(darts string, seed uint64, out io.Writer) (c *campaign, err error) {
	c = &campaign{seed: seed, out: out, references: map[string]*reference{}, calls: map[string][]fileCall{}}
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

func (c *campaign) close() {
	if c.failed {
		fmt.Fprintf(c.out, "attack: kept for a look: %s\n", c.dir)
		return
	}
	os.RemoveAll(c.dir)
}

// mostTrials are more than there is ever time for.
const mostTrials = 1 << 20

// attack makes trials of a part until the time is over, one at least.
func (c *campaign) attack(w wanted, until time.Time) {
	if w.missing != nil {
		if lack := w.missing(); lack != "" {
			fmt.Fprintf(c.out, "%s: left out: %s\n", w.name, lack)
			return
		}
	}
	if w.partly != nil {
		if lack := w.partly(); lack != "" {
			fmt.Fprintf(c.out, "%s: %s\n", w.name, lack)
		}
	}
	most, n := mostTrials, 0
	if w.most != nil {
		most = w.most(c)
	}
	if w.only >= 0 {
		n, most = w.only, min(most, w.only+1)
	}
	tally := map[string]int{}
	began, done, failures := time.Now(), 0, 0
	order := rand.New(rand.NewPCG(c.seed, 0)).Perm(min(most, mostTrials))
	for ; n < most && (done == 0 || c.every || time.Now().Before(until)); n++ {
		number := n
		if w.most != nil && w.only < 0 && !c.every {
			number = order[n] // a short campaign makes others each time
		}
		t := c.newTrial(w.name, number)
		t.left = time.Until(until) / time.Duration(max(1, most-n))
		w.trial(t)
		done++
		if !t.end() {
			failures++
			t.outcome += ", failed"
		}
		tally[t.outcome]++
		if c.every && done%50 == 0 {
			fmt.Fprintf(c.out, "%s: %d of %d in %.0f s, %d failures\n", w.name, n+1, most, time.Since(began).Seconds(), failures)
		}
	}
	fmt.Fprintf(c.out, "%s: %d trials in %.0f s, %d failures%s\n", w.name, done, time.Since(began).Seconds(), failures, described(tally))
	if w.most != nil && w.only < 0 && n < most {
		fmt.Fprintf(c.out, "%s: no time was left for %d more\n", w.name, most-n)
	}
}

// trial is one attack.
type trial struct {
	*campaign
	*rand.Rand
	part    string
	n       int
	dir     string        // of its own
	left    time.Duration // its share of the time, for attacks that last as long as they may
	outcome string        // for the tally
	steps   []string      // what was done, as a shell would do it
	wrong   []string      // what was found
	running []*process
}

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

// failf says what is wrong.
func (t *trial) failf(format string, args ...any) {
	t.wrong = append(t.wrong, fmt.Sprintf(format, args...))
}

// end prints what was found, and removes what the trial left if that is nothing.
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
