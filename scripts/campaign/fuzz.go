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
	"time"
)

// target is a fuzz target of the repository.
type target struct {
	folder, name string
}

var fuzzTarget = regexp.MustCompile(`(?m)^func (Fuzz\w+)\(`)

// targets finds the fuzz targets below the present folder.
func (c *campaign) targets() []target {
	if c.fuzzers != nil {
		return c.fuzzers
	}
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
			c.fuzzers = append(c.fuzzers, target{filepath.Dir(path), string(m[1])})
		}
		return err
	})
	return c.fuzzers
}

// fuzz runs one target for the trial's share of the time. An input that fails lies in the
// target's testdata/fuzz then, as `go test -fuzz` leaves it.
func fuzz(t *trial) {
	f := t.targets()[t.n]
	test := filepath.Join(t.campaign.dir, strings.ReplaceAll(f.folder, "/", "-")+".test")
	if _, err := os.Stat(test); err != nil { // compiling is not part of the share
		build := exec.Command("go", "test", "-c", "-fuzz", f.name, "-o", test, "./"+f.folder)
		if out, err := build.CombinedOutput(); err != nil {
			t.failf("%s: %v: %s", build, err, out)
			return
		}
	}
	share := max(t.left, time.Second).Round(time.Second)
	line := []string{test, "-test.run", "^$", "-test.fuzz", "^" + f.name + "$", "-test.fuzztime", share.String(),
		"-test.fuzzminimizetime", "10x", // by default a minute goes into making one new input smaller
		"-test.fuzzcachedir", filepath.Join(t.campaign.dir, "fuzz"), "-test.parallel", "2"}
	ctx, cancel := context.WithTimeout(context.Background(), share+2*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, line[0], line[1:]...)
	command.Dir = f.folder
	out, err := command.CombinedOutput()
	t.outcome = f.name
	if err == nil || bytes.Contains(out, []byte("context deadline exceeded")) && !bytes.Contains(out, []byte("Failing input")) {
		return // the time may be over in the middle of a worker's answer, which is no finding
	}
	t.note("cd %s && go test -run '^$' -fuzz '^%s$' ./%s", mustAbs("."), f.name, f.folder)
	t.failf("%s in %s: %v: %s", f.name, f.folder, err, shortened(string(out)))
}

func mustAbs(path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	return abs
}
