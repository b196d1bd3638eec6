package nas_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/fixture"
	"godarts/nas/nastest"
	"godarts/nas/prune"
	"godarts/nas/runfolder"
	"godarts/nas/search"
	"godarts/nas/train"
)

// childDir in the environment makes the test binary a process that runs the
// experiment in that folder.
const childDir = "GODARTS_TEST_RUN"

// fileLimit in its environment is how many bytes its files may have.
const fileLimit = "GODARTS_TEST_FILE_LIMIT"

func TestMain(m *testing.M) {
	dir := os.Getenv(childDir)
	if dir == "" {
		os.Exit(m.Run())
	}
	if err := child(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// child goes on with the run in dir, a search or a training, and says when a
// step is done.
func child(dir string) error {
	c, err := runfolder.ReadConfig(dir)
	if err != nil {
		return err
	}
	if limit := os.Getenv(fileLimit); limit != "" {
		n, err := strconv.ParseUint(limit, 10, 64)
		if err != nil {
			return err
		}
		signal.Ignore(syscall.SIGXFSZ)
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: n, Max: n}); err != nil {
			return err
		}
	}
	say := nas.Hooks{OnStep: func(*nas.Run, *nas.Step) error {
		_, err := fmt.Println("step")
		return err
	}}
	s := nas.Settings{Every: nas.CheckpointEvery{Steps: 1}, Hooks: []nas.Hooks{say}}
	if c.Experiment == config.Train {
		_, err = train.Run(context.Background(), dir, c, s)
	} else {
		_, err = search.Run(context.Background(), dir, c, s)
	}
	return err
}

func TestKilled(t *testing.T) {
	// A run ends with the same bytes as an undisturbed one when it is killed at five random moments.
	if testing.Short() {
		t.Skip("-short: starts two dozen processes")
	}
	const epochs, kills = "epochs=10", 5 // three steps an epoch: enough to be killed five times
	from := nastest.TrainedRun(t)
	for _, test := range []struct {
		name   string
		config *config.Config
	}{
		{"search", fixture.Tiny(t, epochs, "network.nodes=1", little[2])},
		{"training", fixture.Load(t, "testdata/tiny-train.yaml", epochs)},
		{"training of a pruned network", pruned(t, prune.Taylor)},
		{"training of a masked network", pruned(t, prune.Magnitude)},
		{"training in integers", fixture.Load(t, "testdata/tiny-train.yaml", epochs, "quantise.from="+from, "network.drop_path=0", "w.lr=0.001")},
		{"search on a text", fixture.Load(t, "testdata/tiny-text.yaml", epochs)},
		{"training on a text, never averaged", fixture.Load(t, "testdata/tiny-text-train.yaml", epochs, "nonmono=100")},
		{"training on a text, averaged soon", fixture.Load(t, "testdata/tiny-text-train.yaml", epochs, "nonmono=1")},
	} {
		t.Run(test.name, func(t *testing.T) {
			undisturbed, killed := prepare(t, test.config), prepare(t, test.config)
			finish(t, undisturbed)
			r := rand.New(rand.NewPCG(1, 1))
			times := 0
			for times < kills && !runfolder.Finished(killed) { // a busy machine kills late
				times++
				killAfter(t, killed, r.IntN(4), time.Duration(r.IntN(10_000))*time.Microsecond)
			}
			if times < 2 {
				t.Fatalf("the run was complete after %d moments", times)
			}
			finish(t, killed)
			fixture.Same(t, undisturbed, killed)
		})
	}
}

// pruned returns the config that trains a pruned network on for 10 epochs.
func pruned(t *testing.T, by string) *config.Config {
	t.Helper()
	from := filepath.Join(t.TempDir(), "run")
	if _, err := train.Run(t.Context(), from, fixture.Load(t, "testdata/tiny-train.yaml", "network.channels=4"), nas.Settings{}); err != nil {
		t.Fatal(err)
	}
	p, err := prune.Network(t.Context(), from, prune.Options{By: by, Share: 0.7})
	if err != nil {
		t.Fatal(err)
	}
	c := p.Config
	c.Epochs, c.Pruned.Epoch, c.Pruned.Weights = 13, 3, filepath.Join(from, "pruned.safetensors")
	if err := os.WriteFile(c.Pruned.Weights, p.Weights, 0o644); err != nil {
		t.Fatal(err)
	}
	return c
}

// prepare makes a run folder in which nothing has been done.
func prepare(t *testing.T, c *config.Config) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "run")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var err error
	if c.Experiment == config.Train {
		_, err = train.Run(ctx, dir, c, nas.Settings{})
	} else {
		_, err = search.Run(ctx, dir, c, nas.Settings{})
	}
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	return dir
}

func process(dir string) *exec.Cmd {
	p := exec.Command(os.Args[0])
	p.Env = append(os.Environ(), childDir+"="+dir)
	p.Stderr = os.Stderr
	return p
}

func finish(t *testing.T, dir string) {
	t.Helper()
	if err := process(dir).Run(); err != nil {
		t.Fatal(err)
	}
}

// killAfter kills the run some time after it has taken this many steps.
func killAfter(t *testing.T, dir string, steps int, wait time.Duration) {
	t.Helper()
	p := process(dir)
	out, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for range steps {
		lines.Scan()
	}
	time.Sleep(wait)
	p.Process.Kill()
	p.Wait()
}
