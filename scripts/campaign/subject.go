package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// subject is a run to attack. It takes a second or less.
type subject struct {
	name    string
	command string // search, train, repeat or compare
	config  string // file
	again   bool   // goes on by the same line, without --resume
	stale   string // age of a stale claim, for a protocol that begins
	made    bool   // of the run in trainedFolder
}

// subjectConfig is a config file. One with a command is a subject; others are parts of subjects.
type subjectConfig struct{ command, name, text string }

// subjectConfigs are the runs to attack, of many kinds.
var subjectConfigs = []subjectConfig{
	{"search", "second-order", `experiment: search
strategy: {name: darts, order: 2}
data: {name: digits, subset: 64, batch: 12}
network: {channels: 2, layers: 3, nodes: 2, stem_multiplier: 1}
epochs: 3
`},
	{"train", "training", `experiment: train
data: {name: digits, subset: 36, batch: 12, cutout: 4}
network: {channels: 2, layers: 3, stem_multiplier: 1, auxiliary: false, drop_path: 0.3}
genotype: DARTS_V2
epochs: 4
`},
	{"train", "pruned", `experiment: train
data: {name: digits, subset: 36, batch: 12}
network: {channels: 4, layers: 3, stem_multiplier: 1, auxiliary: false, drop_path: 0.3}
pruned:
  epoch: 1
  widths: '{"stem":[3],"cells":[{"states":[[2,2],[2,2],[2,2],[2,2],[2,2],[2,2]],"inner":[4,3,4,4,4,0,0,0]},{"states":[[4,4],[4,4],[4,4],[4,4],[4,4],[4,4]],"inner":[0,0,0,0,0,0,0,0]},{"states":[[8,8],[8,8],[8,8],[8,8],[8,8],[8,8]],"inner":[0,0,0,0,0,0,0,0]}]}'
genotype: DARTS_V2
epochs: 4
`},
	{"search", "random", `experiment: search
strategy: {name: random, trials: 3}
data: {name: digits, subset: 64, batch: 16}
network: {channels: 2, layers: 3, nodes: 2, stem_multiplier: 1}
epochs: 1
`},
	{"train", "text", `experiment: train
data: {name: synthetic-text, tokens: 108, batch: 4, eval_batch: 2, bptt: 7, bptt_delta: 4}
network: {hidden: 5}
w: {lr: 5}
nonmono: 1
genotype: DARTS_V1
epochs: 6
`},
	{"repeat", "protocol", `experiment: repeat
repeat: {search: s.yaml, searches: 2, brief: {epochs: 1}, train: t.yaml, trains: 1}
`},
	{"search", "p-darts", `experiment: search
strategy: {name: p-darts, layers: 3, warmup: 0, skip_dropout: [0, 0.4, 0.7]}
data: {name: digits, subset: 64, batch: 16}
network: {channels: 2, nodes: 2, stem_multiplier: 1}
epochs: 3
`},
	{"compare", "comparison", `experiment: compare
compare: {search: s.yaml, strategies: [[strategy.name=darts], [strategy.name=random, strategy.trials=2]], train: t.yaml, seeds: 2}
`},
	{"", "trained", `experiment: train
data: {name: digits, subset: 36, batch: 12}
network: {channels: 6, layers: 3, stem_multiplier: 1, auxiliary: false}
genotype: DARTS_V2
epochs: 1
`},
	{"train", "integers", `experiment: train
data: {name: digits, subset: 36, batch: 12}
network: {channels: 6, layers: 3, stem_multiplier: 1, auxiliary: false, drop_path: 0}
quantise: {from: ` + trainedFolder + `, images: 24}
genotype: DARTS_V2
epochs: 2
`},
	{"search", "evaluated", `experiment: search
strategy: {name: gdas}
data: {name: digits, subset: 64, batch: 16}
network: {channels: 2, layers: 3, nodes: 2, stem_multiplier: 1}
epochs: 2
evaluate: {random: 1, batch: 16, network: {channels: 2, layers: 3}, epochs: 1}
`},
	{"", "s", `experiment: search
data: {name: digits, subset: 64, batch: 12}
network: {channels: 2, layers: 3, nodes: 2, stem_multiplier: 1}
epochs: 2
`},
	{"", "t", `experiment: train
data: {name: digits, subset: 64, batch: 16}
network: {channels: 2, layers: 3, stem_multiplier: 1, auxiliary: false}
epochs: 1
`},
}

// writeSubjects writes the configs to a folder and returns the subjects among them.
func writeSubjects(dir string, configs []subjectConfig) (subjects []subject, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	for _, c := range configs {
		s := subject{name: c.name, command: c.command, config: filepath.Join(dir, c.name+".yaml"), again: c.command == "compare", stale: "1s"}
		s.made = strings.Contains(c.text, trainedFolder)
		if err := os.WriteFile(s.config, []byte(c.text), 0o644); err != nil {
			return nil, err
		}
		if s.command != "" {
			subjects = append(subjects, s)
		}
	}
	return subjects, nil
}

// runFolder is the folder of the run in the folder of a trial.
const runFolder = "run"

// trainedFolder is, from the folder of a trial, the run of which another makes a network in integers.
const trainedFolder = "../trained"

// needTrained makes that run, unless it is there.
func (t *trial) needTrained() {
	dir := filepath.Join(t.dir, trainedFolder)
	if _, err := os.Stat(dir); err == nil {
		return
	}
	if p, status := t.newTrial("trained", 0).run(nil, "train", filepath.Join(t.campaign.dir, "configs", "trained.yaml"), "--out", dir, "--threads", "1"); status != 0 {
		t.failf("the run for integers fails: %s: %s", p.line, p.stderr.String())
	}
}

// line returns the command line that begins the run or resumes it.
func (s subject) line(resume bool) []string {
	line, stale := []string{s.command, s.config, "--out", runFolder}, s.stale
	if resume && !s.again {
		line, stale = []string{s.command, "--resume", runFolder}, "1s"
	}
	switch s.command {
	case "compare":
		return line
	case "repeat":
		line = append(line, "--stale", stale)
	}
	return append(line, "--checkpoint-every", "1", "--keep", "3", "--threads", "1")
}

// String names the run and its command.
func (s subject) String() string { return fmt.Sprintf("%s (%s)", s.name, s.command) }
