package main

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"godarts/scripts/campaign/device"
	"godarts/scripts/campaign/ptrace"
)

// everyConfigs are small runs that together write every kind of file.
var everyConfigs = []subjectConfig{
	{"search", "search", `experiment: search
data: {name: digits, subset: 16, batch: 8}
network: {channels: 2, layers: 3, nodes: 1, stem_multiplier: 1}
epochs: 2
`},
	{"train", "training", `experiment: train
data: {name: digits, subset: 8, batch: 8}
network: {channels: 2, layers: 3, stem_multiplier: 1, auxiliary: false}
genotype: Genotype(normal=[('skip_connect', 0), ('max_pool_3x3', 1)], normal_concat=[2], reduce=[('skip_connect', 0), ('max_pool_3x3', 1)], reduce_concat=[2])
epochs: 2
`},
	{"train", "text", `experiment: train
data: {name: synthetic-text, tokens: 108, batch: 4, eval_batch: 2, bptt: 14, bptt_delta: 4}
network: {hidden: 5}
w: {lr: 5}
nonmono: 1
genotype: DARTS_V1
epochs: 3
`},
	{"repeat", "protocol", `experiment: repeat
repeat: {search: s.yaml, searches: 2, brief: {epochs: 1}, train: t.yaml, trains: 1}
`},
	{"compare", "comparison", `experiment: compare
compare: {search: s.yaml, strategies: [[strategy.name=darts], [strategy.name=random, strategy.trials=1]], train: t.yaml, seeds: 2}
`},
	{"", "s", `experiment: search
data: {name: digits, subset: 16, batch: 8}
network: {channels: 2, layers: 3, nodes: 1, stem_multiplier: 1}
epochs: 1
`},
	{"", "t", `experiment: train
data: {name: digits, subset: 8, batch: 8}
network: {channels: 2, layers: 3, stem_multiplier: 1, auxiliary: false}
epochs: 1
`},
}

// takeEvery replaces the campaign's runs by the small ones. These do not renew their claims
// while they run, so that a run makes the same calls each time.
func (c *campaign) takeEvery() (err error) {
	c.every = true
	c.subjects, err = writeSubjects(filepath.Join(c.dir, "configs"), everyConfigs)
	for i := range c.subjects {
		c.subjects[i].stale = "1h"
	}
	return err
}

// everyPoint returns the functions of a part that makes a trial of each point.
func everyPoint(points func(*trial) []point, disturb func(*trial, point)) (func(*trial), func(*campaign) int) {
	var all []point
	one := func(t *trial) { disturb(t, all[t.n]) }
	most := func(c *campaign) int {
		t := c.newTrial("points", 0)
		all = points(t)
		if !t.end() {
			return 0
		}
		return len(all)
	}
	return one, most
}

// killPoints are all moments at which a run can be killed; powerPoints are all moments and ways
// in which the power can be cut.
func killPoints(t *trial) []point  { return t.points([]device.Loss{{None: true}}) }
func powerPoints(t *trial) []point { return t.points(cuts) }

// points returns the moments and losses that leave different files. Of those that leave the
// same files it takes the last: what goes on from them does the same. For example a kill
// after a sync leaves the same files as one before it.
func (t *trial) points(losses []device.Loss) (points []point) {
	for _, s := range t.subjects {
		calls := t.fileCalls(s)
		d, left := device.New("tmp"), map[[sha256.Size]byte]point{}
		for n, call := range calls {
			d.Apply(call)
			for i, l := range losses {
				left[d.Sum(l)] = point{s, n + 1, i}
			}
		}
		fmt.Fprintf(t.out, "%v: %d calls%s; %d ends leave %d different folders\n", s, len(calls), kinds(calls), len(losses)*len(calls), len(left))
		of := slices.Collect(maps.Values(left))
		slices.SortFunc(of, func(a, b point) int { return cmp.Or(cmp.Compare(a.call, b.call), cmp.Compare(a.cut, b.cut)) })
		points = append(points, of...)
	}
	return points
}

// kinds counts calls.
func kinds(calls []device.Call) string {
	tally := map[string]int{}
	for _, call := range calls {
		tally[call.Kind]++
	}
	return described(tally)
}

// timed is the run whose number of calls depends on its time: once a second a comparison writes
// the time of its searches so far.
const timed = "comparison"

// killEvery kills the process that makes a call after that call, and goes on with the run.
func killEvery(t *trial, p point) {
	t.outcome = p.name
	r := t.reference(p.subject)
	if r == nil {
		return
	}
	call := t.fileCalls(p.subject)[p.call-1]
	t.note("# SIGKILL after file call %d (%v): %s", p.call, call, quoted(p.line(false)))
	if !t.killAfter(p.call, p.line(false)...) {
		if p.name != timed {
			t.failf("the run ended before file call %d (%v)", p.call, call)
		}
		t.outcome = p.name + ", of fewer calls"
	}
	if t.finish(p.subject) {
		t.equal(r)
	}
}

// killAfter runs the program and kills the process that makes the n-th of its fileCalls after
// that call. It tells whether there was such a call.
func (t *trial) killAfter(n int, args ...string) (killed bool) {
	line := append([]string{t.darts}, args...)
	output, err := os.Create(filepath.Join(t.campaign.dir, "killed"))
	if err != nil {
		t.failf("%v", err)
		return false
	}
	defer output.Close()
	root, err := filepath.EvalSymlinks(t.dir)
	if err != nil {
		t.failf("%v", err)
		return false
	}
	c := exec.Command(line[0], line[1:]...)
	c.Dir, c.Env = root, t.environment()
	c.Stdout, c.Stderr = output, output
	killed, err = ptrace.KillAfter(c, n, longest)
	text, _ := os.ReadFile(output.Name())
	if m := traces.Find(text); m != nil {
		err = fmt.Errorf("printed a trace (%q): %s", m, shortened(string(text)))
	}
	if err != nil {
		t.failf("%s: %v", quoted(line), err)
	}
	return killed
}
