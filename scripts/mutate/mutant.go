package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// mutant is a mistake with the tests that should notice it.
type mutant struct {
	name     string // its place, a colon, what is wrong
	file     string // path in the repository
	old, new string // old occurs once in file
	by       tests
}

// tests are the tests of a folder whose names match run, as -run of go test.
type tests struct{ folder, run string }

// Tests by their folder.
func inNAS(run string) tests      { return tests{"nas", run} }
func inImages(run string) tests   { return tests{"nas/images", run} }
func inServe(run string) tests    { return tests{"nas/serve", run} }
func inTexts(run string) tests    { return tests{"nas/texts", run} }
func inTrain(run string) tests    { return tests{"nas/train", run} }
func inSearch(run string) tests   { return tests{"nas/search", run} }
func inDARTS(run string) tests    { return tests{"darts", run} }
func inFast(run string) tests     { return tests{"darts/fast", run} }
func inENAS(run string) tests     { return tests{"darts/enas", run} }
func inCells(run string) tests    { return tests{"cells", run} }
func inBlackbox(run string) tests { return tests{"nas/blackbox", run} }
func inData(run string) tests     { return tests{"nas/data", run} }
func inPrune(run string) tests    { return tests{"nas/prune", run} }
func inPlan(run string) tests     { return tests{"nas/plan", run} }
func inOptim(run string) tests    { return tests{"torch/optim", run} }
func inNN(run string) tests       { return tests{"torch/nn", run} }
func inReplay(run string) tests   { return tests{"torch/replay", run} }

// apply replaces old by new. It returns an error if old does not occur exactly once, or if the
// result is not Go.
func (m mutant) apply(text string) (mutated string, err error) {
	if n := strings.Count(text, m.old); n != 1 {
		return "", fmt.Errorf("%s has the old text %d times, want once: %q", m.file, n, m.old)
	}
	if m.old == m.new {
		return "", errors.New("the new text is the old one")
	}
	mutated = strings.Replace(text, m.old, m.new, 1)
	if _, err := parser.ParseFile(token.NewFileSet(), m.file, mutated, parser.SkipObjectResolution); err != nil {
		return "", err
	}
	return mutated, nil
}

// applyTo is apply to the file below root.
func (m mutant) applyTo(root string) (mutated string, err error) {
	text, err := os.ReadFile(filepath.Join(root, m.file))
	if err != nil {
		return "", err
	}
	return m.apply(string(text))
}

// overlay writes the file by which the compiler reads text in place of a file.
func overlay(folder, file, text string) (name string, err error) {
	instead := filepath.Join(folder, filepath.Base(file))
	if err := os.WriteFile(instead, []byte(text), 0o644); err != nil {
		return "", err
	}
	content, err := json.Marshal(map[string]map[string]string{"Replace": {file: instead}})
	if err != nil {
		return "", err
	}
	name = filepath.Join(folder, "overlay.json")
	return name, os.WriteFile(name, content, 0o644)
}

// test runs tests up to the first that fails, with an overlay if there is one.
func test(ctx context.Context, root, overlay string, of tests) (said string, err error) {
	args := []string{"test", "-vet=off", "-failfast", "-timeout=2m", "-run", of.run}
	if overlay != "" {
		args = append(args, "-overlay="+overlay)
	}
	c := exec.CommandContext(ctx, "go", append(args, "./"+of.folder)...)
	c.Dir = root
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	out, err := c.CombinedOutput()
	return string(out), err
}
