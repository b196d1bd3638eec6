package main

import (
	"bytes"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// tinyConfig is a search of some steps and a training after it.
const tinyConfig = `experiment: search
strategy: {name: darts, order: 1}
data: {name: digits, subset: 64, batch: 12}
network: {channels: 2, layers: 3, nodes: 2, stem_multiplier: 1}
epochs: 2
evaluate:
  random: 1
  batch: 32
  network: {channels: 2, layers: 3, stem_multiplier: 1}
  epochs: 1
`

const tinyTraining = `experiment: train
data: {name: digits, subset: 36, batch: 12, cutout: 0}
network: {channels: 2, layers: 3, stem_multiplier: 1, auxiliary: false}
genotype: DARTS_V1
epochs: 1
`

func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// exportDigits makes an image folder of n digits.
func exportDigits(t *testing.T, n int) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "photos")
	var stdout, stderr bytes.Buffer
	if status := run([]string{"data", "export", "digits", dir, "--n", strconv.Itoa(n)}, &stdout, &stderr); status != exitOK {
		t.Fatalf("status %d, stderr %q", status, stderr.String())
	}
	return dir
}

func TestBadUsage(t *testing.T) {
	// One clear line and exit status 2 come back when arguments, config or what they name are wrong.
	config := writeFile(t, "tiny.yaml", tinyConfig)
	training := writeFile(t, "training.yaml", tinyTraining)
	typo := writeFile(t, "typo.yaml", strings.Replace(tinyConfig, "epochs: 2", "epoch: 2", 1))
	textTraining := writeFile(t, "text.yaml", tinyTextTraining)
	hostile := writeFile(t, "hostile.pt", "Ncos\nsystem\n.")
	notRun := t.TempDir()
	runs := t.TempDir()
	if err := os.Mkdir(filepath.Join(runs, "second-3"), 0o755); err != nil {
		t.Fatal(err)
	}
	photos := exportDigits(t, 250)
	sealed := filepath.Join(writeFile(t, "file", ""), "run") // its parent is no folder
	for _, test := range []struct {
		name string
		args []string
		want string // of stderr, a regular expression
	}{
		{"no command", nil, `^darts: no command given\n$`},
		{"unknown command", []string{"serach"}, `^darts: unknown command "serach" \(nearest: "search"; there are: search, train, test, .*\)\n$`},
		{"unlike any command", []string{"evaluate"}, `^darts: unknown command "evaluate" \(there are: search, train, test, .*, completion\)\n$`},
		{"help of an unknown command", []string{"help", "trian"}, `^darts: unknown command "trian" \(nearest: "train"; there are: search, `},
		{"flag of no command", []string{"--out", "x"}, "^darts: unknown flag: --out: `darts search` or .* has it \\(`darts --help` lists the flags\\)\n$"},
		{"unknown shell", []string{"completion", "tcsh"}, `^darts: completion: unknown shell "tcsh" \(wanted: bash, zsh or fish\)\n$`},
		{"unknown flag", []string{"search", config, "--sed", "3"}, "^darts: search: unknown flag: --sed: nearest is --set \\(`darts search --help` lists the flags\\)\n$"},
		{"key as a flag", []string{"search", config, "--epochs", "2"}, "^darts: search: unknown flag: --epochs: a key of the config is set by --set epochs=2 \\("},
		{"last name of keys as a flag", []string{"train", config, "--lr=0.1"}, `: a key of the config is set by --set w.lr=0.1 \(or alpha.lr, `},
		{"key as a flag without a value", []string{"train", config, "--batch"}, `: a key of the config is set by --set data.batch=\.\.\. \(or `},
		{"seed of a protocol", []string{"repeat", "--seed", "1 2"}, `: a key of the config is set by --set 'seed=1 2' \(`},
		{"key where there is no config", []string{"draw", "DARTS_V2", "--batch", "2"}, "^darts: draw: unknown flag: --batch: `darts info` or .* has it \\("},
		{"flag of other commands", []string{"draw", "DARTS_V2", "--seed", "2"}, "^darts: draw: unknown flag: --seed: `darts search` or `darts train` or .*`darts compare`.* has it \\("},
		{"a flag of no command", []string{"draw", "DARTS_V2", "--nothing-like-it"}, "^darts: draw: unknown flag: --nothing-like-it \\("},
		{"an unknown letter", []string{"draw", "DARTS_V2", "-x"}, "^darts: draw: unknown shorthand flag: 'x' in -x \\("},
		{"folder that is not there", []string{"train", training, "--genotype", filepath.Join(runs, "second-4")}, `^darts: nas: genotype: there is no .*/second-4 \(nearest: .*/second-3\)\n$`},
		{"run that is not there", []string{"test", filepath.Join(runs, "second-4")}, `^darts: nas: run folder: there is no .*/second-4 \(nearest: .*/second-3\)\n$`},
		{"file that is not there", []string{"draw", filepath.Join(runs, "second.json")}, `^darts: nas: genotype: there is no .*/second.json \(nearest: .*/second-3\)\n$`},
		{"no config", []string{"search"}, `^darts: search: no CONFIG given; for example: `},
		{"two configs", []string{"search", config, config}, `^darts: search: one CONFIG wanted, 2 given\n$`},
		{"missing config", []string{"search", "nowhere.yaml"}, `nowhere.yaml`},
		{"unknown key", []string{"search", typo}, `typo.yaml:5: unknown key "epoch" \(nearest: "epochs"\)\n$`},
		{"unknown key in --set", []string{"search", config, "--set", "w.lrr=1"}, `--set w.lrr=1.*nearest: "w.lr"`},
		{"value out of range", []string{"search", config, "--set", "network.channels=3"}, `network.channels.*even`},
		{"training as search", []string{"search", training}, "^darts: search: .* is the config of a train: use `darts train`\n$"},
		{"bad device", []string{"search", config, "--device", "tpu"}, `^darts: torch: unknown device "tpu" \(wanted cpu, cuda or cuda:N\)\n$`},
		{"bad interval", []string{"search", config, "--checkpoint-every", "soon"}, `--checkpoint-every soon: wanted steps \(100\) or a time \(10m\)`},
		{"no checkpoint", []string{"search", config, "--keep", "0"}, `--keep 0: wanted 1 to 100 checkpoints`},
		{"too many checkpoints", []string{"train", training, "--genotype", "DARTS_V2", "--keep", "101"}, `--keep 101: wanted 1 to 100 checkpoints`},
		{"checkpoints that are no number", []string{"search", config, "--keep", "all"}, `invalid argument "all" for "--keep"`},
		{"checkpoints of a table", []string{"compare", "../../configs/nasbench201.toy.yaml", "--keep", "3"}, `compare: --keep has no effect on a table`},
		{"bad threads", []string{"search", config, "--threads", "-1"}, `--threads -1: wanted 1 to 1024`},
		{"bad seed", []string{"search", config, "--seed", "-1"}, `--seed -1: wanted 0 or more`},
		{"resume of no run", []string{"search", "--resume", notRun}, `holds no run: there is no config.yaml\n$`},
		{"resume with a config", []string{"search", config, "--resume", notRun}, `--resume takes the config from the run folder`},
		{"resume with a seed", []string{"search", "--seed", "1", "--resume", notRun}, `--seed does not go with --resume`},
		{"folder not writable", []string{"search", config, "--out", sealed}, `run folder: .*not a directory\n$`},
		{"folder in use", []string{"search", config, "--out", filepath.Dir(config)}, `is not empty: choose another --out\n$`},
		{"missing data", []string{"search", config, "--set", "data.name=cifar10", "--set", "data.root=" + notRun, "--out", filepath.Join(notRun, "r")}, `darts data get cifar10`},
		{"unknown operation", []string{"train", training, "--genotype", "Genotype(normal=[('sep_conv_9x9', 0)])"}, `offset 18: unknown op "sep_conv_9x9" \(nearest: "sep_conv_`},
		{"edge from a later node", []string{"train", training, "--genotype",
			"Genotype(normal=[('skip_connect', 0), ('skip_connect', 2)], normal_concat=[2], reduce=[('skip_connect', 0), ('skip_connect', 1)], reduce_concat=[2])"},
			`normal cell: edge 1 of node 0: comes from state 2, want an earlier state`},
		{"unknown cell", []string{"train", training, "--genotype", "DARTS_V3"}, `DARTS_V2`},
		{"imagenet stem on digits", []string{"train", training, "--set", "network.stem=imagenet", "--set", "network.stem_multiplier=3", "--out", filepath.Join(notRun, "r")},
			`^darts: cells: network: images of 8x8 reach the last pooling as 1x1, want 7 to 13 pixels there: images of 224x224`},
		{"test of nothing", []string{"test"}, `^darts: test: wanted one RUN, or --weights FILE with --genotype and --set as needed\n$`},
		{"test of a run with a cell", []string{"test", notRun, "--genotype", "DARTS_V2"}, `^darts: test: wanted one RUN, or --weights FILE`},
		{"weights with keys of no config", []string{"test", "--weights", "x.pt", "--set", "epochs=1"}, `^darts: test: --set epochs=1 overrides a CONFIG, but none is given\n$`},
		{"weights of a search", []string{"test", config, "--weights", "x.pt"}, `is the config of a search, weights need the config of a train\n$`},
		{"weights that are not there", []string{"test", training, "--weights", "x.pt"}, `^darts: torch: pickle: open x.pt: no such file or directory\n$`},
		{"hostile weights", []string{"test", training, "--weights", hostile}, `hostile.pt: offset 1: refused: it wants "os.system", which no file of tensors needs\n$`},
		{"weights of another network", []string{"test", training, "--weights", "../../nas/model/testdata/toy.pth"},
			`^darts: nas: weights ../../nas/model/testdata/toy.pth: nn: load state dict: "cells.0._ops.1.op.1.weight" of shape \[2 1 3 3\] is missing, and the network has no `},
		{"info of nothing", []string{"info", "DARTS_V3"}, `DARTS_V2`},
		{"recurrent cell for images", []string{"train", training, "--genotype", "ENAS"}, `^darts: nas: genotype: a recurrent cell, which takes a text: data.name digits is images, which take convolutional cells\n$`},
		{"convolutional cell for a text", []string{"train", textTraining, "--genotype", "NASNet"}, `^darts: nas: genotype: convolutional cells, which take images: data.name synthetic-text is a text, which takes a recurrent cell\n$`},
		{"key of images", []string{"train", textTraining, "--set", "network.layers=4"}, `^darts: config: --set network.layers=4: key "network.layers" does not apply to texts \(data.name synthetic-text\), only to images\n$`},
		{"text that is not there", []string{"search", "../../configs/ptb-darts-first.yaml", "--set", "data.root=" + notRun, "--out", filepath.Join(notRun, "r")},
			"^darts: data: ptb: .*/ptb/ptb.train.txt: file does not exist; `darts data get ptb` says what is wanted\n$"},
		{"text to put there", []string{"data", "get", "wikitext2", "--root", notRun}, `^darts: data: get wikitext2: not there, and no download of it: put into .*/wikitext-2: wiki.train.tokens, .* as train.txt, valid.txt and test.txt\n$`},
		{"pictures of a text", []string{"data", "export", "ptb", notRun}, `^darts: data: export: ptb is a text, which has no images\n$`},
		{"info with a key of no config", []string{"info", "DARTS_V2", "--set", "epochs=1"}, `^darts: nas: info: DARTS_V2 is no config, which epochs=1 could override\n$`},
		{"info of a bad batch", []string{"info", "DARTS_V2", "--batch", "-1"}, `^darts: info: --batch -1: wanted 1 to 1048576, or 0 for the usual one\n$`},
		{"info of a protocol", []string{"info", "../../configs/protocol-cifar10-second.yaml"}, `^darts: nas: info: .*second.yaml makes no network of its own: its search is cifar10-darts-second.yaml, its training cifar10-train.yaml\n$`},
		{"info of a comparison", []string{"info", "../../configs/nasbench201.toy.yaml"}, `^darts: nas: info: ../../configs/nasbench201.toy.yaml is the config of a compare, which makes no network\n$`},
		{"info of an unknown key", []string{"info", typo}, `unknown key "epoch"`},
		{"export to nowhere", []string{"export", notRun}, `^darts: export: no folder given: use -o DIR, or --onnx FILE\n$`},
		{"export of a folded module", []string{"export", notRun, "-o", notRun, "--fold"}, `^darts: export: --fold and --softmax go with --onnx\n$`},
		{"ONNX with auxiliary head", []string{"export", notRun, "--onnx", "x", "--auxiliary"}, `^darts: export: --auxiliary goes with -o\n$`},
		{"ONNX of no run", []string{"export", notRun, "--onnx", filepath.Join(notRun, "x")}, `holds no run`},
		{"export of no run", []string{"export", notRun, "-o", filepath.Join(notRun, "x")}, `holds no run`},
		{"test of no run", []string{"test", notRun}, `holds no run`},
		{"unknown data", []string{"data", "get", "cifar11"}, `^darts: data: unknown data set "cifar11" \(there are: cifar10, cifar100, digits, imagefolder, synthetic; texts: ptb, wikitext2, text, synthetic-text; to get: nasbench201\)\n$`},
		{"no table", []string{"data", "get", "nasbench201", "--root", notRun}, `^darts: data: get nasbench201: there is no .*/nasbench201/nasbench201.csv, and no download of such a table: take NATS-Bench.*index,cell,`},
		{"comparison without the table", []string{"compare", "../../configs/nasbench201.yaml", "--set", "data.root=" + notRun}, "^darts: nasbench201: there is no .*/nasbench201.csv: `darts data get nasbench201` says how to get it\n$"},
		{"search as comparison", []string{"compare", config}, "^darts: compare: .* is the config of a search: use `darts search`\n$"},
		{"comparison as search", []string{"search", "../../configs/nasbench201.yaml"}, "is the config of a compare: use `darts compare`\n$"},
		{"comparison into a folder in use", []string{"compare", "../../configs/nasbench201.toy.yaml", "--out", filepath.Dir(config)}, `^darts: compare: .* is not empty: choose another --out\n$`},
		{"bad workers", []string{"compare", "../../configs/nasbench201.toy.yaml", "--workers", "-1"}, `--workers -1: wanted 1 to 1024`},
		{"bad seed of a comparison", []string{"compare", "../../configs/nasbench201.toy.yaml", "--seed", "-1"}, `--seed -1: wanted 0 or more`},
		{"export without folder", []string{"data", "export", "digits"}, `^darts: data: export: 2 arguments wanted, 1 given\n$`},
		{"export of nothing", []string{"data", "export", "digits", notRun, "--n", "0"}, `--n 0: wanted 1 or more`},
		{"export to a folder in use", []string{"data", "export", "digits", notRun}, `want at most 1796 in all`},
		{"missing image folder", []string{"search", config, "--set", "data.name=imagefolder", "--set", "data.root=" + notRun + "/x", "--out", filepath.Join(notRun, "r")}, `imagefolder: .*/x: no such folder`},
		{"subset of an image folder", []string{"search", config, "--set", "data.name=imagefolder", "--set", "data.root=" + photos, "--set", "data.subset=500", "--out", filepath.Join(notRun, "r")}, `data.subset: 500 is more than the 200 training images of imagefolder`},
		{"image folder too small to split", []string{"search", config, "--set", "data.name=imagefolder", "--set", "data.root=" + photos, "--set", "data.subset=1", "--out", filepath.Join(notRun, "r")}, `data.train_portion: 0.5 of 1 images leaves 0 for the weights and 1 for alpha`},
		{"unknown data action", []string{"data", "fetch", "cifar10"}, `unknown action "fetch" \(wanted: get or export\)`},
	} {
		t.Run(test.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			status := run(test.args, &stdout, &stderr)
			lines := strings.Split(strings.TrimSuffix(stderr.String(), "\n"), "\n")
			last := lines[len(lines)-1] + "\n"
			if want := exitUsage; status != want {
				t.Errorf("exit status %d, want %d", status, want)
			}
			if !regexp.MustCompile(test.want).MatchString(last) {
				t.Errorf("stderr is %q, want %q", stderr.String(), test.want)
			}
			if test.args != nil && len(lines) != 1 {
				t.Errorf("%d lines on stderr: %q", len(lines), stderr.String())
			}
		})
	}
}

func TestSearchToTest(t *testing.T) {
	// A search with its evaluation, a training of its cell, the test of that and the drawing work in a row.
	dir := t.TempDir()
	config, training := writeFile(t, "tiny.yaml", tinyConfig), writeFile(t, "training.yaml", tinyTraining)
	searched, trained := filepath.Join(dir, "searched"), filepath.Join(dir, "trained")
	for _, step := range []struct {
		args []string
		want []string // regular expressions of stdout
	}{
		{[]string{"search", config, "--out", searched, "--seed", "5"}, []string{`(?m)^ +found +\d+ +[\d.]+ %`, `(?m)^ *random-1 +\d+ +[\d.]+ %`, `run folder: ` + searched, `epoch 2/2: train loss`}},
		{[]string{"search", "--resume", searched}, []string{`the run in .* is complete`, `(?m)^ *random-1 `}},
		{[]string{"train", training, "--genotype", searched, "--out", trained}, []string{`(?m)^test error [\d.]+ %, loss [\d.]+, \d+ parameters$`}},
		{[]string{"test", trained}, []string{`^test error [\d.]+ %, loss [\d.]+, \d+ parameters\n$`}},
		{[]string{"test", training, "--weights", filepath.Join(trained, "weights.safetensors"), "--genotype", searched}, []string{`^test error [\d.]+ %, loss [\d.]+, \d+ parameters\n$`}},
		{[]string{"export", trained, "-o", filepath.Join(dir, "exported")}, []string{`weights.safetensors\n.*genotype.txt\n.*network.py\n.*config.json\n$`}},
		{[]string{"test", filepath.Join(dir, "exported")}, []string{`^test error [\d.]+ %, loss [\d.]+, \d+ parameters\n$`}},
		{[]string{"draw", filepath.Join(dir, "exported"), "-o", filepath.Join(dir, "pictures")}, []string{`normal.svg\n.*reduce.svg\n$`}},
		{[]string{"info", filepath.Join(dir, "exported")}, []string{`^2 channels, 3 cells, images 1x8x8\n`}},
		{[]string{"info", trained, "--batch", "10", "--layers"}, []string{`^2 channels, 3 cells, images 1x8x8\n`, `at batch 10\n`, `(?m)^ +cells.2._ops.0 +\w+ +8x2x2 +\d+ +\d+ +\d+$`}},
		{[]string{"info", searched}, []string{`^search network, fast form: 2 channels, 3 cells, images 1x8x8\n`, `\nCIFAR-10: `, `\nImageNet: `}},
		{[]string{"info", config, "--set", "network.channels=4"}, []string{`: 4 channels, 3 cells`}},
		{[]string{"draw", searched, "-o", filepath.Join(dir, "pictures")}, []string{`normal.svg\n.*reduce.svg\n$`}},
		{[]string{"draw", "DARTS_V2", "--recurrent", "-o", filepath.Join(dir, "pictures")}, []string{`recurrent.svg\n$`}},
		{[]string{"genotypes"}, []string{`DARTS_V2 = Genotype\(normal=`}},
		{[]string{"version"}, []string{`libtorch 2\.`}},
	} {
		var stdout, stderr bytes.Buffer
		if status := run(step.args, &stdout, &stderr); status != exitOK {
			t.Fatalf("%v: status %d, stderr %q", step.args, status, stderr.String())
		}
		for _, want := range step.want {
			if !regexp.MustCompile(want).MatchString(stdout.String()) {
				t.Errorf("%v: stdout lacks %q:\n%s", step.args, want, stdout.String())
			}
		}
	}
	var stdout, stderr bytes.Buffer
	if status := run([]string{"search", config, "--out", searched}, &stdout, &stderr); status != exitUsage ||
		!strings.Contains(stderr.String(), "holds a run already: go on with --resume "+searched) {
		t.Errorf("a new run in the folder of another: status %d, stderr %q", status, stderr.String())
	}
	for _, file := range []string{"config.yaml", "run.json", "metrics.jsonl", "checkpoint.safetensors", "genotype.json", "normal.svg", "reduce.svg", "result.json", "found/weights.safetensors"} {
		if _, err := os.Stat(filepath.Join(searched, file)); err != nil {
			t.Error(err)
		}
	}
	text, err := os.ReadFile(filepath.Join(searched, "config.yaml"))
	if err != nil || !strings.Contains(string(text), "seed: 5\n") {
		t.Errorf("the resolved config lacks the seed: %v\n%s", err, text)
	}
}

// binaryDir holds the program once a test has asked for it.
var binaryDir string

// binary builds the program once for all tests.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "darts")
	if err != nil {
		return "", err
	}
	binaryDir = dir
	file := filepath.Join(dir, "darts")
	return file, exec.Command("go", "build", "-o", file, ".").Run()
})

// asProgram in the environment makes the test binary the program itself.
const asProgram = "GODARTS_TEST_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	status := m.Run()
	if binaryDir != "" {
		os.RemoveAll(binaryDir)
	}
	os.Exit(status)
}

func TestInterrupt(t *testing.T) {
	// A run saves, says how to go on and exits 130 when SIGINT, SIGTERM or SIGHUP comes, and goes on from there.
	darts, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	config := writeFile(t, "tiny.yaml", tinyConfig)
	for _, test := range []struct {
		name string
		sig  syscall.Signal
		many bool // signals, until the process has ended
	}{
		{"interrupt", syscall.SIGINT, false},
		{"terminated", syscall.SIGTERM, false},
		{"hung up", syscall.SIGHUP, false},
		{"terminated again and again", syscall.SIGTERM, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "run")
			// A handler here is none there: the run starts with the signal not ignored, also where these
			// tests were started to ignore it.
			handled := make(chan os.Signal, 1)
			signal.Notify(handled, test.sig)
			defer signal.Stop(handled)
			var stdout, stderr bytes.Buffer
			p := exec.Command(darts, "search", config, "--out", dir, "--set", "epochs=100", "--checkpoint-every", "1", "--threads", "1")
			p.Stdout, p.Stderr = &stdout, &stderr
			if err := p.Start(); err != nil {
				t.Fatal(err)
			}
			waitFor(t, filepath.Join(dir, "checkpoint.safetensors"))
			if err := p.Process.Signal(test.sig); err != nil {
				t.Fatal(err)
			}
			ended := make(chan struct{})
			go func() { p.Wait(); close(ended) }()
			for again := true; again && test.many; {
				select {
				case <-ended:
					again = false
				case <-time.After(time.Millisecond):
					p.Process.Signal(test.sig)
				}
			}
			<-ended
			if status := p.ProcessState.ExitCode(); status != exitInterrupted {
				t.Errorf("exit status %d, want %d", status, exitInterrupted)
			}
			if want := "interrupted; go on with: darts search --resume " + dir + "\n"; stderr.String() != want {
				t.Errorf("stderr is %q, want %q", stderr.String(), want)
			}
			again := exec.Command(darts, "search", "--resume", dir)
			out, err := again.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := again.Start(); err != nil {
				t.Fatal(err)
			}
			head := make([]byte, 400)
			n, _ := out.Read(head)
			for !bytes.Contains(head[:n], []byte("going on in epoch")) && n < len(head) {
				more, err := out.Read(head[n:])
				if n += more; err != nil {
					break
				}
			}
			again.Process.Kill()
			again.Wait()
			if !bytes.Contains(head[:n], []byte("going on in epoch")) {
				t.Errorf("stdout of the resumed run: %q", head[:n])
			}
		})
	}
}

func waitFor(t *testing.T, file string) {
	t.Helper()
	const deadline = 3 * time.Minute // a busy machine is no failure
	for start := time.Now(); time.Since(start) < deadline; time.Sleep(50 * time.Millisecond) {
		if _, err := os.Stat(file); err == nil {
			return
		}
	}
	t.Fatalf("%s does not appear", file)
}

func TestToyConfigs(t *testing.T) {
	// Every toy config runs to its end.
	if testing.Short() {
		t.Skip("-short: trains every toy")
	}
	toys, err := filepath.Glob("../../configs/*.toy.yaml")
	if err != nil || len(toys) == 0 {
		t.Fatalf("no toy configs: %v", err)
	}
	for _, toy := range toys {
		t.Run(filepath.Base(toy), func(t *testing.T) {
			command := "search"
			switch {
			case strings.Contains(toy, "train"):
				command = "train"
			case strings.Contains(toy, "nasbench201"):
				command = "compare"
			case strings.Contains(toy, "protocol"):
				command = "repeat"
			}
			var stdout, stderr bytes.Buffer
			if status := run([]string{command, toy, "--out", filepath.Join(t.TempDir(), "run")}, &stdout, &stderr); status != exitOK {
				t.Errorf("status %d, stderr %q", status, stderr.String())
			}
		})
	}
}
