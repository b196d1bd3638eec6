package main

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"
)

// target is a fuzz target of the repository.
type target struct {
	folder, name string
}

var fuzzTarget = regexp.MustCompile(`(?m)^func (Fuzz\w+)\(`)

// fuzzTargets finds the fuzz targets below the working folder.
func fuzzTargets() (found []target) {
	_ = filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && len(d.Name()) > 1 && d.Name()[0] == '.':
			return filepath.SkipDir
		case !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		text, err := os.ReadFile(path)
		for _, m := range fuzzTarget.FindAllSubmatch(text, -1) {
			found = append(found, target{filepath.Dir(path), string(m[1])})
		}
		return err
	})
	return found
}

// fuzzing is the part that runs every target.
func fuzzing() (one func(*trial), most func(*campaign) int) {
	all := sync.OnceValue(fuzzTargets)
	return func(t *trial) { fuzz(t, all()[t.n]) }, func(*campaign) int { return len(all()) }
}

// guided is the share of the time from which on coverage guides a target. For that all packages are
// compiled once more, the standard library too, which takes longer than a short campaign.
const guided = 10 * time.Second

// fuzz runs a target for the trial's share of the time. It leaves an input that fails in the
// target's testdata/fuzz, as `go test -fuzz` does.
func fuzz(t *trial, f target) {
	test, how := filepath.Join(t.campaign.dir, strings.ReplaceAll(f.folder, "/", "-")+".test"), []string{"test", "-c"}
	if t.left >= guided {
		test, how = test+".guided", append(how, "-fuzz", f.name)
	}
	if _, err := os.Stat(test); err != nil { // compiling is not part of the share
		build := exec.Command("go", append(how, "-o", test, "./"+f.folder)...)
		if out, err := build.CombinedOutput(); err != nil {
			t.failf("%s: %v: %s", build, err, out)
			return
		}
	}
	share := max(t.left, time.Second).Round(time.Second)
	line := []string{test, "-test.run", "^$", "-test.fuzz", "^" + f.name + "$", "-test.fuzztime", share.String(),
		"-test.fuzzminimizetime", "10x", // by default it takes a minute to make a new input smaller
		"-test.fuzzcachedir", filepath.Join(t.campaign.dir, "fuzz"), "-test.parallel", "2"}
	ctx, cancel := context.WithTimeout(context.Background(), share+2*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, line[0], line[1:]...)
	command.Dir = f.folder
	out, err := command.CombinedOutput()
	t.outcome = f.name
	if err == nil || bytes.Contains(out, []byte("context deadline exceeded")) && !bytes.Contains(out, []byte("Failing input")) {
		return // the time was over while a worker answered, which is no finding
	}
	t.note("cd %s && go test -run '^$' -fuzz '^%s$' ./%s", mustAbs("."), f.name, f.folder)
	t.failf("%s in %s: %v: %s", f.name, f.folder, err, shortened(string(out)))
}

// mustAbs returns the absolute form of path, or path if there is none.
func mustAbs(path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	return abs
}
