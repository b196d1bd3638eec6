package main

import (
	"fmt"
	"math"
	"os/exec"
	"path/filepath"
	"strings"
)

// mounter returns a command that lets another one mount in a namespace of its own, nil if none
// works here.
func mounter() []string {
	for _, line := range [][]string{{"unshare", "-m"}, {"unshare", "-r", "-m"}} {
		probe := append(line, "mount", "-t", "tmpfs", "none", "/mnt")
		if exec.Command(probe[0], probe[1:]...).Run() == nil {
			return line[:len(line):len(line)]
		}
	}
	return nil
}

// noMounts returns what the machine lacks for mounting, empty if nothing.
func noMounts() string {
	if mounter() == nil {
		return "neither root nor a user namespace may mount a small disk here"
	}
	return ""
}

// disk runs on a disk that is too small by a random number of pages, and goes on on another.
func disk(t *trial) {
	s := t.subject()
	t.outcome = s.name
	r := t.reference(s)
	if r == nil {
		return
	}
	total := 0
	for _, content := range r.files {
		total += len(content) + 4096
	}
	// In addition to its files a run needs room for a second checkpoint.
	pages := 1 + t.IntN(1+int(math.Ceil(1.5*float64(total)/4096)))
	small := filepath.Join(t.dir, "small")
	script := fmt.Sprintf(`mkdir small && mount -t tmpfs -o size=%dk none small && mkdir small/tmp && cd small && { TMPDIR=$PWD/tmp "$@"; s=$?; cp -a run .. 2>/dev/null; exit $s; }`, 4*pages)
	p := t.start(append(mounter(), "sh", "-c", script, "sh"), s.line(false)...)
	status := p.wait()
	said := p.stderr.String()
	if said != "" && !strings.HasPrefix(said, "mkdir:") { // the disk had no room for the folder of temporary files
		t.judge(p)
	}
	if status == 0 {
		t.outcome += ", large enough"
	} else if !strings.Contains(said, "no space left on device") {
		t.failf("%s: status %d, and no word of the disk in %s", p.line, status, shortened(said))
	}
	t.note("rmdir %s", small)
	if t.finish(s) {
		t.equal(r)
	}
}
