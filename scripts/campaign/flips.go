package main

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
)

// damages are the ways to damage a file.
var damages = []struct {
	name string
	do   func(t *trial, content []byte) []byte
}{
	{"a bit", flipBit}, {"a bit", flipBit}, {"a bit", flipBit},
	{"truncated", func(t *trial, content []byte) []byte { return content[:t.IntN(len(content))] }},
	{"emptied", func(*trial, []byte) []byte { return nil }},
	{"doubled", func(_ *trial, content []byte) []byte { return slices.Concat(content, content) }},
	{"zeros", func(t *trial, content []byte) []byte { return t.overwrite(content, func() byte { return 0 }) }},
	{"garbage", func(t *trial, content []byte) []byte {
		return t.overwrite(content, func() byte { return byte(t.IntN(256)) })
	}},
}

// flipBit flips a random bit.
func flipBit(t *trial, content []byte) []byte {
	damaged := slices.Clone(content)
	damaged[t.IntN(len(damaged))] ^= 1 << t.IntN(8)
	return damaged
}

// overwrite replaces some consecutive bytes, or all.
func (t *trial) overwrite(content []byte, with func() byte) []byte {
	damaged := slices.Clone(content)
	from, n := t.IntN(len(damaged)), 1+t.IntN(64)
	if t.IntN(3) == 0 {
		from, n = 0, len(damaged)
	}
	for i := from; i < min(from+n, len(damaged)); i++ {
		damaged[i] = with()
	}
	return damaged
}

// flips damages a file of a run, complete or interrupted, goes on with the run, and asks for its
// results. Each has to equal the undisturbed run's, or a line has to say what is wrong.
func flips(t *trial) {
	s := t.subject()
	r := t.reference(s)
	if r == nil {
		return
	}
	from := r.dir
	if t.IntN(2) == 0 {
		if from = t.interrupted(r); from == "" {
			return
		}
	}
	if !t.copyRun(from) {
		return
	}
	file, ok := t.damage()
	if !ok {
		return
	}
	p, status := t.run(nil, t.next(s)...)
	if len(t.wrong) > 0 {
		return
	}
	t.outcome = "noticed"
	if status == 0 {
		t.outcome = "right answer"
		t.equal(r, file)
		t.sameAnswer(s, r, p)
	}
	if s.command == "train" && status == 0 {
		t.test(r)
	}
}

// damage damages a file of the run and returns its name.
func (t *trial) damage() (name string, ok bool) {
	dir := filepath.Join(t.dir, runFolder)
	files, err := allFiles(dir)
	if err != nil || len(files) == 0 {
		t.failf("no file to damage in %s: %v", dir, err)
		return "", false
	}
	name = slices.Sorted(maps.Keys(files))[t.IntN(len(files))]
	d := damages[t.IntN(len(damages))]
	content := d.do(t, files[name])
	kept := filepath.Join(t.dir, "damaged")
	t.note("# %s: %s", name, d.name)
	t.note("cp %s %s", kept, filepath.Join(runFolder, name))
	for _, file := range []string{kept, filepath.Join(dir, name)} {
		if err := os.WriteFile(file, content, 0o644); err != nil {
			t.failf("%v", err)
			return "", false
		}
	}
	return name, true
}

// allFiles reads the files of a folder that are not empty, also those that equal leaves out.
func allFiles(dir string) (map[string][]byte, error) {
	files, err := snapshot(dir)
	if err != nil {
		return nil, err
	}
	for _, name := range unsettled {
		files[name] = nil
	}
	for name := range files {
		content, err := os.ReadFile(filepath.Join(dir, name))
		if files[name] = content; err != nil || len(content) == 0 {
			delete(files, name)
		}
	}
	return files, nil
}

// interrupted returns the folder of an interrupted run of r's subject, which it makes once. The
// run is complete if it was too fast.
func (t *trial) interrupted(r *reference) string {
	of := t.newTrial("interrupted-"+r.name, 0)
	dir := filepath.Join(of.dir, runFolder)
	if _, err := os.Stat(dir); err == nil {
		return dir
	}
	p := of.start(nil, r.line(false)...)
	for !of.began() && !slices.ContainsFunc([]string{"parts", "darts-first"}, func(name string) bool {
		_, err := os.Stat(filepath.Join(dir, name))
		return err == nil
	}) {
		select {
		case <-p.ended:
			return dir
		case <-time.After(time.Millisecond):
		}
	}
	_ = p.signal(syscall.SIGTERM)
	p.wait()
	return dir
}

// sameAnswer fails the trial if the last line is not that of the undisturbed run, resumed too.
func (t *trial) sameAnswer(s subject, r *reference, p *process) {
	if a, b := lastLine(t.undisturbed(r, s.line(true)...)), lastLine(p.stdout.String()); a != b {
		t.failf("%s answers %q, the undisturbed run %q", p.line, b, a)
	}
}

// undisturbed returns what a command prints about the undisturbed run.
func (t *trial) undisturbed(r *reference, args ...string) string {
	key := args[0]
	if said, ok := r.answers[key]; ok {
		return said
	}
	of := t.newTrial("answer-"+r.name+"-"+key, 0)
	of.copyRun(r.dir)
	p, _ := of.run(nil, args...)
	t.wrong = append(t.wrong, of.wrong...)
	r.answers[key] = p.stdout.String()
	return r.answers[key]
}

// lastLine returns the last line of a complete run that does not name its folder.
func lastLine(stdout string) string {
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	for len(lines) > 0 && strings.Contains(lines[len(lines)-1], "folder") {
		lines = lines[:len(lines)-1]
	}
	if len(lines) == 0 {
		return ""
	}
	return effort.ReplaceAllString(lines[len(lines)-1], "")
}

// effort matches the time and memory that a comparison prints.
var effort = regexp.MustCompile(`\d+ (s|MB)\b *`)

// test measures the network of the damaged run. The result has to be right, or an error.
func (t *trial) test(r *reference) {
	got, status := t.run(nil, "test", runFolder)
	if status != 0 {
		return
	}
	if want := t.undisturbed(r, "test", runFolder); got.stdout.String() != want {
		t.failf("%s gives %q, of the undisturbed run it gives %q", got.line, got.stdout.String(), want)
	}
}
